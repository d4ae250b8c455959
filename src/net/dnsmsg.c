/* dnsmsg - messages of the domain name system: building a question, reading an answer. */
#include "net/dnsmsg.h"

#include <string.h>

#include "lib/ascii.h"

#define FIXED ((size_t)10)		/* type, class, time to live, length of data */
#define CLASS_IN 1
#define TYPE_OPT 41
#define POINTERS_MAX 126		/* more than a name of 255 bytes can need */

#define FLAG_QR 0x8000U
#define FLAG_TC 0x0200U
#define FLAG_RD 0x0100U
#define FLAG_AD 0x0020U
#define RCODE(flags) ((flags) & 0x000fU)

enum rcode { RCODE_OK = 0, RCODE_FORMERR = 1, RCODE_NXDOMAIN = 3, RCODE_NOTIMP = 4 };

/* ---- building ---- */

static size_t
put_u16(unsigned char *out, size_t at, unsigned value)
{
	out[at] = (unsigned char)(value >> 8 & 0xff);
	out[at + 1] = (unsigned char)(value & 0xff);
	return at + 2;
}

/* Returns the length in the message, 0 if there can be no such name. */
static size_t
put_name(unsigned char *out, struct span name)
{
	size_t at = 0;

	if (name.n && name.p[name.n - 1] == '.')
		name.n--;
	while (name.n) {
		size_t label = span_chr(name, '.');

		if (label == 0 || label > DNSMSG_LABEL_MAX || label + 1 == name.n ||
		    at + 1 + label + 1 > DNSMSG_NAME_MAX)
			return 0;
		out[at++] = (unsigned char)label;
		memcpy(out + at, name.p, label);
		at += label;
		name = span_tail(name, label + 1);
	}
	out[at++] = 0;
	return at;
}

size_t
dnsmsg_question(unsigned char out[DNSMSG_QUESTION_SIZE], struct span name, enum dns_type type,
    struct dnsmsg_options o)
{
	size_t at = 0, length = put_name(out + DNSMSG_HEADER, name);

	if (length == 0)
		return 0;
	at = put_u16(out, at, o.id);
	at = put_u16(out, at, FLAG_RD | (o.trust_ad ? FLAG_AD : 0));
	at = put_u16(out, at, 1);
	at = put_u16(out, at, 0);
	at = put_u16(out, at, 0);
	at = put_u16(out, at, o.edns ? 1 : 0);
	at += length;
	at = put_u16(out, at, type);
	at = put_u16(out, at, CLASS_IN);
	if (o.edns) {
		out[at++] = 0;			/* owner: root */
		at = put_u16(out, at, TYPE_OPT);
		at = put_u16(out, at, DNSMSG_UDP_SIZE);
		at = put_u16(out, at, 0);	/* extended code, version */
		at = put_u16(out, at, 0);	/* flags */
		at = put_u16(out, at, 0);	/* no options */
	}
	return at;
}

static void
add_hex_reversed(struct buf *name, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	buf_addc(name, digits[byte & 15]);
	buf_addc(name, '.');
	buf_addc(name, digits[byte >> 4]);
	buf_addc(name, '.');
}

void
dnsmsg_reverse(const struct ip *ip, struct buf *name)
{
	if (ip->family == IP_V4) {
		for (size_t i = 4; i > 0; i--) {
			buf_addnum(name, ip->bytes[i - 1]);
			buf_addc(name, '.');
		}
		buf_adds(name, "in-addr.arpa");
	} else {
		for (size_t i = sizeof ip->bytes; i > 0; i--)
			add_hex_reversed(name, ip->bytes[i - 1]);
		buf_adds(name, "ip6.arpa");
	}
}

/* ---- reading ---- */

static unsigned
u16_at(const unsigned char *p, size_t at)
{
	return (unsigned)p[at] << 8 | p[at + 1];
}

/* Moves r->pos behind a name. */
static bool
skip_name(struct dnsmsg_reader *r)
{
	while (r->pos < r->n) {
		unsigned length = r->p[r->pos];

		if ((length & 0xc0) == 0xc0) {
			r->pos += 2;
			return r->pos <= r->n;
		}
		if (length & 0xc0)
			return false;
		r->pos += 1 + length;
		if (length == 0)
			return true;
	}
	return false;
}

