/* header - reading a message's header. */
#include "inject/header.h"

#include "inject/address.h"

/* What a field is for. */
enum {
	PARSE = 1,		/* holds addresses */
	HIDE = 2,		/* not sent on */
	RECIPIENTS = 4,
	RESENT = 8,		/* marks the message as resent */
	FOLLOWUP = 16		/* may call for Mail-Followup-To */
};

static const unsigned char uses[FIELD_COUNT] = {
	[FIELD_TO] = PARSE | RECIPIENTS | FOLLOWUP,
	[FIELD_CC] = PARSE | RECIPIENTS | FOLLOWUP,
	[FIELD_BCC] = PARSE | RECIPIENTS | HIDE,
	[FIELD_APPARENTLY_TO] = PARSE | RECIPIENTS,
	[FIELD_RESENT_TO] = PARSE | RECIPIENTS | RESENT,
	[FIELD_RESENT_CC] = PARSE | RECIPIENTS | RESENT,
	[FIELD_RESENT_BCC] = PARSE | RECIPIENTS | RESENT | HIDE,
	[FIELD_RETURN_PATH] = PARSE | HIDE,
	[FIELD_FROM] = PARSE,
	[FIELD_SENDER] = PARSE,
	[FIELD_REPLY_TO] = PARSE,
	[FIELD_RETURN_RECEIPT_TO] = PARSE,
	[FIELD_ERRORS_TO] = PARSE,
	[FIELD_RESENT_FROM] = PARSE | RESENT,
	[FIELD_RESENT_SENDER] = PARSE | RESENT,
	[FIELD_RESENT_REPLY_TO] = PARSE | RESENT,
	[FIELD_RESENT_DATE] = RESENT,
	[FIELD_RESENT_MESSAGE_ID] = RESENT,
	[FIELD_CONTENT_LENGTH] = HIDE,
};

/* The work on one header. */
struct reading {
	struct header *h;
	const struct header_rules *rules;
	struct buf field;		/* the one at hand, LF after each line; empty: none */
	struct hdr5322_tokens tokens, completed;
	enum field_id id;
	struct buf address;
};

static void
use_address(struct reading *r, struct span address)
{
	struct header *h = r->h;
	unsigned use = uses[r->id];

	if (r->id == FIELD_RETURN_PATH && !h->has_sender) {
		buf_addspan(&h->sender, address);
		h->has_sender = true;
	}
	if (!address.n)
		return;		/* nobody to send it to */
	if ((use & RECIPIENTS) && r->rules->collect_recipients)
		recips_add(use & RESENT ? &h->resent : &h->recipients, address);
	if ((use & FOLLOWUP) && r->rules->collect_followup)
		recips_add(&h->followup, address);
}

static enum hdr5322_status
use(void *arg, struct hdr5322_tokens *address)
{
	struct reading *r = arg;

	hdr5322_complete(r->rules->addresses, address);
	buf_reset(&r->address);
	hdr5322_envelope(address, &r->address);
	if (!buf_ok(&r->address))
		return HDR5322_MEMORY;
	if (!address_is_clean(buf_span(&r->address)))
		return HDR5322_SYNTAX;
	use_address(r, buf_span(&r->address));
	return address->status;
}

static enum fault
size_fault(const struct buf *b)
{
	if (buf_ok(b))
		return FAULT_NONE;
	return b->over ? FAULT_HEADER_SIZE : FAULT_MEMORY;
}

static enum fault
collected_fault(const struct header *h)
{
	enum fault f = recips_fault(&h->recipients);

	if (f == FAULT_NONE)
		f = recips_fault(&h->resent);
	if (f == FAULT_NONE)
		f = recips_fault(&h->followup);
	return f == FAULT_NONE && !buf_ok(&h->sender) ? FAULT_MEMORY : f;
}

/* A field that cannot be parsed: is it let through? */
static bool
is_lenient(const struct reading *r)
{
	return uses[r->id] & RECIPIENTS ? r->rules->lenient_recipients : r->rules->lenient_senders;
}

static void
keep_verbatim(struct reading *r)
{
	if (!(uses[r->id] & HIDE))
		buf_addbuf(&r->h->text, &r->field);
}

/* Parses the field, writes it completed.  What a field in error has given is taken back. */
static enum fault
parse_field(struct reading *r, struct span name, struct span rest, struct buf *detail)
{
	struct header *h = r->h;
	const struct recips recipients = h->recipients, resent = h->resent, followup = h->followup;
	const bool had_sender = h->has_sender;
	enum hdr5322_status status = hdr5322_tokenize(rest, &r->tokens);

	if (status == HDR5322_OK)
		status = hdr5322_list(&r->tokens, use, r, &r->completed);
	switch (status) {
	case HDR5322_OK:
		if (!(uses[r->id] & HIDE))
			hdr5322_write(name, &r->completed, &h->text);
		return collected_fault(h);
	case HDR5322_SYNTAX:
		if (!is_lenient(r)) {
			buf_reset(detail);
			buf_addbuf(detail, &r->field);
			return FAULT_LINE;
		}
		recips_rewind(&h->recipients, &recipients);
		recips_rewind(&h->resent, &resent);
		recips_rewind(&h->followup, &followup);
		if (!had_sender)
			buf_reset(&h->sender);
		h->has_sender = had_sender;
		keep_verbatim(r);
		return FAULT_NONE;
	case HDR5322_TOOBIG:
		return FAULT_HEADER_SIZE;
	default:
		return FAULT_MEMORY;
	}
}

/* Fields that the caller wants replaced were never there. */
static bool
is_dropped(const struct header_rules *rules, enum field_id id)
{
	return (id == FIELD_FROM && rules->drop_from) ||
	    (id == FIELD_MESSAGE_ID && rules->drop_message_id) ||
	    (id == FIELD_RETURN_PATH && rules->ignore_return_path);
}

