/* ip: text and bytes, equality of the two forms of IPv4, our own addresses. */
#include "net/ip.h"

#include "tap.h"

static const struct {
	const char *text;
	const char *formatted;	/* NULL: refused */
} plain[] = {
	{ "1.2.3.4", "1.2.3.4" },
	{ "0.0.0.0", "0.0.0.0" },
	{ "255.255.255.255", "255.255.255.255" },
	{ "001.2.3.4", "1.2.3.4" },
	{ "256.2.3.4", NULL },
	{ "1.2.3.256", NULL },
	{ "1.2.3", NULL },
	{ "1.2.3.", NULL },
	{ "1.2.3.4.", NULL },
	{ "1.2.3.4.5", NULL },
	{ "1..3.4", NULL },
	{ ".1.2.3", NULL },
	{ " 1.2.3.4", NULL },
	{ "1.2.3.4 ", NULL },
	{ "1.2.3.4x", NULL },
	{ "+1.2.3.4", NULL },
	{ "-1.2.3.4", NULL },
	{ "99999999999999999999.2.3.4", NULL },
	{ "", NULL },
	{ "[1.2.3.4]", NULL },
	{ "::", "::" },
	{ "::1", "::1" },
	{ "2001:DB8::1", "2001:db8::1" },
	{ "2001:db8:0:0:0:0:0:1", "2001:db8::1" },
	{ "::ffff:1.2.3.4", "1.2.3.4" },
	{ "::ffff:102:304", "1.2.3.4" },
	{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
	{ "0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255" },
	{ "1:2:3:4:5:6:7:8:9", NULL },
	{ "1:2:3:4:5:6:7", NULL },
	{ "1::2::3", NULL },
	{ "12345::", NULL },
	{ "fe80::1%lo", NULL },
	{ "IPv6:::1", NULL },
	{ "00000:0000:0000:0000:0000:ffff:255.255.255.255", NULL },
};

static const struct {
	const char *text;
	const char *formatted;
} literals[] = {
	{ "[1.2.3.4]", "1.2.3.4" },
	{ "[IPv6:::1]", "::1" },
	{ "[ipv6:2001:db8::2]", "2001:db8::2" },
	{ "[2001:db8::2]", "2001:db8::2" },
	{ "[IPv6:1.2.3.4]", NULL },
	{ "1.2.3.4", NULL },
	{ "[1.2.3.4", NULL },
	{ "1.2.3.4]", NULL },
	{ "[1.2.3.4]x", NULL },
	{ "[]", NULL },
	{ "[", NULL },
	{ "", NULL },
	{ "[[1.2.3.4]]", NULL },
};

static const struct {
	const char *a, *b;
	bool equal;
} pairs[] = {
	{ "1.2.3.4", "1.2.3.4", true },
	{ "1.2.3.4", "1.2.3.5", false },
	{ "1.2.3.4", "::ffff:1.2.3.4", true },
	{ "::ffff:1.2.3.4", "1.2.3.4", true },
	{ "::ffff:1.2.3.4", "::ffff:1.2.3.4", true },
	{ "::ffff:1.2.3.4", "::ffff:1.2.3.5", false },
	{ "::1", "::1", true },
	{ "::1", "::2", false },
	{ "0.0.0.0", "::", false },
	{ "0.0.0.1", "::1", false },
};

static void
check(struct tap *t, bool parsed, const struct ip *ip, const char *text, const char *formatted)
{
	char out[IP_TEXT_SIZE];

	if (!formatted)
		ok(t, !parsed, "`%s` is refused", text);
	else
		ok(t, parsed && strcmp(ip_format(ip, out), formatted) == 0, "`%s` is %s", text,
		    formatted);
}

static void
test_own(struct tap *t)
{
	struct ip_list own = { 0 };
	struct ip ip;

	ok(t, ip_own(&own) == 0, "own addresses are known");
	ok(t, ip_parse(span_str("0.0.0.0"), &ip) && ip_list_has(&own, &ip), "0.0.0.0 is ours");
	ok(t, ip_parse(span_str("::"), &ip) && ip_list_has(&own, &ip), ":: is ours");
	ok(t, ip_parse(span_str("::1"), &ip) && ip_list_has(&own, &ip), "::1 is ours");
	ok(t, ip_parse(span_str("192.0.2.255"), &ip) && !ip_list_has(&own, &ip),
	    "192.0.2.255 is not");
	ip_list_free(&own);
	ok(t, own.n == 0 && !ip_list_has(&own, &ip), "a freed list is empty");
}

int
main(void)
{
	struct tap t = { 0 };
	struct ip a = { 0 }, b = { 0 };
	char out[IP_TEXT_SIZE];

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		check(&t, ip_parse(span_str(plain[i].text), &a), &a, plain[i].text,
		    plain[i].formatted);
	ok(&t, !ip_parse(span_of("::1\0", 4), &a), "NUL is refused");
	for (size_t i = 0; i < sizeof literals / sizeof *literals; i++)
		check(&t, ip_parse_literal(span_str(literals[i].text), &a), &a, literals[i].text,
		    literals[i].formatted);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		ok(&t, ip_parse(span_str(pairs[i].a), &a) && ip_parse(span_str(pairs[i].b), &b) &&
		    ip_equal(&a, &b) == pairs[i].equal, "%s and %s are %s", pairs[i].a, pairs[i].b,
		    pairs[i].equal ? "equal" : "not equal");
	a = (struct ip){ 0 };
	is(&t, span_str(ip_format(&a, out)), span_str(""), "no address has no text");
	test_own(&t);
	return done(&t);
}
