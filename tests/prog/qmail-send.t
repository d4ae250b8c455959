#!/usr/bin/python3
"""qmail-send.t - the scheduler, its peers played by the test; what the recorded vectors do not show."""
import array
import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS]
import queuerig                                                                   # noqa: E402
import tap                                                                        # noqa: E402
from queuerig import (HOME, QUEUE, Send, Stuck, control, exists, left, message,   # noqa: E402
                      mtime, path, pull, put, text)

STATUS = re.compile(r'status: local \d+/\d+ remote \d+/\d+( exitasap)?$')
QQ = '/tmp/test-qq/qq'          # writable for qmail-send


def refused(name, reason, **how):
    """qmail-send does not start, says why, and touches nothing."""
    before = left()
    with Send(**how) as send:
        code = send.ended()
        tap.equal((code, send.log), (111, 'alert: cannot start: %s\n' % reason), name)
    tap.equal(left(), before, name + ': nothing is touched')


def lines_of(log, *patterns):
    return [line for line in log.splitlines() if any(re.search(p, line) for p in patterns)]


def fake_queue(script):
    """A program in the place of qmail-queue."""
    os.makedirs(os.path.dirname(QQ), exist_ok=True)
    os.chown(os.path.dirname(QQ), *queuerig.ids('qmails'))
    put(QQ, '#!/bin/sh\n' + script, 'root', 0o755)
    return {'QMAILQUEUE': QQ}


# ---- starting ----

def starting():
    control()
    number = message(info='s@x', birth=int(time.time()), remote=['Tr@y'])
    with Send() as send:
        send.wait('^status')
        tap.equal(send.log.splitlines()[0], 'status: local 0/10 remote 0/20', 'first line')
        with Send() as second:
            code = second.ended()
            tap.equal((code, second.log),
                      (111, 'alert: cannot start: qmail-send is already running\n'),
                      'a second one is refused')
        send.wait('^end msg')
        tap.equal(send.stop(), 0, 'exit 0 after TERM')
    tap.ok(not exists('info', number), 'the message is gone')


def refusals():
    control()
    message(todo=['u1', 'p2', 'Fs@x', 'Tr@y'])
    message(info='s@x', remote=['Tr@y'])
    os.mkdir(QUEUE + 'info/23')
    refused('one subdirectory too many', 'the queue is split in another way than this program')
    os.rmdir(QUEUE + 'info/23')
    os.rename(QUEUE + 'remote/22', QUEUE + 'remote/x')
    refused('one subdirectory too few', 'the queue is split in another way than this program')
    os.rename(QUEUE + 'remote/x', QUEUE + 'remote/22')
    os.rename(QUEUE + 'bounce', QUEUE + 'bounce.x')
    refused('no bounce directory', 'a directory of the queue is missing')
    os.rename(QUEUE + 'bounce.x', QUEUE + 'bounce')
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'uid=0', 'none', QUEUE + 'intd'], check=True)
    refused('intd on another device', 'queue/intd and queue/todo are on different devices')
    subprocess.run(['umount', QUEUE + 'intd'], check=True)
    refused('a spawn daemon that does not answer', 'hath the daemon spawn no fire?',
            fds={0: 'w', 1: 'w', 3: 'w', 4: 'r', 5: 'w', 6: 'r'}, slots=None)
    os.mkdir(HOME + '/control/virtualdomains')
    refused('controls that cannot be read', 'unable to read controls')
    os.rmdir(HOME + '/control/virtualdomains')
    os.unlink(HOME + '/control/me')
    refused('neither me nor locals', 'unable to read controls')
    control()
    os.rename(QUEUE + 'lock/sendmutex', QUEUE + 'lock/x')
    refused('no mutex', 'unable to open mutex')
    os.rename(QUEUE + 'lock/x', QUEUE + 'lock/sendmutex')
    os.rename(HOME + '/queue', HOME + '/queue.x')
    with Send() as send:
        tap.equal((send.ended(), send.log),
                  (111, 'alert: cannot start: unable to switch to queue directory\n'), 'no queue')
    os.rename(HOME + '/queue.x', HOME + '/queue')


