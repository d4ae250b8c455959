/* receipt: who wants a notice of delivery, and what it says. */
#include "local/receipt.h"

#include <errno.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

#define NOTICE "Notice-Requested-Upon-Delivery-To: "

static const struct {
	const char *name, *in;
	bool wanted, automatic;
	const char *message_id;
} rows[] = {
	{ "nothing", "To: j@h\n\n", false, false, "" },
	{ "wanted", NOTICE "j@h\n\n", true, false, "" },
	{ "one of several", NOTICE "a@b, Joe <j@h>, c@d\n\n", true, false, "" },
	{ "in two fields", NOTICE "a@b\n" NOTICE "j@h\n\n", true, false, "" },
	{ "folded", NOTICE "a@b,\n j@h\n\n", true, false, "" },
	{ "quoted", NOTICE "\"j\"@h\n\n", true, false, "" },
	{ "in the body", "To: a\n\n" NOTICE "j@h\n", false, false, "" },
	{ "somebody else", NOTICE "jj@h\n\n", false, false, "" },
	{ "another case", NOTICE "J@h\n\n", false, false, "" },
	{ "not completed", NOTICE "j\n\n", false, false, "" },
	{ "cannot be parsed", NOTICE "j@h, \"\n\n", false, false, "" },
	{ "but the next can", NOTICE "(\n" NOTICE "j@h\n\n", true, false, "" },
	{ "Message-ID", "Message-ID: <1@x>\n\n", false, false, "Message-ID: <1@x>" },
	{ "as it was written", "message-id:<1@x>\n\n", false, false, "message-id:<1@x>" },
	{ "the first one", "Message-ID: <1@x>\nMessage-ID: <2@x>\n", false, false,
	    "Message-ID: <1@x>" },
	{ "one line of it", "Message-ID: <1\n\t@\003x\351>\r\n\n", false, false,
	    "Message-ID: <1 @?x?>" },
	{ "automatic", "Auto-Submitted: auto-replied\n\n", false, true, "" },
	{ "no", "Auto-Submitted: no\n\n", false, false, "" },
	{ "NO", "Auto-Submitted:\n NO ; x=y\n\n", false, false, "" },
	{ "no with a comment", "Auto-Submitted: no(t)\n\n", false, false, "" },
	{ "nothing like no", "Auto-Submitted: not\n\n", false, true, "" },
	{ "empty", "Auto-Submitted:\n\n", false, true, "" },
	{ "one of two", "Auto-Submitted: x\nAuto-Submitted: no\n\n", false, true, "" },
};

static void
check(struct tap *t, size_t i)
{
	int fd = scratch_file("in", rows[i].in);
	char buffer[32];
	struct receipt r = { 0 };
	struct io_in in;

	io_in_init(&in, fd, buffer, sizeof buffer);
	ok(t, receipt_read(&r, &in, span_str("j@h")) == IO_OK, "%s", rows[i].name);
	ok(t, r.wanted == rows[i].wanted && r.automatic == rows[i].automatic, "  verdict");
	is(t, buf_span(&r.message_id), span_str(rows[i].message_id), "  Message-ID");
	receipt_free(&r);
	(void)close(fd);
}

static void
test_long(struct tap *t, size_t n, size_t want)
{
	struct buf text = { 0 };
	char buffer[32];
	struct receipt r = { 0 };
	struct io_in in;
	int fd;

	buf_adds(&text, "Message-ID:");
	while (text.n < n)
		buf_addc(&text, 'x');
	buf_addc(&text, '\n');
	fd = scratch_file("in", buf_str(&text));
	io_in_init(&in, fd, buffer, sizeof buffer);
	ok(t, receipt_read(&r, &in, span_str("j@h")) == IO_OK && r.message_id.n == want,
	    "Message-ID of %zu bytes", n);
	receipt_free(&r);
	buf_free(&text);
	(void)close(fd);
}

static void
test_note(struct tap *t)
{
	static const char head[] = "From: DELIVERY NOTICE SYSTEM <\"a b\\_Bcc: c\"@x.example>\n"
	    "To: <\"a b\\_Bcc: c\"@x.example>\nSubject: success notice\n"
	    "Date: 1 Jan 1970 00:00:00 -0000\nMessage-ID: <19700101000000.";
	struct receipt r = { 0 };
	struct receipt_note n = { .sender = span_str("a b\nBcc: c@x.example"),
		.address = span_str("j@h\n.\n"), .id_host = span_str("id.example"), .time = 0 };
	struct buf note = { 0 };
	const char *text;

	buf_adds(&r.message_id, "Message-ID: <1@x>");
	receipt_write(&r, &n, &note);
	text = buf_str(&note);
	is(t, span_head(buf_span(&note), strlen(head)), span_str(head), "no field of a stranger");
	ok(t, strstr(text, ".qmail@id.example>\nAuto-Submitted: auto-replied\n\nHi!"), "its end");
	ok(t, strstr(text, "address: j@h_._. Thanks for asking.\nYour Message-ID: <1@x>\n"),
	    "body");
	buf_reset(&note);
	receipt_free(&r);
	receipt_write(&r, &n, &note);
	ok(t, !strstr(buf_str(&note), "Your Message"), "no Message-ID");
	buf_free(&note);
}

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };

	scratch_enter(&s);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(&t, i);
	test_long(&t, RECEIPT_LINE - 6, RECEIPT_LINE - 6);
	test_long(&t, RECEIPT_LINE - 5, RECEIPT_LINE - 5);
	test_long(&t, RECEIPT_LINE - 4, RECEIPT_LINE - 5);
	test_note(&t);
	scratch_leave(&s);
	return done(&t);
}
