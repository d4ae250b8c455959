#!/usr/bin/python3
"""qmail-clean.t - requests in, answers out, in batches; one sync per directory and batch."""
import fcntl
import os
import struct
import subprocess
import sys
import termios

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402


def clean(requests, *before, user='qmailq', close_output=False):
    """Runs it with these bytes; (exit code, answers)."""
    read, write = os.pipe()
    if close_output:
        os.close(read)
    process = subprocess.Popen([*before, q.program('qmail-clean')], stdin=subprocess.PIPE,
                               stdout=write, preexec_fn=q.become(user), cwd='/')
    os.close(write)
    try:
        process.communicate(requests, q.PATIENCE)
    except BrokenPipeError:
        pass
    answers = b''
    if not close_output:
        with os.fdopen(read, 'rb') as file:
            answers = file.read()
    return process.returncode, answers


def fill(n):
    for i in range(n):
        q.put('mess/%d/%d' % (i % q.SPLIT, i))
        q.put('intd/%d' % i)
        q.put('todo/%d' % i)


def requests(kind, n):
    return b''.join(b'%s/%d\0' % (kind, i) for i in range(n))


def batches():
    fill(1000)
    code, answers = clean(requests(b'todo', 1000))
    tap.equal((code, answers), (0, b'+' * 1000), '1000 requests at once')
    tap.equal(q.files('intd', 'todo'), [], 'envelopes are gone')
    tap.equal(len(q.files('mess')), 1000, 'messages are not')
    code, answers = clean(requests(b'foop', 1000))
    tap.equal((code, answers), (0, b'+' * 1000), 'the messages')
    tap.equal(q.files(), [], 'are gone')


def syncs(n, kind, name, wanted):
    """Counts fsync calls for n requests in one write."""
    os.system('touch /tmp/trace; chmod 666 /tmp/trace')
    fill(n)
    if kind == b'foop':
        for path in q.files('intd', 'todo'):
            os.unlink(os.path.join(q.QUEUE, path))
    code, answers = clean(requests(kind, n), 'strace', '-o', '/tmp/trace', '-e',
                          'trace=fsync,write')
    with open('/tmp/trace') as file:
        calls = file.read()
    tap.equal((code, answers), (0, b'+' * n), name)
    tap.equal((calls.count('fsync('), calls.count('write(1')), wanted, name + ': syncs, writes')
    q.wipe()


def one_by_one():
    """Each request is answered before the next is sent, as by qmail-send of old."""
    with subprocess.Popen([q.program('qmail-clean')], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, preexec_fn=q.become('qmailq'),
                          bufsize=0) as process:
        fill(3)
        answers = []
        for i in range(3):
            for piece in b'to', b'do/%d' % i, b'\0':
                process.stdin.write(piece)
            answers.append((process.stdout.read(1), len(q.files('todo'))))
        process.stdin.close()
        tap.equal(answers, [(b'+', 2), (b'+', 1), (b'+', 0)], 'split requests, one by one')
        tap.equal(process.wait(q.PATIENCE), 0, 'end of requests')
    q.wipe()


def bad():
    good = q.put('mess/0/46')
    for request in (b'', b'foop/', b'foop/x', b'foop/4 6', b'foop/../46', b'xxxx/46', b'todo/0/46',
                    b'foop/' + b'0' * 95, b'foop/' + b'9' * 5000):
        tap.equal(clean(request + b'\0'), (0, b'x'), 'x once: %r' % request[:20])
    tap.equal(clean(b'foop/' + b'0' * 94 + b'\0'), (0, b'+'), 'longest request')
    tap.equal(clean(b'foop/46'), (0, b''), 'unfinished request')
    tap.ok(os.path.exists(good), 'nothing was removed')
    tap.equal(clean(b'foop/46\0x\0foop/46\0'), (0, b'+x+'), 'good ones beside a bad one')


