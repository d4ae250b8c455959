/* The environment of qmail-inject: whatever the variables hold, From is one field with one address,
 * and the envelope sender is clean.  Input: user `|` host `|` name `|` sender's user `|`
 * letters. */
#include "inject/sender.h"

#include <stdlib.h>

#include "inject/address.h"
#include "inject/generate.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"|", "joe", "a b", "x.test", "Joe Q. Public", "\"", "\\", "(", ")", "<", ">", "@", ",",
	";", ":", "\n", "\r\n", "c", "r", "m", "f", "i", "s", "[", "]", "[1.2.3.4]", "\xff",
	"\xc3\xa9", ".", "+", "rm", "joe|x.test|Joe|bounce|rc", NULL
};

static void
load(struct hdr5322_tokens *to, const char *text)
{
	promise(hdr5322_tokenize(span_str(text), to) == HDR5322_OK);
}

static void
set(const char *name, struct span value)
{
	struct buf text = { 0 };

	buf_addspan(&text, span_head(value, span_chr(value, '\0')));
	promise(setenv(name, buf_str(&text), 1) == 0);
	buf_free(&text);
}

static enum hdr5322_status
count(void *arg, struct hdr5322_tokens *address)
{
	size_t *n = arg;

	(void)address;
	++*n;
	return HDR5322_OK;
}

/* One field, named so, with one address. */
static void
check_from(struct span field)
{
	struct hdr5322_tokens tokens = { 0 };
	size_t n = 0;

	promise(span_starts(field, span_str("From:")) && field.p[field.n - 1] == '\n');
	promise(span_chr(field, '\n') == field.n - 1 && span_chr(field, '\r') == field.n);
	field = span_head(span_tail(field, 5), field.n - 6);
	promise(hdr5322_tokenize(field, &tokens) == HDR5322_OK);
	promise(hdr5322_list(&tokens, count, &n, NULL) == HDR5322_OK && n <= 1);
	hdr5322_free(&tokens);
}

/* Lines of a header, nothing that would end it. */
static void
check_fields(struct span text)
{
	promise(text.n && text.p[text.n - 1] == '\n');
	while (text.n) {
		struct span line = rig_line(&text);
		enum field_line kind = field_classify(span_head(line, line.n - 1), NULL, NULL);

		promise(kind == FIELD_LINE_START || kind == FIELD_LINE_FOLDED);
	}
}

static void
check(const struct request *q, const struct rewrite *w)
{
	struct header h = HEADER_EMPTY;
	struct followup followup = { .active = false };
	struct generate g = { q, w, &h, &followup, 1700000000, 4711 };
	struct buf text = { 0 }, detail = { 0 }, sender = { 0 };

	if (sender_write_from(q, w, "From", &text, &detail) == FAULT_NONE)
		check_from(buf_span(&text));
	buf_reset(&text);
	if (generate_fields(&g, &text, &detail) == FAULT_NONE)
		check_fields(buf_span(&text));
	if (sender_default(q, w, &h, g.start, g.pid, &sender, &detail) == FAULT_NONE)
		promise(address_is_clean(buf_span(&sender)));
	buf_free(&text);
	buf_free(&detail);
	buf_free(&sender);
	header_free(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n);
	struct request q = { .print = false };
	struct rewrite w = { .local_time = false };

	load(&w.rules.default_host, "@h.test");
	load(&w.rules.default_domain, ".d.test");
	load(&w.rules.plus_domain, ".p.test");
	buf_adds(&w.id_host, "id.test");
	set("QMAILUSER", rig_take(&in, '|'));
	set("QMAILHOST", rig_take(&in, '|'));
	set("QMAILNAME", rig_take(&in, '|'));
	set("QMAILSUSER", rig_take(&in, '|'));
	set("QMAILINJECT", in);
	if (request_environment(&q) == FAULT_NONE)
		check(&q, &w);
	request_free(&q);
	rewrite_free(&w);
	return 0;
}
