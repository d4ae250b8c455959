/* request - what the caller of qmail-inject asked for: environment, options, arguments. */
#include "inject/request.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/opt.h"
#include "lib/uids.h"

static void
set_text(struct request_text *t, const char *value)
{
	buf_reset(&t->text);
	for (t->set = true; *value; value++)
		buf_addc(&t->text, ascii_iscntrl(*value) ? ' ' : *value);
}

/* The first variable of the list that is set, even if it is empty. */
static void
first_set(struct request_text *t, const char *const *names)
{
	for (; *names; names++) {
		const char *value = getenv(*names);

		if (value) {
			set_text(t, value);
			return;
		}
	}
}

static void
read_letters(struct request *r)
{
	const char *letters = getenv("QMAILINJECT");

	for (; letters && *letters; letters++)
		switch (*letters) {
		case 'c': r->name_as_comment = true; break;
		case 's': r->ignore_return_path = true; break;
		case 'f': r->replace_from = true; break;
		case 'i': r->replace_message_id = true; break;
		case 'r': r->per_recipient = true; break;
		case 'm': r->per_message = true; break;
		case 'u': r->real_user = true; break;
		case 'S': r->from_sendmail = true; break;
		default: break;
		}
}

/* sendmail's letter is for this process only: what QMAILQUEUE names inherits the environment, and
 * may call qmail-inject with addresses of its own. */
static enum fault
forget_sendmail(void)
{
	const char *letters = getenv("QMAILINJECT");
	struct buf others = { 0 };
	int r = -1;

	for (; *letters; letters++)
		if (*letters != 'S')
			buf_addc(&others, *letters);
	if (buf_ok(&others))
		r = others.n ? setenv("QMAILINJECT", others.p, 1) : unsetenv("QMAILINJECT");
	buf_free(&others);
	return r == -1 ? FAULT_MEMORY : FAULT_NONE;
}

/* Nobody knows the user: the documented name, or by request what the system calls us.  An account
 * database that fails must not stop mail. */
static void
default_user(struct request *r)
{
	struct account a = { 0 };

	if (r->real_user && uids_account_of(getuid(), &a) == UIDS_FOUND && a.name.n)
		set_text(&r->user, buf_str(&a.name));
	else
		set_text(&r->user, "anonymous");
	uids_account_free(&a);
}

enum fault
request_environment(struct request *r)
{
	static const char *const user[] = { "QMAILUSER", "MAILUSER", "USER", "LOGNAME", NULL };
	static const char *const host[] = { "QMAILHOST", "MAILHOST", NULL };
	static const char *const name[] = { "QMAILNAME", "MAILNAME", "NAME", NULL };
	static const char *const sender_user[] = { "QMAILSUSER", "QMAILUSER", "MAILUSER", "USER",
		"LOGNAME", NULL };
	static const char *const sender_host[] = { "QMAILSHOST", "QMAILHOST", "MAILHOST", NULL };

	read_letters(r);
	first_set(&r->user, user);
	first_set(&r->host, host);
	first_set(&r->name, name);
	first_set(&r->sender_user, sender_user);
	first_set(&r->sender_host, sender_host);
	if (!r->user.set)
		default_user(r);
	if (!r->sender_user.set) {
		buf_addbuf(&r->sender_user.text, &r->user.text);
		r->sender_user.set = true;
	}
	r->followup_file = getenv("QMAILMFTFILE");
	if (!buf_ok(&r->user.text) || !buf_ok(&r->host.text) || !buf_ok(&r->name.text) ||
	    !buf_ok(&r->sender_user.text) || !buf_ok(&r->sender_host.text))
		return FAULT_MEMORY;
	return r->from_sendmail ? forget_sendmail() : FAULT_NONE;
}

enum fault
request_options(struct request *r, int argc, char *const *argv)
{
	struct opt o = OPT_INIT(argc, argv);

	for (int c; (c = opt_next(&o, "nNaAhHf:")) != OPT_END;)
		switch (c) {
		case 'n': r->print = true; break;
		case 'N': r->print = false; break;
		case 'a': r->to = REQUEST_ARGUMENTS; break;
		case 'A': r->to = REQUEST_EITHER; break;
		case 'h': r->to = REQUEST_HEADER; break;
		case 'H': r->to = REQUEST_BOTH; break;
		case 'f': r->sender = o.value; break;
		default:
			opt_complain(&o, 2, c);
			return FAULT_USAGE;
		}
	r->args = argv + (o.index < argc ? o.index : argc);
	return FAULT_NONE;
}

void
request_free(struct request *r)
{
	buf_free(&r->user.text);
	buf_free(&r->host.text);
	buf_free(&r->name.text);
	buf_free(&r->sender_user.text);
	buf_free(&r->sender_host.text);
}

bool
request_wants_arguments(const struct request *r)
{
	return r->to != REQUEST_HEADER;
}

bool
request_wants_header(const struct request *r)
{
	switch (r->to) {
	case REQUEST_ARGUMENTS:
		return false;
	case REQUEST_EITHER:
		return !*r->args;
	default:
		return true;
	}
}
