/* showctl - the text of qmail-showctl. */
#include "tools/showctl.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/ascii.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/log.h"
#include "lib/uids.h"
#include "tools/showctl_text.h"
static void
put_visible(struct io_out *out, struct span text)
{
	struct buf line = { 0 };

	log_add_visible(&line, text, true, '?');
	io_putspan(out, buf_span(&line));
	buf_free(&line);
}

static void
put_line(struct io_out *out, const struct control *c, struct span value)
{
	io_puts(out, c->before);
	put_visible(out, value);
	io_puts(out, c->after);
	io_putc(out, '\n');
}

/* ---- the build ---- */

static void
put_number(struct io_out *out, const char *what, uint64_t value)
{
	io_puts(out, what);
	io_putnum(out, value);
	io_puts(out, ".\n");
}

static void
put_id(struct io_out *out, enum uids_status status, uint64_t id)
{
	if (status == UIDS_FOUND)
		io_putnum(out, id);
	else
		io_puts(out, "unknown");
}

static void
put_users(struct io_out *out)
{
	static const char *const users[] = { USER_ALIAS, USER_DAEMON, USER_LOG, USER_OWNER,
		USER_PASSWD, USER_QUEUE, USER_REMOTE, USER_SEND };

	io_puts(out, "user ids: ");
	for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
		uid_t uid = 0;
		gid_t gid;
		enum uids_status status = uids_user(users[i], &uid, &gid);

		io_puts(out, i ? ", " : "");
		put_id(out, status, uid);
	}
	io_puts(out, ".\n");
}

static void
put_groups(struct io_out *out)
{
	static const char *const groups[] = { GROUP_NOFILES, GROUP_QMAIL };

	io_puts(out, "group ids: ");
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
		gid_t gid = 0;
		enum uids_status status = uids_group(groups[i], &gid);

		io_puts(out, i ? ", " : "");
		put_id(out, status, gid);
	}
	io_puts(out, ".\n");
}

void
showctl_build(struct io_out *out)
{
	io_puts(out, "qmail home directory: " QMAIL_HOME ".\n");
	io_puts(out, "user-ext delimiter: ");
	io_putc(out, USER_BREAK);
	io_puts(out, ".\n");
	put_number(out, "paternalism (in decimal): ", FORBIDDEN_MODE);
	put_number(out, "silent concurrency limit: ", SPAWN_SLOTS);
	put_number(out, "subdirectory split: ", QUEUE_SPLIT);
	put_users(out);
	put_groups(out);
}

/* ---- control files ---- */

static void
put_trouble(struct io_out *out)
{
	io_puts(out, "Oops! Trouble reading this file.\n");
}

static void
show_line(struct io_out *out, const struct control *c, struct span me)
{
	struct buf value = { 0 };
	struct span absent = span_str(c->absent ? c->absent : c->name);

	switch (ctl_line(c->name, &value)) {
	case CTL_FOUND:
		put_line(out, c, buf_span(&value));
		break;
	case CTL_ABSENT:
		io_puts(out, "(Default.) ");
		put_line(out, c, c->kind == LINE_ME && me.p ? me : absent);
		break;
	case CTL_ERROR:
	default:
		put_trouble(out);
		break;
	}
	buf_free(&value);
}

static void
show_number(struct io_out *out, const struct control *c)
{
	uint64_t value = 0;

	switch (ctl_number(c->name, UINT64_MAX, &value)) {
	case CTL_FOUND:
		io_puts(out, c->before);
		io_putnum(out, value);
		io_puts(out, c->after);
		io_putc(out, '\n');
		break;
	case CTL_ABSENT:
		io_puts(out, "(Default.) ");
		put_line(out, c, span_str(c->absent));
		break;
	case CTL_ERROR:
	default:
		put_trouble(out);
		break;
	}
}

/* `relay|user|password`, `relay user password`: with stars after the relay. */
static void
put_route(struct io_out *out, const struct control *c, struct span entry)
{
	size_t colon = span_chr(entry, ':') + 1, n = colon;
	struct buf line = { 0 };
	char mark;

	while (n < entry.n && ascii_isblank(entry.p[n]))
		n++;
	while (n < entry.n && entry.p[n] != '|' && !ascii_isblank(entry.p[n]))
		n++;
	buf_addspan(&line, span_head(entry, n));
	mark = n < entry.n && entry.p[n] == '|' ? '|' : ' ';
	for (int word = 0; n < entry.n && word < 2; word++) {
		buf_addc(&line, mark);
		buf_adds(&line, "***");
		while (n < entry.n && (mark == '|' ? entry.p[n] == '|' :
		    ascii_isblank(entry.p[n])))
			n++;
		while (n < entry.n && (mark == '|' ? entry.p[n] != '|' :
		    !ascii_isblank(entry.p[n])))
			n++;
	}
	put_line(out, c, buf_span(&line));
	buf_free(&line);
}

