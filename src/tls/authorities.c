/* authorities - whose certificates are believed. */
#include "tls/authorities.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/pump.h"

struct found {
	unsigned certs, lists;
};

static STACK_OF(X509_INFO) *
parse(struct span text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	STACK_OF(X509_INFO) *items = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return items;
}

static int
add_item(X509_STORE *store, const X509_INFO *item, struct found *found)
{
	if (item->x509) {
		found->certs++;
		if (X509_STORE_add_cert(store, item->x509) != 1)
			return -1;
	}
	if (item->crl) {
		found->lists++;
		if (X509_STORE_add_crl(store, item->crl) != 1)
			return -1;
	}
	return 0;
}

static int
add_all(SSL_CTX *ctx, struct span text, struct found *found, struct buf *reason)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	STACK_OF(X509_INFO) *items = parse(text);
	int rc = items ? 0 : -1;

	for (int i = 0; items && rc == 0 && i < sk_X509_INFO_num(items); i++)
		rc = add_item(store, sk_X509_INFO_value(items, i), found);
	if (rc == -1)
		pump_reason(reason);
	else if (found->lists)
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	sk_X509_INFO_pop_free(items, X509_INFO_free);
	ERR_clear_error();
	return rc;
}

int
authorities_add(SSL_CTX *ctx, struct span text, struct buf *reason)
{
	struct found found = { 0, 0 };

	if (add_all(ctx, text, &found, reason) == -1)
		return -1;
	if (found.certs)
		return 0;
	buf_adds(reason, "no certificate in it");
	return -1;
}

int
authorities_add_lists(SSL_CTX *ctx, struct span text, struct buf *reason)
{
	struct found found = { 0, 0 };

	if (add_all(ctx, text, &found, reason) == -1)
		return -1;
	if (found.lists && !found.certs)
		return 0;
	buf_adds(reason, "not only revocation lists in it");
	return -1;
}

int
authorities_announce(SSL_CTX *ctx, struct span text)
{
	STACK_OF(X509_INFO) *items = parse(text);
	int rc = items ? 0 : -1;

	for (int i = 0; items && rc == 0 && i < sk_X509_INFO_num(items); i++) {
		X509 *cert = sk_X509_INFO_value(items, i)->x509;

		if (cert && SSL_CTX_add_client_CA(ctx, cert) != 1)
			rc = -1;
	}
	sk_X509_INFO_pop_free(items, X509_INFO_free);
	return rc;
}

int
authorities_accept(int fine, X509_STORE_CTX *ctx)
{
	(void)fine;
	(void)ctx;
	return 1;
}
