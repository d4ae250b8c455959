/* loop - the main loop of qmail-send: waits for one of its peers or for a time, then gives each
 * module a bounded piece of work.  Nothing in it sleeps anywhere else. */
#include <signal.h>

#include "lib/date.h"
#include "lib/deadline.h"
#include "lib/sig.h"
#include "send/send.h"

/* No new passes, no new batches of todo; what has begun is finished. */
static void
stop(struct send *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	todo_stop(&s->todo);
	todolink_order(&s->link, TODOLINK_STOP);
}

static void
hurry(struct send *s)
{
	int64_t now = date_now();

	for (int c = 0; c < CHANNELS; c++)
		heap_hurry(&s->sched.channel[c], now);
	heap_hurry(&s->jobs.late, now);
	s->jobs.look = 0;	/* nobody is behind others who are due now */
	heap_hurry(&s->sched.done, now);
	s->startup.hurried = !startup_over(s);
}

static void
take_signals(struct send *s)
{
	if (waitset_ready(&s->wait, s->signal_fd, POLLIN))
		sig_watch_drain();
	if (sig_watch_take(SIGTERM))
		stop(s);
	if (sig_watch_take(SIGALRM))
		hurry(s);
	if (sig_watch_take(SIGHUP)) {
		controls_reread(&s->controls, s->queue_fd, &s->log);
		todolink_order(&s->link, TODOLINK_HUP);
	}
}

static void
wait_for_work(struct send *s)
{
	struct waitset *w = &s->wait;

	send_flush_log(s);	/* nothing begins before it is in the log */
	waitset_begin(w);
	waitset_fd(w, s->signal_fd, POLLIN);
	for (int c = 0; c < CHANNELS; c++)
		deliver_watch(&s->spawn[c], w);
	cleaner_watch(&s->clean, w);
	todolink_watch(&s->link, w);
	notice_watch(&s->notices, w);
	jobs_watch(s, w);
	done_watch(s, w);
	startup_watch(s, w);
	todo_watch(&s->todo, w);
	leftovers_watch(s, w);
	if (waitset_sleep(w) == -1 && activity_may(&s->log, CAUSE_POLL))
		activity_warn(&s->log, "trouble in select", NULL, NULL);
}

/* Nothing is preprocessed before all messages are listed: what is not could be scheduled twice. */
static void
start_todo(struct send *s)
{
	if (s->todo_started || s->stopping || !startup_listed(s))
		return;
	s->todo_started = true;
	if (todolink_used(&s->link))
		todolink_order(&s->link, TODOLINK_START);
	else
		todo_start(&s->todo);
}

static void
turn(struct send *s)
{
	wait_for_work(s);
	take_signals(s);
	for (int c = 0; c < CHANNELS; c++)
		if (!deliver_step(s, &s->spawn[c]))
			stop(s);
	if (!cleaner_step(&s->clean, &s->wait))
		stop(s);
	if (!todolink_step(&s->link, &s->wait))
		stop(s);
	notice_step(s);
	startup_step(s);
	start_todo(s);
	/* Removing comes before accepting more: on a full disk it makes room. */
	done_step(s);
	todo_step(&s->todo, &s->wait);
	for (int c = 0; c < CHANNELS; c++)
		jobs_run(s, (enum channel)c);
	leftovers_step(s);
}

static bool
deliveries_over(const struct send *s)
{
	return deliver_idle(&s->spawn[CHANNEL_LOCAL]) && deliver_idle(&s->spawn[CHANNEL_REMOTE]);
}

void
loop_run(struct send *s)
{
	for (;;) {
		s->finishing = s->stopping && deliveries_over(s);
		if (s->finishing && done_idle(s) && todolink_may_exit(&s->link))
			break;
		turn(s);
	}
	jobs_save_schedule(s);
	activity_say(&s->log, "status: exiting");
}