def predecessor():
    """A qmail-clean of one that was killed is still removing something: its lock is shared."""
    control()
    message(info='s@x', local=['Tr@host.test'])
    fd = os.open(QUEUE + 'mess', os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    with Send() as send:
        send.settle()
        tap.equal((send.log, send.commands), ('', []), 'it is waited for')
        send.signal('HUP')
        send.signal('ALRM')
        os.close(fd)
        send.wait('^end msg')
        tap.equal(send.stop(), 0, 'exit 0')


# ---- states on the disk ----

def states():
    """What each state of a message becomes after a crash."""
    control()
    now = int(time.time())
    s2 = message()
    s3 = message()
    put(QUEUE + path('intd', s3), 'u1\0', 'qmailq')
    s4 = message(todo=['u1', 'p2', 'Fs4@x', 'Tr4@y'], info='old@x', local=['Told@host.test'],
                 remote=['Told@y'], bounce='<old@y>:\nold\n\n')
    s4b = message(todo=['u1', 'p2', 'Fs4b@x', 'Tr4b@y'])
    os.unlink(QUEUE + path('intd', s4b))
    s5 = message(info='s5@x', birth=now, local=['Da@host.test', 'Tb@host.test'], remote=['Dc@y'])
    s5b = message(info='s5b@x', birth=now)
    number = s5 + s5b + 1000003
    for kind in ('local', 'remote', 'bounce'):
        put(QUEUE + path(kind, number), 'Tstale@y\0')
    put(QUEUE + 'local/%d/%d' % ((number + 1) % 23, number), 'Tother@y\0')   # wrong subdirectory
    put(QUEUE + 'bounce/note.txt', 'somebody else\n')
    orphan = message(mess=None, info='ghost@x', birth=now, remote=['Tghost@y'], bounce='x')
    garbage = message(mess=None, todo=['u1', 'p2', 'Fghost@x', 'Tghost@y'])
    with Send() as send:
        send.wait('^end msg', 4)
        send.until(lambda: not exists('todo', garbage) and not exists('info', orphan))
        send.settle()
        code = send.stop()
        got = sorted((c, sender, r) for c, _, _, sender, r in send.commands)
        tap.equal(got, [('local', 's5@x', 'b@host.test'), ('remote', 's4@x', 'r4@y'),
                        ('remote', 's4b@x', 'r4b@y')],
                  'delivered: what is not done, and nothing of an earlier attempt')
        tap.equal(lines_of(send.log, '^new msg'), ['new msg %d' % n for n in
                                                   ordered(send.log, s4, s4b)], 'new msg again')
        tap.equal(sorted(lines_of(send.log, '^warning')),
                  sorted(['warning: unable to stat ' + path('mess', orphan),
                          'warning: unable to stat ' + path('mess', garbage)]),
                  'a warning for each number without a text')
        tap.equal(code, 0, 'exit 0')
    wrong = 'local/%d/%d' % ((number + 1) % 23, number)
    tap.equal([n for n in left() if not n.startswith('pid/')],
              sorted([path('mess', s2), path('mess', s3), path('intd', s3), wrong]),
              'young S2 and S3 stay, files without info go, strange names stay')
    tap.ok(os.path.exists(QUEUE + 'bounce/note.txt'), 'a name that is no number stays')
    os.unlink(QUEUE + 'bounce/note.txt')


def orphan_at_start():
    """An info file without a text, due in an hour: its number may be in use again by then."""
    control()
    now = int(time.time())
    number = message(mess=None, info='ghost@x', birth=now, remote=['Tghost@y'], due=now + 3600)
    with Send() as send:
        send.wait('^warning: unable to stat ' + path('mess', number))
        send.until(lambda: not exists('info', number))
        os.rename(QUEUE + 'pid/kept-%d' % number, QUEUE + path('mess', number))
        send.signal('ALRM')
        send.settle()
        tap.equal((send.commands, exists('remote', number), exists('mess', number)),
                  ([], False, True), 'the new text is not delivered to the old recipients')
        tap.equal(send.stop(), 0, 'exit 0')


def ordered(log, *numbers):
    return sorted(numbers, key=lambda n: log.index('new msg %d' % n))


def retried_marks():
    """A crash between bounce and mark, and between the last unlink and the end."""
    control()
    now = int(time.time())
    number = message(info='s@x', birth=now, bounce='<a@y>:\nno\n\n')
    with Send(env=fake_queue('cat >$0.msg; exec cat <&1 >$0.env')) as send:
        send.wait('^end msg')
        send.stop()
        tap.equal(lines_of(send.log, '^(bounce|end) msg')[1], 'end msg %d' % number,
                  'S5 without channels: bounce, then end')
    with open(QQ + '.msg') as file:
        tap.ok('\n\n<a@y>:\nno\n\n--- Below' in file.read(), 'the failure is told')
    tap.ok(not exists('bounce', number), 'its bounce file is gone')


def last_mark():
    """A channel file goes with its last recipient; where it cannot go, he is marked."""
    control()
    number = message(info='s@x', birth=int(time.time()) - 9, remote=['Ta@y', 'Tb@y'])
    where = os.path.dirname(QUEUE + path('remote', number))
    with Send(answers={'remote': [None]}) as send:
        send.until(lambda: len(send.commands) == 2)
        os.chmod(where, 0o500)
        send.release('Kok\n')
        send.wait('^warning: unable to unlink %s; will' % path('remote', number))
        send.until(lambda: text('remote', number) == 'Da@y\0Db@y\0')
        os.chmod(where, 0o700)
        tap.equal(send.stop(), 0, 'exit 0')
    with Send() as send:
        send.wait('^status')
        send.settle()
        send.signal('ALRM')
        send.wait('^end msg')
        tap.equal(send.commands, [], 'nobody gets it again')
    number = message(info='s@x', birth=int(time.time()) - 9, remote=['Ta@y'])
    where = os.path.dirname(QUEUE + path('remote', number))
    with Send(answers={'remote': [None]}) as send:
        send.until(lambda: send.commands)
        os.chmod(where, 0)
        send.release('Kok\n')
        send.wait('^warning: trouble marking ' + path('remote', number))
        tap.equal(len(send.lines('^warning: unable to unlink ')), 1, 'not even seen: told')
        os.chmod(where, 0o700)
        send.signal('ALRM')
        send.until(lambda: len(send.commands) == 2)
        send.release('Kok\n')
        send.wait('^end msg')
        tap.equal(len(send.commands), 2, 'and tried again, not forgotten')


# ---- schedule ----

def schedule():
    control()
    now = int(time.time())
    a = message(info='s@x', birth=now - 1000, remote=['Ta@y', 'Tb@y'], local=['Tc@host.test'])
    b = message(info='s@x', birth=now - 5, remote=['Td@y'], due=now + 5000)
    c = message(info='s@x', birth=now - 1000, remote=['Te@y'], due=now - 7)
    answers = {'remote a@y': ['Zlater\n'], 'local': ['Zlater\n'], 'remote e@y': [None]}
    with Send(answers=answers) as send:
        send.wait('^delivery', 3)
        send.until(lambda: len(send.commands) == 4)
        send.signal('TERM')
        send.settle()
        tap.ok(not send.lines('exiting'), 'TERM waits for a delivery')
        send.release('Zstill later\n')
        tap.equal(send.ended(), 0, 'exit 0')
        tap.ok(send.lines('^status: local 0/10 remote 0/20 exitasap$'), 'status says exitasap')
    tap.equal(text('remote', a), 'Ta@y\0Db@y\0', 'one recipient is marked')
    age = max(mtime('local', a) - (now - 1000), 0)
    tap.ok(age in (1681, 1764), 'local: next try at (isqrt(age) + 10) squared', age)
    age = mtime('remote', a) - (now - 1000)
    tap.ok(age in (51 ** 2, 52 ** 2), 'remote: next try at (isqrt(age) + 20) squared', age)
    tap.equal(mtime('remote', b), now + 5000, 'what is not due keeps its time')
    tap.ok(mtime('remote', c) > now, 'the job that ended late is rescheduled')
    tap.equal(mtime('info', a), now - 1000, 'birth times stay')


def open_pass_at_exit():
    """More recipients than slots: the pass is still open at TERM."""
    control(concurrencyremote='2\n')
    now = int(time.time())
    number = message(info='s@x', birth=now - 9, remote=['Tr%d@y' % i for i in range(4)],
                     due=now - 8)
    with Send(answers={'remote': [None]}) as send:
        send.until(lambda: len(send.commands) == 2)
        send.signal('TERM')
        send.settle()
        send.release('Kok\n')
        tap.equal(send.ended(), 0, 'exit 0')
        tap.equal(len(send.commands), 2, 'no delivery is started after TERM')
    tap.equal(text('remote', number), 'Dr0@y\0Dr1@y\0Tr2@y\0Tr3@y\0', 'two are done')
    tap.equal(mtime('remote', number) <= now + 1, True, 'an open pass is tried at once next time')


def alarm_and_lifetime():
    control(queuelifetime='0\n')
    number = message(info='s@x', birth=int(time.time()) - 2, remote=['Ta@y'],
                     due=int(time.time()) + 9999)
    with Send(answers={'remote': ['Zno\n']}, env=fake_queue('cat >$0.msg; cat <&1 >$0.env')) as send:
        send.wait('^status')
        send.settle()
        tap.equal(send.commands, [], 'not due yet')
        send.signal('ALRM')
        send.wait('^end msg')
        send.stop()
        tap.ok(lines_of(send.log, 'failure: no/I.m_not_going_to_try_again;_this_message_has_been'
                                  '_in_the_queue_too_long./$'), 'ALRM hurries; lifetime 0 ends it')
        tap.ok(not exists('info', number), 'bounced and removed')


# ---- channels ----

def full_channel():
    control(concurrencyremote='5\n', concurrencylocal='0\n')
    now = int(time.time())
    message(info='s@x', birth=now, local=['Tl@host.test'], remote=['Tr%d@y' % i for i in range(8)])
    with Send(answers={'remote': [None]}) as send:
        send.until(lambda: len(send.commands) == 5)
        send.settle()
        tap.equal([c[1] for c in send.commands], [0, 1, 2, 3, 4], 'the channel is filled at once')
        third = send.held.pop(2)
        first = send.held.pop(0)
        send.report(third[0], third[1], 'Kok\n')
        send.until(lambda: len(send.commands) == 6)
        send.report(first[0], first[1], 'Kok\n')
        send.until(lambda: len(send.commands) == 7)
        tap.equal([c[1] for c in send.commands[5:]], [2, 0], 'the lowest free slot is taken')
        send.answers = {}
        send.release()
        send.until(lambda: len(send.commands) == 8)
        send.wait('^delivery', 8)
        tap.equal(send.stop(), 0, 'concurrency 0 holds the local recipient')
        tap.ok(send.lines('^status: local 0/0 remote 5/5$'), 'status shows both limits')
        check_status(send.log)


def check_status(log):
    """A status line with the right numbers follows each start and each result."""
    used, bad, lines = [0, 0], [], log.splitlines()
    of = {}
    for line, after in zip(lines, lines[1:] + ['']):
        start = re.match(r'starting delivery (\d+): msg \d+ to (local|remote) ', line)
        end = re.match(r'delivery (\d+): ', line)
        if start:
            of[start.group(1)] = start.group(2) == 'remote'
            used[of[start.group(1)]] += 1
        elif end:
            used[of.pop(end.group(1))] -= 1
        if (start or end) and not after.startswith(
                'status: local %d/' % used[0]) or (start or end) and \
                ' remote %d/' % used[1] not in after:
            bad.append((line, after))
    tap.equal(bad, [], 'a right status line after each start and each result')


def many_messages():
    """Many small messages: several passes of one channel in a turn, all answers handled."""
    control()
    now = int(time.time())
    for i in range(300):
        message(info='s@x', birth=now, remote=['Tr%d@y' % i])
    with Send() as send:
        send.wait('^end msg', 300)
        tap.equal(send.stop(), 0, '300 messages are delivered')
        tap.equal(len(set(c[4] for c in send.commands)), 300, 'each recipient once')
        tap.equal(len(send.commands), 300, 'and only once')
        check_status(send.log)
    tap.equal(left(), [], 'nothing is left')


def limits_of_spawn():
    control(concurrencyremote='1000\n')
    with Send(slots=3) as send:
        send.wait('^status')
        tap.equal(send.log, 'status: local 0/3 remote 0/3\n', 'the daemons\' limit counts')
        send.stop()


def strange_reports():
    control()
    now = int(time.time())
    message(info='s@x', birth=now, remote=['Ta@y', 'Tb@y', 'Tc@y'])
    answers = {'remote a@y': [None], 'remote b@y': [None], 'remote c@y': [None]}
    with Send(answers=answers) as send:
        send.until(lambda: len(send.commands) == 3)
        send.write(4, b'\x77Kgarbage\0')
        send.wait('out of range')
        send.write(4, b'\x05Kunused\0')
        send.wait('out of range', 2)
        for byte in b'\0K' + b'x' * 50 + b'\n\0':
            send.write(4, bytes([byte]))
        send.wait('^delivery 1: success: x{50}/$')
        send.write(4, b'\x01K' + b'y' * 12000 + b'\0\x02\0')
        send.wait('^delivery 2: success: y{9999}$')
        send.wait('^delivery 3: report mangled, will defer$')
        send.write(4, b'\x00Ktwice\0')
        send.wait('out of range', 3)
        tap.equal(send.stop(), 0, 'reports out of range, in pieces, too long, empty')
        tap.equal(set(lines_of(send.log, '^warning')),
                  {'warning: internal error: delivery report out of range'}, 'the warning')


# ---- preprocessing ----

def batches():
    control(concurrencyremote='255\n')
    numbers = [message(todo=['u1', 'p2', 'Fs@x', 'Tr%d@y' % i]) for i in range(200)]
    with Send(clean=None, slots=255) as send:
        send.until(lambda: send.requests)
        send.settle()
        first = list(send.requests)
        tap.ok(1 < len(first) <= 64, 'requests for a batch come together', len(first))
        tap.equal(send.commands, [], 'nothing is delivered before qmail-clean has answered')
        tap.equal(len(send.lines('^new msg')), len(first), 'one batch at a time')
        for request in first:
            queuerig.do_clean(request)
        send.clean = '+'
        send.write(6, b'+' * len(first))
        send.wait('^end msg', 200)
        tap.equal(send.stop(), 0, 'all 200 are delivered')
        tap.equal(sorted(int(c[2].split('/')[1]) for c in send.commands), sorted(numbers),
                  'each once')
    tap.equal(left(), [], 'nothing is left')


def failed_todo():
    """A message that cannot be preprocessed does not hold up others, nor is it tried all the time."""
    control()
    bad = message(todo=['u1', 'p2', 'Fs@x', 'Tr@y', 'Z?'])
    with Send() as send:
        send.wait('^warning: unknown record type in todo/%d$' % bad)
        for i in range(3):
            message(todo=['u1', 'p2', 'Fs@x', 'Tr%d@y' % i])
            pull()
            send.wait('^end msg', i + 1)
        tap.equal(send.stop(), 0, 'others are delivered at once, woken by the trigger')
        tap.equal(len(lines_of(send.log, '^warning')), 1, 'one warning')
    tap.ok(exists('todo', bad), 'it stays in todo')
    tap.ok(not exists('info', bad) and not exists('remote', bad), 'and nowhere else')


def disk_trouble():
    """What hits every message is told once, and each of them is kept."""
    control()
    kinds = os.listdir(QUEUE + 'info')
    for name in kinds:
        os.chmod(QUEUE + 'info/' + name, 0o500)
    numbers = [message(todo=['u1', 'p2', 'Fs@x', 'Tr%d@y' % i]) for i in range(20)]
    with Send() as send:
        send.wait('^warning: unable to create info/')
        send.settle()
        tap.equal(len(lines_of(send.log, '^warning')), 1, 'one warning for all')
        tap.equal((send.stop(), send.commands), (0, []), 'nothing is delivered')
    tap.ok(all(exists('todo', n) and not exists('remote', n) for n in numbers),
           'all stay in todo, and nowhere else')
    for name in kinds:
        os.chmod(QUEUE + 'info/' + name, 0o700)
    with Send() as send:
        send.wait('^end msg', 20)
        tap.equal(send.stop(), 0, 'they are delivered later')


def quiet():
    """Nothing to do: no system call at all."""
    control()
    message(info='s@x', birth=int(time.time()), remote=['Tr@y'], due=int(time.time()) + 3000)
    with Send() as send:
        send.wait('^status')
        send.settle()
        before = switches(send.pid)
        time.sleep(2.5)     # the check is that nothing happens
        tap.equal(switches(send.pid), before, 'an idle qmail-send does not wake up')
        send.stop()


def switches(pid):
    with open('/proc/%d/status' % pid) as file:
        return re.findall(r'ctxt_switches:\s*(\d+)', file.read())


class Trace:
    """System calls on queue files, in order: (call, path) and ('request', 'todo/5')."""

    def __init__(self):
        self.file = '/tmp/send.trace'
        self.wrap = ['/usr/bin/strace', '-f', '-u', 'qmails', '-y', '-s', '9999', '-o', self.file,
                     '-e', 'trace=openat,unlink,write,fsync,fdatasync,syncfs']

    def end(self, send):
        """Stop qmail-send, the child of strace; the calls."""
        child = int(subprocess.run(['pgrep', '-P', str(send.pid)], stdout=subprocess.PIPE,
                                   check=True).stdout)
        os.kill(child, signal.SIGTERM)
        send.ended()
        with open(self.file) as file:
            return [call for line in self.whole(file) for call in self.calls(line)]

    @staticmethod
    def whole(lines):
        """The calls of all threads, each at the time of its return."""
        begun = {}
        for line in lines:
            pid, call = line.rstrip('\n').split(None, 1)
            if call.endswith(' <unfinished ...>'):
                begun[pid] = call[:-len(' <unfinished ...>')]
                continue
            resumed = re.match(r'<\.\.\. \w+ resumed>', call)
            yield begun.pop(pid) + call[resumed.end():] if resumed else call

    @staticmethod
    def calls(line):
        call = re.match(r'(\w+)\((.*)', line)
        if not call:
            return
        name, rest = call.groups()
        at = re.match(r'\d+<' + QUEUE + r'([^>]*)>', rest)
        if name == 'openat' and 'O_CREAT' in rest and 'ENOENT' not in rest:
            yield 'create', re.search(r'"([^"]*)"', rest).group(1)
        elif name == 'unlink' and rest.endswith('= 0'):
            yield 'unlink', re.search(r'"([^"]*)"', rest).group(1)
        elif name == 'write' and re.search(r'"(todo|foop)/', rest):
            for request in re.search(r'"(.*)"', rest).group(1).split('\\0')[:-1]:
                yield 'request', request
        elif at:
            yield name, at.group(1)


def in_order(calls, *wanted):
    """Each wanted call is there, later than the one before it."""
    at = -1
    for call in wanted:
        if call not in calls[at + 1:]:
            return 'missing after %d: %r' % (at, call)
        at = calls.index(call, at + 1)
    return 'in order'


def syncs():
    """What must be durable before what (O4, O6, O8), and each directory once per batch."""
    control()
    numbers = [message(todo=['u1', 'p2', 'Fs@x', 'Tbad%d@y' % i, 'Tok%d@y' % i]) for i in range(40)]
    stale = message(todo=['u1', 'p2', 'Fs@x', 'Tok@y'], local=['Told@host.test'], bounce='old')
    killed = message(info='s@x', birth=int(time.time()), remote=['Tbad40@y'],
                     bounce='<bad40@y>:\nno\n\n')
    waiting = [message(todo=['u1', 'p2', 'Fs@x', 'Tbad%d@y' % i, 'Tlater@y'])
               for i in range(41, 46)]
    trace = Trace()
    answers = {'remote bad%d@y' % i: ['Dno\n'] for i in range(46)}
    answers['remote later@y'] = ['Zlater\n'] * 5
    with Send(wrap=trace.wrap, answers=answers, env=fake_queue('cat >$0.msg; cat <&1 >$0.env')) \
            as send:
        send.wait('^end msg', 42)
        send.until(lambda: len(send.requests) == 88)
        send.wait('^delivery', 41 + 41 + 1 + 10 - 1)
        calls = trace.end(send)
    orders = {'preprocessing': set(), 'failure before mark': set(), 'removal': set(),
              'failure before the end of its file': set()}
    for n in numbers:
        for kind in ('info', 'remote'):
            name, where = path(kind, n), os.path.dirname(path(kind, n))
            orders['preprocessing'].add(in_order(
                calls, ('fsync', 'todo'), ('create', name), ('fsync', name), ('fsync', where),
                ('request', 'todo/%d' % n)))
        # No name there, but perhaps an older message's on disk: that must not come back.
        for where in (os.path.dirname(path('local', n)), 'bounce'):
            orders['preprocessing'].add(in_order(
                calls, ('create', path('info', n)), ('fsync', where), ('request', 'todo/%d' % n)))
        orders['failure before the end of its file'].add(in_order(
            calls, ('create', 'bounce/%d' % n), ('fsync', 'bounce/%d' % n), ('fsync', 'bounce'),
            ('unlink', path('remote', n))))
        orders['removal'].add(in_order(
            calls, ('unlink', path('remote', n)), ('unlink', 'bounce/%d' % n),
            ('unlink', path('info', n)), ('fsync', os.path.dirname(path('info', n))),
            ('request', 'foop/%d' % n)))
        orders['removal'].add(in_order(calls, ('unlink', 'bounce/%d' % n), ('fsync', 'bounce'),
                                       ('request', 'foop/%d' % n)))
    for n in waiting:
        orders['failure before mark'].add(in_order(
            calls, ('create', 'bounce/%d' % n), ('fsync', 'bounce/%d' % n), ('fsync', 'bounce'),
            ('write', path('remote', n))))
    # The bounce is there, perhaps not yet on disk.
    orders['failure before the end of its file'].add(in_order(
        calls, ('fsync', 'bounce/%d' % killed), ('fsync', 'bounce'),
        ('unlink', path('remote', killed))))
    tap.ok(('write', path('remote', killed)) not in calls, 'no mark in a file that goes at once')
    for name, results in sorted(orders.items()):
        tap.equal(results, {'in order'}, 'durable in the right order: ' + name)
    for name in (path('local', stale), 'bounce/%d' % stale):
        tap.equal(in_order(calls, ('unlink', name), ('fsync', os.path.dirname(name)),
                           ('request', 'todo/%d' % stale)), 'in order',
                  'an old file does not come back: ' + name.split('/')[0])
    batches_seen = 1 + sum(1 for a, b in zip(calls, calls[1:]) if b[0] == 'request' and
                           b[1].startswith('todo') and a[0] != 'request')
    synced = [c for c in calls if c[0] == 'fsync' and re.match(r'remote/\d+$', c[1])]
    first = min(calls.index(('create', path('info', n))) for n in numbers)
    at_start = [c for c in calls[:first] if c in synced]
    # Some once more, if deliveries are faster than the preprocessing.
    tap.equal((len(set(at_start)), len(set(at_start[:23]))), (23, 23),
              'what a predecessor left is made durable before anything else')
    tap.ok(len(synced) <= 23 * (batches_seen + 1), 'each directory once per batch',
           '%d syncs in %d batches' % (len(synced), batches_seen))


# ---- bounces ----

def bounce_faults():
    control()
    now = int(time.time())
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k,mode=700', 'none', QUEUE + 'bounce'],
                   check=True)
    os.chown(QUEUE + 'bounce', *queuerig.ids('qmails'))
    put(QUEUE + 'bounce/full', 'x' * 4096)
    a = message(info='s@x', birth=now, remote=['Ta@y', 'Tb@y'])
    b = message(info='s@x', birth=now, remote=['Tc@y'])
    answers = {'remote a@y': ['Dno such user\n'], 'remote b@y': ['Kok\n']}
    env = fake_queue('cat >$0.msg; cat <&1 >$0.env')
    with Send(answers=answers, env=env) as send:
        send.wait('^delivery', 3)
        send.wait('^end msg %d$' % b)
        tap.equal(lines_of(send.log, '^alert'),
                  ['alert: unable to append to bounce message; HELP! sleeping...'],
                  'a full disk: the alert, and other mail goes on')
        tap.ok(lines_of(send.log, 'deferral: no_such_user/$'), 'the failure counts as deferral')
        tap.equal(text('remote', a), 'Ta@y\0Db@y\0', 'the recipient is not marked')
        tap.equal([n for n in left() if n.startswith('bounce')], [], 'no half paragraph stays')
        os.unlink(QUEUE + 'bounce/full')
        send.signal('ALRM')
        send.wait('^end msg %d$' % a)
        tap.equal(send.stop(), 0, 'when there is room again, the bounce is sent')
    with open(QQ + '.msg') as file:
        tap.equal(file.read().count('<a@y>:\nno such user\n\n'), 1, 'the failure is told once')
    subprocess.run(['umount', QUEUE + 'bounce'], check=True)