def trouble():
    os.mkdir(q.QUEUE + '/intd/5')
    fill(5)
    q.put('mess/5/5')
    tap.equal(clean(b'todo/5\0todo/4\0foop/5\0'), (0, b'!+!'), 'what cannot be removed')
    tap.ok('mess/5/5' in q.files('mess'), 'stays')
    os.rmdir(q.QUEUE + '/intd/5')
    tap.equal(clean(b'foop/3\0'), (0, b'!'), 'a queued message is not removed')
    tap.ok('mess/3/3' in q.files('mess') and 'todo/3' in q.files('todo'), 'it stays')
    q.wipe()
    tap.equal(clean(b'foop/1\0', user='joe')[0], 111, 'not allowed into the queue')
    os.rename(q.QUEUE, q.QUEUE + '.away')
    tap.equal(clean(b'')[0], 111, 'no queue')
    os.rename(q.QUEUE + '.away', q.QUEUE)
    fill(2)
    os.unlink(os.path.join(q.QUEUE, 'todo/1'))
    before = q.files('mess', 'intd', 'todo')
    tap.equal(clean(b'todo/0\0foop/1\0', close_output=True)[0], 100, 'nobody reads the answers')
    tap.equal(q.files('mess', 'intd', 'todo'), before, '... so what was asked for is void')


def unsynced():
    """What may come back after a power cut is not reported as gone."""
    for directory, wanted in (('intd', b'!!'), ('todo', b'!+')):
        fill(1)
        q.put('mess/1/1')
        if directory == 'intd':
            q.put('intd/1')
        got = clean(b'todo/0\0foop/1\0', 'strace', '-u', 'qmailq', '-o', '/dev/null', '-P',
                    '%s/%s' % (q.QUEUE, directory), '-P', directory, '-e', 'trace=fsync', '-e',
                    'inject=fsync:error=EIO', user='root')
        tap.equal(got, (0, wanted), directory + ' cannot be synced')
        tap.equal('mess/1/1' in q.files('mess'), directory == 'intd', '... so no number comes free')
        q.wipe()


def orphan():
    """Who asked is killed while a batch waits for its turn: the successor is at work alone."""
    for killed, want in ((False, ([], b'+', 0)), (True, (['todo/0'], b'', 100))):
        fill(1)
        lock = os.open(q.QUEUE + '/mess', os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen([q.program('qmail-clean')], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, preexec_fn=q.become('qmailq'), bufsize=0)
        process.stdin.write(b'todo/0\0')
        tap.ok(q.wait_until(lambda: not waiting(process.stdin)), 'the request is read')
        tap.equal(q.files('todo'), ['todo/0'], '  nothing is removed without the lock on mess')
        answers = b''
        if killed:
            process.stdout.close()
        os.close(lock)
        if not killed:
            answers = process.stdout.read(1)
        process.stdin.close()
        code = process.wait(q.PATIENCE)
        tap.equal((q.files('todo'), answers, code), want,
                  'void then' if killed else 'and then carried out')
        q.wipe()


def waiting(pipe):
    """Bytes that nobody has read yet."""
    return struct.unpack('i', fcntl.ioctl(pipe, termios.FIONREAD, b'0000'))[0]


def locked():
    """Somebody else does not let go of mess: what cannot be done is said, in the end."""
    fill(1)
    lock = os.open(q.QUEUE + '/mess', os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    tap.equal(clean(b'todo/0\0'), (0, b'!'), 'the lock is held for long')
    tap.equal(q.files('todo'), ['todo/0'], '  nothing is removed')
    os.close(lock)
    tap.equal(clean(b'todo/0\0'), (0, b'+'), 'asked again')
    q.wipe()


def sweep():
    """Files are as old as their youngest time, so nothing here is."""
    path = q.put('pid/1.2.3')
    os.utime(path, (1, 1))
    clean(b'foop/1\0')
    tap.ok(os.path.exists(path), 'a file that only looks old is not swept')
    os.unlink(path)


tap.equal(clean(b''), (0, b''), 'no requests')
batches()
syncs(200, b'todo', '200 envelopes', (2, 1))
syncs(200, b'foop', '200 messages', (0, 1))
one_by_one()
bad()
trouble()
unsynced()
orphan()
locked()
sweep()
sys.exit(tap.done())
