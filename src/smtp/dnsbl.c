/* dnsbl - lists of addresses in the name system. */
#include "smtp/dnsbl.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/deadline.h"
#include "lib/log.h"
#include "mail/addr5321.h"
#include "net/dnsmsg.h"
#include "smtp/checks.h"
#include "smtp/client.h"
#include "smtp/dnsask.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

#define FILE_NAME "dnsbllist"
#define LOOKUP_FAILED "temporary RBL lookup error"

/* ---- the file ---- */

bool
dnsbl_parse_line(struct span text, struct dnsbl_line *line)
{
	size_t colon;

	line->action = DNSBL_LISTED_DELAY;
	if (text.n && text.p[0] == '+')
		line->action = DNSBL_LISTED_ACCEPT;
	else if (text.n && text.p[0] == '-')
		line->action = DNSBL_LISTED_REJECT;
	else if (text.n && text.p[0] == '=')
		line->action = DNSBL_LISTED_LOG;
	if (line->action != DNSBL_LISTED_DELAY)
		text = span_tail(text, 1);
	colon = span_chr(text, ':');
	line->zone = span_head(text, colon);
	line->text = span_tail(text, colon + 1);
	if (colon < text.n && line->text.n && line->text.p[0] == '-') {
		if (line->action == DNSBL_LISTED_DELAY)
			line->action = DNSBL_LISTED_REJECT;
		line->text = span_tail(line->text, 1);
	}
	if (!line->text.n)	/* no text, or an empty one: the list has a better one */
		line->text = span_of(NULL, 0);
	return line->zone.n > 0;
}

/* The entries.  CTL_ERROR also if the variable names a file that is not there. */
static enum ctl_status
read_lists(const struct session *s, struct buf *lists)
{
	const char *path = getenv("DNSBLLIST");

	enum ctl_status status = CTL_ABSENT;

	if (path)
		status = ctl_path_list(path, lists) == CTL_FOUND ? CTL_FOUND : CTL_ERROR;
	else if (ctlnames_may_have(&s->conf->names, FILE_NAME))
		status = ctl_list("dnsbllist", lists);
	if (status == CTL_ERROR)
		(void)smtplog_unread(path ? path : FILE_NAME);
	return status;
}

/* ---- one list ---- */

/* What is known while the lists are asked. */
struct search {
	struct session *s;
	struct ip ip;
	int64_t deadline;
	bool failed;		/* some question had no answer */
	bool closed;		/* dnsblfailclosed */
	struct buf name, text;
};

static const char *const words[] = {
	[DNSBL_PASS] = "pass",
	[DNSBL_IGNORE] = "ignore",
	[DNSBL_ACCEPT] = "accept",
	[DNSBL_DELAY] = "delay",
	[DNSBL_REJECT] = "reject",
	[DNSBL_BROKEN] = "dnserr",
};

static void
log_lookup(struct search *q, const char *word)
{
	struct buf line = BUF_CAP(SMTPLOG_MAX);

	buf_adds(&line, "rbl: ip=");
	log_add_visible(&line, q->s->conf->intake.peer.remote_ip, false, '?');
	buf_adds(&line, " query=");
	log_add_visible(&line, buf_span(&q->name), false, '?');
	buf_adds(&line, " result=");
	buf_adds(&line, word);
	buf_adds(&line, " message='");
	log_add_visible(&line, span_head(buf_span(&q->text), CHECKS_TEXT_MAX), true, '?');
	buf_addc(&line, '\'');
	smtplog_put(&line);
}

bool
dnsbl_is_listed(struct span addresses)
{
	while (addresses.n) {
		struct span one = span_head(addresses, span_chr(addresses, ' '));
		struct ip ip;

		if (ip_parse(one, &ip) && ip.family == IP_V4 && ip.bytes[0] == 127 &&
		    !(ip.bytes[1] == 255 && ip.bytes[2] == 255))
			return true;
		addresses = span_tail(addresses, one.n + 1);
	}
	return false;
}

static enum dnsask_status
ask(struct search *q, enum dnsask_kind kind, struct buf *text)
{
	if (deadline_now() >= q->deadline)
		return DNSASK_TROUBLE;
	return dnsask_ask(&q->s->dnsask, kind, buf_span(&q->name), text);
}

