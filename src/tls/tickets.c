/* tickets - keys that encrypt session tickets. */
#include "tls/tickets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lib/io.h"
#include "lib/siphash.h"
#include "lib/sys.h"

#define SKEW_S 60

/* Who made two marks the same would be the administrator. */
static const unsigned char no_key[SIPHASH_KEY];

static bool
is_fresh(const struct ticket_key *key, int64_t now, int64_t seconds)
{
	/* Another process may have looked at the clock a moment later than we. */
	return key->made > 0 && key->made - now <= SKEW_S && now - key->made < seconds;
}

/* The file as it is; keys from the future or from long ago are none. */
static void
load(struct tickets *t, int fd, int64_t now)
{
	if (io_pread(fd, t, sizeof *t, 0) != (ssize_t)sizeof *t)
		tickets_wipe(t);
	for (size_t i = 0; i < 2; i++)
		if (!is_fresh(&t->key[i], now, INT64_C(2) * TICKETS_LIFETIME_S))
			sys_wipe(&t->key[i], sizeof t->key[i]);
}

static int
renew(struct tickets *t, int64_t now)
{
	struct ticket_key *key = &t->key[0];

	if (key->made)
		t->key[1] = *key;
	key->made = now;
	memset(t->known, 0, sizeof t->known);	/* it was by the other name */
	return sys_random(key->name, sizeof key->name) == 0 &&
	    sys_random(key->cipher, sizeof key->cipher) == 0 &&
	    sys_random(key->mac, sizeof key->mac) == 0 ? 0 : -1;
}

/* Who reads without the lock may see a part of it: such a key fits no ticket, and a full handshake
 * follows. */
static int
store(const struct tickets *t, int fd)
{
	return lseek(fd, 0, SEEK_SET) == -1 ? -1 : io_write_all(fd, t, sizeof *t);
}

/* Under the lock: has somebody else been faster?  Nobody waits for it: who holds it could be
 * stopped by whoever started it, and the keys there are are good for a while. */
static int
renew_file(struct tickets *t, int fd, int64_t now)
{
	if (sys_flock_try(fd) == -1)
		return t->key[0].made ? 0 : -1;
	load(t, fd, now);
	if (is_fresh(&t->key[0], now, TICKETS_LIFETIME_S))
		return 0;
	return renew(t, now) == -1 ? -1 : store(t, fd);
}

/* -1: it is not there and cannot be made, or others could have written it. */
static int
open_own(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd == -1 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & 077) == 0))
		return fd;
	(void)close(fd);
	return -1;
}

bool
tickets_read(struct tickets *t, const char *path, int64_t now)
{
	int fd = open_own(path);
	bool good = true;

	tickets_wipe(t);
	if (fd == -1)
		return false;
	load(t, fd, now);
	if (!is_fresh(&t->key[0], now, TICKETS_LIFETIME_S))
		good = renew_file(t, fd, now) == 0;
	(void)close(fd);
	if (!good)
		tickets_wipe(t);
	return good;
}

static uint64_t
mark_of(const struct tickets *t, struct span text, int level)
{
	_Static_assert(sizeof t->key[0].name == SIPHASH_KEY, "a name is a key of SipHash");
	return siphash(t->key[0].name, text.p, text.n) + (uint64_t)level;
}

bool
tickets_knows(const struct tickets *t, struct span text, int level)
{
	const uint64_t mark = mark_of(t, text, level);

	return t->key[0].made && mark && t->known[mark % TICKETS_KNOWN] == mark;
}

void
tickets_remember(const struct tickets *t, const char *path, struct span text, int level)
{
	const uint64_t mark = mark_of(t, text, level);
	struct tickets now;
	int fd = t->key[0].made ? open_own(path) : -1;

	if (fd == -1)
		return;
	if (sys_flock_try(fd) == 0 && io_pread(fd, &now, sizeof now, 0) == (ssize_t)sizeof now &&
	    memcmp(&now.key[0], &t->key[0], sizeof now.key[0]) == 0) {
		now.known[mark % TICKETS_KNOWN] = mark;
		(void)!store(&now, fd);
	}
	(void)close(fd);
	tickets_wipe(&now);
}

void
tickets_wipe(struct tickets *t)
{
	sys_wipe(t, sizeof *t);
}

static const struct ticket_key *
find(const struct tickets *t, const unsigned char *name)
{
	for (size_t i = 0; i < 2; i++)
		if (t->key[i].made && memcmp(t->key[i].name, name, sizeof t->key[i].name) == 0)
			return &t->key[i];
	return NULL;
}

static int
set_mac(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
	char sha256[] = "SHA256";
	unsigned char secret[sizeof key->mac];
	OSSL_PARAM params[3];
	int r;

	memcpy(secret, key->mac, sizeof secret);
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, sizeof secret);
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0);
	params[2] = OSSL_PARAM_construct_end();
	r = EVP_MAC_CTX_set_params(mac, params);
	sys_wipe(secret, sizeof secret);
	return r == 1 ? 0 : -1;
}

/* OpenSSL asks: 1 go on, 2 go on and give a newer ticket, 0 a full handshake, -1 trouble. */
static int
set_keys(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
    int encrypt)
{
	const struct tickets *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct ticket_key *key = encrypt ? &t->key[0] : find(t, name);

	if (!key)
		return 0;
	if (encrypt) {
		memcpy(name, key->name, sizeof key->name);
		if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
			return -1;
	}
	if (EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, encrypt) != 1 ||
	    set_mac(mac, key) == -1)
		return -1;
	/* Clients use a ticket of TLS 1.3 only once (RFC 8446 C.4): each gets another. */
	return encrypt || (key == &t->key[0] && SSL_version(ssl) != TLS1_3_VERSION) ? 1 : 2;
}

/* Of what is on offer, in its order. */
static uint64_t
mark_ciphers(const SSL_CTX *ctx)
{
	const STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(ctx);
	uint64_t mark[2] = { 0, 0 };

	for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
		mark[1] = SSL_CIPHER_get_id(sk_SSL_CIPHER_value(list, i));
		mark[0] = siphash(no_key, mark, sizeof mark);
	}
	return mark[0];
}

void
tickets_use(SSL_CTX *ctx, struct tickets *t, struct span certificate)
{
	const uint64_t context[] = { siphash(no_key, certificate.p, certificate.n),
		mark_ciphers(ctx) };

	if (!t) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		(void)SSL_CTX_set_num_tickets(ctx, 0);
		return;
	}
	(void)SSL_CTX_set_app_data(ctx, t);
	(void)SSL_CTX_set_session_id_context(ctx, (const unsigned char *)context, sizeof context);
	(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, set_keys);
	(void)SSL_CTX_set_timeout(ctx, TICKETS_SESSION_S);
	(void)SSL_CTX_set_num_tickets(ctx, 1);
}
