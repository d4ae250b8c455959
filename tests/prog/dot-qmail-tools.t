#!/usr/bin/python3
"""dot-qmail-tools.t - forward, condredirect, except, bouncesaying, preline, maildirmake beyond the
recorded vectors."""
import os
import signal
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap

BIN = '/var/qmail/bin/'
DIR = tempfile.mkdtemp()                # what the tools are given, and what they queued
IN, QUEUE, QUEUED = DIR + '/in', DIR + '/queue', (DIR + '/message', DIR + '/envelope')
MESSAGE = b'Subject: x\n\nbody, no end'
ENV = {'PATH': os.environ['PATH'], 'SENDER': 's@x', 'NEWSENDER': 'ns@x',
       'DTLINE': 'Delivered-To: d@h\n',
       'RPLINE': 'Return-Path: <s@x>\n', 'UFLINE': 'From s@x Thu Nov 20 21:36:00 2025\n',
       'QMAILQUEUE': QUEUE}
KEEP = '#!/bin/sh\ncd %s\ncat >message; cat <&1 >envelope\n' \
       'tail -c 1 envelope | grep -qz "^$" || exit 54\nexit ${QQ_CODE:-0}\n' % DIR


def run(program, *args, stdin=MESSAGE, env=(), at=0):
    """Runs it with a file as descriptor 0 (or what stdin is); exit code, stdout, stderr."""
    fd = None
    if isinstance(stdin, bytes):
        with open(IN, 'wb') as file:
            file.write(stdin)
        fd = os.open(IN, os.O_RDONLY)
        os.lseek(fd, at, os.SEEK_SET)
    variables = {k: v for k, v in {**ENV, **dict(env)}.items() if v is not None}
    for name in QUEUED:
        if os.path.exists(name):
            os.unlink(name)
    done = subprocess.run([BIN + program, *args], stdin=stdin if fd is None else fd, env=variables,
                          capture_output=True, timeout=30)
    if fd is not None:
        os.close(fd)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def closed(program, *args):
    """The same with descriptor 0 closed."""
    done = subprocess.run(['sh', '-c', 'exec "$@" <&-', 'sh', BIN + program, *args], env=ENV,
                          capture_output=True, timeout=30)
    return done.returncode, done.stderr.decode()


def queued():
    """Message and envelope if both were complete."""
    if not os.path.exists(QUEUED[1]):
        return None
    with open(QUEUED[0], 'rb') as message, open(QUEUED[1], 'rb') as envelope:
        text, addresses = message.read(), envelope.read()
    return (text, addresses) if addresses.endswith(b'\0\0') else None


def test_forward():
    """Addresses as they are; nothing is queued when anything is wrong."""
    code, out, err = run('forward', 'a b@c', '-x', '')
    tap.equal((code, out, err[:12]), (0, '', 'forward: qp '), 'odd addresses')
    tap.equal(queued(), (b'Delivered-To: d@h\n' + MESSAGE, b'Fns@x\0Ta b@c\0T-x\0T\0\0'),
              '  as they are')
    run('forward', 'a', at=11)
    tap.equal(queued()[0], b'Delivered-To: d@h\n' + MESSAGE[11:], 'from where the message stands')
    tap.equal(run('forward'), (100, '', 'forward: usage: forward addr ...\n'), 'no address')
    tap.equal(run('forward', 'a', env={'DTLINE': None}), (100, '',
              'forward: fatal: DTLINE not set\n'),
              'DTLINE is missing')
    tap.equal(run('forward', 'a', env={'QQ_CODE': '53'})[::2], (111,
              'forward: fatal: qq write error '
              'or disk full (#4.3.0)\n'), 'temporary trouble in the queue')
    directory = os.open(DIR, os.O_RDONLY)
    tap.equal(run('forward', 'a', stdin=directory), (111, '',
              'forward: fatal: unable to read message: '
              'is a directory\n'), 'a message that cannot be read')
    tap.equal(queued(), None, '  is not queued')
    os.close(directory)
    tap.equal(closed('forward', 'a'), (111,
              'forward: fatal: unable to read message: file descriptor '
              'not open\n'), 'no message')
    tap.equal(run('forward', 'a', env={'QMAILQUEUE': '/bin/true'}, stdin=b'x' * 1000000)[::2],
              (111, 'forward: fatal: qq read error (#4.3.0)\n'),
              'a queue program that does not read')


def test_condredirect():
    """Only 0 means yes."""
    code, out, err = run('condredirect', 'n@x', 'sh', '-c', 'cat >/dev/null')
    tap.equal((code, err[:17]), (99, 'condredirect: qp '), 'found through PATH')
    tap.equal(queued(), (b'Delivered-To: d@h\n' + MESSAGE, b'Fs@x\0Tn@x\0\0'),
              '  whole message, SENDER')
    for n in (1, 99, 100, 112):
        tap.equal(run('condredirect', 'n@x', 'sh', '-c', 'exit %d' % n), (0, '', ''),
                  'exit %d is no' % n)
    tap.equal(run('condredirect', 'n@x', '/nonexistent'), (0, '', ''), 'so is a missing program')
    tap.equal(run('condredirect', 'n@x', '/etc/passwd'), (0, '', ''), 'and one that is none')
    tap.equal(run('condredirect', 'n@x', 'sh', '-c', 'kill -9 $$'),
              (111, '', 'condredirect: fatal: child crashed\n'), 'a crash')
    tap.equal(run('condredirect', 'n@x', 'true', env={'SENDER': None}),
              (100, '', 'condredirect: fatal: SENDER not set\n'), 'SENDER is missing')
    tap.equal(run('condredirect', 'n@x', 'false', env={'SENDER': None}), (0, '', ''), '  only then')
    tap.equal(run('condredirect', 'n@x', 'true', stdin=subprocess.PIPE),
              (111, '', 'condredirect: fatal: unable to rewind: unseekable descriptor\n'), 'a pipe')
    tap.equal(closed('condredirect', 'n@x', 'true')[0], 111, 'no message')


