/* header: where it ends, what stays of it, who gets the message; line ends; limits. */
#include "inject/header.h"

#include "scratch.h"
#include "tap.h"

#define S(text) { text, sizeof text - 1 }
#define KEEP_ALL { .lenient_recipients = true, .lenient_senders = true }

struct run {
	struct hdr5322_rules addresses;
	struct header h;
	struct buf detail;
	enum fault fault;
};

static void
load(struct hdr5322_tokens *to, const char *text)
{
	if (hdr5322_tokenize(span_str(text), to) != HDR5322_OK)
		abort();
}

static void
run_init(struct run *r)
{
	*r = (struct run){ .fault = FAULT_NONE };
	load(&r->addresses.default_host, "@h.x");
	load(&r->addresses.default_domain, ".d");
	load(&r->addresses.plus_domain, ".p");
}

static void
run_reset(struct run *r)
{
	header_free(&r->h);
	r->h = (struct header)HEADER_EMPTY;
	buf_reset(&r->detail);
}

static void
run_free(struct run *r)
{
	header_free(&r->h);
	hdr5322_free(&r->addresses.default_host);
	hdr5322_free(&r->addresses.default_domain);
	hdr5322_free(&r->addresses.plus_domain);
	buf_free(&r->detail);
}

/* Reads `in` through a buffer of `size` bytes. */
static void
run(struct run *r, struct span in, struct header_rules rules, size_t size)
{
	char buffer[65536];
	struct io_in io;
	int fd = scratch_file("in", "");

	if (io_write_all(fd, in.p, in.n) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	run_reset(r);
	rules.addresses = &r->addresses;
	io_in_init(&io, fd, buffer, size);
	r->fault = header_read(&r->h, &rules, &io, &r->detail);
	(void)close(fd);
}

static const struct {
	const char *about;
	struct span in;
	enum header_end end;
	const char *text;
	struct span line;	/* for HEADER_END_BODY */
	bool crlf;
} splits[] = {
	{ "nothing", S(""), HEADER_END_INPUT, "", S(""), false },
	{ "blank line", S("\n"), HEADER_END_BLANK, "", S(""), false },
	{ "header and body", S("A: b\n\nc\n"), HEADER_END_BLANK, "A: b\n", S(""), false },
	{ "header only", S("A: b\n"), HEADER_END_INPUT, "A: b\n", S(""), false },
	{ "no last LF", S("A: b"), HEADER_END_INPUT, "A: b\n", S(""), false },
	{ "text only", S("hello\nA: b\n"), HEADER_END_BODY, "", S("hello"), false },
	{ "leading blank", S(" A: b\n"), HEADER_END_BODY, "", S(" A: b"), false },
	{ "text after fields", S("A: b\nhello"), HEADER_END_BODY, "A: b\n", S("hello"), false },
	{ "folded", S("A: b\n  \n\tc\nD: e\n\n"), HEADER_END_BLANK, "A: b\n  \n\tc\nD: e\n", S(""),
		false },
	{ "mbox line", S("From ann\n x\nA: b\n\n"), HEADER_END_BLANK,
		"MBOX-Line: From ann\n x\nA: b\n", S(""), false },
	{ "quoted mbox line", S(">From ann\nA: b\n\n"), HEADER_END_BODY, "", S(">From ann"),
		false },
	{ "8 bit and NUL", S("A: \xff\0\n\n"), HEADER_END_BLANK, NULL, S(""), false },
	{ "CRLF", S("A: b\r\nC: d\r\n e\r\n\r\nf\r\n"), HEADER_END_BLANK, "A: b\nC: d\n e\n", S(""),
		true },
	{ "CRLF later", S("A: b\nC: d\r\n\r\nf\r\n"), HEADER_END_BLANK, "A: b\nC: d\n", S(""),
		false },
	{ "CRs", S("A: b\r\r\nC: d\re\r\rf\r\n\r\r\n"), HEADER_END_BLANK, "A: b\nC: d e  f\n",
		S(""), true },
	{ "CR without LF", S("A: b\r"), HEADER_END_INPUT, "A: b\n", S(""), false },
	{ "CRLF, no header", S("text\r\n"), HEADER_END_BODY, "", S("text\r"), true },
	{ "CR in the first body line", S("A: b\na\rb c\n"), HEADER_END_BODY, "A: b\n",
		S("a\rb c"), false },
	{ "CRLF folded address", S("To: a@b.c,\r\n d@e.f\r\n\r\n"), HEADER_END_BLANK,
		"To: a@b.c, d@e.f\n", S(""), true },
	{ "hidden fields", S("Bcc: a\nResent-Bcc: b\nReturn-Path: c\nContent-Length: 5\nTo: d\n\n"),
		HEADER_END_BLANK, "To: d@h.x\n", S(""), false },
};

static void
test_splits(struct tap *t)
{
	struct run r;

	run_init(&r);
	for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++)
		for (size_t size = 1; size <= 64; size *= 8) {
			struct header_rules rules = { .collect_recipients = true };

			run(&r, splits[i].in, rules, size);
			ok(t, r.fault == FAULT_NONE && r.h.end == splits[i].end, "%s, %zu",
			    splits[i].about, size);
			if (splits[i].text)
				is(t, buf_span(&r.h.text), span_str(splits[i].text), "  text");
			else
				is(t, buf_span(&r.h.text), span_of("A: \xff\0\n", 6), "  text");
			if (splits[i].end == HEADER_END_BODY)
				is(t, buf_span(&r.h.line), splits[i].line, "  first body line");
			ok(t, r.h.crlf == splits[i].crlf, "  CRLF");
		}
	run_free(&r);
}

