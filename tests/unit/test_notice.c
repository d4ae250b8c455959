/* notice, bounce - the text of bounces, byte by byte: list managers parse it. */
#include "send/bounce.h"
#include "send/notice.h"
#include "tap.h"

static void
test_paragraphs(struct tap *t)
{
	static const struct {
		const char *name, *recipient, *text, *want;
	} rows[] = {
		{ "plain", "a@b", "no\n", "<a@b>:\nno\n\n" },
		{ "no line feed at the end", "a@b", "no", "<a@b>:\nno\n\n" },
		{ "no text", "a@b", "", "<a@b>:\n\n" },
		{ "several lines", "a@b", "1\n2\n", "<a@b>:\n1\n2\n\n" },
		{ "a blank line inside", "a@b", "1\n\n2\n", "<a@b>:\n1\n/2\n\n" },
		{ "two blank lines inside", "a@b", "1\n\n\n2\n", "<a@b>:\n1\n//2\n\n" },
		{ "blank lines at the end", "a@b", "1\n\n\n", "<a@b>:\n1\n\n" },
		{ "blank line at the start", "a@b", "\nx\n", "<a@b>:\n/x\n\n" },
		{ "one line feed", "a@b", "\n", "<a@b>:\n\n" },
		{ "only line feeds", "a@b", "\n\n\n", "<a@b>:\n\n" },
		{ "line feeds in the recipient", "a\n\nb@c", "x\n", "<a__b@c>:\nx\n\n" },
		{ "empty recipient", "", "x\n", "<>:\nx\n\n" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf out = { 0 };

		buf_adds(&out, "kept\n\n");
		bounce_add_paragraph(&out, span_str(rows[i].recipient), span_str(rows[i].text));
		is(t, span_tail(buf_span(&out), 6), span_str(rows[i].want), rows[i].name);
		is(t, span_head(buf_span(&out), 6), span_str("kept\n\n"), "what was there stays");
		buf_free(&out);
	}
}

static void
test_kinds(struct tap *t)
{
	ok(t, notice_kind(span_str("a@b")) == NOTICE_SINGLE, "a sender gets a bounce");
	ok(t, notice_kind(span_str("")) == NOTICE_DOUBLE, "no sender: a double bounce");
	ok(t, notice_kind(span_str("#@[]")) == NOTICE_TRIPLE, "a double bounce: none");
}

static void
check_text(struct tap *t, enum notice_kind kind, const char *sender, const char *to,
    const char *head_want, const char *middle_want)
{
	struct controls c = { .me_set = true };
	struct buf head = { 0 }, middle = { 0 };

	buf_adds(&c.bouncefrom, "MAILER DAEMON");
	buf_adds(&c.bouncehost, "h.test");
	notice_text(&c, kind, span_str(sender), span_str(to), 812090814, &head, &middle);
	is(t, buf_span(&head), span_str(head_want), "text before the report");
	is(t, buf_span(&middle), span_str(middle_want), "text after the report");
	buf_free(&head);
	buf_free(&middle);
	controls_free(&c);
}

static void
test_texts(struct tap *t)
{
	check_text(t, NOTICE_SINGLE, "a b@x", "a b@x",
	    "Date: 26 Sep 1995 04:46:54 -0000\n"
	    "From: \"MAILER DAEMON\"@h.test\n"
	    "To: \"a b\"@x\n"
	    "Subject: failure notice\n"
	    "\n"
	    "Hi. This is the qmail-send program at h.test.\n"
	    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
	    "This is a permanent error; I've given up. Sorry it didn't work out.\n"
	    "\n",
	    "--- Below this line is a copy of the message.\n"
	    "\n"
	    "Return-Path: <\"a b\"@x>\n");
	check_text(t, NOTICE_DOUBLE, "", "postmaster@d.test",
	    "Date: 26 Sep 1995 04:46:54 -0000\n"
	    "From: \"MAILER DAEMON\"@h.test\n"
	    "To: postmaster@d.test\n"
	    "Subject: failure notice\n"
	    "\n"
	    "Hi. This is the qmail-send program at h.test.\n"
	    "I tried to deliver a bounce message to this address, but the bounce bounced!\n"
	    "\n",
	    "--- Below this line is the original bounce.\n"
	    "\n"
	    "Return-Path: <>\n");
	check_text(t, NOTICE_SINGLE, "a\r\nBcc: x@y", "a\r\nBcc: x@y",
	    "Date: 26 Sep 1995 04:46:54 -0000\n"
	    "From: \"MAILER DAEMON\"@h.test\n"
	    "To: \"a__Bcc: x\"@y\n"
	    "Subject: failure notice\n"
	    "\n"
	    "Hi. This is the qmail-send program at h.test.\n"
	    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
	    "This is a permanent error; I've given up. Sorry it didn't work out.\n"
	    "\n",
	    "--- Below this line is a copy of the message.\n"
	    "\n"
	    "Return-Path: <\"a__Bcc: x\"@y>\n");
}

int
main(void)
{
	struct tap t = { 0 };

	test_paragraphs(&t);
	test_kinds(&t);
	test_texts(&t);
	return done(&t);
}
