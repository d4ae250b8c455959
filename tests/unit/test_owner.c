/* owner: which prefixes of an address may be accounts. */
#include "users/owner.h"

#include <stdlib.h>

#include "baddisk.h"
#include "tap.h"

static const struct {
	const char *local;
	size_t n, lengths[6];
} rows[] = {
	{ "joe", 1, { 3 } },
	{ "joe-foo", 2, { 7, 3 } },
	{ "a-b-c", 3, { 5, 3, 1 } },
	{ "joe-", 2, { 4, 3 } },
	{ "joe--x", 3, { 6, 4, 3 } },
	{ "-x", 1, { 2 } },
	{ "-", 1, { 1 } },
	{ "--", 2, { 2, 1 } },
	{ "", 0, { 0 } },
};

static void
fill(char *text, size_t n, char c)
{
	memset(text, c, n);
	text[n] = '\0';
}

/* The home directory of an account that every host has cannot be looked at. */
static void
test_home(struct tap *t, const int *errors, size_t n, enum owner_status status)
{
	struct account a = { { 0 }, { 0 }, { 0 }, 0, 0 };
	enum owner_status found;
	size_t length;

	for (size_t i = 0; i < n; i++) {
		baddisk_error = errors[i];
		found = owner_find(span_str("daemon"), &a, &length);
		baddisk_error = 0;
		is_num(t, found, status, strerror(errors[i]));
	}
	uids_account_free(&a);
}

int
main(void)
{
	size_t lengths[OWNER_LOOKUPS], n;
	char text[1001];
	struct tap t = { 0 };
	struct account a = { { 0 }, { 0 }, { 0 }, 0, 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		n = owner_candidates(span_str(rows[i].local), lengths);
		is_num(&t, (long)n, (long)rows[i].n, rows[i].local);
		for (size_t j = 0; j < n && j < rows[i].n; j++)
			is_num(&t, (long)lengths[j], (long)rows[i].lengths[j], "  length");
	}
	fill(text, OWNER_NAME_MAX, 'a');
	is_num(&t, (long)owner_candidates(span_str(text), lengths), 1, "the longest name");
	fill(text, OWNER_NAME_MAX + 1, 'a');
	is_num(&t, (long)owner_candidates(span_str(text), lengths), 0, "one byte more");
	fill(text, 1000, '-');
	n = owner_candidates(span_str(text), lengths);
	is_num(&t, (long)n, OWNER_LOOKUPS, "a thousand hyphens");
	ok(&t, lengths[0] == OWNER_LOOKUPS && lengths[n - 1] == 1, "the short ones are tried");
	fill(text, OWNER_LOOKUPS, '-');
	is_num(&t, (long)owner_candidates(span_str(text), lengths), OWNER_LOOKUPS, "just enough");
	is_num(&t, owner_find(span_str(text), &a, &n), OWNER_NONE, "none of them is an account");
	is_num(&t, owner_find(span_str("root-x"), &a, &n), OWNER_NONE, "root is nobody");
	uids_account_free(&a);
	test_home(&t, baddisk_absent, sizeof baddisk_absent / sizeof(int), OWNER_NONE);
	test_home(&t, baddisk_denied, sizeof baddisk_denied / sizeof(int), OWNER_NONE);
	test_home(&t, baddisk_trouble, sizeof baddisk_trouble / sizeof(int), OWNER_HOME);
	return done(&t);
}
