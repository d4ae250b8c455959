"""cases - which kills and faults there are for a run, from the system calls that it made.

A case is (run, program, instance, action, n, arg, number, kind), where run is of runs.py, on a
tmpfs, or RUN@ext4; its name is
    RUN/PROGRAM.INSTANCE/N/kill-entry               before the N-th system call; or kill-exit: after
    RUN/PROGRAM.INSTANCE/NAME-KIND:N/fail=ERRNO     the N-th call NAME on that kind of file
with the actions and kinds of tracer.c.
"""
import errno
import math
import random

from errors import NAME, NUMBER, TRANSFERS, errnos, is_known

DAY = 86400
ONCE_ONLY = ('EINTR', 'ECONNRESET', 'EBUSY')    # for ever is not what a kernel does
MAY_BE_INTERRUPTED = (NUMBER['connect'], NUMBER['flock'], NUMBER['fcntl'])
WAITS = ('poll', 'ppoll', 'select', 'pselect6')     # nor is this: nobody could go on
ALTERED_LENGTH = ('read', 'write', 'pread64', 'pwrite64', 'sendto', 'recvfrom')
IN_PART = 'fpsPS'                               # what is given and taken in part
CLOCKS = ('time -', 'gettimeofday -', 'clock_gettime w')
LEAVES = ('exit', 'exit_group', 'execve')       # after it there is nobody to be killed
# Where the order of events on the disk is decided: always looked at.
DECISIVE = {NUMBER[name] for name in ('fsync', 'fdatasync', 'link', 'linkat', 'unlink', 'unlinkat',
                                      'rename', 'renameat', 'renameat2', 'syncfs', 'ftruncate',
                                      'sync_file_range', 'clone', 'clone3', 'fork', 'vfork',
                                      'execve')}


def kills(run, program, calls):
    found = [(run, *program, action, n, 0, -1, '-') for n in range(1, len(calls) + 1)
             for action in ('kill-entry', 'kill-exit')]
    if calls and NAME.get(calls[-1][0]) in LEAVES:
        found.pop()
    return found


def may_last(name, error):
    """Can it be that all later ones fail, too?"""
    return (error not in ONCE_ONLY and name not in WAITS and
            not (error == 'EAGAIN' and name in (*TRANSFERS, 'fcntl')))


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
            if may_last(name, error):
                add('failing', code)
        if name in ALTERED_LENGTH and kind in IN_PART and size > 1:
            add('short', 0)
        if name + ' ' + kind in CLOCKS:
            add('clock', DAY)
            add('clock', -DAY)
    return found


def strangers(calls):
    """Those of which nobody has said how they may fail."""
    return {'%s %s (%d)' % (NAME.get(number, number), kind, size) for number, kind, size in calls
            if not is_known(number, kind, size)}


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


def spread(cases, wanted, special, seed=0):
    """So many of them, evenly, the special ones three times as densely.  The same ones for each
    seed; as many seeds in a row as there are cases for each chosen one leave none out."""
    weights = [3 if special(case) else 1 for case in cases]
    step, chosen = sum(weights) / wanted, []
    if step <= 1:
        return cases
    at = step - seed % math.ceil(step)
    for case, weight in zip(cases, weights):
        at += weight
        if at >= step:
            chosen.append(case)
            at %= step
    return chosen


def draw(cases, seed):
    """All of them in an order of its own for each seed."""
    shuffled = list(cases)
    random.Random(seed).shuffle(shuffled)
    return shuffled
