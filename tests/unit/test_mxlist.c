/* mxlist: which addresses, in which order, against tables instead of DNS. */
#include "remote/mxlist.h"

#include <stdio.h>
#include <stdlib.h>

#include "tap.h"

/* What the tables know: `MX PREFERENCE NAME,...` or addresses; SOFT, MEMORY.  An empty item among
 * addresses: those of the other family could not be found out. */
struct zone_line {
	const char *name, *mx, *addresses;
};

struct zone {
	const struct zone_line *lines;
	size_t n;
	struct buf asked;	/* names whose addresses were asked for, each with a space */
};

static const struct zone_line *
find(const struct zone *z, struct span name)
{
	for (size_t i = 0; i < z->n; i++)
		if (span_eq(name, span_str(z->lines[i].name)))
			return &z->lines[i];
	return NULL;
}

static enum dns_status
special(const char *text)
{
	if (!text)
		return DNS_ABSENT;
	if (strcmp(text, "SOFT") == 0)
		return DNS_SOFT;
	return strcmp(text, "MEMORY") == 0 ? DNS_MEMORY : DNS_OK;
}

/* The next item of a list with commas; false at the end. */
static bool
item(const char **list, struct span *out)
{
	struct span rest = span_str(*list);
	size_t comma = span_chr(rest, ',');

	if (!rest.n)
		return false;
	*out = span_head(rest, comma);
	*list += comma < rest.n ? comma + 1 : comma;
	return true;
}

static enum dns_status
zone_mx(void *arg, struct span name, struct dns_mx_list *to)
{
	const struct zone_line *line = find(arg, name);
	const char *list = line ? line->mx : NULL;
	enum dns_status status = special(list);
	struct span record;

	while (status == DNS_OK && item(&list, &record)) {
		size_t space = span_chr(record, ' ');
		unsigned preference = (unsigned)strtoul(record.p, NULL, 10);

		status = dns_mx_add(to, (uint16_t)preference, span_tail(record, space + 1));
	}
	return status;
}

static enum dns_status
zone_addresses(void *arg, struct span name, struct ip_list *to, bool *partly)
{
	struct zone *z = arg;
	const struct zone_line *line = find(z, name);
	const char *list = line ? line->addresses : NULL;
	enum dns_status status = special(list);
	struct span text;
	struct ip ip;

	buf_addspan(&z->asked, name);
	buf_addc(&z->asked, ' ');
	while (status == DNS_OK && item(&list, &text))
		if (!text.n)
			*partly = true;
		else if (!ip_parse(text, &ip) || ip_list_add(to, &ip) == -1)
			status = DNS_MEMORY;
	return status;
}

