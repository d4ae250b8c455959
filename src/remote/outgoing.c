/* outgoing - where to go, whom to try, what to say. */
#include "remote/outgoing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/date.h"
#include "lib/deadline.h"
#include "lib/log.h"
#include "lib/num.h"
#include "mail/addr5321.h"
#include "net/conn.h"
#include "queue/tcpto.h"
#include "remote/mxlist.h"
#include "remote/origin.h"
#include "remote/smtpclient.h"
#include "remote/tlspolicy.h"

#define LATE_MAX 8	/* addresses that wait until the others have been tried */

#define BAD_SENDER "DThe sender address holds bytes that SMTP cannot carry. (#5.1.7)\n"
#define BAD_RECIPIENT "DA recipient address holds bytes that SMTP cannot carry. (#5.1.3)\n"
#define BAD_LOGIN "ZThe login for this route is too long, or has more than two words. (#4.3.0)\n"
#define BAD_OUTGOINGIP "Zinvalid ipaddr in control/outgoingip (#4.3.0)\n"
#define BAD_DOMAINIPS "Zinvalid entry in control/domainips (#4.3.0)\n"
#define NOT_OURS "ZThis host has not the address of control/outgoingip or domainips. (#4.3.0)\n"
#define NO_MEMORY "ZOut of memory. (#4.3.0)\n"
#define NO_RESOURCES "ZSystem resources temporarily unavailable. (#4.3.0)\n"
/* Here and below: programs that read bounces know "Sorry, I ..." to the letter. */
#define NO_CONNECTION "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"

static void
say(struct buf *report, const char *text)
{
	buf_reset(report);
	buf_adds(report, text);
	buf_addc(report, '\0');
}

/* ---- addresses in commands ---- */

static bool
holds_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_iscntrl(s.p[i]))
			return true;
	return false;
}

/* What stands there without quotes could end the path and start a parameter. */
static bool
holds_bracket(struct span s)
{
	return span_chr(s, '<') < s.n || span_chr(s, '>') < s.n;
}

bool
outgoing_address(struct buf *to, struct span address)
{
	bool has_domain = span_chr(address, '@') < address.n;

	if (holds_control(address) ||
	    holds_bracket(has_domain ? addr5321_domain(address) : address))
		return false;
	if (has_domain)
		addr5321_quote(to, address);
	else
		buf_addspan(to, address);
	return true;
}

/* The envelope in SMTP's form: one text, and where each recipient stands in it. */
struct wire_envelope {
	struct buf sender, text;
	struct span *recipients;
};

static void
wire_free(struct wire_envelope *w)
{
	buf_free(&w->sender);
	buf_free(&w->text);
	free(w->recipients);
}

/* NULL, or what is wrong. */
static const char *
wire_build(struct wire_envelope *w, const struct outgoing *d)
{
	size_t bytes, at = 0;

	if (!outgoing_address(&w->sender, d->sender))
		return BAD_SENDER;
	for (size_t i = 0; i < d->n; i++) {
		if (!outgoing_address(&w->text, span_str(d->recipients[i])))
			return BAD_RECIPIENT;
		buf_addc(&w->text, '\0');
	}
	if (num_mul(d->n, sizeof *w->recipients, &bytes) || !(w->recipients = malloc(bytes)) ||
	    !buf_ok(&w->sender) || !buf_ok(&w->text))
		return NO_MEMORY;
	for (size_t i = 0; i < d->n; i++) {
		w->recipients[i] = span_str(w->text.p + at);
		at += w->recipients[i].n + 1;
	}
	return NULL;
}

/* ---- which addresses ---- */

static enum dns_status
lookup_mx(void *arg, struct span name, struct dns_mx_list *to)
{
	return dns_mx(arg, name, to);
}

static enum dns_status
lookup_addresses(void *arg, struct span name, struct ip_list *to, bool *partly)
{
	return dns_addresses_partly(arg, name, to, partly);
}

static void
say_no_host(struct buf *report, struct span host)
{
	buf_reset(report);
	buf_adds(report, "DSorry, I couldn't find any host named ");
	log_add_visible(report, host, false, '?');
	buf_adds(report, ". (#5.1.2)\n");
	buf_addc(report, '\0');
}

