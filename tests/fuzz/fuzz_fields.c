/* Programs that read a message's header: the fields are the header, in order and whole; what is
 * shown of a message stays short; a receipt asks and is answered with a header that nobody else
 * wrote.  Input: sender of the message `|` the message. */
#include "mail/fieldread.h"

#include "lib/ascii.h"
#include "local/glance.h"
#include "local/receipt.h"
#include "mail/field.h"
#include "mail/trace.h"
#include "rig.h"

#define TEXT_MAX 200
#define ADDRESS "joe@x.test"

const char *const fuzz_words[] = {
	"|", "s@y.test", "Subject: x\n", "Subject:", "From: a@b\n", "Return-Path: <a@b>\n", "\n",
	"\n\n", "Delivered-To: joe@x.test\n", "Notice-Requested-Upon-Delivery-To: joe@x.test\n",
	"\n ", "\r\n", "Notice-Requested-Upon-Delivery-To:", "Auto-Submitted: no\n",
	"Auto-Submitted: auto-replied\n", "Message-ID: <1@y>\n", "Received: x\n",
	"From joe Mon\n", "joe@x.test", ",", "(", ":", "~", "\t", "\xff", "body\n", NULL
};

static void
read_fields(struct span message)
{
	char buffer[32];
	struct buf all = { 0 };
	struct io_in in;
	struct fieldread r = FIELDREAD(&in);
	enum io_status status;

	io_in_init(&in, rig_file(0, message), buffer, sizeof buffer);
	while ((status = fieldread_next(&r)) == IO_OK) {
		struct span field = buf_span(&r.field);

		promise(r.rest.p >= field.p && r.rest.p + r.rest.n == field.p + field.n);
		promise(field_classify(field, NULL, NULL) == FIELD_LINE_START);
		buf_addspan(&all, field);
		buf_addc(&all, '\n');
	}
	promise(status == IO_EOF);
	/* Without lines of mboxes, which are passed over, they are what stands there. */
	for (struct span left = message, got = buf_span(&all); got.n;) {
		struct span line = rig_line(&left), mine = rig_line(&got);

		while (!span_eq(span_head(line, mine.n - 1), span_head(mine, mine.n - 1)) ||
		    line.n + 1 < mine.n || line.n > mine.n) {
			promise(left.n > 0);
			line = rig_line(&left);
		}
	}
	fieldread_free(&r);
	buf_free(&all);
}

static void
check_glance(struct span message)
{
	struct glance g = { .sender = { 0 } };

	promise(glance_read(&g, rig_file(0, message), TEXT_MAX) == 0);
	promise(g.text.n <= TEXT_MAX);
	glance_free(&g);
}

/* Header lines of known names, then an empty line. */
static void
check_note(struct span note)
{
	bool first = true;

	for (;;) {
		struct span line = rig_line(&note);
		enum field_line kind;

		promise(line.n > 0 && line.p[line.n - 1] == '\n' && rig_is_text(line));
		kind = field_classify(span_head(line, line.n - 1), NULL, NULL);
		if (kind == FIELD_LINE_END)
			break;
		promise(kind == FIELD_LINE_START);
		promise(!first || span_starts(line, span_str("From: DELIVERY NOTICE SYSTEM <")));
		first = false;
	}
	while (note.n) {
		struct span line = rig_line(&note);

		promise(line.n <= RECEIPT_LINE + 1 || span_starts(line, span_str("following")));
		promise(rig_is_text(line));
	}
}

static void
check_receipt(struct span sender, struct span message)
{
	const struct receipt_note n = { sender, span_str(ADDRESS), span_str("id.test"), 1 };
	struct receipt r = { .wanted = false };
	struct buf note = { 0 };
	char buffer[64];
	struct io_in in;

	io_in_init(&in, rig_file(0, message), buffer, sizeof buffer);
	promise(receipt_read(&r, &in, span_str(ADDRESS)) == IO_OK);
	promise(r.message_id.n <= RECEIPT_LINE);
	receipt_write(&r, &n, &note);
	check_note(buf_span(&note));
	receipt_free(&r);
	buf_free(&note);
}

static void
check_hops(struct span message)
{
	struct trace_counter whole = { .n = 0 };

	trace_count(&whole, message.p, message.n);
	for (size_t piece = 1; piece < 4; piece++) {
		struct trace_counter cut = { .n = 0 };

		for (struct span rest = message; rest.n; rest = span_tail(rest, piece))
			trace_count(&cut, rest.p, span_head(rest, piece).n);
		promise(cut.hops == whole.hops && cut.in_body == whole.in_body);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 };
	struct span message, sender;

	rig_nuls(&in, rig_input(p, n), '~');
	message = buf_span(&in);
	sender = rig_take(&message, '|');
	read_fields(message);
	check_glance(message);
	check_receipt(sender, message);
	check_hops(message);
	buf_free(&in);
	return 0;
}
