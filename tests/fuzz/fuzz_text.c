/* The small readers that others are made of: UTF-8 against a decoder of the standard's table,
 * numbers against the C library, queue numbers, sets against a plain search.
 * Input: key `|` lines of a set. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/num.h"
#include "lib/set.h"
#include "lib/utf8.h"
#include "queue/qlayout.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"|", "a.b.c", ".b.c", ".c", "a=1\n", ".b.c=2\n", "=3\n", "A.B.C=4\n", "0",
	"18446744073709551615", "18446744073709551616", "007", "-1", "+1", " 1", "\xc3\xa9",
	"\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80",
	"\xe0\x80\x80", "\x80", "\n", "=", NULL
};

/* RFC 3629, 4, byte by byte. */
static size_t
sequence(const unsigned char *p, size_t n)
{
	static const struct {
		unsigned char first, last, low, high;
		size_t length;
	} rows[] = {
		{ 0x00, 0x7f, 0, 0, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (n < rows[i].length || p[0] < rows[i].first || p[0] > rows[i].last)
			continue;
		if (rows[i].length > 1 && (p[1] < rows[i].low || p[1] > rows[i].high))
			return 0;
		for (size_t k = 2; k < rows[i].length; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return rows[i].length;
	}
	return 0;
}

static void
check_utf8(struct span in)
{
	bool valid = true;

	for (struct span rest = in; rest.n;) {
		size_t n = sequence((const unsigned char *)rest.p, rest.n);

		promise(utf8_sequence(rest) == n);
		valid = valid && n > 0;
		rest = span_tail(rest, n ? n : 1);
	}
	promise(utf8_valid(in) == valid);
}

static void
check_number(struct span in)
{
	char copy[64], *end;
	uint64_t value = 0, id = 0;
	enum num_status status = num_parse_u64(in.p, in.n, UINT64_MAX, &value);
	bool is_id = qlayout_parse_id(in, &id);

	promise(is_id == (status == NUM_OK) && (!is_id || id == value));
	if (in.n == 0 || in.n >= sizeof copy)
		return;
	memcpy(copy, in.p, in.n);
	copy[in.n] = '\0';
	for (size_t i = 0; i < in.n; i++)
		if (!ascii_isdigit(copy[i])) {
			promise(status == NUM_SYNTAX);
			return;
		}
	errno = 0;
	promise((status == NUM_RANGE) == (strtoull(copy, &end, 10), errno == ERANGE));
	if (status == NUM_OK)
		promise(strtoull(copy, NULL, 10) == value);
}

/* What the last line with this key says. */
static bool
search(struct span text, struct span key, struct span *value)
{
	bool found = false;

	while (text.n) {
		struct span line = rig_take(&text, '\n'), name = rig_take(&line, '=');

		if (ascii_ieq(name, key)) {
			*value = line;
			found = true;
		}
	}
	return found;
}

static bool
search_domain(struct span text, struct span domain, struct span *value)
{
	for (size_t at = 0; at < domain.n; at++)
		if ((at == 0 || domain.p[at] == '.') && search(text, span_tail(domain, at), value))
			return true;
	return search(text, span_str(""), value);
}

static void
check_set(struct span text, struct span key)
{
	struct set s = { .n = 0 };
	struct span got = { NULL, 0 }, want = { NULL, 0 };
	bool found;

	for (struct span rest = text; rest.n;) {
		struct span line = rig_take(&rest, '\n'), name = rig_take(&line, '=');

		set_add(&s, name, line);
	}
	promise(set_finish(&s));
	found = set_find(&s, key, &got);
	promise(found == search(text, key, &want) && (!found || span_eq(got, want)));
	found = set_find_domain(&s, key, true, &got);
	promise(found == search_domain(text, key, &want) && (!found || span_eq(got, want)));
	set_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n), key = rig_take(&in, '|');

	check_utf8(key);
	check_number(key);
	check_set(in, key);
	return 0;
}
