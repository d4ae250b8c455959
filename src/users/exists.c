/* exists - does anybody get the mail for this address? */
#include "users/exists.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/errtext.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "mail/addr5321.h"
#include "mail/dotqmail.h"
#include "mail/userdb.h"
#include "users/owner.h"
#include "users/vpasswd.h"

#define USERS_CDB QMAIL_HOME "/users/cdb"
#define USER_FIELDS 6		/* user, uid, gid, home, dash, ext */

/* ---- settings ---- */

int
exists_read(struct exists *e)
{
	struct buf me = { 0 };
	enum ctl_status status = ctl_line("me", &me);
	struct routes *r = &e->routes;
	int rc = -1;

	if (status != CTL_ERROR &&
	    ctl_line_me("envnoathost", "envnoathost", &e->envnoathost) != CTL_ERROR &&
	    ctl_set("percenthack", &r->percenthack) != CTL_ERROR &&
	    ctl_map("virtualdomains", &r->virtualdomains) != CTL_ERROR) {
		enum ctl_status locals = ctl_set("locals", &r->locals);

		if (locals == CTL_ABSENT)
			set_add(&r->locals, buf_span(&me), span_str(""));
		if (locals != CTL_ERROR && set_finish(&r->locals))
			rc = 0;
	}
	r->envnoathost = buf_span(&e->envnoathost);
	buf_free(&me);
	return rc;
}

void
exists_free(struct exists *e)
{
	buf_free(&e->envnoathost);
	set_free(&e->routes.locals);
	set_free(&e->routes.percenthack);
	set_free(&e->routes.virtualdomains);
}

/* ---- a user of a virtual domain ---- */

/* errno after something could not be opened. */
static enum rcptask_answer
unseen(int error)
{
	return error == EACCES || error == EPERM || !errtext_temporary(error) ? RCPTASK_EXISTS :
	    RCPTASK_TROUBLE;
}

/* What cannot be read is no reason to refuse: the delivery counts again. */
static bool
is_full(const struct vpasswd *v, unsigned percent)
{
	struct vpasswd_quota quota = vpasswd_quota(buf_span(&v->quota));
	struct buf path = { 0 }, sizes = BUF_CAP(VPASSWD_SIZES_MAX);
	bool full = false;
	int fd = -1;

	if (percent && v->dir.n && (quota.bytes || quota.messages)) {
		buf_addbuf(&path, &v->dir);
		buf_adds(&path, "/Maildir/maildirsize");
		if (buf_ok(&path))
			fd = fsops_open_regular(buf_str(&path));
	}
	if (fd != -1) {
		if (io_read_all(fd, &sizes) == IO_OK)
			full = vpasswd_is_full(quota, buf_span(&sizes), percent);
		(void)close(fd);
	}
	buf_free(&path);
	buf_free(&sizes);
	return full;
}

/* A list has a directory of its name with a file `editor`. */
static enum rcptask_answer
check_list(struct span name)
{
	struct buf path = { 0 };
	enum rcptask_answer answer = RCPTASK_TROUBLE;
	struct stat st;

	if (!name.n || name.p[0] == '.' || span_chr(name, '/') < name.n)
		return RCPTASK_NONE;
	buf_addspan(&path, name);
	if (buf_ok(&path))
		ascii_lower_n(path.p, path.n);
	buf_adds(&path, "/editor");
	if (buf_ok(&path)) {
		if (stat(buf_str(&path), &st) == 0)
			answer = RCPTASK_EXISTS;
		else if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
			answer = RCPTASK_NONE;
		else
			answer = unseen(errno);
	}
	buf_free(&path);
	return answer;
}

static enum rcptask_answer
check_found(const struct vpasswd *v, unsigned percent)
{
	if (v->flags & VPASSWD_BOUNCE)
		return RCPTASK_NONE;
	return is_full(v, percent) ? RCPTASK_FULL : RCPTASK_EXISTS;
}

/* The name, then, as domains may have extensions, what stands before its first dash. */
static enum rcptask_answer
check_virtual_user(struct span name, unsigned percent)
{
	struct vpasswd v = { 0 };
	enum vpasswd_status status = vpasswd_find(name, &v);
	size_t dash = span_chr(name, '-');
	enum rcptask_answer answer = RCPTASK_TROUBLE;

	if (status == VPASSWD_ABSENT && dash > 0 && dash < name.n)
		status = vpasswd_find(span_head(name, dash), &v);
	switch (status) {
	case VPASSWD_FOUND:
		answer = check_found(&v, percent);
		break;
	case VPASSWD_ABSENT:
		answer = check_list(name);
		break;
	case VPASSWD_UNSEEN:
		answer = RCPTASK_EXISTS;
		break;
	case VPASSWD_FAILED:
		break;
	}
	vpasswd_free(&v);
	return answer;
}

/* ---- the directory ---- */

/* Somewhere in the directory of whoever controls the address. */
struct place {
	struct buf home, dash, ext;
};

