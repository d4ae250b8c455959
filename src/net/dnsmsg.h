/* dnsmsg - messages of the domain name system (RFC 1035, 4; RFC 6891): building a question,
 * reading an answer.  Pure: bytes in, bytes or status out.  Whatever an answer holds, no byte
 * outside it is read, and the work is bounded by its length. */
#ifndef NET_DNSMSG_H
#define NET_DNSMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"
#include "net/ip.h"

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28
};

#define DNSMSG_MAX ((size_t)65535)	/* of any message, by the length field of TCP */
#define DNSMSG_HEADER ((size_t)12)	/* every message starts with it */
#define DNSMSG_QUESTION_SIZE 288	/* room for any question: header, name, type, class, OPT */
#define DNSMSG_NAME_MAX ((size_t)255)	/* bytes of a name in a message */
#define DNSMSG_LABEL_MAX ((size_t)63)
#define DNSMSG_UDP_SIZE 1232		/* answer we take by UDP, announced with EDNS0 */

/* What a question carries besides name and type. */
struct dnsmsg_options {
	uint16_t id;
	bool edns;		/* OPT record: answers up to DNSMSG_UDP_SIZE by UDP */
	bool trust_ad;		/* AD bit: tell us what you validated (RFC 6840, 5.7) */
};

/* Recursive question for an absolute name, with or without dot at the end; "" is the root.
 * Returns its length, 0 if no such name can exist (empty or long label, long name). */
MUST_CHECK size_t dnsmsg_question(unsigned char out[DNSMSG_QUESTION_SIZE], struct span name,
    enum dns_type type, struct dnsmsg_options o);

enum dnsmsg_verdict {
	DNSMSG_ANSWER,		/* records may follow */
	DNSMSG_NXDOMAIN,	/* no such name */
	DNSMSG_FORMERR,		/* FORMERR, NOTIMP: perhaps a server that does not know EDNS0 */
	DNSMSG_FAILURE,		/* any other code: SERVFAIL, REFUSED, ... */
	DNSMSG_MALFORMED	/* cut off, not an answer, or not to the question with this id */
};

/* Reading position in an answer; borrows the message. */
struct dnsmsg_reader {
	const unsigned char *p;
	size_t n, pos;
	unsigned answers;	/* records of the answer section still to come */
};

enum dnsmsg_verdict dnsmsg_open(struct dnsmsg_reader *r, const void *message, size_t n,
    uint16_t id);

enum dnsmsg_step { DNSMSG_RECORD, DNSMSG_END, DNSMSG_BROKEN };

/* The next record of that type and of class IN in the answer section, whatever its owner; so a
 * chain of aliases in the answer needs no following. */
struct dnsmsg_record {
	enum dns_type type;
	size_t data, len;	/* where in the message, and how long */
};
MUST_CHECK enum dnsmsg_step dnsmsg_next(struct dnsmsg_reader *r, enum dns_type type,
    struct dnsmsg_record *record);

/* The data of a record as an address; false: wrong type or length. */
MUST_CHECK bool dnsmsg_address(const struct dnsmsg_reader *r, const struct dnsmsg_record *record,
    struct ip *ip);
/* The name that starts `skip` bytes into the data, appended to *name without dot at the end ("" is
 * the root).  Bytes that are not printable, and dots inside a label, become `?`: no host name has
 * them.  false: runs out of the message, too long, or a loop. */
MUST_CHECK bool dnsmsg_name(const struct dnsmsg_reader *r, const struct dnsmsg_record *record,
    size_t skip, struct buf *name);
/* The strings of a TXT record joined without blank, appended; a NUL among them becomes DEL, so that
 * the text can be a C string and still has a byte no text has.  false: malformed, or no string. */
MUST_CHECK bool dnsmsg_text(const struct dnsmsg_reader *r, const struct dnsmsg_record *record,
    struct buf *text);
/* Big-endian number at the start of the data; false: shorter than two bytes. */
MUST_CHECK bool dnsmsg_u16(const struct dnsmsg_reader *r, const struct dnsmsg_record *record,
    uint16_t *value);
/* The name to ask for the PTR record of an address, appended: `1.0.0.127.in-addr.arpa`. */
void dnsmsg_reverse(const struct ip *ip, struct buf *name);

#endif
