/* origin: lines of outgoingip and domainips. */
#include "remote/origin.h"

#include "tap.h"

#define S "s@x.test"

struct row {
	const char *what, *outgoingip, *domainips;	/* entries, `;` between them */
	const char *sender, *wanted;			/* IPv4 IPv6 name; NULL: refused */
};

static const struct row rows[] = {
	{ "nothing", "", "", S, "- - -" },
	{ "one for all", "192.0.2.1", "", S, "192.0.2.1 - -" },
	{ "IPv6", "2001:db8::1", "", S, "- 2001:db8::1 -" },
	{ "in brackets", "[IPv6:2001:db8::1];[192.0.2.1]", "", S, "192.0.2.1 2001:db8::1 -" },
	{ "the later wins", "192.0.2.1;192.0.2.2", "", S, "192.0.2.2 - -" },
	{ "any", "0.0.0.0", "", S, "- - -" },
	{ "any again", "192.0.2.1;0.0.0.0;::1;::", "", S, "- - -" },
	{ "for a domain", "X.Test:192.0.2.1", "", S, "192.0.2.1 - -" },
	{ "IPv6 for a domain", "x.test:2001:db8::1", "", S, "- 2001:db8::1 -" },
	{ "for another domain", "y.test:192.0.2.1", "", S, "- - -" },
	{ "no suffixes", "test:192.0.2.1;.test:192.0.2.2", "", S, "- - -" },
	{ "the domain wins, whatever the order", "x.test:192.0.2.1;192.0.2.2", "", S,
	    "192.0.2.1 - -" },
	{ "any for a domain", "192.0.2.2;x.test:0.0.0.0", "", S, "- - -" },
	{ "null sender", "192.0.2.2;x.test:192.0.2.1", "", "", "192.0.2.2 - -" },
	{ "no address", "x", "", S, NULL },
	{ "no address for us", "x.test:y", "", S, NULL },
	{ "none for others matters not", "y.test:y", "", S, "- - -" },
	{ "domainips", "", "x.test:192.0.2.1", S, "192.0.2.1 - -" },
	{ "with a name", "", "x.test:192.0.2.1|mx.x.test", S, "192.0.2.1 - mx.x.test" },
	{ "with an interface", "", "x.test:2001:db8::1%eth0|mx", S, "- 2001:db8::1 mx" },
	{ "name alone", "", "x.test:|mx", S, "- - mx" },
	{ "for everybody", "", "*:192.0.2.1|mx", "", "192.0.2.1 - mx" },
	{ "the domain wins", "", "x.test:192.0.2.1|mx;*:192.0.2.2|all", S, "192.0.2.1 - mx" },
	{ "over outgoingip, too", "x.test:192.0.2.9", "*:192.0.2.2", S, "192.0.2.2 - -" },
	{ "no such domain", "", "y.test:192.0.2.1", S, "- - -" },
	{ "neither address nor name", "", "x.test:", S, NULL },
	{ "no address in domainips", "", "x.test:y|mx", S, NULL },
	{ "a name with a space", "", "x.test:192.0.2.1|m x", S, NULL },
};

/* As lib/ctl.h gives lists. */
static void
fill(struct buf *text, const char *entries)
{
	for (; *entries; entries++)
		buf_addc(text, *entries == ';' ? '\0' : *entries);
	if (text->n)
		buf_addc(text, '\0');
}

static void
describe(const struct origin *o, struct buf *to)
{
	char text[IP_TEXT_SIZE];

	buf_adds(to, o->v4.family == IP_NONE ? "-" : ip_format(&o->v4, text));
	buf_addc(to, ' ');
	buf_adds(to, o->v6.family == IP_NONE ? "-" : ip_format(&o->v6, text));
	buf_addc(to, ' ');
	buf_addspan(to, o->helo.n ? o->helo : span_str("-"));
}

static void
test_rows(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf outgoingip = { 0 }, domainips = { 0 }, got = { 0 };
		struct origin o = { .helo = { NULL, 0 } };
		bool good;

		fill(&outgoingip, rows[i].outgoingip);
		fill(&domainips, rows[i].domainips);
		good = origin_outgoingip(&o, &outgoingip, span_str(rows[i].sender)) &&
		    origin_domainips(&o, &domainips, span_str(rows[i].sender));
		ok(t, good == (rows[i].wanted != NULL), "%s", rows[i].what);
		describe(&o, &got);
		if (rows[i].wanted)
			is(t, buf_span(&got), span_str(rows[i].wanted), rows[i].what);
		buf_free(&outgoingip);
		buf_free(&domainips);
		buf_free(&got);
	}
}

static void
test_for(struct tap *t)
{
	struct origin o = { .v4 = { .family = IP_V4 } };
	const struct ip v4 = { .family = IP_V4 }, v6 = { .family = IP_V6 };

	ok(t, origin_for(&o, &v4) == &o.v4, "IPv4 from IPv4");
	ok(t, origin_for(&o, &v6) == NULL, "IPv6 from any");
}

int
main(void)
{
	struct tap t = { 0 };

	test_rows(&t);
	test_for(&t);
	return done(&t);
}
