/* settings - the control files of qmail-remote. */
#include "remote/settings.h"

#include "lib/ascii.h"
#include "lib/ctl.h"

#define CONNECT_DEFAULT 60
#define TIMEOUT_DEFAULT 1200
#define SECONDS_MAX ((uint64_t)1000000000)

/* false: the file cannot be read.  0 counts as 1: "no time at all" was never meant. */
static bool
read_seconds(const char *name, uint64_t value, int64_t *ms)
{
	if (ctl_number(name, SECONDS_MAX, &value) == CTL_ERROR)
		return false;
	*ms = (int64_t)(value ? value : 1) * 1000;
	return true;
}

/* One word of printable bytes: names, address literals, and nothing that could end the command. */
static bool
is_word(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_isgraph(s.p[i]))
			return false;
	return s.n > 0;
}

enum settings_status
settings_read(struct settings *s)
{
	if (ctl_line("me", &s->me) == CTL_ERROR ||
	    !read_seconds("timeoutremote", TIMEOUT_DEFAULT, &s->timeout_ms) ||
	    !read_seconds("timeoutconnect", CONNECT_DEFAULT, &s->connect_ms) ||
	    ctl_line_me("helohost", NULL, &s->helohost) != CTL_FOUND ||
	    ctl_map("smtproutes", &s->routes) == CTL_ERROR)
		return SETTINGS_UNREADABLE;
	return is_word(buf_span(&s->helohost)) ? SETTINGS_OK : SETTINGS_BAD_HELOHOST;
}

void
settings_free(struct settings *s)
{
	buf_free(&s->me);
	buf_free(&s->helohost);
	set_free(&s->routes);
}
