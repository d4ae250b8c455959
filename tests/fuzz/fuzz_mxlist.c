/* Which addresses qmail-remote tries, for any answers of the name servers: an end is reached, no
 * more hosts are looked at than allowed, preferences do not fall, and an address is never one of
 * our own or behind us.  Input: bytes that the answers are made from. */
#include "remote/mxlist.h"

#include "rig.h"

#define ADDRESSES_MAX 4
#define RECORDS_MAX 60

const char *const fuzz_words[] = {
	"\0", "\1", "\2", "\3", "\4", "\77", "a", "b", "aaaa", "\1\2\3\4", "abababab",
	"[127.0.0.1]", "\3\1\1\2\1\3\1", NULL
};

struct source {
	struct span bytes;
	size_t asked;
};

/* Nothing more: zeros. */
static unsigned
next_byte(struct source *s)
{
	unsigned b = s->bytes.n ? (unsigned char)s->bytes.p[0] : 0;

	s->bytes = span_tail(s->bytes, 1);
	return b;
}

static enum dns_status
addresses(void *arg, struct span name, struct ip_list *to, bool *partly)
{
	struct source *s = arg;
	unsigned n = next_byte(s);

	(void)name;
	s->asked++;
	*partly = n >= 240;
	if (n >= 250)
		return DNS_SOFT;
	if (n % 8 == 7)
		return DNS_ABSENT;
	for (n %= ADDRESSES_MAX; n > 0; n--) {
		/* 192.0.2.0 to .7 are ours. */
		struct ip ip = { IP_V4, { 192, 0, 2, (unsigned char)(next_byte(s) % 32) } };

		promise(ip_list_add(to, &ip) == 0);
	}
	return to->n ? DNS_OK : DNS_ABSENT;
}

static enum dns_status
mx(void *arg, struct span name, struct dns_mx_list *to)
{
	struct source *s = arg;
	unsigned n = next_byte(s);

	(void)name;
	if (n >= 250)
		return DNS_SOFT;
	for (n %= RECORDS_MAX; n > 0; n--) {
		char host[] = { (char)('a' + next_byte(s) % 26), '.', 't' };
		struct span own = span_str("me.test"), literal = span_str("[192.0.2.9]");
		unsigned kind = next_byte(s);
		struct span chosen = kind % 16 == 15 ? own : kind % 16 == 14 ? literal :
		    kind % 16 == 13 ? span_str("") : span_of(host, 3);

		promise(dns_mx_add(to, (uint16_t)(kind / 16), chosen) == DNS_OK);
	}
	return to->n ? DNS_OK : DNS_ABSENT;
}

static void
check_list(struct mxlist *l, enum mxlist_status status, const struct ipme *own)
{
	uint32_t preference = 0;
	size_t handed_out = 0;
	struct ip ip;

	while (status == MXLIST_OK) {
		status = mxlist_next(l, &ip);
		if (status != MXLIST_OK)
			break;
		promise(l->host < l->n);
		promise(l->hosts[l->host].preference >= preference);
		preference = l->hosts[l->host].preference;
		if (own)
			promise(!ipme_has(own, &ip));
		promise(++handed_out <= MXLIST_HOSTS_MAX * ADDRESSES_MAX);
	}
	promise(l->n <= MXLIST_HOSTS_MAX);
	promise(status != MXLIST_MEMORY);
	promise(status != MXLIST_END || handed_out > 0);
	promise(status == MXLIST_END || status == MXLIST_SOFT || handed_out == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ipme own = { .n = 0 };
	struct source s = { .bytes = rig_input(p, n) };
	const struct mxlist_lookup lookup = { mx, addresses, &s };
	const struct mxlist_self self = { &own, span_str("me.test"), span_str("helo.test") };
	struct mxlist l;
	unsigned kind = next_byte(&s);

	for (unsigned char i = 0; i < 8; i++)
		promise(ip_list_add(&own.own, &(struct ip){ IP_V4, { 192, 0, 2, i } }) == 0);
	if (kind == '[')
		check_list(&l, mxlist_by_relay(&l, s.bytes, &lookup), NULL);
	else
		check_list(&l, mxlist_by_mx(&l, span_str("x.test"), &lookup, &self), &own);
	promise(s.asked <= MXLIST_HOSTS_MAX + 1);
	mxlist_free(&l);
	ipme_free(&own);
	return 0;
}
