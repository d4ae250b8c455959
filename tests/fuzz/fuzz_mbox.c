/* The mbox format: what was written, in pieces of any size, is read back byte by byte; no line of a
 * message looks like the beginning of another; maildir2mbox appends to what is there and loses
 * nothing.  Input: an old mbox `|` a message. */
#include "mail/mboxfmt.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/date.h"
#include "local/mboxmerge.h"
#include "rig.h"

#define MESSAGE "new/1.a"

const char *const fuzz_words[] = {
	"|", "From ", ">From ", ">>From ", "From", "F", ">", "\n", "\n\n", "\r\n", "\nFrom ",
	"\n>From x\n", "Return-Path: <s@x.test>\n", "Return-Path: <>\n", "Return-Path: <\n",
	"Subject: t\n", "~", "\xff", "From s@x Thu Nov 20 21:36:00 2025\n\nold\n\n", NULL
};

static void
write_message(struct span message, size_t piece, struct buf *to)
{
	size_t room = 2 * message.n + 16;
	struct mboxfmt m = { 0 };
	struct io_out out;

	buf_reset(to);
	io_out_init(&out, -1, buf_room(to, room), room);
	for (struct span rest = message; rest.n; rest = span_tail(rest, piece))
		mboxfmt_put(&m, &out, span_head(rest, piece));
	mboxfmt_end(&m, &out);
	buf_added(to, out.n);
}

/* Reads a message as mbox(5) says: up to its empty line at the end, a > less before From. */
static void
read_message(struct span text, struct buf *to)
{
	buf_reset(to);
	promise(text.n > 0 && text.p[text.n - 1] == '\n');
	text.n--;	/* the empty line */
	promise(!text.n || text.p[text.n - 1] == '\n');
	while (text.n) {
		struct span line = rig_line(&text), rest = line;

		promise(!span_starts(line, span_str("From ")));
		while (rest.n && rest.p[0] == '>')
			rest = span_tail(rest, 1);
		if (rest.n < line.n && span_starts(rest, span_str("From ")))
			line = span_tail(line, 1);
		buf_addspan(to, line);
	}
}

static void
check_same(struct span got, struct span message)
{
	promise(span_starts(got, message));
	promise(got.n == message.n + (message.n && message.p[message.n - 1] != '\n'));
}

static void
check_format(struct span message)
{
	struct buf whole = { 0 }, cut = { 0 }, read = { 0 };

	write_message(message, message.n + 1, &whole);
	for (size_t piece = 1; piece < 8; piece++) {
		write_message(message, piece, &cut);
		promise(span_eq(buf_span(&whole), buf_span(&cut)));
	}
	read_message(buf_span(&whole), &read);
	check_same(buf_span(&read), message);
	buf_free(&whole);
	buf_free(&cut);
	buf_free(&read);
}

/* The old mbox comes first, its last line ended and followed by an empty one. */
static struct span
skip_old(struct span mbox, struct span old)
{
	promise(span_starts(mbox, old));
	mbox = span_tail(mbox, old.n);
	while (!span_starts(mbox, span_str("From "))) {
		promise(mbox.n > 0 && mbox.p[0] == '\n');
		mbox = span_tail(mbox, 1);
	}
	return mbox;
}

static void
check_merge(struct span old, struct span message)
{
	struct mboxmerge m = MBOXMERGE("mbox", "mbox.tmp");
	struct maildir_list list = { .n = 0 };
	struct buf mbox = { 0 }, read = { 0 };
	struct span added, line;

	rig_write("mbox", old);
	rig_write(MESSAGE, message);
	promise(maildir_scan(&list, date_now() + 10) == 0 && list.n == 1);
	promise(mboxmerge_write(&m, &list) == MBOXMERGE_OK);
	mboxmerge_close(&m);
	promise(rig_read("mbox", &mbox) && access("mbox.tmp", F_OK) == -1);
	added = skip_old(buf_span(&mbox), old);
	line = rig_line(&added);
	promise(line.p[line.n - 1] == '\n');
	/* The envelope sender stands in the From_ line only, if it was known. */
	line = mboxmerge_sender(span_head(message, span_chr(message, '\n')));
	promise(line.n <= message.n || span_eq(line, span_str("XXX")));
	read_message(added, &read);
	check_same(buf_span(&read), message);
	maildir_list_free(&list);
	buf_free(&mbox);
	buf_free(&read);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 };
	struct span message, old;

	rig_directory();
	rig_mkdir("new");
	rig_mkdir("cur");
	rig_nuls(&in, rig_input(p, n), '~');
	message = buf_span(&in);
	old = rig_take(&message, '|');
	check_format(message);
	check_merge(old, message);
	buf_free(&in);
	return 0;
}
