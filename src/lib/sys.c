/* sys - everything beyond POSIX.1-2008: with sys_*.c the only files with _GNU_SOURCE. */
#define _GNU_SOURCE
#include "lib/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ifaddrs.h>
#include <limits.h>
#include <malloc.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define __asan_unpoison_memory_region(p, n) ((void)0)
#endif

#define CHILD_STACK ((size_t)64 << 10)

#define RENAME_NEW 1U	/* renameat2(2): RENAME_NOREPLACE, which not every C library names */

/* statfs(2) */
#define NFS_MAGIC 0x6969
#define EXT4_MAGIC 0xEF53
#define XFS_MAGIC 0x58465342
#define BTRFS_MAGIC 0x9123683E

/* What ioctl_xfs_fsgeometry(2) fills in, first version, which every kernel knows. */
struct xfs_geometry {
	uint32_t sizes[8];
	uint64_t data_blocks, realtime_blocks, realtime_extents, log_start;
	uint8_t uuid[16];
	uint32_t others[7];
};
#define XFS_GEOMETRY _IOR('X', 100, struct xfs_geometry)

int
sys_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC);
}

void
sys_close_from(int first)
{
	long open_max;

	if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
		return;
	open_max = sysconf(_SC_OPEN_MAX);
	for (int fd = first; fd < open_max && fd < 65536; fd++)
		(void)close(fd);
}

int
sys_setgroups(size_t n, const gid_t *groups)
{
	return setgroups(n, groups);
}

static int
lock(int fd, int how)
{
	int r;

	do
		r = flock(fd, how);
	while (r == -1 && errno == EINTR && (how & LOCK_UN));
	return r;
}

int
sys_flock(int fd)
{
	return lock(fd, LOCK_EX);
}

int
sys_flock_shared_try(int fd)
{
	return lock(fd, LOCK_SH | LOCK_NB);
}

int
sys_flock_try(int fd)
{
	return lock(fd, LOCK_EX | LOCK_NB);
}

int
sys_funlock(int fd)
{
	return lock(fd, LOCK_UN);
}

void
sys_default_signal(int signo)
{
	/* The kernel's own struct sigaction, which begins differently on different machines; all
	 * zeros is SIG_DFL without flags everywhere. */
	static const char none[64];

	(void)syscall(SYS_rt_sigaction, signo, none, NULL, _NSIG / 8);
}

int
sys_random(void *p, size_t n)
{
	ssize_t r;

	do
		r = getrandom(p, n, 0);
	while (r == -1 && errno == EINTR);
	if (r >= 0 && (size_t)r != n)
		errno = EIO;
	return r >= 0 && (size_t)r == n ? 0 : -1;
}

void
sys_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

void
sys_wipe_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void *
sys_wipe_realloc(void *p, size_t n)
{
	size_t before = p ? malloc_usable_size(p) : 0;
	void *to;

	if (n && n <= before)
		return p;
	if (!n || !(to = malloc(n))) {
		if (!n)
			sys_wipe_free(p);
		return NULL;
	}
	if (p)
		memcpy(to, p, before);
	sys_wipe_free(p);
	return to;
}

void
sys_start_writeback(int fd)
{
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

int
sys_finish_writeback(int fd)
{
	const unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
	    SYNC_FILE_RANGE_WAIT_AFTER;

	if (sync_file_range(fd, 0, 0, all) == 0)
		return 1;
	return errno == ENOSYS || errno == EINVAL || errno == ESPIPE || errno == EPERM ? 0 : -1;
}

int
sys_open_unseen(const char *path)
{
	return open(path, O_RDONLY | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
}

int
sys_nameless_file(const char *dir)
{
	char path[PATH_MAX];
	int n, fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd != -1 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	n = snprintf(path, sizeof path, "%s/pneumail.XXXXXX", dir);
	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = mkostemp(path, O_CLOEXEC)) != -1)
		(void)unlink(path);
	return fd;
}

int
sys_rename_new(const char *from, const char *to)
{
	if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NEW) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (faccessat(AT_FDCWD, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return errno == ENOENT ? rename(from, to) : -1;
}

char *
sys_real_path(const char *path)
{
	return realpath(path, NULL);
}

enum sys_fs
sys_fs(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return SYS_FS_OTHER;
	switch ((uint32_t)fs.f_type) {	/* signed and of 32 bits on some machines */
	case NFS_MAGIC: return SYS_FS_NFS;
	case EXT4_MAGIC: return SYS_FS_EXT4;
	case XFS_MAGIC: return SYS_FS_XFS;
	case BTRFS_MAGIC: return SYS_FS_BTRFS;
	default: return SYS_FS_OTHER;
	}
}

bool
sys_xfs_is_one_device(int fd)
{
	struct xfs_geometry g;

	/* Not ioctl(3), as C libraries differ in the type of the request. */
	return syscall(SYS_ioctl, fd, XFS_GEOMETRY, &g) == 0 && g.log_start != 0 &&
	    g.realtime_blocks == 0;
}

int
sys_block_device(dev_t dev, char *name, size_t size)
{
	char path[64], target[PATH_MAX];
	const char *base;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(dev), minor(dev));
	n = readlink(path, target, sizeof target - 1);
	if (n == -1)
		return -1;
	target[n] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, base, strlen(base) + 1);
	return 0;
}

