/* dnsmsg: questions byte by byte; answers whole, cut at every byte, and hostile. */
#include "net/dnsmsg.h"

#include <stdlib.h>

#include "tap.h"

#define ID 0x1234
/* Header of an answer: flags, counts of questions and answers. */
#define HEAD(flags, qd, an) "\x12\x34" flags "\0" qd "\0" an "\0\0\0\0"
#define QUESTION "\1a\2ex\0\0\xf\0\1"		/* a.ex MX IN; starts at 12, 10 bytes */
#define OK_FLAGS "\x81\x80"
#define RR(type, len) "\xc0\xc\0" type "\0\1\0\0\0\x3c\0" len
#define BYTES(s) (s), sizeof(s) - 1

static void
test_questions(struct tap *t)
{
	static const struct {
		const char *what, *name;
		size_t length;		/* of the message without OPT; 0: no such name */
	} rows[] = {
		{ "plain", "a.ex", 12 + 6 + 4 },
		{ "dot at the end", "a.ex.", 12 + 6 + 4 },
		{ "root", "", 12 + 1 + 4 },
		{ "root with dot", ".", 12 + 1 + 4 },
		{ "two dots", "..", 0 },
		{ "empty label", "a..ex", 0 },
		{ "empty first label", ".a", 0 },
		{ "empty last label", "a..", 0 },
	};
	unsigned char out[DNSMSG_QUESTION_SIZE];
	struct dnsmsg_options o = { .id = ID };
	char long_name[300];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_num(t, (long long)dnsmsg_question(out, span_str(rows[i].name), DNS_MX, o),
		    (long long)rows[i].length, rows[i].what);
	memset(long_name, 'x', sizeof long_name);
	is_num(t, (long long)dnsmsg_question(out, span_of(long_name, 63), DNS_A, o),
	    12 + 1 + 63 + 1 + 4, "label of 63 bytes");
	is_num(t, (long long)dnsmsg_question(out, span_of(long_name, 64), DNS_A, o), 0,
	    "label of 64 bytes");
	for (size_t i = 1; i < sizeof long_name; i += 2)
		long_name[i] = '.';
	is_num(t, (long long)dnsmsg_question(out, span_of(long_name, 253), DNS_A, o),
	    12 + 255 + 4, "name of 255 bytes");
	is_num(t, (long long)dnsmsg_question(out, span_of(long_name, 255), DNS_A, o), 0,
	    "name of 257 bytes");
	o.edns = o.trust_ad = true;
	is(t, span_of((char *)out, dnsmsg_question(out, span_str("a.ex"), DNS_MX, o)),
	    span_of(BYTES("\x12\x34\x01\x20\0\1\0\0\0\0\0\1" QUESTION
	    "\0\0\x29\x04\xd0\0\0\0\0\0\0")), "EDNS0, AD");
}

static const struct {
	const char *what, *message;
	size_t n;
	enum dnsmsg_verdict verdict;
} verdicts[] = {
	{ "answer", BYTES(HEAD(OK_FLAGS, "\1", "\0") QUESTION), DNSMSG_ANSWER },
	{ "no question repeated", BYTES(HEAD(OK_FLAGS, "\0", "\0")), DNSMSG_ANSWER },
	{ "NXDOMAIN", BYTES(HEAD("\x81\x83", "\1", "\0") QUESTION), DNSMSG_NXDOMAIN },
	{ "NXDOMAIN, cut off", BYTES(HEAD("\x83\x83", "\1", "\0") QUESTION), DNSMSG_MALFORMED },
	{ "FORMERR", BYTES(HEAD("\x81\x81", "\0", "\0")), DNSMSG_FORMERR },
	{ "NOTIMP", BYTES(HEAD("\x81\x84", "\1", "\0") QUESTION), DNSMSG_FORMERR },
	{ "SERVFAIL", BYTES(HEAD("\x81\x82", "\1", "\0") QUESTION), DNSMSG_FAILURE },
	{ "REFUSED", BYTES(HEAD("\x81\x85", "\1", "\0") QUESTION), DNSMSG_FAILURE },
	{ "code 15", BYTES(HEAD("\x81\x8f", "\1", "\0") QUESTION), DNSMSG_FAILURE },
	{ "another id", BYTES("\x12\x35" OK_FLAGS "\0\0\0\0\0\0\0\0"), DNSMSG_MALFORMED },
	{ "a question", BYTES(HEAD("\x01\x80", "\1", "\0") QUESTION), DNSMSG_MALFORMED },
	{ "truncated", BYTES(HEAD("\x83\x80", "\1", "\0") QUESTION), DNSMSG_MALFORMED },
	{ "header cut", BYTES("\x12\x34\x81\x80\0\0\0\0\0\0\0"), DNSMSG_MALFORMED },
	{ "nothing", "", 0, DNSMSG_MALFORMED },
	{ "question missing", BYTES(HEAD(OK_FLAGS, "\1", "\0")), DNSMSG_MALFORMED },
	{ "question cut", BYTES(HEAD(OK_FLAGS, "\1", "\0") "\1a\2ex\0\0\xf\0"), DNSMSG_MALFORMED },
	{ "label past the end", BYTES(HEAD(OK_FLAGS, "\1", "\0") "\x3f" "a"), DNSMSG_MALFORMED },
	{ "label type 64", BYTES(HEAD(OK_FLAGS, "\1", "\0") "\x40" "a\0\0\1\0\1"),
	    DNSMSG_MALFORMED },
	{ "pointer cut", BYTES(HEAD(OK_FLAGS, "\1", "\0") "\xc0"), DNSMSG_MALFORMED },
	{ "65535 questions, one there", BYTES("\x12\x34" OK_FLAGS "\xff\xff\0\0\0\0\0\0" QUESTION),
	    DNSMSG_MALFORMED },
};

