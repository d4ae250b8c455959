/* envelope: records in, records out. */
#include "queue/envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

/* A descriptor with these bytes to read. */
static int
fd_of(const char *p, size_t n)
{
	FILE *f = tmpfile();
	int fd;

	if (!f || (n && fwrite(p, n, 1, f) != 1) || fflush(f) != 0 || (fd = dup(fileno(f))) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1)
		exit(111);
	(void)fclose(f);
	return fd;
}

struct row {
	const char *name, *bytes;
	size_t n;
	const char *types;		/* of the records, in order */
	const char *last;		/* data of the last one */
	enum io_status end;
};

#define BYTES(s) (s), sizeof(s) - 1

static const struct row rows[] = {
	{ "empty file", BYTES(""), "", "", IO_EOF },
	{ "todo file", BYTES("u1000\0p12\0Fa@b\0Tc@d\0Te@f\0"), "upFTT", "e@f", IO_EOF },
	{ "empty data", BYTES("F\0T\0"), "FT", "", IO_EOF },
	{ "unterminated tail", BYTES("Fa\0Tb"), "F", "a", IO_EOF },
	{ "type alone", BYTES("Fa\0T"), "F", "a", IO_EOF },
	{ "unknown type", BYTES("Xa\0"), "X", "a", IO_EOF },
	{ "NUL as type", BYTES("Fa\0\0Tb\0"), "F?T", "b", IO_EOF },
};

static void
test_row(struct tap *t, const struct row *r)
{
	struct buf data = { 0 }, last = { 0 };
	char in_buf[16], types[16], type;
	enum io_status status;
	struct io_in in;
	size_t n = 0;
	int fd = fd_of(r->bytes, r->n);

	io_in_init(&in, fd, in_buf, sizeof in_buf);
	while ((status = envelope_read(&in, &type, &data)) == IO_OK) {
		types[n++] = type ? type : '?';
		buf_reset(&last);
		buf_addbuf(&last, &data);
	}
	ok(t, status == r->end, "%s: status", r->name);
	is(t, span_of(types, n), span_str(r->types), r->name);
	is(t, buf_span(&last), span_str(r->last), r->name);
	buf_free(&data);
	buf_free(&last);
	(void)close(fd);
}

static void
test_limit(struct tap *t, size_t n, enum io_status want)
{
	struct buf record = { 0 }, data = { 0 };
	char in_buf[4096], type = '\0';
	struct io_in in;
	int fd;

	buf_addc(&record, 'T');
	for (size_t i = 0; i < n; i++)
		buf_addc(&record, 'a');
	buf_add(&record, "\0Dx", 4);
	fd = fd_of(record.p, record.n);
	io_in_init(&in, fd, in_buf, sizeof in_buf);
	ok(t, envelope_read(&in, &type, &data) == want && (want != IO_OK || data.n == n),
	    "record of %zu bytes", n);
	ok(t, envelope_read(&in, &type, &data) == IO_OK && type == 'D' && data.n == 1,
	    "and the next one");
	buf_free(&record);
	buf_free(&data);
	(void)close(fd);
}

static void
test_put(struct tap *t)
{
	static const char want[] = "u1000\0p12345\0F\0Tann@b.example";
	char out_buf[64], got[64];
	struct io_out out;
	int fds[2];
	ssize_t n;

	if (pipe(fds) == -1)
		exit(111);
	io_out_init(&out, fds[1], out_buf, sizeof out_buf);
	envelope_put_number(&out, ENVELOPE_UID, 1000);
	envelope_put_number(&out, ENVELOPE_PID, 12345);
	envelope_put(&out, ENVELOPE_SENDER, span_of(NULL, 0));
	envelope_put(&out, ENVELOPE_RECIPIENT, span_str("ann@b.example"));
	ok(t, io_flush(&out) == 0, "written");
	n = io_read(fds[0], got, sizeof got);
	is(t, span_of(got, n > 0 ? (size_t)n : 0), span_of(want, sizeof want), "records");
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		test_row(&t, &rows[i]);
	test_limit(&t, ENVELOPE_RECORD_MAX - 1, IO_OK);
	test_limit(&t, ENVELOPE_RECORD_MAX, IO_OK);
	test_limit(&t, ENVELOPE_RECORD_MAX + 1, IO_TOOLONG);
	test_put(&t);
	return done(&t);
}
