/* link - what qmail-smtpd and qmail-spf say to each other. */
#include "spf/link.h"

#include "lib/ascii.h"

static void
put_field(struct io_out *out, struct span s)
{
	s = span_head(s, span_chr(s, '\0'));
	io_putspan(out, span_head(s, SPF_FIELD_MAX));
	io_putc(out, '\0');
}

int
spf_link_ask(struct io_out *out, const struct spf_question *q)
{
	put_field(out, q->ip);
	put_field(out, q->helo);
	put_field(out, q->sender);
	put_field(out, q->receiver);
	return io_flush(out);
}

int
spf_link_answer(struct io_out *out, const char *word, struct span text, struct span explanation)
{
	put_field(out, span_str(word));
	put_field(out, text);
	put_field(out, explanation);
	return io_flush(out);
}

/* Replaces *field.  What is too long is not read to its end: there may be none. */
static enum spf_link_status
take_field(struct io_in *in, struct buf *field)
{
	enum io_status status;
	char c;

	buf_reset(field);
	while ((status = io_getc(in, &c)) == IO_OK && c && field->n < SPF_FIELD_MAX)
		buf_addc(field, c);
	if (status == IO_EOF && !field->n)
		return SPF_LINK_END;
	return status == IO_OK && !c && buf_ok(field) ? SPF_LINK_OK : SPF_LINK_BAD;
}

static bool
is_printable(const struct buf *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (!ascii_isgraph(b->p[i]) && b->p[i] != ' ')
			return false;
	return true;
}

static enum spf_link_status
take_text(struct io_in *in, struct buf *field)
{
	return take_field(in, field) == SPF_LINK_OK && is_printable(field) ? SPF_LINK_OK :
	    SPF_LINK_BAD;
}

enum spf_link_status
spf_link_hear(struct io_in *in, enum spf_result *result, struct buf *text,
    struct buf *explanation)
{
	bool controls;

	if (take_text(in, text) != SPF_LINK_OK)
		return SPF_LINK_BAD;
	controls = span_eq(buf_span(text), span_str(SPF_LINK_WORD_CONTROLS));
	*result = spf_result_parse(buf_span(text));
	if (take_text(in, text) != SPF_LINK_OK || take_text(in, explanation) != SPF_LINK_OK)
		return SPF_LINK_BAD;
	if (controls)
		return SPF_LINK_CONTROLS;
	return *result == SPF_RESULTS ? SPF_LINK_BAD : SPF_LINK_OK;
}

enum spf_link_status
spf_link_listen(struct io_in *in, struct buf *fields, struct spf_question *q)
{
	struct span *const each[] = { &q->ip, &q->helo, &q->sender, &q->receiver };
	size_t at[sizeof each / sizeof *each], lengths[sizeof each / sizeof *each];
	struct buf field = { 0 };
	enum spf_link_status status = SPF_LINK_OK;

	buf_reset(fields);
	for (size_t i = 0; i < sizeof each / sizeof *each && status == SPF_LINK_OK; i++) {
		status = take_field(in, &field);
		if (status == SPF_LINK_END && i > 0)
			status = SPF_LINK_BAD;
		at[i] = fields->n;
		lengths[i] = field.n;
		buf_addbuf(fields, &field);
		buf_addc(fields, '\0');
	}
	buf_free(&field);
	if (status == SPF_LINK_OK && !buf_ok(fields))
		status = SPF_LINK_BAD;
	for (size_t i = 0; i < sizeof each / sizeof *each && status == SPF_LINK_OK; i++)
		*each[i] = span_of(fields->p + at[i], lengths[i]);
	return status;
}
