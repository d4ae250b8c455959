/* sandbox - least power, by name.  A kernel that lacks a mechanism is left alone; one that has it
 * and refuses is an error.
 *
 * Trap: no_new_privs, which Landlock needs, switches off the set-uid bit of qmail-queue in every
 * descendant.  Programs that run qmail-queue or users' commands use sandbox_limits only. */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include <stddef.h>

#include "lib/attr.h"

/* What a path may be used for. */
enum sandbox_use {
	SANDBOX_READ,		/* read files and list directories beneath */
	SANDBOX_RUN,		/* the same, and execute: programs, their loader and libraries */
	SANDBOX_WRITE,		/* also write existing files */
	SANDBOX_CHANGE,		/* also create, remove, link and rename files beneath */
	SANDBOX_BUILD		/* also make and remove directories and FIFOs beneath */
};

struct sandbox_path {
	const char *path;	/* that does not exist: skipped */
	enum sandbox_use use;
};

/* No core files. */
void sandbox_limits(void);
/* no_new_privs and a memory cap of max_bytes of address space (0: none).  -1 with errno. */
MUST_CHECK int sandbox_plain(size_t max_bytes);
/* no_new_privs, and of the file system only these paths.  n = 0: nothing at all.  Links and
 * renames between directories need Landlock ABI 2: on ABI 1 kernels the file rules are left out
 * when a path asks for SANDBOX_CHANGE or more.  -1 with errno. */
MUST_CHECK int sandbox_paths(const struct sandbox_path *paths, size_t n);
/* For a process that only moves bytes between descriptors it has: no file, no socket, no program,
 * no other process; nobody may look into its memory.  Its descriptors must be what it needs, and
 * no others.  -1 with errno. */
MUST_CHECK int sandbox_pump(void);

#endif
