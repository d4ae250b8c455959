/* greylist - a client, sender and recipient not seen before have to come again after a while. */
#include "smtp/greylist.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/ascii.h"
#include "lib/date.h"
#include "lib/errtext.h"
#include "lib/log.h"
#include "lib/num.h"
#include "lib/siphash.h"
#include "mail/addr5321.h"
#include "smtp/client.h"
#include "smtp/s25r.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

/* ---- the switch ---- */

static void
take_number(struct span *text, int64_t *value)
{
	struct span part = span_head(*text, span_chr(*text, ':'));
	uint64_t number;

	if (num_lead_u64(part, GREYLIST_KNOWN_MAX_S, &number) > 0)
		*value = (int64_t)number;
	*text = span_tail(*text, part.n + 1);
}

struct greystore_times
greylist_times(struct span text)
{
	struct greystore_times t = { GREYLIST_WAIT_S, GREYLIST_RETRY_S, GREYSTORE_KNOWN_S };

	take_number(&text, &t.wait);
	take_number(&text, &t.retry);
	take_number(&text, &t.known);
	if (t.known < t.retry)
		t.known = t.retry;	/* what is waited for must not be forgotten */
	return t;
}

/* ---- the three ---- */

static void
add_folded(struct buf *to, struct span text)
{
	size_t start = to->n;

	buf_addspan(to, text);
	if (buf_ok(to) && to->n > start)
		ascii_lower_n(to->p + start, to->n - start);
}

void
greylist_key(const struct ip *ip, struct span sender, struct span recipient,
    unsigned char key[GREYSTORE_KEY])
{
	/* Who finds two triples with one key has to wait for one of them all the same. */
	static const unsigned char keys[2][SIPHASH_KEY] = { "qmail-greylist 1",
	    "qmail-greylist 2" };
	struct buf text = { 0 };

	buf_add(&text, ip->bytes, ip->family == IP_V4 ? 3 : 8);
	buf_addc(&text, '\0');
	add_folded(&text, sender);
	buf_addc(&text, '\0');
	add_folded(&text, recipient);
	for (size_t half = 0; half < 2; half++) {
		uint64_t hash = siphash(keys[half], text.p, text.n);

		for (size_t i = 0; i < 8; i++)
			key[8 * half + i] = (unsigned char)(hash >> 8 * i);
	}
	buf_free(&text);
}

/* No part of a path may lead elsewhere. */
static bool
is_harmless(struct span name)
{
	return name.n > 0 && name.n <= 255 && name.p[0] != '.' && span_chr(name, '/') == name.n &&
	    span_chr(name, '\0') == name.n;
}

bool
greylist_spamdyke_path(struct span sender, struct span recipient, struct buf *path)
{
	const struct span parts[] = { addr5321_domain(recipient), addr5321_local(recipient),
		addr5321_domain(sender), sender };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (!is_harmless(parts[i]))
			return false;
		if (i > 0)
			buf_addc(path, '/');
		add_folded(path, parts[i]);
	}
	return buf_ok(path);
}

/* Has spamdyke let them pass before, or would it now? */
static bool
knew_spamdyke(const struct session *s, struct span recipient, int64_t now,
    const struct greystore_times *t)
{
	const char *dir = getenv("GREYLIST_SPAMDYKE");
	struct buf path = { 0 };
	bool known = false;
	struct stat st;

	if (!dir)
		return false;
	buf_adds(&path, dir);
	buf_addc(&path, '/');
	if (greylist_spamdyke_path(buf_span(&s->sender), recipient, &path) &&
	    stat(buf_str(&path), &st) == 0 && S_ISREG(st.st_mode))
		known = now - st.st_mtime >= t->wait && now - st.st_mtime <= t->known;
	buf_free(&path);
	return known;
}

/* ---- the log ---- */

static void
add_value(struct buf *line, const char *name, struct span value)
{
	buf_adds(line, name);
	if (value.n)
		log_add_visible(line, span_head(value, SMTPLOG_VALUE_MAX), false, '?');
	else
		buf_adds(line, "(unknown)");
}

