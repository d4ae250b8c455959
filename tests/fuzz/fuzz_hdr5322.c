/* Address lists: whatever comes in, the field that goes out is one field, is read without an error,
 * and has the same addresses. */
#include "mail/hdr5322.h"

#include <stdlib.h>

#include "fuzz.h"

const char *const fuzz_words[] = {
	"a", "b", "ann", "x+", "+", "Q", " ", "  ", "\t", ",", ", ", ";", ":", "@", ".", "<", ">",
	"(", ")", "[", "]", "\"", "\\", "\\\"", "\\\n", "\n ", "\r\n\t", "\n", "\r", "<a@b.c>",
	"ann@x.y", "<@r,@s:a@b>", "\"q, s\"", "\"a b\"@c.d", "(c (d) e)", "g: ", "g:;",
	"x@[1.2.3.4]", "#@[]", "J\xc3\xb6rg", "J\xf6rg", "\xe2\x82\xac", "\xed\xa0\x80",
	"John Q. Public <j@p.q>", "a@b, c@d",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.c", NULL
};

struct pass {
	struct hdr5322_rules rules;
	struct buf addresses;	/* LF after each */
	bool complete;
	bool odd;		/* something has been taken for an address that is none */
};

static void
load(struct hdr5322_tokens *to, const char *text)
{
	if (hdr5322_tokenize(span_str(text), to) != HDR5322_OK)
		abort();
}

/* A stray `<`, or a literal that is no domain: completed with a host it may be read otherwise. */
static bool
is_odd(const struct hdr5322_tokens *address)
{
	for (size_t i = 0; i < address->n; i++)
		if (address->v[i].type == '<' || (address->v[i].type == HDR5322_LITERAL &&
		    (i == 0 || address->v[i - 1].type != '@')))
			return true;
	return false;
}

static enum hdr5322_status
use(void *arg, struct hdr5322_tokens *address)
{
	struct pass *p = arg;
	size_t before;

	if (p->complete)
		hdr5322_complete(&p->rules, address);
	p->odd = p->odd || is_odd(address);
	before = p->addresses.n;
	hdr5322_envelope(address, &p->addresses);
	if (p->addresses.n > before)
		buf_addc(&p->addresses, '\n');
	return HDR5322_OK;
}

static enum hdr5322_status
pass(struct pass *p, struct span in, struct buf *out)
{
	struct hdr5322_tokens tokens = { 0 }, done = { 0 };
	enum hdr5322_status status = hdr5322_tokenize(in, &tokens);

	buf_reset(&p->addresses);
	if (status == HDR5322_OK)
		status = hdr5322_list(&tokens, use, p, &done);
	if (status == HDR5322_OK)
		hdr5322_write(span_str("To"), &done, out);
	hdr5322_free(&tokens);
	hdr5322_free(&done);
	return status;
}

/* Lines go on with two spaces, and there is nothing after the last LF. */
static void
check_field(struct span field)
{
	if (!span_starts(field, span_str("To:")) || field.p[field.n - 1] != '\n')
		abort();
	for (size_t i = 0; i + 1 < field.n; i++)
		if (field.p[i] == '\r' || (field.p[i] == '\n' &&
		    (field.n - i < 4 || field.p[i + 1] != ' ' || field.p[i + 2] != ' ')))
			abort();
}

/* A raw address means the same after it was made an envelope address. */
static void
check_raw(struct pass *p, struct span in)
{
	struct hdr5322_tokens tokens = { 0 };
	struct buf envelope = { 0 };

	if (hdr5322_tokenize_raw(in, &tokens) == HDR5322_OK) {
		hdr5322_complete(&p->rules, &tokens);
		hdr5322_envelope(&tokens, &envelope);
		if (envelope.n > in.n + 32)
			abort();
	}
	hdr5322_free(&tokens);
	buf_free(&envelope);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	struct span text = span_of((const char *)in, n);
	struct pass p = { .complete = true };
	struct buf first = { 0 }, again = { 0 }, addresses = { 0 };

	load(&p.rules.default_host, "@h.x");
	load(&p.rules.default_domain, ".d");
	load(&p.rules.plus_domain, ".p");
	if (pass(&p, text, &first) == HDR5322_OK) {
		check_field(buf_span(&first));
		buf_addbuf(&addresses, &p.addresses);
		p.complete = false;
		if (pass(&p, span_tail(buf_span(&first), 3), &again) != HDR5322_OK)
			abort();
		check_field(buf_span(&again));
		if (!p.odd && !span_eq(buf_span(&addresses), buf_span(&p.addresses)))
			abort();
	}
	check_raw(&p, text);
	hdr5322_free(&p.rules.default_host);
	hdr5322_free(&p.rules.default_domain);
	hdr5322_free(&p.rules.plus_domain);
	buf_free(&p.addresses);
	buf_free(&first);
	buf_free(&again);
	buf_free(&addresses);
	return 0;
}
