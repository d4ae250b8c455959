/* Addresses as callers of sendmail and qmail-inject pass them: what is accepted is clean; a list
 * given to sendmail as an argument goes where the same list in To goes with sendmail -t; an address
 * that was made for the envelope is read as itself again. */
#include "inject/address.h"

#include <string.h>

#include "inject/header.h"
#include "inject/rewrite.h"
#include "lib/ascii.h"
#include "mail/addr5321.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"a", "ann", "a@b.c", "<a@b.c>", "<>", "@", ".", ",", ", ", "\"a b\"@c.d", "\"", "\\",
	"(c)", "(", "<@r:a@b>", "Joe <j@k>", " ", "g: a;", "x@[1.2.3.4]", "+", "-", "\xff", ":",
	";", "<", ">", "a@", "#@[]", "list-@x-@[]", "a,b@c", "'", NULL
};

static void
load(struct hdr5322_tokens *to, const char *text)
{
	promise(hdr5322_tokenize(span_str(text), to) == HDR5322_OK);
}

/* The recipients of `To: LIST`, each with NUL, last one first; false: it cannot be parsed. */
static bool
header_recipients(const struct rewrite *w, struct span list, struct buf *to)
{
	struct header_rules rules = { .addresses = &w->rules, .collect_recipients = true };
	struct header h = HEADER_EMPTY;
	struct buf text = { 0 }, detail = { 0 };
	char buffer[512];
	struct io_in in;
	bool good;

	buf_adds(&text, "To: ");
	buf_addspan(&text, list);
	buf_adds(&text, "\n\n");
	io_in_init(&in, rig_file(0, buf_span(&text)), buffer, sizeof buffer);
	good = header_read(&h, &rules, &in, &detail) == FAULT_NONE;
	buf_reset(to);
	buf_addbuf(to, &h.recipients.text);
	header_free(&h);
	buf_free(&text);
	buf_free(&detail);
	return good;
}

/* sendmail LIST and sendmail -t with To: LIST. */
static void
check_list(const struct rewrite *w, const char *arg)
{
	struct recips raw = RECIPS_EMPTY;
	struct buf by_argument = { 0 }, by_header = { 0 }, envelope = { 0 };
	struct span address;
	size_t at;

	if (strpbrk(arg, "<\"(,") && !rig_is_odd(span_str(arg)) &&
	    address_recipients(span_str(arg), &raw) == FAULT_NONE) {
		bool good = true;

		promise(raw.n > 0);
		for (at = raw.text.n; recips_previous(&raw, &at, &address);) {
			promise(address.n > 0 && address_is_clean(address));
			good = good && rewrite_address(w, address, &envelope) == FAULT_NONE;
			buf_addbuf(&by_argument, &envelope);
			buf_addc(&by_argument, '\0');
		}
		if (good) {
			promise(header_recipients(w, span_str(arg), &by_header));
			promise(span_eq(buf_span(&by_argument), buf_span(&by_header)));
		}
	}
	recips_free(&raw);
	buf_free(&by_argument);
	buf_free(&by_header);
	buf_free(&envelope);
}

static bool
is_plain_domain(struct span domain)
{
	for (size_t i = 0; i < domain.n; i++)
		if (!ascii_isalnum(domain.p[i]) && domain.p[i] != '-' &&
		    (domain.p[i] != '.' || i == 0 || domain.p[i - 1] == '.'))
			return false;
	return domain.n > 0 && domain.p[domain.n - 1] != '.';
}

/* Written as RFC 5322 wants it, it is read as the same address. */
static void
check_written(const struct rewrite *w, struct span envelope)
{
	struct buf written = { 0 }, read = { 0 };

	if (is_plain_domain(addr5321_domain(envelope)) && envelope.p[0] != '@') {
		addr5321_quote(&written, envelope);
		promise(header_recipients(w, buf_span(&written), &read));
		promise(read.n == envelope.n + 1 && span_starts(buf_span(&read), envelope));
	}
	buf_free(&written);
	buf_free(&read);
}

static void
check_one(const struct rewrite *w, struct span arg,
    enum fault (*parse)(struct span arg, struct buf *raw))
{
	struct buf raw = { 0 }, envelope = { 0 }, again = { 0 };

	if (parse(arg, &raw) == FAULT_NONE) {
		promise(address_is_clean(buf_span(&raw)));
		if (rewrite_address(w, buf_span(&raw), &envelope) == FAULT_NONE) {
			promise(address_is_clean(buf_span(&envelope)));
			check_written(w, buf_span(&envelope));
		}
	}
	buf_free(&raw);
	buf_free(&envelope);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rewrite w = { .local_time = false };
	struct buf arg = { 0 };

	load(&w.rules.default_host, "@h.test");
	load(&w.rules.default_domain, ".d.test");
	load(&w.rules.plus_domain, ".p.test");
	buf_addspan(&arg, rig_input(p, n));
	if (span_chr(buf_span(&arg), '\0') == arg.n) {	/* as arguments are */
		check_list(&w, buf_str(&arg));
		check_one(&w, span_str(buf_str(&arg)), address_sender);
		check_one(&w, span_str(buf_str(&arg)), address_recipient);
	}
	buf_free(&arg);
	rewrite_free(&w);
	return 0;
}
