"""errors - what the system calls of programs under test may fail with.  x86-64 numbers.

Every call that such a program makes is in ERRNOS, in one of the functions of errnos(), or in CANNOT
with the reason why nothing is done to it; is_known() tells, and `run` fails if one is not.
"""

NUMBER = {
    'read': 0, 'write': 1, 'open': 2, 'close': 3, 'stat': 4, 'fstat': 5, 'lstat': 6, 'poll': 7,
    'lseek': 8, 'mmap': 9, 'mprotect': 10, 'munmap': 11, 'brk': 12, 'rt_sigaction': 13,
    'rt_sigprocmask': 14, 'rt_sigreturn': 15, 'pread64': 17, 'pwrite64': 18, 'readv': 19,
    'writev': 20, 'access': 21, 'pipe': 22, 'select': 23, 'mremap': 25, 'madvise': 28, 'dup': 32,
    'dup2': 33, 'setitimer': 38, 'getpid': 39, 'socket': 41, 'connect': 42, 'sendto': 44,
    'recvfrom': 45, 'sendmsg': 46, 'recvmsg': 47, 'shutdown': 48, 'bind': 49, 'getsockname': 51,
    'getpeername': 52, 'socketpair': 53, 'setsockopt': 54, 'getsockopt': 55, 'clone': 56,
    'fork': 57, 'vfork': 58, 'execve': 59, 'exit': 60, 'wait4': 61, 'kill': 62, 'uname': 63,
    'fcntl': 72, 'flock': 73, 'fsync': 74, 'fdatasync': 75, 'ftruncate': 77, 'getcwd': 79,
    'chdir': 80, 'fchdir': 81, 'rename': 82, 'mkdir': 83, 'link': 86, 'unlink': 87, 'readlink': 89,
    'chmod': 90, 'fchmod': 91, 'chown': 92, 'fchown': 93, 'umask': 95, 'gettimeofday': 96,
    'getuid': 102, 'getgid': 104, 'setuid': 105, 'setgid': 106, 'geteuid': 107, 'getegid': 108,
    'getppid': 110, 'setsid': 112, 'setgroups': 116, 'setresuid': 117, 'getresuid': 118,
    'setresgid': 119, 'getresgid': 120, 'statfs': 137, 'fstatfs': 138, 'prctl': 157,
    'arch_prctl': 158, 'gettid': 186, 'time': 201, 'futex': 202, 'getdents64': 217,
    'set_tid_address': 218, 'restart_syscall': 219, 'clock_gettime': 228, 'exit_group': 231,
    'waitid': 247, 'openat': 257,
    'fchownat': 260, 'newfstatat': 262, 'unlinkat': 263, 'renameat': 264, 'linkat': 265,
    'readlinkat': 267, 'faccessat': 269, 'pselect6': 270, 'ppoll': 271, 'set_robust_list': 273,
    'sync_file_range': 277, 'utimensat': 280, 'dup3': 292, 'pipe2': 293, 'prlimit64': 302,
    'syncfs': 306, 'renameat2': 316, 'getrandom': 318, 'memfd_create': 319, 'statx': 332,
    'rseq': 334, 'pidfd_open': 434, 'clone3': 435, 'close_range': 436, 'faccessat2': 439,
    'landlock_create_ruleset': 444, 'landlock_add_rule': 445, 'landlock_restrict_self': 446}
NAME = {number: name for name, number in NUMBER.items()}
O_CREAT = 0o100