static void
test_verdicts(struct tap *t)
{
	struct dnsmsg_reader r;

	for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
		is_num(t, dnsmsg_open(&r, verdicts[i].message, verdicts[i].n, ID),
		    verdicts[i].verdict, verdicts[i].what);
}

/* All MX records as `PREFERENCE NAME;`, then END, BROKEN or BAD (a record that cannot be used). */
static void
read_mx(const char *message, size_t n, struct buf *text)
{
	struct dnsmsg_reader r;
	struct dnsmsg_record record;
	enum dnsmsg_step step;
	uint16_t preference;

	buf_reset(text);
	if (dnsmsg_open(&r, message, n, ID) != DNSMSG_ANSWER) {
		buf_adds(text, "NO ANSWER");
		return;
	}
	while ((step = dnsmsg_next(&r, DNS_MX, &record)) == DNSMSG_RECORD) {
		if (!dnsmsg_u16(&r, &record, &preference)) {
			buf_adds(text, "BAD");
			return;
		}
		buf_addnum(text, preference);
		buf_addc(text, ' ');
		if (!dnsmsg_name(&r, &record, 2, text)) {
			buf_adds(text, "BAD");
			return;
		}
		buf_addc(text, ';');
	}
	buf_adds(text, step == DNSMSG_END ? "END" : "BROKEN");
}

#define ONE HEAD(OK_FLAGS, "\1", "\1") QUESTION
#define TWO HEAD(OK_FLAGS, "\1", "\2") QUESTION

