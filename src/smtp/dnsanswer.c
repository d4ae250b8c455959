/* dnsanswer - the answers of qmail-dnsask. */
#include "smtp/dnsanswer.h"

#include "lib/deadline.h"
#include "lib/log.h"
#include "smtp/dnsask.h"

static enum dnsask_status
status_of(enum dns_status s)
{
	return s == DNS_OK ? DNSASK_YES : s == DNS_ABSENT ? DNSASK_NO : DNSASK_TROUBLE;
}

/* Mail goes to an MX that is not the root, or, without MX records, to the domain's address. */
static enum dnsask_status
takes_mail(struct dns *d, struct span domain)
{
	struct dns_mx_list mx = { 0 };
	struct ip_list addresses = { 0 };
	enum dnsask_status status = status_of(dns_mx(d, domain, &mx));

	if (status == DNSASK_YES) {
		status = DNSASK_NO;
		for (size_t i = 0; i < mx.n; i++)
			if (*mx.list[i].name)
				status = DNSASK_YES;
	} else if (status == DNSASK_NO) {
		dns_set_deadline(d, deadline_after(DNSASK_QUESTION_MS));
		status = status_of(dns_addresses(d, domain, &addresses));
	}
	dns_mx_free(&mx);
	ip_list_free(&addresses);
	return status;
}

static enum dnsask_status
add_addresses(struct dns *d, struct span name, struct buf *text)
{
	struct ip_list found = { 0 };
	enum dnsask_status status = status_of(dns_family(d, name, IP_V4, &found));
	char one[IP_TEXT_SIZE];

	for (size_t i = 0; i < found.n && i < DNSANSWER_ADDRESSES_MAX; i++) {
		if (i)
			buf_addc(text, ' ');
		buf_adds(text, ip_format(&found.list[i], one));
	}
	ip_list_free(&found);
	return status;
}

static enum dnsask_status
add_text(struct dns *d, struct span name, struct buf *text)
{
	struct buf records = { 0 };
	enum dnsask_status status = status_of(dns_txt(d, name, &records));
	struct span first = span_head(buf_span(&records), span_chr(buf_span(&records), '\0'));

	if (status == DNSASK_YES)
		log_add_visible(text, span_head(first, DNSASK_TEXT_MAX), true, '?');
	buf_free(&records);
	return status;
}

static enum dnsask_status
add_name(struct dns *d, struct span address, struct buf *text)
{
	struct buf name = { 0 };
	enum dnsask_status status = DNSASK_NO;
	struct ip ip;

	if (ip_parse(address, &ip))
		status = status_of(dns_ptr(d, &ip, &name));
	if (status == DNSASK_YES)
		log_add_visible(text, buf_span(&name), false, '?');
	buf_free(&name);
	return status;
}

int
dnsanswer_add(struct dns *d, struct span question, struct buf *answer)
{
	struct span name = span_tail(question, 2);
	struct buf text = { 0 };
	enum dnsask_status status;

	if (question.n < 2 || question.p[1] != ' ')
		return -1;
	dns_set_deadline(d, deadline_after(DNSASK_QUESTION_MS));
	switch (question.p[0]) {
	case DNSASK_MAIL:
		status = takes_mail(d, name);
		break;
	case DNSASK_A:
		status = add_addresses(d, name, &text);
		break;
	case DNSASK_NAME:
		status = add_name(d, name, &text);
		break;
	case DNSASK_TXT:
		status = add_text(d, name, &text);
		break;
	default:
		return -1;
	}
	buf_addc(answer, (char)status);
	buf_addbuf(answer, &text);
	buf_free(&text);
	return buf_ok(answer) ? 0 : -1;
}
