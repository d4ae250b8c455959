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

/* May an id have it outside quotes: a byte of a token (RFC 2045, 5.1). */
static bool
is_token(char c)
{
	return ascii_isgraph(c) && !memchr("()<>@,;:\\\"/[]?=", c, 15);
}

/* Takes the id off the front, with its quotes.  false: it is empty, or is none. */
static bool
take_id(struct span *s, struct buf *id)
{
	size_t i = 0;

	if (!s->n || s->p[0] != '"') {
		while (i < s->n && is_token(s->p[i]))
			i++;
		buf_addspan(id, span_head(*s, i));
		*s = span_tail(*s, i);
		return i > 0;
	}
	while (++i < s->n && s->p[i] != '"') {
		if (s->p[i] == '\\')
			i++;
		if (i >= s->n || !ascii_isgraph(s->p[i]))
			return false;
		buf_addc(id, s->p[i]);
	}
	if (i >= s->n)
		return false;
	*s = span_tail(*s, i + 1);
	return id->n > 0;
}

/* What follows an id: a version, perhaps, then results, or nothing. */
static bool
is_rest(struct span s)
{
	if (!skip_space(&s))
		return false;
	while (s.n && ascii_isdigit(s.p[0]))
		s = span_tail(s, 1);
	return skip_space(&s) && (!s.n || s.p[0] == ';');
}

bool
authstrip_claims(struct span value, struct span id)
{
	struct buf found = { 0 };
	bool others = skip_space(&value) && take_id(&value, &found) && is_rest(value) &&
	    buf_ok(&found) && !ascii_ieq(buf_span(&found), id);

	buf_free(&found);
	return !others;
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
	else if (f->inside && f->last == '\n')
		buf_addc(out, '\n');	/* that of the line in which it has begun */
	buf_reset(&f->held);
	f->colon = 0;
	f->too_long = false;
}

static void
hold(struct authstrip *f, struct span piece)
{
	f->last = piece.p[piece.n - 1];
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

static bool
is_end(char c)
{
	return c == '\n' || c == '\r';
}

/* A byte, or more, of this state, which this was the last of, if it ends a line. */
static void
passed(struct authstrip *f, char last, enum authstrip_state state)
{
	f->cr = last == '\r';
	f->state = is_end(last) ? AUTHSTRIP_START : state;
}

/* One more byte of a line that may begin such a field. */
static void
name_byte(struct authstrip *f, char c, struct buf *out)
{
	struct span before = buf_span(&f->held);

	if ((c == ':' && before.n >= strlen(AUTHRES_NAME)) || before.n == AUTHSTRIP_FIELD_MAX) {
		f->colon = before.n + 1;
		hold(f, span_of(&c, 1));
		passed(f, c, AUTHSTRIP_HOLD);
		return;
	}
	buf_addc(&f->held, c);
	if (may_be_name(before.n, c))
		return;
	release(f, out);
	passed(f, c, AUTHSTRIP_PASS);
}

static void
begin_line(struct authstrip *f, char c, struct buf *out)
{
	if (ascii_isblank(c)) {
		f->state = f->colon ? AUTHSTRIP_HOLD : AUTHSTRIP_PASS;
		return;
	}
	release(f, out);
	f->inside = f->cr;
	f->state = c == '\n' ? AUTHSTRIP_BODY : AUTHSTRIP_NAME;
}

/* A line of some readers may end with CR, and that of others go on. */
static struct span
line_of(struct span text)
{
	size_t n = 0;

	while (n < text.n && !is_end(text.p[n]))
		n++;
	return span_head(text, n + (n < text.n));
}

/* More of a line whose kind is known. */
static void
copy(struct authstrip *f, struct span piece, struct buf *out)
{
	if (f->colon)
		hold(f, piece);
	else
		buf_addspan(out, piece);
	passed(f, piece.p[piece.n - 1], f->state);
}

void
authstrip_text(struct authstrip *f, struct span text, struct buf *out)
{
	while (text.n) {
		struct span line = span_head(text, 1);

		switch (f->state) {
		case AUTHSTRIP_START:
			if (!f->cr || text.p[0] != '\n') {
				begin_line(f, text.p[0], out);
				break;
			}
			copy(f, line, out);	/* the LF of CR LF */
			text = span_tail(text, 1);
			break;
		case AUTHSTRIP_NAME:
			name_byte(f, text.p[0], out);
			text = span_tail(text, 1);
			break;
		case AUTHSTRIP_BODY:
			buf_addspan(out, text);
			return;
		default:
			line = line_of(text);
			copy(f, line, out);
			text = span_tail(text, line.n);
		}
	}
}

void
authstrip_end(struct authstrip *f, struct buf *out)
{
	release(f, out);
}