/* The address backwards and the zone: `2.0.0.127.bl.example`. */
static void
set_name(struct search *q, struct span zone)
{
	static const char *const suffixes[] = { "in-addr.arpa", "ip6.arpa" };

	buf_reset(&q->name);
	dnsmsg_reverse(&q->ip, &q->name);
	if (buf_ok(&q->name))
		buf_cut(&q->name, q->name.n - strlen(suffixes[q->ip.family == IP_V6]));
	buf_addspan(&q->name, zone);
}

/* The administrator's text, with the address where it says %IP%. */
static void
set_text(struct search *q, struct span text)
{
	static const char mark[] = "%IP%";

	buf_reset(&q->text);
	while (text.n) {
		if (span_starts(text, span_str(mark))) {
			buf_addspan(&q->text, q->s->conf->intake.peer.remote_ip);
			text = span_tail(text, sizeof mark - 1);
		} else {
			buf_addc(&q->text, text.p[0]);
			text = span_tail(text, 1);
		}
	}
}

/* DNSASK_YES: listed, and q->text is why. */
static enum dnsask_status
is_listed(struct search *q, const struct dnsbl_line *line)
{
	struct buf addresses = { 0 };
	enum dnsask_status status;

	set_name(q, line->zone);
	buf_reset(&q->text);
	if (line->text.p) {
		status = ask(q, DNSASK_A, &addresses);
		if (status == DNSASK_YES && !dnsbl_is_listed(buf_span(&addresses)))
			status = DNSASK_NO;
		if (status == DNSASK_YES)
			set_text(q, line->text);
	} else {
		status = ask(q, DNSASK_TXT, &q->text);
		/* A list that does not want to answer us has a text as well. */
		if (status == DNSASK_YES && ask(q, DNSASK_A, &addresses) == DNSASK_YES &&
		    !dnsbl_is_listed(buf_span(&addresses)))
			status = DNSASK_NO;
	}
	if (status == DNSASK_NO)
		buf_reset(&q->text);
	buf_free(&addresses);
	return status;
}

/* After a lookup that failed nobody is refused for good. */
static enum dnsbl_verdict
refusal(const struct search *q, const struct dnsbl_line *line)
{
	return line->action == DNSBL_LISTED_REJECT && !q->failed ? DNSBL_REJECT : DNSBL_DELAY;
}

static enum dnsbl_verdict
ask_list(struct search *q, const struct dnsbl_line *line)
{
	enum dnsbl_verdict v = DNSBL_PASS;

	switch (is_listed(q, line)) {
	case DNSASK_YES:
		if (line->action == DNSBL_LISTED_LOG)
			v = DNSBL_IGNORE;
		else if (line->action == DNSBL_LISTED_ACCEPT)
			v = DNSBL_ACCEPT;
		else
			v = refusal(q, line);
		break;
	case DNSASK_NO:
		break;
	default:
		q->failed = true;
		buf_reset(&q->text);
		buf_adds(&q->text, LOOKUP_FAILED);
		log_lookup(q, words[DNSBL_BROKEN]);
		return q->closed && line->action <= DNSBL_LISTED_REJECT ? DNSBL_DELAY : DNSBL_PASS;
	}
	log_lookup(q, words[v]);
	return v;
}

/* ---- all of them ---- */

static void
complain(struct span entry)
{
	struct buf line = BUF_CAP(SMTPLOG_MAX);

	buf_adds(&line, "rbl: " FILE_NAME ": no zone in: ");
	log_add_visible(&line, span_head(entry, CHECKS_TEXT_MAX), true, '?');
	smtplog_put(&line);
}

static enum dnsbl_verdict
ask_lists(struct search *q, const struct buf *lists)
{
	enum dnsbl_verdict all = DNSBL_PASS;
	struct span entry;
	size_t pos = 0;

	for (int n = 0; ctl_next(lists, &pos, &entry); n++) {
		struct dnsbl_line line;
		enum dnsbl_verdict v;

		if (n == DNSBL_LISTS_MAX) {
			const char *path = getenv("DNSBLLIST");

			errno = EFBIG;
			(void)smtplog_unread(path ? path : FILE_NAME);
			return DNSBL_BROKEN;
		}
		if (!dnsbl_parse_line(entry, &line)) {
			complain(entry);
			continue;
		}
		v = ask_list(q, &line);
		if (v == DNSBL_ACCEPT || v == DNSBL_DELAY || v == DNSBL_REJECT)
			return v;
		if (v == DNSBL_IGNORE)
			all = v;
	}
	return all;
}

