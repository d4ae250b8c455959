/* fieldread: fields of a header, one by one. */
#include "mail/fieldread.h"

#include <errno.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

#define MORE "|more"

/* What is found, as `id(rest)` for each field; then what was read ahead, or nothing. */
static const struct {
	const char *name, *in, *out;
} rows[] = {
	{ "empty", "", "" },
	{ "one field", "To: a\n", "To( a)" },
	{ "no LF", "To: a", "To( a)" },
	{ "two, and a body", "To: a\nCc:b\n\nCc: c\n", "To( a)Cc(b)" MORE "()" },
	{ "folded", "To: a,\n b\n\tc\nCc: d\n", "To( a,\n b\n\tc)Cc( d)" },
	{ "folded to the end", "To: a\n b", "To( a\n b)" },
	{ "blanks only", "To: a\n \t\nCc: b\n", "To( a\n \t)Cc( b)" },
	{ "a blank in front of all", " To: a\n", MORE "( To: a)" },
	{ "blank before the colon", "To : a\n", "To( a)" },
	{ "any case", "tO: a\ncC: b\n", "To( a)Cc( b)" },
	{ "From_ line", "From x Mon\nTo: a\n", "To( a)" },
	{ "From_ line, folded", "From x\n y\nTo: a\n", "To( a)" },
	{ "another field", "X: a\nTo: b\n", "?( a)To( b)" },
	{ "no field", "To: a\nhello\n", "To( a)" MORE "(hello)" },
	{ "empty value", "To:\n\n", "To()" MORE "()" },
	{ "CR", "To: a\r\n\r\n", "To( a\r)" MORE "(\r)" },
};

static int
file_of(const char *text, size_t n)
{
	int fd = open("in", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1 || io_write_all(fd, text, n) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	return fd;
}

static void
add_field(const struct fieldread *r, struct buf *to)
{
	buf_adds(to, r->id == FIELD_TO ? "To" : r->id == FIELD_CC ? "Cc" : "?");
	buf_addc(to, '(');
	buf_addspan(to, r->rest);
	buf_addc(to, ')');
}

/* How it ended. */
static enum io_status
read_all(int fd, size_t size, struct buf *to)
{
	char buffer[64];
	struct io_in in;
	struct fieldread r = FIELDREAD(&in);
	enum io_status status;

	io_in_init(&in, fd, buffer, size);
	while ((status = fieldread_next(&r)) == IO_OK)
		add_field(&r, to);
	if (r.ahead) {
		buf_adds(to, MORE "(");
		buf_addbuf(to, &r.line);
		buf_addc(to, ')');
	}
	fieldread_free(&r);
	return status;
}

static void
test_rows(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t size = 1; size <= 64; size *= 8) {
			int fd = file_of(rows[i].in, strlen(rows[i].in));
			struct buf got = { 0 };

			ok(t, read_all(fd, size, &got) == IO_EOF, "%s, %zu bytes at a time",
			    rows[i].name, size);
			is(t, buf_span(&got), span_str(rows[i].out), "  fields");
			buf_free(&got);
			(void)close(fd);
		}
}

/* A field of n bytes between two others. */
static struct span
read_long(size_t n, bool folded, struct buf *got)
{
	struct buf text = BUF_CAP(4 * FIELDREAD_MAX);
	int fd;

	buf_adds(&text, "To: a\nX:");
	for (size_t i = 2; i < n; i++)
		buf_addc(&text, folded && i == n / 2 ? '\n' : folded && i == n / 2 + 1 ? ' ' : 'x');
	buf_adds(&text, "\nCc: b\n");
	fd = file_of(text.p, text.n);
	buf_reset(got);
	if (read_all(fd, 64, got) != IO_EOF)
		buf_reset(got);
	(void)close(fd);
	buf_free(&text);
	return buf_span(got);
}

static void
test_limit(struct tap *t)
{
	const struct span over = span_str("To( a)Cc( b)");
	struct buf got = BUF_CAP(4 * FIELDREAD_MAX);

	for (int folded = 0; folded < 2; folded++) {
		const char *kind = folded ? "folded" : "one line";

		ok(t, read_long(FIELDREAD_MAX - 1, folded, &got).n > FIELDREAD_MAX,
		    "below the limit, %s", kind);
		ok(t, read_long(FIELDREAD_MAX, folded, &got).n > FIELDREAD_MAX,
		    "at the limit, %s", kind);
		ok(t, span_eq(read_long(FIELDREAD_MAX + 1, folded, &got), over),
		    "above it is passed over, %s", kind);
	}
	buf_free(&got);
}

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };
	struct buf got = { 0 };
	int dir;

	scratch_enter(&s);
	test_rows(&t);
	test_limit(&t);
	dir = open(".", O_RDONLY | O_CLOEXEC);
	ok(&t, read_all(dir, 64, &got) == IO_ERROR && errno == EISDIR, "unreadable");
	(void)close(dir);
	buf_free(&got);
	scratch_leave(&s);
	return done(&t);
}
