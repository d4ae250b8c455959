"""cases - which kills and faults there are for a run, from the system calls that it made.

A case is (run, program, instance, action, n, arg, number, kind); its name is
    RUN/PROGRAM.INSTANCE/N/kill-entry               before the N-th system call; or kill-exit: after
    RUN/PROGRAM.INSTANCE/NAME-KIND:N/fail=ERRNO     the N-th call NAME on that kind of file
with the actions and kinds of tracer.c.  x86-64 numbers.
"""
import errno
import random

NUMBER = {
    'read': 0, 'write': 1, 'open': 2, 'close': 3, 'stat': 4, 'fstat': 5, 'lstat': 6, 'poll': 7,
    'mmap': 9, 'mprotect': 10, 'brk': 12, 'pread64': 17, 'pwrite64': 18, 'readv': 19, 'writev': 20,
    'pipe': 22, 'select': 23, 'socket': 41, 'connect': 42, 'sendto': 44, 'recvfrom': 45,
    'socketpair': 53, 'clone': 56, 'fork': 57, 'vfork': 58, 'execve': 59, 'wait4': 61, 'flock': 73,
    'fsync': 74, 'fdatasync': 75, 'ftruncate': 77, 'chdir': 80, 'fchdir': 81, 'rename': 82,
    'mkdir': 83, 'link': 86, 'unlink': 87, 'chmod': 90, 'fchmod': 91, 'chown': 92,
    'gettimeofday': 96, 'setuid': 105, 'setgid': 106, 'setgroups': 116, 'setresuid': 117,
    'setresgid': 119, 'prctl': 157, 'time': 201, 'getdents64': 217, 'clock_gettime': 228,
    'waitid': 247,
    'openat': 257, 'unlinkat': 263, 'newfstatat': 262, 'renameat': 264, 'linkat': 265,
    'pselect6': 270, 'ppoll': 271, 'utimensat': 280, 'pipe2': 293, 'sync_file_range': 277,
    'syncfs': 306, 'renameat2': 316, 'memfd_create': 319, 'statx': 332, 'clone3': 435,
    'landlock_create_ruleset': 444, 'landlock_add_rule': 445, 'landlock_restrict_self': 446}
NAME = {number: name for name, number in NUMBER.items()}
O_CREAT = 0o100
DAY = 86400

DISK = ('ENOSPC', 'EDQUOT', 'EIO')
LOOK = ('EIO', 'ENOMEM', 'EUCLEAN')
ROOM = ('EMFILE', 'ENFILE', 'ENOMEM')
SYNC = ('EIO', 'ENOSPC', 'EDQUOT', 'EINTR')
CHANGE = ('EIO', 'ENOSPC', 'EDQUOT', 'ENOMEM')
FORK = ('EAGAIN', 'ENOMEM')
ERRNOS = {
    'read f': ('EIO', 'EINTR'), 'read p': ('EINTR',), 'read s': ('EINTR', 'ECONNRESET'),
    'pread64 f': ('EIO', 'EINTR'), 'getdents64 d': ('EIO', 'ENOMEM'),
    'write f': DISK + ('EINTR',), 'pwrite64 f': DISK + ('EINTR',), 'writev f': DISK + ('EINTR',),
    'write p': ('EINTR',), 'write s': ('EINTR', 'ECONNRESET'),
    'close': ('EIO', 'EINTR'), 'fsync': SYNC, 'fdatasync': SYNC, 'syncfs': ('EIO',),
    'link': CHANGE, 'linkat': CHANGE, 'rename': CHANGE, 'renameat': CHANGE, 'renameat2': CHANGE,
    'mkdir': CHANGE, 'unlink': LOOK, 'unlinkat': LOOK, 'ftruncate': ('EIO', 'EINTR'),
    'mmap': ('ENOMEM',), 'brk': ('ENOMEM',), 'mprotect': ('ENOMEM',),
    'clone': FORK, 'clone3': FORK, 'fork': FORK, 'vfork': FORK,
    'execve': ('ENOMEM', 'EIO', 'ETXTBSY', 'EAGAIN', 'EUCLEAN'),
    'pipe': ('EMFILE', 'ENFILE'), 'pipe2': ('EMFILE', 'ENFILE'), 'socketpair': ('EMFILE', 'ENFILE'),
    'socket': ('EMFILE', 'ENFILE', 'ENOMEM'), 'memfd_create': ROOM,
    'connect': ('EINTR', 'ECONNREFUSED', 'ETIMEDOUT', 'ENETUNREACH'),
    'poll': ('EINTR', 'ENOMEM'), 'ppoll': ('EINTR', 'ENOMEM'), 'select': ('EINTR', 'ENOMEM'),
    'pselect6': ('EINTR', 'ENOMEM'), 'wait4': ('EINTR',), 'waitid': ('EINTR',),
    'stat': LOOK, 'fstat': LOOK, 'lstat': LOOK, 'newfstatat': LOOK, 'statx': LOOK,
    'chdir': LOOK, 'fchdir': LOOK, 'flock': ('EINTR', 'ENOLCK'), 'utimensat': ('EIO',),
    'chmod': ('EIO',), 'fchmod': ('EIO',), 'chown': ('EIO',),
    'setuid': ('EAGAIN',), 'setresuid': ('EAGAIN',), 'setgroups': ('ENOMEM',),
    'landlock_create_ruleset': ROOM, 'landlock_add_rule': ('ENOMEM',),
    'landlock_restrict_self': ('ENOMEM',)}
