/* starttls - encryption of an SMTP session. */
#include "smtp/starttls.h"

#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/ctlnames.h"
#include "lib/num.h"
#include "smtp/auth.h"
#include "smtp/checks.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"
#include "tls/ucspi.h"

/* ---- switches ---- */

/* true: it is a number of at least 1. */
static bool
is_on(const char *text)
{
	uint64_t n = 0;

	return text && num_lead_u64(span_str(text), UINT64_MAX, &n) > 0 && n > 0;
}

static bool
is_switched_off(void)
{
	const char *disable = getenv("DISABLETLS"), *ucspi = getenv("UCSPITLS");

	return (disable && strcmp(disable, "1") == 0) || is_on(getenv("DENY_TLS")) ||
	    (ucspi && strcmp(ucspi, "-") == 0);
}

/* Where there is no certificate this costs no system call. */
static bool
is_possible(const struct session *s)
{
	return (getenv("SSLCTLFD") || ctlnames_may_have(&s->conf->names, "servercert.pem")) &&
	    ucspi_possible();
}

bool
starttls_is_offered(struct session *s)
{
	struct starttls *t = &s->starttls;

	if (!t->asked)
		t->offered = !is_switched_off() && is_possible(s);
	t->asked = true;
	return t->offered && !s->tls;
}

enum reply
starttls_required(struct session *s)
{
	const char *force = getenv("FORCE_TLS"), *ucspi = getenv("UCSPITLS");

	if (s->tls)
		return REPLY_OK;
	if (force && strcmp(force, "0") != 0)
		return is_on(force) ? REPLY_TLS_FIRST : REPLY_TLS_MUST;
	if (ucspi && (strcmp(ucspi, "!") == 0 || strcmp(ucspi, "@") == 0))
		return REPLY_TLS_REQUIRED;
	return REPLY_OK;
}

/* ---- the handshake ---- */

/* Everything that the client has said in the clear may have come from somebody else. */
static int
forget(struct session *s)
{
	session_reset(s);
	s->said_hello = s->extended = false;
	buf_reset(&s->hello);
	s->in.pos = s->in.end = 0;
	s->out.not_socket = false;
	s->tls = true;
	return auth_forget(s);
}

static bool
encrypt(struct session *s, struct ucspi *u)
{
	return ucspi_begin(u, &s->starttls.details) == 0 &&
	    ucspi_export(&s->starttls.details) == 0 && forget(s) == 0;
}

bool
starttls_begin(struct session *s)
{
	const char *smtps = getenv("SMTPS");
	struct ucspi u = UCSPI_EMPTY;

	ucspi_keep();
	s->tls = ucspi_inside() && !(smtps && *smtps);
	if (!smtps || !*smtps)
		return true;
	return ucspi_open(&u) == 0 && encrypt(s, &u);
}

/* Has the client sent anything behind the command, without waiting for the answer? */
static bool
is_followed(const struct session *s)
{
	return io_peek(&s->in).n > 0 || io_wait_readable(s->in.fd, deadline_now()) == IO_OK;
}

enum reply
starttls_command(struct session *s, struct span arg)
{
	const bool ucspi_texts = getenv("UCSPITLS");
	struct ucspi u = UCSPI_EMPTY;

	if (!starttls_is_offered(s))
		return REPLY_UNIMPLEMENTED;
	if (arg.n)
		return REPLY_TLS_ARGUMENT;
	if (is_followed(s))
		return REPLY_TLS_FOLLOWED;
	if (ucspi_open(&u) == -1)
		return ucspi_texts ? REPLY_TLS_UCSPI_LATER : REPLY_TLS_LATER;
	reply_put(&s->out, ucspi_texts ? REPLY_TLS_UCSPI_READY : REPLY_TLS_READY);
	if (io_flush(&s->out) == -1) {
		ucspi_close(&u);
		return REPLY_LOST;
	}
	return encrypt(s, &u) ? REPLY_WRITTEN : REPLY_LOST;
}

/* ---- certificates of clients ---- */

