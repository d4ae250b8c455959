/* receipt - does a message ask for a note that it was delivered, and what the note says. */
#include "local/receipt.h"

#include <errno.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/date.h"
#include "lib/log.h"
#include "mail/addr5321.h"
#include "mail/fieldread.h"
#include "mail/hdr5322.h"
#include "mail/msgid.h"

/* ---- what the header says ---- */

struct search {
	struct span address;
	struct buf found;	/* the address at hand */
	bool match;
};

static enum hdr5322_status
compare(void *arg, struct hdr5322_tokens *address)
{
	struct search *s = arg;

	buf_reset(&s->found);
	hdr5322_envelope(address, &s->found);
	if (!buf_ok(&s->found))
		return s->found.over ? HDR5322_TOOBIG : HDR5322_MEMORY;
	if (span_eq(buf_span(&s->found), s->address))
		s->match = true;
	return HDR5322_OK;
}

/* -1: out of memory. */
static int
look_for_address(struct receipt *r, struct span list, struct span address)
{
	struct hdr5322_tokens tokens = { 0 };
	struct search search = { .address = address };
	enum hdr5322_status status = hdr5322_tokenize(list, &tokens);

	if (status == HDR5322_OK)
		status = hdr5322_list(&tokens, compare, &search, NULL);
	if (status == HDR5322_OK && search.match)
		r->wanted = true;
	hdr5322_free(&tokens);
	buf_free(&search.found);
	return status == HDR5322_MEMORY ? -1 : 0;
}

/* RFC 3834, 5: a keyword, parameters behind a semicolon, comments anywhere. */
static bool
says_no(struct span value)
{
	size_t n = 0;

	while (value.n && (ascii_isblank(value.p[0]) || value.p[0] == '\n'))
		value = span_tail(value, 1);
	while (n < value.n && ascii_isgraph(value.p[n]) && value.p[n] != ';' && value.p[n] != '(')
		n++;
	return ascii_ieq(span_head(value, n), span_str("no"));
}

static void
keep_message_id(struct receipt *r, struct span field)
{
	struct buf line = { 0 };

	if (r->message_id.n)
		return;		/* the first one counts */
	for (size_t i = 0; i < field.n; i++)
		if (field.p[i] != '\n' && field.p[i] != '\r')
			buf_addc(&line, field.p[i] == '\t' ? ' ' : field.p[i]);
	if (buf_ok(&line))
		log_add_visible(&r->message_id, span_head(buf_span(&line), RECEIPT_LINE -
		    sizeof "Your " + 1), true, '?');
	else
		r->message_id.failed = true;
	buf_free(&line);
}

enum io_status
receipt_read(struct receipt *r, struct io_in *in, struct span address)
{
	struct fieldread f = FIELDREAD(in);
	enum io_status status;
	bool memory = true;
	int error;

	while (memory && (status = fieldread_next(&f)) == IO_OK) {
		if (f.id == FIELD_NOTICE_REQUESTED)
			memory = look_for_address(r, f.rest, address) == 0;
		else if (f.id == FIELD_AUTO_SUBMITTED && !says_no(f.rest))
			r->automatic = true;
		else if (f.id == FIELD_MESSAGE_ID)
			keep_message_id(r, buf_span(&f.field));
	}
	error = errno;
	fieldread_free(&f);
	errno = error;
	if (!memory || !buf_ok(&r->message_id)) {
		errno = ENOMEM;
		return IO_ERROR;
	}
	return status == IO_EOF ? IO_OK : status;
}

void
receipt_free(struct receipt *r)
{
	buf_free(&r->message_id);
}

/* ---- the note ---- */

/* What a stranger chose must not begin lines of its own. */
static void
add_one_line(struct buf *to, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		buf_addc(to, ascii_iscntrl(text.p[i]) ? '_' : text.p[i]);
}

static void
add_header(const struct receipt_note *n, struct buf *to)
{
	struct buf quoted = { 0 };
	char date[DATE_SIZE];

	addr5321_quote(&quoted, n->sender);
	if (!buf_ok(&quoted))
		to->failed = true;
	buf_adds(to, "From: DELIVERY NOTICE SYSTEM <");
	add_one_line(to, buf_span(&quoted));
	buf_adds(to, ">\nTo: <");
	add_one_line(to, buf_span(&quoted));
	buf_adds(to, ">\nSubject: success notice\nDate: ");
	buf_add(to, date, date_header(date, n->time));
	buf_adds(to, "\nMessage-ID: ");
	msgid_add(to, n->time, getpid(), n->id_host);
	buf_adds(to, "\nAuto-Submitted: auto-replied\n");
	buf_free(&quoted);
}

void
receipt_write(const struct receipt *r, const struct receipt_note *n, struct buf *to)
{
	add_header(n, to);
	buf_adds(to, "\nHi! This is the qreceipt program. Your message was delivered to the\n"
	    "following address: ");
	add_one_line(to, n->address);
	buf_adds(to, ". Thanks for asking.\n");
	if (!r->message_id.n)
		return;
	buf_adds(to, "Your ");
	buf_addbuf(to, &r->message_id);
	buf_addc(to, '\n');
}
