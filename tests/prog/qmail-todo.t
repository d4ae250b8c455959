#!/usr/bin/python3
"""qmail-todo.t - the preprocessor, qmail-send and qmail-clean played by the test."""
import fcntl
import os
import re
import signal
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS]
import queuerig                                                         # noqa: E402
import tap                                                              # noqa: E402
from queuerig import (HOME, LIMIT, QUEUE, Stuck, Todo, control, exists, left,  # noqa: E402
                      message, path, pull, put, text)


def started(todo):
    todo.write(0, b'S')
    return todo


def stop(todo):
    todo.write(0, b'X')
    return todo.ended()


def child(parent):
    return int(subprocess.check_output(['pgrep', '-P', str(parent)]))


def one_of_each():
    control(virtualdomains='v.test:vd\n', envnoathost='enh.test\n', percenthack='host.test\n')
    envelopes = {
        'L': ['u5', 'p6', 'Fs@x', 'Tu@host.test', 'TInfo@V.test'],
        'R': ['u5', 'p6', 'F', 'Tu@far.test', 'Tplain', 'Tu%far.test@host.test'],
        'B': ['u5', 'p6', 'Fa b@x', 'Tu@far.test', 'Tu@host.test'],
        'X': ['u5', 'p6', 'Fs@x'],
    }
    numbers = {}
    for letter, records in envelopes.items():
        numbers[letter] = message(todo=records)
    with Todo() as todo:
        todo.settle()
        tap.equal((todo.records, todo.requests), ([], []), 'nothing is done before the order')
        started(todo)
        todo.until(lambda: len(todo.of('D')) == 4)
        tap.equal(sorted(todo.of('D')), sorted(c + str(n) for c, n in numbers.items()),
                  'a record for each message')
        log = ''.join(todo.of('L'))
        tap.equal(log.count('new msg'), 4, 'new msg is logged')
        tap.ok('info msg %d: bytes %d from <a_b@x> qp 6 uid 5\n'
               % (numbers['B'], len(queuerig.TEXT)) in log, 'info msg too', log)
        tap.equal(text('local', numbers['L']), 'Tu@host.test\0Tvd-Info@V.test\0', 'local file')
        tap.equal(text('remote', numbers['R']),
                  'Tu@far.test\0Tplain@enh.test\0Tu@far.test\0', 'remote file')
        tap.equal(text('info', numbers['B']), 'Fa b@x\0', 'info file')
        tap.equal(oct(os.stat(QUEUE + path('info', numbers['B'])).st_mode & 0o7777), '0o600',
                  'for nobody else')
        for letter in 'SQ':
            todo.write(0, letter.encode())
        todo.until(lambda: ''.join(todo.of('L')).count('obscure dialect') == 2)
        tap.ok('warning: qmail-todo: qmail-send speaks an obscure dialect\n' in todo.of('L'),
               'an order nobody knows')
        tap.equal(stop(todo), 0, 'told to stop: exit 0')
        tap.equal(todo.records[-1], 'X', 'and it says so, last')


def woken():
    control(locals='host.test\n')
    with started(Todo()) as todo:
        todo.settle()
        for name in ('TERM', 'HUP', 'ALRM', 'INT'):
            todo.signal(name)
        number = message(todo=['u5', 'p6', 'Fs@x', 'Tu@new.test'])
        pull()
        todo.until(lambda: todo.of('D') == ['R%d' % number])
        tap.ok(True, 'the trigger wakes it; signals do not kill it')
        put(HOME + '/control/locals', 'new.test\n', 'root', 0o644)
        todo.write(0, b'H')
        todo.settle()
        number = message(todo=['u5', 'p6', 'Fs@x', 'Tu@new.test'])
        pull()
        todo.until(lambda: len(todo.of('D')) == 2)
        tap.equal(todo.of('D')[1], 'L%d' % number, 'H: controls are read again')
        os.unlink(HOME + '/control/locals')
        os.mkdir(HOME + '/control/locals')
        todo.write(0, b'H')
        todo.until(lambda: todo.of('L')[-1] ==
                   'alert: qmail-todo: unable to reread control/locals\n')
        os.rmdir(HOME + '/control/locals')
        tap.equal(stop(todo), 0, 'controls that cannot be read: the alert')


