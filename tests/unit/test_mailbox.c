/* mailbox: sizes, TOP, unique ids and the end of a session, in a maildir of our own. */
#include "pop3/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/dotcrlf.h"
#include "scratch.h"
#include "tap.h"

#define SENT_MAX 300000

#define S(text) { text, sizeof text - 1 }

static void
put_message(const char *path, struct span text, time_t mtime)
{
	const struct timespec times[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || io_write_all(fd, text.p, text.n) == -1 || futimens(fd, times) == -1 ||
	    close(fd) == -1)
		exit(1);
}

static struct span
sent(const char *path, bool all, uint64_t lines, char *buffer)
{
	struct io_out out;
	int fd = open(path, O_RDONLY);

	io_out_init(&out, -1, buffer, SENT_MAX);
	if (fd == -1 || mailbox_send(fd, &out, all, lines) == -1)
		exit(1);
	(void)close(fd);
	return span_of(buffer, out.n);
}

static const struct {
	const char *name;
	struct span stored;
	bool all;
	uint64_t lines;
	struct span wire;
} texts[] = {
	{ "empty", S(""), true, 0, S("") },
	{ "whole", S("H: x\n\nb1\n.b2\n"), true, 0, S("H: x\r\n\r\nb1\r\n..b2\r\n") },
	{ "no final LF", S("H: x\n\nb1"), true, 0, S("H: x\r\n\r\nb1\r\n") },
	{ "TOP 0", S("H: x\n\nb1\nb2\n"), false, 0, S("H: x\r\n\r\n") },
	{ "TOP 1", S("H: x\n\nb1\nb2\n"), false, 1, S("H: x\r\n\r\nb1\r\n") },
	{ "TOP 2", S("H: x\n\nb1\nb2\n"), false, 2, S("H: x\r\n\r\nb1\r\nb2\r\n") },
	{ "TOP more", S("H: x\n\nb1\nb2\n"), false, UINT64_MAX, S("H: x\r\n\r\nb1\r\nb2\r\n") },
	{ "TOP 1 of empty lines", S("H: x\n\n\n\nb\n"), false, 1, S("H: x\r\n\r\n\r\n") },
	{ "TOP 1 without LF", S("H: x\n\nb"), false, 1, S("H: x\r\n\r\nb\r\n") },
	{ "TOP 0 of a header only", S("H: x\n"), false, 0, S("H: x\r\n") },
	{ "TOP 0 of a torn header", S("H: x"), false, 0, S("H: x\r\n") },
	{ "TOP 0 of no header", S("\nb\n"), false, 0, S("\r\n") },
	{ "TOP 0, stored CRLF", S("H: x\r\n\r\nb\r\n"), false, 0, S("H: x\r\n\r\n") },
	{ "TOP 1, stored CRLF", S("H: x\r\n\r\nb\r\nc\r\n"), false, 1, S("H: x\r\n\r\nb\r\n") },
	{ "TOP 0, CR in a line", S("H\r: x\n\nb\n"), false, 0, S("H\r: x\r\n\r\n") },
	{ "TOP 0, stuffed header", S(".\n\nb\n"), false, 0, S("..\r\n\r\n") },
};

static void
test_text(struct tap *t)
{
	char *buffer = malloc(SENT_MAX);

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		put_message("text", texts[i].stored, 1000);
		is(t, sent("text", texts[i].all, texts[i].lines, buffer), texts[i].wire,
		    texts[i].name);
	}
	free(buffer);
	(void)unlink("text");
}

/* Header and body lines that end at every place around the size of a read. */
static void
test_chunks(struct tap *t)
{
	char *stored = malloc(SENT_MAX), *buffer = malloc(SENT_MAX);
	bool pass = true;

	for (size_t header = 32760; header < 32776; header++) {
		size_t n = 0;
		struct span wire;

		memset(stored, 'h', header);
		n = header;
		memcpy(stored + n, "\n\none\ntwo\n", 10);
		put_message("text", span_of(stored, n + 10), 1000);
		wire = sent("text", false, 1, buffer);
		pass = wire.n == header + 2 + 2 + 5 &&
		    span_eq(span_tail(wire, header), span_str("\r\n\r\none\r\n")) && pass;
	}
	ok(t, pass, "TOP counts lines across reads");
	free(stored);
	free(buffer);
	(void)unlink("text");
}

