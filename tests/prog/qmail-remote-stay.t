#!/usr/bin/python3
"""qmail-remote-stay.t - the qmail-remote that does one delivery after the other for qmail-rspawn: that
it does what a qmail-remote of their own would do, and that none is lost when it is in trouble."""
import os
import signal
import subprocess
import sys
import threading
import time

sys.path[:0] = ['tests', 'tests/prog', 'tests/world']
import queuedir as q                    # noqa: E402
import staying as stays                 # noqa: E402
import tap                              # noqa: E402
import tlsworld                         # noqa: E402
from host import read                   # noqa: E402
from remoteserver import OK, Smtp, control, stop    # noqa: E402

RESIDENT = 'remote-stay'
ACCEPTED = b'K127.0.0.2 accepted message.\nRemote host said: 250 done\n'
AGAIN = q.home() + '/control/'


def send(daemon, **more):
    return daemon.one(b'r@y.example', sender=b's@x.example', **more)


def ready(daemon, *former):
    """A process that has done a delivery and waits for the next one, none of these."""
    return stays.ready(daemon, RESIDENT, lambda: send(daemon), ACCEPTED, *former)


def frozen(daemon, *former):
    """... and is stopped."""
    return stays.frozen(daemon, RESIDENT, lambda: send(daemon), ACCEPTED, *former)


def held(server):
    """The server waits with its answer to EHLO: (event that it does, event that it may go on)."""
    greeted, gate, replies = threading.Event(), threading.Event(), OK[:]

    def hold(connection):
        greeted.set()
        gate.wait(30)
        connection.sendall(b'250 mx\r\n')
        return connection
    replies[1] = hold
    server.replies = replies
    return greeted, gate


def staying(server):
    """One process for many deliveries, which looks during each as ever."""
    daemon = stays.rspawn()
    first = ready(daemon)
    tap.ok(True, 'a delivery by a process that stays')
    tap.equal(stays.executed(daemon, lambda: [send(daemon) for _ in range(3)]), 0,
              'no program is started for the next ones')
    tap.equal(stays.children(daemon, RESIDENT), [first], 'it is the same one')
    tap.equal(read('/proc/%d/cmdline' % first).rstrip('\0'), q.program('qmail-remote'),
              'it shows no arguments')
    tap.equal(stays.open_files(first), ['socket', 'socket'], 'it has nothing open but its socket')
    daemon.one(b'another@' + b'y' * 500 + b'.example', sender=b'private@x.example')
    greeted, gate = held(server)
    daemon.command(3, b'r@y.example', sender=b's@x.example')
    tap.ok(greeted.wait(30), 'a delivery waits for its peer')
    tap.equal(stays.children(daemon, 'qmail-remote'), [first], 'it has another name meanwhile')
    shown = read('/proc/%d/cmdline' % first)
    tap.equal(shown.rstrip('\0').split('\0'), ['qmail-remote', 'y.example', 's@x.example',
                                               'r@y.example'], 'ps shows what is delivered')
    tap.equal(stays.open_files(first), ['23', 'socket', 'socket', 'socket'],
              'it has message, socket and connection open')
    tap.ok('\nNoNewPrivs:\t1\n' in read('/proc/%d/status' % first), 'it is in its sandbox')
    daemon.command(4, b'r@y.example', sender=b's@x.example')
    gate.set()
    tap.equal(daemon.reports(2), {3: ACCEPTED, 4: ACCEPTED}, 'two at once')
    server.replies = OK
    tap.equal(len(stays.children(daemon, RESIDENT)), 2, 'need two')
    q.wait_until(lambda: not stays.children(daemon, RESIDENT))
    tap.ok(stays.ended(first), 'they end when they have had nothing to do for a while')
    second = ready(daemon)
    many = b'r@' + b'y' * 1200 + b'.example'
    tap.equal(daemon.one(many, sender=b's@x.example'), ACCEPTED, 'more than ps has room for')
    tap.equal(daemon.close(), 0, 'end')
    q.wait_until(lambda: stays.ended(second))
    tap.ok(True, 'it ends with qmail-rspawn')


def killed(server):
    """While it waits, nobody notices; in a delivery it is what a crash has always been."""
    daemon = stays.rspawn()
    first = frozen(daemon)
    os.kill(first, signal.SIGKILL)
    q.wait_until(lambda: stays.ended(first))
    tap.equal(send(daemon), ACCEPTED, 'killed between two deliveries: none suffers')
    second = frozen(daemon, first)
    daemon.command(0, b'r@y.example', sender=b's@x.example')
    daemon.command(1, b'r@y.example', sender=b's@x.example')
    tap.equal(daemon.report(), (1, ACCEPTED), 'one hangs: another delivers the next message')
    os.kill(second, signal.SIGKILL)
    tap.equal(daemon.report(), (0, ACCEPTED), 'killed before it has begun: done all the same')
    greeted, gate = held(server)
    daemon.command(0, b'r@y.example', sender=b's@x.example')
    tap.ok(greeted.wait(30), 'a delivery waits for its peer')
    os.kill(*stays.children(daemon, 'qmail-remote'), signal.SIGKILL)
    tap.equal(daemon.report(), (0, b'Zqmail-remote crashed.\n'), 'killed in the middle')
    gate.set()
    server.replies = OK
    tap.equal(send(daemon), ACCEPTED, 'the next one is delivered')
    tap.equal(daemon.close(), 0, 'end')


