/* rewrite - how addresses without a full host name are completed here. */
#include "inject/rewrite.h"

#include <stdlib.h>

#include "inject/address.h"
#include "inject/recips.h"
#include "lib/ctl.h"
#include "mail/msgid.h"

/* One setting: where it comes from, most important first, then control/me, then its own name. */
struct source {
	const char *variable;
	const char *name;	/* of the control file; the last resort, too */
	char mark;		/* stands before the value where it is used; 0: nothing */
};

static const struct source default_domain = { "QMAILDEFAULTDOMAIN", "defaultdomain", '.' };
static const struct source default_host = { "QMAILDEFAULTHOST", "defaulthost", '@' };
static const struct source plus_domain = { "QMAILPLUSDOMAIN", "plusdomain", '.' };
static const struct source id_host = { "QMAILIDHOST", "idhost", 0 };

/* control/me, read once for all four. */
struct me {
	struct buf line;
	bool present;
};

static enum fault
load_me(struct me *me)
{
	enum ctl_status found = ctl_line("me", &me->line);

	me->present = found == CTL_FOUND;
	return found == CTL_ERROR ? FAULT_READ : FAULT_NONE;
}

/* Appends the file's value, or the default for an absent file. */
static enum fault
load_file(const struct source *s, const struct me *me, struct buf *value)
{
	struct buf line = { 0 };
	enum ctl_status found = ctl_line(s->name, &line);

	if (found == CTL_FOUND)
		buf_addbuf(value, &line);
	else if (me->present)
		buf_addbuf(value, &me->line);
	else
		buf_adds(value, s->name);
	buf_free(&line);
	if (found == CTL_ERROR)
		return FAULT_READ;
	return buf_ok(value) ? FAULT_NONE : FAULT_MEMORY;
}

static enum fault
load_rule(const struct source *s, const struct me *me, struct hdr5322_tokens *to,
    struct buf *detail)
{
	const char *over = getenv(s->variable);
	enum fault fault;

	buf_reset(detail);
	buf_addc(detail, s->mark);
	fault = load_file(s, me, detail);
	if (fault == FAULT_NONE && over) {
		buf_cut(detail, 1);
		buf_adds(detail, over);
	}
	if (fault != FAULT_NONE || !buf_ok(detail))
		return fault == FAULT_NONE ? FAULT_MEMORY : fault;
	switch (hdr5322_tokenize(buf_span(detail), to)) {
	case HDR5322_OK:
		return FAULT_NONE;
	case HDR5322_MEMORY:
		return FAULT_MEMORY;
	default:
		return FAULT_LINE;
	}
}

static enum fault
load_id_host(const struct me *me, struct buf *to)
{
	const char *over = getenv(id_host.variable);
	enum fault fault = load_file(&id_host, me, to);

	if (over && msgid_is_host(span_str(over))) {
		buf_reset(to);
		buf_adds(to, over);
	} else if (!msgid_is_host(buf_span(to))) {
		buf_reset(to);
		if (me->present && msgid_is_host(buf_span(&me->line)))
			buf_addbuf(to, &me->line);
		else
			buf_adds(to, id_host.name);
	}
	if (fault == FAULT_NONE && !buf_ok(to))
		fault = FAULT_MEMORY;
	return fault;
}

static enum fault
load_switches(struct rewrite *r)
{
	uint64_t local = 0;
	enum ctl_status a = ctl_number("localtime", 1, &local);
	enum ctl_status b = ctl_number("injectmaxrcpt", RECIPS_MAX, &r->max_recipients);

	r->local_time = local || getenv("QMAILLOCALTIME");
	return a == CTL_ERROR || b == CTL_ERROR ? FAULT_READ : FAULT_NONE;
}

enum fault
rewrite_load(struct rewrite *r, struct buf *detail)
{
	struct me me = { 0 };
	enum fault f = load_me(&me);

	if (f == FAULT_NONE)
		f = load_rule(&default_domain, &me, &r->rules.default_domain, detail);
	if (f == FAULT_NONE)
		f = load_rule(&default_host, &me, &r->rules.default_host, detail);
	if (f == FAULT_NONE)
		f = load_rule(&plus_domain, &me, &r->rules.plus_domain, detail);
	if (f == FAULT_NONE)
		f = load_id_host(&me, &r->id_host);
	if (f == FAULT_NONE)
		f = load_switches(r);
	buf_free(&me.line);
	return f;
}

void
rewrite_free(struct rewrite *r)
{
	hdr5322_free(&r->rules.default_host);
	hdr5322_free(&r->rules.default_domain);
	hdr5322_free(&r->rules.plus_domain);
	buf_free(&r->id_host);
}

enum fault
rewrite_address(const struct rewrite *r, struct span raw, struct buf *envelope)
{
	struct hdr5322_tokens tokens = { 0 };
	enum hdr5322_status status = hdr5322_tokenize_raw(raw, &tokens);

	buf_reset(envelope);
	if (status == HDR5322_OK) {
		hdr5322_complete(&r->rules, &tokens);
		status = tokens.status;
		hdr5322_envelope(&tokens, envelope);
	}
	hdr5322_free(&tokens);
	if (status == HDR5322_MEMORY || !buf_ok(envelope))
		return FAULT_MEMORY;
	if (status != HDR5322_OK || !address_is_clean(buf_span(envelope)))
		return FAULT_ADDRESS;
	return FAULT_NONE;
}
