#!/usr/bin/python3
"""qmail-local-stay.t - the qmail-local that does one delivery after the other for a user: only what
ends in Maildirs or nowhere, as a qmail-local of their own would do it."""
import os
import resource
import select
import signal
import subprocess
import sys

sys.path[:0] = ['tests', 'tests/prog', 'tests/world']
import queuedir as q                    # noqa: E402
import staying as stays                 # noqa: E402
import tap                              # noqa: E402
from host import read                   # noqa: E402

RESIDENT = 'local-stay'
DONE = b'Kdid 1+0+0\n'
JOE = '/home/joe/'
MANY = 60               # fewer than there are slots, twice as many are more


def lspawn(**more):
    return q.Spawn('qmail-lspawn', './Maildir/', env=dict(os.environ, **more))


def send(daemon, recipient=b'joe@y.example', **more):
    return daemon.one(recipient, **more)


def ready(daemon, *former, recipient=b'joe@y.example'):
    """A process that has done a delivery and waits for the next one, none of these."""
    return stays.ready(daemon, RESIDENT, lambda: send(daemon, recipient), DONE, *former)


def frozen(daemon, *former):
    """... and is stopped."""
    return stays.frozen(daemon, RESIDENT, lambda: send(daemon, b'joe@y.example'), DONE, *former)


def boxes(home=JOE):
    """The messages in a Maildir, which is empty afterwards; nothing is left in tmp."""
    texts = []
    for name in os.listdir(home + 'Maildir/new'):
        texts.append(read(home + 'Maildir/new/' + name))
        os.unlink(home + 'Maildir/new/' + name)
    tap.equal(os.listdir(home + 'Maildir/tmp'), [], 'nothing in tmp')
    return texts


def instructions(ext, text, mode=0o644):
    with open(JOE + '.qmail-' + ext, 'w') as file:
        file.write(text)
    os.chmod(JOE + '.qmail-' + ext, mode)


def staying():
    daemon = lspawn()
    first = ready(daemon)
    boxes()
    tap.equal(stays.executed(daemon, lambda: [send(daemon) for _ in range(3)]), 0,
              'no program is started for the next ones')
    tap.equal(stays.children(daemon, RESIDENT), [first], 'it is the same one')
    want = 'Return-Path: <s@x.example>\nDelivered-To: joe@y.example\nReceived: x\n\nhello\n'
    tap.equal(boxes(), [want] * 3, 'three messages, each as ever')
    status = read('/proc/%d/status' % first)
    lines = dict(line.split(':\t', 1) for line in status.splitlines() if ':\t' in line)
    tap.equal([lines[name].split() for name in ('Uid', 'Gid', 'Groups')],
              [['5001'] * 4, ['5001'] * 4, ['5001']], 'it is the user, with one group')
    tap.equal(stays.open_files(first), ['socket', 'socket'], 'it has nothing open but its socket')
    tap.equal(os.readlink('/proc/%d/cwd' % first), '/', 'no directory of the user is in use')
    tap.equal(read('/proc/%d/cmdline' % first).rstrip('\0'), q.program('qmail-local'),
              'it shows no arguments')
    ready(daemon, first, recipient=b'ann@y.example')
    tap.equal(len(boxes('/home/ann/')) > 0, True, 'another user has a process of her own')
    tap.equal(send(daemon, b'joe@y.example', message=b'0/24')[:1], b'D', 'a message that loops')
    q.wait_until(lambda: not stays.children(daemon, RESIDENT))
    tap.ok(stays.ended(first), 'they end when they have had nothing to do for a while')
    tap.equal(daemon.close(), 0, 'end')
    boxes()