def unsynced_bounce():
    """A failure that may not be on disk is none: the recipient is tried again."""
    control()
    now = int(time.time())
    number = message(info='s@x', birth=now, remote=['Ta@y'])
    trace = ['/usr/bin/strace', '-f', '-u', 'qmails', '-o', '/dev/null', '-P', QUEUE + 'bounce',
             '-P', 'bounce', '-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=2+']   # the first is at the start
    with Send(wrap=trace, answers={'remote a@y': ['Dno such user\n']}) as send:
        send.wait('^delivery 1: ')
        send.settle()
        tap.equal(send.lines('^(delivery|alert)'),
                  ['alert: unable to append to bounce message; HELP! sleeping...',
                   'delivery 1: deferral: no_such_user/'], 'bounce cannot be synced: a deferral')
        tap.equal(text('remote', number), 'Ta@y\0', 'the recipient is not marked')
        tap.equal([n for n in left() if n.startswith('bounce')], [], 'and not in the bounce')


def empty_bounce():
    """What a crash has left before the first byte: nobody has failed."""
    control()
    number = message(info='s@x', birth=int(time.time()), bounce='')
    with Send(env=fake_queue('cat >/dev/null; exec cat <&1 >/dev/null')) as send:
        send.wait('^end msg %d$' % number)
        tap.equal((send.stop(), send.lines('^bounce msg')), (0, []), 'no bounce without a failure')
    tap.ok(not exists('bounce', number), 'the file is gone')