/* The field at hand is complete. */
static enum fault
finish_field(struct reading *r, struct buf *detail)
{
	struct span name = { NULL, 0 }, rest = { NULL, 0 };
	enum fault f = FAULT_NONE;

	if (!r->field.n)
		return FAULT_NONE;
	(void)field_classify(buf_span(&r->field), &name, &rest);
	r->id = field_identify(name);
	if (!is_dropped(r->rules, r->id)) {
		r->h->seen |= HEADER_BIT(r->id);
		if (uses[r->id] & PARSE)
			f = parse_field(r, name, rest, detail);
		else
			keep_verbatim(r);
	}
	buf_reset(&r->field);
	return f == FAULT_NONE ? size_fault(&r->h->text) : f;
}

/* CR: the end of the line, or nothing a header may hold. */
static void
clean_line(struct span line, struct buf *to)
{
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	buf_reset(to);
	for (size_t n; n = span_chr(line, '\r'), n < line.n; line = span_tail(line, n + 1)) {
		buf_addspan(to, span_head(line, n));
		buf_addc(to, ' ');
	}
	buf_addspan(to, line);
}

/* Unlike io_get_until, gives up before the limit is passed: the line may never end.  What does not
 * fit is not taken. */
static enum io_status
get_line(struct io_in *in, struct buf *line)
{
	enum io_status status;

	while ((status = io_fill(in)) == IO_OK) {
		struct span have = io_peek(in);
		size_t n = span_chr(have, '\n');

		if (n > HEADER_MAX - line->n)
			return IO_TOOLONG;
		buf_add(line, have.p, n);
		io_skip(in, n + 1);
		if (!buf_ok(line))
			return IO_TOOLONG;	/* no memory */
		if (n < have.n)
			return IO_OK;
	}
	return status;
}

/* One line, as it came, to h->line, or the beginning of one that is longer than a header may be,
 * which is all right in a body.  FAULT_NONE with *more = false: the input had ended. */
static enum fault
read_line(struct header *h, struct io_in *in, bool *more)
{
	enum io_status status;

	buf_reset(&h->line);
	status = get_line(in, &h->line);
	h->line_ended = status == IO_OK;
	*more = h->line_ended || h->line.n;
	if (status != IO_OK && status != IO_EOF && status != IO_TOOLONG)
		return FAULT_READ;
	if (!h->bytes)
		h->crlf = h->line_ended && h->line.n && h->line.p[h->line.n - 1] == '\r';
	h->bytes += h->line.n + h->line_ended;
	if (status == IO_TOOLONG)
		h->bytes = HEADER_MAX + 1;
	return size_fault(&h->line);
}

static void
start_field(struct reading *r, const char *prefix, const struct buf *line)
{
	buf_adds(&r->field, prefix);
	buf_addbuf(&r->field, line);
	buf_addc(&r->field, '\n');
}

static bool
is_of_header(const struct reading *r, enum field_line kind)
{
	return kind == FIELD_LINE_START || kind == FIELD_LINE_MBOX ||
	    (kind == FIELD_LINE_FOLDED && r->field.n);
}

/* Takes one line.  *more = false: the header is over. */
static enum fault
take_line(struct reading *r, const struct buf *line, bool *more, struct buf *detail)
{
	enum field_line kind = field_classify(buf_span(line), NULL, NULL);
	enum fault f;

	if (is_of_header(r, kind) && r->h->bytes > HEADER_MAX)
		return FAULT_HEADER_SIZE;
	if (kind == FIELD_LINE_FOLDED && r->field.n) {
		start_field(r, "", line);
		return size_fault(&r->field);
	}
	if ((f = finish_field(r, detail)) != FAULT_NONE)
		return f;
	switch (kind) {
	case FIELD_LINE_START:
		start_field(r, "", line);
		break;
	case FIELD_LINE_MBOX:
		start_field(r, "MBOX-Line: ", line);
		break;
	case FIELD_LINE_END:
		r->h->end = HEADER_END_BLANK;
		*more = false;
		break;
	default:
		r->h->end = HEADER_END_BODY;
		*more = false;
	}
	return size_fault(&r->field);
}

enum fault
header_read(struct header *h, const struct header_rules *rules, struct io_in *in,
    struct buf *detail)
{
	struct reading r = { .h = h, .rules = rules, .field = BUF_CAP(HEADER_TEXT_MAX),
		.address = BUF_CAP(HEADER_MAX) };
	struct buf line = BUF_CAP(HEADER_MAX);
	enum fault f;
	bool more = true;

	h->end = HEADER_END_INPUT;
	while ((f = read_line(h, in, &more)) == FAULT_NONE && more) {
		clean_line(buf_span(&h->line), &line);
		if ((f = size_fault(&line)) == FAULT_NONE)
			f = take_line(&r, &line, &more, detail);
		if (f != FAULT_NONE || !more)
			break;
	}
	if (f == FAULT_NONE)
		f = finish_field(&r, detail);
	buf_free(&line);
	buf_free(&r.field);
	buf_free(&r.address);
	hdr5322_free(&r.tokens);
	hdr5322_free(&r.completed);
	return f;
}

void
header_free(struct header *h)
{
	buf_free(&h->text);
	buf_free(&h->sender);
	buf_free(&h->line);
	recips_free(&h->recipients);
	recips_free(&h->resent);
	recips_free(&h->followup);
}

bool
header_is_resent(const struct header *h)
{
	for (int id = 0; id < FIELD_COUNT; id++)
		if ((h->seen & HEADER_BIT(id)) && (uses[id] & RESENT))
			return true;
	return false;
}
