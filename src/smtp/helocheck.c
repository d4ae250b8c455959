/* helocheck - is what a client calls itself a name of the name system? */
#include "smtp/helocheck.h"

#include <stdlib.h>

#include "lib/ascii.h"
#include "net/ip.h"
#include "smtp/checks.h"
#include "smtp/dnsask.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

#define DEFAULT_LETTERS "GNLR"

/* NULL: off. */
static const char *
letters(void)
{
	const char *text = getenv("HELO_DNS_CHECK");

	if (!text || getenv("NOHELODNSCHECK"))
		return NULL;
	return *text ? text : DEFAULT_LETTERS;
}

/* Letters, digits, dashes, underscores (RFC 5321 has none, but hosts do), and a dot inside. */
static bool
is_host_name(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_isalnum(name.p[i]) && !memchr(".-_", name.p[i], 3))
			return false;
	return name.n && name.p[0] != '.' && name.p[name.n - 1] != '.' &&
	    span_chr(name, '.') < name.n;
}

/* Its addresses.  1: known, 0: it has none, -1: nobody knows. */
static int
find_addresses(struct session *s, struct span name, struct ip_list *list)
{
	struct buf text = { 0 };
	struct span rest;
	struct ip ip;
	int rc;

	if (ip_parse_literal(name, &ip))
		return ip_list_add(list, &ip) == -1 ? -1 : 1;
	switch (dnsask_ask(&s->dnsask, DNSASK_A, name, &text)) {
	case DNSASK_YES:
		rc = 1;
		break;
	case DNSASK_NO:
		rc = 0;
		break;
	default:
		rc = -1;
	}
	for (rest = buf_span(&text); rc == 1 && rest.n;) {
		struct span word = span_head(rest, span_chr(rest, ' '));

		if (ip_parse(word, &ip) && ip_list_add(list, &ip) == -1)
			rc = -1;
		rest = span_tail(rest, word.n + 1);
	}
	buf_free(&text);
	return rc;
}

static bool
is_client(const struct session *s, const struct ip_list *list)
{
	struct ip ip;

	return !ip_parse(s->conf->intake.peer.remote_ip, &ip) || ip_list_has(list, &ip);
}

static bool
is_this_host(struct session *s, struct span name, const struct ip_list *list)
{
	if (ascii_ieq(name, span_str("localhost")))
		return true;
	if (session_own(s) != IPME_OK)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (ip_is_loopback(&list->list[i]) || ipme_has(&s->own, &list->list[i]))
			return true;
	return false;
}

/* NULL, or what is wrong with the name. */
static const char *
find_fault(struct session *s, const char *asked, struct span name)
{
	bool ours, literal, client = s->relay_client != NULL;
	struct ip_list list = { 0 };
	const char *why = NULL;
	struct ip ip;
	int known = -1;

	if (client && strchr(asked, 'R'))
		return NULL;
	literal = ip_parse_literal(name, &ip);
	if (strchr(asked, 'G') && !literal && !is_host_name(name))
		return "your HELO is no host name";
	if (literal || is_host_name(name))
		known = find_addresses(s, name, &list);
	ours = strchr(asked, 'N') && is_this_host(s, name, &list);
	if (strchr(asked, 'A') && known == 0)
		why = "your HELO has no address";
	else if (ours && !is_client(s, &list))
		why = "your HELO is mine";
	else if (strchr(asked, 'B') && known >= 0 && !is_client(s, &list))
		why = "your HELO has another address";
	ip_list_free(&list);
	return why;
}

/* `HELOCHECK fail [192.0.2.1] x: your HELO is no host name` */
static void
put_log(const struct session *s, struct span name, const char *why)
{
	struct buf line = { 0 };

	buf_adds(&line, "HELOCHECK fail [");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	buf_adds(&line, "] ");
	smtplog_add(&line, name);
	buf_adds(&line, ": ");
	buf_adds(&line, why);
	smtplog_put(&line);
}

enum reply
helocheck_run(struct session *s, struct buf *helo)
{
	const char *asked = letters();
	struct buf text = { 0 };
	enum reply r;

	s->helo_fault = NULL;
	if (!asked || !(s->helo_fault = find_fault(s, asked, buf_span(helo))))
		return REPLY_OK;
	if (strchr(asked, 'L'))
		put_log(s, buf_span(helo), s->helo_fault);
	if (strchr(asked, 'P'))
		return REPLY_OK;
	buf_adds(&text, "553 sorry, ");
	buf_adds(&text, s->helo_fault);
	buf_adds(&text, " (#5.7.1)");
	r = checks_end(s, buf_span(&text));
	buf_free(&text);
	return r;
}

void
helocheck_put_field(const struct session *s, struct incoming *in)
{
	const char *asked = letters(), *what = s->helo_fault ? s->helo_fault : "ok";

	if (!asked || !strchr(asked, 'H'))
		return;
	incoming_text(in, "X-Helo-Check: ", 14);
	incoming_text(in, what, strlen(what));
	incoming_text(in, "\n", 1);
}