def refused_bounces():
    control()
    now = int(time.time())
    old = message(info='s@x', birth=now, bounce='<a@y>:\nno\n\n')
    older = message(info='s@x', birth=now, bounce='<a@y>:\nno\n\n')
    os.utime(QUEUE + path('bounce', older), (now - 700000, now - 700000))
    with Send(env=fake_queue('cat >/dev/null; exit 31')) as send:
        send.wait('^end msg %d$' % older)
        send.wait('^warning', 2)
        send.settle()
        tap.equal(sorted(lines_of(send.log, '^(warning|alert)')),
                  ['alert: bounce message refused too long: discarding bounce/%d' % older] +
                  ['warning: trouble injecting bounce message, will try later'] * 2,
                  'refused for good: given up after another lifetime')
        tap.equal(send.stop(), 0, 'exit 0')
    tap.ok(exists('bounce', old), 'a younger one is kept')
    control()
    number = message(info='s@x', birth=now, bounce='<a@y>:\nno\n\n')
    with Send(env={'QMAILQUEUE': '/nonexistent'}) as send:
        send.wait('^warning: trouble injecting bounce message, will try later$')
        send.stop()
    tap.ok(exists('bounce', number) and exists('info', number), 'no program: nothing is lost')


def hurried_bounce():
    """A sender that cannot be read is said; ALRM hurries what is left of a message, too."""
    control()
    number = message(info='s@x', birth=int(time.time()), bounce='<a@y>:\nno\n\n')
    good = text('info', number)
    put(QUEUE + path('info', number), 'no sender', 'qmails')
    with Send(env=fake_queue('cat >$0.msg; cat <&1 >$0.env')) as send:
        send.wait('^warning: trouble injecting bounce message, will try later$')
        put(QUEUE + path('info', number), good, 'qmails')
        send.settle()
        tap.ok(not send.lines('^bounce msg'), 'a bounce whose sender cannot be read waits')
        send.signal('ALRM')
        send.wait('^end msg %d$' % number)
        tap.equal(send.stop(), 0, 'ALRM: it is tried again at once')


