/* many - qmail-remote as a process that does one delivery after the other. */
#include "remote/many.h"

#include <signal.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/sig.h"
#include "queue/stay.h"
#include "remote/ready.h"

#define IDLE_NAME "remote-stay"	/* so that who counts qmail-remote counts deliveries */
#define NAME "qmail-remote"
#define FIXED_STRINGS 2		/* host, sender */

struct many {
	struct ready ready;
	struct settings_marks marks;	/* of what was read */
	struct reuse reuse;
};

/* What goes wrong here, and what is to be told then, is left to a qmail-remote of its own; so is a
 * password: it is in no process that knows a delivery it is not for. */
static bool
prepare(struct many *m)
{
	const struct smtproute none = { .fixed = false };

	if (chdir(QMAIL_HOME) == -1)
		return false;
	settings_mark(&m->marks);
	if (ready_read(&m->ready) != NULL || settings_hold_password(&m->ready.settings))
		return false;
	m->reuse.most = m->ready.settings.reuse;
	return ready_enter(&m->ready, &none) == 0;
}

/* Out of reach in here: control files that have changed are read by the next one. */
static void
deliver(struct many *m, struct stay *s, bool first)
{
	struct buf report = { 0 };

	/* The first delivery was there before anything was read. */
	if (!first && settings_changed(&m->marks)) {
		stay_decline(s, true);
		return;
	}
	if (s->n <= FIXED_STRINGS) {
		stay_decline(s, false);
		return;
	}
	ready_deliver_one(&m->ready, s->strings[0], s->strings[1], s->strings + FIXED_STRINGS,
	    s->n - FIXED_STRINGS, &m->reuse, &report);
	stay_output(buf_span(&report));
	stay_done(s, CODE_OK, m->marks.fresh);
	buf_free(&report);
}

void
many_run(char **argv)
{
	struct many m = { .ready = { .dns = NULL } };
	struct stay *s = NULL;

	/* Nobody waits for the qmail-tls of a delivery, which may end later than that: the kernel
	 * forgets it. */
	sig_ignore(SIGCHLD);
	if (prepare(&m) && (s = stay_begin(argv, STAYPROTO_REMOTE, NAME, IDLE_NAME)) != NULL) {
		for (bool first = true; stay_next(s); first = false)
			deliver(&m, s, first);
		stay_end(s);
	}
	reuse_end(&m.reuse);
	ready_free(&m.ready);
}
