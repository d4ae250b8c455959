/* message: pieces, going back, what is known before. */
#include "remote/message.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/io.h"
#include "tap.h"

static struct message message;

static void
fill(struct buf *text, size_t n)
{
	buf_reset(text);
	while (text->n < n)
		buf_addc(text, (char)('a' + text->n % 26));
	if (n)
		text->p[n - 1] = '\n';
}

static void
read_whole(struct buf *to)
{
	struct span piece;

	buf_reset(to);
	while (message_next(&message, &piece) == MESSAGE_OK)
		buf_addspan(to, piece);
}

static int
as_file(const struct buf *text)
{
	char name[] = "/tmp/test_message.XXXXXX";
	int fd = mkstemp(name);

	if (fd == -1 || unlink(name) == -1 || io_write_all(fd, "skipped", 7) == -1 ||
	    io_write_all(fd, text->p, text->n) == -1 || lseek(fd, 7, SEEK_SET) == -1)
		exit(1);
	return fd;
}

static void
test_sizes(struct tap *t)
{
	static const size_t sizes[] = { 0, 1, 100, MESSAGE_PIECE - 1, MESSAGE_PIECE,
		MESSAGE_PIECE + 1, 3 * MESSAGE_PIECE };
	struct buf text = { 0 }, got = { 0 };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct message_facts facts;
		struct span piece;
		int fd;

		fill(&text, sizes[i]);
		fd = as_file(&text);
		message_open(&message, fd);
		is_num(t, message_scan(&message, &facts), MESSAGE_OK, "scan");
		ok(t, facts.known && !facts.eight_bit && facts.wire_size ==
		    sizes[i] + (sizes[i] > 0), "%zu bytes: wire size", sizes[i]);
		read_whole(&got);
		ok(t, span_eq(buf_span(&got), buf_span(&text)), "from the start, not before it");
		ok(t, message_rewind(&message), "back");
		(void)!message_next(&message, &piece);
		ok(t, message_rewind(&message), "back from the middle");
		read_whole(&got);
		ok(t, span_eq(buf_span(&got), buf_span(&text)), "all of it again");
		is_num(t, message_next(&message, &piece), MESSAGE_END, "the end stays the end");
		(void)close(fd);
	}
	buf_free(&text);
	buf_free(&got);
}

/* A short piece behind a full one: nothing of either is left. */
static void
test_wipe(struct tap *t)
{
	struct buf text = { 0 }, got = { 0 };
	size_t left = 0;
	int fd;

	fill(&text, MESSAGE_PIECE + 10);
	fd = as_file(&text);
	message_open(&message, fd);
	read_whole(&got);
	message_wipe(&message);
	for (size_t i = 0; i < sizeof message.buf; i++)
		left += message.buf[i] != '\0';
	is_num(t, (long long)left, 0, "bytes that are left");
	(void)close(fd);
	buf_free(&text);
	buf_free(&got);
}