static const struct zone_line lines[] = {
	{ "plain", NULL, "192.0.2.1" },
	{ "two", NULL, "192.0.2.1,2001:db8::1,192.0.2.2" },
	{ "one.mx", "10 plain", NULL },
	{ "order", "20 b,5 a,10 c", NULL },
	{ "a", NULL, "192.0.2.10" },
	{ "b", NULL, "192.0.2.11" },
	{ "c", NULL, "192.0.2.12,192.0.2.13" },
	{ "self", NULL, "192.0.2.99" },
	{ "self6", NULL, "::1" },
	{ "backup", "20 b,10 self,5 a", NULL },
	{ "backup6", "10 self6,20 b", NULL },
	{ "level", "10 self,10 a,20 b", NULL },
	{ "best", "5 self,10 a", NULL },
	{ "named", "10 ME.Example,20 b", NULL },
	{ "named-dot", "10 helo.example.,20 b,5 a", NULL },
	{ "ME.Example", NULL, "198.51.100.7" },
	{ "both", "10 helo.example,20 b", NULL },
	{ "helo.example", NULL, "192.0.2.99,198.51.100.7" },
	{ "named-soft", "10 ME.EXAMPLE", NULL },
	{ "ME.EXAMPLE", NULL, "SOFT" },
	{ "named-partly", "10 Me.Example", NULL },
	{ "Me.Example", NULL, ",2001:db8::7" },
	{ "named-partly-told", "10 mE.example", NULL },
	{ "mE.example", NULL, ",198.51.100.7" },
	{ "partly", "10 some", NULL },
	{ "some", NULL, ",2001:db8::1" },
	{ "soft.mx", "SOFT", NULL },
	{ "soft", NULL, "SOFT" },
	{ "memory.mx", "MEMORY", NULL },
	{ "memory", "10 memory", "MEMORY" },
	{ "soft-then", "10 soft,20 a", NULL },
	{ "soft-only", "10 soft,20 nothing", NULL },
	{ "soft-self", "10 soft,20 self", NULL },
	{ "no-addresses", "10 nothing,20 nothing2", NULL },
	{ "null", "0 ", "192.0.2.1" },
	{ "null-ten", "10 ", "192.0.2.1" },
	{ "null-other", "10 ,20 a", NULL },
	{ "null-twice", "10 ,20 ", "192.0.2.1" },
	{ "literal", "10 a,20 192.0.2.50,30 b", NULL },
	{ "literal-after-self", "10 self,20 192.0.2.50,30 b", NULL },
	{ "literal-self", "10 a,20 192.0.2.99", NULL },
	{ "self-alone", NULL, "192.0.2.99" },
	{ "zero", "10 zero-a", NULL },
	{ "zero-a", NULL, "0.0.0.0" },
	{ "top", "65535 a", NULL },
};

/* First status, then what mxlist_next gives, each with a space. */
static const struct {
	const char *what, *host, *expected;
} rows[] = {
	{ "no MX: the host itself", "plain", "192.0.2.1 END" },
	{ "all addresses, as they come", "two", "192.0.2.1 2001:db8::1 192.0.2.2 END" },
	{ "one MX", "one.mx", "192.0.2.1 END" },
	{ "lowest preference first", "order", "192.0.2.10 192.0.2.12 192.0.2.13 192.0.2.11 END" },
	{ "highest preference", "top", "192.0.2.10 END" },
	{ "literal host", "192.0.2.7", "192.0.2.7 END" },
	{ "literal in brackets", "[192.0.2.7]", "192.0.2.7 END" },
	{ "IPv6 literal", "[IPv6:2001:db8::7]", "2001:db8::7 END" },
	{ "our own literal", "[192.0.2.99]", "SELF" },
	{ "number out of range is a name", "[192.0.2.256]", "start:NO_HOST" },
	{ "only better than ourselves", "backup", "192.0.2.10 END" },
	{ "we are the best", "best", "SELF" },
	{ "we are the best, IPv6", "backup6", "SELF" },
	{ "equal to us is not better", "level", "SELF" },
	{ "we by name, whatever its address", "named", "SELF" },
	{ "we by name, unresolvable", "named-soft", "SELF" },
	{ "we by helohost and dot", "named-dot", "192.0.2.10 END" },
	{ "host is ourselves", "self-alone", "SELF" },
	{ "0.0.0.0 is us", "zero", "SELF" },
	{ "no such host", "nowhere", "start:NO_HOST" },
	{ "MX soft", "soft.mx", "start:SOFT" },
	{ "address soft", "soft", "start:SOFT" },
	{ "soft, then one that works", "soft-then", "192.0.2.10 END" },
	{ "soft and absent", "soft-only", "SOFT" },
	{ "soft, then ourselves", "soft-self", "SOFT" },
	{ "MX without addresses", "no-addresses", "NO_ADDRESS" },
	{ "null MX", "null", "start:NULL" },
	{ "with a preference it is none", "null-ten", "NO_ADDRESS" },
	{ "root among others", "null-other", "192.0.2.10 END" },
	{ "two roots are no null MX", "null-twice", "NO_ADDRESS" },
	{ "literal as MX keeps its place", "literal", "192.0.2.10 192.0.2.50 192.0.2.11 END" },
	{ "literal as MX counts as best", "literal-after-self", "192.0.2.50 END" },
	{ "our own literal as MX", "literal-self", "SELF" },
	{ "no memory for MX", "memory.mx", "start:MEMORY" },
	{ "no memory for addresses", "memory", "MEMORY" },
};

