/* sys - everything beyond POSIX.1-2008: the only module that asks for the system's extras.
 * All return 0 (or a value) on success and -1 with errno, unless said otherwise. */
#ifndef LIB_SYS_H
#define LIB_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"

/* pipe(2), both ends close-on-exec. */
MUST_CHECK int sys_pipe(int fds[2]);
/* Closes every descriptor from `first` up. */
void sys_close_from(int first);
/* Supplementary groups = exactly these. */
MUST_CHECK int sys_setgroups(size_t n, const gid_t *groups);
/* flock(2), exclusive.  Those that try fail with EWOULDBLOCK if somebody else holds it. */
MUST_CHECK int sys_flock(int fd);
MUST_CHECK int sys_flock_try(int fd);
MUST_CHECK int sys_flock_shared_try(int fd);	/* together with others */
MUST_CHECK int sys_funlock(int fd);
/* SIG_DFL, also for the two signals that libc keeps to itself: they can be inherited ignored.
 * Async-signal-safe; an impossible number does nothing. */
void sys_default_signal(int signo);
/* n bytes nobody can guess, n <= 256. */
MUST_CHECK int sys_random(void *p, size_t n);
/* Overwrites a secret; not optimised away. */
void sys_wipe(void *p, size_t n);
/* free(3) and realloc(3) for memory that may have held one: nothing of it is left behind. */
void sys_wipe_free(void *p);
void *sys_wipe_realloc(void *p, size_t n);

/* What the shadow file says about an account, or, where it has no entry, the password file; times
 * are days since 1970, -1 = not set. */
struct sys_shadow {
	char *hash;		/* malloc'd, as in crypt(5); the caller wipes and frees it */
	int64_t changed;	/* day of the last change; 0 = must be changed */
	int64_t max_age;	/* days the password is good for */
	int64_t expires;	/* first day on which the account is closed */
};
/* 1: *s is filled in; 0: no entry for this name; -1: failed, errno. */
MUST_CHECK int sys_shadow(const char *name, struct sys_shadow *s);

/* Asks the kernel to start writing the file's data; a hint, errors are of no consequence. */
void sys_start_writeback(int fd);
/* Waits until the file's data is written, so that an fsync of any file of that file system finds
 * nothing left to do for this one; by itself no substitute for fsync, see lib/journal.h.  1: done;
 * 0: the system has no such call; -1: the data could not be written (the error is told once, here
 * or by fsync). */
MUST_CHECK int sys_finish_writeback(int fd);
/* Opens for reading without leaving a trace in the time of the last access; close-on-exec, does not
 * wait for a FIFO.  -1 with errno, EPERM if the file is somebody else's. */
MUST_CHECK int sys_open_unseen(const char *path);
/* A new file in this directory for reading and writing that nobody else can open and that is gone
 * when it is closed; close-on-exec.  -1 with errno. */
MUST_CHECK int sys_nameless_file(const char *dir);
/* Renames only if `to` does not exist yet (EEXIST else).  Where the file system cannot promise that
 * it is looked for first. */
MUST_CHECK int sys_rename_new(const char *from, const char *to);
/* The path without symbolic links, malloc'd; NULL with errno. */
MUST_CHECK char *sys_real_path(const char *path);
/* What kind of file system does the open file live on?  EXT4: by that driver, ext2 and ext3 too. */
enum sys_fs { SYS_FS_OTHER, SYS_FS_NFS, SYS_FS_EXT4, SYS_FS_XFS, SYS_FS_BTRFS };
enum sys_fs sys_fs(int fd);
/* Does this XFS keep journal and data on one device? */
bool sys_xfs_is_one_device(int fd);
/* The kernel's name of a block device, `sda1`, `dm-0`: with its NUL at most size bytes. */
MUST_CHECK int sys_block_device(dev_t dev, char *name, size_t size);
/* syncfs(2): everything of the file system that holds fd. */
MUST_CHECK int sys_syncfs(int fd);
/* Sets gid, groups = {gid}, uid for good (real, effective, saved), and verifies that they cannot
 * be undone.  -1 with errno (EPERM if the verification failed). */
MUST_CHECK int sys_become(uid_t uid, gid_t gid);
/* As sys_become for the ids, with a list of supplementary groups. */
MUST_CHECK int sys_become_groups(uid_t uid, gid_t gid, size_t n, const gid_t *groups);
/* If we were started with more rights than our caller's (set-uid or set-gid file): gives them up
 * for good.  -1 with errno if they could not be given up. */
MUST_CHECK int sys_drop_setid(void);
/* The other way round: whom the set-uid file belongs to is who we are from now on, in all three
 * ids, without the groups of our caller if that is root.  gid: then our group.  -1 with errno. */
MUST_CHECK int sys_keep_setid(gid_t gid);
/* In between: the rights of the caller for a while (sys_lend_setid) and our own again.  -1: nothing
 * has changed. */
MUST_CHECK int sys_lend_setid(void);
MUST_CHECK int sys_return_setid(void);
/* Nobody but root may look into our memory, trace us or see our descriptors. */
MUST_CHECK int sys_not_dumpable(void);
/* Runs child(arg) in a new process that shares our memory until it execs or exits, as vfork(2)
 * does.  Returns the pid.  The child may only make async-signal-safe calls; what it returns is its
 * exit code. */
MUST_CHECK pid_t sys_vfork_run(int (*child)(void *), void *arg);
/* The short name of the process, at most 15 bytes. */
void sys_set_name(const char *name);
/* execvp(3) with an environment. */
void sys_execvpe(const char *file, char *const argv[], char *const envp[]);
/* A descriptor that polls readable once the child is dead; close-on-exec.  -1: none to be had. */
int sys_pidfd(pid_t pid);
/* The limits of open files; and back to what they were, which does nothing if that is not known
 * ({0}).  Async-signal-safe. */
struct sys_files {
	uint64_t soft, hard;
};
struct sys_files sys_files(void);
void sys_set_files(const struct sys_files *to);
/* Raises the soft limit of open files to at least n, the hard limit too if we may.  What it is
 * then. */
size_t sys_want_files(size_t n);
/* No core file; no new privileges (switches off set-uid bits below us!). */
void sys_no_core(void);
MUST_CHECK int sys_no_new_privs(void);

/* Calls each(address, arg) for the IPv4 and IPv6 addresses of every interface that is up, until it
 * returns -1. */
struct sockaddr;
MUST_CHECK int sys_interface_addresses(int (*each)(const struct sockaddr *, void *), void *arg);

/* Landlock (sandbox.c): 0 = kernel has none; else the ABI version. */
int sys_landlock_abi(void);
/* A ruleset that handles `fs` access bits; returns its descriptor. */
int sys_landlock_ruleset(uint64_t fs);
/* Opens a path only to name it to the next function, which needs no right to read it. */
int sys_open_path(const char *path);
/* Allows `access` beneath the directory (or on the file) open at fd. */
MUST_CHECK int sys_landlock_allow(int ruleset, int fd, uint64_t access);
MUST_CHECK int sys_landlock_enter(int ruleset);

#endif
