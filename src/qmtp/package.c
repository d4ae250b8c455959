/* package - one message of a QMTP connection.
 * A package has three netstrings: the text, whose first byte says how its lines end; the sender;
 * and the recipients, each a netstring.  The recipients go into the queue's envelope as they come;
 * what is kept of each is the kind of its answer. */
#include "qmtp/package.h"

#include "qmtp/transfer.h"

/* Kinds of answers. */
enum verdict {
	VERDICT_QUEUE,		/* whatever becomes of the message */
	VERDICT_NOT_OURS,
	VERDICT_UNUSABLE,
	VERDICT_COUNT
};

struct package {
	const struct intake *intake;
	struct incoming incoming;
	struct buf address;
	struct buf verdicts;		/* a byte for each recipient */
	uint64_t later;			/* recipients above the limit, not in verdicts */
	size_t accepted;
	const char *sender_trouble;	/* why nothing is taken from this sender, or NULL */
};

static void
take_text(struct wire *w, struct incoming *in, uint64_t length)
{
	char convention = wire_getc(w);

	if (convention == '\n')
		transfer_text(w, in, length - 1);
	else if (convention == '\r')
		transfer_crlf(w, in, length - 1);
	else
		wire_fail(w, WIRE_PROTOCOL);
	wire_comma(w);
}

static void
take_sender(struct wire *w, struct package *p)
{
	if (!wire_address(w, WIRE_ADDRESS_MAX, &p->address))
		p->sender_trouble = "Dsender address not usable (#5.1.7)";
	else if (intake_is_bad_sender(p->intake, buf_span(&p->address)))
		p->sender_trouble = "Dthe envelope sender is in my badmailfrom list (#5.7.1)";
	if (p->sender_trouble)
		submit_abort(&p->incoming.submit);
	submit_sender(&p->incoming.submit, buf_span(&p->address));
}

static enum verdict
judge(struct wire *w, struct package *p, bool usable)
{
	if (!usable)
		return VERDICT_UNUSABLE;
	switch (intake_recipient(p->intake, buf_span(&p->address))) {
	case RELAY_ALLOWED:
		return VERDICT_QUEUE;
	case RELAY_REFUSED:
		return VERDICT_NOT_OURS;
	default:
		wire_fail(w, WIRE_TROUBLE);
		return VERDICT_NOT_OURS;
	}
}

static void
take_recipient(struct wire *w, struct package *p, struct span suffix)
{
	size_t max = WIRE_ADDRESS_MAX;
	bool fits = suffix.n <= max;
	enum verdict verdict;

	fits = wire_address(w, fits ? max - suffix.n : 0, &p->address) && fits;
	if (p->verdicts.n == PACKAGE_RECIPIENTS_MAX) {
		p->later++;
		return;
	}
	verdict = judge(w, p, fits);
	if (verdict == VERDICT_QUEUE && w->status == WIRE_OK) {
		buf_addspan(&p->address, suffix);
		submit_recipient(&p->incoming.submit, buf_span(&p->address));
		p->accepted++;
	}
	buf_addc(&p->verdicts, (char)verdict);
	if (!buf_ok(&p->verdicts) || !buf_ok(&p->address))
		wire_fail(w, WIRE_TROUBLE);
}

static void
answer_all(struct wire *w, const struct package *p, struct span common)
{
	const struct span texts[VERDICT_COUNT] = {
		[VERDICT_QUEUE] = common,
		[VERDICT_NOT_OURS] = span_str("Dnot relayed, the domain is not in my list of "
		    "allowed rcpthosts (#5.7.1)"),
		[VERDICT_UNUSABLE] = span_str("Drecipient address not usable (#5.1.3)"),
	};
	static const char later[] = "Ztoo many recipients, send to the others later (#4.5.3)";

	for (size_t i = 0; i < p->verdicts.n; i++)
		wire_answer(w, texts[(unsigned char)p->verdicts.p[i]]);
	for (uint64_t i = 0; i < p->later; i++)
		wire_answer(w, span_str(later));
}

/* The package is read: queues it and answers. */
static void
finish(struct wire *w, struct package *p)
{
	struct buf common = { 0 };
	enum incoming_result result;

	if (!p->accepted)
		submit_abort(&p->incoming.submit);
	result = transfer_close(&p->incoming, &common);
	if (p->sender_trouble && result != INCOMING_LOOP && result != INCOMING_TOO_BIG) {
		buf_reset(&common);
		buf_adds(&common, p->sender_trouble);
	}
	if (buf_ok(&common))
		answer_all(w, p, buf_span(&common));
	else
		wire_fail(w, WIRE_TROUBLE);
	buf_free(&common);
}

void
package_receive(struct wire *w, const struct intake *intake)
{
	struct package p = { .intake = intake, .address = BUF_CAP(WIRE_ADDRESS_MAX),
		.verdicts = BUF_CAP(PACKAGE_RECIPIENTS_MAX) };
	struct span suffix = span_str(intake->relay_client);
	uint64_t length = wire_length(w);

	if (!length)
		wire_fail(w, WIRE_PROTOCOL);
	transfer_open(w, &p.incoming, &intake->peer, "QMTP", intake->size_limit);
	if (w->status != WIRE_OK)
		return;
	take_text(w, &p.incoming, length);
	take_sender(w, &p);
	wire_enter(w);
	while (wire_more(w))
		take_recipient(w, &p, suffix);
	wire_leave(w);
	if (w->status == WIRE_OK)
		finish(w, &p);
	else
		incoming_abandon(&p.incoming);
	buf_free(&p.address);
	buf_free(&p.verdicts);
}
