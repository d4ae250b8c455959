/* ipme: networks, and which one decides. */
#include "net/ipme.h"

#include "tap.h"

static const struct {
	const char *text;
	bool is_net;
	enum ip_family family;
	unsigned bits;
} nets[] = {
	{ "192.0.2.1", true, IP_V4, 32 },
	{ "192.0.2.1/32", true, IP_V4, 32 },
	{ "192.0.2.1/33", false, IP_NONE, 0 },
	{ "192.0.2.1/0", true, IP_V4, 0 },
	{ "192.0.2.1/255.255.255.255", true, IP_V4, 32 },
	{ "192.0.2.1/255.255.255.128", true, IP_V4, 25 },
	{ "192.0.2.1/0.0.0.0", true, IP_V4, 0 },
	{ "192.0.2.1/255.255.0.1", false, IP_NONE, 0 },
	{ "192.0.2.1/0.0.0.255", false, IP_NONE, 0 },
	{ "192.0.2.1/", false, IP_NONE, 0 },
	{ "192.0.2.1/x", false, IP_NONE, 0 },
	{ "192.0.2.1/24/24", false, IP_NONE, 0 },
	{ "/24", false, IP_NONE, 0 },
	{ "", false, IP_NONE, 0 },
	{ "192.0.2", false, IP_NONE, 0 },
	{ "2001:db8::", true, IP_V6, 128 },
	{ "2001:db8::/128", true, IP_V6, 128 },
	{ "2001:db8::/129", false, IP_NONE, 0 },
	{ "2001:db8::/255.0.0.0", false, IP_NONE, 0 },
	{ "192.0.2.1/ffff::", false, IP_NONE, 0 },
	{ "::ffff:192.0.2.1/128", false, IP_NONE, 0 },
};

static const struct {
	const char *more, *not, *ip;	/* lines with | between */
	bool is_me;
} rows[] = {
	{ "", "", "192.0.2.1", true },
	{ "", "", "::ffff:192.0.2.1", true },
	{ "", "", "192.0.2.2", false },
	{ "192.0.2.2", "", "192.0.2.2", true },
	{ "192.0.2.2", "", "::ffff:192.0.2.2", true },
	{ "192.0.2.0/24", "", "192.0.2.255", true },
	{ "192.0.2.0/24", "", "192.0.3.0", false },
	{ "192.0.2.0/23", "", "192.0.3.0", true },
	{ "0.0.0.0/0", "", "198.51.100.1", true },
	{ "0.0.0.0/0", "", "2001:db8::1", false },
	{ "::/0", "", "2001:db8::1", true },
	{ "::/0", "", "198.51.100.1", false },
	{ "", "192.0.2.1", "192.0.2.1", false },
	{ "", "192.0.2.0/24", "192.0.2.1", true },
	{ "192.0.2.0/24", "192.0.2.0/24", "192.0.2.9", false },
	{ "192.0.2.0/24", "192.0.2.0/25", "192.0.2.9", false },
	{ "192.0.2.0/25", "192.0.2.0/24", "192.0.2.9", true },
	{ "192.0.2.9|192.0.2.0/24", "192.0.2.0/25", "192.0.2.9", true },
	{ "192.0.2.0/24", "192.0.2.9|192.0.2.0/16", "192.0.2.9", false },
	{ "0.0.0.0/0", "0.0.0.0/0", "198.51.100.1", false },
	{ "x|192.0.2.2|y", "z", "192.0.2.2", true },
};

static void
add_lines(struct ipme *me, const char *lines, bool is_me)
{
	struct buf list = { 0 };

	buf_adds(&list, lines);
	for (size_t i = 0; i < list.n; i++)
		if (list.p[i] == '|')
			list.p[i] = '\0';
	if (ipme_add(me, &list, is_me) == -1)
		me->n = 0;
	buf_free(&list);
}

static void
test_nets(struct tap *t)
{
	for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
		struct ipme_net net = { .bits = 0 };
		bool is_net = ipme_parse_net(span_str(nets[i].text), &net);

		ok(t, is_net == nets[i].is_net && (!is_net || (net.bits == nets[i].bits &&
		    net.ip.family == nets[i].family)), "`%s'", nets[i].text);
	}
}

static void
test_rows(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ipme me = { .n = 0 };
		struct ip own, ip;

		if (!ip_parse(span_str("192.0.2.1"), &own) || ip_list_add(&me.own, &own) == -1)
			return;
		add_lines(&me, rows[i].more, true);
		add_lines(&me, rows[i].not, false);
		ok(t, ip_parse(span_str(rows[i].ip), &ip) && ipme_has(&me, &ip) == rows[i].is_me,
		    "more `%s', not `%s': %s", rows[i].more, rows[i].not, rows[i].ip);
		ok(t, ipme_excludes(&me, &ip) == (rows[i].not[0] && !rows[i].is_me) &&
		    ipme_has_exceptions(&me) == (rows[i].not[0] && rows[i].not[0] != 'z'),
		    "  by notipme");
		ipme_free(&me);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_nets(&t);
	test_rows(&t);
	return done(&t);
}
