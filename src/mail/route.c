/* route - which channel a recipient takes and how it is written from then on. */
#include "mail/route.h"

#include "mail/addr5321.h"

#define PER_RECIPIENT "-@[]"	/* at the end of a sender: one sender for each recipient */

/* While the domain asks for it, u%host@domain becomes u@host. */
static void
apply_percenthack(const struct routes *r, struct buf *address, size_t start)
{
	for (;;) {
		struct span whole = span_tail(buf_span(address), start);
		size_t at = span_rchr(whole, '@');
		size_t percent = span_rchr(span_head(whole, at), '%');

		if (percent == at || !set_find(&r->percenthack, span_tail(whole, at + 1), NULL))
			return;
		address->p[start + percent] = '@';
		buf_cut(address, start + at);
	}
}

enum channel
route_recipient(const struct routes *r, struct span recipient, struct buf *to)
{
	size_t start = to->n;
	struct buf plain = { 0 };
	struct span address, prepend;
	enum channel channel = CHANNEL_REMOTE;

	buf_addspan(to, recipient);
	if (span_chr(recipient, '@') == recipient.n) {
		buf_addc(to, '@');
		buf_addspan(to, r->envnoathost);
	}
	if (!buf_ok(to))
		return channel;
	apply_percenthack(r, to, start);
	address = span_tail(buf_span(to), start);
	if (set_find(&r->locals, addr5321_domain(address), NULL))
		return CHANNEL_LOCAL;
	if (!set_find(&r->virtualdomains, address, &prepend) &&
	    !set_find_domain(&r->virtualdomains, addr5321_domain(address), true, &prepend))
		return channel;
	if (prepend.n) {
		channel = CHANNEL_LOCAL;
		buf_addspan(&plain, address);
		buf_cut(to, start);
		buf_addspan(to, prepend);
		buf_addc(to, '-');
		buf_addbuf(to, &plain);
		buf_free(&plain);
	}
	return channel;
}

/* recipient = prepend, a dash, the rest? */
static bool
has_prefix(struct span recipient, struct span prepend)
{
	return prepend.n && recipient.n > prepend.n && recipient.p[prepend.n] == '-' &&
	    span_starts(recipient, prepend);
}

struct span
route_original(const struct routes *r, struct span recipient)
{
	size_t local_len = span_rchr(recipient, '@');
	struct span prepend;

	/* Entries for single addresses. */
	for (size_t i = 0; local_len < recipient.n && i < local_len; i++) {
		struct span rest = span_tail(recipient, i + 1);

		if (recipient.p[i] == '-' && set_find(&r->virtualdomains, rest, &prepend) &&
		    span_eq(prepend, span_head(recipient, i)) && prepend.n)
			return rest;
	}
	if (set_find_domain(&r->virtualdomains, addr5321_domain(recipient), true, &prepend) &&
	    has_prefix(recipient, prepend))
		return span_tail(recipient, prepend.n + 1);
	return recipient;
}

static bool
is_per_recipient(struct span sender)
{
	struct span end = span_str(PER_RECIPIENT);

	return sender.n >= end.n && span_eq(span_tail(sender, sender.n - end.n), end);
}

struct span
route_bounce_to(struct span sender)
{
	if (is_per_recipient(sender))
		sender.n -= sizeof PER_RECIPIENT - 1;
	return sender;
}

void
route_sender(struct span sender, struct span recipient, struct buf *to)
{
	struct span plain = route_bounce_to(sender);
	size_t at = span_rchr(plain, '@'), host = span_rchr(recipient, '@');

	if (plain.n == sender.n || at == plain.n || host == recipient.n) {
		buf_addspan(to, sender);
		return;
	}
	buf_addspan(to, span_head(plain, at));
	buf_addspan(to, span_head(recipient, host));
	buf_addc(to, '=');
	buf_addspan(to, span_tail(recipient, host + 1));
	buf_addspan(to, span_tail(plain, at));
}
