/* Answers of a name server: whatever they hold, no byte outside is read, there are not more records
 * than announced, and names are short and harmless.  The input is what follows the header; `0` in
 * it stands for a NUL, so that words can hold some. */
#include "net/dnsmsg.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lib/ascii.h"

#define ID 0x1234
#define RECORDS 6

#define MX "0\17" "0\1" "0000"
const char *const fuzz_words[] = {
	"\1a\2ex0" "0\17" "0\1",		/* the question: a.ex, MX */
	"\300\14" MX "0\6" "0\12\1m\300\16",	/* 10 m.ex */
	"\300\14" MX "0\4" "0\5\300\14",	/* 5 a.ex */
	"\300\14" MX "0\3" "000",		/* 0 . */
	"\300\14" "0\5" "0\1" "0000" "0\2\300\14",
	"\300\14" "0\14" "0\1" "0000" "0\3\1x0",
	"\300\14" "0\1" "0\1" "0000" "0\4\300\2\2\1",
	"\300\14" "0\34" "0\1" "0000" "0\20abcdefghijklmnop",
	"\300\14", MX, "0", "\1", "\4", "\77", "\300", "\377\377", "\1a", "\77xxxxxxxx", ".", NULL
};

static void
check_name(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, size_t skip)
{
	struct buf name = { 0 };

	if (dnsmsg_name(r, record, skip, &name) && name.n > DNSMSG_NAME_MAX)
		abort();
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_isgraph(name.p[i]))
			abort();
	buf_free(&name);
}

static void
check_text(const struct dnsmsg_reader *r, const struct dnsmsg_record *record)
{
	struct buf text = { 0 };

	if (dnsmsg_text(r, record, &text) &&
	    (text.n >= record->len || span_chr(buf_span(&text), '\0') < text.n))
		abort();
	buf_free(&text);
}

static void
check_record(const struct dnsmsg_reader *r, const struct dnsmsg_record *record)
{
	uint16_t preference;
	struct ip ip;

	if (record->data > r->n || record->len > r->n - record->data)
		abort();
	if (dnsmsg_u16(r, record, &preference) != (record->len >= 2))
		abort();
	(void)!dnsmsg_address(r, record, &ip);
	check_text(r, record);
	check_name(r, record, 0);
	check_name(r, record, 2);
}

static void
check_type(const unsigned char *message, size_t n, enum dns_type type)
{
	struct dnsmsg_reader r;
	struct dnsmsg_record record;
	unsigned found = 0;

	if (dnsmsg_open(&r, message, n, ID) != DNSMSG_ANSWER)
		return;
	while (dnsmsg_next(&r, type, &record) == DNSMSG_RECORD) {
		check_record(&r, &record);
		if (++found > RECORDS)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const unsigned char head[DNSMSG_HEADER] = {
		ID >> 8, ID & 0xff, 0x81, 0x80, 0, 1, 0, RECORDS
	};
	static const enum dns_type types[] = { DNS_A, DNS_CNAME, DNS_PTR, DNS_MX, DNS_AAAA,
		DNS_TXT };
	unsigned char *message = malloc(sizeof head + n);	/* no byte more: a sanitizer sees */

	if (!message)
		abort();
	memcpy(message, head, sizeof head);
	for (size_t i = 0; i < n; i++)
		message[sizeof head + i] = p[i] == '0' ? 0 : p[i];
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		check_type(message, sizeof head + n, types[i]);
	free(message);
	return 0;
}
