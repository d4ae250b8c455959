/* tlsclient - qmail-remote's side: one handshake with a server, and what came of it. */
#include "tls/tlsclient.h"

#include <string.h>

#include <openssl/x509v3.h>

#include "lib/deadline.h"
#include "tls/authorities.h"
#include "tls/tlsopt.h"
#include "tls/tlspem.h"

/* ---- before ---- */

static bool
is_address(const char *host)
{
	return strchr(host, ':') || host[strspn(host, "0123456789.")] == '\0';
}

/* The name for SNI; the library's macro takes the const away. */
static int
set_host(struct tlsclient *c)
{
	struct buf name = { 0 };
	int rc = -1;

	if (is_address(c->host))
		return 0;
	buf_adds(&name, c->host);
	if (buf_ok(&name) && SSL_set_tlsext_host_name(c->ssl, name.p) == 1)
		rc = 0;
	buf_free(&name);
	return rc;
}

enum verdict_result
tlsclient_prepare(struct tlsclient *c, struct buf *reason)
{
	enum tlspem_status status;

	if (!(c->ctx = tlsopt_new(TLS_client_method()))) {
		buf_adds(reason, "out of memory");
		return VERDICT_LOCAL;
	}
	if (c->ciphers && tlsopt_ciphers(c->ctx, span_str(c->ciphers)) == -1) {
		buf_adds(reason, "no cipher in the list is known");
		return VERDICT_LOCAL;
	}
	if (c->verify && authorities_add(c->ctx, buf_span(&c->authorities), reason) == -1)
		return VERDICT_CAFILE;
	SSL_CTX_set_verify(c->ctx, c->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
	    authorities_accept);
	if (!(c->ssl = SSL_new(c->ctx)) || set_host(c) == -1) {
		buf_adds(reason, "out of memory, or a host name that is none");
		return VERDICT_LOCAL;
	}
	if (c->key.n && (status = tlspem_use(c->ssl, buf_span(&c->key))) != TLSPEM_OK) {
		buf_adds(reason, "client certificate: ");
		buf_adds(reason, tlspem_words(status));
		return VERDICT_LOCAL;
	}
	SSL_set_connect_state(c->ssl);
	return VERDICT_OK;
}

void
tlsclient_free(struct tlsclient *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	buf_wipe(&c->key);
	buf_free(&c->authorities);
}

/* ---- after ---- */

static void
add_digest(struct buf *hex, const unsigned char *digest, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		buf_addc(hex, "0123456789abcdef"[digest[i] >> 4]);
		buf_addc(hex, "0123456789abcdef"[digest[i] & 15]);
	}
}

static void
describe_key(X509 *cert, struct buf *hex)
{
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	unsigned n = 0;

	if (len > 0 && EVP_Digest(der, (size_t)len, digest, &n, EVP_sha256(), NULL) == 1)
		add_digest(hex, digest, n);
	OPENSSL_free(der);
}

/* The last common name, as it is the most specific; none with a NUL in it. */
static void
describe_name(X509 *cert, struct buf *cn)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = -1, last = -1;
	unsigned char *text = NULL;
	int n;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
		last = at;
	if (last < 0)
		return;
	n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject,
	    last)));
	if (n > 0 && !memchr(text, '\0', (size_t)n))
		buf_addspan(cn, span_head(span_of((const char *)text, (size_t)n),
		    VERDICT_VALUE_MAX));
	OPENSSL_free(text);
}

static void
describe(SSL *ssl, X509 *cert, struct verdict *v)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	buf_adds(&v->protocol, SSL_get_version(ssl));
	buf_adds(&v->cipher, SSL_get_cipher_name(ssl));
	v->bits = (uint64_t)SSL_get_cipher_bits(ssl, NULL);
	if (!cert)
		return;
	v->chain = (uint64_t)sk_X509_num(SSL_get_peer_cert_chain(ssl));
	describe_name(cert, &v->cn);
	if (X509_digest(cert, EVP_sha256(), digest, &n) == 1)
		add_digest(&v->cert_sha256, digest, n);
	describe_key(cert, &v->key_sha256);
}

static bool
has_dns_names(X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
		found |= sk_GENERAL_NAME_value(names, i)->type == GEN_DNS;
	GENERAL_NAMES_free(names);
	return found;
}

static bool
name_matches(X509 *cert, const char *host)
{
	if (is_address(host))
		return X509_check_ip_asc(cert, host, 0) == 1;
	return X509_check_host(cert, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static enum verdict_result
judge(const struct tlsclient *c, X509 *cert, struct verdict *v)
{
	long chain = SSL_get_verify_result(c->ssl);
	bool names;

	if (!cert)
		return VERDICT_NOCERT;
	if (chain != X509_V_OK) {
		buf_adds(&v->reason, X509_verify_cert_error_string(chain));
		return VERDICT_CHAIN;
	}
	if (name_matches(cert, c->host))
		return VERDICT_OK;
	names = has_dns_names(cert);
	if (!names && !v->cn.n)
		return VERDICT_NOCN;
	if (names)
		buf_reset(&v->cn);
	return VERDICT_NAME;
}

void
tlsclient_meet(const struct tlsclient *c, struct pump *pump, struct verdict *v)
{
	X509 *cert;

	if (pump_handshake(pump, deadline_after(PUMP_HANDSHAKE_MAX_MS), &v->reason) == -1) {
		v->result = VERDICT_TLS;
		return;
	}
	SSL_certs_clear(c->ssl);	/* our key has done its work */
	cert = SSL_get1_peer_certificate(c->ssl);
	describe(c->ssl, cert, v);
	if (c->verify) {
		v->result = judge(c, cert, v);
		v->verified = v->result == VERDICT_OK;
	}
	X509_free(cert);
}
