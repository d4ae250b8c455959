/* advice - see advice.h.  Texts may be read by scripts: the file's name is the first word. */
#include "tools/advice.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/ascii.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/log.h"
#include "lib/report.h"
#include "lib/set.h"
#include "lib/uids.h"
#include "mail/relay.h"

#define FOREIGN_WRITE (S_IWGRP | S_IWOTH)
#define ANY ((uid_t)-1)

/* a: struct advice */
#define WARN(a, format, ...) \
	(++(a)->n, report_line((a)->fd, "qmail-showctl: warning: " format, __VA_ARGS__))

struct advice {
	int fd;
	size_t n;
};

/* Domains and file names as they may be shown. */
struct shown {
	char text[256];
};

static struct shown
visible(struct span s)
{
	struct buf line = { 0 };
	struct shown shown;
	size_t n;

	log_add_visible(&line, s, true, '?');
	n = line.n < sizeof shown.text ? line.n : sizeof shown.text - 1;
	if (n)
		memcpy(shown.text, line.p, n);
	shown.text[n] = '\0';
	buf_free(&line);
	return shown;
}

/* ---- the name of the host ---- */

static void
check_me(struct advice *a)
{
	struct buf me = { 0 };
	enum ctl_status status = ctl_line("me", &me);

	if (status == CTL_ABSENT)
		WARN(a, "%s: missing, so addresses get no host; "
		    "put the full name of this host into it", "control/me");
	else if (status == CTL_FOUND && span_chr(buf_span(&me), '.') == me.n)
		WARN(a, "control/me: `%s' has no dot; put the full name of this host into it",
		    visible(buf_span(&me)).text);
	buf_free(&me);
}

/* ---- numbers ---- */

static void
check_numbers(struct advice *a)
{
	static const char *const names[] = { "concurrencylocal", "concurrencyremote", "databytes",
		"hostshare", "queuelifetime", "remotebatch", "remotereuse", "timeoutconnect",
		"timeoutremote", "timeoutsmtpd" };
	struct stat st;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		uint64_t value = 0;
		enum ctl_status status = ctl_number(names[i], UINT64_MAX, &value);
		struct buf path = { 0 };

		buf_adds(&path, "control/");
		buf_adds(&path, names[i]);
		if (status == CTL_ABSENT && buf_ok(&path) && stat(buf_str(&path), &st) == 0)
			WARN(a, "%s: no number, so the default is used; correct or remove it",
			    buf_str(&path));
		if (i < 2 && value > SPAWN_SLOTS)
			WARN(a, "%s: more than %d, so that many are used; "
			    "build with another conf-spawn", buf_str(&path), SPAWN_SLOTS);
		buf_free(&path);
	}
}

/* ---- domains ---- */

static void
check_accepted(struct advice *a, const struct relay *relay, const char *file, struct span domain)
{
	struct buf address = { 0 };

	buf_adds(&address, "x@");
	buf_addspan(&address, domain);
	if (domain.n && domain.p[0] != '.' && buf_ok(&address) &&
	    relay_check(relay, buf_span(&address)) == RELAY_REFUSED)
		WARN(a, "control/rcpthosts: `%s' of control/%s is not in it, "
		    "so SMTP refuses its mail; add it if mail comes from outside",
		    visible(domain).text, file);
	buf_free(&address);
}

static void
check_locals(struct advice *a, const struct relay *relay, struct set *locals)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	enum ctl_status status = ctl_list("locals", &text);
	struct span entry;
	size_t pos = 0;

	if (status == CTL_ABSENT) {
		if (ctl_line("me", &text) == CTL_FOUND) {
			set_add(locals, buf_span(&text), span_str(""));
			check_accepted(a, relay, "me", buf_span(&text));
		}
	} else if (status == CTL_FOUND) {
		while (ctl_next(&text, &pos, &entry)) {
			set_add(locals, entry, span_str(""));
			check_accepted(a, relay, "locals", entry);
		}
	}
	buf_free(&text);
}

