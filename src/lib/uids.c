/* uids - accounts and groups by name. */
#include "lib/uids.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#define FIRST_SIZE ((size_t)1024)
#define LAST_SIZE ((size_t)16 << 20)

/* getpwnam_r and getgrnam_r of different systems say "no such entry" with any of these. */
static enum uids_status
status_of(int error)
{
	switch (error) {
	case 0:
	case ENOENT:
	case ESRCH:
	case EBADF:
	case EPERM:
		return UIDS_ABSENT;
	default:
		return UIDS_FAILED;
	}
}

static enum uids_status
copy_account(const struct passwd *pw, struct account *a)
{
	buf_reset(&a->name);
	buf_reset(&a->home);
	buf_reset(&a->shell);
	buf_adds(&a->name, pw->pw_name);
	buf_adds(&a->home, pw->pw_dir ? pw->pw_dir : "");
	buf_adds(&a->shell, pw->pw_shell ? pw->pw_shell : "");
	a->uid = pw->pw_uid;
	a->gid = pw->pw_gid;
	return buf_ok(&a->name) && buf_ok(&a->home) && buf_ok(&a->shell) ? UIDS_FOUND : UIDS_FAILED;
}

/* By name, or by number where name is NULL. */
static enum uids_status
find_account(const char *name, uid_t uid, struct account *a)
{
	enum uids_status status = UIDS_FAILED;

	for (size_t size = FIRST_SIZE; size <= LAST_SIZE; size *= 2) {
		struct passwd pw, *found = NULL;
		char *text = malloc(size);
		int error;

		if (!text)
			return UIDS_FAILED;
		error = name ? getpwnam_r(name, &pw, text, size, &found) :
		    getpwuid_r(uid, &pw, text, size, &found);
		status = found ? copy_account(&pw, a) : status_of(error);
		free(text);
		if (error != ERANGE)
			break;
	}
	return status;
}

enum uids_status
uids_account(const char *name, struct account *a)
{
	return find_account(name, 0, a);
}

enum uids_status
uids_account_of(uid_t uid, struct account *a)
{
	return find_account(NULL, uid, a);
}

void
uids_account_free(struct account *a)
{
	buf_free(&a->name);
	buf_free(&a->home);
	buf_free(&a->shell);
}

enum uids_status
uids_user(const char *name, uid_t *uid, gid_t *gid)
{
	struct account a = { 0 };
	enum uids_status status = uids_account(name, &a);

	if (status == UIDS_FOUND) {
		*uid = a.uid;
		*gid = a.gid;
	}
	uids_account_free(&a);
	return status;
}

enum uids_status
uids_group(const char *name, gid_t *gid)
{
	enum uids_status status = UIDS_FAILED;

	for (size_t size = FIRST_SIZE; size <= LAST_SIZE; size *= 2) {
		struct group gr, *found = NULL;
		char *text = malloc(size);
		int error;

		if (!text)
			return UIDS_FAILED;
		error = getgrnam_r(name, &gr, text, size, &found);
		if (found)
			*gid = gr.gr_gid;
		status = found ? UIDS_FOUND : status_of(error);
		free(text);
		if (error != ERANGE)
			break;
	}
	return status;
}
