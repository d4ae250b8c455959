#!/usr/bin/python3
"""qmail-queue.t - what it takes, what it leaves behind, and in which order it makes mail safe."""
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

BODY = b'Subject: x\n\nhello\n'


def nothing_left(name):
    tap.equal(q.files(), [], name + ': nothing left')


def refused(name, want, code):
    tap.equal(code, want, '%s: %d' % (name, want))
    nothing_left(name)


def accepted(name, code, body=BODY, todo='todo/'):
    tap.equal(code, 0, name)
    found = q.files()
    if not tap.equal([n.split('/')[0] for n in found], ['intd', 'mess', 'todo'], name + ': files'):
        return None
    number = found[1].split('/')[-1]
    tap.equal(found[1], 'mess/%d/%s' % (int(number) % q.SPLIT, number), name + ': subdirectory')
    tap.ok(found[2].startswith(todo) and found[2].endswith('/' + number), name + ': todo', found)
    tap.equal(os.stat(q.QUEUE + '/' + found[1]).st_ino, int(number), name + ': name is inode')
    tap.ok(q.read(found[1]).endswith(b' -0000\n' + body), name + ': message is whole')
    q.wipe()
    return number


def descriptors():
    for fd, want in ((0, 54), (1, 54)):
        with subprocess.Popen(
                ['sh', '-c', 'exec %s %d<&-' % (q.program('qmail-queue'), fd)],
                stdin=subprocess.DEVNULL) as process:
            refused('descriptor %d closed' % fd, want, process.wait(q.PATIENCE))
    with open('/tmp/message', 'wb') as file:
        file.write(BODY)
    with open('/tmp/envelope', 'wb') as file:
        file.write(q.ENVELOPE)
    code = os.system('%s </tmp/message 1</tmp/envelope 2>&-' % q.program('qmail-queue'))
    accepted('descriptor 2 closed', os.waitstatus_to_exitcode(code))
    os.system('mkdir -p /tmp/directory')
    code = os.system('%s </tmp/directory 1</tmp/envelope' % q.program('qmail-queue'))
    refused('message is a directory', 54, os.waitstatus_to_exitcode(code))


def privileges():
    shutil.copyfile(q.program('qmail-queue'), q.program('copy'))
    os.chmod(q.program('copy'), 0o755)
    for user in 'joe', 'root', 'qmails':
        refused('not set-uid, run by ' + user, 62, q.Queue(user, q.program('copy')).send())
    code = q.Queue('qmailq', q.program('copy')).send()
    accepted('run by the owner of the queue', code)
    os.unlink(q.program('copy'))


def interrupted():
    run = q.Queue()
    os.write(run.message, b'half')
    q.wait_until(lambda: [len(q.files(d)) for d in ('mess', 'pid')] == [1, 0])
    for number in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGXFSZ:
        run.process.send_signal(number)
    accepted('signals of a terminal do not stop it', run.send(), b'half' + BODY)
    run = q.Queue()
    os.write(run.message, b'half')
    os.close(run.message)
    os.close(run.envelope)
    refused('client that dies', 54, run.wait())
    for number, want in ((signal.SIGALRM, 52), (signal.SIGSEGV, 81), (signal.SIGBUS, 81),
                         (signal.SIGKILL, -9)):
        run = q.Queue()
        os.write(run.message, b'half')
        q.wait_until(lambda: [len(q.files(d)) for d in ('mess', 'pid')] == [1, 0])
        run.process.send_signal(number)
        tap.equal(run.wait(), want, '%s: %d' % (signal.Signals(number).name, want))
        tap.equal(len(q.files('mess')), 1, 'leaves the message to the sweep')
        tap.equal(q.files('pid', 'intd', 'todo'), [], 'and nothing else')
        os.close(run.message)
        os.close(run.envelope)
        q.wipe()


def missing(name, want):
    path = '%s/%s' % (q.QUEUE, name)
    os.rename(path, path + '.away')
    code = q.Queue().send()
    os.rename(path + '.away', path)
    refused('no directory ' + name, want, code)