def refused_mail():
    """A pull without a message: somebody could not queue his."""
    alert = 'alert: unable to use queue file system: read-only file system, sleeping...\n'
    control()
    with started(Todo()) as todo:
        todo.settle()
        pull()
        todo.settle()
        tap.equal(todo.of('L'), [], 'all is well: nothing is said')
    place = QUEUE.rstrip('/')
    subprocess.run(['mount', '--bind', place, place], check=True)
    try:
        subprocess.run(['mount', '-o', 'remount,bind,ro', place], check=True)
        with started(Todo()) as todo:
            todo.settle()
            for _ in range(20):
                pull()
                todo.settle()
            tap.equal(todo.of('L'), [alert], 'the reason, once for many')
            tap.equal(stop(todo), 0, 'exit 0')
    finally:
        subprocess.run(['umount', place], check=True)


def out_of_reach():
    """The queue directory is another one than where qmail-todo works, and comes back."""
    alert = ('alert: qmail-todo: queue directory in use is out of reach for new mail: '
             'is its file system mounted?\n')
    place = QUEUE.rstrip('/')
    control()
    os.mkdir('/tmp/elsewhere')
    with started(Todo()) as todo:
        todo.settle()
        subprocess.run(['mount', '-t', 'tmpfs', 'none', '/tmp/elsewhere'], check=True)
        todo.settle()
        tap.equal(todo.of('L'), [], 'a mount elsewhere: nothing is said')
        for number in range(2):
            subprocess.run(['mount', '-t', 'tmpfs', 'none', place], check=True)
            todo.until(lambda n=number: len(todo.of('L')) > n)
            subprocess.run(['umount', '/tmp/elsewhere'], check=True)
            subprocess.run(['mount', '-t', 'tmpfs', 'none', '/tmp/elsewhere'], check=True)
            todo.settle()
            tap.equal(todo.of('L'), [alert] * (number + 1), 'another file system there: said, once')
            subprocess.run(['umount', place], check=True)
            todo.settle()
        tap.equal(stop(todo), 0, 'exit 0')
    subprocess.run(['umount', '/tmp/elsewhere'], check=True)


def batch():
    control()
    numbers = [message(todo=['u5', 'p6', 'Fs@x', 'Tu%d@y' % i]) for i in range(150)]
    with started(Todo(clean=None)) as todo:
        todo.until(lambda: todo.requests)
        todo.settle()
        first = list(todo.requests)
        tap.ok(1 < len(first) <= 64, 'a batch is asked for together', len(first))
        tap.equal(todo.of('D'), [], 'not announced before qmail-clean has answered')
        # All but the first are removed.
        for request in first[1:]:
            queuerig.do_clean(request)
        todo.clean = '+'
        todo.write(3, b'!' + b'+' * (len(first) - 1))
        todo.until(lambda: len(todo.of('D')) == 149)
        kept = int(first[0].split('/')[1])
        tap.equal(sorted(int(d[1:]) for d in todo.of('D')), sorted(set(numbers) - {kept}),
                  'all but the refused one are announced, once')
        tap.ok('warning: qmail-clean unable to clean up todo/%d\n' % kept in todo.of('L'),
               'that one gets a warning')
        tap.equal(stop(todo), 0, 'exit 0')
    tap.ok(exists('todo', kept), 'and stays')


def pace():
    """Pulls of the trigger without end make no scans without end, and none is lost."""
    control()
    trace = '/tmp/trace'
    wrap = ('/usr/bin/strace', '-o', trace, '-u', 'qmails', '-e', 'trace=openat')
    with started(Todo(wrap=wrap)) as todo:
        todo.until(lambda: os.path.exists(trace) and 'lock/trigger' in open(trace).read())
        begin, pulls = time.monotonic(), 0
        while time.monotonic() < begin + 0.3:
            pull()
            pulls += 1
        number = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y'])
        pull()
        todo.until(lambda: todo.of('D') == ['R%d' % number])
        took_ms = 1000 * (time.monotonic() - begin)
        tap.equal(stop(todo), 0, 'a message after %d pulls of the trigger' % pulls)
    with open(trace) as file:
        scans = file.read().count('"todo", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY')
    tap.ok(2 <= scans <= took_ms / 20 + 2, 'one scan in 20 ms at most',
           '%d scans in %d ms' % (scans, took_ms))


