/* transfer - what QMTP and QMQP servers have in common. */
#include "qmtp/transfer.h"

#include "lib/date.h"

void
transfer_open(struct wire *w, struct incoming *in, const struct trace_hop *peer,
    const char *protocol, uint64_t size_limit)
{
	struct trace_hop hop = *peer;

	hop.protocol = protocol;
	hop.time = date_now();
	if (w->status == WIRE_OK && incoming_open(in, &hop, size_limit, WIRE_TIMEOUT_MS) == -1)
		wire_fail(w, WIRE_TROUBLE);
}

void
transfer_text(struct wire *w, struct incoming *in, uint64_t n)
{
	while (n && w->status == WIRE_OK) {
		struct span s = wire_some(w, n);

		n -= s.n;
		incoming_text(in, s.p, s.n);
	}
}

/* Copies the piece, each CR only when it is clear that no LF follows.  Returns how many bytes. */
static size_t
decode(struct span piece, bool *after_cr, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < piece.n; i++) {
		char c = piece.p[i];

		if (*after_cr && c != '\n')
			out[n++] = '\r';
		*after_cr = c == '\r';
		if (!*after_cr)
			out[n++] = c;
	}
	return n;
}

void
transfer_crlf(struct wire *w, struct incoming *in, uint64_t n)
{
	bool after_cr = false;

	while (n && w->status == WIRE_OK) {
		char text[WIRE_INPUT + 1];	/* and a CR held back before */
		struct span s = wire_some(w, n);

		n -= s.n;
		incoming_text(in, text, decode(s, &after_cr, text));
	}
	if (after_cr)
		incoming_text(in, "\r", 1);
}

enum incoming_result
transfer_close(struct incoming *in, struct buf *answer)
{
	struct buf why = { 0 };
	enum incoming_result result = incoming_close(in, &why);

	buf_reset(answer);
	switch (result) {
	case INCOMING_OK:
		buf_adds(answer, "Kok ");
		buf_addnum(answer, (uint64_t)date_now());
		buf_adds(answer, " qp ");
		buf_addnum(answer, (uint64_t)in->submit.pid);
		break;
	case INCOMING_TEMPORARY:
	case INCOMING_PERMANENT:
		buf_addc(answer, result == INCOMING_PERMANENT ? 'D' : 'Z');
		buf_addbuf(answer, &why);
		break;
	case INCOMING_LOOP:
		buf_adds(answer, "Dtoo many hops, this message is looping (#5.4.6)");
		break;
	case INCOMING_TOO_BIG:
		buf_adds(answer, "Dthe message exceeds my databytes limit (#5.3.4)");
		break;
	}
	buf_free(&why);
	return result;
}
