/* policy - who may send what to whom. */
#include "smtp/policy.h"

#include "mail/addr5321.h"
#include "smtp/rcptcheck.h"

enum reply
policy_remember_sender(struct session *s, struct buf *sender)
{
	s->sender_is_bad = intake_is_bad_sender(&s->conf->intake, buf_span(sender));
	return REPLY_OK;
}

enum reply
policy_sender(struct session *s, struct buf *recipient)
{
	(void)recipient;
	return s->sender_is_bad ? REPLY_BAD_SENDER : REPLY_OK;
}

enum reply
policy_relay(struct session *s, struct buf *recipient)
{
	if (s->relay_client)
		return REPLY_OK;
	switch (intake_recipient(&s->conf->intake, buf_span(recipient))) {
	case RELAY_ALLOWED:
		return REPLY_OK;
	case RELAY_REFUSED:
		return rcptcheck_no_relay(s, buf_span(recipient));
	default:
		return REPLY_CONTROLS;
	}
}

enum reply
policy_replace_local_ip(struct session *s, struct buf *address)
{
	struct span domain = addr5321_domain(buf_span(address));
	struct ip ip;

	if (!s->conf->has_local_ip_host || !ip_parse_literal(domain, &ip))
		return REPLY_OK;
	if (!s->own_known && ip_own(&s->own) == -1)
		return REPLY_OWN_ADDRESSES;
	s->own_known = true;
	if (!ip_list_has(&s->own, &ip))
		return REPLY_OK;
	buf_cut(address, address->n - domain.n);
	buf_addbuf(address, &s->conf->local_ip_host);
	if (!buf_ok(address))
		return REPLY_MEMORY;
	return address->n > ADDR5321_MAX ? REPLY_LONG_ADDRESS : REPLY_OK;
}