def synced_first():
    """That the message is in todo is made durable before anything is built upon it."""
    control()
    number = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y'])
    trace = '/tmp/trace.sync'
    wrap = ('/usr/bin/strace', '-f', '-y', '-o', trace, '-u', 'qmails', '-e', 'trace=openat,fsync')
    with started(Todo(wrap=wrap)) as todo:
        todo.until(lambda: todo.of('D') == ['R%d' % number])
        tap.equal(stop(todo), 0, 'exit 0')
    with open(trace) as file:
        calls = file.read()
    synced = re.search(r'fsync\(\d+<%stodo>\)' % QUEUE, calls)
    created = re.search(r'openat\(.*"%s", .*O_CREAT' % path('info', number), calls)
    tap.ok(synced and created and synced.start() < created.start(),
           'todo is synced before info is there',
           calls)


def send_gone_first():
    """qmail-send ends while a batch is being synced: qmail-clean is not asked for anything more, as
    a successor may be about to list what would be removed."""
    control()
    number = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y'])
    trace = '/tmp/trace.gone'
    wrap = ('/usr/bin/strace', '-o', trace, '-u', 'qmails', '-e', 'trace=fsync',
            '-e', 'inject=fsync:signal=SIGSTOP:when=2')
    with started(Todo(wrap=wrap)) as todo:
        todo.until(lambda: os.path.exists(trace) and 'stopped by SIGSTOP' in open(trace).read())
        tap.ok(exists('remote', number), 'it is split by then')
        todo.close(1)
        todo.close(0)
        os.kill(child(todo.pid), signal.SIGCONT)
        tap.equal(todo.ended(), 1, 'qmail-send gone while it syncs: exit 1')
        tap.equal(todo.requests, [], 'and nothing is removed')


def faults():
    control()
    bad = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y', 'Zwhat'])
    unsent = message(todo=['u5', 'p6'])
    garbage = message(mess=None, todo=['u5', 'p6', 'Fghost@x', 'Tghost@y'])
    put(QUEUE + 'todo/somefile', 'x')
    os.mkdir(QUEUE + 'todo/yanked')
    cut = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y'])
    with open(QUEUE + path('todo', cut), 'a') as file:
        file.write('Tcut@y')
    with started(Todo()) as todo:
        todo.until(lambda: 'R%d' % cut in todo.of('D') and not exists('todo', garbage))
        pull()
        todo.settle()
        warnings = [line for line in todo.of('L') if line.startswith('warning')]
        tap.equal(sorted(warnings), sorted([
            'warning: qmail-todo: unknown record type in todo/%d\n' % bad,
            'warning: qmail-todo: trouble reading todo/%d\n' % unsent,
            'warning: qmail-todo: unable to stat %s\n' % path('mess', garbage)]),
            'one warning each, also after another scan')
        tap.equal(text('remote', cut), 'Tu@y\0', 'bytes after the last NUL are ignored')
        tap.equal(stop(todo), 0, 'exit 0')
    tap.equal([n for n in left() if '/%d' % bad in n and not n.startswith('mess')],
              sorted([path('intd', bad), path('todo', bad)]), 'nothing half made stays')
    tap.ok(os.path.exists(QUEUE + 'todo/somefile'), 'names that are no numbers stay')
    os.unlink(QUEUE + 'todo/somefile')
    os.rmdir(QUEUE + 'todo/yanked')


def full_disk():
    """No room for remote files: nothing is lost, others go on."""
    control()
    for sub in range(23):
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k,mode=700', 'none',
                        QUEUE + 'remote/%d' % sub], check=True)
        os.chown(QUEUE + 'remote/%d' % sub, *queuerig.ids('qmails'))
        put(QUEUE + 'remote/%d/full' % sub, 'x' * 4096)
    far = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y'])
    near = message(todo=['u5', 'p6', 'Fs@x', 'Tu@host.test'])
    with started(Todo()) as todo:
        todo.until(lambda: todo.of('D'))
        todo.settle()
        tap.equal(todo.of('D'), ['L%d' % near], 'the message that needs no room')
        tap.ok('warning: qmail-todo: trouble writing to %s\n' % path('remote', far)
               in todo.of('L'), 'the other gets a warning', todo.records)
        tap.equal(stop(todo), 0, 'exit 0')
    tap.ok(exists('todo', far) and not exists('info', far) and not exists('remote', far),
           'and stays in todo alone')
    for sub in range(23):
        subprocess.run(['umount', QUEUE + 'remote/%d' % sub], check=True)