def slow_bounce():
    """A program in the place of qmail-queue that takes its time does not hold up deliveries."""
    control()
    now = int(time.time())
    os.path.exists(QQ + '.go') and os.unlink(QQ + '.go')
    message(mess=queuerig.TEXT + 'x' * 300000 + '\n', info='s@x', birth=now,
            bounce='<a@y>:\nno\n\n')
    env = fake_queue('while ! test -e $0.go; do sleep 0.05; done; cat >$0.msg; cat <&1 >$0.env')
    with Send(env=env) as send:
        send.wait('^status')
        number = message(todo=['u1', 'p2', 'Fs@x', 'Tr@y'])
        pull()
        send.wait('^end msg %d$' % number)
        tap.ok(not send.lines('^bounce msg'), 'mail flows while a bounce is being queued')
        send.signal('TERM')
        send.settle()
        tap.ok(not send.lines('exiting'), 'TERM waits for it')
        put(QQ + '.go', '')
        tap.equal(send.ended(), 0, 'then it is finished')
        tap.equal(len(send.lines('^bounce msg')), 1, 'the bounce was queued')
    with open(QQ + '.msg') as file:
        tap.ok(file.read().endswith('x' * 300000 + '\n'), 'with the whole message')
    with open(QQ + '.env', encoding='latin-1') as file:
        tap.equal(file.read(), 'F\0Ts@x\0\0', 'and the right envelope')


def stripped_bounces():
    """bouncemaxbytes: below, at and above what the message has, also over several chunks."""
    small = queuerig.TEXT
    large = queuerig.TEXT + 'x' * 99999 + '\n'
    now = int(time.time())
    for text, limit, kept in ((small, '0', 0), (small, '1', 1), (small, '%d' % (len(small) - 1), -1),
                              (small, '%d' % len(small), None), (small, '%d' % (len(small) + 1), None),
                              (large, '70000', 70000), (large, '%d' % len(large), None),
                              (large, '99999999999999999999', None), (small, 'x', None),
                              (small, None, None)):
        control(**({'bouncemaxbytes': limit + '\n'} if limit else {}))
        message(mess=text, info='s@x', birth=now, bounce='<a@y>:\nno\n\n')
        with Send(env=fake_queue('cat >$0.msg; cat <&1 >$0.env')) as send:
            send.wait('^end msg')
            send.stop()
        with open(QQ + '.msg') as file:
            copy = file.read().partition('\nReturn-Path: <s@x>\n')[2]
        tap.equal(copy, text if kept is None else text[:kept] + '\n\n--- End of message stripped.\n',
                  'bouncemaxbytes %s of %d' % (limit, len(text)))


def odd_senders():
    control(doublebounceto='\n')
    now = int(time.time())
    number = message(info='', birth=now, bounce='<a@y>:\nno\n\n')
    with Send() as send:
        send.wait('^end msg')
        tap.equal(lines_of(send.log, 'discarding'),
                  ['double bounce: discarding bounce/%d' % number], 'no double bounces wanted')
        send.stop()
    control()
    message(info='a\nb: c@x', birth=now, bounce='<a@y>:\nno\n\n')
    with Send(env=fake_queue('cat >$0.msg; cat <&1 >$0.env')) as send:
        send.wait('^end msg')
        send.stop()
    with open(QQ + '.msg') as file:
        got = file.read()
    tap.ok('\nTo: "a_b: c"@x\n' in got and '\nReturn-Path: <"a_b: c"@x>\n' in got,
           'a line feed in a sender does not break the header', got)


# ---- controls ----

def hup():
    control(locals='host.test\n', virtualdomains='v.test:vd\n')
    with Send() as send:
        send.wait('^status')
        os.unlink(HOME + '/control/locals')
        os.mkdir(HOME + '/control/locals')
        put(HOME + '/control/virtualdomains', 'w.test:wd\n', 'root', 0o644)
        send.signal('HUP')
        send.wait('^alert: unable to reread control/locals$')
        route(send, 'a@v.test', ('local', 'vd-a@v.test'), 'locals unreadable: both are kept')
        os.rmdir(HOME + '/control/locals')
        os.unlink(HOME + '/control/virtualdomains')
        os.mkdir(HOME + '/control/virtualdomains')
        send.signal('HUP')
        send.wait('^alert: unable to reread control/virtualdomains$')
        route(send, 'b@v.test', ('local', 'vd-b@v.test'), 'virtualdomains unreadable: the same')
        os.rmdir(HOME + '/control/virtualdomains')
        put(HOME + '/control/me', 'other.test\n', 'root', 0o644)
        send.signal('HUP')
        send.settle()
        route(send, 'c@v.test', ('remote', 'c@v.test'), 'no virtualdomains: empty')
        route(send, 'd@host.test', ('local', 'd@host.test'), 'no locals: me as at the start')
        tap.equal(send.stop(), 0, 'exit 0')


def route(send, recipient, wanted, name):
    before = len(send.commands)
    message(todo=['u1', 'p2', 'Fs@x', 'T' + recipient])
    pull()
    send.until(lambda: len(send.commands) > before)
    tap.equal((send.commands[-1][0], send.commands[-1][4]), wanted, name)


# ---- losing peers ----