/* recipients, resent, followup: each with a comma behind it; sender NULL: none */
static const struct row {
	const char *about, *in;
	struct header_rules rules;
	enum fault fault;
	const char *text, *recipients, *resent, *followup, *sender;
} rows[] = {
	{ "order", "To: a, b\nCc: c\nBcc: d\nApparently-To: e\nX-To: f\n\n",
		{ .collect_recipients = true, .collect_followup = true }, FAULT_NONE,
		"To: a@h.x, b@h.x\nCc: c@h.x\nApparently-To: e@h.x\nX-To: f\n",
		"b@h.x,a@h.x,c@h.x,d@h.x,e@h.x,", "", "b@h.x,a@h.x,c@h.x,", NULL },
	{ "resent", "Resent-To: a\nResent-Cc: b\nResent-Bcc: c\nTo: d\n\n",
		{ .collect_recipients = true }, FAULT_NONE,
		"Resent-To: a@h.x\nResent-Cc: b@h.x\nTo: d@h.x\n", "d@h.x,", "a@h.x,b@h.x,c@h.x,",
		"", NULL },
	{ "nobody asked", "To: a\nResent-To: b\n\n", { .collect_recipients = false }, FAULT_NONE,
		"To: a@h.x\nResent-To: b@h.x\n", "", "", "", NULL },
	{ "empty recipients", "To: <>, a, @x, <@y>\n\n", { .collect_recipients = true },
		FAULT_NONE, "To: <>, a@h.x, , <>\n", "a@h.x,", "", "", NULL },
	{ "senders", "From: a\nSender: b\nReply-To: c\nErrors-To: d\nReturn-Receipt-To: e\n"
		"Resent-From: f\nResent-Sender: g\nResent-Reply-To: h\n\n",
		{ .collect_recipients = true }, FAULT_NONE, "From: a@h.x\nSender: b@h.x\n"
		"Reply-To: c@h.x\nErrors-To: d@h.x\nReturn-Receipt-To: e@h.x\nResent-From: f@h.x\n"
		"Resent-Sender: g@h.x\nResent-Reply-To: h@h.x\n", "", "", "", NULL },
	{ "return path", "Return-Path: <a@b.c>\n\n", { .collect_recipients = false }, FAULT_NONE,
		"", "", "", "", "a@b.c" },
	{ "null return path", "Return-Path: <>\nReturn-Path: <x@y.z>\n\n",
		{ .collect_recipients = false }, FAULT_NONE, "", "", "", "", "" },
	{ "return paths", "Return-Path:\nReturn-Path: a@b.c, d@e.f\nReturn-Path: g@h.i\n\n",
		{ .collect_recipients = false }, FAULT_NONE, "", "", "", "", "d@e.f" },
	{ "ignored return path", "Return-Path: )(\n\n", { .ignore_return_path = true }, FAULT_NONE,
		"", "", "", "", NULL },
	{ "bad return path", "Return-Path: )(\n\n", { .ignore_return_path = false }, FAULT_LINE,
		NULL, "Return-Path: )(\n", "", "", NULL },
	{ "dropped fields", "From: )\nMessage-ID: x\nResent-From: a\nResent-Message-ID: y\n\n",
		{ .drop_from = true, .drop_message_id = true }, FAULT_NONE,
		"Resent-From: a@h.x\nResent-Message-ID: y\n", "", "", "", NULL },
	{ "bad recipient", "To: a,\n b>\n\n", { .collect_recipients = true }, FAULT_LINE, NULL,
		"To: a,\n b>\n", "", "", NULL },
	{ "bad sender", "Reply-To: )\n\n", { .lenient_recipients = true }, FAULT_LINE, NULL,
		"Reply-To: )\n", "", "", NULL },
	{ "bad ones kept", "To: a, b>, c\nBcc: )\nReply-To: )\nReturn-Path: x)(, y>, z\nCc: d\n\n",
		KEEP_ALL, FAULT_NONE, "To: a, b>, c\nReply-To: )\nCc: d@h.x\n", "", "", "", NULL },
	{ "bad one gives nobody", "To: c>, a, b\nCc: d\n\n", { .lenient_recipients = true,
		.collect_recipients = true, .collect_followup = true }, FAULT_NONE,
		"To: c>, a, b\nCc: d@h.x\n", "d@h.x,", "", "d@h.x,", NULL },
	{ "bad sender, bad recipients kept", "To: )\nFrom: a\n\n", { .lenient_senders = true },
		FAULT_LINE, NULL, "To: )\n", "", "", NULL },
	{ "escaped LF in an address", "To: \"a\\\n b\"@c.d\n\n", { .collect_recipients = true },
		FAULT_NONE, "To: \"a b\"@c.d\n", "a b@c.d,", "", "", NULL },
};

