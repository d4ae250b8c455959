/* hdr5322 - header fields with addresses: from bytes to tokens. */
#include "mail/hdr5322.h"

#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/utf8.h"

#define FIRST_SIZE ((size_t)32)

void
hdr5322_free(struct hdr5322_tokens *t)
{
	free(t->v);
	buf_free(&t->text);
	*t = (struct hdr5322_tokens){ 0 };
}

void
hdr5322_reset(struct hdr5322_tokens *t)
{
	t->n = 0;
	t->status = HDR5322_OK;
	buf_reset(&t->text);
}

static bool
grow(struct hdr5322_tokens *t)
{
	size_t size = t->size ? t->size * 2 : FIRST_SIZE;
	struct hdr5322_token *v = NULL;

	if (t->n >= HDR5322_TOKENS_MAX)
		t->status = HDR5322_TOOBIG;
	else if (!(v = realloc(t->v, size * sizeof *v)))
		t->status = HDR5322_MEMORY;
	if (!v)
		return false;
	t->v = v;
	t->size = size;
	return true;
}

void
hdr5322_push(struct hdr5322_tokens *t, struct hdr5322_token token)
{
	if (t->status == HDR5322_OK && (t->n < t->size || grow(t)))
		t->v[t->n++] = token;
}

void
hdr5322_append(struct hdr5322_tokens *t, const struct hdr5322_tokens *more)
{
	if (t->status == HDR5322_OK)
		t->status = more->status;
	for (size_t i = 0; i < more->n; i++) {
		struct hdr5322_token token = more->v[i];

		token.blank = false;
		hdr5322_push(t, token);
	}
}

struct hdr5322_token
hdr5322_separator(char c)
{
	return (struct hdr5322_token){ .type = c };
}

struct hdr5322_token
hdr5322_word(enum hdr5322_type type, struct span text)
{
	return (struct hdr5322_token){ .text = text, .type = (char)type };
}

/* One run over the input.  Texts are gathered at `out`, which never moves: all of them together
 * are not longer than the input, and room for that was made before. */
struct scan {
	struct span in;
	size_t at;
	char *out;
	bool blank;		/* since the last token */
	struct hdr5322_tokens *to;
};

static bool
one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static void
emit(struct scan *s, enum hdr5322_type type, struct span text)
{
	hdr5322_push(s->to, (struct hdr5322_token){ text, (char)type, s->blank });
	s->blank = false;
}

/* The byte a backslash protects; a line end cannot be protected. */
static bool
take_escaped(struct scan *s)
{
	if (s->at == s->in.n || one_of(s->in.p[s->at], "\r\n"))
		return false;
	*s->out++ = s->in.p[s->at++];
	return true;
}

/* A line end inside "...", (...), [...]: where the line goes on with a blank, that is all there
 * was; anywhere else it stands for one. */
static void
take_fold(struct scan *s)
{
	while (s->at < s->in.n && one_of(s->in.p[s->at], "\r\n"))
		s->at++;
	if (s->at < s->in.n && !ascii_isblank(s->in.p[s->at]))
		*s->out++ = ' ';
}

/* Inner parentheses of a comment are dropped, to nest they have. */
static bool
scan_enclosed(struct scan *s, enum hdr5322_type type, char close)
{
	char *start = s->out;
	size_t depth = 1;

	while (s->at < s->in.n) {
		char c = s->in.p[s->at++];

		if (c == close) {
			if (--depth == 0) {
				emit(s, type, span_of(start, (size_t)(s->out - start)));
				return true;
			}
		} else if (c == '(' && type == HDR5322_COMMENT) {
			depth++;
		} else if (c == '\\') {
			(void)take_escaped(s);
		} else if (c == '\r' || c == '\n') {
			take_fold(s);
		} else {
			*s->out++ = c;
		}
	}
	return false;
}

/* Would these bytes, written bare, be read as the same single atom? */
static bool
stands_bare(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == ' ' || c == '\0' || ascii_iscntrl(c) || one_of(c, "()<>[]:;@\\,.\""))
			return false;
	}
	return utf8_valid(text);
}

static void
scan_atom(struct scan *s)
{
	char *start = s->out;
	struct span text;

	while (s->at < s->in.n && !one_of(s->in.p[s->at], " \t\r\n([\"<>;:@,.")) {
		char c = s->in.p[s->at++];

		if (c != '\\')
			*s->out++ = c;
		else if (!take_escaped(s))
			break;
	}
	text = span_of(start, (size_t)(s->out - start));
	if (text.n)
		emit(s, stands_bare(text) ? HDR5322_ATOM : HDR5322_QUOTED, text);
}

/* false: no token can begin here. */
static bool
scan_token(struct scan *s)
{
	char c = s->in.p[s->at];

	if (one_of(c, " \t\r\n")) {
		s->at++;
		s->blank = true;
		return true;
	}
	if (one_of(c, ")]"))
		return false;
	if (one_of(c, "\"([.,@<>:;"))
		s->at++;
	switch (c) {
	case '"':
		return scan_enclosed(s, HDR5322_QUOTED, '"');
	case '(':
		return scan_enclosed(s, HDR5322_COMMENT, ')');
	case '[':
		return scan_enclosed(s, HDR5322_LITERAL, ']');
	case '.': case ',': case '@': case '<': case '>': case ':': case ';':
		emit(s, (enum hdr5322_type)c, span_of(NULL, 0));
		return true;
	default:
		scan_atom(s);
		return true;
	}
}

static void
scan_all(struct span in, struct hdr5322_tokens *to)
{
	struct scan s = { .in = in, .to = to };

	to->text.max = in.n + 1;
	s.out = buf_room(&to->text, in.n + 1);
	if (!s.out)
		to->status = HDR5322_MEMORY;
	while (s.at < in.n && to->status == HDR5322_OK)
		if (!scan_token(&s))
			to->status = HDR5322_SYNTAX;
}

enum hdr5322_status
hdr5322_tokenize(struct span in, struct hdr5322_tokens *to)
{
	hdr5322_reset(to);
	scan_all(in, to);
	return to->status;
}

enum hdr5322_status
hdr5322_tokenize_raw(struct span in, struct hdr5322_tokens *to)
{
	size_t at = span_rchr(in, '@');

	hdr5322_reset(to);
	if (in.n)
		hdr5322_push(to, hdr5322_word(HDR5322_QUOTED, span_head(in, at)));
	if (at < in.n) {
		hdr5322_push(to, hdr5322_separator('@'));
		scan_all(span_tail(in, at + 1), to);
	}
	return to->status;
}

void
hdr5322_envelope(const struct hdr5322_tokens *address, struct buf *to)
{
	for (size_t i = 0; i < address->n; i++) {
		const struct hdr5322_token *t = &address->v[i];

		switch (t->type) {
		case HDR5322_COMMENT:
			break;
		case HDR5322_ATOM:
		case HDR5322_QUOTED:
			buf_addspan(to, t->text);
			break;
		case HDR5322_LITERAL:
			buf_addc(to, '[');
			buf_addspan(to, t->text);
			buf_addc(to, ']');
			break;
		default:
			buf_addc(to, t->type);
		}
	}
}