def lost_peers():
    for number, alert in ((2, 'alert: oh no! lost spawn connection! dying...'),
                          (4, 'alert: oh no! lost spawn connection! dying...'),
                          (6, 'alert: oh no! lost qmail-clean connection! dying...')):
        control()
        message(info='s@x', birth=int(time.time()), local=['Ta@host.test'], remote=['Tb@y'])
        with Send(answers={'local': [None], 'remote': [None]}) as send:
            send.until(lambda: len(send.commands) == 2)
            send.close(number)
            send.until(lambda: alert in send.log)
            if number != 6:
                other = 4 if number == 2 else 2
                send.held = [held for held in send.held if held[0] == other]
                send.settle()
                tap.ok(not send.lines('exiting'), 'deliveries of the other daemon are awaited')
            send.release()
            tap.equal(send.ended(), 0, 'descriptor %d lost: exit 0' % number)
            tap.equal(lines_of(send.log, '^alert'), [alert], 'the alert')
            tap.equal(send.log.splitlines()[-1], 'status: exiting', 'the last line')


def last_reports():
    """A daemon has gone with commands unread: what it has said before still counts."""
    control(concurrencylocal='120\n')
    many = ['T%s%d@host.test' % ('x' * 900, i) for i in range(120)]
    number = message(info='s@x', birth=int(time.time()), local=many)
    with Send() as send:
        send.closed.add(1)              # nobody reads the commands
        waiting = array.array('i', [0])
        send.until(lambda: not fcntl.ioctl(send.ours[1], termios.FIONREAD, waiting) and
                   waiting[0] > 60000 and len(send.lines('^starting')) > 80, 'a full pipe')
        send.signal('STOP')
        send.report(2, 0, 'Kdone\n')
        send.close(1)
        send.close(2)
        send.signal('CONT')
        tap.equal(send.ended(), 0, 'the daemon is lost')
        tap.equal(send.lines('^delivery'), ['delivery 1: success: done/'],
                  'its last report is taken')
    tap.equal(text('local', number)[:4], 'Dxxx', 'and its recipient is done')


def stale_bounce():
    """An old bounce file whose removal cannot be made durable must not meet a new message."""
    control()
    number = message(todo=['u1', 'p2', 'Fs@x', 'Tr@y'], bounce='old')
    trace = ['/usr/bin/strace', '-f', '-u', 'qmails', '-o', '/dev/null', '-P', QUEUE + 'bounce',
             '-P', 'bounce', '-e', 'trace=fsync', '-e', 'inject=fsync:error=EIO:when=2']    # the first is at the start
    with Send(wrap=trace) as send:
        send.wait('^warning: trouble fsyncing bounce$')
        other = message(todo=['u1', 'p2', 'Fs@x', 'Tother@y'])
        pull()
        send.wait('^end msg %d$' % other)
        child = int(subprocess.run(['pgrep', '-P', str(send.pid)], stdout=subprocess.PIPE,
                                   check=True).stdout)
        os.kill(child, signal.SIGTERM)
        send.ended()
        tap.equal([c[4] for c in send.commands], ['other@y'], 'other mail goes on')
    tap.ok(exists('todo', number) and not exists('info', number), 'the message waits in todo')


# ---- with qmail-todo ----

def with_todo():
    control()
    number = message(info='s@x', birth=int(time.time()), remote=['Told@y'])
    both = message(info='s@x', birth=int(time.time()))
    waiting = message(todo=['u1', 'p2', 'Fs@x', 'Tr@y'])
    with Send(fds=Send.with_todo, clean='+') as send:
        send.until(lambda: send.input[7] == b'S')
        send.wait('^end msg', 2)
        tap.ok(exists('todo', waiting), 'todo is left alone')
        numbers = []
        for kinds, letter in (({'local': ['Tl@host.test']}, 'L'), ({'remote': ['Tr@y']}, 'R'),
                              ({'local': ['Tl@host.test'], 'remote': ['Tr@y']}, 'B'), ({}, 'X')):
            n = message(info='s@x', birth=int(time.time()), **kinds)
            numbers.append(n)
            send.write(8, b'Lnew msg %d\n\0D%s%d\0' % (n, letter.encode(), n))
        for n in numbers:
            send.wait('^new msg %d$' % n)
            send.wait('^end msg %d$' % n)
        tap.equal(len(send.commands), 5, 'each record starts what it says')
        send.write(8, b'DQ5\0')
        send.write(8, b'DL\0nonsense\0\0')
        send.wait('^warning: qmail-send unable to understand qmail-todo$', 4)
        send.signal('HUP')
        send.until(lambda: send.input[7] == b'SH')
        send.signal('TERM')
        send.until(lambda: send.input[7] == b'SHX')
        late = message(info='s@x', birth=int(time.time()), remote=['Tr@y'])
        send.write(8, b'DR%d\0' % late)
        send.settle()
        tap.ok(not send.lines('exiting'), 'TERM waits for qmail-todo')
        send.write(8, b'X\0')
        tap.equal(send.ended(), 0, 'exit 0')
        tap.equal(len(send.commands), 5, 'a record while exiting is ignored')
        tap.equal(send.input[7], b'SHX', 'one X')
    tap.ok(not exists('info', number) and not exists('info', both), 'the old ones were finished')
    control()
    with Send(fds=Send.with_todo) as send:
        send.until(lambda: send.input[7] == b'S')
        send.close(8)
        tap.equal(send.ended(), 0, 'qmail-todo lost: exit 0')
        tap.equal(lines_of(send.log, '^alert'),
                  ['alert: oh no! lost qmail-todo connection! dying...'], 'the alert')


def announced_twice():
    """A record for a message that is being delivered does no harm."""
    control()
    number = message(info='s@x', birth=int(time.time()), remote=['Ta@y', 'Tb@y'])
    with Send(fds=Send.with_todo, answers={'remote a@y': [None]}) as send:
        send.wait('^delivery')
        send.write(8, b'DR%d\0' % number)
        send.settle()
        send.release()
        send.wait('^end msg')
        tap.equal(len(send.commands), 2, 'each recipient once')
        send.signal('TERM')
        send.write(8, b'X\0')
        tap.equal(send.ended(), 0, 'exit 0')


def number_used_again():
    """Files exchanged under a running job: the new ones are left alone."""
    control()
    now = int(time.time())
    number = message(info='s@x', birth=now, remote=['Ta@y', 'Tb@y'])
    with Send(answers={'remote': [None]}) as send:
        send.until(lambda: len(send.commands) == 2)
        os.rename(QUEUE + path('remote', number), QUEUE + 'pid/away')
        put(QUEUE + path('remote', number), 'Tnew@y\0')
        send.release()
        send.wait('^warning: trouble marking')
        send.settle()
        tap.equal(text('remote', number), 'Tnew@y\0', 'a file that is not ours is not marked')
        send.stop()
    tap.ok(exists('remote', number), 'nor removed')


def vanished():
    """Files removed by hand under a running qmail-send."""
    control()
    now = int(time.time())
    numbers = [message(info='s@x', birth=now, remote=['Ta@y'], due=now + 3000) for _ in range(3)]
    with Send() as send:
        send.wait('^status')
        send.settle()
        os.unlink(QUEUE + path('remote', numbers[0]))
        os.unlink(QUEUE + path('info', numbers[1]))
        os.rename(QUEUE + path('mess', numbers[2]), QUEUE + 'pid/away')
        send.signal('ALRM')
        send.wait('^end msg %d$' % numbers[0])
        send.until(lambda: not exists('info', numbers[2]))
        send.settle()
        tap.equal(send.commands, [], 'nothing is delivered')
        tap.equal(lines_of(send.log, '^warning'),
                  ['warning: unable to stat ' + path('mess', numbers[2])],
                  'no warning every 123 seconds')
        tap.equal(send.stop(), 0, 'exit 0')
    tap.ok(not exists('remote', numbers[2]), 'without a text nothing stays')