/* Why there is no address to try. */
static void
say_no_address(struct buf *report, enum mxlist_status status, struct span host)
{
	switch (status) {
	case MXLIST_NO_HOST:
		say_no_host(report, host);
		break;
	case MXLIST_SOFT:
		say(report, "ZSorry, I couldn't find any host by that name. (#4.1.2)\n");
		break;
	case MXLIST_NO_ADDRESS:
		say(report, "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n");
		break;
	case MXLIST_NULL:
		say(report, "DThat domain takes no mail: its MX record says so. (#5.1.10)\n");
		break;
	case MXLIST_SELF:
		say(report,
		    "DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
		    "control/locals does not have it, so it is not delivered here. (#5.4.6)\n");
		break;
	case MXLIST_MEMORY:
		say(report, NO_MEMORY);
		break;
	case MXLIST_OK:
	case MXLIST_END:
	default:
		say(report, NO_CONNECTION);
		break;
	}
}

/* ---- trying them ---- */

struct attempt {
	const struct outgoing *d;
	const struct smtpclient_job *job;
	const struct origin *origin;
	struct reuse *reuse;
	struct buf place;	/* reuse_find */
	struct buf *report;
	int64_t left_ms;	/* for lookups and connects; the first connect has its own */
	enum tcpto_advice advice;	/* about the address to be tried */
	unsigned connects, talks, sessions;	/* sessions: addresses with a talk */
	bool talked;			/* *report tells how the last session failed */
	bool settled;			/* *report is final */
};

static struct tcpto_address
tcpto_form(const struct ip *ip)
{
	struct tcpto_address a = { .v6 = ip->family == IP_V6 };

	memcpy(a.bytes, ip->bytes, sizeof a.bytes);
	return a;
}

/* What a failed connect means beyond "try the next". */
static void
note_failure(struct attempt *t, const struct ip *from, int error)
{
	if (from && error == EADDRNOTAVAIL)
		say(t->report, NOT_OURS);
	else if (conn_out_of_resources(error))
		say(t->report, NO_RESOURCES);
	else
		return;
	t->settled = true;
}

/* A connected socket or -1; tells tcpto what it learned. */
static int
connect_to(struct attempt *t, const struct ip *ip)
{
	const struct tcpto_address address = tcpto_form(ip);
	const struct ip *from = origin_for(t->origin, ip);
	int64_t start = deadline_now(), wait = t->d->settings->connect_ms;
	int fd;

	if (t->connects++ && wait > t->left_ms)
		wait = t->left_ms;
	fd = conn_open(ip, t->d->route.port, from, wait);
	t->left_ms -= deadline_now() - start;
	if (fd == -1)
		note_failure(t, from, errno);
	if (fd == -1 && errno == ETIMEDOUT)
		tcpto_timed_out(&address, date_now());
	else if (fd != -1 || !t->settled)
		tcpto_answered(&address, t->advice);
	return fd;
}

/* One connection.  DIALOGUE_NEXT with the report as it was: there was none. */
static enum dialogue_outcome
talk(struct attempt *t, const struct ip *ip, const struct starttls_terms *tls)
{
	struct smtpclient_job job = *t->job;
	struct buf report = { 0 };
	char text[IP_TEXT_SIZE];
	enum dialogue_outcome outcome;
	int fd = connect_to(t, ip);

	if (fd == -1)
		return DIALOGUE_NEXT;
	t->talks++;
	job.tls = *tls;
	outcome = smtpclient_send(reuse_new(t->reuse, fd, ip_format(ip, text)), &job,
	    t->d->message, &report);
	reuse_keep(t->reuse, buf_span(&t->place));
	t->talked = true;
	buf_free(t->report);
	*t->report = report;
	return outcome;
}

