/* vpasswd - the users of a virtual domain in vpopmail's form: DOMAINDIR/vpasswd.cdb.
 *
 * Key: the name.  Data: what follows the first colon of its line in vpasswd,
 *	$1$...:1:0:Fred F:/home/vpopmail/domains/example.com/fred:10485760S
 * that is hash, a number, flags, gecos, directory, quota and perhaps more. */
#ifndef USERS_VPASSWD_H
#define USERS_VPASSWD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define VPASSWD_BOUNCE UINT64_C(0x10)	/* flag: mail for this user is refused */
#define VPASSWD_SIZES_MAX ((size_t)16384)	/* bytes of a maildirsize that is read */

enum vpasswd_status {
	VPASSWD_FOUND,
	VPASSWD_ABSENT,		/* there is a database, and it does not have the name */
	VPASSWD_UNSEEN,		/* there is no database, or we may not read it */
	VPASSWD_FAILED		/* errno, or damaged */
};

struct vpasswd {
	uint64_t flags;
	struct buf dir;		/* absolute path of the user's directory; may be empty */
	struct buf quota;	/* `10485760S`, `1S,1000C`, `NOQUOTA` */
};

/* Looks the name up in vpasswd.cdb of the current directory, folded.  v must be {0}. */
MUST_CHECK enum vpasswd_status vpasswd_find(struct span name, struct vpasswd *v);
void vpasswd_free(struct vpasswd *v);

struct vpasswd_quota {
	uint64_t bytes, messages;	/* 0: no limit */
};
/* `<bytes>S`, `<count>C`, both with a comma, or a number alone, which is bytes.  Anything else, and
 * NOQUOTA, is no limit. */
struct vpasswd_quota vpasswd_quota(struct span text);
/* sizes: the text of a maildirsize: its first line is the quota, which is not used here; then lines
 * `bytes count`, signed, blanks around them, that are added up.  Is percent of the quota used? */
bool vpasswd_is_full(struct vpasswd_quota q, struct span sizes, unsigned percent);

#endif