int
sys_syncfs(int fd)
{
	return syncfs(fd);
}

int
sys_become(uid_t uid, gid_t gid)
{
	return sys_become_groups(uid, gid, 1, &gid);
}

int
sys_become_groups(uid_t uid, gid_t gid, size_t n, const gid_t *groups)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	/* setres*id change all three at once or fail; (id)-1 would mean "leave as it is". */
	if (uid == (uid_t)-1 || gid == (gid_t)-1) {
		errno = EINVAL;
		return -1;
	}
	if (setgroups(n, groups) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1 || getresuid(&r, &e, &s) == -1 ||
	    getresgid(&rg, &eg, &sg) == -1)
		return -1;
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid || sg != gid ||
	    (uid != 0 && setuid(0) == 0)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int
sys_drop_setid(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (geteuid() == uid && getegid() == gid)
		return 0;
	if (setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		return -1;
	return 0;
}

int
sys_keep_setid(gid_t gid)
{
	uid_t r, uid = geteuid(), s;

	/* Called by root: its power is still within reach, and needed to leave its groups. */
	if (getuid() == 0 && uid != 0 && (seteuid(0) == -1 || setgroups(1, &gid) == -1 ||
	    setresgid(gid, gid, gid) == -1))
		return -1;
	if (setresuid(uid, uid, uid) == -1 || getresuid(&r, &uid, &s) == -1)
		return -1;
	if (r != uid || s != uid || (uid != 0 && setuid(0) == 0)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int
sys_lend_setid(void)
{
	return setresuid((uid_t)-1, getuid(), (uid_t)-1);
}

int
sys_return_setid(void)
{
	uid_t r, e, s;

	return getresuid(&r, &e, &s) == -1 ? -1 : setresuid((uid_t)-1, s, (uid_t)-1);
}

int
sys_not_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

pid_t
sys_vfork_run(int (*child)(void *), void *arg)
{
	/* Part of our own: what it would write beyond the end is not in use, or not mapped. */
	_Alignas(max_align_t) char stack[CHILD_STACK];
	sigset_t all, before;
	pid_t pid;
	int error;

	/* A handler must not run in the child while it shares our memory; the child sets its own
	 * mask before exec. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = clone(child, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, arg);
	error = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	/* The child left its marks here when it became another program. */
	__asan_unpoison_memory_region(stack, CHILD_STACK);
	errno = error;
	return pid;
}

void
sys_set_name(const char *name)
{
	(void)prctl(PR_SET_NAME, name);
}

void
sys_execvpe(const char *file, char *const argv[], char *const envp[])
{
	(void)execvpe(file, argv, envp);
}

int
sys_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0U);
}

struct sys_files
sys_files(void)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) == -1)
		return (struct sys_files){ 0, 0 };
	return (struct sys_files){ now.rlim_cur, now.rlim_max };
}

void
sys_set_files(const struct sys_files *to)
{
	const struct rlimit limit = { (rlim_t)to->soft, (rlim_t)to->hard };

	if (to->hard)
		(void)setrlimit(RLIMIT_NOFILE, &limit);
}

size_t
sys_want_files(size_t n)
{
	const struct rlimit more = { n, n };
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) == -1)
		return n;
	if (now.rlim_cur >= n)
		return (size_t)now.rlim_cur;
	if (now.rlim_max < n && setrlimit(RLIMIT_NOFILE, &more) == 0)
		return n;
	now.rlim_cur = now.rlim_max < n ? now.rlim_max : n;
	(void)setrlimit(RLIMIT_NOFILE, &now);
	return (size_t)now.rlim_cur;
}

void
sys_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
}

int
sys_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int
sys_interface_addresses(int (*each)(const struct sockaddr *, void *), void *arg)
{
	struct ifaddrs *list;
	int rc = 0, error;

	if (getifaddrs(&list) == -1)
		return -1;
	for (const struct ifaddrs *i = list; i && rc == 0; i = i->ifa_next)
		if (i->ifa_addr && (i->ifa_flags & IFF_UP) &&
		    (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6))
			rc = each(i->ifa_addr, arg);
	error = errno;
	freeifaddrs(list);
	errno = error;
	return rc;
}
