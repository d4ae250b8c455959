#!/usr/bin/python3
"""qmail-rspawn.t - how it finds its program, what it makes of the output, the tcpto tables."""
import os
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

SHOW = '#!/bin/sh\nprintf "r\\0K$0 $1 $2 $3 %s\\0" "$(head -n 1)"\n'


def rspawn(**more):
    env = dict(os.environ, PATH=q.home() + '/bin:/usr/bin:/bin', **more)
    return q.Spawn('qmail-rspawn', user='qmailr', env=env)


def one(want, name, **more):
    daemon = rspawn(**more)
    tap.equal(daemon.one(b'bob@c.example', sender=b'joe@a.example'), want, name)
    tap.equal(daemon.close(), 0, 'end')


def program():
    q.stub('qmail-remote', SHOW)
    args = b' c.example joe@a.example bob@c.example Received: x'
    one(b'K' + q.program('qmail-remote').encode() + args, 'qmail-remote from PATH')
    one(b'K' + q.program('qmail-remote').encode() + args, 'empty variable', QMAILREMOTE='')
    q.stub('other', SHOW)
    one(b'K' + q.program('other').encode() + args, 'QMAILREMOTE, a name', QMAILREMOTE='other')
    one(b'K' + q.program('other').encode() + args, 'QMAILREMOTE, a path',
        QMAILREMOTE=q.program('other'))
    one(b'DUnable to run qmail-remote.\n', 'no such program', QMAILREMOTE='nowhere')
    os.chmod(q.program('other'), 0o600)
    one(b'DUnable to run qmail-remote.\n', 'not executable', QMAILREMOTE=q.program('other'))


def output():
    daemon = rspawn()
    for text, want in (
            ('printf "r\\0Kok\\n\\0"', b'Kok\n'),
            ('printf "sx\\0"', b'Zx'),
            ('printf "hx\\0"', b'Dx'),
            ('printf "r\\0"', b'Z'),
            ('printf "Kunfinished"', b'Zqmail-remote crashed.\n'),
            ('true', b'Zqmail-remote produced no output.\n'),
            ('printf "r\\0Kok\\n\\0"; exit 111', b'ZUnable to run qmail-remote.\n'),
            ('printf "r\\0Kok\\n\\0"; exit 3', b'DUnable to run qmail-remote.\n'),
            ('printf "r\\0Kok\\n\\0"; kill -9 $$', b'Zqmail-remote crashed.\n'),
            ('printf "r\\0K"; head -c 9000 /dev/zero | tr "\\0" x; printf "\\0"',
             b'K' + b'x' * 9000),
            ('printf "r"; head -c 100000 /dev/zero | tr "\\0" x; printf "\\0Kok\\0"',
             b'Zqmail-remote crashed.\n')):
        q.stub('qmail-remote', '#!/bin/sh\n%s\n' % text)
        tap.equal(daemon.one(), want, text)
    q.stub('qmail-remote', '#!/bin/sh\nsleep 100 & printf "r\\0Kok\\n\\0"\n')
    begun = time.monotonic()
    tap.equal(daemon.one(), b'Kok\n', 'a process left in the background')
    tap.ok(time.monotonic() - begun < 15, 'is not waited for')
    tap.equal(daemon.one(b'bob'), b'DSorry, address must include host name. (#5.1.3)\n', 'no host')
    tap.equal(daemon.close(), 0, 'end')


def burst():
    """Reports that are made together but do not fit into one write; all of memory is in use."""
    q.stub('qmail-remote', '#!/bin/sh\nprintf "r\\0K"; head -c 9000 /dev/zero | tr "\\0" x; '
           'printf "\\0"; while [ ! -e %s/go ]; do sleep 0.05; done\n' % q.QUEUE)
    # As root, so that we may limit it.
    daemon = q.Spawn('qmail-rspawn', env=dict(os.environ, PATH=q.home() + '/bin:/usr/bin:/bin'))
    for slot in range(30):
        daemon.command(slot)
    q.wait_until(lambda: len(subprocess.run(
        ['pgrep', '-P', str(daemon.process.pid)], stdout=subprocess.PIPE,
        check=False).stdout.split()) == 30)
    os.kill(daemon.process.pid, signal.SIGSTOP)
    if not os.environ.get('SAN'):       # a sanitizer needs memory itself
        resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (0, 0))
    q.put('go')
    q.wait_until(lambda: [state[:1] for state in subprocess.run(
        ['ps', '-o', 'stat=', '--ppid', str(daemon.process.pid)], stdout=subprocess.PIPE,
        check=False).stdout.split()] == [b'Z'] * 30)
    os.kill(daemon.process.pid, signal.SIGCONT)
    reports = daemon.reports(30)
    tap.equal(sorted(reports), list(range(30)), 'a report for each slot')
    tap.equal(daemon.close(), 0, 'end')


