/* controls - the administrator's policy for SPF, from control/. */
#include "spf/controls.h"

#include <errno.h>
#include <string.h>

#include "lib/ctl.h"
#include "spf/record.h"

static struct span
without_version(const struct buf *line)
{
	struct span s = buf_span(line);

	return spf_record_is(s) ? spf_record_terms(s) : s;
}

/* The first of two names that is there.  *used: which, or which cannot be read; the first one if
 * there is neither. */
static enum ctl_status
read_either(const char *name, const char *other, struct buf *line, const char **used)
{
	enum ctl_status status = ctl_line(*used = name, line);

	if (status == CTL_ABSENT && (status = ctl_line(other, line)) != CTL_ABSENT)
		*used = other;
	return status;
}

const char *
spf_controls_read(struct spf_controls *c, struct spf_policy *policy)
{
	const char *rules, *explain, *bad;

	if (read_either("spfrules", "spflocalrules", &c->rules, &rules) == CTL_ERROR)
		return rules;
	if (ctl_line("spfguess", &c->guess) == CTL_ERROR)
		return "spfguess";
	if (read_either("spfexp", "spfexplain", &c->explain, &explain) == CTL_ERROR)
		return explain;
	policy->rules = without_version(&c->rules);
	policy->guess = without_version(&c->guess);
	policy->explain = buf_span(&c->explain);
	errno = 0;
	bad = spf_policy_check(policy);
	if (!bad)
		return NULL;
	return strcmp(bad, "rules") == 0 ? rules : strcmp(bad, "guess") == 0 ? "spfguess" : explain;
}

void
spf_controls_free(struct spf_controls *c)
{
	buf_free(&c->rules);
	buf_free(&c->guess);
	buf_free(&c->explain);
}
