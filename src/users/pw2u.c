/* pw2u - from a password file to users/assign. */
#include "users/pw2u.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/conf.h"
#include "lib/num.h"

#define ID_MAX ((uint64_t)UINT32_MAX - 1)

/* ---- one account ---- */

struct entry {
	struct span name, home;
	uint64_t uid, gid;
};

static struct span
next_field(struct span *left)
{
	size_t n = span_chr(*left, ':');
	struct span field = span_head(*left, n);

	*left = span_tail(*left, n + 1);
	return field;
}

/* Has it n colons at least? */
static bool
has_colons(struct span line, int n)
{
	for (; n > 0; n--) {
		size_t at = span_chr(line, ':');

		if (at == line.n)
			return false;
		line = span_tail(line, at + 1);
	}
	return true;
}

/* false: the line is none of an account that can have mail. */
static bool
parse_line(struct span line, struct entry *e)
{
	struct span uid, gid;

	if (span_chr(line, '\0') < line.n || !has_colons(line, 6))
		return false;
	e->name = next_field(&line);
	(void)next_field(&line);	/* the password */
	uid = next_field(&line);
	gid = next_field(&line);
	(void)next_field(&line);	/* who that is */
	e->home = next_field(&line);
	return e->name.n && num_parse_u64(uid.p, uid.n, ID_MAX, &e->uid) == NUM_OK &&
	    num_parse_u64(gid.p, gid.n, ID_MAX, &e->gid) == NUM_OK && e->uid != 0;
}

static bool
has_capitals(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] >= 'A' && name.p[i] <= 'Z')
			return true;
	return false;
}

/* Is the home directory as the account's owner needs it? */
static enum pw2u_status
check_home(const struct pw2u *p, const struct entry *e, bool *good, struct buf *detail)
{
	struct stat st;

	*good = true;
	if (p->homes == PW2U_ANY)
		return PW2U_OK;
	buf_reset(detail);
	buf_addspan(detail, e->home);
	if (!buf_ok(detail))
		return PW2U_MEMORY;
	*good = stat(buf_str(detail), &st) == 0;
	if (!*good)
		return p->homes == PW2U_NEED || errno != ENOENT ? PW2U_HOME : PW2U_OK;
	*good = st.st_uid == (uid_t)e->uid;
	return PW2U_OK;
}

static enum pw2u_status
is_wanted(const struct pw2u *p, const struct entry *e, bool *wanted, struct buf *detail)
{
	*wanted = false;
	if ((!p->capitals && has_capitals(e->name)) ||
	    (p->has_include && !set_find(&p->include, e->name, NULL)) ||
	    set_find(&p->exclude, e->name, NULL))
		return PW2U_OK;
	return check_home(p, e, wanted, detail);
}

/* ---- lines of users/assign ---- */

/* `=NAME TARGET ::`, and for its extensions `+NAME- TARGET -::`; pre: text in front of those. */
static void
write_address(const struct pw2u *p, struct span name, struct span target, struct span pre,
    struct io_out *out)
{
	const char *dash = p->slash ? "-/" : "-";

	io_putc(out, '=');
	io_putspan(out, name);
	io_putspan(out, target);
	if (pre.p) {
		io_puts(out, dash);
		io_putc(out, ':');
		io_putspan(out, pre);
		io_puts(out, ":\n");
	} else {
		io_puts(out, "::\n");
	}
	if (!p->break_char)
		return;
	io_putc(out, '+');
	io_putspan(out, name);
	io_putc(out, p->break_char);
	io_putspan(out, target);
	io_puts(out, dash);
	io_putc(out, ':');
	io_putspan(out, pre);
	io_puts(out, pre.p ? "-:\n" : ":\n");
}

static void
write_user(struct pw2u *p, const struct entry *e, struct span target, struct io_out *out)
{
	struct span names = e->name;

	if (span_eq(e->name, span_str(USER_ALIAS))) {
		p->has_alias = true;
		io_putc(out, '+');
		io_putspan(out, target);
		io_puts(out, p->slash ? "-/::\n" : "-::\n");
	}
	(void)set_find(&p->mailnames, e->name, &names);
	while (names.n) {
		struct span name = next_field(&names);

		if (name.n)
			write_address(p, name, target, span_of(NULL, 0), out);
	}
}