/* TLS that somebody offers and cannot do is worth less than none: then once more without. */
static void
try_address(struct attempt *t, const struct ip *ip, struct span name)
{
	struct tlspolicy policy = { .terms = { .need = STARTTLS_NEVER } };
	enum dialogue_outcome outcome = DIALOGUE_MEMORY;
	unsigned talks = t->talks;

	if (tlspolicy_find(&policy, t->d->settings, name, ip, &t->d->route))
		outcome = talk(t, ip, &policy.terms);
	if (outcome == DIALOGUE_CLEAR)
		tlspolicy_note(&policy, t->d->settings);
	if (outcome == DIALOGUE_CLEAR || outcome == DIALOGUE_CLEAR_NOW) {
		policy.terms.need = STARTTLS_NEVER;
		outcome = talk(t, ip, &policy.terms);
		reuse_drop(t->reuse);	/* the next message may have more luck with TLS */
	}
	if (t->talks > talks)
		t->sessions++;
	if (outcome == DIALOGUE_MEMORY)
		say(t->report, NO_MEMORY);
	if (outcome == DIALOGUE_MEMORY || outcome == DIALOGUE_FINAL)
		t->settled = true;
	tlspolicy_free(&policy);
}

static bool
may_go_on(const struct attempt *t, unsigned sessions)
{
	return !t->settled && (t->left_ms > 0 || t->connects == 0) &&
	    t->connects < OUTGOING_CONNECTS_MAX && t->sessions < sessions;
}

/* Somebody else's name servers decide how long lookups take: what is not answered in the time that
 * is left fails softly.  Now. */
static int64_t
begin_lookups(const struct attempt *t)
{
	dns_set_deadline(t->d->dns, deadline_after(t->left_ms));
	return deadline_now();
}

static void
end_lookups(struct attempt *t, int64_t start)
{
	t->left_ms -= deadline_now() - start;
	dns_set_deadline(t->d->dns, DEADLINE_NONE);	/* it may serve another delivery */
}

static enum mxlist_status
next_address(struct attempt *t, struct mxlist *list, struct ip *ip)
{
	int64_t start = begin_lookups(t);
	enum mxlist_status status = mxlist_next(list, ip);

	end_lookups(t, start);
	return status;
}

/* Addresses that timed out a moment ago, in their order: tried when no other has taken the message,
 * so that of two exchangers the dead one does not cost every message its timeout. */
struct late {
	struct {
		struct ip ip;
		struct span name;
	} address[LATE_MAX];
	size_t n;
};

/* false: it is neither skipped nor put off. */
static bool
pass_over(struct attempt *t, struct late *late, const struct ip *ip, struct span name)
{
	const struct tcpto_address address = tcpto_form(ip);

	t->advice = tcpto_query(&address, date_now(), (uint64_t)getpid());
	if (t->advice != TCPTO_LATER || late->n == LATE_MAX)
		return t->advice == TCPTO_SKIP;
	late->address[late->n].ip = *ip;
	late->address[late->n++].name = name;
	return true;
}

static void
try_all(struct attempt *t, struct mxlist *list, struct span host)
{
	enum mxlist_status status = MXLIST_OK;
	struct late late = { .n = 0 };
	struct ip ip;

	while (may_go_on(t, OUTGOING_SESSIONS_MAX) &&
	    (status = next_address(t, list, &ip)) == MXLIST_OK) {
		struct span name = mxlist_name(list) ? span_str(mxlist_name(list)) : host;

		if (!pass_over(t, &late, &ip, name))
			try_address(t, &ip, name);
	}
	t->advice = TCPTO_LATER;
	/* One of these would have been the first: it has all its time, whatever the others took. */
	t->connects = 0;
	if (late.n && t->left_ms < t->d->settings->connect_ms)
		t->left_ms = t->d->settings->connect_ms;
	for (size_t i = 0; i < late.n && may_go_on(t, OUTGOING_SESSIONS_MAX + 1); i++)
		try_address(t, &late.address[i].ip, late.address[i].name);
	if (!t->settled && !t->talked)
		say_no_address(t->report, status, host);
}

static enum mxlist_status
find_addresses(struct attempt *t, struct mxlist *list, const struct mxlist_self *self)
{
	const struct outgoing *d = t->d;
	const struct mxlist_lookup lookup = { lookup_mx, lookup_addresses, d->dns };
	int64_t start = begin_lookups(t);
	enum mxlist_status status = d->route.fixed ?
	    mxlist_by_relay(list, d->route.host, &lookup) :
	    mxlist_by_mx(list, d->route.host, &lookup, self);

	end_lookups(t, start);
	return status;
}

