#!/usr/bin/python3
"""maildir2mbox.t - no message is lost: whatever call fails, wherever it is killed, whoever else
writes; and what it says about trouble."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap

PROGRAM = '/var/qmail/bin/maildir2mbox'
HOME = '/home/joe/'
MAILDIR, BOX, TMP = HOME + 'Maildir', HOME + 'Mailbox', HOME + 'Mailbox.tmp'
ENV = {'PATH': os.environ['PATH'], 'MAILDIR': MAILDIR, 'MAIL': BOX, 'MAILTMP': TMP}
TRACE = '/tmp/trace'
SAN = bool(os.environ.get('SAN'))
OLD = 'From old Mon Jan 01 00:00:00 2001\n\nold mail\n\n'
JOE = {'user': 5001, 'group': 5001, 'extra_groups': []}
AS_JOE = ['setpriv', '--reuid=5001', '--regid=5001', '--clear-groups', '--']


def put(path, text, mtime=1000000000):
    """A file of joe's, of long ago."""
    with open(path, 'w', encoding='latin-1') as file:
        file.write(text)
    os.chmod(path, 0o600)
    os.chown(path, 5001, 5001)
    os.utime(path, (mtime, mtime))


def read(path):
    with open(path, encoding='latin-1') as file:
        return file.read()


def prepare(old=OLD):
    """Three messages, and one in the mbox."""
    shutil.rmtree(MAILDIR, ignore_errors=True)
    for path in (BOX, TMP):
        if os.path.lexists(path):
            os.unlink(path)
    for sub in ('', '/tmp', '/new', '/cur'):
        os.mkdir(MAILDIR + sub, 0o700)
        os.chown(MAILDIR + sub, 5001, 5001)
    put(MAILDIR + '/new/1', 'Return-Path: <ann@x>\n\nmail 1\n')
    put(MAILDIR + '/new/2', '\nmail 2, no end')
    put(MAILDIR + '/cur/3:2,S', '\nmail 3\n')
    if old is not None:
        put(BOX, old)


def run(env=None, before=()):
    """Exit code and stderr, as joe."""
    variables = {k: v for k, v in {**ENV, **(env or {})}.items() if v is not None}
    done = subprocess.run([*before, *(AS_JOE if before else ()), PROGRAM], env=variables,
                          capture_output=True, timeout=90, cwd='/', **({} if before else JOE))
    return done.returncode, done.stderr.decode()


def left():
    """Names in the Maildir."""
    return sorted(os.listdir(MAILDIR + '/new') + os.listdir(MAILDIR + '/cur'))


def found(n):
    """In how many places message n is."""
    in_box = read(BOX).count('mail %d' % n) if os.path.exists(BOX) else 0
    return in_box + sum(name[0] == str(n) for name in left())


def lost(old=OLD):
    """What is neither here nor there; or damaged."""
    gone = [n for n in (1, 2, 3) if not found(n)]
    if not read(BOX).startswith(old):
        gone.append('old')
    return gone


def test_plain():
    """The usual case, once in full."""
    prepare()
    os.chmod(BOX, 0o640)
    tap.equal(run(), (0, ''), 'moved')
    stamp = ' Sun Sep 09 01:46:40 2001\n'
    tap.equal(read(BOX), OLD + 'From ann@x' + stamp + 'Return-Path: <ann@x>\n\nmail 1\n\n' +
              'From XXX' + stamp + '\nmail 2, no end\n\nFrom XXX' + stamp + '\nmail 3\n\n',
              '  all of them, in order')
    status = os.stat(BOX)
    tap.equal((status.st_mode & 0o777, status.st_uid, left(), os.path.exists(TMP)),
              (0o640, 5001, [], False), '  nothing else is left; owner and mode stay')
    before = status.st_ino
    tap.equal((run(), os.stat(BOX).st_ino == before), ((0, ''), True),
              'nothing to move, nothing is touched')
    prepare(None)
    tap.equal((run(), os.stat(BOX).st_mode & 0o777), ((0, ''), 0o600), 'a new mbox')
    prepare()
    with open(MAILDIR + '/new/now', 'w', encoding='ascii') as file:
        file.write('mail 4\n')
        file.flush()
        os.utime(MAILDIR + '/new/now', (4e9, 4e9))
    tap.equal((run(), left()), ((0, ''), []), 'a message from the future is moved')
    prepare('From a\n\nno end')
    tap.equal((run()[0], read(BOX)[:30]), (0, 'From a\n\nno end\n\nFrom ann@x Sun'),
              'an mbox that was cut off')
    prepare('\0\0\n')
    tap.equal((run()[0], read(BOX)[:8]), (0, '\0\0\nFrom '), 'an mbox with NULs')
    prepare()
    tap.equal((run({'MAIL': '../Mailbox', 'MAILTMP': '../Mailbox.tmp'}), lost(), left()),
              ((0, ''), [], []), 'names relative to the Maildir')


