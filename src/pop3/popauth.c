/* popauth - which ways to log in qmail-popup offers, and AUTH PLAIN. */
#include "pop3/popauth.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/base64.h"
#include "lib/log.h"

/* Is the word in a list with blanks or commas? */
static bool
has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	while (list && *list) {
		size_t length = strcspn(list, " ,\t");

		if (length == n && memcmp(list, word, n) == 0)
			return true;
		list += length;
		list += strspn(list, " ,\t");
	}
	return false;
}

void
popauth_read(struct popauth *a)
{
	a->password = popdialog_takes_passwords();
	a->log = has_word(getenv("QMAILPOPUP_LOG"), "auth");
}

/* The answer to an empty question.  false: the client is gone, has cancelled, or wrote too much. */
static bool
ask(struct popdialog *d, struct span *answer)
{
	io_puts(&d->out, "+ \r\n");
	switch (popdialog_read(d)) {
	case IO_OK:
		break;
	case IO_TOOLONG:
		popdialog_err(d, "command line too long");
		return false;
	default:
		return false;
	}
	*answer = popdialog_line(d);
	if (!span_eq(*answer, span_str("*")))
		return true;
	popdialog_err(d, "cancelled");
	return false;
}

static bool
is_usable(struct span field)
{
	return field.n && span_chr(field, '\0') == field.n;
}

/* authorization NUL user NUL password (RFC 4616). */
static bool
take_fields(struct span text, struct checker_login *login)
{
	struct span as = span_head(text, span_chr(text, '\0'));

	text = span_tail(text, as.n + 1);
	login->user = span_head(text, span_chr(text, '\0'));
	login->secret = span_tail(text, login->user.n + 1);
	return is_usable(login->user) && is_usable(login->secret) &&
	    (!as.n || span_eq(as, login->user));
}

bool
popauth_plain(struct popdialog *d, struct span arg, struct buf *text, struct checker_login *login)
{
	struct span mechanism = span_head(arg, span_chr(arg, ' '));
	struct span initial = span_tail(arg, mechanism.n + 1);

	if (!mechanism.n) {	/* what some clients ask first */
		io_puts(&d->out, "+OK \r\nPLAIN\r\n.\r\n");
		return false;
	}
	if (!ascii_ieq(mechanism, span_str("plain"))) {
		popdialog_err(d, "no such mechanism");
		return false;
	}
	if (!initial.n && !ask(d, &initial))
		return false;
	if (span_eq(initial, span_str("=")))
		initial.n = 0;
	buf_init(text, POPDIALOG_LINE_MAX);
	(void)buf_room(text, POPDIALOG_LINE_MAX - 1);
	if (base64_decode(text, initial) && take_fields(buf_span(text), login))
		return true;
	popdialog_err(d, "malformed AUTH PLAIN");
	return false;
}

void
popauth_log(const struct popauth *a)
{
	const char *ip = getenv("TCPREMOTEIP");
	struct buf line = { 0 };

	if (!a->log || io_same_file(2, 0) || io_same_file(2, 1))
		return;
	buf_adds(&line, "qmail-popup[");
	buf_addnum(&line, (uint64_t)getpid());
	buf_adds(&line, "]: login failed [");
	log_add_visible(&line, span_str(ip ? ip : "unknown"), false, '?');
	buf_adds(&line, "] -\n");
	if (buf_ok(&line))
		(void)!io_write_all(2, line.p, line.n);
	buf_free(&line);
}
