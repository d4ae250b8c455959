/* result - what a check of a sender comes to, and the words for it. */
#include "spf/result.h"

static const struct {
	const char *word, *old;
} words[SPF_RESULTS] = {
	[SPF_NONE] = { "none", "none" },
	[SPF_NEUTRAL] = { "neutral", "neutral" },
	[SPF_PASS] = { "pass", "pass" },
	[SPF_FAIL] = { "fail", "fail" },
	[SPF_SOFTFAIL] = { "softfail", "softfail" },
	[SPF_TEMPERROR] = { "temperror", "error" },
	[SPF_PERMERROR] = { "permerror", "unknown" },
};

const char *
spf_result_word(enum spf_result r)
{
	return words[r].word;
}

const char *
spf_result_old_word(enum spf_result r)
{
	return words[r].old;
}

enum spf_result
spf_result_parse(struct span word)
{
	unsigned r = 0;

	while (r < SPF_RESULTS && !span_eq(word, span_str(words[r].word)))
		r++;
	return (enum spf_result)r;
}