static void
is_list(struct tap *t, struct recips *r, const char *want, const char *name)
{
	for (size_t i = 0; i < r->text.n; i++)
		if (!r->text.p[i])
			r->text.p[i] = ',';
	is(t, buf_span(&r->text), span_str(want), name);
}

static void
test_rows(struct tap *t)
{
	struct run r;

	run_init(&r);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		run(&r, span_str(rows[i].in), rows[i].rules, 4096);
		if (!ok(t, r.fault == rows[i].fault, "%s", rows[i].about))
			continue;
		if (r.fault == FAULT_LINE) {
			is(t, buf_span(&r.detail), span_str(rows[i].recipients), "  detail");
			continue;
		}
		is(t, buf_span(&r.h.text), span_str(rows[i].text), "  text");
		is_list(t, &r.h.recipients, rows[i].recipients, "  recipients");
		is_list(t, &r.h.resent, rows[i].resent, "  resent");
		is_list(t, &r.h.followup, rows[i].followup, "  followup");
		ok(t, r.h.has_sender == (rows[i].sender != NULL), "  has sender");
		is(t, buf_span(&r.h.sender), span_str(rows[i].sender), "  sender");
	}
	run_free(&r);
}

static void
test_nul(struct tap *t)
{
	static const struct span in = S("To: a\0b@c.d\n\n");
	struct run r;

	run_init(&r);
	run(&r, in, (struct header_rules){ .collect_recipients = true }, 64);
	ok(t, r.fault == FAULT_LINE, "NUL in an address");
	run(&r, in, (struct header_rules)KEEP_ALL, 64);
	is(t, buf_span(&r.h.text), span_of("To: a\0b@c.d\n", 12), "NUL in an address, kept");
	run_free(&r);
}

/* Which fields make a message resent. */
static void
test_resent(struct tap *t)
{
	static const char *const names[] = { "Sender", "From", "Reply-To", "To", "Cc", "Bcc",
		"Date", "Message-ID" };
	struct run r;
	char text[64];

	run_init(&r);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		int n = snprintf(text, sizeof text, "Resent-%s: a\n\n", names[i]);

		run(&r, span_of(text, (size_t)n), (struct header_rules){ .drop_from = false }, 64);
		ok(t, header_is_resent(&r.h), "Resent-%s", names[i]);
		run(&r, span_of(text + 7, (size_t)n - 7),
		    (struct header_rules){ .drop_from = false }, 64);
		ok(t, !header_is_resent(&r.h), "%s", names[i]);
	}
	run(&r, span_str("Resent-Subject: a\n\n"), (struct header_rules){ .drop_from = false }, 64);
	ok(t, !header_is_resent(&r.h), "Resent-Subject");
	run_free(&r);
}

static enum fault
header_of(struct run *r, size_t bytes, size_t line)
{
	struct buf in = BUF_CAP(HEADER_MAX * 2);

	while (in.n < bytes) {
		size_t n = bytes - in.n < line ? bytes - in.n : line;
		size_t at = in.n;
		char *p = buf_room(&in, n);

		if (!p || n < 4)
			abort();
		memset(p, 'x', n);
		buf_added(&in, n);
		in.p[at + 1] = ':';
		in.p[at + n - 1] = '\n';
	}
	run(r, buf_span(&in), (struct header_rules){ .collect_recipients = true }, 65536);
	buf_free(&in);
	return r->fault;
}

static void
test_limits(struct tap *t)
{
	struct run r;

	run_init(&r);
	ok(t, header_of(&r, HEADER_MAX - 1, HEADER_MAX - 1) == FAULT_NONE, "line below the limit");
	ok(t, header_of(&r, HEADER_MAX, HEADER_MAX) == FAULT_NONE, "line at the limit");
	ok(t, header_of(&r, HEADER_MAX + 1, HEADER_MAX + 1) == FAULT_HEADER_SIZE,
	    "line over the limit");
	ok(t, header_of(&r, HEADER_MAX - 1, 4096) == FAULT_NONE, "header below the limit");
	ok(t, header_of(&r, HEADER_MAX, 4096) == FAULT_NONE, "header at the limit");
	ok(t, header_of(&r, HEADER_MAX + 4096, 4096) == FAULT_HEADER_SIZE,
	    "header over the limit");
	run_free(&r);
}

static void
test_read_error(struct tap *t)
{
	struct header h = HEADER_EMPTY;
	struct buf detail = { 0 };
	struct io_in io;
	char buffer[64];
	int fd = open(".", O_RDONLY | O_CLOEXEC);

	io_in_init(&io, fd, buffer, sizeof buffer);
	ok(t, header_read(&h, &(struct header_rules){ .drop_from = false }, &io, &detail) ==
	    FAULT_READ, "read error");
	(void)close(fd);
	header_free(&h);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	test_splits(&t);
	test_rows(&t);
	test_nul(&t);
	test_resent(&t);
	test_limits(&t);
	test_read_error(&t);
	scratch_leave(&s);
	return done(&t);
}
