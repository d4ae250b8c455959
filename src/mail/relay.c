/* relay - which recipient domains are ours: control/rcpthosts and control/morercpthosts.cdb. */
#include "mail/relay.h"

#include <errno.h>

#include "lib/alabel.h"
#include "lib/ascii.h"
#include "lib/buf.h"
#include "lib/ctl.h"

#define DOMAIN_MAX ((size_t)2048)	/* above any address a server accepts */

int
relay_open(struct relay *r, const struct ctlnames *names)
{
	enum ctl_status hosts;

	*r = (struct relay){ .unread = "rcpthosts" };
	if ((hosts = ctl_set("rcpthosts", &r->hosts)) == CTL_ERROR)
		return -1;
	r->restricted = hosts == CTL_FOUND;
	/* Without rcpthosts everything is allowed already; then the cdb is not even opened. */
	if (r->restricted && ctlnames_may_have(names, "morercpthosts.cdb") &&
	    cdbmap_open("control/morercpthosts.cdb", &r->more) == CDBMAP_FAILED) {
		int error = errno;

		relay_close(r);
		r->unread = "morercpthosts.cdb";
		errno = error;
		return -1;
	}
	r->unread = NULL;
	return 0;
}

void
relay_close(struct relay *r)
{
	set_free(&r->hosts);
	cdbmap_close(r->more);
	*r = (struct relay){ 0 };
}

/* The domain in lower case, then its suffixes that begin with a dot, longest first. */
static enum relay_status
find_more(struct cdbmap *more, struct span domain)
{
	cdbmap_forget(more);
	for (size_t at = 0; at < domain.n; at++) {
		struct span data;

		if (at && domain.p[at] != '.')
			continue;
		switch (cdbmap_find(more, span_tail(domain, at), &data)) {
		case CDBMAP_FOUND:
			return RELAY_ALLOWED;
		case CDBMAP_ABSENT:
			break;
		default:
			return RELAY_FAILED;
		}
	}
	return RELAY_REFUSED;
}

static enum relay_status
find_folded(struct cdbmap *more, struct span domain)
{
	struct buf folded = BUF_CAP(DOMAIN_MAX);
	enum relay_status status = RELAY_FAILED;

	buf_addspan(&folded, domain);
	if (buf_ok(&folded)) {
		ascii_lower_n(folded.p, folded.n);
		status = find_more(more, buf_span(&folded));
	}
	buf_free(&folded);
	return status;
}

enum relay_status
relay_check(const struct relay *r, struct span address)
{
	char room[ALABEL_NAME_MAX];
	enum relay_status status;
	size_t at = span_rchr(address, '@');
	struct span domain = span_tail(address, at + 1);

	if (!r->restricted || at == address.n)
		return RELAY_ALLOWED;
	if (!domain.n)
		return RELAY_REFUSED;
	if (set_find_domain(&r->hosts, domain, false, NULL))
		return RELAY_ALLOWED;
	if (!r->more)
		return RELAY_REFUSED;
	/* As it is first: a database that others have compiled has no A-labels for U-labels. */
	status = find_folded(r->more, domain);
	if (status == RELAY_REFUSED) {
		struct span a_labels = alabel_fold(domain, room);

		if (a_labels.p != domain.p)
			status = find_folded(r->more, a_labels);
	}
	return status;
}