DISK = ('ENOSPC', 'EDQUOT', 'EIO')
LOOK = ('EIO', 'ENOMEM', 'EUCLEAN')
ROOM = ('EMFILE', 'ENFILE', 'ENOMEM')
SYNC = ('EIO', 'ENOSPC', 'EDQUOT', 'EINTR')
CHANGE = ('EIO', 'ENOSPC', 'EDQUOT', 'ENOMEM', 'EROFS')
REMOVE = LOOK + ('EROFS',)
MARK = ('EIO', 'EROFS', 'EPERM')
FORK = ('EAGAIN', 'ENOMEM')
GONE = ('ECONNRESET', 'ETIMEDOUT')          # the other side of a connection
ERRNOS = {
    'read f': ('EIO', 'EINTR'), 'read p': ('EINTR',), 'read s': ('EINTR',) + GONE,
    'readv f': ('EIO', 'EINTR'), 'readv p': ('EINTR',), 'readv s': ('EINTR',) + GONE,
    'recvfrom s': ('EINTR', 'ENOMEM') + GONE, 'recvmsg s': ('EINTR', 'ENOMEM') + GONE,
    'pread64 f': ('EIO', 'EINTR'), 'getdents64 d': ('EIO', 'ENOMEM'),
    'write f': DISK + ('EINTR',), 'pwrite64 f': DISK + ('EINTR',), 'writev f': DISK + ('EINTR',),
    'write i': ('EINTR',), 'write p': ('EINTR', 'EPIPE'), 'write s': ('EINTR', 'EPIPE') + GONE,
    'writev p': ('EINTR', 'EPIPE'), 'writev s': ('EINTR', 'EPIPE') + GONE,
    'sendto s': ('EINTR', 'EPIPE', 'ENOMEM', 'ENOBUFS') + GONE,
    'sendmsg s': ('EINTR', 'EPIPE', 'ENOMEM', 'ENOBUFS', 'ETOOMANYREFS') + GONE,
    'close f': SYNC, 'close': ('EIO', 'EINTR'),
    'fsync': SYNC, 'fdatasync': SYNC, 'syncfs': ('EIO', 'ENOSPC', 'EDQUOT'),
    'sync_file_range': ('EIO', 'ENOSPC', 'ENOMEM'), 'lseek': ('EIO',),
    'link': CHANGE + ('EPERM',), 'linkat': CHANGE + ('EPERM',),
    'rename': CHANGE, 'renameat': CHANGE, 'renameat2': CHANGE,
    'mkdir': CHANGE, 'unlink': REMOVE, 'unlinkat': REMOVE, 'ftruncate': ('EIO', 'EINTR', 'EROFS'),
    'mmap': ('ENOMEM',), 'brk': ('ENOMEM',), 'mprotect': ('ENOMEM',), 'mremap': ('ENOMEM',),
    'clone': FORK, 'clone3': FORK, 'fork': FORK, 'vfork': FORK,
    'execve': ('ENOMEM', 'EIO', 'ETXTBSY', 'EAGAIN', 'EUCLEAN', 'EMFILE', 'ENFILE'),
    'pipe': ('EMFILE', 'ENFILE'), 'pipe2': ('EMFILE', 'ENFILE'), 'socketpair': ('EMFILE', 'ENFILE'),
    'dup': ('EMFILE',), 'dup2': ('EMFILE', 'EBUSY'), 'dup3': ('EMFILE', 'EBUSY'),
    'socket': ROOM, 'memfd_create': ROOM, 'pidfd_open': ROOM + ('ENOSYS',),
    'close_range': ('ENOMEM', 'ENOSYS'),
    'connect': ('EINTR', 'ECONNREFUSED', 'ETIMEDOUT', 'ENETUNREACH'),
    'setsockopt': ('ENOMEM', 'ENOBUFS'), 'getsockopt': ('ENOBUFS',),
    'poll': ('EINTR', 'ENOMEM'), 'ppoll': ('EINTR', 'ENOMEM'), 'select': ('EINTR', 'ENOMEM'),
    'pselect6': ('EINTR', 'ENOMEM'), 'wait4': ('EINTR',), 'waitid': ('EINTR',),
    'stat': LOOK, 'fstat': LOOK, 'lstat': LOOK, 'newfstatat': LOOK, 'statx': LOOK,
    'access': LOOK, 'faccessat': LOOK, 'faccessat2': LOOK, 'readlink': LOOK, 'readlinkat': LOOK,
    'statfs': ('EIO', 'ENOMEM'), 'fstatfs': ('EIO', 'ENOMEM'), 'getcwd': ('ENOMEM',),
    'chdir': LOOK, 'fchdir': LOOK, 'flock': ('EINTR', 'ENOLCK'), 'utimensat': MARK,
    'chmod': MARK, 'fchmod': MARK, 'chown': MARK, 'fchown': MARK, 'fchownat': MARK,
    'setuid': ('EAGAIN', 'EPERM'), 'setresuid': ('EAGAIN', 'EPERM'), 'setgid': ('EPERM',),
    'setresgid': ('EPERM',), 'setgroups': ('ENOMEM', 'EPERM'), 'prlimit64': ('EPERM',),
    'getrandom': ('EINTR', 'ENOSYS'),
    'landlock_create_ruleset': ROOM, 'landlock_add_rule': ('ENOMEM',),
    'landlock_restrict_self': ('ENOMEM',)}
