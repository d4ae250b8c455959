/* delivery - what one run of qmail-local knows, and the environment it gives to programs. */
#include "local/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "mail/trace.h"

void
delivery_set(struct delivery *d, char *const operands[DELIVERY_OPERANDS])
{
	d->user = operands[0];
	d->home = operands[1];
	d->local = operands[2];
	d->dash = operands[3];
	d->ext = operands[4];
	d->domain = operands[5];
	d->sender = operands[6];
	d->fallback = operands[7];
}

bool
delivery_describe(struct delivery *d, int64_t now)
{
	struct span local = span_str(d->local), domain = span_str(d->domain);
	struct span sender = span_str(d->sender);

	buf_addspan(&d->recipient, local);
	buf_addc(&d->recipient, '@');
	buf_addspan(&d->recipient, domain);
	trace_add_delivered_to(&d->dtline, local, domain);
	trace_add_return_path(&d->rpline, sender);
	trace_add_from_line(&d->ufline, sender, now);
	return buf_ok(&d->recipient) && buf_ok(&d->dtline) && buf_ok(&d->rpline) &&
	    buf_ok(&d->ufline);
}

void
delivery_free(struct delivery *d)
{
	buf_free(&d->recipient);
	buf_free(&d->dtline);
	buf_free(&d->rpline);
	buf_free(&d->ufline);
	buf_free(&d->newsender);
	dotqmail_free(&d->file);
}

static bool
set(const char *name, const char *value)
{
	return setenv(name, value, 1) == 0;
}

/* EXT2 to EXT4: what stands behind the first, second and third hyphen. */
static bool
export_ext(const char *ext)
{
	static const char *const names[] = { "EXT2", "EXT3", "EXT4" };
	bool fine = set("EXT", ext);

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *hyphen = strchr(ext, '-');

		ext = hyphen ? hyphen + 1 : "";
		fine = fine && set(names[i], ext);
	}
	return fine;
}

/* HOST2 to HOST4: one, two and three labels less, as far as there are dots. */
static bool
export_host(const char *domain)
{
	static const char *const names[] = { "HOST2", "HOST3", "HOST4" };
	struct buf host = { 0 };
	bool fine = set("HOST", domain);

	buf_adds(&host, domain);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		buf_cut(&host, span_rchr(buf_span(&host), '.'));
		fine = fine && buf_ok(&host) && set(names[i], buf_str(&host));
	}
	buf_free(&host);
	return fine;
}

/* One that we inherited must not be taken for ours. */
static bool
export_default(const struct delivery *d)
{
	if (!d->file.has_rest)
		return unsetenv("DEFAULT") == 0;
	return set("DEFAULT", d->ext + d->file.rest);
}

bool
delivery_export(const struct delivery *d)
{
	return export_host(d->domain) && set("HOME", d->home) && set("USER", d->user) &&
	    set("LOCAL", d->local) && set("RECIPIENT", buf_str(&d->recipient)) &&
	    set("DTLINE", buf_str(&d->dtline)) && set("SENDER", d->sender) &&
	    set("RPLINE", buf_str(&d->rpline)) && set("UFLINE", buf_str(&d->ufline)) &&
	    set("NEWSENDER", buf_str(&d->newsender)) && export_ext(d->ext) && export_default(d);
}

enum loopcheck_result
loopcheck_feed(struct loopcheck *c, struct span line, struct span piece)
{
	while (piece.n) {
		size_t n = span_chr(piece, '\n');
		bool ends = n < piece.n;

		n += ends;
		c->differs = c->differs || c->at > line.n || n > line.n - c->at ||
		    memcmp(line.p + c->at, piece.p, n) != 0;
		c->at += n;
		if (ends) {
			if (c->at <= 1)
				return LOOPCHECK_NONE;
			if (!c->differs && c->at == line.n)
				return LOOPCHECK_FOUND;
			*c = (struct loopcheck){ 0 };
		}
		piece = span_tail(piece, n);
	}
	return LOOPCHECK_MORE;
}
