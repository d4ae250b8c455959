/* trace: Received, Delivered-To, Return-Path, From_; counting hops. */
#include "mail/trace.h"

#include "tap.h"

#define SEP_26 812090814	/* 26 Sep 1995 04:46:54 */

static const struct {
	const char *name;
	struct trace_hop hop;
	const char *want;
} received[] = {
	{ "all parts", { { "client.example", 14 }, { "192.0.2.7", 9 }, { "joe (x)", 7 },
	    { "other", 5 }, { "mx.example", 10 }, "ESMTP", SEP_26, false },
	    "Received: from client.example (HELO other) (joe??x?@192.0.2.7)\n"
	    "  by mx.example with ESMTP; 26 Sep 1995 04:46:54 -0000\n" },
	{ "HELO equal but for case", { { "client.example", 14 }, { "192.0.2.7", 9 }, { NULL, 0 },
	    { "CLIENT.example", 14 }, { "mx.example", 10 }, "SMTP", SEP_26, false },
	    "Received: from client.example (192.0.2.7)\n"
	    "  by mx.example with SMTP; 26 Sep 1995 04:46:54 -0000\n" },
	{ "no HELO", { { "unknown", 7 }, { "unknown", 7 }, { NULL, 0 },
	    { NULL, 0 }, { "192.0.2.1", 9 }, "QMTP", SEP_26, false },
	    "Received: from unknown (unknown)\n"
	    "  by 192.0.2.1 with QMTP; 26 Sep 1995 04:46:54 -0000\n" },
	{ "empty HELO and info", { { "h", 1 }, { "i", 1 }, { "", 0 }, { "", 0 }, { "l", 1 },
	    "SMTP", 0, false },
	    "Received: from h (HELO ) (@i)\n  by l with SMTP; 1 Jan 1970 00:00:00 -0000\n" },
	{ "strange bytes", { { "h", 1 }, { "::1", 3 }, { NULL, 0 },
	    { "a<b>\t\"c\" d\n\xff[_]", 16 },
	    { "l", 1 }, "SMTP", 0, false },
	    "Received: from h (HELO a?b???c??d??????" ") (::1)\n"
	    "  by l with SMTP; 1 Jan 1970 00:00:00 -0000\n" },
	{ "hidden", { { "h", 1 }, { "i", 1 }, { "joe", 3 }, { "h", 1 }, { "l", 1 },
	    "SMTP", 0, true },
	    "Received: (HELO h) (joe)\n  by l with SMTP; 1 Jan 1970 00:00:00 -0000\n" },
	{ "hidden, and nobody known", { { "h", 1 }, { "i", 1 }, { NULL, 0 }, { NULL, 0 },
	    { "l", 1 }, "SMTP", 0, true },
	    "Received: ()\n  by l with SMTP; 1 Jan 1970 00:00:00 -0000\n" },
	{ "every safe byte", { { "aZ09.@%+/=:-", 12 }, { "i", 1 }, { NULL, 0 }, { NULL, 0 },
	    { "l", 1 }, "SMTP", 0, false },
	    "Received: from aZ09.@%+/=:- (i)\n  by l with SMTP; 1 Jan 1970 00:00:00 -0000\n" },
};

static void
test_received(struct tap *t)
{
	struct buf to = { 0 };

	for (size_t i = 0; i < sizeof received / sizeof received[0]; i++) {
		buf_reset(&to);
		trace_add_received(&to, &received[i].hop);
		is(t, buf_span(&to), span_str(received[i].want), received[i].name);
	}
	buf_free(&to);
}

static const struct {
	const char *sender, *return_path, *from_line;
} senders[] = {
	{ "s@x.example", "Return-Path: <s@x.example>\n",
	    "From s@x.example Sat Jan 06 01:05:34 1996\n" },
	{ "", "Return-Path: <>\n",
	    "From MAILER-DAEMON Sat Jan 06 01:05:34 1996\n" },
	{ "#@[]", "Return-Path: <#@[]>\n",
	    "From #@[] Sat Jan 06 01:05:34 1996\n" },
	{ "a b\tc\"@x", "Return-Path: <\"a b\tc\\\"\"@x>\n",
	    "From a-b-c\"@x Sat Jan 06 01:05:34 1996\n" },
	{ "a\nb@x\ny", "Return-Path: <\"a\\_b\"@x_y>\n",
	    "From a-b@x-y Sat Jan 06 01:05:34 1996\n" },
};

static void
test_senders(struct tap *t)
{
	struct buf to = { 0 };

	for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
		buf_reset(&to);
		trace_add_return_path(&to, span_str(senders[i].sender));
		is(t, buf_span(&to), span_str(senders[i].return_path), "Return-Path");
		buf_reset(&to);
		trace_add_from_line(&to, span_str(senders[i].sender), 820890334);
		is(t, buf_span(&to), span_str(senders[i].from_line), "From_ line");
	}
	buf_reset(&to);
	trace_add_delivered_to(&to, span_str("a\nb c"), span_str("X.org\n"));
	is(t, buf_span(&to), span_str("Delivered-To: a_b c@X.org_\n"), "Delivered-To");
	buf_free(&to);
}

static void
test_failure(struct tap *t)
{
	struct buf small = BUF_CAP(20);

	trace_add_return_path(&small, span_str("somebody@x.example"));
	ok(t, !buf_ok(&small), "a buffer that is too small says so");
	buf_free(&small);
}

static const struct {
	const char *name, *text;
	unsigned hops;
} headers[] = {
	{ "none", "Subject: x\n\n", 0 },
	{ "both kinds", "Received: a\nDelivered-To: b\nSubject: c\n\n", 2 },
	{ "any case, no colon", "rEcEiVeD x\nDELIVERED\nReceived-SPF: y\n\n", 3 },
	{ "not at the start of the line", " Received: a\nX-Received: b\n\n", 0 },
	{ "too short", "Receive\nDelivere\nreceive d\n\n", 0 },
	{ "body does not count", "A: b\n\nReceived: c\n", 0 },
	{ "empty header", "\nReceived: c\n", 0 },
	{ "last line without end", "Received", 1 },
	{ "one line counts once", "Received: delivered received\n", 1 },
};

static void
test_count(struct tap *t)
{
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		struct trace_counter whole = { 0 }, bytes = { 0 };
		const char *text = headers[i].text;

		trace_count(&whole, text, strlen(text));
		is_num(t, whole.hops, headers[i].hops, headers[i].name);
		for (size_t j = 0; text[j]; j++)
			trace_count(&bytes, text + j, 1);
		is_num(t, bytes.hops, headers[i].hops, "  byte by byte");
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_received(&t);
	test_senders(&t);
	test_failure(&t);
	test_count(&t);
	return done(&t);
}
