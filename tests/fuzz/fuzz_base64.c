/* Base64: what is decoded is encoded to the same text, and what is encoded decoded to the same
 * bytes; what is refused adds nothing. */
#include "lib/base64.h"

#include "rig.h"

const char *const fuzz_words[] = {
	"=", "==", "AAAA", "Zm9v", "Zg==", "Zm8=", "+/+/", "*", "\xff", NULL
};

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n);
	struct buf there = { 0 }, back = { 0 };

	base64_encode(&there, in);
	promise(buf_ok(&there) && there.n == (in.n + 2) / 3 * 4);
	promise(base64_decode(&back, buf_span(&there)) && span_eq(buf_span(&back), in));
	buf_reset(&there);
	buf_reset(&back);
	if (base64_decode(&back, in)) {
		base64_encode(&there, buf_span(&back));
		promise(span_eq(buf_span(&there), in));
	} else {
		promise(back.n == 0);
	}
	buf_free(&there);
	buf_free(&back);
	return 0;
}
