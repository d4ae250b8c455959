/* validrcpt - lists of the recipients that exist. */
#include "smtp/validrcpt.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/alabel.h"
#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/num.h"
#include "smtp/session.h"
#include "smtp/smtplog.h"

#define MORE "control/morevalidrcptto.cdb"
#define LOG_REFUSED 1
#define LOG_ALL 2

enum verdict { NOT_LISTED, EXISTS, DOES_NOT, TROUBLE };

/* ---- reading ---- */

static int
read_list(struct validrcpt *v, const struct ctlnames *names)
{
	const char *path = getenv("VALIDRCPTTO");
	enum ctl_status status = CTL_ABSENT;

	if (path)
		status = *path ? ctl_path_set(path, &v->list) : CTL_ABSENT;
	else if (ctlnames_may_have(names, "validrcptto"))
		status = ctl_set("validrcptto", &v->list);
	v->listed = status == CTL_FOUND;
	if (status == CTL_ERROR || (path && *path && status == CTL_ABSENT))
		return smtplog_unread(path ? path : "validrcptto");
	return 0;
}

/* must: the file has to be there. */
static int
open_cdb(const char *path, bool must, struct cdbmap **map)
{
	switch (cdbmap_open(path, map)) {
	case CDBMAP_FOUND:
		return 0;
	case CDBMAP_ABSENT:
		errno = ENOENT;
		return must ? smtplog_unread(path) : 0;
	default:
		return smtplog_unread(path);
	}
}

static int
open_cdbs(struct validrcpt *v, const struct ctlnames *names)
{
	const char *more = getenv("MOREVALIDRCPTTO_CDB"), *all = getenv("VALIDRCPTTO_CDB");

	if (!more && ctlnames_may_have(names, "morevalidrcptto.cdb") &&
	    open_cdb(MORE, false, &v->more) == -1)
		return -1;
	if (more && *more && open_cdb(more, true, &v->more) == -1)
		return -1;
	return all && *all ? open_cdb(all, true, &v->all) : 0;
}

int
validrcpt_read(struct validrcpt *v, const struct ctlnames *names)
{
	v->limit = VALIDRCPT_REFUSED_MAX;
	if (smtpconf_number(names, "VALIDRCPTTO_LIMIT", NULL, UINT64_MAX, &v->limit) == -1 ||
	    smtpconf_number(names, "VALIDRCPTTO_LOG", NULL, LOG_ALL, &v->log) == -1)
		return -1;
	return read_list(v, names) == -1 || open_cdbs(v, names) == -1 ? -1 : 0;
}

void
validrcpt_free(struct validrcpt *v)
{
	set_free(&v->list);
	cdbmap_close(v->more);
	cdbmap_close(v->all);
	*v = (struct validrcpt){ 0 };
}

/* ---- the first form ---- */

static enum verdict
damaged(const char *variable)
{
	const char *path = getenv(variable);

	(void)smtplog_unread(path ? path : MORE);
	return TROUBLE;
}

static enum verdict
look_up(const struct validrcpt *v, const char *sign, struct span address)
{
	struct buf key = { 0 };
	struct span data;
	enum verdict found = NOT_LISTED, means = *sign ? DOES_NOT : EXISTS;

	buf_adds(&key, sign);
	buf_addspan(&key, address);
	if (!buf_ok(&key)) {
		found = TROUBLE;
	} else if (set_find(&v->list, buf_span(&key), NULL)) {
		found = means;
	} else if (v->more) {
		enum cdbmap_status status;

		cdbmap_forget(v->more);
		status = cdbmap_find(v->more, buf_span(&key), &data);
		found = status == CDBMAP_FOUND ? means :
		    status == CDBMAP_ABSENT ? NOT_LISTED : damaged("MOREVALIDRCPTTO_CDB");
	}
	buf_free(&key);
	return found;
}

static enum verdict
find_listed(const struct validrcpt *v, struct span address)
{
	struct span domain = span_tail(address, span_rchr(address, '@'));
	const struct {
		const char *sign;
		struct span key;
	} forms[] = { { "", address }, { "-", address }, { "", domain }, { "-", domain } };
	enum verdict found = NOT_LISTED;

	for (size_t i = 0; found == NOT_LISTED && i < sizeof forms / sizeof *forms; i++)
		found = look_up(v, forms[i].sign, forms[i].key);
	return found;
}

/* ---- the second form ---- */