/* Any verified certificate will do. */
static bool
trusts_all(const struct buf *details)
{
	const char *ucspi = getenv("UCSPITLS");
	struct span verify = ucspi_detail(details, "SSL_CLIENT_VERIFY");

	return ucspi && (strcmp(ucspi, "?") == 0 || strcmp(ucspi, "@") == 0) &&
	    ucspi_detail(details, "SSL_CLIENT_S_DN").n > 0 &&
	    (!verify.p || span_eq(verify, span_str("SUCCESS")));
}

static bool
is_listed(const struct buf *list, struct span email)
{
	struct span entry;
	size_t pos = 0;

	while (ctl_next(list, &pos, &entry))
		if (ascii_ieq(entry, email))
			return true;
	return false;
}

/* The first of the certificate's addresses that is in the list; p NULL: none. */
static struct span
find_listed(const struct buf *details, const struct buf *list)
{
	char name[] = "SSL_CLIENT_EMAIL_0";
	struct span email;

	while ((email = ucspi_detail(details, name)).p && name[sizeof name - 2] <= '9') {
		if (is_listed(list, email))
			return email;
		name[sizeof name - 2]++;
	}
	return span_of(NULL, 0);
}

static enum reply
grant(struct session *s, struct span email)
{
	buf_reset(&s->starttls.cert);
	buf_addspan(&s->starttls.cert, email);
	s->relay_client = "";
	return buf_ok(&s->starttls.cert) && setenv("RELAYCLIENT", "", 1) == 0 ? REPLY_OK :
	    REPLY_MEMORY;
}

static enum reply
refuse(struct session *s)
{
	struct span verify = ucspi_detail(&s->starttls.details, "SSL_CLIENT_VERIFY");
	const struct span failed = span_str("FAILED:");

	struct buf text = { 0 };
	enum reply r;

	buf_adds(&text, "553 sorry, that domain isn't in my list of allowed rcpthosts; "
	    "no valid cert for gatewaying");
	if (span_starts(verify, failed)) {
		buf_adds(&text, ": ");
		buf_addspan(&text, span_head(span_tail(verify, failed.n), 200));
	}
	buf_adds(&text, " (#5.7.1)");
	r = checks_say(s, buf_span(&text));
	buf_free(&text);
	return r;
}

enum reply
starttls_relays(struct session *s)
{
	const struct buf *details = &s->starttls.details;
	enum reply r = REPLY_NOT_OURS;
	struct buf list = { 0 };
	struct span email;

	if (!details->n)
		return r;
	if (trusts_all(details))
		return grant(s, ucspi_detail(details, "SSL_CLIENT_S_DN"));
	switch (ctl_list("tlsclients", &list)) {
	case CTL_FOUND:
		email = find_listed(details, &list);
		r = email.p ? grant(s, email) : refuse(s);
		break;
	case CTL_ABSENT:
		break;
	case CTL_ERROR:
		(void)smtplog_unread("tlsclients");
		r = REPLY_CONTROLS;
	}
	buf_free(&list);
	return r;
}

/* ---- words ---- */

struct span
starttls_greeting(const struct session *s)
{
	struct span name = ucspi_detail(&s->starttls.details, "SSL_TLS_SNI");

	return name.n ? name : buf_span(&s->conf->greeting);
}

void
starttls_put_protocol(const struct session *s, struct buf *word)
{
	const char *inside = getenv("SSL_CIPHER");
	struct span cipher = s->tls && inside ? span_head(span_str(inside), 64) : span_str("");

	/* RFC 6531, 4.3 */
	buf_adds(word, !s->extended ? "SMTP" : s->utf8 ? "UTF8SMTP" : "ESMTP");
	if (s->extended && s->tls)
		buf_addc(word, 'S');
	if (s->extended && s->user.n)
		buf_addc(word, 'A');
	if (cipher.n) {
		buf_adds(word, " (");
		buf_addspan(word, cipher);
		buf_adds(word, s->user.n ? " encrypted, authenticated)" : " encrypted)");
	}
	if (s->starttls.cert.n) {
		buf_adds(word, "\n  (cert ");
		buf_addspan(word, buf_span(&s->starttls.cert));
		buf_addc(word, ')');
	}
}

void
starttls_free(struct starttls *t)
{
	buf_free(&t->details);
	buf_free(&t->cert);
}