static void
run_lists(struct session *s, const struct buf *lists)
{
	struct search q = { .s = s, .deadline = deadline_after(DNSBL_TOTAL_MS) };
	uint64_t closed = 0;

	if (smtpconf_number(&s->conf->names, "DNSBLFAILCLOSED", "dnsblfailclosed", UINT64_MAX,
	    &closed) == -1) {
		s->dnsbl.verdict = DNSBL_BROKEN;
	} else if (client_ip(s, &q.ip)) {
		q.closed = closed > 0;
		s->dnsbl.verdict = ask_lists(&q, lists);
		buf_addbuf(&s->dnsbl.text, &q.text);
	}
	buf_free(&q.name);
	buf_free(&q.text);
}

/* As rblsmtpd understands $RBLSMTPD. */
static void
take_word(struct dnsbl *d, struct span text)
{
	d->verdict = !text.n ? DNSBL_ACCEPT : text.p[0] == '-' ? DNSBL_REJECT : DNSBL_DELAY;
	buf_addspan(&d->text, d->verdict == DNSBL_REJECT ? span_tail(text, 1) : text);
}

static void
run(struct session *s)
{
	const char *word = getenv("RBLSMTPD");
	struct buf lists = { 0 };

	switch (read_lists(s, &lists)) {
	case CTL_ABSENT:
		break;
	case CTL_ERROR:
		s->dnsbl.verdict = DNSBL_BROKEN;
		break;
	default:
		if (client_white(s) == CLIENT_WHITE)
			s->dnsbl.verdict = DNSBL_ACCEPT;
		else if (client_white(s) == CLIENT_DOUBTFUL)
			s->dnsbl.verdict = DNSBL_BROKEN;
		else if (word)
			take_word(&s->dnsbl, span_str(word));
		else
			run_lists(s, &lists);
		if (!buf_ok(&s->dnsbl.text) ||
		    setenv("RBLRESULT", words[s->dnsbl.verdict], 1) == -1)
			s->dnsbl.verdict = DNSBL_BROKEN;
	}
	buf_free(&lists);
}

bool
dnsbl_hit(const struct session *s)
{
	return s->dnsbl.verdict == DNSBL_IGNORE || s->dnsbl.verdict == DNSBL_DELAY ||
	    s->dnsbl.verdict == DNSBL_REJECT;
}

static enum reply
say(struct session *s, const char *code)
{
	struct buf text = { 0 };
	enum reply r = REPLY_MEMORY;

	buf_adds(&text, code);
	if (s->dnsbl.text.n)
		buf_addbuf(&text, &s->dnsbl.text);
	else
		buf_adds(&text, "your address is listed (#5.7.1)");
	if (buf_ok(&text))
		r = s->dnsbl.verdict == DNSBL_DELAY ? checks_end(s, buf_span(&text)) :
		    checks_say(s, buf_span(&text));
	buf_free(&text);
	return r;
}

enum reply
dnsbl_check(struct session *s, struct buf *recipient)
{
	/* Who is listed must be able to ask why. */
	if (s->user.n || ascii_ieq(addr5321_local(buf_span(recipient)), span_str("postmaster")))
		return REPLY_OK;
	if (!s->dnsbl.ran && !getenv("DNSBLSKIP"))
		run(s);
	s->dnsbl.ran = true;
	switch (s->dnsbl.verdict) {
	case DNSBL_DELAY:
		return say(s, "421 ");
	case DNSBL_REJECT:
		return say(s, "553 ");
	case DNSBL_BROKEN:
		return REPLY_CONTROLS;
	default:
		return REPLY_OK;
	}
}

void
dnsbl_free(struct dnsbl *d)
{
	buf_free(&d->text);
}
