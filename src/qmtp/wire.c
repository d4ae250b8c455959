/* wire - the connection of a QMTP or QMQP server. */
#include "qmtp/wire.h"

#include "lib/conf.h"
#include "mail/netstr.h"

void
wire_init(struct wire *w)
{
	w->status = WIRE_OK;
	w->left = WIRE_OPEN;
	io_in_init(&w->in, 0, w->input, sizeof w->input);
	io_out_init(&w->out, 1, w->output, sizeof w->output);
	w->in.tie = &w->out;
	w->in.timeout_ms = w->out.timeout_ms = WIRE_TIMEOUT_MS;
	w->in.deadline = w->out.deadline = deadline_after(WIRE_TOTAL_MAX_MS);
}

void
wire_fail(struct wire *w, enum wire_status status)
{
	if (w->status == WIRE_OK)
		w->status = status;
}

int
wire_end(struct wire *w)
{
	static const int codes[] = { [WIRE_OK] = CODE_OK, [WIRE_GONE] = CODE_OK,
		[WIRE_TIMEOUT] = CODE_TEMP, [WIRE_PROTOCOL] = CODE_PERM,
		[WIRE_TROUBLE] = CODE_TEMP };

	(void)!io_flush(&w->out);	/* who does not take an answer asks again */
	return codes[w->status];
}

/* Makes sure that a byte is there to be taken. */
static bool
fill(struct wire *w)
{
	if (w->left == 0)
		wire_fail(w, WIRE_PROTOCOL);
	if (w->status != WIRE_OK)
		return false;
	switch (io_fill(&w->in)) {
	case IO_OK:
		return true;
	case IO_TIMEOUT:
		wire_fail(w, WIRE_TIMEOUT);
		return false;
	default:
		wire_fail(w, WIRE_GONE);
		return false;
	}
}

struct span
wire_some(struct wire *w, uint64_t max)
{
	struct span s;

	if (!max || !fill(w))
		return span_of("", 0);
	s = io_peek(&w->in);
	max = max < w->left ? max : w->left;
	s = span_head(s, max < SIZE_MAX ? (size_t)max : SIZE_MAX);
	io_skip(&w->in, s.n);
	if (w->left != WIRE_OPEN)
		w->left -= s.n;
	return s;
}

char
wire_getc(struct wire *w)
{
	struct span s = wire_some(w, 1);

	return s.n ? s.p[0] : '\0';
}

uint64_t
wire_length(struct wire *w)
{
	struct netstr_head head = { 0 };
	enum netstr_status status = NETSTR_MORE;

	while (status == NETSTR_MORE && w->status == WIRE_OK) {
		char c = wire_getc(w);

		if (w->status == WIRE_OK)
			status = netstr_head(&head, c);
	}
	if (status == NETSTR_BAD || (w->left != WIRE_OPEN && head.length >= w->left))
		wire_fail(w, WIRE_PROTOCOL);
	return w->status == WIRE_OK ? head.length : 0;
}

void
wire_comma(struct wire *w)
{
	if (wire_getc(w) != ',')
		wire_fail(w, WIRE_PROTOCOL);
}

void
wire_enter(struct wire *w)
{
	uint64_t length = wire_length(w);

	if (w->status == WIRE_OK)
		w->left = length;
}

void
wire_leave(struct wire *w)
{
	if (wire_more(w))
		wire_fail(w, WIRE_PROTOCOL);
	w->left = WIRE_OPEN;
	wire_comma(w);
}

bool
wire_more(const struct wire *w)
{
	return w->status == WIRE_OK && w->left != 0;
}

bool
wire_address(struct wire *w, size_t max, struct buf *address)
{
	uint64_t length = wire_length(w), left = length;
	bool usable = length <= max;

	buf_reset(address);
	while (left && w->status == WIRE_OK) {
		struct span s = wire_some(w, left);

		left -= s.n;
		if (usable)
			buf_addspan(address, s);
	}
	wire_comma(w);
	if (!buf_ok(address))
		wire_fail(w, WIRE_TROUBLE);
	return usable && span_chr(buf_span(address), '\0') == address->n;
}

void
wire_answer(struct wire *w, struct span text)
{
	netstr_put(&w->out, text);
}