def others():
    """What is more than Maildirs is done by a program of its own, once."""
    instructions('program', '|echo "$USER $EXT $SENDER"; echo x >>/tmp/ran; exit 99\n')
    instructions('both', './Maildir/\n|echo y >>/tmp/ran\n')
    instructions('mbox', './mbox\n')
    instructions('list', '&nobody@nowhere.example\n', 0o744)
    instructions('nothing', '#\n')
    instructions('blank', '\n./Maildir/\n')
    instructions('shut', './Maildir/\n', 0o666)
    with open('/tmp/ran', 'w') as file:
        os.chmod(file.name, 0o666)
    q.stub('qmail-queue', '#!/bin/sh\ncat >/dev/null\ncat <&1 >/dev/null\n')
    daemon = lspawn()
    ready(daemon)
    boxes()
    for ext, want in (('program', b'Kjoe program s@x.example\ndid 0+0+1\n'),
                      ('both', b'Kdid 1+0+1\n'), ('mbox', b'Kdid 1+0+0\n'),
                      ('nothing', b'Kdid 0+0+0\n')):
        tap.equal(send(daemon, b'joe-%s@y.example' % ext.encode()), want, ext)
    tap.ok(send(daemon, b'joe-list@y.example').startswith(b'Kdid 0+1+0\nqp '), 'list')
    tap.equal((read('/tmp/ran'), len(boxes()), read(JOE + 'mbox').count('\nhello\n')),
              ('x\ny\n', 1, 1), 'each of them once')
    for ext, want in (('blank', b'ZUh-oh: first line of .qmail file is blank. (#4.2.1)\n'),
                      ('shut', b'ZUh-oh: .qmail file is writable. (#4.7.0)\n'),
                      ('absent', b'DSorry, no mailbox here by that name. (#5.1.1)\n')):
        tap.equal(send(daemon, b'joe-%s@y.example' % ext.encode()), want, ext)
    os.rename(JOE + 'Maildir', JOE + 'away')
    tap.equal(send(daemon), b'ZUnable to chdir to maildir. (#4.2.1)\n', 'no Maildir')
    os.rename(JOE + 'away', JOE + 'Maildir')
    os.chmod(JOE, 0o777)
    tap.equal(send(daemon), b'ZUh-oh: home directory is writable. (#4.7.0)\n', 'home')
    os.chmod(JOE, 0o755)
    tap.equal(send(daemon), DONE, 'all is well again')
    tap.equal(daemon.close(), 0, 'end')
    q.unstub('qmail-queue')
    boxes()


def declined():
    """Whose mail goes to a program has no process tried in vain for long."""
    daemon = lspawn()
    ready(daemon)
    q.wait_until(lambda: not stays.children(daemon, RESIDENT))
    for _ in range(3):
        send(daemon, b'joe-program@y.example')
    q.wait_until(lambda: not stays.children(daemon, RESIDENT))
    boxes()
    daemon.close()
    daemon = lspawn()
    ready(daemon)
    said = []
    trace = stays.traced(daemon, lambda: said.append(send(daemon, b'joe-program@y.example')),
                         '-e', 'inject=clone,clone3,fork:error=EAGAIN')
    tap.equal(said, [b'Zqmail-spawn unable to fork. (#4.3.0)\n'],
              'declined, and no process for it: a report')
    tap.ok('(INJECTED)' in trace, 'that was the reason')
    for _ in range(3):
        send(daemon, b'joe-program@y.example')
    q.wait_until(lambda: not stays.children(daemon, RESIDENT))
    # The program is qmail-local, then the shell.
    tap.equal(stays.executed(daemon, lambda: send(daemon, b'joe-program@y.example')), 2,
              'only what the delivery needs is run')
    tap.equal(daemon.close(), 0, 'end')
    boxes()


def killed():
    daemon = lspawn()
    first = frozen(daemon)
    os.kill(first, signal.SIGKILL)
    q.wait_until(lambda: stays.ended(first))
    tap.equal(send(daemon), DONE, 'killed between two deliveries: none suffers')
    second = frozen(daemon, first)
    daemon.command(0, b'joe@y.example')
    daemon.command(1, b'joe@y.example')
    tap.equal(daemon.report(), (1, DONE), 'one hangs: another delivers the next message')
    os.kill(second, signal.SIGKILL)
    tap.equal(daemon.report(), (0, DONE), 'killed before it has begun: done all the same')
    tap.equal(daemon.close(), 0, 'end')
    boxes()


