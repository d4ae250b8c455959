/* settings - the control files of qmail-remote.
 * It knows many files, most of which are not there, and runs for each delivery: so it looks at the
 * directory once, and then only at those that are. */
#include "remote/settings.h"

#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "remote/reuse.h"
#include "remote/smtproute.h"
#include "remote/starttls.h"

#define CONNECT_DEFAULT 60
#define TIMEOUT_DEFAULT 1200
#define SECONDS_MAX ((uint64_t)1000000000)

struct files {
	struct set names;
	bool unknown;		/* may not be listed: look for all of them */
};

static bool
is_there(const struct files *f, const char *name)
{
	return f->unknown || set_find(&f->names, span_str(name), NULL);
}

/* The same for what is only asked whether it is there. */
static bool
exists(const struct files *f, const char *path)
{
	return f->unknown ? access(path, F_OK) == 0 :
	    is_there(f, path + strlen(CONTROL_DIRECTORY));
}

/* false: the file cannot be read.  0 counts as 1: "no time at all" was never meant. */
static bool
read_seconds(const struct files *f, const char *name, uint64_t value, int64_t *ms)
{
	if (is_there(f, name) && ctl_number(name, SECONDS_MAX, &value) == CTL_ERROR)
		return false;
	*ms = (int64_t)(value ? value : 1) * 1000;
	return true;
}

static bool
read_reuse(const struct files *f, struct settings *s)
{
	s->reuse = 1;
	return !is_there(f, "remotereuse") ||
	    ctl_number("remotereuse", REUSE_MAX, &s->reuse) != CTL_ERROR;
}

static bool
read_names(const struct files *f, struct settings *s)
{
	enum ctl_status me, helo = CTL_ABSENT;

	if ((me = ctl_line("me", &s->me)) == CTL_ERROR)
		return false;
	if (is_there(f, "helohost"))
		helo = ctl_line("helohost", &s->helohost);
	if (helo == CTL_ABSENT)
		buf_addbuf(&s->helohost, &s->me);
	return helo == CTL_FOUND || (helo == CTL_ABSENT && me == CTL_FOUND);
}

static bool
read_routes(const struct files *f, struct settings *s)
{
	s->routes.text.secret = s->senders.text.secret = true;
	if (is_there(f, "smtproutes") && ctl_map("smtproutes", &s->routes) == CTL_ERROR)
		return false;
	if (is_there(f, "authsenders") && ctl_map("authsenders", &s->senders) == CTL_ERROR)
		return false;
	if (is_there(f, "outgoingip") && ctl_list("outgoingip", &s->outgoingip) == CTL_ERROR)
		return false;
	return !is_there(f, "domainips") || ctl_list("domainips", &s->domainips) != CTL_ERROR;
}

static bool
read_own(const struct files *f, struct settings *s)
{
	if (is_there(f, "moreipme") && ctl_list("moreipme", &s->moreipme) == CTL_ERROR)
		return false;
	return !is_there(f, "notipme") || ctl_list("notipme", &s->notipme) != CTL_ERROR;
}

static bool
read_ciphers(struct buf *to)
{
	struct buf lines = { 0 };
	struct span line;
	enum ctl_status status = ctl_list("tlsclientciphers", &lines);

	for (size_t pos = 0; status == CTL_FOUND && ctl_next(&lines, &pos, &line);) {
		if (to->n)
			buf_addc(to, ':');
		buf_addspan(to, line);
	}
	buf_free(&lines);
	return status != CTL_ERROR;
}

static bool
read_tls(const struct files *f, struct settings *s)
{
	uint64_t note = 0;

	s->client_certificate = exists(f, CLIENT_CERTIFICATE);
	s->tls_hosts = exists(f, TLS_HOSTS);
	s->no_tls_hosts = exists(f, NO_TLS_HOSTS);
	if (is_there(f, "notlshosts_auto") && ctl_number("notlshosts_auto", 1, &note) == CTL_ERROR)
		return false;
	s->note_no_tls = note > 0;
	return !is_there(f, "tlsclientciphers") || read_ciphers(&s->tls_ciphers);
}

