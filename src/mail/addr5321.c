/* addr5321 - addresses as they stand in SMTP commands, and the way back. */
#include "mail/addr5321.h"

#include <string.h>

#include "lib/ascii.h"

/* What is left to read of a path and what was read of it. */
struct reader {
	struct span in;
	size_t at;
	char terminator;
	bool control;		/* a byte below 32 or 127 was seen */
	struct buf *addr;
};

/* `@a,@b:` in front of the address is a route that nobody uses any more. */
static void
skip_route(struct reader *r)
{
	struct span text = span_tail(r->in, r->at);

	if (text.n == 0 || text.p[0] != '@')
		return;
	r->at += span_chr(text, ':');
	if (r->at < r->in.n)
		r->at++;
}

/* Finds where the address begins and which byte ends it. */
static void
find_start(struct reader *r)
{
	size_t bracket = span_chr(r->in, '<');

	if (bracket < r->in.n) {
		r->at = bracket + 1;
		r->terminator = '>';
	} else {
		while (r->at < r->in.n && r->in.p[r->at] == ' ')
			r->at++;
		r->terminator = ' ';
	}
	skip_route(r);
}

/* Takes the quotes and backslashes away.  One byte over the limit is enough to know. */
static void
copy_unquoted(struct reader *r)
{
	bool quoted = false;

	for (; r->at < r->in.n; r->at++) {
		char c = r->in.p[r->at];

		if (c == r->terminator && !quoted)
			return;
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\' && ++r->at == r->in.n)
			return;
		c = r->in.p[r->at];
		r->control = r->control || ascii_iscntrl(c);
		if (r->addr->n <= ADDR5321_MAX)
			buf_addc(r->addr, c);
	}
}

enum addr_status
addr5321_parse(struct span in, struct buf *addr, struct span *rest)
{
	struct reader r = { .in = in, .addr = addr };

	buf_reset(addr);
	*rest = span_tail(in, in.n);
	find_start(&r);
	copy_unquoted(&r);
	if (r.at < in.n && r.terminator == '>')
		r.at++;
	*rest = span_tail(in, r.at);
	if (addr->failed && !addr->over)
		return ADDR_MEMORY;
	if (addr->failed || addr->n > ADDR5321_MAX)
		return ADDR_TOOLONG;
	if (r.control)
		return ADDR_CONTROL;
	if (rest->n > 0 && !ascii_isblank(rest->p[0]))
		return ADDR_SYNTAX;
	return ADDR_OK;
}

static bool
is_atext(char c)
{
	return ascii_isalnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

bool
addr5321_needs_quotes(struct span local)
{
	bool after_dot = true;		/* the start counts as one */

	for (size_t i = 0; i < local.n; i++) {
		bool dot = local.p[i] == '.';

		if (dot ? after_dot : !is_atext(local.p[i]))
			return true;
		after_dot = dot;
	}
	return after_dot;		/* empty, or a dot at the end */
}

/* Where the local part ends. */
static size_t
local_length(struct span address)
{
	return span_rchr(address, '@');
}

struct span
addr5321_local(struct span address)
{
	return span_head(address, local_length(address));
}

struct span
addr5321_domain(struct span address)
{
	return span_tail(address, local_length(address) + 1);
}

static void
add_quoted(struct buf *to, struct span local)
{
	buf_addc(to, '"');
	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];

		if (c == '\r' || c == '\n' || c == '"' || c == '\\')
			buf_addc(to, '\\');
		buf_addc(to, c);
	}
	buf_addc(to, '"');
}

void
addr5321_quote(struct buf *to, struct span address)
{
	struct span local = addr5321_local(address);

	if (address.n == 0)
		return;
	if (addr5321_needs_quotes(local))
		add_quoted(to, local);
	else
		buf_addspan(to, local);
	buf_addspan(to, span_tail(address, local.n));
}
