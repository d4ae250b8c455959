/* recips - a list of addresses in envelope form. */
#include "inject/recips.h"

void
recips_free(struct recips *r)
{
	buf_free(&r->text);
	r->n = 0;
}

void
recips_add(struct recips *r, struct span address)
{
	if (r->n >= RECIPS_MAX)
		r->text.failed = r->text.over = true;
	buf_addspan(&r->text, address);
	buf_addc(&r->text, '\0');
	if (buf_ok(&r->text))
		r->n++;
}

enum fault
recips_fault(const struct recips *r)
{
	if (buf_ok(&r->text))
		return FAULT_NONE;
	return r->text.over ? FAULT_RECIPIENTS : FAULT_MEMORY;
}

bool
recips_next(const struct recips *r, size_t *at, struct span *address)
{
	struct span rest = span_tail(buf_span(&r->text), *at);

	if (!rest.n)
		return false;
	*address = span_head(rest, span_chr(rest, '\0'));
	*at += address->n + 1;
	return true;
}

bool
recips_previous(const struct recips *r, size_t *at, struct span *address)
{
	size_t end, start;

	if (!*at)
		return false;
	end = *at - 1;
	start = span_rchr(span_head(buf_span(&r->text), end), '\0');
	start = start == end ? 0 : start + 1;
	*address = span_of(r->text.p + start, end - start);
	*at = start;
	return true;
}

void
recips_rewind(struct recips *r, const struct recips *mark)
{
	buf_cut(&r->text, mark->text.n);
	r->n = mark->n;
}