/* What a client must get: LF for CRLF, and a last line that is whole. */
static struct span
as_received(struct span stored, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < stored.n; i++) {
		bool dropped = stored.p[i] == '\r' &&
		    (i + 1 == stored.n || stored.p[i + 1] == '\n');

		if (!dropped)
			to[n++] = stored.p[i];
	}
	if (stored.n && stored.p[stored.n - 1] != '\n')
		to[n++] = '\n';
	return span_of(to, n);
}

/* Octets without those that were doubled. */
static uint64_t
plain_octets(struct span wire)
{
	uint64_t octets = wire.n;

	for (size_t i = 0; i < wire.n; i++)
		if (wire.p[i] == '.' && (i == 0 || (wire.p[i - 1] == '\n' && i > 1 &&
		    wire.p[i - 2] == '\r')))
			octets--;
	return octets;
}

/* Is what is sent the message, ended by its dot alone, and of the size that was told? */
static bool
is_sound(struct span stored, char *wire, char *got, char *want)
{
	struct dotcrlf_decoder decoder = { 0 };
	struct mailbox m;
	uint64_t told;
	struct span in;
	size_t n;

	put_message("new/1.a", stored, 1000);
	if (mailbox_open(&m) == -1 || m.list.n != 1)
		exit(1);
	told = mailbox_octets(&m, 0);
	mailbox_close(&m);
	in = sent("new/1.a", true, 0, wire);
	if (told != plain_octets(in))
		return false;
	memcpy(wire + in.n, ".\r\n", 3);
	in.n += 3;
	return dotcrlf_decode(&decoder, &in, got, &n) == DOTCRLF_END && in.n == 0 &&
	    span_eq(span_of(got, n), as_received(stored, want));
}

/* Every text of at most `longest` of these bytes, behind `before` others. */
static void
test_every(struct tap *t, size_t before, size_t longest)
{
	static const char bytes[] = { 'a', '.', '\n', '\r', '\0' };
	char *stored = malloc(SENT_MAX), *wire = malloc(SENT_MAX), *got = malloc(SENT_MAX);
	char *want = malloc(SENT_MAX);
	unsigned count = 0, sound = 0, number = 1;

	memset(stored, 'x', before);
	for (size_t n = 0; n <= longest; n++, number *= sizeof bytes)
		for (unsigned i = 0; i < number; i++) {
			for (unsigned k = 0, rest = i; k < n; k++, rest /= sizeof bytes)
				stored[before + k] = bytes[rest % sizeof bytes];
			count++;
			sound += is_sound(span_of(stored, before + n), wire, got, want);
		}
	ok(t, sound == count, "%u texts behind %zu bytes come as they are and of their size: %u",
	    count, before, sound);
	free(stored);
	free(wire);
	free(got);
	free(want);
	(void)unlink("new/1.a");
}

static const char long_name[] =
    "1234567890123456789012345678901234567890123456789012345678901234567890";

static const struct {
	const char *path;
	struct span stored;
	uint64_t octets;
	const char *uidl;	/* NULL: 32 hex digits */
} messages[] = {
	{ "new/100.a.h", S("a\nb\n"), 6, "100.a.h" },
	{ "cur/101.b.h:2,S", S("a\r\nb"), 6, "101.b.h" },
	{ "cur/102.c.h,S=4,W=77:2,", S("a\nb\n"), 77, "102.c.h,S=4,W=77" },
	{ "cur/103.d.h:2,W=1", S("a\n"), 3, "103.d.h" },
	{ "new/104.e.h,W=", S("a\n"), 3, "104.e.h,W=" },
	{ "new/105.f.h,W=9x", S("a\n"), 3, "105.f.h,W=9x" },
	{ "new/106 odd", S("a\n"), 3, NULL },
	{ "new/107\x80odd", S("..\n"), 4, NULL },
	{ "new/108.i.h:2,", S(""), 0, "108.i.h" },
};
#define COUNT (sizeof messages / sizeof *messages)

static bool
is_digest(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdef", s.p[i]))
			return false;
	return s.n == 32;
}

