/* policy - who may send what to whom. */
#include "smtp/policy.h"

#include "mail/addr5321.h"
#include "smtp/rcptcheck.h"
#include "smtp/smtplog.h"

enum reply
policy_relay(struct session *s, struct buf *recipient)
{
	enum reply r;

	switch (s->relay_client && !s->conf->log_styles ? RELAY_ALLOWED :
	    relay_check(&s->conf->intake.relay, buf_span(recipient))) {
	case RELAY_ALLOWED:
		s->ours = true;
		return REPLY_OK;
	case RELAY_REFUSED:
		s->ours = false;
		if (s->relay_client)
			return REPLY_OK;
		r = starttls_relays(s);
		return r == REPLY_NOT_OURS ? rcptcheck_no_relay(s, buf_span(recipient)) : r;
	default:
		if (s->relay_client)	/* the answer was for the log alone */
			return REPLY_OK;
		(void)smtplog_unread("morercpthosts.cdb");
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
	switch (session_own(s)) {
	case IPME_SYSTEM:
		return REPLY_OWN_ADDRESSES;
	case IPME_CONTROLS:
		(void)smtplog_unread(s->own.unread);
		return REPLY_CONTROLS;
	default:
		break;
	}
	if (!ipme_has(&s->own, &ip))
		return REPLY_OK;
	buf_cut(address, address->n - domain.n);
	buf_addbuf(address, &s->conf->local_ip_host);
	if (!buf_ok(address))
		return REPLY_MEMORY;
	return address->n > ADDR5321_MAX ? REPLY_LONG_ADDRESS : REPLY_OK;
}
