/* reuse - the connection that qmail-remote keeps for its next message. */
#include "remote/reuse.h"

#include "lib/deadline.h"

void
reuse_drop(struct reuse *r)
{
	if (r->sent)
		smtpclient_close(&r->link);
	r->sent = 0;
}

struct smtplink *
reuse_new(struct reuse *r, int fd, const char *ip)
{
	reuse_drop(r);
	smtpclient_open(&r->link, fd, ip);
	r->sent = 1;
	r->until = deadline_after(REUSE_AGE_MS);
	return &r->link;
}

struct smtplink *
reuse_find(struct reuse *r, struct span place)
{
	if (!r->sent)
		return NULL;
	if (!span_eq(buf_span(&r->place), place) || deadline_poll(r->until) == 0 ||
	    !smtpclient_stands(&r->link)) {
		reuse_drop(r);
		return NULL;
	}
	r->sent++;
	return &r->link;
}

void
reuse_keep(struct reuse *r, struct span place)
{
	if (!r->link.stands || r->sent >= r->most) {
		reuse_drop(r);
		return;
	}
	buf_reset(&r->place);
	buf_addspan(&r->place, place);
	if (!buf_ok(&r->place))
		reuse_drop(r);
}

void
reuse_end(struct reuse *r)
{
	reuse_drop(r);
	buf_free(&r->place);
}