static const char *
status_name(enum mxlist_status status)
{
	static const char *const names[] = { "OK", "END", "SOFT", "NO_HOST", "NO_ADDRESS", "NULL",
		"SELF", "MEMORY" };

	return names[status];
}

static void
walk(struct mxlist *l, enum mxlist_status status, struct buf *text)
{
	char address[IP_TEXT_SIZE];
	struct ip ip;

	if (status != MXLIST_OK) {
		buf_adds(text, "start:");
		buf_adds(text, status_name(status));
		return;
	}
	while ((status = mxlist_next(l, &ip)) == MXLIST_OK) {
		buf_adds(text, ip_format(&ip, address));
		buf_addc(text, ' ');
	}
	buf_adds(text, status_name(status));
}

struct fixture {
	struct zone zone;
	struct ipme own;
	struct mxlist_self self;
	struct mxlist_lookup lookup;
};

static void
set_up(struct fixture *f)
{
	static const char *const own[] = { "127.0.0.1", "192.0.2.99", "0.0.0.0", "::1" };
	struct ip ip;

	*f = (struct fixture){ .zone = { lines, sizeof lines / sizeof *lines, { 0 } } };
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (!ip_parse(span_str(own[i]), &ip) || ip_list_add(&f->own.own, &ip) == -1)
			exit(1);
	f->self = (struct mxlist_self){ &f->own, span_str("me.example"), span_str("helo.example") };
	f->lookup = (struct mxlist_lookup){ zone_mx, zone_addresses, &f->zone };
}

static void
tear_down(struct fixture *f)
{
	buf_free(&f->zone.asked);
	ipme_free(&f->own);
}

static void
test_mx(struct tap *t, struct fixture *f, const char *host, const char *expected, const char *what)
{
	struct buf text = { 0 };
	struct mxlist l;

	walk(&l, mxlist_by_mx(&l, span_str(host), &f->lookup, &f->self), &text);
	is(t, buf_span(&text), span_str(expected), what);
	mxlist_free(&l);
	buf_free(&text);
}

static void
test_rows(struct tap *t, struct fixture *f)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		test_mx(t, f, rows[i].host, rows[i].expected, rows[i].what);
}

/* notipme has 198.51.100.0/24. */
static void
test_exceptions(struct tap *t, struct fixture *f)
{
	static const struct {
		const char *what, *host, *expected;
	} exceptions[] = {
		{ "our name, another's address", "named", "198.51.100.7 192.0.2.11 END" },
		{ "our name, our address as well", "both", "SELF" },
		{ "our name, no address", "named-dot", "192.0.2.10 END" },
		{ "our name, perhaps another's address", "named-soft", "SOFT" },
		{ "our name, another's address may be missing", "named-partly", "SOFT" },
		{ "our name, another's address is not", "named-partly-told", "198.51.100.7 END" },
		{ "another's name, some may be missing", "partly", "2001:db8::1 END" },
		{ "our address", "best", "SELF" },
	};
	struct buf list = { 0 };

	buf_add(&list, "198.51.100.0/24", sizeof "198.51.100.0/24");
	if (ipme_add(&f->own, &list, false) == -1)
		exit(1);
	buf_free(&list);
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
		test_mx(t, f, exceptions[i].host, exceptions[i].expected,
		    exceptions[i].what);
}

