/* sender - the envelope sender, and the From field made from the same variables. */
#include "inject/sender.h"

#include <string.h>

#include "inject/address.h"
#include "mail/addr5321.h"
#include "mail/hdr5322.h"

static enum fault
line_fault(struct span address, struct buf *detail)
{
	buf_reset(detail);
	addr5321_quote(detail, address);
	return FAULT_LINE;
}

enum fault
sender_from_option(const struct request *q, const struct rewrite *w, struct buf *sender,
    struct buf *detail)
{
	struct span value = span_str(q->sender);
	struct buf raw = { 0 };
	enum fault f = FAULT_NONE;

	if (q->from_sendmail)
		buf_addspan(&raw, value);
	else
		f = address_sender(value, &raw);
	if (f == FAULT_NONE)
		f = buf_ok(&raw) ? rewrite_address(w, buf_span(&raw), sender) : FAULT_MEMORY;
	buf_free(&raw);
	return f == FAULT_ADDRESS ? line_fault(value, detail) : f;
}

/* `user@host` by the variables, with what the letters add to the user. */
static void
add_default(const struct request *q, int64_t start, pid_t pid, struct buf *raw)
{
	buf_addbuf(raw, &q->sender_user.text);
	if (q->per_message) {
		buf_addc(raw, '-');
		buf_addnum(raw, (uint64_t)start);
		buf_addc(raw, '.');
		buf_addnum(raw, (uint64_t)pid);
	}
	if (q->per_recipient)
		buf_addc(raw, '-');
	/* The @ is always there, or one in the user's name would be taken for it. */
	buf_addc(raw, '@');
	if (q->sender_host.set)
		buf_addbuf(raw, &q->sender_host.text);
}

enum fault
sender_default(const struct request *q, const struct rewrite *w, const struct header *h,
    int64_t start, pid_t pid, struct buf *sender, struct buf *detail)
{
	struct buf raw = { 0 };
	enum fault f = FAULT_NONE;

	buf_reset(sender);
	if (h->has_sender) {
		buf_addbuf(sender, &h->sender);
	} else {
		add_default(q, start, pid, &raw);
		f = buf_ok(&raw) ? rewrite_address(w, buf_span(&raw), sender) : FAULT_MEMORY;
	}
	if (q->per_recipient)
		buf_adds(sender, "-@[]");
	if (f == FAULT_ADDRESS)
		f = line_fault(buf_span(&raw), detail);
	buf_free(&raw);
	return f == FAULT_NONE && !buf_ok(sender) ? FAULT_MEMORY : f;
}

/* The user as words and dots where that is possible, else as one quoted string. */
static enum hdr5322_status
user_tokens(struct span user, struct hdr5322_tokens *to)
{
	if (!addr5321_needs_quotes(user))
		return hdr5322_tokenize(user, to);
	hdr5322_reset(to);
	hdr5322_push(to, hdr5322_word(HDR5322_QUOTED, user));
	return to->status;
}

/* The three parts of a From field; `line` is what it all becomes. */
struct from {
	struct hdr5322_tokens user, host, line;
};

/* Words with dots between them, or From would have no address, or several. */
static bool
is_host(const struct hdr5322_tokens *host)
{
	bool word = false;	/* the last thing, comments apart */

	for (size_t i = 0; i < host->n; i++) {
		char type = host->v[i].type;

		if (type == HDR5322_COMMENT)
			continue;
		if (type != '.' && (word || !strchr("aql", type)))
			return false;
		word = type != '.';
	}
	return true;
}

/* user@host, completed. */
static enum hdr5322_status
address_tokens(const struct request *q, const struct rewrite *w, struct from *f)
{
	enum hdr5322_status status = user_tokens(buf_span(&q->user.text), &f->user);

	if (status == HDR5322_OK && q->host.set) {
		status = hdr5322_tokenize(buf_span(&q->host.text), &f->host);
		if (status == HDR5322_OK && !is_host(&f->host))
			status = HDR5322_SYNTAX;
		hdr5322_push(&f->user, hdr5322_separator('@'));
		hdr5322_append(&f->user, &f->host);
	}
	if (status == HDR5322_OK)
		hdr5322_complete(&w->rules, &f->user);
	for (size_t i = 0; i < f->user.n; i++)
		f->user.v[i].blank = false;
	return status == HDR5322_OK ? f->user.status : status;
}

static void
arrange(const struct request *q, struct from *f)
{
	struct span name = buf_span(&q->name.text);	/* an empty one counts as none */

	if (name.n && !q->name_as_comment) {
		hdr5322_push(&f->line, hdr5322_word(HDR5322_QUOTED, name));
		hdr5322_push(&f->line, hdr5322_separator('<'));
	}
	hdr5322_append(&f->line, &f->user);
	if (name.n && !q->name_as_comment)
		hdr5322_push(&f->line, hdr5322_separator('>'));
	if (name.n && q->name_as_comment)
		hdr5322_push(&f->line, hdr5322_word(HDR5322_COMMENT, name));
}

enum fault
sender_write_from(const struct request *q, const struct rewrite *w, const char *name,
    struct buf *to, struct buf *detail)
{
	struct from f = { .user = { .n = 0 } };
	enum hdr5322_status status = address_tokens(q, w, &f);
	enum fault fault = FAULT_NONE;

	arrange(q, &f);
	if (status == HDR5322_SYNTAX) {
		buf_reset(detail);
		buf_adds(detail, name);
		buf_adds(detail, ": ");
		buf_addbuf(detail, &q->user.text);
		buf_addc(detail, '@');
		buf_addbuf(detail, &q->host.text);
		buf_addc(detail, '\n');
		fault = FAULT_LINE;
	} else if (status != HDR5322_OK || f.line.status != HDR5322_OK) {
		fault = FAULT_MEMORY;
	} else {
		hdr5322_write(span_str(name), &f.line, to);
	}
	hdr5322_free(&f.user);
	hdr5322_free(&f.host);
	hdr5322_free(&f.line);
	return fault;
}
