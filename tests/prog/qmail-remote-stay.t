#!/usr/bin/python3
"""qmail-remote-stay.t - the qmail-remote that begins deliveries for qmail-rspawn: that it does what
a qmail-remote of their own would do, and that no delivery suffers when it is in trouble."""
import os
import signal
import subprocess
import sys
import threading
import time

sys.path[:0] = ['tests', 'tests/prog', 'tests/world']
import procmem                          # noqa: E402
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402
from host import read                   # noqa: E402
from remoteserver import OK, Smtp, control, stop    # noqa: E402

RESIDENT = 'remote-stay'
ACCEPTED = b'K127.0.0.2 accepted message.\nRemote host said: 250 done\n'
AGAIN = q.home() + '/control/'


def rspawn(**more):
    return q.Spawn('qmail-rspawn', user='qmailr',
                   env=dict(os.environ, PATH='/nowhere:' + q.home() + '/bin:/usr/bin:/bin', **more))


def children(daemon, name):
    """Pids of its processes of exactly this name."""
    out = subprocess.run(['pgrep', '-x', '-P', str(daemon.process.pid), name],
                         stdout=subprocess.PIPE, check=False).stdout
    return [int(pid) for pid in out.split()]


def send(daemon, **more):
    return daemon.one(b'r@y.example', sender=b's@x.example', **more)


def ready(daemon, *former):
    """Deliveries until one has been begun by a process that stays, none of these; its pid."""
    def began():
        good = send(daemon) == ACCEPTED
        new = [pid for pid in children(daemon, RESIDENT) if pid not in former]
        return good and new
    pid, = q.wait_until(began)
    return pid


def executed(daemon, what):
    """Runs what(); how many programs the daemon and its children have started meanwhile."""
    strace = subprocess.Popen(['strace', '-f', '-qq', '-e', 'trace=execve', '-p',
                               str(daemon.process.pid), '-o', '/tmp/executed'],
                              stderr=subprocess.DEVNULL)
    q.wait_until(lambda: 'TracerPid:\t%d\n' % strace.pid in read(
        '/proc/%d/status' % daemon.process.pid))
    what()
    strace.send_signal(signal.SIGINT)
    strace.wait()
    return read('/tmp/executed').count('execve(')


def staying(server):
    """One for many deliveries, each of them a process that looks as ever."""
    daemon = rspawn()
    first = ready(daemon)
    tap.ok(True, 'a delivery by a process that stays')
    tap.equal(executed(daemon, lambda: [send(daemon) for _ in range(3)]), 0,
              'no program is started for the next ones')
    tap.equal(children(daemon, RESIDENT), [first], 'it is the same one')
    tap.equal(read('/proc/%d/cmdline' % first).rstrip('\0'), q.program('qmail-remote'),
              'it shows no arguments')
    daemon.one(b'another@' + b'y' * 500 + b'.example', sender=b'private@x.example')
    greeted, gate, held = threading.Event(), threading.Event(), OK[:]

    def hold(connection):
        greeted.set()
        gate.wait(30)
        connection.sendall(b'250 mx\r\n')
        return connection
    held[1] = hold
    server.replies = held
    daemon.command(3, b'r@y.example', sender=b's@x.example')
    tap.ok(greeted.wait(30), 'a delivery waits for its peer')
    delivery, = q.wait_until(lambda: children(daemon, 'qmail-remote'))
    shown = read('/proc/%d/cmdline' % delivery)
    tap.equal(shown.rstrip('\0').split('\0'), ['qmail-remote', 'y.example', 's@x.example',
                                               'r@y.example'], 'ps shows what is delivered')
    seen = procmem.count(delivery, (b's@x.example', b'private@', b'another@'))
    tap.ok(seen.pop(b's@x.example') > 0, 'its own sender is in its memory')
    tap.equal(sum(seen.values()), 0, 'it knows nothing of the one before')
    kinds = sorted(os.path.basename(os.readlink('/proc/%d/fd/%s' % (delivery, fd))).split(':')[0]
                   for fd in os.listdir('/proc/%d/fd' % delivery))
    tap.equal(kinds, ['23', 'pipe', 'pipe', 'socket'], 'it has message, report and connection open')
    tap.ok('\nNoNewPrivs:\t1\n' in read('/proc/%d/status' % delivery), 'it is in its sandbox')
    os.kill(first, signal.SIGKILL)
    q.wait_until(lambda: not children(daemon, RESIDENT))
    gate.set()
    tap.equal(daemon.report(), (3, ACCEPTED), 'it goes on without the one that has begun it')
    server.replies = OK
    tap.equal(send(daemon), ACCEPTED, 'that was killed: no delivery suffers')
    second = ready(daemon, first)
    tap.ok(second != first, 'another one is started')
    many = b'r@' + b'y' * 1200 + b'.example'
    tap.equal(daemon.one(many, sender=b's@x.example'), ACCEPTED, 'more than ps has room for')
    tap.equal(daemon.close(), 0, 'end')
    q.wait_until(lambda: not os.path.exists('/proc/%d' % second))
    tap.ok(True, 'it ends with qmail-rspawn')


