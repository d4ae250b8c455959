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

/* NULL, or the file that cannot be read. */
static const char *
read_files(struct spf_controls *c)
{
	enum ctl_status status;

	if ((status = ctl_line("spfrules", &c->rules)) == CTL_ERROR)
		return "spfrules";
	if (status == CTL_ABSENT && ctl_line("spflocalrules", &c->rules) == CTL_ERROR)
		return "spflocalrules";
	if (ctl_line("spfguess", &c->guess) == CTL_ERROR)
		return "spfguess";
	if ((status = ctl_line("spfexp", &c->explain)) == CTL_ERROR)
		return "spfexp";
	if (status == CTL_ABSENT && ctl_line("spfexplain", &c->explain) == CTL_ERROR)
		return "spfexplain";
	return NULL;
}

const char *
spf_controls_read(struct spf_controls *c, struct spf_policy *policy)
{
	const char *bad = read_files(c);

	if (bad)
		return bad;
	policy->rules = without_version(&c->rules);
	policy->guess = without_version(&c->guess);
	policy->explain = buf_span(&c->explain);
	errno = 0;
	bad = spf_policy_check(policy);
	if (!bad)
		return NULL;
	return strcmp(bad, "rules") == 0 ? "spfrules" : strcmp(bad, "guess") == 0 ? "spfguess" :
	    "spfexp";
}

void
spf_controls_free(struct spf_controls *c)
{
	buf_free(&c->rules);
	buf_free(&c->guess);
	buf_free(&c->explain);
}