ONCE_ONLY = ('EINTR', 'ECONNRESET')             # for ever is not what a kernel does
MAY_BE_INTERRUPTED = (NUMBER['connect'], NUMBER['flock'])
WAITS = ('poll', 'ppoll', 'select', 'pselect6')     # nor is this: nobody could go on
ALTERED_LENGTH = ('read', 'write', 'pread64', 'pwrite64')
CLOCKS = ('time', 'gettimeofday', 'clock_gettime')
# Where the order of events on the disk is decided: always looked at.
DECISIVE = {NUMBER[name] for name in ('fsync', 'fdatasync', 'link', 'linkat', 'unlink', 'unlinkat',
                                      'rename', 'renameat', 'renameat2', 'syncfs', 'ftruncate',
                                      'clone', 'vfork', 'execve')}


def errnos(number, kind, size):
    name = NAME.get(number, '')
    if name in ('open', 'openat'):
        creates = (size if name == 'openat' else 0) & O_CREAT
        return LOOK + ('EMFILE', 'ENFILE') + (('ENOSPC', 'EDQUOT') if creates else ())
    return ERRNOS.get(name + ' ' + kind, ERRNOS.get(name, ()))


def kills(run, program, calls):
    return [(run, *program, action, n, 0, -1, '-') for n in range(1, len(calls) + 1)
            for action in ('kill-entry', 'kill-exit')]


def faults(run, program, calls):
    found, count = [], {}
    for number, kind, size in calls:
        name = NAME.get(number, '')
        count[number, kind] = n = count.get((number, kind), 0) + 1

        def add(action, arg, n=n, call=(number, kind)):
            found.append((run, *program, action, n, arg, *call))
        for error in errnos(number, kind, size):
            code = getattr(errno, error)
            add('fail', code)
            if error not in ONCE_ONLY and name not in WAITS:
                add('failing', code)
        if name in ALTERED_LENGTH and size > 1:
            add('short', 0)
        if name in CLOCKS:
            add('clock', DAY)
            add('clock', -DAY)
    return found


def decisive(case, calls):
    number = case[6] if case[6] != -1 else calls[case[4] - 1][0]
    return number in DECISIVE


def title(case):
    run, program, instance, action, n, arg, number, kind = case
    where = n if number == -1 else '%s-%s:%d' % (NAME[number], kind.replace('-', '') or 'x', n)
    what = action
    if action.startswith('fail'):
        what += '=' + errno.errorcode[arg]
    elif action == 'clock':
        what += '=%d' % arg
    return '%s/%s.%d/%s/%s' % (run, program, instance, where, what)


def parse(text):
    """The case of a title."""
    run, program, where, what = text.split('/')
    program, _, instance = program.rpartition('.')
    action, _, arg = what.partition('=')
    value = int(arg) if action == 'clock' else getattr(errno, arg) if arg else 0
    call, _, n = where.rpartition(':')
    name, _, kind = call.partition('-')
    return (run, program, int(instance), action, int(n), value, NUMBER.get(name, -1),
            kind.replace('x', '-') or '-')


def spread(cases, wanted, special):
    """So many of them, the same ones each time: evenly, the special ones three times as densely."""
    if len(cases) <= wanted:
        return cases
    weights = [3 if special(case) else 1 for case in cases]
    step, at, chosen = sum(weights) / wanted, 0.0, []
    for case, weight in zip(cases, weights):
        at += weight
        if at >= step:
            at -= step
            chosen.append(case)
    return chosen


def draw(cases, seed):
    """All of them in an order of its own for each seed."""
    shuffled = list(cases)
    random.Random(seed).shuffle(shuffled)
    return shuffled