static bool
bounces_unknown(const struct dotqmail *d)
{
	static const char word[] = "bounce-no-mailbox";
	struct span text = span_head(buf_span(&d->text), EXISTS_INSTRUCTIONS);

	for (; text.n >= sizeof word - 1; text = span_tail(text, 1))
		if (span_starts(text, span_str(word)))
			return true;
	return false;
}

static enum rcptask_answer
check_chosen(const struct dotqmail *d, struct span ext, const struct rcptask *q)
{
	if (!d->has_rest || d->rest != 0)	/* another file than .qmail-default */
		return RCPTASK_EXISTS;
	return bounces_unknown(d) ? check_virtual_user(ext, q->percent) : RCPTASK_ANY;
}

static enum rcptask_answer
check_files(const struct place *p, const struct rcptask *q)
{
	struct dotqmail d = { .text = BUF_CAP(EXISTS_FILE_MAX) };
	enum rcptask_answer answer = RCPTASK_TROUBLE;

	switch (dotqmail_find(&d, buf_span(&p->dash), buf_span(&p->ext))) {
	case DOTQMAIL_FOUND:
		answer = check_chosen(&d, buf_span(&p->ext), q);
		break;
	case DOTQMAIL_ABSENT:
		/* Such a domain has no .qmail-default that could bounce. */
		answer = q->mode == RCPTASK_DOMAIN ? RCPTASK_ANY : RCPTASK_NONE;
		break;
	case DOTQMAIL_WRITABLE:
	case DOTQMAIL_READ:
		answer = RCPTASK_EXISTS;	/* waits until it is mended */
		break;
	case DOTQMAIL_OPEN:
		answer = unseen(errno);
		break;
	case DOTQMAIL_MEMORY:
		break;
	}
	dotqmail_free(&d);
	return answer;
}

/* A home directory that is missing makes mail wait, so nobody is refused for it. */
static enum rcptask_answer
check_place(const struct place *p, const struct rcptask *q)
{
	if (!buf_ok(&p->home) || !buf_ok(&p->dash) || !buf_ok(&p->ext))
		return RCPTASK_TROUBLE;
	if (!p->dash.n)
		return q->mode == RCPTASK_DOMAIN ? RCPTASK_ANY : RCPTASK_EXISTS;
	if (chdir(buf_str(&p->home)) == -1)
		return errno == ENOENT ? RCPTASK_EXISTS : unseen(errno);
	return check_files(p, q);
}

/* ---- who controls the address ---- */

static enum rcptask_answer
place_of_userdb(const struct buf *data, struct place *p)
{
	struct span rest = buf_span(data), field[USER_FIELDS];

	for (size_t i = 0; i < USER_FIELDS; i++) {
		size_t end = span_chr(rest, '\0');

		if (end == rest.n)
			return RCPTASK_TROUBLE;
		field[i] = span_head(rest, end);
		rest = span_tail(rest, end + 1);
	}
	buf_addspan(&p->home, field[3]);
	buf_addspan(&p->dash, field[4]);
	buf_addspan(&p->ext, field[5]);
	return RCPTASK_EXISTS;
}

/* As qmail-getpw: the account, or else alias. */
static enum rcptask_answer
place_of_account(struct span local, struct place *p)
{
	struct account a = { 0 };
	size_t n = 0;
	enum owner_status status = owner_find(local, &a, &n);

	if (status == OWNER_NONE) {
		n = 0;
		status = uids_account(USER_ALIAS, &a) == UIDS_FOUND ? OWNER_USER : OWNER_FAILED;
		buf_addspan(&p->ext, local);
		buf_addc(&p->dash, '-');
	} else if (n < local.n) {
		buf_addspan(&p->ext, span_tail(local, n + 1));
		buf_addc(&p->dash, '-');
	}
	buf_addbuf(&p->home, &a.home);
	uids_account_free(&a);
	return status == OWNER_USER ? RCPTASK_EXISTS : RCPTASK_TROUBLE;
}

static enum rcptask_answer
find_place(struct span local, struct place *p)
{
	struct buf data = { 0 };
	enum rcptask_answer answer = RCPTASK_TROUBLE;

	switch (userdb_lookup(USERS_CDB, local, &data)) {
	case USERDB_FOUND:
		answer = place_of_userdb(&data, p);
		break;
	case USERDB_ABSENT:
		answer = place_of_account(local, p);
		break;
	case USERDB_FAILED:
	case USERDB_MEMORY:
		break;
	}
	buf_free(&data);
	return answer;
}

enum rcptask_answer
exists_check(const struct exists *e, const struct rcptask *q)
{
	struct buf address = { 0 };
	struct place p = { 0 };
	enum channel channel = route_recipient(&e->routes, q->address, &address);
	enum rcptask_answer answer = RCPTASK_TROUBLE;

	if (buf_ok(&address) && channel == CHANNEL_REMOTE) {
		answer = RCPTASK_ANY;
	} else if (buf_ok(&address)) {
		answer = find_place(addr5321_local(buf_span(&address)), &p);
		if (answer == RCPTASK_EXISTS)
			answer = check_place(&p, q);
	}
	buf_free(&address);
	buf_free(&p.home);
	buf_free(&p.dash);
	buf_free(&p.ext);
	return answer;
}