static bool
skip_questions(struct dnsmsg_reader *r, unsigned questions)
{
	while (questions--) {
		if (!skip_name(r) || r->n - r->pos < 4)
			return false;
		r->pos += 4;
	}
	return true;
}

enum dnsmsg_verdict
dnsmsg_open(struct dnsmsg_reader *r, const void *message, size_t n, uint16_t id)
{
	unsigned flags;

	*r = (struct dnsmsg_reader){ .p = message, .n = n, .pos = DNSMSG_HEADER };
	if (n < DNSMSG_HEADER)
		return DNSMSG_MALFORMED;
	flags = u16_at(r->p, 2);
	if (u16_at(r->p, 0) != id || !(flags & FLAG_QR))
		return DNSMSG_MALFORMED;
	switch (RCODE(flags)) {
	case RCODE_OK:
	case RCODE_NXDOMAIN:
		break;
	case RCODE_FORMERR:
	case RCODE_NOTIMP:
		return DNSMSG_FORMERR;
	default:
		return DNSMSG_FAILURE;
	}
	if (flags & FLAG_TC)	/* whatever it says (RFC 2181, 9) */
		return DNSMSG_MALFORMED;
	if (RCODE(flags) == RCODE_NXDOMAIN)
		return DNSMSG_NXDOMAIN;
	if (!skip_questions(r, u16_at(r->p, 4)))
		return DNSMSG_MALFORMED;
	r->answers = u16_at(r->p, 6);
	return DNSMSG_ANSWER;
}

enum dnsmsg_step
dnsmsg_next(struct dnsmsg_reader *r, enum dns_type type, struct dnsmsg_record *record)
{
	while (r->answers) {
		unsigned found, class;

		if (!skip_name(r) || r->n - r->pos < FIXED)
			return DNSMSG_BROKEN;
		found = u16_at(r->p, r->pos);
		class = u16_at(r->p, r->pos + 2);
		record->type = type;
		record->len = u16_at(r->p, r->pos + 8);
		record->data = r->pos + FIXED;
		if (r->n - record->data < record->len)
			return DNSMSG_BROKEN;
		r->pos = record->data + record->len;
		r->answers--;
		if (found == (unsigned)type && class == CLASS_IN)
			return DNSMSG_RECORD;
	}
	return DNSMSG_END;
}

bool
dnsmsg_address(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, struct ip *ip)
{
	bool v4 = record->type == DNS_A && record->len == 4;

	if (!v4 && !(record->type == DNS_AAAA && record->len == 16))
		return false;
	*ip = (struct ip){ .family = v4 ? IP_V4 : IP_V6 };
	memcpy(ip->bytes, r->p + record->data, record->len);
	return true;
}

static void
add_label(struct buf *name, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = (char)p[i];

		buf_addc(name, ascii_isgraph(c) && c != '.' ? c : '?');
	}
}

bool
dnsmsg_name(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, size_t skip,
    struct buf *name)
{
	size_t at = record->data + skip, total = 1;
	unsigned pointers = 0;
	bool first = true;

	if (skip >= record->len)
		return false;
	while (at < r->n) {
		unsigned length = r->p[at];

		if ((length & 0xc0) == 0xc0) {
			if (r->n - at < 2 || ++pointers > POINTERS_MAX)
				return false;
			at = u16_at(r->p, at) & 0x3fff;
			continue;
		}
		if (length == 0)
			return true;
		total += 1 + length;
		if (length & 0xc0 || length >= r->n - at || total > DNSMSG_NAME_MAX)
			return false;
		if (!first)
			buf_addc(name, '.');
		first = false;
		add_label(name, r->p + at + 1, length);
		at += 1 + length;
	}
	return false;
}

bool
dnsmsg_text(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, struct buf *text)
{
	size_t at = record->data, end = at + record->len;

	if (!record->len)
		return false;
	while (at < end) {
		size_t length = r->p[at++];

		if (length > end - at)
			return false;
		for (; length; length--, at++)
			buf_addc(text, r->p[at] ? (char)r->p[at] : '\177');
	}
	return true;
}

bool
dnsmsg_u16(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, uint16_t *value)
{
	if (record->len < 2)
		return false;
	*value = (uint16_t)u16_at(r->p, record->data);
	return true;
}
