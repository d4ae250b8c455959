#!/usr/bin/python3
"""qmail-local.t - qmail-local beyond the recorded vectors: what programs get, what is left behind
when a system call fails, locks, costs."""
import glob
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap

LOCAL = '/var/qmail/bin/qmail-local'
HOME = '/home/joe'
MESSAGE = b'Received: one\nSubject: x\n\nbody\nFrom here\nend'
TRACE = '/tmp/trace'
SAN = bool(os.environ.get('SAN'))


def put(path, text, mode=0o600):
    """A file of joe's."""
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, 'wb') as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(path, mode)
    os.chown(path, 5001, 5001)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def run(instructions=None, message=MESSAGE, ext='', dash='', sender='s@x.example', before=(),
        options=(), env=None, fd0=None, default='./Mailbox'):
    """One delivery for joe; returns exit code, stdout, stderr."""
    if instructions is not None:
        put(HOME + '/.qmail' + dash + ext, instructions)
    put('/home/joe.message', message)
    local = 'joe' + dash + ext
    argv = list(before) + [LOCAL, *options, '--', 'joe', HOME, local, dash, ext, 'h.example',
                           sender, default]
    with open('/home/joe.message', 'rb') as stdin:
        done = subprocess.run(argv, stdin=fd0 if fd0 is not None else stdin, capture_output=True,
                              cwd='/var/qmail', env={'PATH': os.environ['PATH'], **(env or {})},
                              timeout=60, **({} if before else
                                             {'user': 5001, 'group': 5001, 'extra_groups': []}))
    return done.returncode, done.stdout.decode('latin-1'), done.stderr.decode('latin-1')


def traced(*args):
    """Command words that run what follows as joe under strace."""
    return ('strace', '-f', '-qq', '-o', TRACE, *args,
            'setpriv', '--reuid=5001', '--regid=5001', '--clear-groups', '--')


def calls(pattern):
    """How many lines of the trace match, after the program's own start."""
    lines = read(TRACE).decode('latin-1').split('\n')
    first = max(i for i, line in enumerate(lines) if 'execve(' in line and LOCAL in line)
    return sum(1 for line in lines[first + 1:] if re.search(pattern, line))


def stored():
    """Files in the Maildir, and a clean Maildir afterwards."""
    found = {sub: glob.glob(HOME + '/Maildir/%s/*' % sub) for sub in ('tmp', 'new')}
    texts = [read(path) for path in found['new']]
    for path in found['tmp'] + found['new']:
        os.unlink(path)
    return len(found['tmp']), texts


HEAD = b'Return-Path: <s@x.example>\nDelivered-To: joe@h.example\n'


def test_programs():
    """What a program finds."""
    code, out, err = run('|grep -E "^Sig(Blk|Ign)" /proc/self/status; ls /proc/self/fd; umask; '
                         'pwd; stat -L -c %F /dev/fd/0; cat >/dev/null\n|wc -c\n')
    lines = out.split('\n')
    tap.equal((code, err), (0, ''), 'programs run')
    tap.equal(lines[:2], ['SigBlk:\t0000000000000000', 'SigIgn:\t0000000000000000'],
              'no signal is blocked or ignored')
    tap.equal(lines[2:6], ['0', '1', '2', '3'], 'descriptors: 0 to 2 (3 is the directory)')
    tap.equal(lines[6:9], ['0077', HOME, 'regular file'], 'umask, directory, kind of descriptor 0')
    tap.equal(lines[9:], [str(len(MESSAGE)), 'did 0+0+2', ''], 'each sees the whole message')
    tap.equal(run('|echo "${DEFAULT-unset}"\n', env={'DEFAULT': 'old'})[1], 'unset\ndid 0+0+1\n',
              'an inherited DEFAULT is gone')
    tap.equal(run('|echo "$EXT $LOCAL"; exit 0\r\n./box\r\n|echo\r\n')[1],
              ' joe\n\ndid 1+0+2\n', 'CR at the end of lines')
    tap.equal(read(HOME + '/box')[-5:], b'end\n\n', 'mailbox without CR in its name')
    os.unlink(HOME + '/box')
    tap.equal(run('|printf "%s|" "$SENDER"\n', sender="a'; exit 9 #\n$(exit 8)`x`@y")[1],
              "a'; exit 9 #\n$(exit 8)`x`@y|did 0+0+1\n", 'a hostile sender stays a value')