def test_words():
    """What it says."""
    for name in ('MAIL', 'MAILTMP', 'MAILDIR'):
        tap.equal(run({name: None}), (111, 'maildir2mbox: fatal: %s not set\n' % name), name)
    tap.equal(run({'MAIL': None, 'MAILTMP': None, 'MAILDIR': None})[1],
              'maildir2mbox: fatal: MAIL not set\n', 'the first one first')
    for env, text in (
            ({'MAILDIR': '/none'}, 'unable to chdir to /none: file does not exist'),
            ({'MAILDIR': HOME}, 'unable to scan /home/joe/: file does not exist'),
            ({'MAIL': '/none/x'}, 'unable to lock /none/x: file does not exist'),
            ({'MAIL': '/dev/null'}, 'unable to lock /dev/null: not a regular file'),
            ({'MAILTMP': '/none/x'}, 'unable to create /none/x: file does not exist'),
            ({'MAILTMP': BOX}, 'unable to create %s: it is the mailbox itself' % BOX),
            ({'MAILTMP': '/home/joe.tmp'}, 'unable to create /home/joe.tmp: access denied'),
            ({'MAILTMP': '/tmp/joe.tmp'},
             'unable to move /tmp/joe.tmp to %s: cross-device link' % BOX)):
        prepare()
        tap.equal(run(env), (111, 'maildir2mbox: fatal: %s\n' % text), text)
        tap.equal((lost(), len(left())), ([], 3), '  nothing happened')
    tap.ok(not os.path.exists('/tmp/joe.tmp'), '  the temporary file is gone')
    prepare()
    os.chmod(MAILDIR + '/new/2', 0)
    tap.equal(run(), (111, 'maildir2mbox: fatal: unable to read %s/new/2: access denied\n' %
                      MAILDIR), 'a message that cannot be read')
    tap.equal((lost(), len(left())), ([], 3), '  nothing happened')
    prepare()
    os.chown(BOX, 5002, 5001)
    os.chmod(BOX, 0o660)
    tap.equal(run(), (111, 'maildir2mbox: fatal: unable to keep owner and mode of %s: '
                      'permission denied\n' % BOX), "somebody else's mbox")
    tap.equal((lost(), len(left())), ([], 3), '  nothing happened')
    prepare()
    os.chown(BOX, 5001, 5002)
    os.chmod(BOX, 0o660)
    tap.equal((run(), os.stat(BOX).st_mode & 0o777, lost()), ((0, ''), 0o600, []),
              'a group that joe may not give loses its rights')
    prepare()
    os.chmod(MAILDIR + '/cur', 0o500)
    code, err = run()
    tap.equal((code, err), (0, 'maildir2mbox: warning: %s/cur/3:2,S will be delivered twice; '
                            'unable to unlink: access denied\n' % MAILDIR), 'one that stays')
    os.chmod(MAILDIR + '/cur', 0o700)
    tap.equal((found(1), found(2), found(3)), (1, 1, 2), '  is there twice')


def injected(call, what, n):
    """A run with the n-th `call` changed; exit code, and whether there was such a call."""
    prepare(LARGE)
    code, _ = run(before=['strace', '-f', '-qq', '-o', TRACE, '-e', 'trace=' + call, '-e',
                          'inject=%s:%s:when=%d' % (call, what, n)])
    trace = read(TRACE)
    return code, 'INJECTED' in trace or 'killed by SIGKILL' in trace


LARGE = OLD + 'From old Mon Jan 01 00:00:00 2001\n\n' + 'x' * 70000 + '\n\n'
CALLS = ('openat', 'fstat,newfstatat', 'getdents64', 'read', 'write', 'lseek', 'flock', 'fcntl',
         'readlink', 'fchmod', 'fsync', 'rename', 'unlink', 'close', 'chdir', 'brk,mmap')
LIMIT = 400


def test_faults():
    """Each call fails, or the program is killed there."""
    for call in CALLS:
        for what in ('error=EIO', 'error=ENOSPC', 'signal=KILL'):
            bad, n = [], 0
            for n in range(1, LIMIT):
                code, hit = injected(call, what, n)
                if not hit:
                    break
                if lost(LARGE):
                    bad.append((n, code, lost(LARGE)))
                if what != 'signal=KILL' and code not in (0, 127) and os.path.exists(TMP) and \
                        call not in ('unlink', 'fstat,newfstatat'):
                    bad.append((n, code, 'the temporary file stays'))
            tap.ok(not bad and 1 < n < LIMIT, '%s %s: %d times' % (call, what, n - 1), bad)


