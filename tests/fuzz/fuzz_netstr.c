/* fuzz_netstr - a length is taken exactly if it is short enough, all digits, and in range. */
#include <stdlib.h>

#include "fuzz.h"
#include "lib/num.h"
#include "mail/netstr.h"

const char *const fuzz_words[] = { "0", "00000000", "1", "9", "2000000009", "2000000010",
	"200000000", "18446744073709551616", ":", ",", "-", " ", "x", "\n", NULL };

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct netstr_head head = { 0 };
	enum netstr_status status = NETSTR_MORE, want;
	struct span text = { (const char *)p, n };
	size_t digits = span_chr(text, ':');
	uint64_t value = 0;

	for (size_t i = 0; i < n && status == NETSTR_MORE; i++)
		status = netstr_head(&head, text.p[i]);
	want = digits < NETSTR_HEAD_MAX &&
	    num_parse_u64(text.p, digits, NETSTR_MAX, &value) == NUM_OK ?
	    (digits < n ? NETSTR_COMPLETE : NETSTR_MORE) : NETSTR_BAD;
	if (n && (status != want || (want != NETSTR_BAD && head.length != value)))
		abort();
	return 0;
}
