/* server - one handshake with a client, and what came of it. */
#include "tls/server.h"

#include <errno.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/x509v3.h>

#include "lib/ctl.h"
#include "lib/date.h"
#include "lib/deadline.h"
#include "lib/errtext.h"
#include "lib/log.h"
#include "lib/num.h"
#include "tls/authorities.h"
#include "tls/tlsopt.h"

#define CLIENT_AUTHORITIES "control/clientca.pem"
#define CLIENT_REVOKED "control/clientcrl.pem"
#define VALUE_MAX ((size_t)512)		/* of one detail */

/* ---- before ---- */

static int
use_ciphers(struct server *s, const char *given, struct buf *reason)
{
	struct buf list = { 0 };
	enum ctl_status status = CTL_FOUND;
	int rc = 0;

	if (given)
		buf_adds(&list, given);
	else
		status = ctl_list("tlsserverciphers", &list);
	for (size_t i = 0; i < list.n; i++)
		if (list.p[i] == '\0')
			list.p[i] = ':';
	if (status == CTL_ERROR || (list.n && tlsopt_ciphers(s->ctx, buf_span(&list)) == -1))
		rc = -1;
	if (rc == -1)
		buf_adds(reason, "control/tlsserverciphers names no cipher");
	buf_free(&list);
	return rc;
}

static int
use_version(struct server *s, struct buf *reason)
{
	struct buf line = { 0 };
	enum ctl_status status = ctl_line("tlsservermin", &line);
	int rc = 0;

	if (status == CTL_ERROR ||
	    (status == CTL_FOUND && tlsopt_min(s->ctx, buf_span(&line)) == -1))
		rc = -1;
	if (rc == -1)
		buf_adds(reason, "control/tlsservermin is not 1.0, 1.1, 1.2 or 1.3");
	buf_free(&line);
	return rc;
}

/* `why (control/clientca.pem)`: what is wrong, unless somebody has said so, and with which file. */
static int
complain(struct buf *reason, const char *why, const char *file)
{
	if (!reason->n)
		buf_adds(reason, why);
	buf_adds(reason, " (");
	buf_adds(reason, file);
	buf_addc(reason, ')');
	return -1;
}

/* Certificates of clients are wanted where both files are; nobody must have one. */
static int
ask_clients(struct server *s, struct buf *reason)
{
	struct buf text = BUF_CAP(AUTHORITIES_MAX);
	const char *file = "control/tlsclients";
	enum ctl_status status = ctl_list("tlsclients", &text);
	int rc = 0, error;

	if (status == CTL_FOUND && (status = ctl_path_text(file = CLIENT_AUTHORITIES, &text)) ==
	    CTL_FOUND) {
		s->asks = true;
		rc = authorities_add(s->ctx, buf_span(&text), reason);
		if (rc == 0)
			rc = authorities_announce(s->ctx, buf_span(&text));
		if (rc == 0 && (status = ctl_path_text(file = CLIENT_REVOKED, &text)) ==
		    CTL_FOUND)
			rc = authorities_add_lists(s->ctx, buf_span(&text), reason);
	}
	error = errno;
	buf_free(&text);
	if (status == CTL_ERROR)
		return complain(reason, errtext(error), file);
	if (rc == -1)
		return complain(reason, "not usable", file);
	SSL_CTX_set_verify(s->ctx, s->asks ? SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE :
	    SSL_VERIFY_NONE, authorities_accept);
	return 0;
}

/* The client has said which name it wants. */
static int
choose(SSL *ssl, int *alert, void *arg)
{
	struct server *s = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	s->name[0] = '\0';
	s->chosen = name ? hostkeys_find(&s->keys, span_str(name)) : NULL;
	if (!s->chosen)
		return SSL_TLSEXT_ERR_NOACK;
	memcpy(s->name, s->chosen->name, sizeof s->name);
	return SSL_TLSEXT_ERR_OK;
}

static enum tlspem_status
give(struct server *s, SSL *ssl, const struct buf *text)
{
	enum tlspem_status status = TLSPEM_OK;

	if (s->given == text)
		return status;
	SSL_certs_clear(ssl);
	status = tlspem_use(ssl, buf_span(text));
	s->given = status == TLSPEM_OK ? text : NULL;
	return status;
}

/* The client needs a certificate, having no ticket.  One for a name that is of no use is none. */
static int
show_certificate(SSL *ssl, void *arg)
{
	struct server *s = arg;

	if (s->chosen && give(s, ssl, &s->chosen->text) != TLSPEM_OK) {
		s->chosen = NULL;
		s->name[0] = '\0';
	}
	return s->chosen || give(s, ssl, &s->keys.main) == TLSPEM_OK;
}

