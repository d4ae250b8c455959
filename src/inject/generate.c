/* generate - the fields that a message must have and that its author left out. */
#include "inject/generate.h"

#include "inject/sender.h"
#include "lib/date.h"
#include "mail/msgid.h"

#define NOBODY_SHOWN "recipient list not shown: ;\n"

/* The names in a message of its own, and in one that is passed on. */
struct names {
	const char *date, *message_id, *from, *cc;
	uint64_t has_date, has_message_id, has_from, has_to;
};

static const struct names plain = {
	"Date", "Message-ID", "From", "Cc", HEADER_BIT(FIELD_DATE), HEADER_BIT(FIELD_MESSAGE_ID),
	HEADER_BIT(FIELD_FROM), HEADER_BIT(FIELD_TO) | HEADER_BIT(FIELD_CC)
};
static const struct names resent = {
	"Resent-Date", "Resent-Message-ID", "Resent-From", "Resent-Cc",
	HEADER_BIT(FIELD_RESENT_DATE), HEADER_BIT(FIELD_RESENT_MESSAGE_ID),
	HEADER_BIT(FIELD_RESENT_FROM), HEADER_BIT(FIELD_RESENT_TO) | HEADER_BIT(FIELD_RESENT_CC)
};

static void
add_date(const struct generate *g, const char *name, struct buf *to)
{
	char date[DATE_SIZE];

	buf_adds(to, name);
	buf_adds(to, ": ");
	buf_add(to, date, g->rewrite->local_time ? date_header_local(date, g->start) :
	    date_header(date, g->start));
	buf_addc(to, '\n');
}

static void
add_message_id(const struct generate *g, const char *name, struct buf *to)
{
	buf_adds(to, name);
	buf_adds(to, ": ");
	msgid_add(to, g->start, g->pid, buf_span(&g->rewrite->id_host));
	buf_addc(to, '\n');
}

enum fault
generate_fields(const struct generate *g, struct buf *to, struct buf *detail)
{
	const bool is_resent = header_is_resent(g->header);
	const struct names *n = is_resent ? &resent : &plain;
	const uint64_t seen = g->header->seen;
	enum fault f = FAULT_NONE;

	if (!(seen & n->has_date))
		add_date(g, n->date, to);
	if (!(seen & n->has_message_id))
		add_message_id(g, n->message_id, to);
	if (!(seen & n->has_from))
		f = sender_write_from(g->request, g->rewrite, n->from, to, detail);
	if (!(seen & n->has_to)) {
		buf_adds(to, n->cc);
		buf_adds(to, ": " NOBODY_SHOWN);
	}
	if (!is_resent && !(seen & HEADER_BIT(FIELD_MAIL_FOLLOWUP_TO)) &&
	    followup_is_due(g->followup, &g->header->followup))
		followup_write(&g->header->followup, to);
	return f == FAULT_NONE && !buf_ok(to) ? FAULT_MEMORY : f;
}