enum settings_status
settings_read(struct settings *s)
{
	struct files f = { .unknown = false };
	bool readable;

	f.unknown = ctl_names(&f.names) != CTL_FOUND;
	readable = read_names(&f, s) &&
	    read_seconds(&f, "timeoutremote", TIMEOUT_DEFAULT, &s->timeout_ms) &&
	    read_seconds(&f, "timeoutconnect", CONNECT_DEFAULT, &s->connect_ms) &&
	    read_reuse(&f, s) && read_routes(&f, s) && read_own(&f, s) && read_tls(&f, s);
	set_free(&f.names);
	if (!readable)
		return SETTINGS_UNREADABLE;
	/* One word, a name or an address literal, and nothing that could end the command. */
	return s->helohost.n && ascii_all_graph(buf_span(&s->helohost)) ? SETTINGS_OK :
	    SETTINGS_BAD_HELOHOST;
}

static struct span
keep(struct buf *to, struct span text)
{
	size_t at = to->n;

	buf_addspan(to, text);
	return span_of(to->p + at, text.n);
}

bool
settings_keep(struct settings *s, struct smtproute *route)
{
	s->route.secret = true;
	/* All at once: the spans are into it. */
	if (!buf_room(&s->route, route->host.n + route->user.n + route->password.n))
		return false;
	route->host = keep(&s->route, route->host);
	route->user = keep(&s->route, route->user);
	route->password = keep(&s->route, route->password);
	set_free(&s->routes);
	set_free(&s->senders);
	return buf_ok(&s->route);
}

/* ---- when to read again ---- */

#define RESOLVER "/etc/resolv.conf"

/* Those that are read, and directories: that others come and go shows in their own directory. */
static const char *const names[SETTINGS_FILES] = {
	"authsenders", "domainips", "helohost", "me", "moreipme", "notipme", "notlshosts",
	"notlshosts_auto", "outgoingip", "remotereuse", "smtproutes", "timeoutconnect",
	"timeoutremote", "tlsclientciphers", "tlshosts"
};

static void
mark_file(struct filemark *m, const char *name)
{
	char path[sizeof CONTROL_DIRECTORY + 32] = CONTROL_DIRECTORY;

	strncat(path, name, 31);
	filemark_take(m, path);
}

void
settings_mark(struct settings_marks *m)
{
	filemark_take(&m->directory, CONTROL_DIRECTORY);
	filemark_take(&m->resolver, RESOLVER);
	filemark_take(&m->tls, STARTTLS_PROGRAM);
	m->fresh = filemark_recent(&m->directory) || filemark_recent(&m->resolver);
	for (size_t i = 0; i < SETTINGS_FILES; i++) {
		mark_file(&m->files[i], names[i]);
		m->fresh |= filemark_recent(&m->files[i]);
	}
}

bool
settings_changed(const struct settings_marks *m)
{
	struct filemark now;

	filemark_take(&now, CONTROL_DIRECTORY);
	if (m->fresh || !now.exists || !filemark_same(&m->directory, &now))
		return true;
	filemark_take(&now, RESOLVER);
	if (!filemark_same(&m->resolver, &now))
		return true;
	filemark_take(&now, STARTTLS_PROGRAM);
	if (!filemark_same(&m->tls, &now))
		return true;
	for (size_t i = 0; i < SETTINGS_FILES; i++) {
		mark_file(&now, names[i]);
		if (!filemark_same(&m->files[i], &now))
			return true;
	}
	return false;
}

bool
settings_hold_password(const struct settings *s)
{
	return smtproute_any_login(&s->routes) || smtproute_any_login(&s->senders);
}

void
settings_free(struct settings *s)
{
	buf_free(&s->route);
	buf_free(&s->me);
	buf_free(&s->helohost);
	set_free(&s->routes);
	set_free(&s->senders);
	buf_free(&s->outgoingip);
	buf_free(&s->domainips);
	buf_free(&s->moreipme);
	buf_free(&s->notipme);
	buf_free(&s->tls_ciphers);
}
