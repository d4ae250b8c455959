/* disturb - what the tracer does to the system calls of its target, see tracer.c. */
#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <time.h>
#include <unistd.h>

#include "tracer.h"

static void
peek(pid_t pid, unsigned long long at, void *data, size_t n)
{
	struct iovec here = { data, n }, there = { (void *)(uintptr_t)at, n };

	if (process_vm_readv(pid, &here, 1, &there, 1, 0) != (ssize_t)n)
		memset(data, 0, n);
}

static void
poke(pid_t pid, unsigned long long at, const void *data, size_t n)
{
	struct iovec here = { (void *)(uintptr_t)data, n }, there = { (void *)(uintptr_t)at, n };

	(void)process_vm_writev(pid, &here, 1, &there, 1, 0);
}

void
hide_vdso(pid_t pid)
{
	struct user_regs_struct regs;
	unsigned long long at, word[2];
	int zeros = 0;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) == -1)
		return;
	for (at = regs.rsp + 8; zeros < 2; at += 8) {	/* after argv, after envp */
		peek(pid, at, word, 8);
		zeros += !word[0];
	}
	for (;; at += 16) {
		peek(pid, at, word, sizeof word);
		if (word[0] == AT_NULL)
			return;
		if (word[0] == AT_SYSINFO_EHDR) {
			word[0] = AT_IGNORE;
			poke(pid, at, word, sizeof word);
		}
	}
}

/* ---- which call it is ---- */

/* Our own copy of a descriptor of the target, which waits meanwhile; -1 if there is none. */
static int
borrow(pid_t pid, int fd)
{
	int copy, process = (int)syscall(SYS_pidfd_open, pid, 0);

	if (process == -1)
		return -1;
	copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	close(process);
	return copy;
}

static bool
takes_descriptor(unsigned long long number)
{
	switch (number) {
	case SYS_read: case SYS_write: case SYS_readv: case SYS_writev: case SYS_pread64:
	case SYS_pwrite64: case SYS_fsync: case SYS_fdatasync: case SYS_close: case SYS_ftruncate:
	case SYS_fstat: case SYS_lseek: case SYS_getdents64: case SYS_syncfs: case SYS_flock:
	case SYS_fchmod: case SYS_fchown: case SYS_sync_file_range: case SYS_fcntl:
	case SYS_connect: case SYS_sendto: case SYS_recvfrom: case SYS_sendmsg: case SYS_recvmsg:
		return true;
	default:
		return false;
	}
}

/* Flags that this one call of a socket has. */
static unsigned long long
flags_of(const struct user_regs_struct *regs)
{
	switch (regs->orig_rax) {
	case SYS_sendto: case SYS_recvfrom:
		return regs->r10;
	case SYS_sendmsg: case SYS_recvmsg:
		return regs->rdx;
	default:
		return 0;
	}
}

/* A socket that keeps packets apart gives and takes none in part. */
static bool
keeps_packets(int fd)
{
	int type = SOCK_STREAM;
	socklen_t n = sizeof type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type != SOCK_STREAM;
}

/* Does the process hold the end of this pipe that is read from?  Then it cannot be closed. */
static bool
reads_itself(pid_t pid, const struct stat *pipe)
{
	char path[64];
	struct stat st;
	bool found = false;
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	if (!(dir = opendir(path)))
		return false;
	while (!found && (entry = readdir(dir))) {
		int fd;

		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == -1 ||
		    st.st_ino != pipe->st_ino || st.st_dev != pipe->st_dev ||
		    (fd = borrow(pid, atoi(entry->d_name))) == -1)
			continue;
		found = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY;
		close(fd);
	}
	closedir(dir);
	return found;
}

/* Of a pipe, socket or device: as a capital if the call does not wait. */
static char
kind_of_channel(pid_t pid, const struct user_regs_struct *regs, char kind)
{
	int flags, fd = borrow(pid, (int)regs->rdi);

	if (fd == -1)
		return kind;
	if (kind == 's' && keeps_packets(fd))
		kind = 'm';
	flags = fcntl(fd, F_GETFL);
	close(fd);
	if ((flags != -1 && flags & O_NONBLOCK) || flags_of(regs) & MSG_DONTWAIT)
		kind = (char)toupper(kind);
	return kind;
}

static char
kind_of(pid_t pid, const struct user_regs_struct *regs)
{
	char path[64];
	struct stat st;

	if (regs->orig_rax == SYS_clock_gettime)
		return regs->rdi == CLOCK_REALTIME || regs->rdi == CLOCK_REALTIME_COARSE ?
		    'w' : '-';
	if (!takes_descriptor(regs->orig_rax))
		return '-';
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, (int)regs->rdi);
	if (stat(path, &st) == -1)
		return '-';
	switch (st.st_mode & S_IFMT) {
	case S_IFREG: return 'f';
	case S_IFDIR: return 'd';
	case S_IFIFO: return kind_of_channel(pid, regs,
	    regs->orig_rax == SYS_write && reads_itself(pid, &st) ? 'i' : 'p');
	case S_IFSOCK: return kind_of_channel(pid, regs, 's');
	default: return kind_of_channel(pid, regs, 'c');
	}
}

