/* conf - what the whole suite agrees on: exit codes, names of accounts, build-time choices.
 * build/site.h is written by the Makefile from conf-qmail, conf-spawn and, where an
 * older build differs, conf-split, conf-users, conf-groups, conf-break, conf-patrn. */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include "site.h"

/* Exit codes that delivery programs, filters and qmail-local understand (qmail-command(8)). */
enum code {
	CODE_OK = 0,
	CODE_STOP = 99,		/* success, and skip the rest of the .qmail file */
	CODE_PERM = 100,	/* permanent failure, also: called wrongly */
	CODE_TEMP = 111,	/* temporary failure */
	CODE_UNLOADABLE = 127	/* of the dynamic linker, say for want of memory; never ours */
};

/* Written by qmail-start and the installer, looked up by name at run time (lib/uids.h). */
#define USER_ALIAS SITE_USER_ALIAS
#define USER_DAEMON SITE_USER_DAEMON
#define USER_LOG SITE_USER_LOG
#define USER_OWNER SITE_USER_OWNER
#define USER_PASSWD SITE_USER_PASSWD
#define USER_QUEUE SITE_USER_QUEUE
#define USER_REMOTE SITE_USER_REMOTE
#define USER_SEND SITE_USER_SEND
#define USER_TLS SITE_USER_TLS
#define GROUP_QMAIL SITE_GROUP_QMAIL
#define GROUP_NOFILES SITE_GROUP_NOFILES

#define QMAIL_HOME SITE_HOME		/* absolute, no slash at the end */
#define QUEUE_SPLIT SITE_SPLIT		/* subdirectories of a split queue directory */
#define QUEUE_SPLIT_MAX 65000
#define SPAWN_SLOTS SITE_SPAWN		/* slots of one spawn daemon, 1..65000 */
#define USER_BREAK SITE_BREAK		/* between user and extension: a char */
#define FORBIDDEN_MODE SITE_PATRN	/* mode bits no home directory or .qmail file may have */

_Static_assert(SITE_SPAWN >= 1 && SITE_SPAWN <= 65000, "conf-spawn must be 1 to 65000");
_Static_assert(SITE_SPLIT >= 1 && SITE_SPLIT <= QUEUE_SPLIT_MAX, "conf-split must be 1 to 65000");

#endif