def big_todo():
    control()
    for kind in ('intd', 'todo'):
        for sub in range(23):
            os.mkdir(QUEUE + '%s/%d' % (kind, sub))
            os.chown(QUEUE + '%s/%d' % (kind, sub), *queuerig.ids('qmailq'))
            os.chmod(QUEUE + '%s/%d' % (kind, sub), 0o750)
    number = message()
    put(QUEUE + 'todo/%d/%d' % (number % 23, number), 'u5\0p6\0Fs@x\0Tu@y\0', 'qmailq', 0o644)
    stray = number + 1      # in a subdirectory that is not its own
    put(QUEUE + 'todo/%d/%d' % (number % 23, stray), 'u5\0p6\0Fs@x\0Tu@y\0', 'qmailq', 0o644)
    with started(Todo(clean=None)) as todo:
        todo.until(lambda: todo.requests)
        tap.equal(todo.requests, ['todo/%d/%d' % (number % 23, number)],
                  'the split layout is followed')
        os.unlink(QUEUE + 'todo/%d/%d' % (number % 23, number))
        todo.write(3, b'+')
        todo.until(lambda: todo.of('D') == ['R%d' % number])
        tap.equal(stop(todo), 0, 'exit 0')
    os.unlink(QUEUE + 'todo/%d/%d' % (number % 23, stray))
    for kind in ('intd', 'todo'):
        for sub in range(23):
            os.rmdir(QUEUE + '%s/%d' % (kind, sub))


def many_recipients():
    control()
    count = 100000
    number = message(todo=['u5', 'p6', 'Fs@x'] + ['Tr%d@y' % i for i in range(count)])
    with started(Todo()) as todo:
        todo.until(lambda: todo.of('D') == ['R%d' % number])
        tap.equal(text('remote', number).count('\0'), count, '%d recipients' % count)
        with open('/proc/%d/status' % todo.pid) as file:
            peak = int(re.search(r'VmHWM:\s*(\d+)', file.read()).group(1))
        tap.ok(os.environ.get('SAN') or peak < 16000, 'in little memory', '%d KiB' % peak)
        tap.equal(stop(todo), 0, 'exit 0')


def predecessor():
    """Another qmail-todo, or its qmail-clean, that has not ended yet."""
    for directory, how in (('todo', fcntl.LOCK_EX), ('mess', fcntl.LOCK_SH)):
        control()
        number = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y'])
        fd = os.open(QUEUE + directory, os.O_RDONLY)
        fcntl.flock(fd, how)
        with started(Todo()) as todo:
            todo.settle()
            tap.equal((todo.records, exists('info', number)), ([], False),
                      'a lock on %s is waited for' % directory)
            os.close(fd)
            todo.until(lambda: todo.of('D') == ['R%d' % number])
            tap.equal(stop(todo), 0, 'exit 0')


def locked_out():
    """Somebody else has locked todo, and keeps it."""
    control()
    number = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y'])
    fd = os.open(QUEUE + 'todo', os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    with started(Todo()) as todo:
        todo.write(0, b'X')
        tap.equal((todo.ended(3 * LIMIT), todo.records),
                  (111, ['Lalert: qmail-todo: cannot start: unable to lock queue directory\n']),
                  'a lock that stays is waited for for some time, and told')
    os.close(fd)
    tap.ok(exists('todo', number), 'the message is where it was')


def peers():
    control()
    with Todo() as todo:
        todo.close(0)
        tap.equal(todo.ended(), 100, 'no order to start: exit 100')
    number = message(todo=['u5', 'p6', 'Fs@x', 'Tu@y'])
    with started(Todo(clean=None)) as todo:
        todo.until(lambda: todo.requests)
        todo.close(0)
        tap.equal(todo.ended(), 1, 'qmail-send gone: exit 1 at once')
    tap.ok(exists('todo', number), 'what was under way is found again')
    with started(Todo(clean=None)) as todo:
        todo.until(lambda: todo.requests)
        todo.close(3)
        tap.equal(todo.ended(), 0, 'qmail-clean gone: it stops')
        tap.equal(todo.records[-2:],
                  ['Lalert: qmail-todo: oh no! lost qmail-clean connection! dying...\n', 'X'],
                  'and says why')
    with Todo() as todo:
        tap.equal(stop(todo), 0, 'told to stop before it was started')
        tap.equal(todo.records, ['X'], 'it says so')


tap.run((one_of_each, woken, refused_mail, out_of_reach, batch, pace, synced_first,
         send_gone_first, faults, full_disk, big_todo, many_recipients, predecessor, locked_out,
         peers), Stuck)
