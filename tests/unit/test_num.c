/* num: every status, the ends of every range. */
#include "lib/num.h"

#include "tap.h"

#define U64 UINT64_C(18446744073709551615)

static const struct row {
	const char *text;
	uint64_t max;
	enum num_status status;
	uint64_t value;
} decimals[] = {
	{ "", 9, NUM_SYNTAX, 0 },
	{ "0", 0, NUM_OK, 0 },
	{ "1", 0, NUM_RANGE, 0 },
	{ "9", 9, NUM_OK, 9 },
	{ "10", 9, NUM_RANGE, 0 },
	{ "007", 7, NUM_OK, 7 },
	{ "99", 100, NUM_OK, 99 },
	{ "100", 100, NUM_OK, 100 },
	{ "101", 100, NUM_RANGE, 0 },
	{ "18446744073709551614", U64, NUM_OK, U64 - 1 },
	{ "18446744073709551615", U64, NUM_OK, U64 },
	{ "18446744073709551616", U64, NUM_RANGE, 0 },
	{ "18446744073709551620", U64, NUM_RANGE, 0 },
	{ "99999999999999999999999", U64, NUM_RANGE, 0 },
	{ "00000000000000000000000001", U64, NUM_OK, 1 },
	{ "99999999999999999999999x", U64, NUM_SYNTAX, 0 },
	{ "1x", 9, NUM_SYNTAX, 0 },
	{ "x", 9, NUM_SYNTAX, 0 },
	{ " 1", 9, NUM_SYNTAX, 0 },
	{ "+1", 9, NUM_SYNTAX, 0 },
	{ "-1", 9, NUM_SYNTAX, 0 },
	{ "/", 9, NUM_SYNTAX, 0 },
	{ ":", 9, NUM_SYNTAX, 0 },
	{ "\xb2", 9, NUM_SYNTAX, 0 },
};

static void
test_parse(struct tap *t)
{
	for (size_t i = 0; i < sizeof decimals / sizeof decimals[0]; i++) {
		const struct row *row = &decimals[i];
		uint64_t out = 42;
		enum num_status status;

		status = num_parse_u64(row->text, strlen(row->text), row->max, &out);
		ok(t, status == row->status && out == (status == NUM_OK ? row->value : 42),
		    "decimal `%s`", row->text);
	}
}

static void
test_lead(struct tap *t)
{
	static const struct {
		const char *text;
		uint64_t max;
		size_t digits;
		uint64_t value;
	} rows[] = {
		{ "", 9, 0, 42 }, { "x1", 9, 0, 42 }, { "-1", 9, 0, 42 }, { "7", 9, 1, 7 },
		{ "7x8", 9, 1, 7 }, { "9 ", 9, 1, 9 }, { "10", 9, 2, 9 },
		{ "99999999999999999999999 apples", U64, 23, U64 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t out = 42;
		size_t n = num_lead_u64(span_str(rows[i].text), rows[i].max, &out);

		ok(t, n == rows[i].digits && out == rows[i].value, "lead `%s`", rows[i].text);
	}
}

static void
test_format(struct tap *t)
{
	static const struct {
		uint64_t value;
		const char *text;
	} rows[] = { { 0, "0" }, { 9, "9" }, { 10, "10" }, { 1000, "1000" },
		{ U64, "18446744073709551615" } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char out[NUM_U64_SIZE];
		size_t n = num_format(out, rows[i].value);

		ok(t, n == strlen(rows[i].text) && strcmp(out, rows[i].text) == 0, "format %s",
		    rows[i].text);
	}
}

static void
test_sums(struct tap *t)
{
	const size_t half = (size_t)1 << (sizeof(size_t) * 4);
	size_t out = 0;

	ok(t, !num_add(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX, "largest sum");
	ok(t, num_add(SIZE_MAX, 1, &out), "sum over it");
	ok(t, !num_mul(SIZE_MAX, 1, &out) && out == SIZE_MAX, "largest product");
	ok(t, !num_mul(SIZE_MAX, 0, &out) && out == 0, "product with 0");
	ok(t, !num_mul(half, half - 1, &out), "product below the limit");
	ok(t, num_mul(half, half, &out), "product over the limit");
}

static void
test_isqrt(struct tap *t)
{
	static const uint64_t roots[] = { 0, 1, 2, 3, 10, 999, 65535, 65536, 4294967295U };
	bool right = true;

	for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
		uint64_t r = roots[i], next = r == 4294967295U ? U64 : (r + 1) * (r + 1) - 1;

		ok(t, num_isqrt(r * r) == r && num_isqrt(next) == r, "root %llu",
		    (unsigned long long)r);
		ok(t, !r || num_isqrt(r * r - 1) == r - 1, "below its square");
	}
	for (uint64_t v = 0; v < 100000; v++) {
		uint64_t r = num_isqrt(v);

		right = right && r * r <= v && (r + 1) * (r + 1) > v;
	}
	ok(t, right, "roots up to 100,000");
}

int
main(void)
{
	struct tap t = { 0 };

	test_parse(&t);
	test_lead(&t);
	test_format(&t);
	test_sums(&t);
	test_isqrt(&t);
	return done(&t);
}