/* As spamdyke writes it. */
static void
log_refusal(const struct session *s, struct span recipient)
{
	struct buf line = BUF_CAP(SMTPLOG_MAX);
	struct span name = s->client.name_known ? buf_span(&s->client.name) :
	    s->conf->intake.peer.remote_host;

	if (span_eq(name, span_str("unknown")))
		name = span_str("");
	add_value(&line, "DENIED_GRAYLISTED from: ", buf_span(&s->sender));
	add_value(&line, " to: ", recipient);
	add_value(&line, " origin_ip: ", s->conf->intake.peer.remote_ip);
	add_value(&line, " origin_rdns: ", name);
	add_value(&line, " auth: ", buf_span(&s->user));
	buf_adds(&line, s->tls ? " encryption: TLS" : " encryption: (none)");
	smtplog_put(&line);
}

/* What the administrator should do; "": the reason says it. */
static const char *
remedy(const struct greystore_trouble *trouble)
{
	bool stops = trouble->effect == GREYSTORE_STOPS;

	if (trouble->moved)
		return "; it is called .bad now, and can be removed";
	switch (trouble->error) {
	case EACCES:
	case EPERM:
		return "; the directory and what is in it must belong to the user of qmail-smtpd";
	case EFBIG:
		return stops ? "; no more is remembered today" : "";
	case ETIMEDOUT:
		return stops ? "; another process holds it" : "";
	default:
		return "";
	}
}

/* `greylist: not working, mail is accepted: greylist/lock: Permission denied; the directory ...` */
static void
log_trouble(const struct greystore_trouble *trouble)
{
	static const char *const effects[] = {
		[GREYSTORE_UNTIDY] = "greylist: nothing is lost, but its files are not in order: ",
		[GREYSTORE_FORGETS] = "greylist: what one file knows has to wait again: ",
		[GREYSTORE_STOPS] = "greylist: not working, mail is accepted: "
	};
	struct buf line = BUF_CAP(SMTPLOG_MAX);

	if (!trouble->name[0])
		return;
	buf_adds(&line, effects[trouble->effect]);
	buf_adds(&line, GREYLIST_DIRECTORY "/");
	buf_adds(&line, trouble->name);
	buf_adds(&line, ": ");
	buf_adds(&line, trouble->moved ? "damaged" : errtext(trouble->error));
	buf_adds(&line, remedy(trouble));
	smtplog_put(&line);
}

static void
log_no_address(void)
{
	struct buf line = BUF_CAP(SMTPLOG_MAX);

	buf_adds(&line, "greylist: not working, mail is accepted: TCPREMOTEIP is no address");
	smtplog_put(&line);
}

/* ---- the check ---- */

static enum reply
ask(struct session *s, const struct ip *ip, struct span recipient, const char *mode)
{
	struct greystore_times t = greylist_times(span_str(mode));
	struct greystore_trouble trouble = { 0 };
	unsigned char key[GREYSTORE_KEY];
	int64_t now = date_now();
	enum greystore_answer answer;

	greylist_key(ip, buf_span(&s->sender), recipient, key);
	answer = greystore_ask(GREYLIST_DIRECTORY, key, now, &t, &trouble);
	log_trouble(&trouble);
	if (answer == GREYSTORE_KNOWN || answer == GREYSTORE_FAILED)
		return REPLY_OK;
	if (answer == GREYSTORE_FIRST && knew_spamdyke(s, recipient, now, &t)) {
		trouble = (struct greystore_trouble){ 0 };
		(void)!greystore_teach(GREYLIST_DIRECTORY, key, now, &t, &trouble);
		log_trouble(&trouble);
		return REPLY_OK;
	}
	log_refusal(s, recipient);
	return REPLY_GREYLISTED;
}

enum reply
greylist_check(struct session *s, struct buf *recipient)
{
	const char *mode = getenv("GREYLIST");
	struct ip ip;
	int spared;

	/* The empty sender: bounces, and hosts that ask whether an address exists, which may not
	 * come again. */
	if (!mode || !s->sender.n || s->user.n || client_white(s) == CLIENT_WHITE)
		return REPLY_OK;
	if (client_white(s) == CLIENT_DOUBTFUL)
		return REPLY_CONTROLS;
	if ((spared = s25r_spares(s)) != 0)
		return spared == 1 ? REPLY_OK : REPLY_CONTROLS;
	if (!client_ip(s, &ip)) {
		log_no_address();
		return REPLY_OK;
	}
	return ask(s, &ip, buf_span(recipient), mode);
}