static void
check_virtual(struct advice *a, const struct relay *relay, const struct set *locals)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	struct span entry;
	size_t pos = 0;

	if (ctl_list("virtualdomains", &text) == CTL_FOUND)
		while (ctl_next(&text, &pos, &entry)) {
			size_t colon = span_chr(entry, ':'), at = span_chr(entry, '@');
			struct span domain = span_of(entry.p, colon);

			if (at < colon)
				domain = span_of(entry.p + at + 1, colon - at - 1);
			if (colon == entry.n)
				WARN(a, "control/virtualdomains: `%s' has no colon "
				    "and does nothing; write DOMAIN:USER",
				    visible(entry).text);
			else if (set_find(locals, domain, NULL))
				WARN(a, "control/virtualdomains: `%s' is in control/locals, "
				    "too, which wins; remove it from one of them",
				    visible(domain).text);
			else
				check_accepted(a, relay, "virtualdomains", domain);
		}
	buf_free(&text);
}

/* false: told; nothing can be said about domains. */
static bool
open_relay(struct advice *a, struct relay *relay)
{
	if (relay_open(relay, NULL) == 0) {
		/* Any address shows whether the compiled file is whole enough to be asked. */
		if (relay_check(relay, span_str("nobody@example.org")) != RELAY_FAILED)
			return true;
		relay_close(relay);
	}
	WARN(a, "%s: it or %s cannot be read, so all mail is refused for now; "
	    "make it readable, or run qmail-newmrh",
	    "control/rcpthosts", "control/morercpthosts.cdb");
	return false;
}

static void
check_domains(struct advice *a)
{
	struct set locals = { 0 };
	struct relay relay;

	if (!open_relay(a, &relay))
		return;
	if (!relay.restricted)
		WARN(a, "%s: missing, so everybody may relay through this host; "
		    "put the domains into it that this host receives mail for",
		    "control/rcpthosts");
	check_locals(a, &relay, &locals);
	if (set_finish(&locals))
		check_virtual(a, &relay, &locals);
	set_free(&locals);
	relay_close(&relay);
}

/* ---- compiled files ---- */

static void
check_compiled(struct advice *a, const char *source, const char *compiled, const char *program)
{
	struct stat from, to;

	if (stat(source, &from) == -1)
		return;
	if (stat(compiled, &to) == -1) {
		if (errno == ENOENT)
			WARN(a, "%s: without %s it does nothing; run %s",
			    source, compiled, program);
		return;
	}
	if (to.st_mtim.tv_sec < from.st_mtim.tv_sec || (to.st_mtim.tv_sec == from.st_mtim.tv_sec &&
	    to.st_mtim.tv_nsec < from.st_mtim.tv_nsec))
		WARN(a, "%s: newer than %s, which is what counts; run %s",
		    source, compiled, program);
}

/* ---- passwords ---- */

/* Does an entry `key:relay|user|password` or `key:relay user password` have a login? */
static bool
has_login(const struct buf *entries)
{
	struct span entry;

	for (size_t pos = 0; ctl_next(entries, &pos, &entry);)
		for (size_t i = span_chr(entry, ':') + 1; i + 1 < entry.n; i++)
			if (entry.p[i] == '|' || ascii_isblank(entry.p[i]))
				return true;
	return false;
}

static void
check_login(struct advice *a, const char *name, const char *path)
{
	struct buf entries = BUF_CAP(CTL_FILE_MAX);
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & S_IROTH) &&
	    ctl_list(name, &entries) == CTL_FOUND && has_login(&entries))
		WARN(a, "%s: everybody can read the passwords in it; chmod o-r it", path);
	buf_free(&entries);
}

/* ---- owners ---- */