static void
test_relay(struct tap *t, struct fixture *f)
{
	static const struct {
		const char *what, *relay, *expected;
	} relays[] = {
		{ "its addresses, in order", "two", "192.0.2.1 2001:db8::1 192.0.2.2 END" },
		{ "its MX does not matter", "null", "192.0.2.1 END" },
		{ "no loop check", "self", "192.0.2.99 END" },
		{ "no loop check for literals", "127.0.0.1", "127.0.0.1 END" },
		{ "IPv6 in brackets", "[2001:db8::5]", "2001:db8::5 END" },
		{ "no such relay", "nowhere", "start:NO_HOST" },
		{ "empty relay", "", "start:NO_HOST" },
		{ "relay soft", "soft", "start:SOFT" },
	};

	for (size_t i = 0; i < sizeof relays / sizeof *relays; i++) {
		struct buf text = { 0 };
		struct mxlist l;

		walk(&l, mxlist_by_relay(&l, span_str(relays[i].relay), &f->lookup), &text);
		is(t, buf_span(&text), span_str(relays[i].expected), relays[i].what);
		mxlist_free(&l);
		buf_free(&text);
	}
}

static void
test_lazy(struct tap *t, struct fixture *f)
{
	enum mxlist_status status;
	struct mxlist l;
	struct ip ip;

	buf_reset(&f->zone.asked);
	status = mxlist_by_mx(&l, span_str("order"), &f->lookup, &f->self);
	is_num(t, status, MXLIST_OK, "three levels");
	is(t, buf_span(&f->zone.asked), span_str(""), "nothing looked up yet");
	is_num(t, mxlist_next(&l, &ip), MXLIST_OK, "first level");
	is(t, buf_span(&f->zone.asked), span_str("a "), "only the best looked up");
	mxlist_free(&l);
	buf_reset(&f->zone.asked);
	status = mxlist_by_mx(&l, span_str("backup"), &f->lookup, &f->self);
	while (status == MXLIST_OK)
		status = mxlist_next(&l, &ip);
	is(t, buf_span(&f->zone.asked), span_str("a self "), "nothing worse than us looked up");
	mxlist_free(&l);
}

/* 100 exchangers of equal preference: every one may come first, and MXLIST_HOSTS_MAX are used. */
static void
test_random(struct tap *t)
{
	struct zone_line many[101] = { { 0 } };
	char names[100][8], addresses[100][16];
	struct zone zone = { many, 101, { 0 } };
	struct mxlist_lookup lookup = { zone_mx, zone_addresses, &zone };
	struct buf mx = { 0 };
	bool first[100] = { false };
	size_t firsts = 0, handed = 0;

	for (size_t i = 0; i < 100; i++) {
		(void)snprintf(names[i], sizeof names[i], "m%zu", i);
		(void)snprintf(addresses[i], sizeof addresses[i], "192.0.2.%zu", i);
		many[i] = (struct zone_line){ names[i], NULL, addresses[i] };
		buf_adds(&mx, i ? ",7 " : "7 ");
		buf_adds(&mx, names[i]);
	}
	many[100] = (struct zone_line){ "many", buf_str(&mx), NULL };
	for (int run = 0; run < 200; run++) {
		struct mxlist l;
		struct ip ip;

		if (mxlist_by_mx(&l, span_str("many"), &lookup, NULL) == MXLIST_OK)
			for (handed = 0; mxlist_next(&l, &ip) == MXLIST_OK; handed++)
				if (handed == 0)
					first[ip.bytes[3]] = true;
		mxlist_free(&l);
	}
	for (size_t i = 0; i < 100; i++)
		firsts += first[i];
	ok(t, firsts > 50, "random order: %zu of 100 came first once", firsts);
	is_num(t, (long long)handed, (long long)MXLIST_HOSTS_MAX, "not more than the limit");
	buf_free(&mx);
	buf_free(&zone.asked);
}

int
main(void)
{
	struct tap t = { 0 };
	struct fixture f;

	set_up(&f);
	test_rows(&t, &f);
	test_relay(&t, &f);
	test_lazy(&t, &f);
	test_exceptions(&t, &f);
	test_random(&t);
	tear_down(&f);
	return done(&t);
}
