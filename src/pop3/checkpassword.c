/* checkpassword - check a password against the system's accounts and become the user.
 * Run by: qmail-popup, as root.  fd 3: name NUL password NUL timestamp NUL, 512 bytes at most;
 * others go through to the program.  argv: program and its arguments.  Environment: passed on with
 * USER, HOME and SHELL set.
 * Exit: 1 refused, 2 called wrongly, 111 temporary trouble; else the program's. */
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/sys.h"
#include "lib/uids.h"
#include "pop3/login.h"
#include "pop3/password.h"

#define SECONDS_PER_DAY 86400

/* The account is closed, or its password is too old, or must be changed first. */
static bool
is_expired(const struct sys_shadow *s)
{
	int64_t today = date_now() / SECONDS_PER_DAY;

	return (s->expires >= 0 && today >= s->expires) || s->changed == 0 ||
	    (s->changed > 0 && s->max_age >= 0 && today - s->changed > s->max_age);
}

static enum verdict
check(const struct login *l, const struct account *a, bool known)
{
	struct sys_shadow shadow = { 0 };
	int found = sys_shadow(l->name, &shadow);
	enum verdict verdict;

	if (found == -1)
		return VERDICT_UNKNOWN;
	verdict = password_compare(l->password, found ? shadow.hash : NULL, NULL);
	if (verdict == VERDICT_GOOD && (!known || a->uid == 0 || is_expired(&shadow)))
		verdict = VERDICT_BAD;
	if (found) {
		sys_wipe(shadow.hash, strlen(shadow.hash));
		free(shadow.hash);
	}
	return verdict;
}

/* Returns only if it fails. */
static void
become(const struct account *a, char *const argv[])
{
	const struct login_target target = { .uid = a->uid, .gid = a->gid,
		.user = buf_str(&a->name), .home = buf_str(&a->home), .shell = buf_str(&a->shell) };

	login_become(&target, argv);
}

static int
log_in(const struct login *l, struct account *a)
{
	enum uids_status status = uids_account(l->name, a);

	if (status == UIDS_FAILED)
		return CODE_TEMP;
	switch (check(l, a, status == UIDS_FOUND)) {
	case VERDICT_GOOD:
		return CODE_OK;
	case VERDICT_BAD:
		return LOGIN_REFUSED;
	default:
		return CODE_TEMP;
	}
}

int
main(int argc, char *argv[])
{
	struct login login;
	struct account account = { 0 };
	int code;

	if (argc < 2)
		return LOGIN_MISUSED;
	sys_no_core();
	if ((code = login_read(&login)) == CODE_OK)
		code = log_in(&login, &account);
	sys_wipe(&login, sizeof login);
	if (code == CODE_OK) {
		become(&account, argv + 1);
		code = CODE_TEMP;
	}
	uids_account_free(&account);
	return code;
}
