/* tlsopt: one list of ciphers for all versions of TLS; the oldest version. */
#include "tls/tlsopt.h"

#include "tap.h"

static const struct {
	const char *list;
	int r;
	const char *has, *has_not;
} rows[] = {
	{ "DEFAULT", 0, "ECDHE-RSA-AES128-GCM-SHA256", "AES128-GCM-SHA256" },
	{ "ECDHE-RSA-AES128-GCM-SHA256", 0, "TLS_AES_256_GCM_SHA384",
	    "ECDHE-RSA-AES256-GCM-SHA384" },
	{ "TLS_AES_128_GCM_SHA256", 0, "ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_256_GCM_SHA384" },
	{ "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256", 0, "TLS_AES_128_GCM_SHA256",
	    "TLS_AES_256_GCM_SHA384" },
	{ "NONE, HIGH", 0, "ECDHE-RSA-AES256-GCM-SHA384", "NULL-SHA256" },
	{ "ALL:COMPLEMENTOFALL", 0, "ECDHE-RSA-AES256-GCM-SHA384", "ADH-AES256-GCM-SHA384" },
	{ "eNULL:HIGH", 0, "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-NULL-SHA" },
	{ "kRSA", -1, NULL, NULL },
	{ "NONE", -1, NULL, NULL },
	{ "TLS_NONE", -1, NULL, NULL },
	{ "", -1, NULL, NULL },
	{ " : , ", -1, NULL, NULL },
};

static bool
has(SSL_CTX *ctx, const char *name)
{
	SSL *ssl = SSL_new(ctx);
	bool found = false;

	for (int i = 0; ssl && !found && SSL_get_cipher_list(ssl, i); i++)
		found = strcmp(SSL_get_cipher_list(ssl, i), name) == 0;
	SSL_free(ssl);
	return found;
}

static void
test_ciphers(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		SSL_CTX *ctx = tlsopt_new(TLS_server_method());
		int r = ctx ? tlsopt_ciphers(ctx, span_str(rows[i].list)) : -2;

		ok(t, r == rows[i].r, "`%s`: %d", rows[i].list, r);
		if (rows[i].has)
			ok(t, has(ctx, rows[i].has), "`%s` has %s", rows[i].list, rows[i].has);
		if (rows[i].has_not)
			ok(t, !has(ctx, rows[i].has_not), "`%s` has no %s", rows[i].list,
			    rows[i].has_not);
		SSL_CTX_free(ctx);
	}
}

static void
test_length(struct tap *t)
{
	static char list[TLSOPT_CIPHERS_MAX + 2];

	for (size_t n = TLSOPT_CIPHERS_MAX - 1; n <= TLSOPT_CIPHERS_MAX + 1; n++) {
		SSL_CTX *ctx = tlsopt_new(TLS_server_method());

		memset(list, ':', n);
		memcpy(list, "HIGH", 4);
		ok(t, tlsopt_ciphers(ctx, span_of(list, n)) == (n <= TLSOPT_CIPHERS_MAX ? 0 : -1),
		    "%zu bytes", n);
		SSL_CTX_free(ctx);
	}
}

static void
test_versions(struct tap *t)
{
	static const struct {
		const char *name;
		int r;
		long version;
	} versions[] = {
		{ "1.0", 0, TLS1_VERSION }, { "1.1", 0, TLS1_1_VERSION },
		{ "1.2", 0, TLS1_2_VERSION }, { "1.3", 0, TLS1_3_VERSION },
		{ "1.4", -1, TLS1_2_VERSION }, { "", -1, TLS1_2_VERSION },
		{ "1", -1, TLS1_2_VERSION }, { "SSLv3", -1, TLS1_2_VERSION },
	};

	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		SSL_CTX *ctx = tlsopt_new(TLS_server_method());

		ok(t, ctx && tlsopt_min(ctx, span_str(versions[i].name)) == versions[i].r &&
		    SSL_CTX_get_min_proto_version(ctx) == versions[i].version, "version `%s`",
		    versions[i].name);
		SSL_CTX_free(ctx);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_ciphers(&t);
	test_length(&t);
	test_versions(&t);
	return done(&t);
}
