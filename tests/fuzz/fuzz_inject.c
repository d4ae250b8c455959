/* qmail-inject's header: what goes out is a header and nothing else, recipients are clean, and what
 * went out, injected again, is the same header for the same recipients.
 * The first byte of the input chooses the rules. */
#include "inject/header.h"

#include "inject/address.h"
#include "inject/followup.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"0", "1", "2", "4", "8", "To: ", "Cc: ", "Bcc: ", "From: ", "Return-Path: ",
	"Resent-To: ", "Sender:", "Message-ID: <x@y>\n", "Apparently-To: ",
	"Mail-Followup-To: a@b\n", "Date: now\n", "Content-Length: 5\n", "\n", "\r\n", "\n ",
	"\n\t", "\n\n", "From joe Mon Jan\n", ">From x\n", "a@b.c", "ann", "<a@b>", ", ",
	"Joe Q. <j@k>", "\"a b\"@c", "(x)", "g: a, b;", "<>", "@", "x@[1.2.3.4]", "\\", "\"",
	"\xff", "a+", "body text\n", ":", "<@r:a@b>", "To: a@b, c@d\n", "Bcc: e@f\n", NULL
};

#define HIDDEN (HEADER_BIT(FIELD_BCC) | HEADER_BIT(FIELD_RESENT_BCC) | \
	HEADER_BIT(FIELD_RETURN_PATH) | HEADER_BIT(FIELD_CONTENT_LENGTH))

struct rules {
	struct hdr5322_rules addresses;
	struct header_rules header;
};

static void
load(struct hdr5322_tokens *to, const char *text)
{
	promise(hdr5322_tokenize(span_str(text), to) == HDR5322_OK);
}

static void
make_rules(struct rules *r, unsigned choice)
{
	load(&r->addresses.default_host, "@h.test");
	load(&r->addresses.default_domain, ".d.test");
	load(&r->addresses.plus_domain, ".p.test");
	r->header = (struct header_rules){ .addresses = &r->addresses,
		.ignore_return_path = choice & 1, .drop_from = choice & 2,
		.drop_message_id = choice & 2, .collect_recipients = true,
		.collect_followup = true, .lenient_recipients = choice & 4,
		.lenient_senders = choice & 8 };
}

static enum fault
read_header(struct span text, const struct rules *r, struct header *h)
{
	struct buf detail = { 0 };
	char buffer[64];	/* small, so that lines are cut */
	struct io_in in;
	enum fault f;

	io_in_init(&in, rig_file(0, text), buffer, sizeof buffer);
	f = header_read(h, &r->header, &in, &detail);
	promise(f != FAULT_READ && f != FAULT_MEMORY);
	promise(f != FAULT_LINE || detail.n > 0);
	buf_free(&detail);
	return f;
}

/* Fields, one after the other, each with all of its lines; nothing that ends a header. */
static void
check_header(struct span text)
{
	bool first = true;

	promise(!text.n || text.p[text.n - 1] == '\n');
	promise(span_chr(text, '\r') == text.n);
	while (text.n) {
		struct span line = rig_line(&text);
		enum field_line kind = field_classify(span_head(line, line.n - 1), NULL, NULL);

		promise(kind == FIELD_LINE_START || (kind == FIELD_LINE_FOLDED && !first));
		first = false;
	}
}

static void
check_recipients(const struct recips *r)
{
	struct span address;
	size_t at = 0, n = 0;

	for (; recips_next(r, &at, &address); n++)
		promise(address.n > 0 && address_is_clean(address));
	promise(n == r->n);
	for (at = r->text.n; recips_previous(r, &at, &address); n--)
		;
	promise(n == 0);
}

static void
check_again(const struct rules *rules, const struct header *first)
{
	struct header again = HEADER_EMPTY;
	struct buf text = { 0 };

	buf_addbuf(&text, &first->text);
	buf_adds(&text, "\nbody\n");
	promise(read_header(buf_span(&text), rules, &again) == FAULT_NONE);
	promise(again.end == HEADER_END_BLANK);
	if (rig_is_odd(buf_span(&first->text)))
		goto out;
	promise(span_eq(buf_span(&again.text), buf_span(&first->text)));
	if (!(first->seen & HIDDEN)) {
		promise(span_eq(buf_span(&again.recipients.text),
		    buf_span(&first->recipients.text)));
		promise(span_eq(buf_span(&again.resent.text), buf_span(&first->resent.text)));
	}
out:
	header_free(&again);
	buf_free(&text);
}

/* Mail-Followup-To of the same addresses is one field. */
static void
check_followup(const struct recips *to)
{
	struct buf field = { 0 };

	if (to->n) {
		followup_write(to, &field);
		promise(span_starts(buf_span(&field), span_str("Mail-Followup-To:")));
		check_header(buf_span(&field));
	}
	buf_free(&field);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct header h = HEADER_EMPTY;
	struct rules rules = { .header = { .drop_from = false } };
	struct span in = rig_input(p, n);

	make_rules(&rules, n ? p[0] : 0);
	if (read_header(span_tail(in, 1), &rules, &h) == FAULT_NONE) {
		check_header(buf_span(&h.text));
		check_recipients(&h.recipients);
		check_recipients(&h.resent);
		check_recipients(&h.followup);
		promise(!h.has_sender || address_is_clean(buf_span(&h.sender)));
		check_followup(&h.followup);
		check_again(&rules, &h);
	}
	header_free(&h);
	hdr5322_free(&rules.addresses.default_host);
	hdr5322_free(&rules.addresses.default_domain);
	hdr5322_free(&rules.addresses.plus_domain);
	return 0;
}
