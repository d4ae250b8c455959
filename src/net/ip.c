/* ip - IPv4 and IPv6 addresses: text, bytes, and which ones are our own. */
#include "net/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/ascii.h"
#include "lib/num.h"
#include "lib/sys.h"

#define V4_BYTES ((size_t)4)
#define V6_BYTES ((size_t)16)
#define MAPPED_PREFIX ((size_t)12)

static const unsigned char mapped_prefix[MAPPED_PREFIX] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};

static bool
parse_v4(struct span text, struct ip *ip)
{
	struct ip parsed = { .family = IP_V4 };

	for (size_t i = 0; i < V4_BYTES; i++) {
		size_t dot = span_chr(text, '.');
		uint64_t value;

		if ((dot < text.n) != (i < V4_BYTES - 1) ||
		    num_parse_u64(text.p, dot, 255, &value) != NUM_OK)
			return false;
		parsed.bytes[i] = (unsigned char)value;
		text = span_tail(text, dot + 1);
	}
	*ip = parsed;
	return true;
}

static bool
parse_v6(struct span text, struct ip *ip)
{
	struct ip parsed = { .family = IP_V6 };
	char copy[IP_TEXT_SIZE];

	if (text.n == 0 || text.n >= sizeof copy || span_chr(text, '\0') < text.n)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET6, copy, parsed.bytes) != 1)
		return false;
	*ip = parsed;
	return true;
}

bool
ip_parse(struct span text, struct ip *ip)
{
	return parse_v4(text, ip) || parse_v6(text, ip);
}

bool
ip_parse_literal(struct span text, struct ip *ip)
{
	const struct span tag = span_str("IPv6:");

	if (text.n < 2 || text.p[0] != '[' || text.p[text.n - 1] != ']')
		return false;
	text = span_of(text.p + 1, text.n - 2);
	if (ascii_istarts(text, tag))
		return parse_v6(span_tail(text, tag.n), ip);
	return ip_parse(text, ip);
}

/* The four bytes if it is IPv4 in either form, else NULL. */
static const unsigned char *
v4_bytes(const struct ip *ip)
{
	if (ip->family == IP_V4)
		return ip->bytes;
	if (ip->family == IP_V6 && memcmp(ip->bytes, mapped_prefix, MAPPED_PREFIX) == 0)
		return ip->bytes + MAPPED_PREFIX;
	return NULL;
}

char *
ip_format(const struct ip *ip, char out[IP_TEXT_SIZE])
{
	const unsigned char *v4 = v4_bytes(ip);

	out[0] = '\0';
	if (v4)
		(void)inet_ntop(AF_INET, v4, out, IP_TEXT_SIZE);
	else if (ip->family == IP_V6)
		(void)inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT_SIZE);
	return out;
}

bool
ip_equal(const struct ip *a, const struct ip *b)
{
	const unsigned char *a4 = v4_bytes(a), *b4 = v4_bytes(b);

	if (a4 && b4)
		return memcmp(a4, b4, V4_BYTES) == 0;
	return !a4 && !b4 && a->family == b->family && memcmp(a->bytes, b->bytes, V6_BYTES) == 0;
}

bool
ip_same_network(const struct ip *a, const struct ip *b, unsigned bits)
{
	size_t bytes = bits / 8;
	unsigned shift = 8 - bits % 8;

	if (a->family != b->family || memcmp(a->bytes, b->bytes, bytes) != 0)
		return false;
	return bits % 8 == 0 || a->bytes[bytes] >> shift == b->bytes[bytes] >> shift;
}

struct ip
ip_unmapped(const struct ip *ip)
{
	const unsigned char *v4 = v4_bytes(ip);
	struct ip plain = { .family = IP_V4 };

	if (!v4)
		return *ip;
	memcpy(plain.bytes, v4, V4_BYTES);
	return plain;
}

bool
ip_is_loopback(const struct ip *ip)
{
	static const unsigned char one[V6_BYTES] = { [15] = 1 };
	const unsigned char *v4 = v4_bytes(ip);

	return v4 ? v4[0] == 127 : ip->family == IP_V6 && memcmp(ip->bytes, one, V6_BYTES) == 0;
}

int
ip_list_add(struct ip_list *l, const struct ip *ip)
{
	if (l->n == l->size) {
		size_t size = l->size ? l->size : 8, bytes;
		struct ip *list;

		if ((l->size && num_mul(size, 2, &size)) || num_mul(size, sizeof *list, &bytes) ||
		    !(list = realloc(l->list, bytes))) {
			errno = ENOMEM;
			return -1;
		}
		l->list = list;
		l->size = size;
	}
	l->list[l->n++] = *ip;
	return 0;
}

static int
add_interface(const struct sockaddr *address, void *arg)
{
	struct ip ip = { 0 };

	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof in);
		ip.family = IP_V4;
		memcpy(ip.bytes, &in.sin_addr, V4_BYTES);
	} else {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof in6);
		ip.family = IP_V6;
		memcpy(ip.bytes, &in6.sin6_addr, V6_BYTES);
	}
	return ip_list_add(arg, &ip);
}

int
ip_own(struct ip_list *own)
{
	static const struct ip always[] = {
		{ .family = IP_V4 },			/* 0.0.0.0 */
		{ .family = IP_V6 },			/* :: */
		{ .family = IP_V6, .bytes = { [15] = 1 } },	/* ::1 */
	};
	int rc = 0;

	*own = (struct ip_list){ 0 };
	for (size_t i = 0; i < sizeof always / sizeof *always && rc == 0; i++)
		rc = ip_list_add(own, &always[i]);
	if (rc == 0)
		rc = sys_interface_addresses(add_interface, own);
	if (rc == -1)
		ip_list_free(own);
	return rc;
}

bool
ip_list_has(const struct ip_list *l, const struct ip *ip)
{
	for (size_t i = 0; i < l->n; i++)
		if (ip_equal(&l->list[i], ip))
			return true;
	return false;
}

void
ip_list_free(struct ip_list *l)
{
	int error = errno;

	free(l->list);
	*l = (struct ip_list){ 0 };
	errno = error;
}
