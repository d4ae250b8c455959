/* uids - accounts and groups by name.  Three answers: found, absent, failed.  A directory service
 * that does not answer is "failed", never "absent". */
#ifndef LIB_UIDS_H
#define LIB_UIDS_H

#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"

enum uids_status { UIDS_FOUND, UIDS_ABSENT, UIDS_FAILED };

struct account {
	struct buf name;	/* as the database spells it */
	struct buf home;
	struct buf shell;
	uid_t uid;
	gid_t gid;
};

/* {0} is an empty account; free it after use.  Values are set only for UIDS_FOUND. */
MUST_CHECK enum uids_status uids_account(const char *name, struct account *a);
/* By number; where several accounts share it, the first one of the database. */
MUST_CHECK enum uids_status uids_account_of(uid_t uid, struct account *a);
void uids_account_free(struct account *a);
/* The ids alone. */
MUST_CHECK enum uids_status uids_user(const char *name, uid_t *uid, gid_t *gid);
MUST_CHECK enum uids_status uids_group(const char *name, gid_t *gid);

#endif
