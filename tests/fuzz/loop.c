/* loop - runs a fuzz target on inputs made from its words, from random bytes and from parts of
 * earlier inputs; the same seed gives the same inputs, -n of them or those of half a second.
 * TAP on standard output. */
#include "fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/deadline.h"
#include "lib/io.h"

#define INPUT_MAX ((size_t)512)
#define FILE_MAX ((size_t)16 << 20)
#define PATIENCE_MS 500

struct loop {
	uint64_t state;			/* xorshift64 */
	struct buf input, before;
	size_t words;
};

static size_t
below(struct loop *l, size_t n)
{
	l->state ^= l->state << 13;
	l->state ^= l->state >> 7;
	l->state ^= l->state << 17;
	return (size_t)(l->state % n);
}

static void
add_piece(struct loop *l)
{
	size_t from;

	switch (below(l, 16)) {
	case 0:
		buf_addc(&l->input, (char)below(l, 256));
		break;
	case 1:
		if (!l->before.n)
			break;
		from = below(l, l->before.n);
		buf_add(&l->input, l->before.p + from, 1 + below(l, l->before.n - from));
		break;
	default:
		buf_adds(&l->input, fuzz_words[below(l, l->words)]);
	}
}

static void
run_one(struct loop *l)
{
	size_t pieces = 1 + below(l, 24);

	buf_reset(&l->input);
	while (pieces-- && l->input.n < INPUT_MAX)
		add_piece(l);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)buf_str(&l->input), l->input.n);
	buf_reset(&l->before);
	buf_addbuf(&l->before, &l->input);
}

/* As many as there is time for. */
static unsigned long
run_many(struct loop *l, unsigned long most)
{
	const int64_t end = deadline_after(PATIENCE_MS);
	unsigned long n;

	for (n = 0; n < most && (n % 64 || deadline_now() < end); n++)
		run_one(l);
	return n;
}

static void
run_file(const char *path)
{
	struct buf text = BUF_CAP(FILE_MAX);
	FILE *file = fopen(path, "r");

	if (!file || io_read_all(fileno(file), &text) != IO_OK)
		abort();
	(void)LLVMFuzzerTestOneInput((const uint8_t *)buf_str(&text), text.n);
	(void)fclose(file);
	buf_free(&text);
}

int
main(int argc, char **argv)
{
	struct loop l = { .state = 88172645463325252U };
	unsigned long runs = 100000;

	for (int c; (c = getopt(argc, argv, "n:s:")) != -1;)
		switch (c) {
		case 'n': runs = strtoul(optarg, NULL, 10); break;
		case 's': l.state = strtoul(optarg, NULL, 10) | 1; break;
		default: return 100;
		}
	for (int i = optind; i < argc; i++)
		run_file(argv[i]);
	while (fuzz_words[l.words])
		l.words++;
	if (optind == argc)
		runs = run_many(&l, runs);
	buf_free(&l.input);
	buf_free(&l.before);
	printf("ok 1 - %lu inputs\n1..1\n", optind == argc ? runs : (unsigned long)(argc - optind));
	return 0;
}
