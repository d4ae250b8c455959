/* Commands and reports between qmail-send and its spawn daemons: fields keep their limits whatever
 * comes, and what was taken apart is, put together, the same bytes. */
#include "queue/spawnproto.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lib/buf.h"

const char *const fuzz_words[] = {
	"0", "\1", "\2", "\377", "3/26", "joe@x.test", "a", "K", "Z", "D", "ok\n", "text", "\n",
	"0", "0", NULL
};

/* `0` in the input stands for a NUL, so that words can hold some. */
static void
decode(struct buf *to, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addc(to, p[i] == '0' ? '\0' : (char)p[i]);
}

static void
commands(struct span in)
{
	struct spawnproto_command c = { 0 };
	size_t begin = 0;

	for (size_t i = 0; i < in.n; i++) {
		struct buf again = { 0 };

		if (!spawnproto_command_feed(&c, in.p[i]))
			continue;
		if (!c.failed) {
			spawnproto_add_command(&again, c.slot, buf_span(&c.id),
			    buf_span(&c.sender), buf_span(&c.recipient));
			if (!span_eq(buf_span(&again), span_of(in.p + begin, i + 1 - begin)))
				abort();
		}
		begin = i + 1;
		buf_free(&again);
		spawnproto_command_next(&c);
	}
	spawnproto_command_free(&c);
}

static void
reports(struct span in)
{
	struct spawnproto_report r = { 0 };
	size_t begin = 0;

	for (size_t i = 0; i < in.n; i++) {
		struct buf again = { 0 };

		if (!spawnproto_report_feed(&r, in.p[i]))
			continue;
		spawnproto_add_report(&again, r.slot, buf_span(&r.text));
		if (!span_eq(buf_span(&again), span_of(in.p + begin, i + 1 - begin)))
			abort();
		begin = i + 1;
		buf_free(&again);
		spawnproto_report_next(&r);
	}
	spawnproto_report_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 };

	decode(&in, p, n);
	commands(buf_span(&in));
	reports(buf_span(&in));
	buf_free(&in);
	return 0;
}