def trouble():
    missing('pid', 63)
    missing('mess', 64)
    missing('intd', 65)
    missing('todo', 66)
    os.rename(q.QUEUE, q.QUEUE + '.away')
    code = q.Queue().send()
    os.rename(q.QUEUE + '.away', q.QUEUE)
    refused('no queue', 62, code)
    os.chmod(q.home(), 0o700)
    code = q.Queue('root').send()
    os.chmod(q.home(), 0o755)
    refused('home closed to the owner of the queue', 61, code)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    code = q.Queue().send(b'x' * 100000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    refused('file too large', 53, code)


def accounts():
    with open('/etc/passwd') as file:
        before = file.read()
    joe = q.ids('joe')
    for user in 'qmaild', 'qmails', 'alias':
        # Both the caller's and this one: is the caller this one?
        with open('/etc/passwd', 'w') as file:
            file.write(re.sub('(?m)^(joe|%s):.*\n' % user, '', before))
        code = q.Queue(joe).send()
        with open('/etc/passwd', 'w') as file:
            file.write(before)
        refused('account %s is missing' % user, 111, code)
    for user, title in (('alias', 'who has a name does not need ours'),
                        ('joe', 'a caller without account')):
        with open('/etc/passwd', 'w') as file:
            file.write(re.sub('(?m)^%s:.*\n' % user, '', before))
        code = q.Queue(joe).send()
        with open('/etc/passwd', 'w') as file:
            file.write(before)
        accepted(title, code)
    for user, how in (('qmaild', b'from network'), ('qmails', b'for bounce'),
                      ('alias', b'by alias'), ('joe', b'by uid %d' % joe[0])):
        ids = q.ids(user)
        for where, text in (('in front', 'twin:x:%d:%d::/:/bin/sh\n' % ids + before),
                            ('behind', before + 'twin:x:%d:%d::/:/bin/sh\n' % ids)):
            with open('/etc/passwd', 'w') as file:
                file.write(text)
            code = q.Queue(ids).send()
            with open('/etc/passwd', 'w') as file:
                file.write(before)
            line = q.read(q.files('mess')[0]).splitlines()[0]
            tap.ok(code == 0 and b' invoked %s);' % how in line,
                   'another account with the uid of %s %s' % (user, where), line)
            q.wipe()


def trigger():
    fd = os.open(q.QUEUE + '/lock/trigger', os.O_RDONLY | os.O_NONBLOCK)
    code = q.Queue().send()
    tap.equal(os.read(fd, 10), b'\0', 'the scanner is woken')
    accepted('with a scanner', code)
    q.Queue().send(envelope=b'Fx\0')
    tap.equal(os.read(fd, 10), b'', 'not for what was not queued')
    os.close(fd)
    q.wipe()


def big_todo():
    uid, gid = q.ids('qmailq')
    for name in 'todo', 'intd':
        for part in range(q.SPLIT):
            path = '%s/%s/%d' % (q.QUEUE, name, part)
            os.mkdir(path, 0o750)
            os.chown(path, uid, gid)
    number = accepted('big-todo queue', q.Queue().send())
    tap.ok(number, 'accepted there')
    for name in 'todo', 'intd':
        for part in range(q.SPLIT):
            os.rmdir('%s/%s/%d' % (q.QUEUE, name, part))


def order():
    """System calls on the way to safety (Better: durability O1 to O3)."""
    trace = '/tmp/trace'
    code = os.system('strace -y -o %s -e trace=fsync,link,linkat,open,openat,exit_group '
                     '%s </tmp/message 1</tmp/envelope' % (trace, q.program('qmail-queue')))
    accepted('under strace', os.waitstatus_to_exitcode(code))
    with open(trace) as file:
        lines = file.read().splitlines()

    def at(pattern):
        found = [i for i, line in enumerate(lines) if re.search(pattern, line)]
        return found[0] if len(found) == 1 else -1
    mess = at(r'^fsync\(\d+<.*/queue/mess/\d+/\d+>|^fsync\(\d+<.*/queue/pid/')
    steps = [mess, at(r'^fsync\(\d+<.*/queue/intd/\d+>'), at(r'^fsync\(\d+<.*/queue/mess/\d+>\)'),
             at(r'^link.*"intd/\d+".*"todo/\d+"'), at(r'^fsync\(\d+<.*/queue/todo>\)'),
             at(r'^open.*lock/trigger'), at('^exit_group')]
    tap.ok(-1 not in steps and steps == sorted(steps),
           'message, envelope, entry; link; entry; wake-up: each once, in this order',
           '%r\n%s' % (steps, '\n'.join(lines)))
    tap.equal(sum(line.startswith('fsync') for line in lines), 4, 'and no other fsync')


def unsynced():
    """The entry in todo may not be on disk, but qmail-send may have the message already."""
    code = os.system("strace -o /dev/null -P %s/todo -P todo -e trace=fsync -e "
                     "inject=fsync:error=EIO "
                     '%s </tmp/message 1</tmp/envelope' % (q.QUEUE, q.program('qmail-queue')))
    tap.equal(os.waitstatus_to_exitcode(code), 66, 'todo cannot be synced: 66')
    tap.equal([n.split('/')[0] for n in q.files()], ['intd', 'mess', 'todo'], '... and all stays')
    q.wipe()


accepted('plain', q.Queue().send())
accepted('empty message', q.Queue().send(b''), b'')
BIG = os.urandom(5 << 20)
accepted('5 MB', q.Queue().send(BIG), BIG)
MANY = b'F\0' + b''.join(b'Tuser%d@b.example\0' % i for i in range(20000)) + b'\0'
accepted('20000 recipients', q.Queue().send(envelope=MANY))
refused('wrong envelope', 91, q.Queue().send(envelope=b'Tx\0\0'))
refused('long address', 11, q.Queue().send(envelope=b'F' + b'a' * 1003 + b'\0\0'))
descriptors()
privileges()
interrupted()
trouble()
accounts()
trigger()
big_todo()
order()
unsynced()
sys.exit(tap.done())
