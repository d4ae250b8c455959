/* smtpconf - what qmail-smtpd is told by control files and its environment. */
#include "smtp/smtpconf.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/num.h"
#include "smtp/smtplog.h"

#define TIMEOUT_MAX_S ((uint64_t)1 << 31)

/* These values go into reply lines and addresses, where a control byte could start a new line. */
static void
drop_controls(struct buf *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n; i++)
		if (!ascii_iscntrl(b->p[i]))
			b->p[kept++] = b->p[i];
	buf_cut(b, kept);
}

/* The file, else the value of me.  CTL_ABSENT if there is neither. */
static enum ctl_status
line_or_me(const struct ctlnames *names, const char *name, enum ctl_status me_status,
    const struct buf *me, struct buf *line)
{
	enum ctl_status status = ctlnames_may_have(names, name) ? ctl_line(name, line) :
	    CTL_ABSENT;

	if (status == CTL_ERROR)
		(void)smtplog_unread(name);
	if (status == CTL_ABSENT && me_status == CTL_FOUND) {
		buf_addbuf(line, me);
		status = buf_ok(line) ? CTL_FOUND : CTL_ERROR;
	}
	drop_controls(line);
	return status;
}

/* SMTPGREETING, else the file, else me. */
static enum ctl_status
greeting_or_me(struct smtpconf *conf, enum ctl_status me_status, const struct buf *me)
{
	const char *told = getenv("SMTPGREETING");

	if (!told)
		return line_or_me(&conf->names, "smtpgreeting", me_status, me, &conf->greeting);
	buf_adds(&conf->greeting, told);
	drop_controls(&conf->greeting);
	return buf_ok(&conf->greeting) ? CTL_FOUND : CTL_ERROR;
}

static int
read_names(struct smtpconf *conf)
{
	struct buf me = { 0 };
	enum ctl_status me_status = ctl_line("me", &me), greeting = CTL_ERROR, local = CTL_ERROR;

	if (me_status == CTL_ERROR)
		(void)smtplog_unread("me");
	else
		greeting = greeting_or_me(conf, me_status, &me);
	if (greeting == CTL_ABSENT) {	/* then there is no me */
		errno = ENOENT;
		(void)smtplog_unread("me");
	}
	if (greeting == CTL_FOUND)
		local = line_or_me(&conf->names, "localiphost", me_status, &me,
		    &conf->local_ip_host);
	conf->has_local_ip_host = local == CTL_FOUND;
	buf_free(&me);
	return local == CTL_ERROR ? -1 : 0;
}

static int
read_timeout(struct smtpconf *conf)
{
	uint64_t seconds = SMTPCONF_TIMEOUT_S;

	if (smtpconf_number(&conf->names, NULL, "timeoutsmtpd", TIMEOUT_MAX_S, &seconds) == -1)
		return -1;
	conf->timeout_ms = (int64_t)(seconds ? seconds : 1) * 1000;
	return 0;
}

int
smtpconf_number(const struct ctlnames *names, const char *variable, const char *file,
    uint64_t max, uint64_t *value)
{
	const char *text = variable ? getenv(variable) : NULL;

	if (text) {
		if (num_lead_u64(span_str(text), max, value) == 0)
			*value = 0;
		return 0;
	}
	if (!file || !ctlnames_may_have(names, file))
		return 0;
	return ctl_number(file, max, value) == CTL_ERROR ? smtplog_unread(file) : 0;
}

/* strictpatterns: better no service than one with a list that has holes. */
static int
read_policy(struct smtpconf *conf, bool again)
{
	uint64_t strict = 0;

	conf->log_styles = smtplog_styles();
	if (lists_read(&conf->lists, &conf->names, &conf->complaints) == -1 ||
	    mailpolicy_read(&conf->mailpolicy, &conf->names, &conf->complaints) == -1 ||
	    rules_read(&conf->rules, &conf->names) == -1 ||
	    validrcpt_read(&conf->validrcpt, &conf->names) == -1 ||
	    plugins_read(&conf->plugins, &conf->names) == -1 ||
	    results_read(&conf->results, &conf->names) == -1 ||
	    smtpconf_number(&conf->names, NULL, "strictpatterns", 1, &strict) == -1)
		return -1;
	if (!again)
		smtplog_lines(&conf->complaints);
	return strict && conf->complaints.n ? -1 : 0;
}

static void
free_policy(struct smtpconf *conf)
{
	lists_free(&conf->lists);
	mailpolicy_free(&conf->mailpolicy);
	validrcpt_free(&conf->validrcpt);
	plugins_free(&conf->plugins);
	results_free(&conf->results);
	buf_free(&conf->complaints);
}

int
smtpconf_read(struct smtpconf *conf, char *args[])
{
	ctlnames_read(&conf->names);
	if (read_names(conf) == -1 || read_timeout(conf) == -1)
		return -1;
	authconf_read(&conf->auth, args);
	if (read_policy(conf, false) == -1)
		return -1;
	if (intake_read(&conf->intake, &conf->names) == -1)
		return smtplog_unread(conf->intake.unread);
	return 0;
}

int
smtpconf_read_again(struct smtpconf *conf)
{
	free_policy(conf);
	conf->rules = (struct rules){ 0 };
	conf->plugins = (struct plugins){ 0 };
	if (read_policy(conf, true) == -1)
		return -1;
	return intake_read_size(&conf->intake, &conf->names) == -1 ?
	    smtplog_unread("databytes") : 0;
}

void
smtpconf_free(struct smtpconf *conf)
{
	buf_free(&conf->greeting);
	buf_free(&conf->local_ip_host);
	intake_free(&conf->intake);
	free_policy(conf);
	*conf = (struct smtpconf){ 0 };
}
