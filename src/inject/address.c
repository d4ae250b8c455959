/* address - what callers pass as sender or recipient, made a raw address. */
#include "inject/address.h"

#include <string.h>

#include "lib/ascii.h"
#include "mail/hdr5322.h"

/* What reading a list found. */
struct found {
	struct recips raw;	/* last one first */
	size_t empty;		/* <> */
};

static enum fault
fault_of(enum hdr5322_status status)
{
	if (status == HDR5322_OK)
		return FAULT_NONE;
	return status == HDR5322_MEMORY ? FAULT_MEMORY : FAULT_ADDRESS;
}

bool
address_is_clean(struct span address)
{
	for (size_t i = 0; i < address.n; i++)
		if (address.p[i] == '\0' || address.p[i] == '\r' || address.p[i] == '\n')
			return false;
	return true;
}

static bool
holds(const struct hdr5322_tokens *address, char type)
{
	for (size_t i = 0; i < address->n; i++)
		if (address->v[i].type == type)
			return true;
	return false;
}

/* Does the raw text mean what the address meant?  Not if a quoted domain needs its quotes. */
static bool
means_same(struct span raw, struct span envelope)
{
	struct hdr5322_tokens again = { 0 };
	struct buf text = BUF_CAP(raw.n * 2 + 16);
	bool same = hdr5322_tokenize_raw(raw, &again) == HDR5322_OK;

	(void)hdr5322_strip(&again);
	hdr5322_envelope(&again, &text);
	same = same && buf_ok(&text) && span_eq(buf_span(&text), envelope);
	hdr5322_free(&again);
	buf_free(&text);
	return same;
}

/* An address of a list becomes raw.  `"a@b"` without a domain gets an @ at its end, or its own
 * would be taken for the separator. */
static enum hdr5322_status
use(void *arg, struct hdr5322_tokens *address)
{
	struct found *found = arg;
	struct buf text = { 0 };
	enum hdr5322_status status = HDR5322_OK;
	size_t bare;

	if (hdr5322_strip(address) && !address->n) {
		found->empty++;
		return HDR5322_OK;
	}
	hdr5322_envelope(address, &text);
	bare = text.n;
	if (!holds(address, '@') && span_chr(buf_span(&text), '@') < text.n)
		buf_addc(&text, '@');
	if (!buf_ok(&text))
		status = HDR5322_MEMORY;
	else if (!text.n)
		found->empty++;		/* `""` */
	else if (!address_is_clean(buf_span(&text)) ||
	    !means_same(buf_span(&text), span_head(buf_span(&text), bare)))
		status = HDR5322_SYNTAX;
	else
		recips_add(&found->raw, buf_span(&text));
	buf_free(&text);
	return status;
}

static enum fault
read_list(struct span text, struct found *found)
{
	struct hdr5322_tokens tokens = { 0 };
	enum hdr5322_status status = hdr5322_tokenize(text, &tokens);
	enum fault fault;

	if (status == HDR5322_OK)
		status = hdr5322_list(&tokens, use, found, NULL);
	hdr5322_free(&tokens);
	fault = fault_of(status);
	return fault == FAULT_NONE ? recips_fault(&found->raw) : fault;
}

static enum fault
keep(struct span text, struct buf *raw)
{
	buf_reset(raw);
	buf_addspan(raw, text);
	return buf_ok(raw) ? FAULT_NONE : FAULT_MEMORY;
}

/* Exactly one address, which may be <>. */
static enum fault
read_one(struct span text, struct buf *raw)
{
	struct found found = { .raw = RECIPS_EMPTY };
	enum fault fault = read_list(text, &found);
	struct span address = span_of(NULL, 0);
	size_t at = 0;

	if (fault == FAULT_NONE && found.raw.n + found.empty != 1)
		fault = FAULT_ADDRESS;
	if (fault == FAULT_NONE) {
		(void)recips_next(&found.raw, &at, &address);
		fault = keep(address, raw);
	}
	recips_free(&found.raw);
	return fault;
}

/* `"a b"@c.d`: the quotes begin at the first byte and end before the last @. */
static bool
local_is_quoted(struct span text)
{
	size_t at = span_rchr(text, '@'), i;

	if (at == text.n || at < 2 || text.p[0] != '"')
		return false;
	for (i = 1; i < at && text.p[i] != '"'; i++)
		if (text.p[i] == '\\')
			i++;
	return i == at - 1;
}

enum fault
address_sender(struct span value, struct buf *raw)
{
	struct span text = ascii_trim(value);

	if (!address_is_clean(value))
		return FAULT_ADDRESS;
	if (text.n && text.p[text.n - 1] == '>' && span_chr(text, '<') < text.n)
		return read_one(text, raw);
	if (local_is_quoted(text))
		return read_one(text, raw);
	return keep(value, raw);
}

enum fault
address_recipient(struct span arg, struct buf *raw)
{
	if (!address_is_clean(arg))
		return FAULT_ADDRESS;
	if (arg.n && arg.p[0] == '<' && arg.p[arg.n - 1] == '>')
		return read_one(arg, raw);
	if (local_is_quoted(arg))
		return read_one(arg, raw);
	return keep(arg, raw);
}

enum fault
address_recipients(struct span arg, struct recips *to)
{
	struct found found = { .raw = RECIPS_EMPTY };
	struct span address;
	enum fault fault = FAULT_NONE;
	size_t at;

	if (!address_is_clean(arg) || !arg.n)
		return FAULT_ADDRESS;
	if (!strpbrk(arg.p, "<\"(,")) {
		recips_add(to, arg);
		return recips_fault(to);
	}
	fault = read_list(arg, &found);
	if (fault == FAULT_NONE && (found.empty || !found.raw.n))
		fault = FAULT_ADDRESS;
	for (at = found.raw.text.n; fault == FAULT_NONE &&
	    recips_previous(&found.raw, &at, &address);)
		recips_add(to, address);
	recips_free(&found.raw);
	return fault == FAULT_NONE ? recips_fault(to) : fault;
}