def test_codes():
    """Every exit code of a program."""
    hard = {64, 65, 70, 76, 77, 78, 100, 112}
    wrong = []
    for n in range(256):
        code, out, err = run('|exit %d\n' % n)
        want = (0, 'did 0+0+1\n', '') if n in (0, 99) else (100 if n in hard else 111, '', '')
        if (code, out, err) != want:
            wrong.append((n, code, out, err))
    tap.equal(wrong, [], 'exit codes 0 to 255 of a program')


def test_trouble():
    """Files and descriptors that are not as they should be."""
    tap.equal(run('./box\n|true\n+list\n./x\n'), (111, '', 'Uh-oh: .qmail has file delivery but '
              'has x bit set. (#4.7.0)\n'), 'a mistake in the last line')
    tap.ok(not os.path.exists(HOME + '/box'), 'is found before the first delivery')
    for default in ('', '\n', ' \n./box\n'):
        tap.equal(run('', default=default), (111, '', 'Uh-oh: first line of .qmail file is blank. '
                  '(#4.2.1)\n'), 'empty .qmail and %r as default: nothing vanishes' % default)
    put(HOME + '/.qmail', '')
    os.truncate(HOME + '/.qmail', (64 << 20) + 1)
    tap.equal(run(), (111, '', 'Unable to read .qmail: file too big. (#4.3.0)\n'), '64 MB + 1')
    if not SAN:
        tap.equal(run('./Maildir/\n', before=traced('-e', 'inject=read:error=EIO:when=1',
                                                    '-P', '/home/joe.message')),
                  (111, '', 'Unable to read message: input/output error. (#4.3.0)\n'),
                  'read error in the header')
        tap.equal(run('a\n', before=traced('-e', 'inject=read:error=EIO', '-P',
                                           HOME + '/.qmail')),
                  (111, '', 'Unable to read .qmail: input/output error. (#4.3.0)\n'),
                  'read error in .qmail')
    reader, writer = os.pipe()
    tap.equal(run('./Maildir/\n', fd0=reader), (111, '', 'Unable to rewind message. (#4.3.0)\n'),
              'a pipe as message')
    os.close(reader)
    os.close(writer)
    closed = ('setpriv', '--reuid=5001', '--regid=5001', '--clear-groups', '--', 'sh', '-c',
              'exec "$@" <&-', 'sh')
    tap.equal(run('./Maildir/\n', before=closed), (111, '', 'Unable to rewind message. (#4.3.0)\n'),
              'no message at all')
    tap.equal(stored(), (0, []), 'nothing was delivered')
    tap.equal(run('&a@b\n', env={'QMAILQUEUE': '/nonexistent'}),
              (111, '', 'Unable to forward message: unable to exec qq (#4.3.0).\n'),
              'no queue program')
    tap.equal(run('&%s@b\n' % ('a' * 2000))[::2], (100, 'Unable to forward message: envelope '
              'address too long for qq (#5.1.3).\n'), 'an address that is too long')


