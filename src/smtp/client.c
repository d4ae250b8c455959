/* client - what several checks ask about the other end. */
#include "smtp/client.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/ascii.h"
#include "lib/errtext.h"
#include "smtp/dnsask.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

bool
client_ip(const struct session *s, struct ip *ip)
{
	return ip_parse(s->conf->intake.peer.remote_ip, ip);
}

/* `whitelist/192.0.2.1: Permission denied` */
static enum client_white
doubt(const char *path)
{
	struct buf line = BUF_CAP(SMTPLOG_MAX);

	buf_adds(&line, path);
	buf_adds(&line, ": ");
	buf_adds(&line, errtext(errno));
	smtplog_put(&line);
	return CLIENT_DOUBTFUL;
}

static enum client_white
look_for(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return CLIENT_WHITE;
	return errno == ENOENT ? CLIENT_STRANGE : doubt(path);
}

enum client_white
client_white(struct session *s)
{
	struct client *c = &s->client;
	struct buf path = { 0 };
	struct ip ip;

	if (c->white != CLIENT_UNASKED)
		return c->white;
	c->white = CLIENT_STRANGE;
	if (client_ip(s, &ip)) {	/* and so has no slash */
		buf_adds(&path, CLIENT_WHITELIST "/");
		buf_addspan(&path, s->conf->intake.peer.remote_ip);
		c->white = buf_ok(&path) ? look_for(buf_str(&path)) : CLIENT_DOUBTFUL;
	}
	buf_free(&path);
	return c->white;
}

static enum client_name
ask_name(struct session *s)
{
	switch (dnsask_ask(&s->dnsask, DNSASK_NAME, s->conf->intake.peer.remote_ip,
	    &s->client.name)) {
	case DNSASK_YES:
		return CLIENT_NAMED;
	case DNSASK_NO:
		return CLIENT_NAMELESS;
	default:
		return CLIENT_UNSURE;
	}
}

enum client_name
client_name(struct session *s)
{
	struct client *c = &s->client;
	struct span host = s->conf->intake.peer.remote_host;

	if (c->name_known)
		return c->naming;
	c->name_known = true;
	if (span_eq(host, span_str("unknown"))) {
		c->naming = ask_name(s);
	} else {
		buf_addspan(&c->name, host);
		c->naming = CLIENT_NAMED;
	}
	if (!buf_ok(&c->name))
		c->naming = CLIENT_UNSURE;
	else if (c->name.n)
		ascii_lower_n(c->name.p, c->name.n);
	return c->naming;
}

void
client_free(struct client *c)
{
	buf_free(&c->name);
}