def foreign_files():
    """What is no file reads as empty, but does not mean that a message is done."""
    control()
    channel, bounce, mess = (message(info='s@x', bounce=text) for text in (None, None, 'old'))
    for name in (path('local', channel), path('bounce', bounce), path('mess', mess)):
        if os.path.exists(QUEUE + name):
            os.rename(QUEUE + name, QUEUE + 'pid/kept')
        os.mkfifo(QUEUE + name)
        os.chown(QUEUE + name, *queuerig.ids('qmails'))
    with Send() as send:
        send.wait('^warning', 3)
        send.settle()
        tap.equal(sorted(send.log.splitlines()[1:]),
                  ['warning: trouble injecting bounce message, will try later'] * 2 +
                  ['warning: trouble opening %s; will try again later' % path('local', channel)],
                  'FIFOs in the place of files: said, and left alone')
        tap.equal((send.commands, send.requests), ([], []), 'nothing is delivered or removed')
        tap.equal(send.stop(), 0, 'exit 0')
    tap.ok(all(exists('info', n) for n in (channel, bounce, mess)), 'the messages stay')
    for name in (path('local', channel), path('bounce', bounce), path('mess', mess)):
        os.unlink(QUEUE + name)


def turns():
    """A message with many recipients lets others have their turn."""
    control(concurrencylocal='10\n')
    born = int(time.time()) - 10
    later = int(time.time()) + 3600
    message(info='s@x', birth=born, due=later, local=['Tmany-%d@y' % n for n in range(500)])
    message(info='s@x', birth=born, due=later + 1, local=['Tless-%d@y' % n for n in range(150)])
    message(info='s@x', birth=born, due=later + 2, local=['Tone@y'])
    message(todo=['u1', 'p2', 'Fs@x', 'Tknown@host.test'])      # once all the others are, too
    with Send() as send:
        send.wait('^end msg', 1)
        os.kill(send.pid, signal.SIGALRM)
        send.wait('^end msg', 4)
        order = [re.split('[-@]', command[4])[0] for command in send.commands]
        order.remove('known')
        rest, want = {name: order.count(name) for name in dict.fromkeys(order)}, []
        tap.equal(rest, {'many': 500, 'less': 150, 'one': 1}, 'every recipient is tried once')
        while any(rest.values()):       # who comes first, when all are due at once, is left open
            for name in rest:
                want += [name] * min(100, rest[name])
                rest[name] -= min(100, rest[name])
        tap.equal(order, want, 'a share of each in turn')
        tap.equal(send.stop(), 0, 'exit 0')


def to(send, domain):
    """Local parts of the recipients of a domain, in the order of their deliveries."""
    return [c[4].split('@')[0] for c in send.commands if c[4].split('@')[1].lower() == domain]


def shares():
    """A host that does not answer leaves places to the others, and to its own mail in turn."""
    control(concurrencyremote='20\n')
    born = int(time.time()) - 100
    for number in range(60):
        message(info='s@x', birth=born, due=born + number, remote=['Tr%d@%s' % (
            number, ('Slow.example', 'slow.EXAMPLE')[number % 2])])
    with Send(answers={'remote': [None]}) as send:
        send.until(lambda: len(send.commands) == 18)
        send.settle()
        tap.equal(to(send, 'slow.example'), ['r%d' % n for n in range(18)],
                  '18 of 20 places for one host, however it is written')
        send.answers = {'remote': ['Kok\n']}
        message(todo=['u1', 'p2', 'Fs@x'] + ['Tq%d@quick.example' % n for n in range(30)])
        pull()
        send.until(lambda: len(to(send, 'quick.example')) == 30)
        tap.equal(len(to(send, 'slow.example')), 18, 'others are delivered beside it')
        send.wait('^end msg', 1)
        for slot in (send.held.pop(9), send.held.pop(3)):
            send.report(slot[0], slot[1], 'Zlater\n')
        send.until(lambda: len(send.commands) == 60 + 30 and len(send.lines('success')) == 72)
        tap.equal(to(send, 'slow.example'), ['r%d' % n for n in range(60)],
                  'as places of the host get free the next one goes')
        send.release()
        send.wait('^end msg', 59)
        tap.equal(send.lines('^status')[-1], 'status: local 0/10 remote 0/20', 'all is given back')
        tap.equal(send.stop(), 0, 'exit 0')
        check_status(send.log)
    tap.equal(sum(1 for name in left() if name.startswith('remote/')), 2,
              'the two that were deferred stay')


def slow_list():
    """A message with many recipients at a slow host makes room for others.  At TERM nothing is lost
    of what waits."""
    control(concurrencyremote='10\n')
    born = int(time.time()) - 10
    big = message(info='s@x', birth=born, due=born, remote=(
        ['Ts%d@slow' % n for n in range(50)] + ['Tbehind@quick'] +
        ['Tt%d@slow' % n for n in range(600)] + ['Tafter@quick']))
    with Send(answers={'remote': ['Kok\n'], **{'remote %s%d@slow' % (letter, n): [None]
                                               for letter in 'st' for n in range(600)}}) as send:
        send.until(lambda: len(send.commands) == 10)
        send.settle()
        tap.equal((len(to(send, 'slow')), to(send, 'quick')), (9, ['behind']),
                  'those behind 41 that wait go on, those behind 500 do not')
        message(todo=['u1', 'p2', 'Fs@x', 'Tone@quick'])
        pull()
        send.wait('^end msg')
        tap.equal(to(send, 'quick'), ['behind', 'one'], 'another message is delivered')
        tap.equal(len(to(send, 'slow')), 9, 'and the list still waits')
        send.signal('TERM')
        send.settle()
        send.release()
        tap.equal(send.ended(), 0, 'exit 0')
        tap.equal(len(to(send, 'slow')), 9, 'nothing that waited is begun after TERM')
    done = text('remote', big).split('\0')[:-1]
    tap.equal([len([r for r in done if r.startswith(letter)]) for letter in 'DT'], [10, 642],
              'what was not begun is still to do')
    tap.ok(mtime('remote', big) <= time.time(), 'at once, when it starts again')
    with Send() as send:
        send.wait('^end msg')
        tap.equal(len(send.commands), 642, 'and is done then')
        tap.equal(send.stop(), 0, 'exit 0')


def many_lists():
    """More of them than take turns."""
    control(concurrencyremote='10\n')
    born = int(time.time()) - 100
    for number in range(12):
        message(info='s@x', birth=born, due=born + number,
                remote=['T%d-%d@Slow' % (number, n) for n in range(600)])
    message(info='s@x', birth=born, due=born + 50, remote=['Tone@quick'])
    with Send(answers={'remote': [None], 'remote one@quick': ['Kok\n']}) as send:
        send.wait('^end msg')
        tap.equal(len(to(send, 'slow')), 9, 'the last message is delivered, they wait')
        send.settle()
        before = switches(send.pid)
        time.sleep(1)       # the check is that nothing happens
        tap.equal(switches(send.pid), before, 'without a busy loop')
        send.answers = {'remote': ['Kok\n']}
        send.release()
        send.wait('^end msg', 13)
        tap.equal(sorted(to(send, 'slow')), sorted('%d-%d' % (number, n) for number in range(12)
                                                  for n in range(600)), 'each once')
        tap.equal(send.stop(), 0, 'exit 0')
    tap.equal(left(), [], 'nothing is left')


