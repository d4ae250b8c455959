/* owner - which account of the host controls a local address. */
#include "users/owner.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/ascii.h"
#include "lib/conf.h"
#include "lib/errtext.h"

size_t
owner_candidates(struct span local, size_t lengths[OWNER_LOOKUPS])
{
	size_t n = 0;

	/* Shortest first, until there are enough; then turned round. */
	for (size_t i = 1; i <= local.n && i <= OWNER_NAME_MAX && n < OWNER_LOOKUPS; i++)
		if (i == local.n || local.p[i] == USER_BREAK)
			lengths[n++] = i;
	for (size_t i = 0; i < n / 2; i++) {
		size_t other = lengths[n - 1 - i];

		lengths[n - 1 - i] = lengths[i];
		lengths[i] = other;
	}
	return n;
}

/* A home that is missing or another's means that the account gets no mail of its own. */
static enum owner_status
check_account(const struct account *a)
{
	struct stat st;

	if (a->uid == 0)
		return OWNER_NONE;
	if (stat(buf_str(&a->home), &st) == -1)
		return errtext_absent(errno) || errno == EACCES || errno == EPERM ? OWNER_NONE :
		    OWNER_HOME;
	return st.st_uid == a->uid ? OWNER_USER : OWNER_NONE;
}

static enum owner_status
try_name(struct span candidate, struct account *a)
{
	struct buf name = { 0 };
	enum owner_status status = OWNER_MEMORY;

	buf_addspan(&name, candidate);
	if (buf_ok(&name)) {
		ascii_lower_n(name.p, name.n);
		switch (uids_account(buf_str(&name), a)) {
		case UIDS_FOUND:
			status = check_account(a);
			break;
		case UIDS_ABSENT:
			status = OWNER_NONE;
			break;
		default:
			status = OWNER_FAILED;
		}
	}
	buf_free(&name);
	return status;
}

enum owner_status
owner_find(struct span local, struct account *a, size_t *n)
{
	size_t lengths[OWNER_LOOKUPS];
	size_t count = owner_candidates(local, lengths);
	enum owner_status status = OWNER_NONE;

	for (size_t i = 0; i < count && status == OWNER_NONE; i++) {
		*n = lengths[i];
		status = try_name(span_head(local, *n), a);
	}
	return status;
}
