/* md5: the vectors of RFC 1321, RFC 2202, RFC 1939 and RFC 2195. */
#include "lib/md5.h"

#include "tap.h"

static const struct {
	const char *text, *hex;
} plain[] = {
	{ "", "d41d8cd98f00b204e9800998ecf8427e" },
	{ "a", "0cc175b9c0f1b6a831c399e269772661" },
	{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
	{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
	{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
	{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	    "d174ab98d277d9f5a5611c2c9f419d9f" },
	{ "1234567890123456789012345678901234567890123456789012345678901234567890123456789"
	    "0", "57edf4a22be3c955ac49da2e2107b67a" },
	/* RFC 1939, 7: APOP */
	{ "<1896.697170952@dbc.mtview.ca.us>tanstaaf", "c4c9334bac560ecc979e58001b3e22fb" },
};

#define TIMES(c, n) { c, n }

static const struct {
	const char *key;
	struct { char c; size_t n; } key_run;
	const char *text;
	struct { char c; size_t n; } text_run;
	const char *hex;
} keyed[] = {
	{ NULL, TIMES(0x0b, 16), "Hi There", TIMES(0, 0), "9294727a3638bb1c13f48ef8158bfc9d" },
	{ "Jefe", TIMES(0, 0), "what do ya want for nothing?", TIMES(0, 0),
	    "750c783e6ab0b503eaa86e310a5db738" },
	{ NULL, TIMES((char)0xaa, 16), NULL, TIMES((char)0xdd, 50),
	    "56be34521d144c88dbb8c733f0e8b3f6" },
	{ NULL, TIMES((char)0xaa, 80), "Test Using Larger Than Block-Size Key - Hash Key First",
	    TIMES(0, 0), "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd" },
	{ NULL, TIMES((char)0xaa, 80),
	    "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
	    TIMES(0, 0), "6f630fad67cda0ee1fb1f562db3aa53e" },
	/* RFC 2195, 2: CRAM-MD5 */
	{ "tanstaaftanstaaf", TIMES(0, 0), "<1896.697170952@postoffice.reston.mci.net>",
	    TIMES(0, 0), "b913a602c7eda7a495b4e6e7334d3890" },
};

static struct span
run_or(const char *text, char c, size_t n, char *room)
{
	if (text)
		return span_str(text);
	memset(room, c, n);
	return span_of(room, n);
}

int
main(void)
{
	struct tap t = { 0 };
	unsigned char digest[MD5_SIZE], whole[MD5_SIZE];
	char hex[MD5_HEX_SIZE], long_text[300], key[100], text[100];

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		struct md5 m;

		md5_begin(&m);
		md5_add(&m, span_str(plain[i].text));
		md5_end(&m, digest);
		md5_hex(digest, hex);
		is(&t, span_str(hex), span_str(plain[i].hex), plain[i].text);
	}
	for (size_t i = 0; i < sizeof keyed / sizeof *keyed; i++) {
		md5_hmac(run_or(keyed[i].key, keyed[i].key_run.c, keyed[i].key_run.n, key),
		    run_or(keyed[i].text, keyed[i].text_run.c, keyed[i].text_run.n, text), digest);
		md5_hex(digest, hex);
		is(&t, span_str(hex), span_str(keyed[i].hex), "keyed");
	}
	memset(long_text, 'x', sizeof long_text);
	for (size_t n = 0; n <= sizeof long_text; n++) {
		struct md5 m;
		bool same;

		md5_begin(&m);
		md5_add(&m, span_of(long_text, n));
		md5_end(&m, whole);
		md5_begin(&m);
		for (size_t i = 0; i < n; i++)
			md5_add(&m, span_of(long_text + i, 1));
		md5_end(&m, digest);
		same = memcmp(whole, digest, sizeof whole) == 0;
		if (!same || n % 50 == 0)
			ok(&t, same, "%zu bytes, one by one", n);
	}
	return done(&t);
}