static enum verdict
look_up_all(const struct validrcpt *v, struct span key)
{
	struct span value;

	cdbmap_forget(v->all);
	switch (cdbmap_find(v->all, key, &value)) {
	case CDBMAP_FOUND:
		return value.n && value.p[0] == '-' ? DOES_NOT : EXISTS;
	case CDBMAP_ABSENT:
		return NOT_LISTED;
	default:
		return damaged("VALIDRCPTTO_CDB");
	}
}

/* a-b-c@x: itself, a-b-default@x, a-default@x, @x. */
static enum verdict
find_all(const struct validrcpt *v, struct span address)
{
	size_t at = span_rchr(address, '@');
	struct span local = span_head(address, at), domain = span_tail(address, at);
	enum verdict found = look_up_all(v, address);

	for (size_t i = local.n; found == NOT_LISTED && i > 0; i--) {
		struct buf key = { 0 };

		if (local.p[i - 1] != '-')
			continue;
		buf_addspan(&key, span_head(local, i));
		buf_adds(&key, "default");
		buf_addspan(&key, domain);
		found = buf_ok(&key) ? look_up_all(v, buf_span(&key)) : TROUBLE;
		buf_free(&key);
	}
	if (found == NOT_LISTED)
		found = look_up_all(v, domain);
	return found;
}

/* ---- the check ---- */

/* `validrcptto: drop address <u@x.org> at 192.0.2.1` */
static void
put_log(const struct session *s, bool exists, struct span recipient)
{
	struct buf line = { 0 };

	buf_adds(&line, exists ? "validrcptto: accepted address <" :
	    "validrcptto: drop address <");
	smtplog_add(&line, recipient);
	buf_adds(&line, "> at ");
	smtplog_add(&line, s->conf->intake.peer.remote_ip);
	smtplog_put(&line);
}

static enum reply
refuse(struct session *s)
{
	const struct validrcpt *v = &s->conf->validrcpt;

	if (!v->all || !v->limit || ++s->unlisted < v->limit)
		return REPLY_UNLISTED;
	return REPLY_BAD_RECIPIENTS;
}

/* Both forms, for the address as it is here. */
static enum verdict
find_in_lower_case(const struct validrcpt *v, struct span address)
{
	struct buf folded = { 0 };
	enum verdict found = NOT_LISTED;

	buf_addspan(&folded, address);
	if (!buf_ok(&folded))
		return TROUBLE;
	ascii_lower_n(folded.p, folded.n);
	if (v->listed || v->more)
		found = find_listed(v, buf_span(&folded));
	if (found == NOT_LISTED && v->all)
		found = find_all(v, buf_span(&folded));
	buf_free(&folded);
	return found;
}

/* As it is first: databases of others have no A-labels for U-labels. */
static enum verdict
find(const struct validrcpt *v, struct span recipient)
{
	char room[ALABEL_NAME_MAX];
	struct span a_labels = alabel_fold(recipient, room);
	enum verdict found = find_in_lower_case(v, recipient);

	if (found == NOT_LISTED && a_labels.p != recipient.p)
		found = find_in_lower_case(v, a_labels);
	return found == NOT_LISTED && v->all ? DOES_NOT : found;
}

/* Without a domain: with the one that qmail-send will give it; but for postmaster, whom every host
 * has (RFC 5321, 4.5.1), listed or not. */
static enum verdict
find_undomained(const struct validrcpt *v, struct span local)
{
	struct buf address = { 0 }, host = { 0 };
	enum verdict found = TROUBLE;

	if (ascii_ieq(local, span_str("postmaster")))
		return NOT_LISTED;
	if (ctl_line_me("envnoathost", "envnoathost", &host) == CTL_ERROR) {
		(void)smtplog_unread("envnoathost");
	} else {
		buf_addspan(&address, local);
		buf_addc(&address, '@');
		buf_addbuf(&address, &host);
		if (buf_ok(&host) && buf_ok(&address))
			found = find(v, buf_span(&address));
	}
	buf_free(&address);
	buf_free(&host);
	return found;
}

enum reply
validrcpt_find(struct session *s, struct buf *recipient)
{
	const struct validrcpt *v = &s->conf->validrcpt;
	struct span address = buf_span(recipient);
	enum verdict found;

	if (!(v->listed || v->more || v->all))
		return REPLY_OK;
	found = span_chr(address, '@') < address.n ? find(v, address) :
	    find_undomained(v, address);
	if (found == TROUBLE)
		return REPLY_CONTROLS;
	if (found != NOT_LISTED && (!v->all || v->log >= (found == EXISTS ? LOG_ALL : LOG_REFUSED)))
		put_log(s, found == EXISTS, buf_span(recipient));
	return found == DOES_NOT ? refuse(s) : REPLY_OK;
}