static void
show_list(struct io_out *out, const struct control *c)
{
	struct buf text = BUF_CAP(CTL_FILE_MAX);
	struct span entry;
	size_t pos = 0;

	switch (ctl_list(c->name, &text)) {
	case CTL_FOUND:
		io_putc(out, '\n');
		while (ctl_next(&text, &pos, &entry))
			(c->kind == ROUTES ? put_route : put_line)(out, c, entry);
		break;
	case CTL_ABSENT:
		io_puts(out, "(Default.) ");
		io_puts(out, c->absent);
		io_putc(out, '\n');
		break;
	case CTL_ERROR:
	default:
		put_trouble(out);
		break;
	}
	buf_free(&text);
}

static bool
look(const char *path, struct stat *st)
{
	return stat(path, st) == 0;
}

static void
show_more_hosts(struct io_out *out)
{
	static const struct control with = { "morercpthosts", LIST,
		"SMTP clients may send messages to recipients at ", ".", "No effect." };
	static const struct control without = { "morercpthosts", LIST,
		"No rcpthosts; doesn't matter that morercpthosts has ", ".",
		"No rcpthosts; morercpthosts is irrelevant." };
	struct stat st;

	show_list(out, look("control/rcpthosts", &st) ? &with : &without);
}

static bool
older(const struct stat *a, const struct stat *b)
{
	if (a->st_mtim.tv_sec != b->st_mtim.tv_sec)
		return a->st_mtim.tv_sec < b->st_mtim.tv_sec;
	return a->st_mtim.tv_nsec < b->st_mtim.tv_nsec;
}

static void
show_more_hosts_cdb(struct io_out *out)
{
	struct stat source, cdb;
	bool has_source = look("control/morercpthosts", &source);
	bool has_cdb = look("control/morercpthosts.cdb", &cdb);
	const char *text;

	if (!has_source && !has_cdb)
		text = "(Default.) No effect.\n";
	else if (!has_source)
		text = "Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n";
	else if (!has_cdb)
		text = "Oops! morercpthosts exists but morercpthosts.cdb doesn't.\n";
	else if (older(&cdb, &source))
		text = "Oops! morercpthosts.cdb is older than morercpthosts.\n";
	else
		text = "Modified recently enough; hopefully up to date.\n";
	io_puts(out, text);
}

static void
put_name(struct io_out *out, const char *name)
{
	io_putc(out, '\n');
	put_visible(out, span_str(name));
	io_puts(out, ": ");
}

static void
show(struct io_out *out, const struct control *c, struct span me)
{
	put_name(out, c->name);
	switch (c->kind) {
	case NUMBER:
		show_number(out, c);
		break;
	case LINE:
	case LINE_ME:
		show_line(out, c, me);
		break;
	case LIST:
	case ROUTES:
		show_list(out, c);
		break;
	case MARK:
		io_puts(out, c->before);
		io_putc(out, '\n');
		break;
	case MORE_HOSTS:
		show_more_hosts(out);
		break;
	case MORE_HOSTS_CDB:
		show_more_hosts_cdb(out);
		break;
	}
}

void
showctl_files(struct io_out *out, struct span me)
{
	for (size_t i = 0; i < showctl_usual_n; i++)
		show(out, &showctl_usual[i], me);
}

static bool
is_known(const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return true;
	for (size_t i = 0; i < showctl_usual_n; i++)
		if (strcmp(name, showctl_usual[i].name) == 0)
			return true;
	return false;
}

static const struct control *
own_control(const char *name)
{
	for (size_t i = 0; i < showctl_own_n; i++)
		if (strcmp(name, showctl_own[i].name) == 0)
			return &showctl_own[i];
	return NULL;
}

static void
show_other(struct io_out *out, const char *name)
{
	const struct control *own = own_control(name);

	if (own) {
		show(out, own, span_of(NULL, 0));
	} else if (!is_known(name)) {
		put_name(out, name);
		io_puts(out, "I have no idea what this file does.\n");
	}
}

int
showctl_others(struct io_out *out)
{
	struct dirent **found;
	int n = scandir("control", &found, NULL, alphasort);

	if (n == -1)
		return -1;
	for (int i = 0; i < n; i++) {
		show_other(out, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return 0;
}