def encrypted(server):
    """The qmail-tls of a delivery is gone after it, and its descriptors."""
    tlsworld.set_up()
    handshake = tlsworld.starttls()
    server.replies = ['220 hi', '250-mx\n250 STARTTLS', handshake] + OK[1:]
    daemon = stays.rspawn()
    first = ready(daemon)
    del server.seen[:]
    tap.equal([send(daemon) for _ in range(3)], [ACCEPTED] * 3, 'TLS: deliveries')
    tap.ok(server.seen.count('STARTTLS') >= 3, 'with TLS', server.seen)
    q.wait_until(lambda: not stays.all_children(first) and not stays.ended(first))
    tap.ok(True, 'no qmail-tls is left, not even a dead one')
    tap.equal(stays.open_files(first), ['socket', 'socket'], 'it has nothing open but its socket')
    ready(daemon)
    program = q.program('qmail-tls')
    subprocess.run(['cp', '-p', program, program + '.new'], check=True)
    os.rename(program + '.new', program)
    tap.equal(send(daemon), ACCEPTED, 'another qmail-tls in its place: still with TLS')
    tap.equal(daemon.close(), 0, 'end')
    server.replies = OK
    tlsworld.tear_down()


def fresh(server):
    """Changed control files count for the next delivery."""
    daemon = stays.rspawn()
    ready(daemon)

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
    tap.equal(send(daemon), b'ZUnable to read control files. (#4.3.0)\n',
              'a link that leads nowhere')
    with open('/etc/helohost', 'w') as file:
        file.write('four.example\n')
    says('four.example', 'it leads somewhere')
    # What was changed just now is read each time.
    q.wait_until(lambda: time.time() > os.stat('/etc/helohost').st_ctime + 3)
    ready(daemon)
    with open('/etc/new', 'w') as file:
        file.write('five.example\n')
    os.rename('/etc/new', '/etc/helohost')
    says('five.example', 'it leads to another file')
    os.unlink(AGAIN + 'helohost')
    os.rename(AGAIN + 'me', AGAIN + 'away')
    tap.equal(send(daemon), b'ZUnable to read control files. (#4.3.0)\n', 'no name at all')
    os.rename(AGAIN + 'away', AGAIN + 'me')
    tap.equal(send(daemon), ACCEPTED, 'all is well again')
    with open(AGAIN + 'smtproutes', 'a') as file:
        file.write('z.example:127.0.0.9|user|secret\n')
    tap.equal([send(daemon) for _ in range(3)], [ACCEPTED] * 3, 'a password since')
    q.wait_until(lambda: not stays.children(daemon, RESIDENT))
    tap.ok(True, 'nothing stays that could know it')
    control(smtproutes=':127.0.0.2')
    tap.equal(daemon.close(), 0, 'end')


def secret():
    """With a password among the routes nothing stays."""
    with open(AGAIN + 'smtproutes', 'a') as file:
        file.write('z.example:127.0.0.9|user|secret\n')
    daemon = stays.rspawn()
    tap.equal([send(daemon) for _ in range(5)], [ACCEPTED] * 5, 'a password: deliveries')
    q.wait_until(lambda: send(daemon) == ACCEPTED and not stays.children(daemon, RESIDENT) and
                 not stays.children(daemon, 'qmail-remote'))
    tap.ok(stays.executed(daemon, lambda: send(daemon)) >= 1, 'each by a program of its own')
    tap.equal(daemon.close(), 0, 'end')
    control(smtproutes=':127.0.0.2')


def renewed():
    """No more than a hundred by one: all of them have the same addresses in memory."""
    control(smtproutes='refused.example:127.0.0.3\n:127.0.0.2')
    # What was changed just now is read each time.
    q.wait_until(lambda: time.time() > os.stat(AGAIN + 'smtproutes').st_ctime + 3)
    daemon = stays.rspawn()
    first = ready(daemon)
    done = 0
    while first in stays.children(daemon, RESIDENT):
        daemon.one(b'r@refused.example')
        done += 1
    tap.ok(90 <= done <= 100, 'another one after a while', done)
    tap.equal(daemon.close(), 0, 'end')


def others():
    """A program that QMAILREMOTE names is run each time."""
    daemon = stays.rspawn(QMAILREMOTE=q.program('qmail-remote'))
    tap.equal([send(daemon) for _ in range(3)], [ACCEPTED] * 3, 'QMAILREMOTE: deliveries')
    tap.equal(stays.executed(daemon, lambda: send(daemon)), 1, 'each by a program of its own')
    tap.equal(stays.children(daemon, RESIDENT), [], 'nothing stays')
    tap.equal(daemon.close(), 0, 'end')


q.put('mess/0/23', b'Received: x\n\nhello\n')
control(smtproutes=':127.0.0.2')
SERVER = Smtp('127.0.0.2', OK)
staying(SERVER)
killed(SERVER)
encrypted(SERVER)
fresh(SERVER)
secret()
renewed()
others()
stop(SERVER)
sys.exit(tap.done())