TRANSFERS = ('read', 'readv', 'recvfrom', 'recvmsg', 'write', 'writev', 'sendto', 'sendmsg')
OPENING = LOOK + ('EMFILE', 'ENFILE')
CREATING = OPENING + ('ENOSPC', 'EDQUOT', 'EROFS')
# By command: F_DUPFD, F_DUPFD_CLOEXEC; F_SETLK, F_SETLKW; those that only look at, or change, what
# the kernel has in memory anyway: F_GETFD, F_SETFD, F_GETFL, F_SETFL.
FCNTL = {0: ('EMFILE',), 1030: ('EMFILE',), 6: ('EAGAIN', 'ENOLCK'), 7: ('EINTR', 'ENOLCK'),
         1: (), 2: (), 3: (), 4: ()}
# By what it is about: PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS; PR_SET_DUMPABLE and PR_SET_NAME, which
# fail only for wrong arguments, and whose result nobody asks for.
PRCTL = {22: ('EINVAL', 'EACCES'), 38: ('EINVAL', 'EPERM'), 4: (), 15: ()}
CANNOT = {
    'munmap': 'nobody can do more than go on without the memory',
    'madvise': 'only advice',
    'rt_sigaction': 'only for wrong arguments', 'rt_sigprocmask': 'only for wrong arguments',
    'rt_sigreturn': 'does not return',
    'restart_syscall': 'the rest of a wait that the kernel goes on with',
    'exit': 'does not return', 'exit_group': 'does not return',
    'setitimer': 'only for wrong arguments',
    'getpid': 'never', 'gettid': 'never', 'getppid': 'never', 'umask': 'never',
    'getuid': 'never', 'getgid': 'never', 'geteuid': 'never', 'getegid': 'never',
    'getresuid': 'only for wrong arguments', 'getresgid': 'only for wrong arguments',
    'uname': 'only for wrong arguments', 'arch_prctl': 'only for wrong arguments',
    'shutdown': 'only if the connection is gone already',
    'getsockname': 'only for wrong arguments', 'getpeername': 'only if the connection is gone',
    'time': 'never', 'gettimeofday': 'never', 'clock_gettime': 'only for a clock that is not there',
    'futex': 'of the C library; whoever waits looks again', 'rseq': 'the C library does without',
    'set_tid_address': 'never', 'set_robust_list': 'only for wrong arguments',
    'kill': 'only if it has ended, which is what is wanted', 'setsid': 'never after a fork'}


def errnos(number, kind, size):
    """What this call may fail with; kind, size: as tracer.c tells them."""
    name = NAME.get(number, '')
    if name in ('open', 'openat'):
        return CREATING if size & O_CREAT else OPENING
    if name in ('fcntl', 'prctl'):
        return {'fcntl': FCNTL, 'prctl': PRCTL}[name].get(size, ())
    found = ERRNOS.get('%s %s' % (name, kind.lower().replace('m', 's')), ERRNOS.get(name, ()))
    return found + (('EAGAIN',) if kind.isupper() and name in TRANSFERS else ())


def is_known(number, kind, size):
    name = NAME.get(number)
    return (bool(errnos(number, kind, size)) or name in CANNOT or
            name == 'fcntl' and size in FCNTL or name == 'prctl' and size in PRCTL)