def test_again():
    """After a kill the next run goes on."""
    bad = []
    for call in ('rename', 'unlink', 'fsync', 'write'):
        for n in range(1, 5):
            injected(call, 'signal=KILL', n)
            if run() != (0, '') or left() or lost(LARGE) or os.path.exists(TMP):
                bad.append((call, n, left(), lost()))
    tap.equal(bad, [], 'the next run finishes what a killed one left')


def test_order():
    """On disk under its name before the first message goes."""
    prepare()
    run(before=['strace', '-f', '-qq', '-y', '-o', TRACE, '-e',
                'trace=fsync,rename,unlink,write'])
    steps = []
    for line in read(TRACE).split('\n'):
        match = re.search(r' (write|fsync|rename|unlink)\((.*)', line)
        if match:
            name = re.search(r'<([^>]*)>|"([^"]*)"', match.group(2))
            steps.append((match.group(1), name and (name.group(1) or name.group(2))))
    steps = [step for step in steps if step[1] and ('joe' in step[1] or '/' not in step[1] or
                                                    step[1][:3] in ('new', 'cur'))]
    tap.equal(steps, [('write', TMP), ('fsync', TMP), ('rename', TMP), ('fsync', HOME[:-1]),
                      ('unlink', 'new/1'), ('unlink', 'new/2'), ('unlink', 'cur/3:2,S'),
                      ('fsync', MAILDIR + '/new'), ('fsync', MAILDIR + '/cur')],
              'written, synced, renamed, synced, removed')


def test_crowd():
    """Three that move, one that delivers to the mbox, mail that arrives meanwhile."""
    prepare()
    put(HOME + '.qmail', './Mailbox\n')
    put('/home/joe.message', '\nwriter\n')
    movers = [subprocess.Popen(
        ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do %s || exit; done' % PROGRAM],
        env={**ENV, 'MAILTMP': TMP + str(i)}, stderr=subprocess.PIPE, cwd='/', **JOE)
        for i in range(3)]
    with open('/home/joe.message', 'rb') as message:
        writers = 0
        for n in range(100, 140):
            # Not by way of tmp/, where the movers remove what is as old as this looks.
            put(HOME + 'arriving', '\nmail %d\n' % n)
            os.rename(HOME + 'arriving', MAILDIR + '/new/%d' % n)
            message.seek(0)
            writers += subprocess.run(
                ['/var/qmail/bin/qmail-local', '--', 'joe', HOME, 'joe', '', '', 'h', 's@x', ''],
                stdin=message, capture_output=True, cwd='/var/qmail', check=False,
                **JOE).returncode == 0
    said = [mover.communicate()[1] for mover in movers]
    tap.equal([mover.returncode for mover in movers], [0, 0, 0], 'three at once')
    tap.equal(said, [b'', b'', b''], '  without a word')
    tap.equal(run(), (0, ''), '  and once more')
    text = read(BOX)
    counts = {n: text.count('\nmail %d\n' % n) for n in range(100, 140)}
    tap.equal([n for n in counts if counts[n] != 1], [], '  each message is there once')
    tap.equal((writers, text.count('\nwriter\n')), (40, 40), '  and what was delivered directly')


def test_in_use():
    """The same temporary file for another mbox."""
    prepare()
    subprocess.run(['cp', '-a', MAILDIR, HOME + 'Other'], check=True)
    both = [subprocess.Popen([PROGRAM], env={**ENV, **env}, stderr=subprocess.PIPE, cwd='/', **JOE)
            for env in ({}, {'MAILDIR': HOME + 'Other', 'MAIL': HOME + 'Otherbox'})]
    for process in both:
        process.communicate()
    codes = [process.returncode for process in both]
    tap.ok(all(code in (0, 111) for code in codes) and 0 in codes, 'two with one temporary file',
           codes)
    for code, box, maildir in zip(codes, (BOX, HOME + 'Otherbox'), (MAILDIR, HOME + 'Other')):
        inside = [n for n in (1, 2, 3) if os.path.exists(box) and 'mail %d' % n in read(box)]
        outside = len(os.listdir(maildir + '/new') + os.listdir(maildir + '/cur'))
        tap.equal((inside, outside), (([1, 2, 3], 0) if code == 0 else ([], 3)),
                  '  %s is whole' % box)


for test in (test_plain, test_words, test_crowd, test_in_use):
    test()
if SAN:
    tap.note('no failing calls: strace would fail those of the sanitizers')
else:
    test_order()
    test_again()
    test_faults()
sys.exit(tap.done())