def test_turning():
    """except and bouncesaying."""
    for program, args, yes in (('except', [], (100, '', '')),
                               ('bouncesaying', ['no %s'], (100, '', 'no %s\n'))):
        fatal = (111, '', program + ': fatal: child crashed\n')
        tap.equal(run(program, *args, 'sh', '-c', 'exit 0'), yes, program + ': yes')
        tap.equal(run(program, *args, 'sh', '-c', 'exit 99'), (0, '', ''), program + ': 99 is no')
        tap.equal(run(program, *args, '/nonexistent'), (0, '', ''), program + ': no such program')
        tap.equal(run(program, *args, 'sh', '-c', 'kill -9 $$'), fatal, program + ': crash')
        tap.equal(run(program, *args, 'cat')[:2], (yes[0], MESSAGE.decode()),
                  program + ': descriptors')
    tap.equal(run('bouncesaying'), (100, '', 'bouncesaying: usage: bouncesaying error [ program '
              '[ arg ... ] ]\n'), 'bouncesaying without a text')


def test_preline():
    """Lines in front; the program's own answer."""
    usage = 'preline: usage: preline cmd [ arg ... ]\n'
    lines = [ENV['UFLINE'], ENV['RPLINE'], ENV['DTLINE']]
    for options, kept in (([], (0, 1, 2)), (['-f'], (1, 2)), (['-r', '-d'], (0,)), (['-frd'], ()),
                          (['-frdFR'], (0, 1)), (['-D', '--'], (0, 1, 2))):
        tap.equal(run('preline', *options, 'cat')[1],
                  ''.join(lines[i] for i in kept) + MESSAGE.decode(),
                  'options ' + ' '.join(options))
    tap.equal(run('preline', 'sh', '-c', 'exit 75', stdin=b'x' * 1000000), (75, '', ''),
              'a program that does not read')
    tap.equal(run('preline', 'sh', '-c', 'kill -9 $$'), (111, '',
              'preline: fatal: child crashed\n'), 'crash')
    tap.equal(run('preline', '/nonexistent'), (100, '',
              'preline: fatal: unable to run /nonexistent: file '
              'does not exist\n'), 'no such program')
    tap.equal(run('preline', '/etc/passwd'), (100, '', 'preline: fatal: unable to run /etc/passwd: '
              'access denied\n'), 'not a program')
    tap.equal(run('preline'), (100, '', usage), 'no program named')
    tap.equal(run('preline', '-x', 'cat'), (100, '', 'preline: illegal option -- x\n' + usage),
              'option')
    for name in ('UFLINE', 'RPLINE', 'DTLINE'):
        tap.equal(run('preline', '-frd', 'cat', env={name: None}), (100, '', usage),
                  name + ' is missing')
    tap.equal(run('preline', 'grep', 'SigIgn', '/proc/self/status')[1],
              'SigIgn:\t0000000000000000\n',
              'no signal is ignored')
    directory = os.open(DIR, os.O_RDONLY)
    tap.equal(run('preline', 'true', stdin=directory)[::2], (111,
              'preline: fatal: unable to copy input: '
              'is a directory\n'), 'a message that cannot be read')
    os.close(directory)
    tap.equal(closed('preline', 'cat')[0], 111, 'no message')


def test_maildirmake():
    """Modes, and what is in the way."""
    os.chdir(DIR)
    os.umask(0)
    tap.equal(run('maildirmake', 'box', 'ignored'), (0, '', ''), 'made')
    tap.equal([stat.S_IMODE(os.stat(p).st_mode) for p in ('box', 'box/tmp', 'box/new', 'box/cur')],
              [0o700] * 4, '  for its owner alone')
    tap.equal(run('maildirmake', 'none/box'), (111, '',
              'maildirmake: fatal: unable to mkdir none/box: '
              'file does not exist\n'), 'no parent')
    tap.equal(run('maildirmake', 'slash/'), (0, '', ''), 'a slash at the end')
    tap.ok(os.path.isdir('slash/new'), '  is fine')


signal.signal(signal.SIGPIPE, signal.SIG_DFL)
with open(QUEUE, 'w', encoding='ascii') as script:
    script.write(KEEP)
os.chmod(QUEUE, 0o755)
for test in (test_forward, test_condredirect, test_turning, test_preline, test_maildirmake):
    tap.attempt('%s ran' % test.__name__, test)
sys.exit(tap.done())
