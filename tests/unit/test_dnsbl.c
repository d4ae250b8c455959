/* dnsbl: lines of the list, and which answers mean listed; s25r: which names look like dial-up. */
#include "smtp/dnsbl.h"

#include "smtp/s25r.h"
#include "tap.h"

static const struct {
	const char *line;
	bool good;
	int action;
	const char *zone, *text;
} lines[] = {
	{ "bl.example", true, DNSBL_LISTED_DELAY, "bl.example", NULL },
	{ "-bl.example", true, DNSBL_LISTED_REJECT, "bl.example", NULL },
	{ "+wl.example", true, DNSBL_LISTED_ACCEPT, "wl.example", NULL },
	{ "=bl.example", true, DNSBL_LISTED_LOG, "bl.example", NULL },
	{ "bl.example:go: %IP%", true, DNSBL_LISTED_DELAY, "bl.example", "go: %IP%" },
	{ "bl.example:-never", true, DNSBL_LISTED_REJECT, "bl.example", "never" },
	{ "-bl.example:-never", true, DNSBL_LISTED_REJECT, "bl.example", "never" },
	{ "=bl.example:-x", true, DNSBL_LISTED_LOG, "bl.example", "x" },
	{ "bl.example:", true, DNSBL_LISTED_DELAY, "bl.example", NULL },
	{ "bl.example:-", true, DNSBL_LISTED_REJECT, "bl.example", NULL },
	{ "--bl.example", true, DNSBL_LISTED_REJECT, "-bl.example", NULL },
	{ ":text", false, 0, "", NULL },
	{ "-", false, 0, "", NULL },
	{ "+:", false, 0, "", NULL },
	{ "", false, 0, "", NULL },
};

static const struct {
	const char *addresses;
	bool listed;
} answers[] = {
	{ "127.0.0.2", true },
	{ "127.255.254.1", true },
	{ "127.255.255.254", false },
	{ "127.255.255.252 127.0.0.4", true },
	{ "192.0.2.1", false },
	{ "128.0.0.2 126.255.255.255", false },
	{ "", false },
	{ "junk", false },
};

static const struct {
	const char *name;
	int rule;
} names[] = {
	{ "220-139-165-188.dynamic.example.net", 1 },
	{ "evrtwa1-ar3-4-65-157-048.evrtwa1.dsl.example.net", 1 },
	{ "a12a190.neo.example.com", 1 },
	{ "pcp04083532pcs.levtwn01.pa.example.net", 2 },
	{ "398pkj.cm.chello.example", 3 },
	{ "x123456.example.com", 2 },
	{ "wbar9.chi1-4-11-085-222.chi1.dsl-example.com", 4 },
	{ "d5.gfe2.dsl.example.com", 5 },
	{ "dhcp0339.vpm.example.edu", 6 },
	{ "ADSL-1234.example.net", 6 },
	{ "mail.example.com", 0 },
	{ "mail1.example.com", 0 },
	{ "mx2.mail.example.com", 0 },
	{ "localhost", 0 },
	{ "", 0 },
};

int
main(void)
{
	struct tap t = { 0 };
	char big[10000];

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct dnsbl_line l;
		bool good = dnsbl_parse_line(span_str(lines[i].line), &l);

		ok(&t, good == lines[i].good, "line `%s`", lines[i].line);
		if (!good)
			continue;
		is_num(&t, (int)l.action, lines[i].action, "  action");
		is(&t, l.zone, span_str(lines[i].zone), "  zone");
		ok(&t, (l.text.p == NULL) == (lines[i].text == NULL), "  has a text");
		is(&t, l.text, span_str(lines[i].text), "  text");
	}
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		ok(&t, dnsbl_is_listed(span_str(answers[i].addresses)) == answers[i].listed,
		    "addresses `%s`", answers[i].addresses);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		is_num(&t, s25r_rule(span_str(names[i].name)), names[i].rule, names[i].name);
	memset(big, '1', sizeof big);
	is_num(&t, s25r_rule(span_of(big, sizeof big)), 2, "a very long name");
	memset(big, 'a', sizeof big);
	big[S25R_NAME_MAX] = '.';
	big[0] = '1';
	is_num(&t, s25r_rule(span_of(big, sizeof big)), 0, "only its beginning counts");
	return done(&t);
}