static void
test_facts(struct tap *t)
{
	static const struct {
		const char *what, *text;
		uint64_t size;
		bool eight_bit;
	} rows[] = {
		{ "nothing", "", 0, false },
		{ "dots are not counted twice", ".\n..\n", 7, false },
		{ "CR LF", "a\r\n", 3, false },
		{ "CR inside", "a\rb\n", 5, false },
		{ "no newline at the end", "a", 3, false },
		{ "byte 127", "\177\n", 3, false },
		{ "byte 128", "\200\n", 3, true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf text = { 0 };
		struct message_facts facts;
		int fd;

		buf_adds(&text, rows[i].text);
		fd = as_file(&text);
		message_open(&message, fd);
		is_num(t, message_scan(&message, &facts), MESSAGE_OK, rows[i].what);
		ok(t, facts.known && facts.wire_size == rows[i].size &&
		    facts.eight_bit == rows[i].eight_bit, "%s: %llu", rows[i].what,
		    (unsigned long long)facts.wire_size);
		(void)close(fd);
		buf_free(&text);
	}
}

#define UTF8 "Received: by mx with UTF8SMTP; today\n"

static void
test_utf8(struct tap *t)
{
	static const struct {
		const char *what, *text;
		bool came, header;
	} rows[] = {
		{ "nothing", "", false, false },
		{ "no header", "\n" UTF8 "To: \303\274\n", false, false },
		{ "an unfinished line", "Received", false, false },
		{ "no newline", "Received: by mx with UTF8SMTP", false, false },
		{ "plain", UTF8 "\n\303\274\n", true, false },
		{ "bytes beyond 127", UTF8 "To: \303\274\n\nx\n", true, true },
		{ "before it", "To: \303\274\n" UTF8 "\nx\n", true, true },
		{ "case, others of its kind", "RECEIVED: By x WITH utf8smtpsa\n\n", true, false },
		{ "with a comment behind it", "Received: by x with UTF8SMTPS(y)\n\n", true, false },
		{ "on another line", "Received: by x\n\twith\n UTF8SMTP\n\n", true, false },
		{ "in a comment", "Received: (x (y) with UTF8SMTP) by mx\n\n", false, false },
		{ "a comment that does not end", "Received: (by mx with UTF8SMTP\n\n", false,
		    false },
		{ "behind the semicolon", "Received: by mx; with UTF8SMTP\n\n", false, false },
		{ "another field", "X-Received: by mx with UTF8SMTP\n\n", false, false },
		{ "the first one counts", "Received: by mx with ESMTP; x\n" UTF8 "\n", false,
		    false },
		{ "one without a protocol not", "Received: (q 1); x\n" UTF8 "\n", true, false },
		{ "with at the end", "Received: by mx with\n" UTF8 "\n", true, false },
		{ "UTF8 alone", "Received: by mx with UTF8\n\n", false, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf text = { 0 }, got = { 0 };
		bool came, header;
		int fd;

		buf_adds(&text, rows[i].text);
		fd = as_file(&text);
		message_open(&message, fd);
		header = message_has_utf8_header(&message, &came);
		ok(t, came == rows[i].came && header == rows[i].header, "UTF-8: %s", rows[i].what);
		read_whole(&got);
		is(t, buf_span(&got), buf_span(&text), "  all of it is still there");
		(void)close(fd);
		buf_free(&text);
		buf_free(&got);
	}
}

/* The header is longer than a piece, and what counts is at its end. */
static void
test_long_header(struct tap *t)
{
	struct buf text = { 0 }, got = { 0 };
	bool came;
	int fd, fds[2];

	buf_adds(&text, UTF8);
	while (text.n < MESSAGE_PIECE - 5)
		buf_adds(&text, "X: y\n");
	buf_adds(&text, "To: u@\303\274\n\nx\n");
	fd = as_file(&text);
	message_open(&message, fd);
	ok(t, message_has_utf8_header(&message, &came) && came, "behind the first piece");
	read_whole(&got);
	is(t, buf_span(&got), buf_span(&text), "all of it is still there");
	(void)close(fd);
	text.p[text.n - 6] = 'u';
	text.p[text.n - 5] = 'u';
	fd = as_file(&text);
	message_open(&message, fd);
	ok(t, !message_has_utf8_header(&message, &came) && came, "nothing there");
	(void)close(fd);
	if (pipe(fds) == -1 || io_write_all(fds[1], text.p, MESSAGE_PIECE) == -1)
		exit(1);
	message_open(&message, fds[0]);
	ok(t, message_has_utf8_header(&message, &came) && came, "from a pipe: it may be");
	(void)close(fds[0]);
	(void)close(fds[1]);
	buf_free(&text);
	buf_free(&got);
}

/* Who looks does not hide from who reads that it failed. */
static void
test_unreadable(struct tap *t)
{
	struct span piece;
	bool came;

	message_open(&message, -1);
	ok(t, !message_has_utf8_header(&message, &came) && !came, "no descriptor");
	is_num(t, message_next(&message, &piece), MESSAGE_ERROR, "is told when it is read");
	is_num(t, message_next(&message, &piece), MESSAGE_ERROR, "and again");
}

static void
test_pipes(struct tap *t)
{
	static const char text[] = "short\n";
	struct message_facts facts;
	struct buf got = { 0 };
	int fds[2];

	if (pipe(fds) == -1 || io_write_all(fds[1], text, strlen(text)) == -1 ||
	    close(fds[1]) == -1)
		exit(1);
	message_open(&message, fds[0]);
	is_num(t, message_scan(&message, &facts), MESSAGE_OK, "short, from a pipe");
	ok(t, facts.known && facts.wire_size == 7, "is known");
	read_whole(&got);
	ok(t, message_rewind(&message), "and can be read again");
	read_whole(&got);
	is(t, buf_span(&got), span_str(text), "the same");
	(void)close(fds[0]);
	message_open(&message, -1);
	is_num(t, message_scan(&message, &facts), MESSAGE_ERROR, "no descriptor");
	buf_free(&got);
}

int
main(void)
{
	struct tap t = { 0 };

	test_sizes(&t);
	test_wipe(&t);
	test_facts(&t);
	test_pipes(&t);
	test_utf8(&t);
	test_long_header(&t);
	test_unreadable(&t);
	return done(&t);
}
