/* sysfilter - the system calls that a process may still make. */
#include "lib/sysfilter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Sanitizers make system calls of their own. */
#ifdef __SANITIZE_ADDRESS__
#elif defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define FILTER_ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef FILTER_ARCH
#define ALLOW(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ ## name, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* The third argument without PROT_EXEC: the halves of a 64-bit argument are looked at apart, and
 * the flags are in the lower one on these, little-endian, machines. */
#define ALLOW_DATA(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ ## name, 0, 4), \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
/* Of fcntl only what makes a descriptor wait or not: it could send signals, by F_SETOWN. */
#define ALLOW_FLAGS(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ ## name, 0, 5), \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFL, 2, 0), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 1, 0), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM), \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static const struct sock_filter only_bytes[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_ARCH, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	ALLOW(read), ALLOW(write), ALLOW(ppoll),
#ifdef SYS_poll
	ALLOW(poll),
#endif
	ALLOW(futex), ALLOW(brk), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise),
	ALLOW(getrandom), ALLOW(clock_gettime), ALLOW(gettimeofday),
#ifdef SYS_time
	ALLOW(time),
#endif
	ALLOW(close), ALLOW(shutdown), ALLOW(getpid), ALLOW(gettid),
	ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(restart_syscall), ALLOW(sched_yield),
	ALLOW(exit), ALLOW(exit_group),
	ALLOW_FLAGS(fcntl), ALLOW_DATA(mmap), ALLOW_DATA(mprotect),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};

int
sysfilter_only_move_bytes(void)
{
	struct sock_filter filter[sizeof only_bytes / sizeof *only_bytes];
	const struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

	memcpy(filter, only_bytes, sizeof filter);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0)
		return 0;
	return errno == EINVAL || errno == ENOSYS ? 0 : -1;
}
#else
int
sysfilter_only_move_bytes(void)
{
	return 0;
}
#endif
