/* glance: what of a message is shown. */
#include "local/glance.h"

#include <errno.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

static const struct {
	const char *name, *in;
	const char *sender, *recipient, *from, *text;
} rows[] = {
	{ "all of it",
	    "Return-Path: <s@x>\nDelivered-To: r@y\nFrom: S <s@x>\nSubject: hi\n\nbody\n",
	    "<s@x>", "r@y", "S <s@x>", "hi\n\nbody\n" },
	{ "nothing", "", "", "", "", "" },
	{ "the last ones win", "Return-Path: <a>\nSubject: 1\nReturn-Path: <b>\nSubject: 2\n\nx\n",
	    "<b>", "", "", "2\n\nx\n" },
	{ "folded", "Subject: a\n b\n\nx\n", "", "", "", "a\n b\n\nx\n" },
	{ "no header", "text\nmore\n", "", "", "", "text\nmore\n" },
	{ "no body", "Subject: a\n", "", "", "", "a\n" },
	{ "cut", "Subject: 0123456789\n\n0123456789\n", "", "", "", "0123456789\n\n01234567" },
	{ "cut in the subject", "Subject: 01234567890123456789X\n\nx\n", "", "", "",
	    "01234567890123456789" },
};
#define TEXT 20

static void
check(struct tap *t, size_t i)
{
	int fd = scratch_file("in", rows[i].in);
	struct glance g = { 0 };

	is_num(t, glance_read(&g, fd, TEXT), 0, rows[i].name);
	is(t, buf_span(&g.sender), span_str(rows[i].sender), "  sender");
	is(t, buf_span(&g.recipient), span_str(rows[i].recipient), "  recipient");
	is(t, buf_span(&g.from), span_str(rows[i].from), "  From");
	is(t, buf_span(&g.text), span_str(rows[i].text), "  text");
	glance_free(&g);
	(void)close(fd);
}

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };
	struct glance g = { 0 };
	int dir;

	scratch_enter(&s);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(&t, i);
	dir = open(".", O_RDONLY | O_CLOEXEC);
	ok(&t, glance_read(&g, dir, TEXT) == -1 && errno == EISDIR, "unreadable");
	glance_free(&g);
	(void)close(dir);
	scratch_leave(&s);
	return done(&t);
}
