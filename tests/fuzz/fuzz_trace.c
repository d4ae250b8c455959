/* Fields that our programs write from what strangers say: each is one field of printable lines,
 * whatever the values; bounce paragraphs end where they end; the notice's header is a header.
 * Input: five values with `|` between them; `~` stands for a NUL. */
#include "mail/trace.h"

#include "lib/ascii.h"
#include "lib/log.h"
#include "local/mboxmerge.h"
#include "mail/addr5321.h"
#include "mail/field.h"
#include "mail/maildir.h"
#include "mail/msgid.h"
#include "rig.h"
#include "send/bounce.h"
#include "send/notice.h"

const char *const fuzz_words[] = {
	"|", "~", "a.test", "joe@x.test", "\n", "\r\n", "\n\n", "Bcc: x@y\n", ")", "(", "\"",
	"\\", "<", ">", "a b", "\x1b[0m", "\xff", "[::1]", "/", ":", ".", "--- Below this line",
	"#@[]", "-@[]", "said: no\n\n\nreally", NULL
};

#define VALUES 5

/* Lines of one field, or of several. */
static void
check_field(struct span text, const char *name, size_t lines)
{
	promise(span_starts(text, span_str(name)));
	for (size_t i = 0; i < lines; i++) {
		struct span line = rig_line(&text);

		promise(line.n > 1 && line.p[line.n - 1] == '\n');
		promise(field_classify(span_head(line, line.n - 1), NULL, NULL) ==
		    (i ? FIELD_LINE_FOLDED : FIELD_LINE_START));
	}
	promise(text.n == 0);
}

static void
check_received(const struct span v[VALUES])
{
	struct trace_hop hop = { v[0], v[1], v[2], v[3], v[4], "SMTP", 1700000000,
		    false };
	struct buf field = { 0 };

	trace_add_received(&field, &hop);
	check_field(buf_span(&field), "Received: from ", 2);
	for (size_t i = 0; i < field.n; i++)
		promise(ascii_isgraph(field.p[i]) || field.p[i] == ' ' || field.p[i] == '\n');
	buf_free(&field);
}

static void
check_delivered(const struct span v[VALUES])
{
	struct buf field = { 0 };

	trace_add_delivered_to(&field, v[0], v[1]);
	check_field(buf_span(&field), "Delivered-To: ", 1);
	buf_reset(&field);
	trace_add_return_path(&field, v[0]);
	check_field(buf_span(&field), "Return-Path: <", 1);
	if (span_chr(v[0], '\n') == v[0].n) {
		struct buf quoted = { 0 };

		addr5321_quote(&quoted, v[0]);
		promise(span_eq(mboxmerge_sender(span_head(buf_span(&field), field.n - 1)),
		    buf_span(&quoted)));
		buf_free(&quoted);
	}
	buf_reset(&field);
	trace_add_from_line(&field, v[0], 1);
	promise(span_starts(buf_span(&field), span_str("From ")) &&
	    span_chr(buf_span(&field), '\n') == field.n - 1);
	buf_free(&field);
}

/* Address, text without empty lines, empty line. */
static void
check_paragraph(const struct span v[VALUES])
{
	struct buf to = { 0 };
	struct span rest, line;

	buf_adds(&to, "<x@y>:\nz\n\n");
	bounce_add_paragraph(&to, v[0], v[1]);
	rest = span_tail(buf_span(&to), 10);
	promise(rest.n > 4 && rest.p[0] == '<');
	line = rig_line(&rest);
	promise(span_eq(span_tail(line, line.n - 3), span_str(">:\n")));
	while (rest.n > 1) {
		line = rig_line(&rest);
		promise(line.n > 1 && line.p[line.n - 1] == '\n');
	}
	promise(rest.n == 1 && rest.p[0] == '\n');
	buf_free(&to);
}

static void
check_notice(const struct span v[VALUES])
{
	struct controls c = { .me_set = false };
	struct buf head = { 0 }, middle = { 0 };
	struct span rest;
	bool ended = false;

	buf_adds(&c.bouncefrom, "MAILER-DAEMON");
	buf_adds(&c.bouncehost, "x.test");
	notice_text(&c, notice_kind(v[0]), v[0], v[1], 1, &head, &middle);
	for (rest = buf_span(&head); !ended;) {
		struct span line = rig_line(&rest);
		enum field_line kind;

		promise(line.n > 0 && line.p[line.n - 1] == '\n' && rig_is_text(line));
		kind = field_classify(span_head(line, line.n - 1), NULL, NULL);
		promise(kind == FIELD_LINE_START || kind == FIELD_LINE_END);
		ended = kind == FIELD_LINE_END;
	}
	promise(span_starts(rest, span_str("Hi. This is the qmail-send program at x.test.\n")));
	promise(rig_is_text(buf_span(&middle)));
	promise(span_starts(span_tail(buf_span(&middle), middle.n - 2), span_str(">\n")));
	buf_free(&c.bouncefrom);
	buf_free(&c.bouncehost);
	buf_free(&head);
	buf_free(&middle);
}

static void
check_names(const struct span v[VALUES])
{
	struct buf name = { 0 };

	maildir_add_name_of(&name, 1, v[0]);
	promise(name.n > 0 && name.n <= MAILDIR_NAME_MAX && name.p[0] != '.');
	for (size_t i = 0; i < name.n; i++)
		promise(ascii_isgraph(name.p[i]) && name.p[i] != '/' && name.p[i] != ':');
	buf_reset(&name);
	log_add_safe(&name, v[0]);
	promise(rig_is_text(buf_span(&name)) && span_chr(buf_span(&name), '\n') == name.n);
	buf_reset(&name);
	if (msgid_is_host(v[0])) {
		msgid_add(&name, 1, 2, v[0]);
		promise(name.p[0] == '<' && span_chr(buf_span(&name), '>') == name.n - 1);
		promise(rig_is_text(buf_span(&name)));
	}
	buf_free(&name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span values[VALUES];
	struct buf in = { 0 };
	struct span rest;

	rig_nuls(&in, rig_input(p, n), '~');
	rest = buf_span(&in);
	for (size_t i = 0; i < VALUES; i++)
		values[i] = rig_take(&rest, '|');
	check_received(values);
	check_delivered(values);
	check_paragraph(values);
	check_notice(values);
	check_names(values);
	buf_free(&in);
	return 0;
}
