/* hdr5322 - header fields with addresses: writing a field. */
#include "mail/hdr5322.h"

#include <string.h>

static bool
is_word(char type)
{
	return type == HDR5322_ATOM || type == HDR5322_QUOTED || type == HDR5322_LITERAL ||
	    type == HDR5322_COMMENT;
}

static bool
space_between(const struct hdr5322_token *a, const struct hdr5322_token *b)
{
	return a->type == ':' || b->type == '<' || (is_word(a->type) && is_word(b->type)) ||
	    b->blank;
}

static void
put_escaped(struct span text, struct buf *to)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] && strchr("\"[]()\\", text.p[i]))
			buf_addc(to, '\\');
		buf_addc(to, text.p[i]);
	}
}

static void
put_enclosed(struct span text, char open, char close, struct buf *to)
{
	buf_addc(to, open);
	put_escaped(text, to);
	buf_addc(to, close);
}

static void
put_token(const struct hdr5322_token *t, struct buf *to)
{
	switch (t->type) {
	case HDR5322_ATOM:
		buf_addspan(to, t->text);
		break;
	case HDR5322_QUOTED:
		put_enclosed(t->text, '"', '"', to);
		break;
	case HDR5322_LITERAL:
		put_enclosed(t->text, '[', ']', to);
		break;
	case HDR5322_COMMENT:
		put_enclosed(t->text, '(', ')', to);
		break;
	default:
		buf_addc(to, t->type);
	}
}

/* Writes up to and including the next comma; returns the index behind it. */
static size_t
put_part(const struct hdr5322_tokens *field, size_t i, struct buf *to)
{
	for (size_t first = i; i < field->n; i++) {
		const struct hdr5322_token *t = &field->v[i];

		if (i > first && space_between(t - 1, t))
			buf_addc(to, ' ');
		put_token(t, to);
		if (t->type == ',')
			return i + 1;
	}
	return i;
}

void
hdr5322_write(struct span name, const struct hdr5322_tokens *field, struct buf *to)
{
	struct buf part = BUF_CAP(to->max);
	size_t line = name.n + 1;	/* bytes on the current line */

	buf_addspan(to, name);
	buf_addc(to, ':');
	for (size_t i = 0, next; i < field->n; i = next) {
		buf_reset(&part);
		next = put_part(field, i, &part);
		if (i == 0 || part.n < HDR5322_LINE_MAX - line) {
			buf_addc(to, ' ');
			line += 1 + part.n;
		} else {
			buf_adds(to, "\n  ");
			line = 2 + part.n;
		}
		buf_addbuf(to, &part);
		if (line > HDR5322_LINE_MAX)
			line = HDR5322_LINE_MAX;
	}
	buf_addc(to, '\n');
	buf_free(&part);
}
