/* proxyhead: which bytes are a header, and that no byte behind it is asked for. */
#include "tools/proxyhead.h"

#include "tap.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define ROW(bytes, good, known, from, port) { bytes, sizeof bytes - 1, good, known, from, port }

static const struct {
	const char *head;
	size_t n;
	bool good, known;
	const char *from;
	unsigned port;
} rows[] = {
	ROW("PROXY TCP4 192.0.2.7 192.0.2.1 5555 25\r\n", true, true, "192.0.2.7", 5555),
	ROW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", true, true,
	    "255.255.255.255", 65535),
	ROW("PROXY TCP6 2001:db8::1 ::1 0 25\r\n", true, true, "2001:db8::1", 0),
	ROW("PROXY UNKNOWN\r\n", true, false, NULL, 0),
	ROW("PROXY UNKNOWN a b c\r\n", true, false, NULL, 0),
	ROW("PROXY TCP4 192.0.2.7 192.0.2.1 65536 25\r\n", false, false, NULL, 0),
	ROW("PROXY TCP4 192.0.2.7 192.0.2.1 5555 25 \r\n", false, false, NULL, 0),
	ROW("PROXY TCP4 192.0.2.7 192.0.2.1 5555\r\n", false, false, NULL, 0),
	ROW("PROXY TCP6 192.0.2.7 192.0.2.1 5555 25\r\n", false, false, NULL, 0),
	ROW("PROXY TCP4 ::1 ::1 5555 25\r\n", false, false, NULL, 0),
	ROW("PROXY TCP4 192.0.2.7 192.0.2.1 5555 25\n", false, false, NULL, 0),
	ROW("PROXY UNKNOWNX\r\n", false, false, NULL, 0),
	ROW("GET / HTTP/1.1\r\n", false, false, NULL, 0),
	ROW(V2 "\x21\x11\0\x0c" "\xc0\0\2\7" "\xc0\0\2\1" "\x15\xb3\0\x19", true, true, "192.0.2.7",
	    5555),
	ROW(V2 "\x21\x11\0\x0f" "\xc0\0\2\7" "\xc0\0\2\1" "\x15\xb3\0\x19" "abc", true, true,
	    "192.0.2.7", 5555),
	ROW(V2 "\x21\x21\0\x24" "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
	    "0123456789abcdef" "\0\1\0\2", true, true, "2001:db8::1", 1),
	ROW(V2 "\x20\x11\0\0", true, false, NULL, 0),
	ROW(V2 "\x20\0\0\3abc", true, false, NULL, 0),
	ROW(V2 "\x21\0\0\0", true, false, NULL, 0),
	ROW(V2 "\x21\x11\0\x0b" "0123456789a", false, false, NULL, 0),
	ROW(V2 "\x21\x21\0\x0c" "0123456789ab", false, false, NULL, 0),
	ROW(V2 "\x11\x11\0\x0c" "0123456789ab", false, false, NULL, 0),
	ROW(V2 "\x22\x11\0\x0c" "0123456789ab", false, false, NULL, 0),
};

/* Reads as the program does: never beyond the end of the header. */
static bool
is_read_whole(struct span head)
{
	size_t n = 0;
	int wants;

	while ((wants = proxyhead_wants(span_head(head, n))) > 0) {
		n += (size_t)wants;
		if (n > head.n)
			return false;
	}
	return wants == 0 && n == head.n;
}

int
main(void)
{
	struct tap t = { 0 };
	char text[IP_TEXT_SIZE], big[PROXYHEAD_LINE_MAX + 1];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span head = span_of(rows[i].head, rows[i].n);
		struct proxyhead p;

		ok(&t, proxyhead_parse(head, &p) == rows[i].good, "row %zu", i);
		ok(&t, p.known == rows[i].known, "  known");
		if (rows[i].known) {
			is(&t, span_str(ip_format(&p.from, text)), span_str(rows[i].from),
			    "  from");
			is_num(&t, p.from_port, rows[i].port, "  port");
		}
		if (rows[i].good)
			ok(&t, is_read_whole(head), "  is read whole");
		for (size_t n = 0; rows[i].good && n < head.n; n++)
			if (proxyhead_parse(span_head(head, n), &p))
				ok(&t, false, "  %zu bytes are none", n);
	}
	memset(big, 'x', sizeof big);
	memcpy(big, "PROXY UNKNOWN ", 14);
	is_num(&t, proxyhead_wants(span_of(big, PROXYHEAD_LINE_MAX - 1)), 1, "line at its limit");
	is_num(&t, proxyhead_wants(span_of(big, PROXYHEAD_LINE_MAX)), -1, "line above it");
	is_num(&t, proxyhead_wants(span_of(V2 "\x21\x11\x0f\xf0", 16)), 4080, "largest version 2");
	is_num(&t, proxyhead_wants(span_of(V2 "\x21\x11\x0f\xf1", 16)), -1, "larger");
	return done(&t);
}