def waiting_and_deferred():
    """Who is put aside does not keep back another attempt for the others of his message."""
    control(concurrencyremote='10\n')
    born = int(time.time()) - 50
    for number in range(12):
        message(info='s@x', birth=born, due=born, remote=['T%d@slow' % number])
    both = message(info='s@x', birth=born, due=born + 1, remote=['Ta@slow', 'Tb@grey', 'Tc@quick'])
    with Send(answers={'remote': [None], 'remote b@grey': ['Zlater\n', 'Kok\n'],
                       'remote c@quick': ['Kok\n']}) as send:
        send.wait('deferral')
        send.wait('success')
        send.settle()
        tap.equal(len(to(send, 'slow')), 9, 'one recipient waits, one is deferred')
        send.signal('ALRM')
        send.wait('success', 2)
        send.settle()
        tap.equal((to(send, 'grey'), to(send, 'quick')), (['b', 'b'], ['c']),
                  'the next attempt is made meanwhile, for whom it is due')
        tap.equal(len(to(send, 'slow')), 9, 'the others wait on')
        tap.equal(text('remote', both), 'Ta@slow\0Db@grey\0Dc@quick\0', 'who is done')
        send.answers = {'remote': ['Kok\n']}
        send.release()
        send.wait('^end msg', 13)
        tap.equal(sorted(to(send, 'slow')), sorted([str(n) for n in range(12)] + ['a']),
                  'each once')
        tap.equal(send.stop(), 0, 'exit 0')
    tap.equal(left(), [], 'nothing is left')


def comes_again(send, number):
    """The files of a message are removed by hand, and another one gets its number."""
    for kind in ('info', 'remote'):
        os.unlink(QUEUE + path(kind, number))
    put(QUEUE + path('intd', number), 'u1\0p2\0Fnew@x\0Ta@quick\0Tb@slow\0', 'qmailq', 0o644)
    os.link(QUEUE + path('intd', number), QUEUE + path('todo', number))
    pull()
    send.wait('^info msg')
    send.answers = {'remote': ['Kok\n']}


def number_of_one_put_aside():
    """The number of a message that waits comes again: nobody gets the new text but those whom it is
    for."""
    control(concurrencyremote='10\n')
    born = int(time.time()) - 50
    for number in range(9):
        message(info='s@x', birth=born, due=born, remote=['T%d@slow' % number])
    old = message(info='old@x', birth=born, due=born + 1, remote=['Told@slow'])
    with Send(answers={'remote': [None], 'remote a@quick': ['Kok\n']}) as send:
        send.until(lambda: len(send.commands) == 9)
        send.settle()
        comes_again(send, old)
        send.release()
        send.wait('^end msg', 10)
        tap.equal(sorted((c[3], c[4]) for c in send.commands if int(c[2].split('/')[1]) == old),
                  [('new@x', 'a@quick'), ('new@x', 'b@slow')], 'the recipients of the new message')
        tap.equal(lines_of(send.log, '^warning'), [], 'nothing to complain of')
        tap.equal(send.stop(), 0, 'exit 0')
    tap.equal(left(), [], 'nothing is left')


def number_of_a_list():
    """The same for a list that has made room for others."""
    control(concurrencyremote='10\n')
    old = message(info='old@x', birth=int(time.time()) - 50,
                  remote=['T%d@slow' % n for n in range(700)])
    with Send(answers={'remote': [None], 'remote a@quick': ['Kok\n']}) as send:
        send.until(lambda: len(send.commands) == 9)
        send.settle()
        comes_again(send, old)
        send.release('Zlater\n')
        send.wait('^end msg')
        tap.equal([c[4] for c in send.commands[9:]], ['a@quick', 'b@slow'],
                  'nobody of the old list gets the new text')
        tap.equal(send.stop(), 0, 'exit 0')
    tap.equal(left(), [], 'nothing is left')


def share_switch():
    """control/hostshare."""
    born = int(time.time()) - 10
    for value, want in (('100', 20), ('900', 20), ('90', 18), ('50', 10), ('1', 1), ('0', 1),
                        ('many', 18)):
        control(concurrencyremote='20\n', hostshare=value + '\n')
        numbers = [message(info='s@x', birth=born, remote=['Tr@slow']) for _ in range(30)]
        with Send(answers={'remote': [None]}) as send:
            send.until(lambda: len(send.commands) == want)
            send.settle()
            tap.equal(len(send.commands), want, 'hostshare %s' % value)
            send.answers = {'remote': ['Kok\n']}
            send.release()
            send.wait('^end msg', 30)
            tap.equal(sorted(int(c[2].split('/')[1]) for c in send.commands), sorted(numbers),
                      'hostshare %s: each once' % value)
            tap.equal(send.stop(), 0, 'exit 0')
        tap.equal(left(), [], 'nothing is left')


def crowd():
    """More mail for a slow host than is put aside: that of others goes on, and then all of it."""
    control(concurrencyremote='2\n', hostshare='50\n')
    born, names = int(time.time()) - 10, 'abcdefgh'
    for name in names:
        for _ in range(1400):
            message(info='s@x', birth=born, due=born, remote=['T%s@slow' % name])

    def look_at_all(send):
        before = None
        send.until(lambda: send.commands)
        while before != switches(send.pid):
            before = switches(send.pid)
            send.settle(1)

    with Send(answers={'remote': [None]}) as send:
        look_at_all(send)
        send.signal('TERM')
        send.release()
        tap.equal((send.ended(), len(send.commands)), (0, 1), 'one of 11,200 was under way')
    dues = [due for due in (os.stat(QUEUE + name).st_mtime for name in left()
                            if name.startswith('remote/')) if due > born]
    most = max(dues.count(due) for due in set(dues))
    tap.equal((len(dues), most <= 500), (1199, True),
              'who is neither under way nor waits is looked at again, 500 in a second')
    tap.ok(min(dues) >= born + 20, 'after 10 seconds')
    with Send(answers={'remote': [None]}) as send:
        look_at_all(send)
        tap.equal(len(send.commands), 1, 'one of 11,199 is under way')
        message(todo=['u1', 'p2', 'Fs@x', 'Tone@quick'])
        send.answers = {'remote': [None], 'remote one@quick': ['Kok\n']}
        pull()
        send.wait('^end msg')
        tap.equal(to(send, 'quick'), ['one'], 'beside it, mail for another host')
        send.answers = {'remote': ['Kok\n']}
        send.release()
        send.until(lambda: send.input[0].count(b'\nend msg ') == 11200, 'all to be delivered', 120)
        tap.equal(send.stop(), 0, 'exit 0')
    tap.equal(left(), [], 'nothing is left')


def read_only():
    """Where no recipient could be marked done, none is tried; said once."""
    control()
    for number in range(3):
        message(info='s@x', local=['Tr%d@y' % number])
    place = QUEUE + 'local'
    subprocess.run(['mount', '--bind', place, place], check=True)
    try:
        subprocess.run(['mount', '-o', 'remount,bind,ro', place], check=True)
        with Send() as send:
            send.wait('^alert')
            send.signal('ALRM')
            send.settle()
            tap.equal(send.log.splitlines()[1:],
                      ['alert: unable to use queue file system: read-only file system, sleeping...'],
                      'said once, for all messages and attempts')
            tap.equal(send.commands, [], 'nothing is delivered')
            subprocess.run(['umount', place], check=True)
            send.signal('ALRM')
            send.wait('^end msg', 3)
            tap.equal(len(send.commands), 3, 'everything is, once, when it can be written')
            tap.equal(send.stop(), 0, 'exit 0')
    finally:
        subprocess.run(['umount', place], stderr=subprocess.DEVNULL, check=False)


tap.run((starting, refusals, predecessor, states, orphan_at_start, retried_marks, last_mark, schedule,
         open_pass_at_exit, alarm_and_lifetime, full_channel, many_messages,
         limits_of_spawn,
         strange_reports, batches, failed_todo, disk_trouble, quiet, syncs, bounce_faults,
         unsynced_bounce, empty_bounce,
         refused_bounces, hurried_bounce, slow_bounce, stripped_bounces, odd_senders, hup, lost_peers,
         last_reports, stale_bounce, with_todo, announced_twice, number_used_again, vanished,
         foreign_files, turns, shares, slow_list, many_lists, waiting_and_deferred,
         number_of_one_put_aside, number_of_a_list, share_switch, crowd, read_only), Stuck)
