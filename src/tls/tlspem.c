/* tlspem - private keys, certificates and chains from PEM text. */
#include "tls/tlspem.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/io.h"

struct parts {
	EVP_PKEY *keys[TLSPEM_KEYS_MAX];
	size_t nkeys;
	STACK_OF(X509) *certs;
};

const char *
tlspem_words(enum tlspem_status status)
{
	switch (status) {
	case TLSPEM_OK:
		return "fine";
	case TLSPEM_NO_FILE:
		return strerror(errno);
	case TLSPEM_NO_KEY:
		return "no private key that can be read";
	case TLSPEM_NO_CERT:
		return "no certificate that belongs to a key";
	case TLSPEM_REFUSED:
		break;
	}
	return "key or certificate too weak, or no memory";
}

enum tlspem_status
tlspem_read(int fd, struct buf *text)
{
	struct stat st;
	off_t at = 0;

	if (fstat(fd, &st) == -1)
		return TLSPEM_NO_FILE;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)TLSPEM_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return TLSPEM_NO_FILE;
	}
	/* All at once: growing would leave copies of a key behind. */
	buf_init(text, TLSPEM_MAX + 1);
	if (!buf_room(text, (size_t)st.st_size + 1)) {
		errno = ENOMEM;
		return TLSPEM_NO_FILE;
	}
	while (at < st.st_size) {
		ssize_t r = io_pread(fd, text->p + text->n, (size_t)(st.st_size - at), at);

		if (r == -1)
			return TLSPEM_NO_FILE;
		if (r == 0)
			break;
		buf_added(text, (size_t)r);
		at += r;
	}
	return TLSPEM_OK;
}

/* An encrypted key has nobody to ask. */
static int
no_password(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static BIO *
open_text(struct span text)
{
	return BIO_new_mem_buf(text.p, (int)text.n);
}

/* How many keys there can be, at most TLSPEM_KEYS_MAX.  Each has two such lines. */
static size_t
count_keys(struct span text)
{
	static const char mark[] = "PRIVATE KEY-----";
	const size_t size = sizeof mark - 1;
	size_t lines = 0;

	for (size_t i = 0; i + size <= text.n && lines < 2 * TLSPEM_KEYS_MAX; i++)
		if (text.p[i] == mark[0] && memcmp(text.p + i, mark, size) == 0)
			lines++;
	return (lines + 1) / 2;
}

/* To look for one more, in vain, would take the library as long as to read one. */
static void
read_keys(struct parts *p, struct span text)
{
	const size_t most = count_keys(text);
	BIO *bio = open_text(text);
	EVP_PKEY *key;

	while (bio && p->nkeys < most &&
	    (key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)))
		p->keys[p->nkeys++] = key;
	BIO_free(bio);
}

static void
read_certs(struct parts *p, struct span text)
{
	BIO *bio = open_text(text);
	X509 *cert;

	p->certs = sk_X509_new_null();
	while (bio && p->certs && (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)))
		if (sk_X509_push(p->certs, cert) == 0)
			X509_free(cert);
	BIO_free(bio);
}

static X509 *
cert_of(const struct parts *p, EVP_PKEY *key)
{
	for (int i = 0; i < sk_X509_num(p->certs); i++) {
		const EVP_PKEY *public = X509_get0_pubkey(sk_X509_value(p->certs, i));

		if (public && EVP_PKEY_eq(public, key) == 1)
			return sk_X509_value(p->certs, i);
	}
	return NULL;
}

static X509 *
issuer_of(const struct parts *p, X509 *cert, STACK_OF(X509) *chain)
{
	for (int i = 0; i < sk_X509_num(p->certs); i++) {
		X509 *candidate = sk_X509_value(p->certs, i);

		if (candidate != cert && X509_check_issued(candidate, cert) == X509_V_OK &&
		    sk_X509_find(chain, candidate) < 0)
			return candidate;
	}
	return NULL;
}

/* The certificates above this one, nearest first, as far as they are there. */
static STACK_OF(X509) *
chain_of(const struct parts *p, X509 *leaf)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *cert = leaf;

	while (chain && (cert = issuer_of(p, cert, chain)) && cert != leaf)
		if (sk_X509_push(chain, cert) == 0)
			break;
	return chain;
}

static enum tlspem_status
use_key(SSL *ssl, const struct parts *p, EVP_PKEY *key, size_t *used)
{
	X509 *leaf = cert_of(p, key);
	STACK_OF(X509) *chain;
	int r;

	if (!leaf)
		return TLSPEM_OK;
	if (!(chain = chain_of(p, leaf)))
		return TLSPEM_REFUSED;
	r = SSL_use_cert_and_key(ssl, leaf, key, chain, 1);
	sk_X509_free(chain);
	*used += r == 1;
	return r == 1 ? TLSPEM_OK : TLSPEM_REFUSED;
}

enum tlspem_status
tlspem_use(SSL *ssl, struct span text)
{
	enum tlspem_status status = TLSPEM_OK;
	struct parts p = { .nkeys = 0 };
	size_t used = 0;

	read_keys(&p, text);
	read_certs(&p, text);
	if (!p.certs)
		status = TLSPEM_REFUSED;
	for (size_t i = 0; status == TLSPEM_OK && i < p.nkeys; i++)
		status = use_key(ssl, &p, p.keys[i], &used);
	if (status == TLSPEM_OK && !p.nkeys)
		status = TLSPEM_NO_KEY;
	else if (status == TLSPEM_OK && !used)
		status = TLSPEM_NO_CERT;
	for (size_t i = 0; i < p.nkeys; i++)
		EVP_PKEY_free(p.keys[i]);
	sk_X509_pop_free(p.certs, X509_free);
	ERR_clear_error();
	return status;
}
