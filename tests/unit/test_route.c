/* route: what smtproutes says. */
#include "remote/route.h"

#include <stdio.h>

#include "tap.h"

static const struct {
	const char *key, *value;
} routes[] = {
	{ "relay", "mx.example" },
	{ "port", "mx.example:2525" },
	{ "v4", "192.0.2.1" },
	{ "v4port", "192.0.2.1:26" },
	{ "bracket", "[192.0.2.1]:26" },
	{ "v6", "[2001:db8::1]" },
	{ "v6port", "[2001:db8::1]:2525" },
	{ "open", "[2001:db8::1" },
	{ "portonly", ":26" },
	{ "word", "mx:smtp" },
	{ "lead", "mx:26x" },
	{ "top", "mx:65535" },
	{ "over", "mx:65536" },
	{ "wrap", "mx:18446744073709551641" },
	{ "none", "mx:" },
	{ "more", "mx:26:27" },
	{ "usual", "" },
	{ ".sub.example", "sub" },
	{ ".example", "upper" },
};

static const struct {
	const char *what, *host, *relay;
	bool fixed;
	unsigned port;
} rows[] = {
	{ "relay", "relay", "mx.example", true, 25 },
	{ "any case", "RELAY", "mx.example", true, 25 },
	{ "relay and port", "port", "mx.example", true, 2525 },
	{ "IPv4", "v4", "192.0.2.1", true, 25 },
	{ "IPv4 and port", "v4port", "192.0.2.1", true, 26 },
	{ "brackets and port", "bracket", "[192.0.2.1]", true, 26 },
	{ "IPv6", "v6", "[2001:db8::1]", true, 25 },
	{ "IPv6 and port", "v6port", "[2001:db8::1]", true, 2525 },
	{ "bracket not closed", "open", "[2001", true, 0 },
	{ "port alone: the empty name", "portonly", "", true, 26 },
	{ "port is a word", "word", "mx", true, 0 },
	{ "digits, then more", "lead", "mx", true, 26 },
	{ "highest port", "top", "mx", true, 65535 },
	{ "port too high", "over", "mx", true, 0 },
	{ "port far too high", "wrap", "mx", true, 0 },
	{ "port missing", "none", "mx", true, 0 },
	{ "two colons", "more", "mx", true, 26 },
	{ "empty value: as usual", "usual", "usual", false, 25 },
	{ "longest suffix", "a.sub.example", "sub", true, 25 },
	{ "next suffix", "sub.example", "upper", true, 25 },
	{ "no entry", "other", "other", false, 25 },
	{ "empty host", "", "", false, 25 },
};

static void
check(struct tap *t, const struct set *s, const char *what, const char *host, const char *relay,
    bool fixed, unsigned port)
{
	struct route r = route_find(s, span_str(host));

	ok(t, r.fixed == fixed && r.port == port, "%s: %d %u", what, (int)r.fixed,
	    (unsigned)r.port);
	is(t, r.host, span_str(relay), what);
}

int
main(void)
{
	struct tap t = { 0 };
	struct set s = { 0 }, all = { 0 };

	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
		set_add(&s, span_str(routes[i].key), span_str(routes[i].value));
	ok(&t, set_finish(&s), "the table is made");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(&t, &s, rows[i].what, rows[i].host, rows[i].relay, rows[i].fixed,
		    rows[i].port);
	set_add(&all, span_str(""), span_str("relay"));
	set_add(&all, span_str(".local"), span_str(""));
	ok(&t, set_finish(&all), "a table with a relay for the rest");
	check(&t, &all, "everybody else", "x.example", "relay", true, 25);
	check(&t, &all, "even the empty host", "", "relay", true, 25);
	check(&t, &all, "an empty value ends the search", "a.local", "a.local", false, 25);
	set_free(&s);
	set_free(&all);
	return done(&t);
}