static const struct {
	const char *what, *message;
	size_t n;
	const char *text;
} answers[] = {
	{ "one", BYTES(ONE RR("\xf", "\6") "\0\xa\1m\xc0\xe"), "10 m.ex;END" },
	{ "whole name", BYTES(ONE RR("\xf", "\7") "\1\0\1M\1X\0"), "256 M.X;END" },
	{ "root", BYTES(ONE RR("\xf", "\3") "\0\0\0"), "0 ;END" },
	{ "none", BYTES(HEAD(OK_FLAGS, "\1", "\0") QUESTION), "END" },
	{ "alias in front", BYTES(TWO RR("\5", "\2") "\xc0\xc" RR("\xf", "\4") "\0\5\xc0\xc"),
	    "5 a.ex;END" },
	{ "alias only", BYTES(ONE RR("\5", "\2") "\xc0\xc"), "END" },
	{ "another class", BYTES(ONE "\xc0\xc\0\xf\0\3\0\0\0\0\0\4" "\0\5\xc0\xc"), "END" },
	{ "record missing", BYTES(ONE), "BROKEN" },
	{ "second missing", BYTES(TWO RR("\xf", "\4") "\0\5\xc0\xc"), "5 a.ex;BROKEN" },
	{ "record cut", BYTES(ONE "\xc0\xc\0\xf\0\1\0\0\0\0\0"), "BROKEN" },
	{ "data cut", BYTES(ONE RR("\xf", "\5") "\0\5\xc0\xc"), "BROKEN" },
	{ "data of 65535 bytes", BYTES(ONE "\xc0\xc\0\xf\0\1\0\0\0\0\xff\xff" "\0\5\xc0\xc"),
	    "BROKEN" },
	{ "no data", BYTES(ONE RR("\xf", "\0")), "BAD" },
	{ "one byte of data", BYTES(ONE RR("\xf", "\1") "\0"), "BAD" },
	{ "no name", BYTES(ONE RR("\xf", "\2") "\0\5"), "5 BAD" },
	{ "pointer to itself", BYTES(ONE RR("\xf", "\4") "\0\5\xc0\x24"), "5 BAD" },
	{ "pointers in a circle", BYTES(ONE RR("\xf", "\6") "\0\5\xc0\x26\xc0\x24"), "5 BAD" },
	{ "label and pointer in a circle", BYTES(ONE RR("\xf", "\6") "\0\5\1a\xc0\x24"),
	    "5 a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
	    "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
	    "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
	    "a.a.a.a.a.a.aBAD" },
	{ "pointer past the end", BYTES(ONE RR("\xf", "\4") "\0\5\xff\xff"), "5 BAD" },
	{ "pointer cut", BYTES(ONE RR("\xf", "\3") "\0\5\xc0"), "5 BAD" },
	{ "label past the end", BYTES(ONE RR("\xf", "\4") "\0\5\2a"), "5 BAD" },
	{ "odd label type", BYTES(ONE RR("\xf", "\5") "\0\5\x81\1\0"), "5 BAD" },
	{ "odd bytes", BYTES(ONE RR("\xf", "\xa") "\0\5\4a. \xff\1\n\0"), "5 a???.?;END" },
};

static void
test_answers(struct tap *t)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		/* A copy of exactly this size, so that the sanitizer sees a read too far. */
		char *copy = malloc(answers[i].n);

		memcpy(copy, answers[i].message, answers[i].n);
		read_mx(copy, answers[i].n, &text);
		free(copy);
		is(t, buf_span(&text), span_str(answers[i].text), answers[i].what);
	}
	buf_free(&text);
}

/* Cut anywhere, a message is never taken for complete. */
static void
test_cuts(struct tap *t)
{
	static const char whole[] = TWO RR("\xf", "\6") "\0\xa\1m\xc0\xe"
	    RR("\xf", "\4") "\0\5\xc0\xc";
	struct buf text = { 0 };
	size_t complete = 0;

	for (size_t n = 0; n < sizeof whole - 1; n++) {
		char *copy = malloc(n + 1);

		memcpy(copy, whole, n);
		read_mx(copy, n, &text);
		complete += text.n >= 3 && strcmp(buf_str(&text) + text.n - 3, "END") == 0;
		free(copy);
	}
	is_num(t, (long long)complete, 0, "no cut message passes as whole");
	read_mx(whole, sizeof whole - 1, &text);
	is(t, buf_span(&text), span_str("10 m.ex;5 a.ex;END"), "the whole one does");
	buf_free(&text);
}

