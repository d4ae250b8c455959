/* report - what becomes of the reports of the spawn daemons.  Those that arrive together are
 * handled together: first all failures are written down and synced, then each is logged and
 * marked. */
#include "lib/deadline.h"
#include "lib/log.h"
#include "send/deliver.h"
#include "send/jobs.h"
#include "send/send.h"

#define TOO_LONG "I'm not going to try again; this message has been in the queue too long.\n"
#define OUT_OF_PROCESSES "qmail-spawn unable to "	/* create a pipe, fork, open */

static enum outcome
classify(struct span text)
{
	switch (text.n ? text.p[0] : '\0') {
	case 'K':
		return OUTCOME_SUCCESS;
	case 'Z':
		return OUTCOME_DEFERRAL;
	case 'D':
		return OUTCOME_FAILURE;
	default:
		return OUTCOME_MANGLED;
	}
}

/* The daemon has hit a limit of the system: starting more at once makes it worse. */
static void
throttle(struct spawn *d)
{
	d->throttle = d->used / 2 ? d->used / 2 : 1;
	d->throttled_until = deadline_after(DELIVER_THROTTLE_MS);
}

void
report_take(struct send *s, struct spawn *d)
{
	struct span said = buf_span(&d->parser.text);
	struct report *r = &d->reports[d->reports_n];
	unsigned i = d->parser.slot;

	if (i >= d->concurrency || !d->slots[i].job || d->slots[i].reported) {
		activity_warn(&s->log, "internal error: delivery report out of range", NULL, NULL);
		return;
	}
	r->slot = &d->slots[i];
	r->slot->reported = true;
	r->outcome = classify(said);
	r->bounce = BOUNCE_NONE;
	buf_reset(&r->text);
	buf_addspan(&r->text, span_tail(said, 1));
	if (r->outcome == OUTCOME_DEFERRAL) {
		if (span_starts(buf_span(&r->text), span_str(OUT_OF_PROCESSES)))
			throttle(d);
		if (r->slot->job->dying) {
			buf_adds(&r->text, TOO_LONG);
			r->outcome = OUTCOME_FAILURE;
		}
	}
	if (!buf_ok(&r->text)) {
		activity_memory(&s->log);
		buf_reset(&r->text);
		if (r->outcome == OUTCOME_FAILURE)
			r->outcome = OUTCOME_DEFERRAL;	/* nothing could be told to the sender */
	}
	d->reports_n++;
}

/* A failure that cannot be written down is a deferral: the recipient is tried again. */
static void
write_failures(struct send *s, struct spawn *d)
{
	for (size_t i = 0; i < d->reports_n; i++) {
		struct report *r = &d->reports[i];

		if (r->outcome != OUTCOME_FAILURE)
			continue;
		r->bounce = bounce_append(&s->bounces, r->slot->job->id,
		    route_original(&s->controls.routes, buf_span(&r->slot->recipient)),
		    buf_span(&r->text));
		if (r->bounce == BOUNCE_NONE)
			r->outcome = OUTCOME_DEFERRAL;
	}
	bounce_commit(&s->bounces);
	for (size_t i = 0; i < d->reports_n; i++) {
		struct report *r = &d->reports[i];

		if (r->outcome == OUTCOME_FAILURE && !bounce_kept(&s->bounces, r->bounce))
			r->outcome = OUTCOME_DEFERRAL;
	}
	bounce_next(&s->bounces);
	/* From here on no failure can be forgotten. */
}

static void
log_report(struct send *s, const struct report *r)
{
	static const char *const words[] = {
		[OUTCOME_SUCCESS] = ": success: ", [OUTCOME_DEFERRAL] = ": deferral: ",
		[OUTCOME_FAILURE] = ": failure: ",
		[OUTCOME_MANGLED] = ": report mangled, will defer"
	};
	struct buf *line = activity_begin(&s->log);

	buf_adds(line, "delivery ");
	buf_addnum(line, r->slot->delivery);
	buf_adds(line, words[r->outcome]);
	if (r->outcome != OUTCOME_MANGLED)
		log_add_safe(line, buf_span(&r->text));
	activity_end(&s->log);
}

static void
finish(struct send *s, struct spawn *d, const struct report *r)
{
	size_t i = (size_t)(r->slot - d->slots);
	struct job *job = r->slot->job;

	log_report(s, r);
	if (r->outcome == OUTCOME_SUCCESS || r->outcome == OUTCOME_FAILURE)
		jobs_mark(s, job, r->slot->at);
	r->slot->job = NULL;
	d->busy[i / 64] &= ~(UINT64_C(1) << i % 64);
	d->used--;
	hosts_give_back(&s->hosts, r->slot->host);
	jobs_drop(s, job);
	deliver_log_status(s);
}

void
report_apply(struct send *s, struct spawn *d)
{
	if (!d->reports_n)
		return;
	write_failures(s, d);
	for (size_t i = 0; i < d->reports_n; i++)
		finish(s, d, &d->reports[i]);
	d->reports_n = 0;
}