def test_maildir():
    """Contents, cost, and every call that can fail."""
    for message in (b'', b'\n', b'a', b'x' * 100000, b'a\n\n\0\xff\r\nFrom b\n'):
        tap.equal(run('./Maildir/\n', message), (0, 'did 1+0+0\n', ''),
                  'a message of %d bytes' % len(message))
        tap.equal(stored(), (0, [HEAD + message]), 'is stored as it is')
    if SAN:
        return
    run('./Maildir/\n', before=traced())
    tap.equal(stored()[1], [HEAD + MESSAGE], 'traced delivery')
    tap.equal(calls(r'fsync\(|fdatasync\(|syncfs\('), 2, 'two waits for the disk')
    tap.equal(calls(r'(fork|vfork|clone3?)\('), 0, 'no process')
    total = calls(r'\w+\(')
    tap.ok(total <= 75, '%d system calls, with those of libc\'s start' % total)
    order = re.findall(r'(fsync|link|unlink)\(', read(TRACE).decode('latin-1'))
    tap.equal(order, ['fsync', 'link', 'fsync', 'unlink'], 'in the only safe order')

    temporary = 'Temporary error on maildir delivery. (#4.3.0)\n'
    box = HOME + '/Maildir/'
    for name, inject, text in (
            ('create', '%s:error=ENOSPC:when=%d', temporary),
            ('write', 'write:error=ENOSPC:when=1', temporary),
            ('first fsync', 'fsync:error=EIO:when=1', temporary),
            ('second fsync', 'fsync:error=EIO:when=2', temporary),
            ('link', 'link:error=EDQUOT', temporary)):
        if '%d' in inject:
            # Which one it is, by the call that this C library makes of it.
            lines = [line for line in read(TRACE).decode('latin-1').split('\n')
                     if re.match(r'(\d+ +)?open(at)?\(', line)]
            created = max(line for line in lines if '/Maildir/tmp/' in line)
            call = re.search(r'open(at)?', created).group()
            same = [line for line in lines if call + '(' in line]
            inject %= (call, same.index(created) + 1)
        code, out, err = run('./Maildir/\n', before=traced('-e', 'inject=' + inject))
        tap.equal((code, err), (111, text), name + ' fails')
        tap.equal(stored(), (0, []), '  nothing is left')
        run('./Maildir/\n', before=traced())
        stored()
    tap.equal(run('./Maildir/\n', before=traced('-e', 'inject=link:error=EPERM')),
              (0, 'did 1+0+0\n', ''), 'a file system without links')
    tap.equal(stored(), (0, [HEAD + MESSAGE]), '  the file is renamed')
    tap.equal(run('./Maildir/\n', before=traced('-e', 'inject=link:error=EPERM', '-e',
                                                'inject=renameat2:error=EINVAL')),
              (0, 'did 1+0+0\n', ''), '  and without exclusive renaming')
    tap.equal(stored(), (0, [HEAD + MESSAGE]), '  too')
    tap.equal(run('./Maildir/\n', before=traced('-e', 'inject=link:error=EEXIST:when=1')),
              (0, 'did 1+0+0\n', ''), 'a name that is taken')
    tap.equal(stored(), (0, [HEAD + MESSAGE]), '  is replaced by another')
    tap.equal(run('./Maildir/\n', before=traced('-e', 'inject=unlink:error=EIO')),
              (0, 'did 1+0+0\n', ''), 'tmp/ cannot be cleaned')
    tap.equal(stored(), (1, [HEAD + MESSAGE]), '  the message is delivered all the same')
    os.chmod(box + 'new', 0o300)
    tap.equal(run('./Maildir/\n'), (0, 'did 1+0+0\n', ''), 'new/ that its owner cannot read')
    os.chmod(box + 'new', 0o700)
    tap.equal(stored(), (0, [HEAD + MESSAGE]), '  is a drop box')
    os.chmod(box, 0o600)
    tap.equal(run('./Maildir/\n')[2], 'Unable to chdir to maildir. (#4.2.1)\n', 'not permitted')
    os.chmod(box, 0o700)


