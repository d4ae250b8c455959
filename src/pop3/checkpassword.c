/* checkpassword - check a password against the system's accounts and become the user.
 * Run by: qmail-popup, as root.  fd 3: name NUL password NUL timestamp NUL, 512 bytes at most;
 * others go through to the program.  argv: program and its arguments.  Environment: passed on with
 * USER, HOME and SHELL set.
 * Exit: 1 refused, 2 called wrongly, 111 temporary trouble; else the program's. */
#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/conf.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/proc.h"
#include "lib/sys.h"
#include "lib/uids.h"

#define CODE_REFUSED 1
#define CODE_MISUSED 2

#define INPUT_FD 3
#define CHECKPASSWORD_INPUT_MAX ((size_t)512)
#define SECONDS_PER_DAY 86400

extern char **environ;

struct login {
	char input[CHECKPASSWORD_INPUT_MAX + 1];	/* one more tells that it was too long */
	const char *name, *password;	/* in input, with their NULs */
};

/* Three answers: the account may log in with the password, it may not, nobody knows. */
enum verdict { VERDICT_GOOD, VERDICT_BAD, VERDICT_UNKNOWN };

static int
read_login(struct login *l)
{
	size_t n = 0;
	ssize_t r;
	const char *end;

	while (n < sizeof l->input && (r = io_read(INPUT_FD, l->input + n, sizeof l->input - n)))
		if (r == -1)
			return errno == EBADF ? CODE_MISUSED : CODE_TEMP;
		else
			n += (size_t)r;
	(void)close(INPUT_FD);
	if (n > CHECKPASSWORD_INPUT_MAX)
		return CODE_REFUSED;
	l->name = l->input;
	if (!(end = memchr(l->input, '\0', n)))
		return CODE_MISUSED;
	l->password = end + 1;
	if (!memchr(l->password, '\0', n - (size_t)(l->password - l->input)))
		return CODE_MISUSED;
	return CODE_OK;
}

/* Takes as long wherever the difference is. */
static bool
is_same_text(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char difference = 0;

	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

/* `!`, `*` and other marks of a locked account stand where no hash can begin; an empty field is an
 * account without a password, which is of no use over a network. */
static bool
is_hash(const char *text)
{
	return *text == '$' || *text == '.' || *text == '/' || *text == '_' || ascii_isalnum(*text);
}

static enum verdict
compare(const char *password, const char *hash)
{
	struct crypt_data *work = calloc(1, sizeof *work);
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	enum verdict verdict = VERDICT_UNKNOWN;
	bool usable = hash && is_hash(hash);
	const char *result;

	if (!work)
		return VERDICT_UNKNOWN;
	/* Who has no hash is refused after the work of the system's usual one. */
	if (!usable && !crypt_gensalt_rn(NULL, 0, NULL, 0, setting, sizeof setting))
		goto out;
	if ((result = crypt_r(password, usable ? hash : setting, work)) && *result != '*')
		verdict = usable && is_same_text(result, hash) ? VERDICT_GOOD : VERDICT_BAD;
	else if (usable)
		verdict = VERDICT_BAD;	/* a kind of hash that libcrypt does not know */
out:
	sys_wipe(work, sizeof *work);
	free(work);
	return verdict;
}

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
	verdict = compare(l->password, found ? shadow.hash : NULL);
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
	if (sys_become(a->uid, a->gid) == -1 || chdir(buf_str(&a->home)) == -1 ||
	    setenv("USER", buf_str(&a->name), 1) == -1 ||
	    setenv("HOME", buf_str(&a->home), 1) == -1 ||
	    setenv("SHELL", buf_str(&a->shell), 1) == -1)
		return;
	proc_exec(argv[0], true, argv, environ);
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
		return CODE_REFUSED;
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
		return CODE_MISUSED;
	sys_no_core();
	if ((code = read_login(&login)) == CODE_OK)
		code = log_in(&login, &account);
	sys_wipe(&login, sizeof login);
	if (code == CODE_OK) {
		become(&account, argv + 1);
		code = CODE_TEMP;
	}
	uids_account_free(&account);
	return code;
}
