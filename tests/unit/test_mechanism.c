/* SPF: mechanisms that compare addresses, and the limits of what is asked (RFC 7208, 4.6.4, 5.3,
 * 5.4, 5.6). */
#include "spf/eval.h"

#include "spfzone.h"

static void
test_a(struct tap *t)
{
	static const char zone[] =
	    "e1.ex TXT v=spf1 a/0 -all\n"
	    "e2.ex TXT v=spf1 a/0 -all\n"
	    "e2.ex A 1.1.1.1\n"
	    "e2.ex AAAA 1234::2\n"
	    "e3.ex TXT v=spf1 a//0 -all\n"
	    "e3.ex A 1.1.1.1\n"
	    "e3.ex AAAA 1234::2\n"
	    "e4.ex TXT v=spf1 a:mail.ex/33 -all\n"
	    "e5.ex TXT v=spf1 a:mail.ex//129 -all\n"
	    "e6.ex TXT v=spf1 a//33 -all\n"
	    "e6.ex AAAA 1234::1\n"
	    "e7.ex TXT v=spf1 a:ex:8080 -all\n"
	    "e8.ex TXT v=spf1 a:foo:bar/baz.ex\n"
	    "foo:bar/baz.ex A 1.2.3.4\n"
	    "e9.ex TXT v=spf1 a:%{d}.111 -all\n"
	    "e10.ex TXT v=spf1 a:\n"
	    "e11.ex TXT v=spf1 a:111.222.33.44 -all\n"
	    "e12.ex TXT v=spf1 a:abc.123 -all\n"
	    "e13.ex TXT v=spf1 a:foo.example.xn--zckzah -all\n"
	    "foo.example.xn--zckzah A 1.2.3.4\n"
	    "e14.ex TXT v=spf1 a:ex.-com -all\n"
	    "e15.ex TXT v=spf1 a:museum -all\n"
	    "e16.ex TXT v=spf1 a:museum. -all\n"
	    "e17.ex TXT v=spf1 a:mail.ex. -all\n"
	    "e18.ex TXT v=spf1 a:mail.ex/24 -all\n"
	    "e19.ex TXT v=spf1 a:mail.ex/24//64 -all\n"
	    "e20.ex TXT v=spf1 a:mail.ex/024 -all\n"
	    "e21.ex TXT v=spf1 a:mail.ex/ -all\n"
	    "e22.ex TXT v=spf1 a:/24 -all\n"
	    "e23.ex TXT v=spf1 a -all\n"
	    "e23.ex A !\n"
	    "e24.ex TXT v=spf1 a///64 -all\n"
	    "e25.ex TXT v=spf1 a/32//128 -all\n"
	    "e25.ex A 1.2.3.4\n"
	    "e25.ex AAAA 1234::4\n"
	    "mail.ex A 1.2.3.4\n"
	    "mail.ex A 4.3.2.1\n"
	    "mail.ex AAAA 2001:db8::1\n";
	static const struct spf_case rows[] = {
		{ "a of nothing", "h", "1.2.3.4", "a@e1.ex", "fail", NULL },
		{ "a/0", "h", "1.2.3.4", "a@e2.ex", "pass", NULL },
		{ "a/0 is not for IPv6", "h", "1234::1", "a@e2.ex", "fail", NULL },
		{ "a//0 is not for IPv4", "h", "1.2.3.4", "a@e3.ex", "fail", NULL },
		{ "a//0 is not for mapped", "h", "::FFFF:1.2.3.4", "a@e3.ex", "fail", NULL },
		{ "a//0", "h", "1234::1", "a@e3.ex", "pass", NULL },
		{ "a/33", "h", "1.2.3.4", "a@e4.ex", "permerror", NULL },
		{ "a//129", "h", "1.2.3.4", "a@e5.ex", "permerror", NULL },
		{ "a//33", "h", "1234::1", "a@e6.ex", "pass", NULL },
		{ "port", "h", "1.2.3.4", "a@e7.ex", "permerror", NULL },
		{ "colon and slash", "h", "1.2.3.4", "a@e8.ex", "pass", NULL },
		{ "mapped client", "h", "::FFFF:1.2.3.4", "a@e8.ex", "pass", NULL },
		{ "digits behind a macro", "h", "1.2.3.4", "a@e9.ex", "permerror", NULL },
		{ "a:", "h", "1.2.3.4", "a@e10.ex", "permerror", NULL },
		{ "an address", "h", "1.2.3.4", "a@e11.ex", "permerror", NULL },
		{ "digits at the top", "h", "1.2.3.4", "a@e12.ex", "permerror", NULL },
		{ "hyphens at the top", "h", "1.2.3.4", "a@e13.ex", "pass", NULL },
		{ "hyphen first", "h", "1.2.3.4", "a@e14.ex", "permerror", NULL },
		{ "one label", "h", "1.2.3.4", "a@e15.ex", "permerror", NULL },
		{ "one label and a dot", "h", "1.2.3.4", "a@e16.ex", "permerror", NULL },
		{ "dot at the end", "h", "1.2.3.4", "a@e17.ex", "pass", NULL },
		{ "second of two", "h", "4.3.2.1", "a@e17.ex", "pass", NULL },
		{ "third", "h", "4.3.2.2", "a@e17.ex", "fail", NULL },
		{ "a/24", "h", "4.3.2.255", "a@e18.ex", "pass", NULL },
		{ "outside", "h", "4.3.3.1", "a@e18.ex", "fail", NULL },
		{ "/24//64: IPv4", "h", "1.2.3.0", "a@e19.ex", "pass", NULL },
		{ "/24//64: IPv6", "h", "2001:db8::ffff", "a@e19.ex", "pass", NULL },
		{ "outside", "h", "2001:db8:0:1::1", "a@e19.ex", "fail", NULL },
		{ "zero in front", "h", "1.2.3.4", "a@e20.ex", "permerror", NULL },
		{ "no length", "h", "1.2.3.4", "a@e21.ex", "permerror", NULL },
		{ "no name", "h", "1.2.3.4", "a@e22.ex", "permerror", NULL },
		{ "no answer", "h", "1.2.3.4", "a@e23.ex", "temperror", NULL },
		{ "three slashes", "h", "1.2.3.4", "a@e24.ex", "permerror", NULL },
		{ "whole lengths", "h", "1.2.3.4", "a@e25.ex", "pass", NULL },
		{ "whole lengths, IPv6", "h", "1234::4", "a@e25.ex", "pass", NULL },
		{ "whole lengths, other", "h", "1234::5", "a@e25.ex", "fail", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

static void
test_mx(struct tap *t)
{
	static const char zone[] =
	    "e1.ex TXT v=spf1 mx/0 -all\n"
	    "e1.ex MX 0 e1.ex\n"
	    "e2.ex TXT v=spf1 mx/0 -all\n"
	    "e2.ex MX 0 e2.ex\n"
	    "e2.ex A 1.1.1.1\n"
	    "e2.ex AAAA 1234::2\n"
	    "e3.ex TXT v=spf1 mx//0 -all\n"
	    "e3.ex MX 0 e2.ex\n"
	    "e4.ex TXT v=spf1 mx -all\n"
	    "e4.ex A 1.2.3.4\n"
	    "e5.ex TXT v=spf1 mx:\n"
	    "e6.ex TXT v=spf1 mx:foo:bar/baz.ex\n"
	    "foo:bar/baz.ex MX 0 mail.ex\n"
	    "e7.ex TXT v=spf1 mx/33 -all\n"
	    "e8.ex TXT v=spf1 mx//129 -all\n"
	    "e9.ex TXT v=spf1 mx -all\n"
	    "e9.ex MX 0 \n"
	    "e10.ex TXT v=spf1 mx -all\n"
	    "e10.ex MX !\n"
	    "e11.ex TXT v=spf1 mx -all\n"
	    "e11.ex MX 0 silent.ex\n"
	    "e12.ex TXT v=spf1 mx:e12.ex/24//64 -all\n"
	    "e12.ex MX 5 nowhere.ex\n"
	    "e12.ex MX 6 mail.ex\n"
	    "silent.ex A !\n"
	    "mail.ex A 1.2.3.4\n"
	    "mail.ex A 4.3.2.1\n"
	    "mail.ex AAAA 2001:db8::1\n";
	static const struct spf_case rows[] = {
		{ "mx without address", "h", "1.2.3.4", "a@e1.ex", "fail", NULL },
		{ "mx/0", "h", "1.2.3.4", "a@e2.ex", "pass", NULL },
		{ "mx/0 is not for IPv6", "h", "1234::1", "a@e2.ex", "fail", NULL },
		{ "mx//0", "h", "1234::1", "a@e3.ex", "pass", NULL },
		{ "no MX is not the address", "h", "1.2.3.4", "a@e4.ex", "fail", NULL },
		{ "mx:", "h", "1.2.3.4", "a@e5.ex", "permerror", NULL },
		{ "colon and slash", "h", "1.2.3.4", "a@e6.ex", "pass", NULL },
		{ "mx/33", "h", "1.2.3.4", "a@e7.ex", "permerror", NULL },
		{ "mx//129", "h", "1.2.3.4", "a@e8.ex", "permerror", NULL },
		{ "null MX", "h", "1.2.3.4", "a@e9.ex", "fail", NULL },
		{ "no answer", "h", "1.2.3.4", "a@e10.ex", "temperror", NULL },
		{ "no answer for the host", "h", "1.2.3.4", "a@e11.ex", "temperror", NULL },
		{ "second MX", "h", "4.3.2.200", "a@e12.ex", "pass", NULL },
		{ "second MX, IPv6", "h", "2001:db8::2", "a@e12.ex", "pass", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

static void
test_ip(struct tap *t)
{
	static const char zone[] =
	    "v1.ex TXT v=spf1 ip4:1.1.1.1/0 -all\n"
	    "v2.ex TXT v=spf1 ip4:1.2.3.4/32 -all\n"
	    "v3.ex TXT v=spf1 ip4:1.2.3.4/33 -all\n"
	    "v4.ex TXT v=spf1 ip4:1.2.3.4/032 -all\n"
	    "v5.ex TXT v=spf1 ip4\n"
	    "v6.ex TXT v=spf1 ip4:1.2.3.4//32\n"
	    "v7.ex TXT v=spf1 -ip4:1.2.3.4 ip6:::FFFF:1.2.3.4\n"
	    "v8.ex TXT v=spf1 ip4:1.2.3.4:8080\n"
	    "v9.ex TXT v=spf1 ip4:1.2.3\n"
	    "v10.ex TXT v=spf1 ip4:1.2.3.256\n"
	    "v11.ex TXT v=spf1 ip4:1.2.03.4\n"
	    "v12.ex TXT v=spf1 ip4:\n"
	    "v13.ex TXT v=spf1 ip4:1.2.3.4/\n"
	    "v14.ex TXT v=spf1 ip4:1.2.3.4/31 -all\n"
	    "v15.ex TXT v=spf1 ip4:0.0.0.0/1 -all\n"
	    "v16.ex TXT v=spf1 ip4:::1 -all\n"
	    "v17.ex TXT v=spf1 ip4:10.20.0.0/14 -all\n"
	    "s1.ex TXT v=spf1 ip6 -all\n"
	    "s2.ex TXT v=spf1 ip6:::1.1.1.1/0 -all\n"
	    "s3.ex TXT v=spf1 ip6:::1.1.1.1/129 -all\n"
	    "s4.ex TXT v=spf1 ip6:::1.1.1.1//33 -all\n"
	    "s5.ex TXT v=spf1 ip6:CAFE:BABE:8000::/33 -all\n"
	    "s6.ex TXT v=spf1 ip6::CAFE::BABE -all\n"
	    "s7.ex TXT v=spf1 ip6:1.2.3.4 -all\n"
	    "s8.ex TXT v=spf1 ip6:2001:db8::1 -all\n"
	    "s9.ex TXT v=spf1 ip6:2001:db8::1/128 -all\n"
	    "s10.ex TXT v=spf1 ip6: -all\n";
	static const struct spf_case rows[] = {
		{ "/0", "h", "1.2.3.4", "a@v1.ex", "pass", NULL },
		{ "/32", "h", "1.2.3.4", "a@v2.ex", "pass", NULL },
		{ "/32, the next", "h", "1.2.3.5", "a@v2.ex", "fail", NULL },
		{ "/33", "h", "1.2.3.4", "a@v3.ex", "permerror", NULL },
		{ "/032", "h", "1.2.3.4", "a@v4.ex", "permerror", NULL },
		{ "ip4", "h", "1.2.3.4", "a@v5.ex", "permerror", NULL },
		{ "ip4//", "h", "1.2.3.4", "a@v6.ex", "permerror", NULL },
		{ "mapped client", "h", "::FFFF:1.2.3.4", "a@v7.ex", "fail", NULL },
		{ "port", "h", "1.2.3.4", "a@v8.ex", "permerror", NULL },
		{ "three numbers", "h", "1.2.3.4", "a@v9.ex", "permerror", NULL },
		{ "256", "h", "1.2.3.4", "a@v10.ex", "permerror", NULL },
		{ "zero in front", "h", "1.2.3.4", "a@v11.ex", "permerror", NULL },
		{ "ip4:", "h", "1.2.3.4", "a@v12.ex", "permerror", NULL },
		{ "no length", "h", "1.2.3.4", "a@v13.ex", "permerror", NULL },
		{ "/31", "h", "1.2.3.5", "a@v14.ex", "pass", NULL },
		{ "/31, outside", "h", "1.2.3.6", "a@v14.ex", "fail", NULL },
		{ "/1", "h", "127.255.255.255", "a@v15.ex", "pass", NULL },
		{ "/1, outside", "h", "128.0.0.0", "a@v15.ex", "fail", NULL },
		{ "ip4 of IPv6", "h", "1.2.3.4", "a@v16.ex", "permerror", NULL },
		{ "/14", "h", "10.23.255.255", "a@v17.ex", "pass", NULL },
		{ "/14, outside", "h", "10.24.0.0", "a@v17.ex", "fail", NULL },
		{ "ip6", "h", "1.2.3.4", "a@s1.ex", "permerror", NULL },
		{ "ip6/0 is not for IPv4", "h", "1.2.3.4", "a@s2.ex", "fail", NULL },
		{ "ip6/0 is not for mapped", "h", "::FFFF:1.2.3.4", "a@s2.ex", "fail", NULL },
		{ "ip6/0", "h", "DEAF:BABE::CAB:FEE", "a@s2.ex", "pass", NULL },
		{ "ip6/129", "h", "1.2.3.4", "a@s3.ex", "permerror", NULL },
		{ "ip6//", "h", "1.2.3.4", "a@s4.ex", "permerror", NULL },
		{ "ip6/33", "h", "CAFE:BABE:8000::", "a@s5.ex", "pass", NULL },
		{ "ip6/33, outside", "h", "CAFE:BABE:7fff::", "a@s5.ex", "fail", NULL },
		{ "ip6 malformed", "h", "1.2.3.4", "a@s6.ex", "permerror", NULL },
		{ "ip6 of IPv4", "h", "1.2.3.4", "a@s7.ex", "permerror", NULL },
		{ "ip6", "h", "2001:db8::1", "a@s8.ex", "pass", NULL },
		{ "ip6/128", "h", "2001:db8::2", "a@s9.ex", "fail", NULL },
		{ "ip6:", "h", "2001:db8::2", "a@s10.ex", "permerror", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

#define TEN_A "a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex "
#define NINE_PTR(ip) ip " PTR n1.ex\n" ip " PTR n2.ex\n" ip " PTR n3.ex\n" ip " PTR n4.ex\n" \
	ip " PTR n5.ex\n" ip " PTR n6.ex\n" ip " PTR n7.ex\n" ip " PTR n8.ex\n" ip " PTR n9.ex\n"
#define NINE_MX(name) name " MX 1 h1.ex\n" name " MX 2 h1.ex\n" name " MX 3 h1.ex\n" \
	name " MX 4 h1.ex\n" name " MX 5 h1.ex\n" name " MX 6 h1.ex\n" name " MX 7 h1.ex\n" \
	name " MX 8 h1.ex\n" name " MX 9 h1.ex\n"

static void
test_limits(struct tap *t)
{
	static const char zone[] =
	    "h1.ex A 9.9.9.9\n"
	    "l1.ex TXT v=spf1 ip4:1.1.1.1 redirect=l1.ex\n"
	    "l2.ex TXT v=spf1 include:l3.ex\n"
	    "l3.ex TXT v=spf1 include:l2.ex\n"
	    "l4.ex TXT v=spf1 mx\n"
	    NINE_MX("l4.ex")
	    "l4.ex MX 10 h1.ex\n"
	    "l4.ex MX 11 last.ex\n"
	    "l5.ex TXT v=spf1 mx\n"
	    NINE_MX("l5.ex")
	    "l5.ex MX 10 last.ex\n"
	    "last.ex A 1.2.3.4\n"
	    "l6.ex TXT v=spf1 ptr\n"
	    "l6.ex A 1.2.3.5\n"
	    "l6.ex A 1.2.3.6\n"
	    NINE_PTR("1.2.3.5")
	    "1.2.3.5 PTR n10.ex\n"
	    "1.2.3.5 PTR l6.ex\n"
	    NINE_PTR("1.2.3.6")
	    "1.2.3.6 PTR l6.ex\n"
	    "l7.ex TXT v=spf1 " TEN_A "ip4:1.2.3.4 -all\n"
	    "l8.ex TXT v=spf1 " TEN_A "a:h1.ex ip4:1.2.3.4 -all\n"
	    "l9.ex TXT v=spf1 include:inc9.ex ip4:1.2.3.4 -all\n"
	    "inc9.ex TXT v=spf1 a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex a:h1.ex "
	    "a:h1.ex a:h1.ex\n"
	    "l10.ex TXT v=spf1 include:inc10.ex ip4:1.2.3.4 -all\n"
	    "inc10.ex TXT v=spf1 " TEN_A "\n"
	    "l11.ex TXT v=spf1 " TEN_A "ip4:1.2.3.4 a:h1.ex -all\n"
	    "l12.ex TXT v=spf1 " TEN_A "redirect=l13.ex\n"
	    "l13.ex TXT v=spf1 ip4:1.2.3.4 -all\n"
	    "v1.ex TXT v=spf1 a:no1.ex a:no2.ex ip4:1.2.3.4 -all\n"
	    "v2.ex TXT v=spf1 a:no1.ex a:no2.ex a:no3.ex ip4:1.2.3.4 -all\n"
	    "v3.ex TXT v=spf1 exists:no1.ex mx:no2.ex ptr ip4:1.2.3.4 -all\n"
	    "v4.ex TXT v=spf1 a:%{l} a:%{l} a:%{l} ip4:1.2.3.4 -all\n"
	    "v5.ex TXT v=spf1 mx ip4:1.2.3.4 -all\n"
	    "v5.ex MX 1 no1.ex\n"
	    "v5.ex MX 1 no2.ex\n"
	    "v5.ex MX 1 no3.ex\n"
	    "v6.ex TXT v=spf1 mx:v5.ex exists:no1.ex ip4:1.2.3.4 -all\n"
	    "v7.ex TXT v=spf1 mx:v5.ex exists:no1.ex a:no1.ex ip4:1.2.3.4 -all\n"
	    "v8.ex TXT v=spf1 mx ip6:2001:db8::/32 -all\n"
	    "v8.ex MX 1 h1.ex\n"
	    "v8.ex MX 2 last.ex\n"
	    "v8.ex MX 3 h3.ex\n"
	    "h3.ex A 9.9.9.8\n"
	    "v9.ex TXT v=spf1 a:h1.ex a:last.ex ip6:2001:db8::/32 -all\n"
	    "v10.ex TXT v=spf1 a:h1.ex a:last.ex a:h3.ex ip6:2001:db8::/32 -all\n"
	    "v11.ex TXT v=spf1 include:v12.ex a:no1.ex ip4:1.2.3.4 -all\n"
	    "v12.ex TXT v=spf1 a:no2.ex a:no3.ex\n"
	    "v13.ex TXT v=spf1 ptr a:last.ex ip6:2001:db8::/32 -all\n"
	    "2001:db8::3 PTR h1.ex\n"
	    "2001:db8::3 PTR last.ex\n"
	    "2001:db8::3 PTR h3.ex\n"
	    "2001:db8::3 PTR six.ex\n"
	    "six.ex AAAA 2001:db8::3\n"
	    "v14.ex TXT v=spf1 ptr:six.ex -all\n"
	    "v15.ex TXT v=spf1 a:%{p}.ex a:no1.ex ip4:1.2.3.4 -all\n"
	    "v16.ex TXT v=spf1 a:%{p}.ex a:no1.ex a:no2.ex ip4:1.2.3.4 -all\n";
	static const struct spf_case rows[] = {
		{ "redirect to itself", "h", "1.2.3.4", "a@l1.ex", "permerror", NULL },
		{ "includes in a circle", "h", "1.2.3.4", "a@l2.ex", "permerror", NULL },
		{ "11 MX", "h", "1.2.3.4", "a@l4.ex", "permerror", NULL },
		{ "10 MX", "h", "1.2.3.4", "a@l5.ex", "pass", NULL },
		{ "11th PTR", "h", "1.2.3.5", "a@l6.ex", "neutral", NULL },
		{ "10th PTR", "h", "1.2.3.6", "a@l6.ex", "pass", NULL },
		{ "10 terms", "h", "1.2.3.4", "a@l7.ex", "pass", NULL },
		{ "11 terms", "h", "1.2.3.4", "a@l8.ex", "permerror", NULL },
		{ "10 with an include", "h", "1.2.3.4", "a@l9.ex", "pass", NULL },
		{ "11 with an include", "h", "1.2.3.4", "a@l10.ex", "permerror", NULL },
		{ "11th not needed", "h", "1.2.3.4", "a@l11.ex", "pass", NULL },
		{ "redirect is the 11th", "h", "1.2.3.4", "a@l12.ex", "permerror", NULL },
		{ "2 void", "h", "1.2.3.4", "a@v1.ex", "pass", NULL },
		{ "3 void", "h", "1.2.3.4", "a@v2.ex", "permerror", NULL },
		{ "3 void of other kinds", "h", "1.2.3.4", "a@v3.ex", "permerror", NULL },
		{ "no possible names", "h", "1.2.3.4", "x..y@v4.ex", "pass", NULL },
		{ "hosts of MX are void: one", "h", "1.2.3.4", "a@v5.ex", "pass", NULL },
		{ "and another", "h", "1.2.3.4", "a@v6.ex", "pass", NULL },
		{ "and a third", "h", "1.2.3.4", "a@v7.ex", "permerror", NULL },
		{ "three MX without IPv6", "h", "2001:db8::1", "a@v8.ex", "pass", NULL },
		{ "two hosts without IPv6", "h", "2001:db8::1", "a@v9.ex", "pass", NULL },
		{ "three hosts without IPv6", "h", "2001:db8::1", "a@v10.ex", "permerror", NULL },
		{ "for them IPv4 is there", "h", "1.2.3.4", "a@v10.ex", "pass", NULL },
		{ "2 in an include, 1 behind", "h", "1.2.3.4", "a@v11.ex", "permerror", NULL },
		{ "PTR names without IPv6", "h", "2001:db8::3", "a@v13.ex", "pass", NULL },
		{ "the fourth name has it", "h", "2001:db8::3", "a@v14.ex", "pass", NULL },
		{ "no PTR and no such host", "h", "1.2.3.4", "a@v15.ex", "pass", NULL },
		{ "count once", "h", "1.2.3.4", "a@v16.ex", "permerror", NULL },
	};

	ZONE_RUN(t, zone, rows);
}

int
main(void)
{
	struct tap t = { 0 };

	test_a(&t);
	test_mx(&t);
	test_ip(&t);
	test_limits(&t);
	return done(&t);
}