def test_mbox():
    """Locks and rolling back."""
    old = b'From x\n\nold\n\n'
    path = HOME + '/box'
    put(path, old)
    if not SAN:
        for name, inject, text in (
                ('write', 'write:error=ENOSPC:when=1', 'out of disk space'),
                ('fsync', 'fsync:error=EIO:when=1', 'input/output error')):
            code, out, err = run('./box\n', before=traced('-e', 'inject=' + inject))
            tap.equal((code, err), (111, 'Unable to write ./box: %s. (#4.3.0)\n' % text),
                      name + ' fails')
            tap.equal(read(path), old, '  the file is as before')
        for name, inject, warning in (
                ('flock', ['flock'], ''),
                ('fcntl', ['fcntl'], ''),
                ('both locks', ['flock', 'fcntl'],
                 'Warning: unable to lock ./box: no locks available.\n')):
            put(path, old)
            # Only those two calls on that file; some C libraries have fcntl in open(3), too.
            options = [word for call in inject for word in
                       ('-e', 'inject=%s:error=ENOLCK:when=1+' % call)]
            code, out, err = run('./box\n', before=traced('-P', path, *options))
            tap.equal((code, out, err), (0, 'did 1+0+0\n', warning), name + ' not supported')
            tap.ok(read(path).startswith(old + b'From s@x.example '), '  delivered all the same')
        os.unlink(path)
        run('./box\n', before=traced())
        tap.equal(calls(r'fsync\('), 2, 'a new file: its directory is synced, too')
        run('./box\n', before=traced())
        tap.equal(calls(r'fsync\('), 1, 'an old one: only the file')
        tap.equal(calls(r'(fork|vfork|clone3?)\('), 0, 'no process')
    os.mkdir(HOME + '/drop', 0o300)
    os.chown(HOME + '/drop', 5001, 5001)
    tap.equal(run('./drop/box\n', before=() if SAN else traced()), (0, 'did 1+0+0\n', ''),
              'in a directory that we cannot read')
    if not SAN:
        opened = calls(r'open(at)?\(.*drop/box"')
        tap.equal((opened, calls(r'syncfs\(')), (2, 1), '  opened once more to create it only: '
                  'closing it would end the fcntl lock')
    spool = '/var/mail/joe'
    os.makedirs('/var/mail', exist_ok=True)
    os.chmod('/var/mail', 0o1777)
    put(spool, '')
    put(spool + '.lock', 'dead')
    os.utime(spool + '.lock', (1, 1))
    tap.equal(run(spool + '\n'), (0, 'did 1+0+0\n', ''), 'a stale dot-lock')
    tap.ok(not os.path.exists(spool + '.lock'), '  is taken and removed')
    put(spool + '.lock', 'alive')
    result = []
    worker = threading.Thread(target=lambda: result.append(run(spool + '\n')))
    size = os.stat(spool).st_size
    worker.start()
    time.sleep(0.3)         # long enough to fail if the lock were not looked at
    tap.equal((result, os.stat(spool).st_size), ([], size), 'a fresh dot-lock keeps us waiting')
    os.unlink(spool + '.lock')
    worker.join()
    tap.equal(result, [(0, 'did 1+0+0\n', '')], '  until it goes')
    os.chmod('/var/mail', 0o755)
    tap.equal(run(spool + '\n'), (0, 'did 1+0+0\n', ''), 'no permission for a dot-lock')
    os.chmod('/var/mail', 0o2775)
    tap.equal(run('/dev/null\n'), (0, 'did 1+0+0\n', ''), '/dev/null')
    tap.equal(run('/dev/full\n')[2], 'Unable to write /dev/full: out of disk space. (#4.3.0)\n',
              '/dev/full')


def test_options():
    """The command line."""
    usage = 'qmail-local: usage: qmail-local [ -nN ] user homedir local dash ext domain sender ' \
            'aliasempty\n'
    tap.equal(run('a\n', options=('-x',)), (100, '', 'qmail-local: illegal option -- x\n' + usage),
              'unknown option')
    tap.equal(run('a\n', options=('-nN',), env={'QMAILQUEUE': '/bin/false'})[0], 111, '-N wins')
    tap.equal(run('a\n', options=('-Nn',)), (0, 'forward a\ndid 0+1+0\n', ''), '-n wins')
    tap.equal(run('|exit 9\n', dash='-', ext='e', options=('-n',)),
              (0, 'program exit 9\ndid 0+0+1\n', ''), '-n runs nothing')


for test in (test_programs, test_codes, test_trouble, test_maildir, test_mbox, test_options):
    tap.attempt('%s ran' % test.__name__, test)
sys.exit(tap.done())
