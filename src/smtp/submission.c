/* submission - mail of users who have authenticated. */
#include "smtp/submission.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/date.h"
#include "mail/field.h"
#include "mail/msgid.h"
#include "smtp/smtplog.h"

/* ---- the sender ---- */

static bool
is_own(struct span entry, struct span login, struct span sender)
{
	struct span allowed = span_tail(entry, login.n + 1);
	size_t at = span_rchr(sender, '@');

	if (entry.n <= login.n || entry.p[login.n] != ':' ||
	    !span_eq(span_head(entry, login.n), login))
		return false;
	if (allowed.n && allowed.p[0] == '@')
		return at < sender.n && ascii_ieq(span_tail(sender, at), allowed);
	return ascii_ieq(sender, allowed);
}

static enum reply
look_up(struct span login, struct span sender)
{
	struct buf list = { 0 };
	enum reply r = REPLY_AUTH_NOT_YOURS;
	struct span entry;
	size_t pos = 0;

	switch (ctl_list("submitsenders", &list)) {
	case CTL_FOUND:
		while (r != REPLY_OK && ctl_next(&list, &pos, &entry))
			if (is_own(entry, login, sender))
				r = REPLY_OK;
		break;
	case CTL_ABSENT:
		r = REPLY_OK;
		break;
	default:
		(void)smtplog_unread("submitsenders");
		r = REPLY_CONTROLS;
	}
	buf_free(&list);
	return r;
}

enum reply
submission_sender(const struct session *s)
{
	const char *force = getenv("FORCEAUTHMAILFROM");
	struct span login = buf_span(&s->user), sender = buf_span(&s->sender);

	if (!login.n)
		return REPLY_OK;
	if (force && strcmp(force, "1") == 0 && !span_eq(login, sender))
		return REPLY_AUTH_OTHER;
	if (!sender.n || ascii_ieq(login, sender))
		return REPLY_OK;
	return look_up(login, sender);
}

/* ---- the fields ---- */

void
submission_begin(struct submission *f, const struct session *s)
{
	*f = (struct submission){ .s = s->user.n ? s : NULL };
	buf_init(&f->line, SUBMISSION_NAME_MAX);
}

void
submission_free(struct submission *f)
{
	buf_free(&f->line);
}

static void
add_id(const struct session *s, struct buf *to)
{
	struct buf me = { 0 };
	struct span host = s->conf->intake.peer.local_name;

	if (ctl_line("me", &me) == CTL_FOUND && me.n && msgid_is_host(buf_span(&me)))
		host = buf_span(&me);
	buf_adds(to, "Message-ID: ");
	msgid_add(to, date_now(), getpid(), host);
	buf_addc(to, '\n');
	buf_free(&me);
}

/* The header is over, with an empty line or without; what is missing follows it.  It does not count
 * as the user's text. */
static void
complete(struct submission *f, struct incoming *in, bool empty_line)
{
	struct buf fields = { 0 };
	char date[DATE_SIZE];

	if (!f->has_date) {
		buf_adds(&fields, "Date: ");
		buf_add(&fields, date, date_header(date, date_now()));
		buf_addc(&fields, '\n');
	}
	if (!f->has_id)
		add_id(f->s, &fields);
	if (!empty_line)
		buf_addc(&fields, '\n');
	if (!buf_ok(&fields))
		submit_abort(&in->submit);
	else if (fields.n)
		submit_message(&in->submit, fields.p, fields.n);
	buf_free(&fields);
	f->s = NULL;
}

static void
note(struct submission *f, struct span name)
{
	switch (field_identify(name)) {
	case FIELD_DATE:
		f->has_date = true;
		break;
	case FIELD_MESSAGE_ID:
		f->has_id = true;
		break;
	default:
		break;
	}
}

/* What is held is clear: it goes on, behind the missing fields if the header ends here. */
static void
decide(struct submission *f, struct incoming *in, bool too_long)
{
	struct span name;
	enum field_line kind = too_long ? FIELD_LINE_BODY :
	    field_classify(buf_span(&f->line), &name, NULL);

	if (kind == FIELD_LINE_FOLDED && !f->any_line)
		kind = FIELD_LINE_BODY;
	if (!buf_ok(&f->line))
		submit_abort(&in->submit);
	if (kind == FIELD_LINE_START)
		note(f, name);
	else if (kind == FIELD_LINE_END || kind == FIELD_LINE_BODY)
		complete(f, in, kind == FIELD_LINE_END);
	incoming_text(in, f->line.p, f->line.n);
	buf_reset(&f->line);
	f->in_line = f->any_line = true;
}

/* Takes what may be taken of a header line at once: its rest, or bytes up to where it is clear. */
static size_t
take(struct submission *f, struct incoming *in, struct span text)
{
	size_t end = span_chr(text, '\n'), n = 0;

	if (f->in_line) {
		f->in_line = end == text.n;
		end += end < text.n;
		incoming_text(in, text.p, end);
		return end;
	}
	while (n < end && f->line.n < SUBMISSION_NAME_MAX) {
		buf_addc(&f->line, text.p[n]);
		if (text.p[n++] == ':' || (f->line.n == 1 && ascii_isblank(f->line.p[0]))) {
			decide(f, in, false);
			return n;
		}
	}
	if (n < text.n)		/* a line end, or no room */
		decide(f, in, n < end);
	return n;
}

void
submission_text(struct submission *f, struct incoming *in, const char *p, size_t n)
{
	struct span text = span_of(p, n);

	while (f->s && text.n)
		text = span_tail(text, take(f, in, text));
	if (text.n)
		incoming_text(in, text.p, text.n);
}

void
submission_end(struct submission *f, struct incoming *in)
{
	if (f->s && f->line.n)
		decide(f, in, false);
	if (f->s)
		complete(f, in, true);
}
