/* tlsopt - what client and server have in common: protocol versions, lists of ciphers. */
#include "tls/tlsopt.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "lib/buf.h"
#include "lib/sys.h"

/* Keys that only sign cannot become an oracle for what was encrypted to them. */
#define NEVER ":!kRSA:!aNULL:!eNULL"
/* No finite fields: they cost the server much more than the client. */
#define GROUPS "X25519:P-256:X448:P-384:P-521"
#define OLD_VERSIONS ":@SECLEVEL=0"	/* their signatures are below the default level */

/* The library frees some copies of keys as they are; with these, nothing of them is left. */
static void *
allocate(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return malloc(n);
}

static void *
reallocate(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return sys_wipe_realloc(p, n);
}

static void
release(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	sys_wipe_free(p);
}

SSL_CTX *
tlsopt_new(const SSL_METHOD *method)
{
	char groups[] = GROUPS;		/* the library's macro takes a const away */
	SSL_CTX *ctx;

	/* Fails if the library has allocated something already, which then holds no key. */
	(void)CRYPTO_set_mem_functions(allocate, reallocate, release);
	/* A table of ciphers by name, for which TLS has no use, is left out by the first call. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_ATEXIT, NULL) != 1 ||
	    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1 ||
	    !(ctx = SSL_CTX_new(method)))
		return NULL;
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
	    SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, "DEFAULT" NEVER) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, groups) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

int
tlsopt_min(SSL_CTX *ctx, struct span version)
{
	static const struct {
		const char *name;
		int number;
	} versions[] = {
		{ "1.0", TLS1_VERSION }, { "1.1", TLS1_1_VERSION }, { "1.2", TLS1_2_VERSION },
		{ "1.3", TLS1_3_VERSION },
	};

	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		if (!span_eq(version, span_str(versions[i].name)))
			continue;
		if (versions[i].number < TLS1_2_VERSION)
			SSL_CTX_set_security_level(ctx, 0);
		return SSL_CTX_set_min_proto_version(ctx, versions[i].number) == 1 ? 0 : -1;
	}
	return -1;
}

/* Does the library know this one? */
static bool
is_suite(SSL_CTX *ctx, struct span name)
{
	char one[64];

	if (name.n < 4 || name.n >= sizeof one || memcmp(name.p, "TLS_", 4) != 0)
		return false;
	memcpy(one, name.p, name.n);
	one[name.n] = '\0';
	return SSL_CTX_set_ciphersuites(ctx, one) == 1;
}

static struct span
next_name(struct span *list)
{
	struct span name;
	size_t n = 0;

	while (n < list->n && !memchr(":, \t", list->p[n], 4))
		n++;
	name = span_head(*list, n);
	*list = span_tail(*list, n + 1);
	return name;
}

static void
add_name(struct buf *names, struct span name)
{
	if (names->n)
		buf_addc(names, ':');
	buf_addspan(names, name);
}

int
tlsopt_ciphers(SSL_CTX *ctx, struct span list)
{
	struct buf suites = BUF_CAP(TLSOPT_CIPHERS_MAX), rules = BUF_CAP(2 * TLSOPT_CIPHERS_MAX);
	int rc = list.n > TLSOPT_CIPHERS_MAX ? -1 : 0;

	while (rc == 0 && list.n) {
		struct span name = next_name(&list);

		if (name.n)
			add_name(is_suite(ctx, name) ? &suites : &rules, name);
	}
	if (!suites.n && !rules.n)
		rc = -1;
	/* Nothing for one of the two leaves it at its default. */
	if (rc == 0 && rules.n) {
		buf_adds(&rules, NEVER);
		if (SSL_CTX_get_security_level(ctx) == 0)
			buf_adds(&rules, OLD_VERSIONS);
		if (!buf_ok(&rules) || SSL_CTX_set_cipher_list(ctx, buf_str(&rules)) != 1)
			rc = suites.n ? 0 : -1;
	}
	if (!buf_ok(&suites) || SSL_CTX_set_ciphersuites(ctx, suites.n ? buf_str(&suites) :
	    TLS_DEFAULT_CIPHERSUITES) != 1)
		rc = -1;
	ERR_clear_error();
	buf_free(&suites);
	buf_free(&rules);
	return rc;
}