static void
test_list(struct tap *t)
{
	struct mailbox m;
	struct buf first = { 0 };

	for (size_t i = 0; i < COUNT; i++)
		put_message(messages[i].path, messages[i].stored, (time_t)(1000 + i));
	if (mailbox_open(&m) == -1 || m.list.n != COUNT)
		exit(1);
	for (size_t i = 0; i < COUNT; i++) {
		struct buf uidl = { 0 };

		is_num(t, (long long)mailbox_octets(&m, i), (long long)messages[i].octets,
		    messages[i].path);
		mailbox_add_uidl(&m, i, &uidl);
		ok(t, messages[i].uidl ? span_eq(buf_span(&uidl), span_str(messages[i].uidl)) :
		    is_digest(buf_span(&uidl)) && !span_eq(buf_span(&uidl), buf_span(&first)),
		    "unique id %s", buf_str(&uidl));
		if (!messages[i].uidl)
			buf_addbuf(&first, &uidl);
		buf_free(&uidl);
	}
	buf_free(&first);
	mailbox_close(&m);
}

static void
test_long_names(struct tap *t)
{
	struct mailbox m;
	struct buf uidl = { 0 };
	char path[128];

	(void)snprintf(path, sizeof path, "new/%s", long_name);
	put_message(path, span_str(""), 1);
	(void)snprintf(path, sizeof path, "new/%s1", long_name);
	put_message(path, span_str(""), 2);
	if (mailbox_open(&m) == -1 || m.list.n != COUNT + 2)
		exit(1);
	mailbox_add_uidl(&m, 0, &uidl);
	is(t, buf_span(&uidl), span_str(long_name), "70 bytes are shown");
	buf_reset(&uidl);
	mailbox_add_uidl(&m, 1, &uidl);
	ok(t, is_digest(buf_span(&uidl)), "71 bytes are not");
	mailbox_delete(&m, 0);
	mailbox_delete(&m, 1);
	ok(t, mailbox_update(&m) == 0, "deleted messages are removed");
	buf_free(&uidl);
	mailbox_close(&m);
}

static bool
exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void
test_end(struct tap *t)
{
	struct mailbox m;

	(void)unlink("cur/103.d.h:2,W=1");
	(void)unlink("cur/100.a.h:2,");	/* left by the update before */
	put_message("new/100.a.h", span_str("a\n"), 1000);
	if (mailbox_open(&m) == -1)
		exit(1);
	is_num(t, (long long)m.last, 0, "nothing was deleted yet");
	mailbox_delete(&m, 2);
	mailbox_delete(&m, 1);
	is_num(t, (long long)m.last, 3, "last is the highest deleted");
	mailbox_undelete_all(&m);
	is_num(t, (long long)m.last, 0, "and forgotten with the marks");
	mailbox_delete(&m, 1);
	mailbox_delete(&m, 2);
	(void)unlink("cur/102.c.h,S=4,W=77:2,");
	is_num(t, (long long)mailbox_octets(&m, 2), 77, "a size from the name needs no file");
	ok(t, mailbox_update(&m) == 0, "a deleted message that is gone already is no failure");
	ok(t, !exists("cur/101.b.h:2,S"), "deleted");
	ok(t, exists("cur/100.a.h:2,") && !exists("new/100.a.h"), "new becomes cur");
	ok(t, exists("cur/108.i.h:2,") && !exists("cur/108.i.h:2,:2,"), "flags are added once");
	mailbox_close(&m);
	if (mailbox_open(&m) == -1)
		exit(1);
	mailbox_delete(&m, 0);
	(void)unlink("cur/100.a.h:2,");
	if (mkdir("cur/100.a.h:2,", 0700) == -1)
		exit(1);
	ok(t, mailbox_update(&m) == -1, "a deleted message that stays is a failure");
	(void)rmdir("cur/100.a.h:2,");
	mailbox_close(&m);
	put_message("new/100.a.h", span_str("a\n"), 1000);
	put_message("cur/100.a.h:2,", span_str("b\n"), 1000);
	if (mailbox_open(&m) == -1)
		exit(1);
	ok(t, mailbox_update(&m) == 0 && exists("new/100.a.h"),
	    "no message takes the place of another");
	mailbox_close(&m);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch scratch;

	scratch_enter(&scratch);
	if (mkdir("tmp", 0700) == -1 || mkdir("new", 0700) == -1 || mkdir("cur", 0700) == -1)
		return 1;
	test_text(&t);
	test_chunks(&t);
	test_every(&t, 0, 5);
	for (size_t before = 32764; before <= 32768; before++)
		test_every(&t, before, 3);
	test_list(&t);
	test_long_names(&t);
	test_end(&t);
	scratch_leave(&scratch);
	return done(&t);
}