static int
make_context(struct server *s, const char *ciphers, struct buf *reason)
{
	if (!(s->ctx = tlsopt_new(TLS_server_method()))) {
		buf_adds(reason, "unable to create SSL context");
		return -1;
	}
	/* The version first: old ones need another level of security. */
	if (use_version(s, reason) == -1 || use_ciphers(s, ciphers, reason) == -1 ||
	    ask_clients(s, reason) == -1)
		return -1;
	/* A ticket would bring a client's certificate back without another look at it, so one that
	 * was revoked meanwhile would still count. */
	tickets_use(s->ctx, !s->asks && tickets_read(&s->tickets, TICKETS_FILE, date_now()) ?
	    &s->tickets : NULL, buf_span(&s->keys.main));
	SSL_CTX_set_cert_cb(s->ctx, show_certificate, s);
	(void)SSL_CTX_set_tlsext_servername_callback(s->ctx, choose);
	(void)SSL_CTX_set_tlsext_servername_arg(s->ctx, s);
	return 0;
}

/* Is the main certificate of use?  To parse it takes as long as all the rest, and most clients come
 * with a ticket. */
static enum tlspem_status
try_certificate(struct server *s)
{
	const struct span text = buf_span(&s->keys.main);
	const int level = SSL_get_security_level(s->ssl);
	enum tlspem_status status;

	if (!s->thorough && tickets_knows(&s->tickets, text, level))
		return TLSPEM_OK;
	status = give(s, s->ssl, &s->keys.main);
	if (status == TLSPEM_OK)
		tickets_remember(&s->tickets, TICKETS_FILE, text, level);
	return status;
}

enum tlspem_status
server_prepare(struct server *s, int cert_fd, const char *name, const char *ciphers,
    struct buf *reason)
{
	enum tlspem_status status = hostkeys_read(&s->keys, cert_fd);

	if (status == TLSPEM_OK && make_context(s, ciphers, reason) == -1)
		return TLSPEM_REFUSED;
	if (status == TLSPEM_OK && !(s->ssl = SSL_new(s->ctx)))
		status = TLSPEM_REFUSED;
	if (status == TLSPEM_OK)
		status = try_certificate(s);
	if (status != TLSPEM_OK) {
		buf_adds(reason, name);
		buf_adds(reason, ": ");
		buf_adds(reason, tlspem_words(status));
		return status;
	}
	SSL_set_accept_state(s->ssl);
	return TLSPEM_OK;
}

void
server_free(struct server *s)
{
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	hostkeys_wipe(&s->keys);
	tickets_wipe(&s->tickets);
}

/* ---- the handshake ---- */

int
server_meet(struct server *s, struct pump *pump, struct buf *reason)
{
	int rc = pump_handshake(pump, deadline_after(PUMP_HANDSHAKE_MAX_MS), reason);

	SSL_certs_clear(s->ssl);
	s->chosen = NULL;
	s->given = NULL;
	hostkeys_wipe(&s->keys);
	tickets_wipe(&s->tickets);
	return rc;
}

/* ---- after ---- */

static void
add_detail(struct buf *to, const char *name, struct span value)
{
	buf_adds(to, name);
	buf_addc(to, '=');
	log_add_visible(to, span_head(value, VALUE_MAX), true, '?');
	buf_addc(to, '\0');
}

static void
add_number(struct buf *to, const char *name, uint64_t value)
{
	char text[NUM_U64_SIZE];

	(void)num_format(text, value);
	add_detail(to, name, span_str(text));
}

static void
add_subject(struct buf *to, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n;

	if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) >= 0 &&
	    (n = BIO_get_mem_data(bio, &text)) > 0)
		add_detail(to, "SSL_CLIENT_S_DN", span_of(text, (size_t)n));
	BIO_free(bio);
}

/* Those of the subject and of the subject's other names; the library drops what has NULs. */
static void
add_emails(struct buf *to, X509 *cert)
{
	STACK_OF(OPENSSL_STRING) *emails = X509_get1_email(cert);

	for (int i = 0; emails && i < sk_OPENSSL_STRING_num(emails) && i < SERVER_EMAILS_MAX; i++) {
		char name[] = "SSL_CLIENT_EMAIL_0";

		name[sizeof name - 2] = (char)('0' + i);
		add_detail(to, name, span_str(sk_OPENSSL_STRING_value(emails, i)));
	}
	X509_email_free(emails);
}

static void
add_client(struct buf *to, SSL *ssl)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	long verdict = SSL_get_verify_result(ssl);
	struct buf failed = { 0 };

	if (!cert)
		return;
	buf_adds(&failed, "FAILED:");
	buf_adds(&failed, X509_verify_cert_error_string(verdict));
	add_detail(to, "SSL_CLIENT_VERIFY", verdict == X509_V_OK ? span_str("SUCCESS") :
	    buf_span(&failed));
	add_subject(to, cert);
	if (verdict == X509_V_OK)
		add_emails(to, cert);
	buf_free(&failed);
	X509_free(cert);
}

void
server_details(const struct server *s, struct buf *details)
{
	add_detail(details, "SSL_PROTOCOL", span_str(SSL_get_version(s->ssl)));
	add_detail(details, "SSL_CIPHER", span_str(SSL_get_cipher_name(s->ssl)));
	add_number(details, "SSL_CIPHER_USEKEYSIZE", (uint64_t)SSL_get_cipher_bits(s->ssl, NULL));
	if (s->name[0])
		add_detail(details, "SSL_TLS_SNI", span_str(s->name));
	if (s->asks)
		add_client(details, s->ssl);
	buf_addc(details, '\0');
}
