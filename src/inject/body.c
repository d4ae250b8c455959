/* body - copying a message's body. */
#include "inject/body.h"

static void
put_held(struct body *b)
{
	for (; b->held; b->held--)
		b->put(b->arg, "\r", 1);
}

/* Puts a part of a line, which does not hold LF.  CRs at its end wait for what follows. */
static void
put_part(struct body *b, struct span part)
{
	size_t n = part.n;

	while (n && part.p[n - 1] == '\r')
		n--;
	if (n) {
		put_held(b);
		b->put(b->arg, part.p, n);
	}
	b->held += part.n - n;
}

static void
add_stripped(struct body *b, struct span piece)
{
	while (piece.n) {
		size_t n = span_chr(piece, '\n');

		put_part(b, span_head(piece, n));
		if (n < piece.n) {
			b->held = 0;
			b->put(b->arg, "\n", 1);
		}
		piece = span_tail(piece, n + 1);
	}
}

void
body_add(struct body *b, struct span piece)
{
	if (!piece.n)
		return;
	b->open_line = piece.p[piece.n - 1] != '\n';
	if (b->strip_cr)
		add_stripped(b, piece);
	else
		b->put(b->arg, piece.p, piece.n);
}

void
body_end(struct body *b)
{
	if (b->open_line)
		b->put(b->arg, "\n", 1);
	b->open_line = false;
	b->held = 0;
}