static void
find_and_try(struct attempt *t, const struct mxlist_self *self)
{
	const struct span host = t->d->route.host;
	struct mxlist list;
	enum mxlist_status status = find_addresses(t, &list, self);

	if (status == MXLIST_OK)
		try_all(t, &list, host);
	else
		say_no_address(t->report, status, host);
	mxlist_free(&list);
}

/* ---- the connection of the message before ---- */

/* What decides which server it is, and how it is talked to, besides what is the same for all
 * deliveries of a process. */
static void
add_place(struct buf *to, const struct outgoing *d, const char *helo, const struct origin *origin)
{
	buf_addspan(to, d->route.host);
	buf_addc(to, '\0');
	buf_addnum(to, d->route.port);
	buf_addc(to, d->route.fixed ? 'f' : 'm');
	buf_adds(to, helo);
	buf_addc(to, '\0');
	buf_add(to, (const char *)&origin->v4, sizeof origin->v4);
	buf_add(to, (const char *)&origin->v6, sizeof origin->v6);
}

/* false: not delivered, and nothing taken; all begins anew. */
static bool
go_on(struct attempt *t)
{
	struct smtplink *link = reuse_find(t->reuse, buf_span(&t->place));
	enum dialogue_outcome outcome;

	if (!link)
		return false;
	outcome = smtpclient_send(link, t->job, t->d->message, t->report);
	reuse_keep(t->reuse, buf_span(&t->place));
	return outcome != DIALOGUE_NEXT && link->text_begun;
}

static void
send_to(const struct outgoing *d, const struct smtpclient_job *job, const struct origin *origin,
    const struct ipme *own, struct buf *report)
{
	const struct mxlist_self self = { .addresses = own, .me = buf_span(&d->settings->me),
		.helohost = buf_span(&d->settings->helohost) };
	struct reuse none = { .most = 0 };
	struct attempt t = { .d = d, .job = job, .origin = origin, .report = report,
		.reuse = d->reuse ? d->reuse : &none,
		.left_ms = OUTGOING_CONNECT_FACTOR * d->settings->connect_ms };

	if (t.left_ms < OUTGOING_CONNECT_MS)
		t.left_ms = OUTGOING_CONNECT_MS;
	add_place(&t.place, d, job->helo, origin);
	if (!buf_ok(&t.place))
		say(report, NO_MEMORY);
	else if (!go_on(&t))
		find_and_try(&t, &self);
	buf_free(&t.place);
	reuse_end(&none);
}

/* NULL, or what forbids to send anything. */
static const char *
prepare(const struct outgoing *d, struct wire_envelope *wire, struct origin *origin,
    struct ipme *own)
{
	const char *trouble = wire_build(wire, d);

	if (trouble)
		return trouble;
	if (d->route.bad_login)
		return BAD_LOGIN;
	if (!origin_outgoingip(origin, &d->settings->outgoingip, d->sender))
		return BAD_OUTGOINGIP;
	if (!origin_domainips(origin, &d->settings->domainips, d->sender))
		return BAD_DOMAINIPS;
	/* Who we are matters only where mail could come back to us. */
	if (!d->route.fixed && (ipme_own(own) == -1 ||
	    ipme_add(own, &d->settings->moreipme, true) == -1 ||
	    ipme_add(own, &d->settings->notipme, false) == -1))
		return NO_RESOURCES;
	return NULL;
}

void
outgoing_run(const struct outgoing *d, struct buf *report)
{
	struct wire_envelope wire = { 0 };
	struct ipme own = { 0 };
	struct origin origin = { .v4 = { IP_NONE, { 0 } } };
	struct buf helo = { 0 };
	const char *trouble = prepare(d, &wire, &origin, &own);

	if (trouble) {
		say(report, trouble);
	} else {
		struct smtpclient_job job = { .sender = buf_span(&wire.sender),
			.recipients = wire.recipients, .n = d->n,
			.waits = smtpclient_waits(d->settings->timeout_ms, d->n),
			.login = { d->route.user, d->route.password } };

		buf_addspan(&helo, origin.helo.n ? origin.helo : buf_span(&d->settings->helohost));
		job.helo = buf_str(&helo);
		send_to(d, &job, &origin, &own, report);
	}
	ipme_free(&own);
	buf_free(&helo);
	wire_free(&wire);
}
