/* spool: messages around the size that memory holds, and a disk that does not take them. */
#include "remote/spool.c"

#include <signal.h>
#include <sys/resource.h>

#include "lib/sig.h"
#include "scratch.h"
#include "tap.h"

static const struct {
	const char *name;
	size_t size;
	bool in_file;
} rows[] = {
	{ "nothing", 0, false },
	{ "one byte", 1, false },
	{ "one less than memory holds", SPOOL_MEMORY_MAX - 1, false },
	{ "what memory holds", SPOOL_MEMORY_MAX, false },
	{ "one more", SPOOL_MEMORY_MAX + 1, true },
	{ "much more", 3 * SPOOL_MEMORY_MAX + 4321, true },
};

static char *
make_text(size_t n)
{
	char *p = malloc(n + 1);

	if (!p)
		abort();
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 7 + i / 1000);
	return p;
}

static int
make_source(const char *text, size_t n)
{
	int fd = open("source", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || io_write_all(fd, text, n) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	return fd;
}

static void
check_put(struct tap *t, const struct spool *s, struct span want, const char *name)
{
	struct buf got = BUF_CAP(8 * SPOOL_MEMORY_MAX);
	int fd = scratch_file("sink", "");
	char buffer[1000];
	struct io_out out;

	io_out_init(&out, fd, buffer, sizeof buffer);
	ok(t, spool_put(s, &out) == SPOOL_OK && io_flush(&out) == 0, "%s: put", name);
	if (lseek(fd, 0, SEEK_SET) == -1 || io_read_all(fd, &got) != IO_OK)
		abort();
	ok(t, span_eq(buf_span(&got), want), "%s: the same bytes", name);
	buf_free(&got);
	(void)close(fd);
}

static void
test_sizes(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct spool s = SPOOL_EMPTY;
		char *text = make_text(rows[i].size);
		int from = make_source(text, rows[i].size);

		ok(t, spool_take(&s, from) == SPOOL_OK && s.size == rows[i].size, "%s: taken",
		    rows[i].name);
		ok(t, (s.fd != -1) == rows[i].in_file, "%s: %s file", rows[i].name,
		    rows[i].in_file ? "a" : "no");
		check_put(t, &s, span_of(text, rows[i].size), rows[i].name);
		check_put(t, &s, span_of(text, rows[i].size), rows[i].name);
		spool_free(&s);
		free(text);
		(void)close(from);
	}
}

static void
test_trouble(struct tap *t)
{
	const struct rlimit little = { 1000, RLIM_INFINITY };
	const struct rlimit much = { RLIM_INFINITY, RLIM_INFINITY };
	struct spool s = SPOOL_EMPTY, small = { .memory = BUF_CAP(10), .fd = -1 };
	char *text = make_text(2 * SPOOL_MEMORY_MAX), buffer[16];
	int from = make_source(text, 2 * SPOOL_MEMORY_MAX);
	struct io_out out;

	ok(t, spool_take(&s, -1) == SPOOL_READ, "a source that cannot be read");
	sig_ignore(SIGXFSZ);
	if (setrlimit(RLIMIT_FSIZE, &little) == -1)
		abort();
	ok(t, spool_take(&s, from) == SPOOL_WRITE, "no room on the disk");
	if (setrlimit(RLIMIT_FSIZE, &much) == -1)
		abort();
	io_out_init(&out, 1, buffer, sizeof buffer);
	out.status = IO_ERROR;
	ok(t, spool_put(&s, &out) == SPOOL_OK, "a sink that failed is the caller's business");
	out = (struct io_out){ .fd = scratch_file("sink", ""), .buf = buffer, .size = sizeof buffer,
		.timeout_ms = DEADLINE_NONE, .deadline = DEADLINE_NONE };
	ok(t, spool_put(&s, &out) == SPOOL_READ, "a file shorter than it should be");
	(void)close(out.fd);
	spool_free(&s);
	if (lseek(from, 0, SEEK_SET) == -1)
		abort();
	ok(t, spool_take(&small, from) == SPOOL_MEMORY, "no memory");
	spool_free(&small);
	(void)close(from);
	free(text);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch scratch;

	scratch_enter(&scratch);
	test_sizes(&t);
	test_trouble(&t);
	scratch_leave(&scratch);
	return done(&t);
}
