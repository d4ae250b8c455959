/* hostkeys: which names from the network may become part of a path. */
#include "tls/hostkeys.h"

#include "tap.h"

static const struct {
	const char *name, *as;		/* NULL: refused */
} rows[] = {
	{ "mail.example.org", "mail.example.org" },
	{ "MAIL.Example.ORG", "mail.example.org" },
	{ "a", "a" },
	{ "1-2.3", "1-2.3" },
	{ "a..b", "a..b" },
	{ "a.", "a." },
	{ "-", "-" },
	{ "", NULL },
	{ ".", NULL },
	{ "..", NULL },
	{ ".hidden", NULL },
	{ "../servercert.pem", NULL },
	{ "a/b", NULL },
	{ "a\\b", NULL },
	{ "a_b", NULL },
	{ "a b", NULL },
	{ "a\nb", NULL },
	{ "*.example.org", NULL },
	{ "\303\244.example", NULL },
};

int
main(void)
{
	struct tap t = { 0 };
	char out[HOSTKEYS_NAME_MAX + 1], name[HOSTKEYS_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int r = hostkeys_name(span_str(rows[i].name), out);

		ok(&t, rows[i].as ? r == 0 && strcmp(out, rows[i].as) == 0 : r == -1,
		    "name %zu", i);
	}
	ok(&t, hostkeys_name(span_of("a\0b", 3), out) == -1, "a NUL");
	memset(name, 'x', sizeof name);
	for (size_t n = HOSTKEYS_NAME_MAX - 1; n <= HOSTKEYS_NAME_MAX + 1; n++)
		ok(&t, hostkeys_name(span_of(name, n), out) == (n <= HOSTKEYS_NAME_MAX ? 0 : -1),
		    "%zu bytes", n);
	return done(&t);
}
