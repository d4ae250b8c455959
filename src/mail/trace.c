/* trace - the trace fields that programs of the suite write, and counting them. */
#include "mail/trace.h"

#include <string.h>

#include "lib/ascii.h"
#include "lib/date.h"
#include "mail/addr5321.h"

/* Values come from the other side: only these bytes may stand in a Received field, so that none
 * of them looks like a comment or ends the line. */
static bool
is_safe(char c)
{
	return ascii_isalnum(c) || (c != '\0' && strchr(".@%+/=:-", c));
}

static void
add_safe(struct buf *to, struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		buf_addc(to, is_safe(value.p[i]) ? value.p[i] : '?');
}

/* Copies, with `instead` in place of LF and, if asked, of blanks. */
static void
add_one_line(struct buf *to, struct span value, bool blanks, char instead)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		bool replace = c == '\n' || (blanks && ascii_isblank(c));

		buf_addc(to, replace ? instead : c);
	}
}

void
trace_add_received(struct buf *to, const struct trace_hop *hop)
{
	char date[DATE_SIZE];

	buf_adds(to, "Received:");
	if (!hop->hidden) {
		buf_adds(to, " from ");
		add_safe(to, hop->remote_host);
	}
	if (hop->helo.p && (hop->hidden || !ascii_ieq(hop->helo, hop->remote_host))) {
		buf_adds(to, " (HELO ");
		add_safe(to, hop->helo);
		buf_addc(to, ')');
	}
	buf_adds(to, " (");
	if (hop->remote_info.p) {
		add_safe(to, hop->remote_info);
		buf_adds(to, hop->hidden ? "" : "@");
	}
	if (!hop->hidden)
		add_safe(to, hop->remote_ip);
	buf_adds(to, ")\n  by ");
	add_safe(to, hop->local_name);
	buf_adds(to, " with ");
	buf_adds(to, hop->protocol);
	buf_adds(to, "; ");
	buf_add(to, date, date_header(date, hop->time));
	buf_addc(to, '\n');
}

void
trace_add_delivered_to(struct buf *to, struct span local, struct span domain)
{
	buf_adds(to, "Delivered-To: ");
	add_one_line(to, local, false, '_');
	buf_addc(to, '@');
	add_one_line(to, domain, false, '_');
	buf_addc(to, '\n');
}

void
trace_add_return_path(struct buf *to, struct span sender)
{
	struct buf quoted = { 0 };

	addr5321_quote(&quoted, sender);
	buf_adds(to, "Return-Path: <");
	add_one_line(to, buf_span(&quoted), false, '_');
	buf_adds(to, ">\n");
	if (!buf_ok(&quoted))
		buf_addbuf(to, &quoted);	/* carries the failure over */
	buf_free(&quoted);
}

void
trace_add_from_line(struct buf *to, struct span sender, int64_t time)
{
	char date[DATE_SIZE];

	buf_adds(to, "From ");
	if (sender.n == 0)
		buf_adds(to, "MAILER-DAEMON");
	else
		add_one_line(to, sender, true, '-');
	buf_addc(to, ' ');
	buf_add(to, date, date_from_line(date, time));
	buf_addc(to, '\n');
}

/* One byte of a header; only the first few of a line say anything. */
static void
count_byte(struct trace_counter *t, char c)
{
	if (c == '\n') {
		t->in_body = t->n == 0;
		t->n = 0;
		return;
	}
	if (t->n == sizeof t->line)
		return;
	t->line[t->n++] = ascii_lower(c);
	if ((t->n == 8 && memcmp(t->line, "received", 8) == 0) ||
	    (t->n == 9 && memcmp(t->line, "delivered", 9) == 0))
		t->hops++;
}

void
trace_count(struct trace_counter *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !c->in_body; i++)
		count_byte(c, p[i]);
}
