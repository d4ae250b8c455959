/* ip - IPv4 and IPv6 addresses: text, bytes, and which ones are our own. */
#ifndef NET_IP_H
#define NET_IP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

enum ip_family { IP_NONE, IP_V4, IP_V6 };

struct ip {
	enum ip_family family;
	unsigned char bytes[16];	/* network order; IPv4: the first four */
};

#define IP_TEXT_SIZE 46			/* any address as text, with NUL */

/* The whole text must be `1.2.3.4` (0..255, decimal) or an IPv6 address of RFC 4291; no
 * brackets. */
MUST_CHECK bool ip_parse(struct span text, struct ip *ip);
/* `[1.2.3.4]`, `[IPv6:...]` (RFC 5321, 4.1.3) and `[v6]`; the whole text. */
MUST_CHECK bool ip_parse_literal(struct span text, struct ip *ip);
/* NUL-terminated; an IPv4-mapped IPv6 address is written as IPv4.  Returns out. */
char *ip_format(const struct ip *ip, char out[IP_TEXT_SIZE]);
/* IPv4 and its IPv4-mapped IPv6 form are equal. */
bool ip_equal(const struct ip *a, const struct ip *b);
/* The same family, and the first bits (up to 32 or 128) are equal. */
bool ip_same_network(const struct ip *a, const struct ip *b, unsigned bits);
/* IPv4 for an IPv4-mapped IPv6 address, any other as it is. */
struct ip ip_unmapped(const struct ip *ip);
/* 127.0.0.0/8 in either form, ::1. */
bool ip_is_loopback(const struct ip *ip);

struct ip_list {
	struct ip *list;
	size_t n, size;
};
/* Addresses of every interface that is up, and 0.0.0.0, ::, ::1.  -1 with errno. */
MUST_CHECK int ip_own(struct ip_list *own);
/* -1 with errno (ENOMEM); the list is then as before. */
MUST_CHECK int ip_list_add(struct ip_list *l, const struct ip *ip);
bool ip_list_has(const struct ip_list *l, const struct ip *ip);
void ip_list_free(struct ip_list *l);

#endif