/* What a call may fail with depends on it. */
static unsigned long long
size_of(const struct user_regs_struct *regs)
{
	switch (regs->orig_rax) {
	case SYS_open: case SYS_fcntl:	/* flags; command */
		return regs->rsi;
	case SYS_prctl:			/* what it is about */
		return regs->rdi;
	default:
		return regs->rdx;
	}
}

/* ---- what is done to it ---- */

static void
fired(struct tracee *e, const struct user_regs_struct *regs)
{
	if (e->told)
		return;
	e->told = true;
	event("fired %s %ld\n", e->name, (long)regs->orig_rax);
}

/* The call is not done, and fails. */
static void
prevent(struct tracee *e, struct user_regs_struct *regs, long error)
{
	e->altered = true;
	e->result = -error;
	if (regs->orig_rax != SYS_close)	/* which closes, whatever it says */
		regs->orig_rax = (unsigned long long)-1;
	(void)ptrace(PTRACE_SETREGS, e->pid, NULL, regs);
}

static void
at_entry(const struct plan *p, struct tracee *e, struct user_regs_struct *regs)
{
	if (p->action == COUNT)
		event("call %s %ld %c %llu\n", e->name, (long)regs->orig_rax, kind_of(e->pid, regs),
		    size_of(regs));
	if (p->number != -1 &&
	    (p->number != (long)regs->orig_rax || p->kind != kind_of(e->pid, regs)))
		return;
	if (++e->calls < p->n || (e->calls > p->n && p->action != FAILING))
		return;
	if (p->action == KILL_ENTRY) {
		fired(e, regs);
		regs->orig_rax = (unsigned long long)-1;
		(void)ptrace(PTRACE_SETREGS, e->pid, NULL, regs);
		(void)kill(e->pid, SIGKILL);
	} else if (p->action == FAIL || p->action == FAILING) {
		fired(e, regs);
		prevent(e, regs, p->arg);
	} else if (p->action == SHORT && regs->rdx > 1) {
		e->shortened = true;
		e->length = regs->rdx;
		regs->rdx = 1;
		(void)ptrace(PTRACE_SETREGS, e->pid, NULL, regs);
	}
}

/* It got one byte: only because it was made to?  Then there is more to be read. */
static bool
was_cut(const struct tracee *e, const struct user_regs_struct *regs)
{
	struct stat st;
	int fd, left = 0;

	if ((long)regs->rax != 1)
		return false;
	if (regs->orig_rax != SYS_read && regs->orig_rax != SYS_recvfrom &&
	    regs->orig_rax != SYS_pread64)
		return true;
	if ((fd = borrow(e->pid, (int)regs->rdi)) == -1)
		return false;
	if (regs->orig_rax == SYS_pread64)
		left = fstat(fd, &st) == 0 && st.st_size > (off_t)regs->r10 + 1;
	else if (ioctl(fd, FIONREAD, &left) == -1)
		left = 0;
	else if (regs->orig_rax == SYS_recvfrom && regs->r10 & MSG_PEEK)
		left--;
	close(fd);
	return left != 0;	/* below 0: a file of /proc, which does not know its size */
}

/* The result of a call that asks for the wall clock. */
static void
shift_clock(struct tracee *e, struct user_regs_struct *regs, long seconds)
{
	unsigned long long at = 0, value;

	if (regs->orig_rax == SYS_time)
		at = regs->rdi;
	else if (regs->orig_rax == SYS_gettimeofday)
		at = regs->rdi;
	else if (regs->orig_rax == SYS_clock_gettime && (regs->rdi == 0 || regs->rdi == 5))
		at = regs->rsi;
	if (at || regs->orig_rax == SYS_time)
		fired(e, regs);
	if (regs->orig_rax == SYS_time) {
		regs->rax += (unsigned long long)seconds;
		(void)ptrace(PTRACE_SETREGS, e->pid, NULL, regs);
	}
	if (at) {
		peek(e->pid, at, &value, sizeof value);
		value += (unsigned long long)seconds;
		poke(e->pid, at, &value, sizeof value);
	}
}

static void
at_exit(const struct plan *p, struct tracee *e, struct user_regs_struct *regs)
{
	if (p->action == KILL_EXIT && e->calls == p->n) {
		fired(e, regs);
		(void)kill(e->pid, SIGKILL);
	} else if (e->altered) {
		e->altered = false;
		regs->rax = (unsigned long long)e->result;
		(void)ptrace(PTRACE_SETREGS, e->pid, NULL, regs);
	} else if (e->shortened) {
		e->shortened = false;
		if (was_cut(e, regs))
			fired(e, regs);
		regs->rdx = e->length;
		(void)ptrace(PTRACE_SETREGS, e->pid, NULL, regs);
	} else if (p->action == CLOCK && e->calls >= p->n && (long)regs->rax >= 0) {
		shift_clock(e, regs, p->arg);
	}
}

void
disturb(const struct plan *p, struct tracee *e)
{
	struct user_regs_struct regs;

	e->inside = !e->inside;
	if (ptrace(PTRACE_GETREGS, e->pid, NULL, &regs) == -1)
		return;
	if (e->inside)
		at_entry(p, e, &regs);
	else if (e->calls)
		at_exit(p, e, &regs);
}
