#!/usr/bin/python3
"""qmail-qread.t - qmail-qread and qmail-qstat: the lists, byte by byte, and queues that change."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

BIRTH = 812090813                       # 26 Sep 1995 04:46:53
LINE = b'26 Sep 1995 04:46:53 GMT  #%d  %d  <%s> %s\n'


def run(name, user='root'):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([q.program(name)], capture_output=True, timeout=q.PATIENCE,
                          preexec_fn=q.become(user), cwd='/', check=False)
    return done.returncode, done.stdout, done.stderr


def info(number, sender):
    path = q.put('info/%d/%d' % (number % q.SPLIT, number), sender, 'qmails', 0o600)
    os.utime(path, (BIRTH, BIRTH))


def message(number, size=10):
    q.put('mess/%d/%d' % (number % q.SPLIT, number), b'm' * size)


def channel(name, number, records):
    q.put('%s/%d/%d' % (name, number % q.SPLIT, number), records, 'qmails', 0o600)


def example():
    message(457, 1234)
    info(457, b'Fjoe@a.example\0')
    channel('local', 457, b'Dsales-ann@b.example\0')
    channel('remote', 457, b'Tbob@c.example\0')
    q.put('bounce/457', b'<x>:\n', 'qmails', 0o600)
    want = (LINE % (457, 1234, b'joe@a.example', b' bouncing') +
            b'  done\tlocal\tsales-ann@b.example\n\tremote\tbob@c.example\n')
    tap.equal(run('qmail-qread'), (0, want, b''), 'as root')
    tap.equal(run('qmail-qread', 'qmails'), (0, want, b''), 'as qmails')
    os.unlink(q.QUEUE + '/bounce/457')
    os.unlink(q.QUEUE + '/local/20/457')
    want = LINE % (457, 1234, b'joe@a.example', b'') + b'\tremote\tbob@c.example\n'
    tap.equal(run('qmail-qread'), (0, want, b''), 'not bouncing, one channel')
    q.wipe()


def strange():
    message(1)
    info(1, b'F\0')
    tap.equal(run('qmail-qread')[1], LINE % (1, 10, b'', b''), 'empty sender, no recipients')
    info(1, b'Fa b\x01\x7f\xff~\0')
    tap.equal(run('qmail-qread')[1], LINE % (1, 10, b'a b___~', b''), 'strange bytes')
    channel('remote', 1, b'T' + b'x' * 65536 + b'\0Tcut')
    want = LINE % (1, 10, b'a b___~', b'') + b'\tremote\t' + b'x' * 65536 + b'\n'
    tap.equal(run('qmail-qread')[1], want, 'longest recipient; a cut record is not shown')
    channel('remote', 1, b'T' + b'x' * 65537 + b'\0')
    tap.equal(run('qmail-qread'), (0, b'warning: trouble with #1: file too big\n', b''),
              'one byte more')
    many = b''.join(b'Tuser%d@b.example\0' % i for i in range(500000))
    channel('remote', 1, many)
    tap.equal(run('qmail-qread')[1].count(b'\n'), 500001, 'half a million recipients')
    q.wipe()


def damaged():
    info(2, b'Fjoe\0')
    tap.equal(run('qmail-qread'), (0, b'', b''), 'info without message: just going')
    message(2)
    for data in b'', b'Fjoe', b'Tjoe\0', b'\0':
        info(2, data)
        code, out, err = run('qmail-qread')
        tap.ok((code, err) == (0, b'') and out.startswith(b'warning: trouble with #2: '),
               'info %r' % data, out)
    info(2, b'Fjoe\0')
    os.mkdir(q.QUEUE + '/remote/2/2')
    code, out, err = run('qmail-qread')
    tap.ok(code == 0 and out.startswith(b'warning: trouble with #2: '), 'channel is a directory',
           out)
    os.rmdir(q.QUEUE + '/remote/2/2')
    for name in 'info/2/x', 'info/2/3', 'info/2/2.tmp':
        q.put(name, b'Fx\0', 'qmails', 0o600)
    tap.equal(run('qmail-qread')[1], LINE % (2, 10, b'joe', b''), 'foreign names')
    q.wipe()


def denied():
    code, out, _ = run('qmail-qread', 'joe')
    tap.equal((code, out[:23]), (111, b'fatal: unable to chdir:'), 'qread as joe')
    code, out, _ = run('qmail-qread', 'qmailq')
    tap.equal((code, out[:32]), (111, b'fatal: unable to opendir info/0:'), 'qread as qmailq')
    code, out, err = run('qmail-qstat', 'joe')
    tap.ok((code, out) == (111, b'') and err.startswith(b'qmail-qstat: fatal: '), 'qstat as joe',
           (code, out, err))


def qstat(messages, todo, name, user='root'):
    want = b'messages in queue: %d\nmessages in queue but not yet preprocessed: %d\n'
    tap.equal(run('qmail-qstat', user), (0, want % (messages, todo), b''), name)


def counts():
    qstat(0, 0, 'empty queue')
    for number in range(100):
        message(number)
    q.put('todo/5')
    q.put('todo/7')
    qstat(100, 2, '100 messages')
    qstat(100, 2, 'in group qmail', 'qmails')
    os.mkdir(q.QUEUE + '/mess/yanked')
    os.mkdir(q.QUEUE + '/todo/extra')
    q.put('todo/x.tmp')
    qstat(100, 3, 'directories do not count')
    os.rmdir(q.QUEUE + '/mess/yanked')
    os.rmdir(q.QUEUE + '/todo/extra')
    q.wipe()
    for part in range(q.SPLIT):
        os.mkdir('%s/todo/%d' % (q.QUEUE, part))
    q.put('todo/5/5')
    q.put('todo/6/6')
    message(5)
    qstat(1, 2, 'big-todo queue')


example()
strange()
damaged()
denied()
counts()
sys.exit(tap.done())
