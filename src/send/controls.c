/* controls - the control files of qmail-send and qmail-todo. */
#include "send/controls.h"

#include <poll.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "send/hosts.h"

#define HELP_RETRY_MS 10000
#define HOSTSHARE_MAX 100

/* locals, or me in its place; me as it was read at the start. */
static int
read_locals(const struct controls *c, struct set *locals)
{
	enum ctl_status status = ctl_set("locals", locals);

	if (status == CTL_ERROR || (status == CTL_ABSENT && !c->me_set))
		return -1;
	if (status == CTL_ABSENT)
		set_add(locals, buf_span(&c->me), span_str(""));
	return set_finish(locals) ? 0 : -1;
}

/* A line whose file may be missing. */
static int
read_line(const char *name, const char *missing, struct buf *line)
{
	enum ctl_status status = ctl_line(name, line);

	if (status == CTL_ABSENT)
		buf_adds(line, missing);
	return status == CTL_ERROR || !buf_ok(line) ? -1 : 0;
}

static int
read_lines(struct controls *c)
{
	enum ctl_status me = ctl_line("me", &c->me);

	c->me_set = me == CTL_FOUND;
	if (me == CTL_ERROR ||
	    ctl_line_me("envnoathost", "envnoathost", &c->envnoathost) == CTL_ERROR ||
	    ctl_line_me("bouncehost", "bouncehost", &c->bouncehost) == CTL_ERROR ||
	    ctl_line_me("doublebouncehost", "doublebouncehost", &c->doublebouncehost) ==
	    CTL_ERROR)
		return -1;
	if (read_line("bouncefrom", "MAILER-DAEMON", &c->bouncefrom) == -1)
		return -1;
	return read_line("doublebounceto", "postmaster", &c->doublebounceto);
}

int
controls_read(struct controls *c)
{
	c->lifetime_s = CONTROLS_LIFETIME_S;
	c->bouncemaxbytes = UINT64_MAX;
	c->concurrency[CHANNEL_LOCAL] = 10;
	c->concurrency[CHANNEL_REMOTE] = 20;
	c->hostshare = HOSTS_SHARE;
	if (read_lines(c) == -1 ||
	    ctl_number("queuelifetime", CONTROLS_LIFETIME_MAX_S, &c->lifetime_s) == CTL_ERROR ||
	    ctl_number("bouncemaxbytes", UINT64_MAX, &c->bouncemaxbytes) == CTL_ERROR ||
	    ctl_number("concurrencylocal", SPAWN_SLOTS, &c->concurrency[CHANNEL_LOCAL]) ==
	    CTL_ERROR ||
	    ctl_number("concurrencyremote", SPAWN_SLOTS, &c->concurrency[CHANNEL_REMOTE]) ==
	    CTL_ERROR ||
	    ctl_number("hostshare", HOSTSHARE_MAX, &c->hostshare) == CTL_ERROR ||
	    ctl_set("percenthack", &c->routes.percenthack) == CTL_ERROR ||
	    ctl_map("virtualdomains", &c->routes.virtualdomains) == CTL_ERROR ||
	    read_locals(c, &c->routes.locals) == -1)
		return -1;
	c->routes.envnoathost = buf_span(&c->envnoathost);
	return 0;
}

static void
take_set(struct set *old, struct set *fresh)
{
	set_free(old);
	*old = *fresh;
	*fresh = (struct set){ 0 };
}

void
controls_reread(struct controls *c, int queue_fd, struct activity *log)
{
	struct set locals = { 0 }, virtualdomains = { 0 };

	if (chdir(QMAIL_HOME) == -1) {
		activity_alert(log,
		    "unable to reread controls: unable to switch to home directory");
		return;
	}
	if (read_locals(c, &locals) == -1) {
		activity_alert(log, "unable to reread control/locals");
	} else if (ctl_map("virtualdomains", &virtualdomains) == CTL_ERROR) {
		activity_alert(log, "unable to reread control/virtualdomains");
	} else {
		take_set(&c->routes.locals, &locals);
		take_set(&c->routes.virtualdomains, &virtualdomains);
	}
	set_free(&locals);
	set_free(&virtualdomains);
	while (fchdir(queue_fd) == -1) {
		/* Outside the queue nothing else can be done. */
		activity_alert(log, "unable to switch back to queue directory; HELP! sleeping...");
		(void)poll(NULL, 0, HELP_RETRY_MS);
	}
}

void
controls_free(struct controls *c)
{
	buf_free(&c->me);
	buf_free(&c->envnoathost);
	buf_free(&c->bouncefrom);
	buf_free(&c->bouncehost);
	buf_free(&c->doublebounceto);
	buf_free(&c->doublebouncehost);
	set_free(&c->routes.locals);
	set_free(&c->routes.percenthack);
	set_free(&c->routes.virtualdomains);
}
