/* qmail-send and qmail-clean: what the one asks, the other reads as just that; nothing but a number
 * in its place is a request; every answer belongs to the oldest request.
 * Input: a byte for each request (low bit: which kind), a `~`, then answers, which are also read as
 * requests with `~` between them. */
#include "send/cleaner.h"

#include <unistd.h>

#include "queue/cleanup.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"1", "2", "3", "8", "~", "+", "!", "x", "foop/457", "todo/457", "todo/20/457",
	"foop/20/457", "foop/", "todo/", "todo/0/0", "foop/0", "foop/00", "18446744073709551615",
	"18446744073709551616", "/", "..", "todo/../mess/1", "-1", NULL
};

struct heard {
	uint64_t next;		/* id of the request whose answer is due */
	size_t good, bad;
};

static void
answered(void *arg, uint64_t id, bool removed)
{
	struct heard *h = arg;

	promise(id == h->next);
	h->next++;
	h->good += removed;
	h->bad += !removed;
}

static void
log_line(void *arg, struct span line)
{
	(void)arg;
	promise(line.n > 1 && span_chr(line, '\n') == line.n - 1);
}

/* Nothing but `foop/N`, `todo/N`, and where todo is split `todo/SUB/N`, is a request. */
static void
check_parse(struct span request, bool big_todo)
{
	const struct qlayout q = { .big_todo = big_todo };
	char path[QLAYOUT_PATH_SIZE];
	uint64_t id, again;
	enum cleanup_kind kind = cleanup_parse(&q, request, &id);
	struct span name = span_tail(request, 5);

	if (kind == CLEANUP_BAD)
		return;
	promise(span_starts(request, span_str(kind == CLEANUP_FOOP ? "foop/" : "todo/")));
	if (span_chr(name, '/') < name.n) {
		promise(kind == CLEANUP_TODO && big_todo);
		/* Zeros in front are forgiven. */
		(void)qlayout_path(&q, path, Q_TODO, id);
		name = span_tail(name, span_chr(name, '/') + 1);
	}
	promise(qlayout_parse_id(name, &again) && again == id);
}

/* The requests as qmail-send writes them, as qmail-clean reads them. */
static void
check_asked(struct span kinds, struct span sent, bool big_todo)
{
	const struct qlayout q = { .big_todo = big_todo };
	uint64_t id;

	for (size_t i = 0; i < kinds.n; i++) {
		struct span request = rig_take(&sent, '\0');

		promise(cleanup_parse(&q, request, &id) ==
		    (kinds.p[i] & 1 ? CLEANUP_TODO : CLEANUP_FOOP));
		promise(id == i);
	}
	promise(sent.n == 0);
}

static void
check_talk(struct span kinds, struct span answers, bool big_todo)
{
	const struct qlayout q = { .big_todo = big_todo };
	struct activity log = { .emit = log_line, .tag = "" };
	struct heard heard = { .next = 0 };
	struct cleaner c = { .owner = { { answered, &heard }, { answered, &heard } } };
	struct buf sent = { 0 };
	struct waitset w;
	size_t want;

	promise(cleaner_init(&c, dup(rig_file(0, span_str(""))), dup(rig_file(1, answers)), &q,
	    &log) == 0);
	promise(cleaner_room(&c) == CLEANER_MAX);
	for (size_t i = 0; i < kinds.n; i++)
		cleaner_ask(&c, kinds.p[i] & 1 ? CLEAN_TODO : CLEAN_FOOP, i);
	promise(cleaner_room(&c) == CLEANER_MAX - kinds.n);
	do {
		waitset_begin(&w);
		cleaner_watch(&c, &w);
		waitset_now(&w);
		promise(waitset_sleep(&w) == 0);
	} while (cleaner_step(&c, &w));
	promise(cleaner_room(&c) == 0);
	rig_file_text(0, &sent);
	check_asked(kinds, buf_span(&sent), big_todo);
	want = answers.n < kinds.n ? answers.n : kinds.n;
	promise(heard.good + heard.bad == want);
	for (size_t i = 0; i < want; i++)
		heard.good -= answers.p[i] == '+';
	promise(heard.good == 0);
	buf_free(&sent);
	buf_free(&log.line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n), kinds = rig_take(&in, '~');
	bool big_todo = n % 2;

	check_talk(span_head(kinds, CLEANER_MAX), in, big_todo);
	while (in.n) {
		struct span request = rig_take(&in, '~');

		check_parse(request, false);
		check_parse(request, true);
	}
	return 0;
}