/* Who may own what is not the mail system's owner's. */
static bool
is_owned_by(const char *path, uid_t uid)
{
	static const struct {
		const char *path, *user;
	} owned[] = {
		{ "control/clientcert.pem", USER_TLS },
		{ "control/notlshosts", USER_REMOTE },
		{ "control/servercert.pem", USER_TLS },
		{ "control/servercerts", USER_TLS }
	};

	for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
		uid_t owner;
		gid_t group;

		if (strcmp(path, owned[i].path) == 0)
			return uids_user(owned[i].user, &owner, &group) == UIDS_FOUND &&
			    owner == uid;
	}
	return false;
}

static void
check_owner(struct advice *a, const char *path, uid_t owner)
{
	struct shown name = visible(span_str(path));
	struct stat st;

	if (stat(path, &st) == -1)
		return;
	if (st.st_uid != 0 && st.st_uid != owner && !is_owned_by(path, st.st_uid))
		WARN(a, "%s: belongs to uid %ju, who can change it; chown " USER_OWNER " it",
		    name.text, (uintmax_t)st.st_uid);
	if (st.st_mode & FOREIGN_WRITE)
		WARN(a, "%s: others can change it; chmod go-w it", name.text);
}

static bool
is_readable(const struct stat *st)
{
	static const char *const groups[] = { GROUP_QMAIL, GROUP_NOFILES };

	for (size_t i = 0; (st->st_mode & S_IRGRP) && i < sizeof groups / sizeof *groups; i++) {
		gid_t gid;

		if (uids_group(groups[i], &gid) == UIDS_FOUND && gid == st->st_gid)
			return true;
	}
	return st->st_mode & S_IROTH;
}

/* Keys are kept from whom they should be. */
static void
check_readable(struct advice *a, const char *path)
{
	const char *dot = strrchr(path, '.');
	struct stat st;

	if (strncmp(path, "control/", 8) == 0 && !(dot && strcmp(dot, ".pem") == 0) &&
	    stat(path, &st) == 0 && S_ISREG(st.st_mode) && !is_readable(&st))
		WARN(a, "%s: the accounts of the mail system cannot read it, so mail waits or is "
		    "refused for now; chmod a+r it, or chgrp " GROUP_QMAIL " and chmod g+r "
		    "if it holds a secret", visible(span_str(path)).text);
}

static void
check_owners(struct advice *a, const char *dir)
{
	struct dirent **found;
	uid_t owner = ANY;
	gid_t group;
	int n;

	if (uids_user(USER_OWNER, &owner, &group) != UIDS_FOUND)
		owner = ANY;
	check_owner(a, dir, owner);
	if ((n = scandir(dir, &found, NULL, alphasort)) == -1)
		return;
	for (int i = 0; i < n; i++) {
		struct buf path = { 0 };
		const char *dot = strrchr(found[i]->d_name, '.');

		buf_adds(&path, dir);
		buf_adds(&path, "/");
		buf_adds(&path, found[i]->d_name);
		/* Lock files of vpopmail and the like say nothing. */
		if (found[i]->d_name[0] != '.' && !(dot && strcmp(dot, ".lock") == 0) &&
		    buf_ok(&path)) {
			check_owner(a, buf_str(&path), owner);
			check_readable(a, buf_str(&path));
		}
		buf_free(&path);
		free(found[i]);
	}
	free(found);
}

size_t
advice_give(int fd)
{
	struct advice a = { .fd = fd };

	check_me(&a);
	check_domains(&a);
	check_numbers(&a);
	check_compiled(&a, "control/morercpthosts", "control/morercpthosts.cdb", "qmail-newmrh");
	check_compiled(&a, "control/morevalidrcptto", "control/morevalidrcptto.cdb",
	    "qmail-newmvrt");
	check_compiled(&a, "users/assign", "users/cdb", "qmail-newu");
	check_login(&a, "smtproutes", "control/smtproutes");
	check_login(&a, "authsenders", "control/authsenders");
	check_owners(&a, "control");
	check_owners(&a, "users");
	return a.n;
}