def unable():
    """Users may not run it any more: what could not begin is begun as ever."""
    daemon = lspawn()
    first = ready(daemon)
    program = q.program('qmail-local')
    os.rename(program, program + '.away')
    tap.equal(send(daemon), b'DUnable to run qmail-local.\n', 'the program is away')
    q.wait_until(lambda: stays.ended(first))
    tap.ok(True, 'with it those that stayed')
    os.rename(program + '.away', program)
    tap.equal(send(daemon), DONE, 'it is back')
    ready(daemon, first)
    subprocess.run(['cp', program, program + '.new'], check=True)
    os.chmod(program + '.new', 0o711)
    second, = stays.children(daemon, RESIDENT)
    os.rename(program + '.new', program)
    tap.equal(send(daemon), DONE, 'another file in its place')
    q.wait_until(lambda: stays.ended(second))
    tap.ok(True, 'the one before ends')
    tap.equal(daemon.close(), 0, 'end')
    daemon = lspawn(QMAILLOCAL=program)
    # Until the qmail-getpw that stays has greeted, there are others.
    q.wait_until(lambda: stays.executed(daemon, lambda: [send(daemon) for _ in range(4)]) == 4)
    tap.equal((stays.executed(daemon, lambda: send(daemon)), stays.children(daemon, RESIDENT)),
              (1, []), 'QMAILLOCAL: each by a program of its own')
    tap.equal(daemon.close(), 0, 'end')
    boxes()


def renewed():
    daemon = lspawn()
    first = ready(daemon)
    done = 0
    while first in stays.children(daemon, RESIDENT):
        send(daemon)
        done += 1
    tap.ok(90 <= done <= 100, 'another one after a while', done)
    tap.equal(daemon.close(), 0, 'end')
    tap.ok(len(boxes()) >= done, 'nothing is lost')


def few_files():
    """Those that wait keep no descriptors from deliveries."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, limits[1]))
    daemon = lspawn()                   # has one for each slot then, and few more
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    os.mkfifo('/tmp/gate')
    os.chmod('/tmp/gate', 0o666)
    gate = os.open('/tmp/gate', os.O_RDWR)
    with open('/home/ann/.qmail-hold', 'w') as file:
        file.write('|dd bs=1 count=1 </tmp/gate >/dev/null 2>&1\n')

    def begun():
        running = subprocess.run(['pgrep', '-xc', 'dd'], stdout=subprocess.PIPE, check=False)
        return int(running.stdout) == MANY or select.select([daemon.process.stdout], [], [], 0)[0]

    ready(daemon)
    ready(daemon, recipient=b'ann@y.example')
    for recipient, want in ((b'joe', DONE), (b'ann-hold', b'Kdid 0+0+1\n')):
        for slot in range(MANY):
            daemon.command(slot, recipient + b'@y.example')
        if recipient != b'joe':
            q.wait_until(begun)
            os.write(gate, MANY * b'x')
        reports = daemon.reports(MANY)
        tap.equal(set(reports.values()), {want}, '%d at once, with few descriptors' % len(reports))
    os.close(gate)
    tap.equal(daemon.close(), 0, 'end')
    boxes()
    boxes('/home/ann/')


q.put('mess/0/23', b'Received: x\n\nhello\n')
q.put('mess/0/24', b'Delivered-To: joe@y.example\n\nhello\n')
for user in ('joe', 'ann'):
    subprocess.run(['su', user, '-c', 'test -d Maildir || %s Maildir' % q.program('maildirmake')],
                   cwd='/home/' + user, check=True)
staying()
others()
declined()
killed()
unable()
renewed()
few_files()
sys.exit(tap.done())
