/* dnsask - what qmail-smtpd wants to know from the name system. */
#include "smtp/dnsask.h"

#include <stdlib.h>

#include "lib/conf.h"
#include "net/ip.h"

#define PROGRAM QMAIL_HOME "/bin/qmail-dnsask"

enum dnsask_status
dnsask_ask(struct asker *a, enum dnsask_kind kind, struct span name, struct buf *text)
{
	struct buf question = BUF_CAP(ASKER_QUESTION_MAX - 1), answer = BUF_CAP(DNSASK_ANSWER_MAX);
	enum dnsask_status status = DNSASK_TROUBLE;
	char path[] = PROGRAM;
	char *argv[] = { path, NULL };

	if (text)
		buf_reset(text);
	buf_addc(&question, (char)kind);
	buf_addc(&question, ' ');
	buf_addspan(&question, name);
	if (buf_ok(&question) && asker_ask(a, argv, NULL, buf_span(&question), DNSASK_ANSWER_MS,
	    &answer) == 0 && answer.n && (answer.p[0] == DNSASK_YES || answer.p[0] == DNSASK_NO)) {
		status = (enum dnsask_status)answer.p[0];
		if (text)
			buf_addspan(text, span_tail(buf_span(&answer), 1));
	}
	buf_free(&question);
	buf_free(&answer);
	return status;
}

enum dnsask_status
dnsask_takes_mail(struct asker *a, struct span domain)
{
	struct ip ip;

	/* An address in brackets is asked nobody for. */
	return ip_parse_literal(domain, &ip) ? DNSASK_YES :
	    dnsask_ask(a, DNSASK_MAIL, domain, NULL);
}