static enum pw2u_status
take_line(struct pw2u *p, struct span line, struct io_out *out, struct buf *detail)
{
	struct buf target = { 0 };
	struct entry e;
	enum pw2u_status status = PW2U_OK;
	bool wanted;

	if (!parse_line(line, &e))
		return PW2U_OK;
	if ((status = is_wanted(p, &e, &wanted, detail)) != PW2U_OK || !wanted)
		return status;
	buf_addc(&target, ':');
	buf_addspan(&target, e.name);
	buf_addc(&target, ':');
	buf_addnum(&target, e.uid);
	buf_addc(&target, ':');
	buf_addnum(&target, e.gid);
	buf_addc(&target, ':');
	buf_addspan(&target, e.home);
	buf_addc(&target, ':');
	set_add(&p->users, e.name, buf_span(&target));
	if (buf_ok(&target) && !p->users.failed)
		write_user(p, &e, buf_span(&target), out);
	else
		status = PW2U_MEMORY;
	buf_free(&target);
	return status;
}

static enum pw2u_status
write_users(struct pw2u *p, struct io_in *in, struct io_out *out, struct buf *detail)
{
	struct buf line = BUF_CAP(PW2U_LINE_MAX);
	enum pw2u_status status = PW2U_OK;
	enum io_status got = IO_OK;
	int error;

	while (status == PW2U_OK && got == IO_OK && out->status == IO_OK) {
		buf_reset(&line);
		got = io_get_until(in, '\n', &line);
		if (got == IO_TOOLONG && line.over) {
			got = IO_OK;
			continue;
		}
		if (got == IO_TOOLONG)
			status = PW2U_MEMORY;
		else if (got == IO_ERROR)
			status = PW2U_READ;
		else
			status = take_line(p, buf_span(&line), out, detail);
	}
	error = errno;
	buf_free(&line);
	errno = error;
	return status;
}

/* ---- what is not in the password file ---- */

static enum pw2u_status
write_subuser(const struct pw2u *p, struct span line, struct io_out *out, struct buf *detail)
{
	struct span sub = next_field(&line), user = next_field(&line), pre = next_field(&line);
	struct span target;

	if (!set_find(&p->users, user, &target)) {
		buf_reset(detail);
		buf_addspan(detail, user);
		return PW2U_NO_USER;
	}
	write_address(p, sub, target, pre, out);
	return PW2U_OK;
}

static enum pw2u_status
write_subusers(const struct pw2u *p, struct io_out *out, struct buf *detail)
{
	enum pw2u_status status = PW2U_OK;

	for (struct span rest = buf_span(&p->subusers); rest.n && status == PW2U_OK;) {
		struct span line = span_head(rest, span_chr(rest, '\n'));

		rest = span_tail(rest, line.n + 1);
		if (has_colons(line, 3))
			status = write_subuser(p, line, out, detail);
	}
	return status;
}

/* Without its own LF the last line would take the final dot with it. */
static void
write_append(const struct pw2u *p, struct io_out *out)
{
	struct span text = buf_span(&p->append);

	io_putspan(out, text);
	if (text.n && text.p[text.n - 1] != '\n')
		io_putc(out, '\n');
}

enum pw2u_status
pw2u_convert(struct pw2u *p, struct io_in *in, struct io_out *out, struct buf *detail)
{
	enum pw2u_status status = write_users(p, in, out, detail);

	if (status == PW2U_OK && out->status == IO_OK && !p->has_alias)
		status = PW2U_NO_ALIAS;
	if (status == PW2U_OK && !set_finish(&p->users))
		status = PW2U_MEMORY;
	if (status == PW2U_OK)
		status = write_subusers(p, out, detail);
	if (status != PW2U_OK)
		return status;
	write_append(p, out);
	io_puts(out, ".\n");
	return io_flush(out) == -1 ? PW2U_WRITE : PW2U_OK;
}

void
pw2u_free(struct pw2u *p)
{
	set_free(&p->include);
	set_free(&p->exclude);
	set_free(&p->mailnames);
	set_free(&p->users);
	buf_free(&p->subusers);
	buf_free(&p->append);
}