static void
test_addresses(struct tap *t)
{
	static const struct {
		const char *what, *message;
		size_t n;
		enum dns_type type;
		const char *text;	/* NULL: cannot be used */
	} rows[] = {
		{ "A", BYTES(ONE RR("\1", "\4") "\xc0\0\2\1"), DNS_A, "192.0.2.1" },
		{ "AAAA", BYTES(ONE RR("\x1c", "\x10") "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
		    DNS_AAAA, "2001:db8::1" },
		{ "A of 3 bytes", BYTES(ONE RR("\1", "\3") "\xc0\0\2"), DNS_A, NULL },
		{ "A of 5 bytes", BYTES(ONE RR("\1", "\5") "\xc0\0\2\1\1"), DNS_A, NULL },
		{ "AAAA of 15 bytes",
		    BYTES(ONE RR("\x1c", "\xf") "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0"),
		    DNS_AAAA, NULL },
		{ "A of 16 bytes",
		    BYTES(ONE RR("\1", "\x10") "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
		    DNS_A, NULL },
		{ "AAAA of 4 bytes", BYTES(ONE RR("\x1c", "\4") "\xc0\0\2\1"), DNS_AAAA, NULL },
		{ "no data", BYTES(ONE RR("\1", "\0")), DNS_A, NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[IP_TEXT_SIZE] = "";
		struct dnsmsg_reader r;
		struct dnsmsg_record record;
		struct ip ip;
		bool usable;

		(void)dnsmsg_open(&r, rows[i].message, rows[i].n, ID);
		usable = dnsmsg_next(&r, rows[i].type, &record) == DNSMSG_RECORD &&
		    dnsmsg_address(&r, &record, &ip);
		if (usable)
			ip_format(&ip, text);
		ok(t, usable == (rows[i].text != NULL), "%s", rows[i].what);
		is(t, span_str(text), span_str(rows[i].text), rows[i].what);
	}
}

static void
test_texts(struct tap *t)
{
	static const struct {
		const char *what, *message;
		size_t n;
		const char *text;	/* NULL: cannot be used */
	} rows[] = {
		{ "one string", BYTES(ONE RR("\x10", "\4") "\3abc"), "abc" },
		{ "strings are joined", BYTES(ONE RR("\x10", "\7") "\3abc\2de"), "abcde" },
		{ "an empty string", BYTES(ONE RR("\x10", "\1") "\0"), "" },
		{ "empty ones between", BYTES(ONE RR("\x10", "\5") "\1a\0\1b"), "ab" },
		{ "any byte", BYTES(ONE RR("\x10", "\4") "\3\n\xe9\t"), "\n\xe9\t" },
		{ "NUL", BYTES(ONE RR("\x10", "\4") "\3a\0b"), "a\177b" },
		{ "no string", BYTES(ONE RR("\x10", "\0")), NULL },
		{ "string past the record", BYTES(ONE RR("\x10", "\3") "\3abc"), NULL },
		{ "second one past it", BYTES(ONE RR("\x10", "\4") "\1a\2bc"), NULL },
	};
	struct buf text = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct dnsmsg_reader r;
		struct dnsmsg_record record;
		bool usable;

		buf_reset(&text);
		(void)dnsmsg_open(&r, rows[i].message, rows[i].n, ID);
		usable = dnsmsg_next(&r, DNS_TXT, &record) == DNSMSG_RECORD &&
		    dnsmsg_text(&r, &record, &text);
		ok(t, usable == (rows[i].text != NULL), "%s", rows[i].what);
		if (rows[i].text)
			is(t, buf_span(&text), span_str(rows[i].text), rows[i].what);
	}
	buf_free(&text);
}

static void
test_reverse(struct tap *t)
{
	struct buf name = { 0 };
	struct ip ip;

	ok(t, ip_parse(span_str("192.0.2.10"), &ip), "parse");
	dnsmsg_reverse(&ip, &name);
	is(t, buf_span(&name), span_str("10.2.0.192.in-addr.arpa"), "IPv4 backwards");
	buf_reset(&name);
	ok(t, ip_parse(span_str("2001:db8::a1"), &ip), "parse");
	dnsmsg_reverse(&ip, &name);
	is(t, buf_span(&name), span_str("1.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	    "8.b.d.0.1.0.0.2.ip6.arpa"), "IPv6 backwards");
	buf_free(&name);
}

/* Whatever the bytes, reading ends, stays inside (the sanitizer tells) and yields no more than the
 * message can hold.  Always the same sequence of changes. */
static void
test_damaged(struct tap *t)
{
	static const char whole[] = TWO RR("\xf", "\6") "\0\xa\1m\xc0\xe"
	    RR("\xf", "\4") "\0\5\xc0\xc";
	struct buf text = { 0 };
	uint32_t random = 1;
	bool bounded = true;

	for (int run = 0; run < 200000; run++) {
		size_t n = sizeof whole - 1;
		char *copy;

		random = random * 1664525 + 1013904223;
		if (random >> 28 == 0)
			n = (random >> 8) % n;
		copy = malloc(n + 1);
		memcpy(copy, whole, n);
		for (int change = 0; n > 2 && change < 1 + (int)(random >> 30); change++) {
			random = random * 1664525 + 1013904223;
			copy[2 + (random >> 16) % (n - 2)] = (char)(random >> 8);
		}
		read_mx(copy, n, &text);
		bounded = bounded && text.n < 2 * (DNSMSG_NAME_MAX + 8) + 8;
		free(copy);
	}
	ok(t, bounded, "damaged answers yield bounded results");
	buf_free(&text);
}

int
main(void)
{
	struct tap t = { 0 };

	test_questions(&t);
	test_verdicts(&t);
	test_answers(&t);
	test_cuts(&t);
	test_addresses(&t);
	test_texts(&t);
	test_reverse(&t);
	test_damaged(&t);
	return done(&t);
}
