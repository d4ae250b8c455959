/* proxyhead - what a load balancer says about its client. */
#include "tools/proxyhead.h"

#include "lib/num.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_SIZE 12
#define FIXED 16		/* of version 2: signature, command, family, length */
#define WORD "PROXY "
#define COMMAND_LOCAL 0x20
#define COMMAND_PROXY 0x21
#define TCP4 0x11
#define TCP6 0x21
#define PORTS 4			/* bytes of both */

static bool
is_version_2(struct span head)
{
	return span_starts(head, span_of(SIGNATURE, SIGNATURE_SIZE));
}

static unsigned
u16(const char *p)
{
	return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

int
proxyhead_wants(struct span head)
{
	size_t whole;

	if (head.n < SIGNATURE_SIZE)	/* the shortest header has more */
		return (int)(SIGNATURE_SIZE - head.n);
	if (!is_version_2(head)) {
		if (!span_starts(head, span_str(WORD)))
			return -1;
		if (head.p[head.n - 1] == '\n')
			return 0;
		return head.n < PROXYHEAD_LINE_MAX ? 1 : -1;
	}
	if (head.n < FIXED)
		return (int)(FIXED - head.n);
	whole = FIXED + u16(head.p + FIXED - 2);
	return whole > PROXYHEAD_MAX ? -1 : (int)(whole - head.n);
}

/* ---- version 1 ---- */

static struct span
take_word(struct span *rest)
{
	struct span word = span_head(*rest, span_chr(*rest, ' '));

	*rest = span_tail(*rest, word.n + 1);
	return word;
}

static bool
take_address(struct span *rest, enum ip_family family, struct ip *ip)
{
	return ip_parse(take_word(rest), ip) && ip->family == family;
}

static bool
take_port(struct span *rest, uint16_t *port)
{
	struct span word = take_word(rest);
	uint64_t value;

	if (num_parse_u64(word.p, word.n, UINT16_MAX, &value) != NUM_OK)
		return false;
	*port = (uint16_t)value;
	return true;
}

static bool
parse_line(struct span line, struct proxyhead *p)
{
	struct span rest = span_tail(line, sizeof WORD - 1), word;
	enum ip_family family;

	if (line.p[line.n - 2] != '\r' || line.p[line.n - 3] == ' ' ||
	    line.n > PROXYHEAD_LINE_MAX)
		return false;
	rest.n -= 2;
	word = take_word(&rest);
	if (span_eq(word, span_str("UNKNOWN")))
		return true;
	if (span_eq(word, span_str("TCP4")))
		family = IP_V4;
	else if (span_eq(word, span_str("TCP6")))
		family = IP_V6;
	else
		return false;
	p->known = take_address(&rest, family, &p->from) && take_address(&rest, family, &p->to) &&
	    take_port(&rest, &p->from_port) && take_port(&rest, &p->to_port) && !rest.n;
	return p->known;
}

/* ---- version 2 ---- */

static void
copy_address(struct ip *ip, enum ip_family family, const char *p, size_t n)
{
	ip->family = family;
	memcpy(ip->bytes, p, n);
}

static bool
parse_addresses(struct span data, enum ip_family family, size_t n, struct proxyhead *p)
{
	if (data.n < 2 * n + PORTS)
		return false;
	copy_address(&p->from, family, data.p, n);
	copy_address(&p->to, family, data.p + n, n);
	p->from_port = (uint16_t)u16(data.p + 2 * n);
	p->to_port = (uint16_t)u16(data.p + 2 * n + 2);
	p->known = true;
	return true;
}

static bool
parse_binary(struct span head, struct proxyhead *p)
{
	unsigned char command = (unsigned char)head.p[SIGNATURE_SIZE];
	struct span data = span_tail(head, FIXED);

	if (command == COMMAND_LOCAL)
		return true;
	if (command != COMMAND_PROXY)
		return false;
	switch ((unsigned char)head.p[SIGNATURE_SIZE + 1]) {
	case TCP4:
		return parse_addresses(data, IP_V4, 4, p);
	case TCP6:
		return parse_addresses(data, IP_V6, 16, p);
	default:
		return true;	/* something that is no TCP connection */
	}
}

bool
proxyhead_parse(struct span head, struct proxyhead *p)
{
	*p = (struct proxyhead){ 0 };
	if (proxyhead_wants(head) != 0)
		return false;
	return is_version_2(head) ? parse_binary(head, p) : parse_line(head, p);
}