def silent():
    """It does not answer: what was handed over may have begun, so nobody else delivers it now."""
    daemon = rspawn()
    first = ready(daemon)
    os.kill(first, signal.SIGSTOP)
    tap.equal(send(daemon), b'Zqmail-remote produced no output.\n', 'it does not answer')
    q.wait_until(lambda: first not in children(daemon, RESIDENT))
    tap.ok(True, 'it is killed')
    tap.equal(send(daemon), ACCEPTED, 'the next one is delivered')
    tap.equal(daemon.close(), 0, 'end')


def fresh(server):
    """Changed control files count for the next delivery."""
    daemon = rspawn()
    first = ready(daemon)

    def says(name, why):
        del server.seen[:]
        tap.equal(send(daemon), ACCEPTED, why)
        # The server may only now read how the session before has ended.
        tap.equal([line for line in server.seen if line[:4] == 'EHLO'], ['EHLO ' + name],
                  why + ': the name')
    with open(AGAIN + 'helohost', 'w') as file:
        file.write('one.example\n')
    says('one.example', 'a new file')
    with open(AGAIN + 'helohost', 'w') as file:
        file.write('two.example\n')
    says('two.example', 'the same file, written again at once')
    os.utime(AGAIN + 'helohost', (1, 1))
    with open(AGAIN + 'new', 'w') as file:
        file.write('three.example\n')
    os.rename(AGAIN + 'new', AGAIN + 'helohost')
    says('three.example', 'another file in its place')
    os.unlink(AGAIN + 'helohost')
    says('me.example', 'no file any more')
    os.symlink('/etc/helohost', AGAIN + 'helohost')
    # What was changed just now is read each time.
    q.wait_until(lambda: time.time() > os.stat(AGAIN).st_ctime + 3)
    says('me.example', 'a link that leads nowhere')
    says('me.example', 'nor has that changed')
    with open('/etc/helohost', 'w') as file:
        file.write('four.example\n')
    says('four.example', 'it leads somewhere')
    os.unlink(AGAIN + 'helohost')
    tap.equal(children(daemon, RESIDENT), [first], 'all by one process')
    os.rename(AGAIN + 'me', AGAIN + 'away')
    tap.equal(send(daemon), b'ZUnable to read control files. (#4.3.0)\n', 'no name at all')
    os.rename(AGAIN + 'away', AGAIN + 'me')
    tap.equal(send(daemon), ACCEPTED, 'all is well again')
    tap.equal(daemon.close(), 0, 'end')


def secret():
    """With a password among the routes nothing stays."""
    with open(AGAIN + 'smtproutes', 'a') as file:
        file.write('z.example:127.0.0.9|user|secret\n')
    daemon = rspawn()
    tap.equal([send(daemon) for _ in range(5)], [ACCEPTED] * 5, 'a password: deliveries')
    q.wait_until(lambda: send(daemon) == ACCEPTED and not children(daemon, RESIDENT) and
                 not children(daemon, 'qmail-remote'))
    tap.ok(executed(daemon, lambda: send(daemon)) >= 1, 'each by a program of its own')
    tap.equal(daemon.close(), 0, 'end')
    control(smtproutes=':127.0.0.2')


def renewed():
    """No more than a hundred by one: all of them have the same addresses in memory."""
    control(smtproutes='refused.example:127.0.0.3\n:127.0.0.2')
    daemon = rspawn()
    first = ready(daemon)
    for number in range(200):
        daemon.command(number % 10, b'r@refused.example')
        if number >= 9:
            daemon.report()
    for _ in range(9):
        daemon.report()
    second = ready(daemon, first)
    tap.ok(second != first and not os.path.exists('/proc/%d' % first), 'another one after a while')
    tap.equal(daemon.close(), 0, 'end')


def others():
    """A program that QMAILREMOTE names is run each time."""
    daemon = rspawn(QMAILREMOTE=q.program('qmail-remote'))
    tap.equal([send(daemon) for _ in range(3)], [ACCEPTED] * 3, 'QMAILREMOTE: deliveries')
    tap.equal(executed(daemon, lambda: send(daemon)), 1, 'each by a program of its own')
    tap.equal(children(daemon, RESIDENT), [], 'nothing stays')
    tap.equal(daemon.close(), 0, 'end')


q.put('mess/0/23', b'Received: x\n\nhello\n')
control(smtproutes=':127.0.0.2')
SERVER = Smtp('127.0.0.2', OK)
staying(SERVER)
silent()
fresh(SERVER)
secret()
renewed()
others()
stop(SERVER)
sys.exit(tap.done())
