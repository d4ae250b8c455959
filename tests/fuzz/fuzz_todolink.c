/* What qmail-send hears from qmail-todo: every record that is one is obeyed once and in order, also
 * when memory was out for a moment, every log line is one line, and the rest only gives a warning.
 * Input: `~` stands for a NUL. */
#include "send/todolink.h"

#include <unistd.h>

#include "mail/route.h"
#include "queue/qlayout.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"~", "DL1~", "DR22~", "DB457~", "DX3~", "X~", "Lnew msg 1\n~", "Lwarning: x\n~", "L", "D",
	"X", "0", "18446744073709551616", "-", "\n", "DZ1~", "H~", "\xff", NULL
};

struct heard {
	struct span rest;	/* of the input, from the record that is due next */
	size_t calls;
	size_t stopped;
	size_t lines;
};

/* The next record of the input that tells of a message. */
static bool
next_message(struct span *rest, uint64_t *id, char *channels)
{
	while (rest->n) {
		size_t end = span_chr(*rest, '\0');
		struct span record = span_head(*rest, end);

		if (end == rest->n)
			return false;
		*rest = span_tail(*rest, end + 1);
		if (record.n > TODOLINK_RECORD_MAX)
			record.n = TODOLINK_RECORD_MAX;
		if (record.n < 3 || record.p[0] != 'D' ||
		    !qlayout_parse_id(span_tail(record, 2), id))
			continue;
		*channels = record.p[1];
		if (*channels == 'L' || *channels == 'R' || *channels == 'B' || *channels == 'X')
			return true;
	}
	return false;
}

static bool
preprocessed(void *arg, uint64_t id, unsigned channels)
{
	struct heard *h = arg;
	struct span rest = h->rest;
	unsigned want;
	uint64_t expected;
	char letter;

	promise(next_message(&rest, &expected, &letter));
	want = letter == 'L' ? 1U << CHANNEL_LOCAL : letter == 'R' ? 1U << CHANNEL_REMOTE :
	    letter == 'B' ? 1U << CHANNEL_LOCAL | 1U << CHANNEL_REMOTE : 0;
	promise(id == expected && channels == want);
	if (++h->calls % 3 == 0)
		return false;	/* no memory: it must ask again */
	h->rest = rest;
	return true;
}

static void
log_line(void *arg, struct span line)
{
	struct heard *h = arg;

	h->lines++;
	promise(line.n > 0 && line.p[line.n - 1] == '\n');
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 };
	struct heard heard = { .calls = 0 };
	struct activity log = { .emit = log_line, .arg = &heard, .tag = "" };
	struct todolink l = { .preprocessed = preprocessed, .arg = &heard };
	struct waitset w;
	uint64_t id;
	char letter;
	bool alive = true;

	rig_nuls(&in, rig_input(p, n), '~');
	heard.rest = buf_span(&in);
	promise(todolink_init(&l, dup(rig_file(1, span_str(""))), dup(rig_file(0, buf_span(&in))),
	    &log) == 0);
	while (alive) {
		waitset_begin(&w);
		todolink_watch(&l, &w);
		waitset_now(&w);
		promise(waitset_sleep(&w) == 0);
		alive = todolink_step(&l, &w);
	}
	promise(!next_message(&heard.rest, &id, &letter));
	promise(l.to == -1 && l.from == -1);
	buf_free(&l.record);
	buf_free(&log.line);
	buf_free(&in);
	return 0;
}
