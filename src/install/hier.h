/* hier - everything an installed tree consists of, as one table: the installer makes it, the
 * checker compares it.  Paths are relative to the home directory. */
#ifndef INSTALL_HIER_H
#define INSTALL_HIER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/attr.h"

enum hier_kind {
	HIER_DIR,
	HIER_FILE,	/* copied from the build directory */
	HIER_ZEROS,	/* `size` zero bytes; kept if it has that size already */
	HIER_FIFO
};

enum hier_owner { HIER_OWNER, HIER_ALIAS, HIER_QUEUE, HIER_REMOTE, HIER_SEND, HIER_TLS,
	HIER_PASSWD, HIER_OWNERS };

struct hier_item {
	enum hier_kind kind;
	const char *path;	/* "" is the home directory */
	enum hier_owner owner;	/* the group is always GROUP_QMAIL */
	mode_t mode;
	const char *source;	/* HIER_FILE: below the build directory */
	off_t size;		/* HIER_ZEROS */
	bool in_queue;		/* part of "queue-only" */
};

#define HIER_PATH_SIZE 256

/* Calls visit for every item, directories before what is in them, split directories with all
 * their subdirectories, manuals and boot scripts as they are found in the build directory.  Stops
 * and returns the first non-zero result; -1 with errno if the build directory cannot be read. */
MUST_CHECK int hier_walk(const char *build, bool queue_only,
    int (*visit)(void *arg, const struct hier_item *item), void *arg);

struct hier_ids {
	uid_t owner[HIER_OWNERS];
	gid_t group;
	bool tls;	/* the account of HIER_TLS exists; a host may do without */
};
/* Looks the accounts up by name.  0; or -1 with *missing = the name that was not found and
 * *is_group. */
MUST_CHECK int hier_ids(struct hier_ids *ids, const char **missing, bool *is_group);
/* The mode of an item; where the account of HIER_TLS is missing, its files are not set-uid. */
mode_t hier_mode(const struct hier_ids *ids, const struct hier_item *item);

#endif
