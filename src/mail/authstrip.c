/* authstrip - takes out of a message's header what strangers say in our name. */
#include "mail/authstrip.h"

#include <string.h>

#include "lib/ascii.h"
#include "mail/authres.h"

/* ---- whose it is ---- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Takes a comment, which may have others in it, off the front.  false: it has no end. */
static bool
take_comment(struct span *s)
{
	size_t depth = 0, i = 0;

	do {
		if (i >= s->n)		/* a backslash may be the last byte */
			return false;
		if (s->p[i] == '(')
			depth++;
		else if (s->p[i] == ')')
			depth--;
		else if (s->p[i] == '\\')
			i++;
		i++;
	} while (depth);
	*s = span_tail(*s, i);
	return true;
}

static bool
skip_space(struct span *s)
{
	while (s->n && (is_space(s->p[0]) || s->p[0] == '(')) {
		if (is_space(s->p[0]))
			*s = span_tail(*s, 1);
		else if (!take_comment(s))
			return false;
	}
	return true;
}

/* A quoted string that is the id, or that has no end. */
static bool
is_quoted(struct span s, struct span id)
{
	size_t i = 1, n = 0;

	while (i < s.n && s.p[i] != '"') {
		if (s.p[i] == '\\' && ++i == s.n)
			break;
		if (n < id.n && ascii_lower(s.p[i]) != ascii_lower(id.p[n]))
			n = id.n;	/* is another */
		i++;
		n++;
	}
	return i >= s.n || n == id.n;
}

bool
authstrip_claims(struct span value, struct span id)
{
	size_t n = 0;

	if (!skip_space(&value))
		return true;
	if (value.n && value.p[0] == '"')
		return is_quoted(value, id);
	while (n < value.n && !is_space(value.p[n]) && !memchr(";(", value.p[n], 2)) {
		if (ascii_iscntrl(value.p[n]))
			return true;
		n++;
	}
	return !n || ascii_ieq(span_head(value, n), id);
}

/* ---- the text ---- */

void
authstrip_begin(struct authstrip *f, struct span id)
{
	*f = (struct authstrip){ .id = id };
}

void
authstrip_free(struct authstrip *f)
{
	buf_free(&f->held);
	*f = (struct authstrip){ 0 };
}

/* A field is over: it goes on, or does not. */
static void
release(struct authstrip *f, struct buf *out)
{
	if (!buf_ok(&f->held))
		buf_addbuf(out, &f->held);	/* fails, too */
	else if (!f->colon || (!f->too_long &&
	    !authstrip_claims(span_tail(buf_span(&f->held), f->colon), f->id)))
		buf_addbuf(out, &f->held);
	buf_reset(&f->held);
	f->colon = 0;
	f->too_long = false;
}

static void
hold(struct authstrip *f, struct span piece)
{
	if (piece.n > AUTHSTRIP_FIELD_MAX - f->held.n)
		f->too_long = true;
	else
		buf_addspan(&f->held, piece);
}

/* May a line with this byte there still be the name with blanks behind it?  Who asks has asked
 * about the bytes before it: asking again would be quadratic in what the client sends. */
static bool
may_be_name(size_t at, char c)
{
	static const char name[] = AUTHRES_NAME;

	return at < sizeof name - 1 ? ascii_lower(c) == ascii_lower(name[at]) : ascii_isblank(c);
}

/* One more byte of a line that may begin such a field. */
static void
name_byte(struct authstrip *f, char c, struct buf *out)
{
	struct span before = buf_span(&f->held);

	if ((c == ':' && before.n >= strlen(AUTHRES_NAME)) || before.n == AUTHSTRIP_FIELD_MAX) {
		f->colon = before.n + 1;
		hold(f, span_of(&c, 1));
		f->state = c == '\n' ? AUTHSTRIP_START : AUTHSTRIP_HOLD;
		return;
	}
	buf_addc(&f->held, c);
	if (may_be_name(before.n, c))
		return;
	release(f, out);
	f->state = c == '\n' ? AUTHSTRIP_START : AUTHSTRIP_PASS;
}

static void
begin_line(struct authstrip *f, char c, struct buf *out)
{
	if (ascii_isblank(c)) {
		f->state = f->colon ? AUTHSTRIP_HOLD : AUTHSTRIP_PASS;
		return;
	}
	release(f, out);
	f->state = c == '\n' ? AUTHSTRIP_BODY : AUTHSTRIP_NAME;
}

void
authstrip_text(struct authstrip *f, struct span text, struct buf *out)
{
	while (text.n) {
		size_t n = span_chr(text, '\n');
		struct span line = span_head(text, n + (n < text.n));

		switch (f->state) {
		case AUTHSTRIP_START:
			begin_line(f, text.p[0], out);
			break;
		case AUTHSTRIP_NAME:
			name_byte(f, text.p[0], out);
			text = span_tail(text, 1);
			break;
		case AUTHSTRIP_BODY:
			buf_addspan(out, text);
			return;
		default:
			if (f->state == AUTHSTRIP_HOLD)
				hold(f, line);
			else
				buf_addspan(out, line);
			f->state = n < text.n ? AUTHSTRIP_START : f->state;
			text = span_tail(text, line.n);
		}
	}
}

void
authstrip_end(struct authstrip *f, struct buf *out)
{
	release(f, out);
}