def commands(daemon, *rows):
    """All in one write."""
    daemon.to.write(b''.join(bytes([slot]) + b'0/23\0' + sender + b'\0' + recipient + b'\0'
                             for slot, recipient, sender in rows))


def batches():
    """control/remotebatch: recipients that go together, and whose report is whose."""
    runs = q.QUEUE + '/runs'
    q.stub('qmail-remote', """#!/bin/sh
echo "$*" >>%s
host=$1; shift 2
for r; do
	case $r in
	bad*) printf 'hbad %%s\\0' "$r";;
	late*) printf 'slate\\0';;
	*) printf 'r\\0';;
	esac
done
[ "$host" = down.test ] || printf 'K%%s recipients\\0' $#
""" % runs)
    put = q.home() + '/control/remotebatch'
    rows = [(0, b'a@x.test', b's@y'), (1, b'bad@X.test', b's@y'), (2, b'late@x.test', b's@y'),
            (3, b'd@x.test', b's@y'), (4, b'e@x.test', b'other@y'), (5, b'f@z.test', b'other@y'),
            (6, b'g@down.test', b's@y'), (7, b'h@down.test', b's@y')]
    for limit, lines in (
            (None, 8), ('1\n', 8), ('0\n', 8), ('x\n', 8),
            ('3\n', ['x.test s@y a@x.test bad@X.test late@x.test', 'x.test s@y d@x.test',
                     'x.test other@y e@x.test', 'z.test other@y f@z.test',
                     'down.test s@y g@down.test h@down.test'])):
        if limit:
            with open(put, 'w') as file:
                file.write(limit)
        open(runs, 'w').close()
        os.chmod(runs, 0o666)
        daemon = rspawn()
        commands(daemon, *rows)
        got = daemon.reports(8)
        tap.equal(daemon.close(), 0, 'end')
        with open(runs) as file:
            ran = file.read().splitlines()
        if isinstance(lines, int):
            tap.equal(len(ran), lines, 'remotebatch %r: a process each' % limit)
        else:
            tap.equal(sorted(ran), sorted(lines), 'remotebatch %r: who goes together' % limit)
        together = 1 if isinstance(lines, int) else 3
        tap.equal(got, {0: b'K%d recipients' % together, 1: b'Dbad bad@%s.test' % b'X',
                        2: b'Zlate', 3: b'K1 recipients', 4: b'K1 recipients',
                        5: b'K1 recipients', 6: b'Z', 7: b'Z'}, 'remotebatch %r: reports' % limit)
    daemon = rspawn()
    commands(daemon, *rows[:2], (0, b'again@x.test', b's@y'), (9, b'no-host', b's@y'),
             (8, b'late@x.test', b's@y'))
    got = [daemon.report() for _ in range(5)]
    tap.equal(sorted(got), sorted([
        (0, b'ZInternal error: delnum in use. (#4.3.5)\n'),
        (9, b'DSorry, address must include host name. (#5.1.3)\n'),
        (0, b'K3 recipients'), (1, b'Dbad bad@X.test'), (8, b'Zlate')]),
        'a command that is wrong does not disturb the others')
    os.unlink(q.QUEUE + '/mess/0/23')
    commands(daemon, *rows[:3])
    tap.equal(daemon.reports(3), {slot: b'Zqmail-spawn unable to open message. (#4.3.0)\n'
                                  for slot in range(3)}, 'no message: a report for each')
    q.put('mess/0/23', b'Received: x\n\nhello\n')
    commands(daemon, *[(n, b'%d@x.test' % n, b's@y') for n in range(9)])
    tap.equal(daemon.reports(9), {n: b'K3 recipients' for n in range(9)},
              'slots are free again')
    tap.equal(daemon.close(), 0, 'end')
    os.unlink(put)


def tables():
    for name, size in (('tcpto', 1024), ('tcpto6', 2048)):
        q.put('lock/' + name, b'\xff' * size, 'qmailr')
    rspawn().close()
    tap.equal(q.read('lock/tcpto'), b'\0' * 1024, 'tcpto is cleared at start')
    tap.equal(q.read('lock/tcpto6'), b'\0' * 2048, 'tcpto6 too')
    os.unlink(q.QUEUE + '/lock/tcpto6')
    tap.equal(rspawn().close(), 0, 'it does without')


def privileges():
    q.stub('qmail-remote', '#!/bin/sh\nprintf "r\\0K%s\\0" "$(id -u) $(grep NoNewPrivs '
           '/proc/self/status | tr -d "\\t")"\n')
    one(b'K%d NoNewPrivs:0' % q.ids('qmailr')[0], 'set-uid programs keep working')


q.put('mess/0/23', b'Received: x\n\nhello\n')
program()
output()
burst()
batches()
tables()
privileges()
sys.exit(tap.done())
