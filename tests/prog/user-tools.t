#!/usr/bin/python3
"""user-tools.t - predate, datemail, mailsubj, qsmhook, qreceipt, qbiff, maildirwatch, elq, pinq,
qail beyond the recorded vectors."""
import os
import pty
import re
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import injected
import tap

BIN = '/var/qmail/bin/'
LINES = {'UFLINE': 'From s@x Thu Nov 20 21:36:00 2025\n', 'RPLINE': 'Return-Path: <s@x>\n',
         'DTLINE': 'Delivered-To: d@h\n', 'SENDER': 's@x', 'LOCAL': 'list-Dogs', 'HOST': 'h'}
MESSAGE = b'Subject: x\n\nbody, no end'
JOE = {'user': 5001, 'group': 5001, 'extra_groups': []}


def run(program, *args, stdin=MESSAGE, env=None, shell=None):
    """As joe: exit code, stdout, stderr.  shell: redirections."""
    variables = {'PATH': '/usr/bin:/bin', **(env or {})}
    variables.update((k, v) for k, v in os.environ.items() if k.endswith('SAN_OPTIONS'))
    argv = [BIN + program, *args]
    if shell:
        argv = ['sh', '-c', 'exec "$@" ' + shell, 'sh', *argv]
    done = subprocess.run(argv, input=stdin, env=variables, capture_output=True, timeout=60,
                          cwd='/tmp', check=False, **JOE)
    return done.returncode, done.stdout.decode('latin-1'), done.stderr.decode('latin-1')


def test_predate():
    """A Date field, the input, the child's code."""
    for zone, offset in (('UTC0', '+0000'), ('XXX-5:30', '+0530'), ('XXX3', '-0300')):
        code, out, err = run('predate', 'cat', env={'TZ': zone})
        tap.ok(code == 0 and not err and re.fullmatch(
            r'Date: \d?\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d ' + re.escape(offset) +
            r'\nSubject: x\n\nbody, no end', out), 'predate in ' + zone, (code, out, err))
    tap.equal(run('predate', 'sh', '-c', 'exit 99', stdin=b'x' * 1000000), (99, '', ''),
              'a child that does not read')
    tap.equal(run('predate'), (100, '', 'predate: usage: predate child\n'), 'no child')
    tap.equal(run('predate', '/none'), (111, '', 'predate: fatal: unable to run /none: file does '
                                        'not exist\n'), 'no such child')
    tap.equal(run('predate', 'sh', '-c', 'kill -9 $$'),
              (111, '', 'predate: fatal: child crashed\n'),
              'a crash')
    tap.equal(run('predate', 'wc', '-l', shell='</tmp')[::2],
              (111, 'predate: fatal: unable to copy input: is a directory\n'), 'unreadable input')
    tap.equal(run('predate', 'wc', '-l', shell='<&-')[:2], (0, '1\n'), 'no input')


def test_mail():
    """datemail and mailsubj: what would be queued."""
    injected.setup()
    r = injected.run(['datemail', '-f', 's@x.x', 'a@y.x'], b'Subject: x\n\nhi\n',
                     env={'TZ': 'UTC0'})
    tap.equal((r.code, r.sender, r.to, r.field('Date')[-5:], r.body()),
              (0, 's@x.x', ['a@y.x'], '+0000', b'hi\n'), 'datemail')
    subject = '-n \\t%s\\c $(id) `id` "\''
    r = injected.run(['mailsubj', subject, 'a@y.x', 'b@z.x'], b'.\nhi\n')
    tap.equal((r.code, r.field('Subject'), r.to, r.body()),
              (0, subject, ['b@z.x', 'a@y.x'], b'.\nhi\n'), 'mailsubj: a subject for shells')
    r = injected.run(['mailsubj', 'one\nBcc: evil@x.x\r\n\nbody', 'a@y.x'], b'hi\n')
    tap.equal((r.code, r.to, r.field('Subject'), r.body()),
              (0, ['a@y.x'], 'one Bcc: evil@x.x   body', b'hi\n'), 'mailsubj: lines in a subject')
    r = injected.run(['mailsubj', 'one', 'a@y.x,\nb@y.x\n\nbody@y.x'], b'hi\n')
    tap.equal((r.code, r.to, r.body()), (0, ['body@y.x', 'b@y.x', 'a@y.x'], b'hi\n'),
              'mailsubj: lines in a recipient')
    for args in ([], ['x']):
        r = injected.run(['mailsubj', *args])
        tap.equal((r.code, r.err), (100, b'mailsubj: usage: mailsubj subject recip ...\n'),
                  'mailsubj with %d arguments' % len(args))
    r = injected.run(['mailsubj', 'x', 'a@y.x'], b'', env={'QQ': '53'})
    tap.equal(r.code, 111, "mailsubj: qmail-inject's exit code")


def test_qsmhook():
    """Options and expansion."""
    u, p, d = (LINES[name] for name in ('UFLINE', 'RPLINE', 'DTLINE'))
    for options, head in (([], u), (['-n'], ''), (['-nP'], p), (['-lP'], u + p + d),
                          (['-DFMms', '-n', '-l', '--'], d)):
        tap.equal(run('qsmhook', *options, 'cat', env=LINES)[:2],
                  (0, head + MESSAGE.decode()), 'qsmhook ' + ' '.join(options))
    for args, want in ((('%%|%g|%u|%h|%x|%',), '%|s@x|list-Dogs|h||'),
                       (('a%gb', '', '$HOME;%%'), 'as@xb  $HOME;%')):
        tap.equal(run('qsmhook', 'echo', *args, env=LINES), (0, want + '\n', ''),
                  'qsmhook ' + ' '.join(args))
    tap.equal(run('qsmhook', '/bin/%xech%%o', env=LINES)[::2],
              (100, 'qsmhook: fatal: command not found\n'), "qsmhook: the program's name, too")
    for prefix, want in (('list-', 'Dogs'), ('LIST-', 'Dogs'), ('dogs', 'list-Dogs'),
                         ('list-dogs', ''), ('list-dogs-', 'list-Dogs')):
        tap.equal(run('qsmhook', '-x' + prefix, 'echo', '%u', env=LINES)[1], want + '\n',
                  'qsmhook -x ' + prefix)
    usage = (100, '', 'qsmhook: fatal: incorrect usage\n')
    for name in LINES:
        tap.equal(run('qsmhook', 'cat', env={k: v for k, v in LINES.items() if k != name}), usage,
                  'qsmhook without ' + name)
    for args in ((), ('-n',), ('-q', 'cat'), ('-x',)):
        tap.equal(run('qsmhook', *args, env=LINES), usage, 'qsmhook ' + ' '.join(args))
    tap.equal(run('qsmhook', '/none', env=LINES), (100, '', 'qsmhook: fatal: command not found\n'),
              'qsmhook: no such program')
    tap.equal(run('qsmhook', 'sh', '-c', 'kill -9 $$', env=LINES),
              (111, '', 'qsmhook: fatal: temporary problem\n'), 'qsmhook: a crash')
    tap.equal(run('qsmhook', 'sh', '-c', 'exit 75', stdin=b'x' * 1000000, env=LINES), (75, '', ''),
              'qsmhook: a program that does not read')
    for shell in ('</tmp', '<&-'):
        tap.equal(run('qsmhook', 'true', shell=shell, env=LINES),
                  (111, '', 'qsmhook: fatal: unable to read message\n'), 'qsmhook ' + shell)


NOTICE = b'Notice-Requested-Upon-Delivery-To: j@h\n'


def receipt(stdin, args=('j@h',), **env):
    """qreceipt with a queue program that keeps what it gets."""
    return injected.run(['qreceipt', *args], stdin, env={'SENDER': 's@x', **env})


def test_qreceipt():
    """Who gets an answer."""
    injected.setup()
    r = receipt(NOTICE + b'Message-ID: <1@x>\n\n')
    tap.equal((r.code, r.err, r.sender, r.to), (0, b'', '', ['s@x']), 'answered')
    tap.ok(r.field('Message-ID').endswith('.qmail@h.x>') and r.field('Date').endswith('-0000') and
           r.field('Auto-Submitted') == 'auto-replied', '  with the fields a message needs', r)
    for name, stdin, env in (
            ('a bounce', NOTICE, {'SENDER': ''}), ('a double bounce', NOTICE, {'SENDER': '#@[]'}),
            ('automatic mail', NOTICE + b'Auto-Submitted: auto-generated\n', {}),
            ('a field that cannot be parsed', NOTICE.replace(b'j@h', b'j@h ("'), {}),
            ('nobody asked', b'To: j@h\n', {}), ('an empty message', b'', {}),
            ('a field of 2 MB', b'Notice-Requested-Upon-Delivery-To: ' + b'x' * 2000000 +
             b', j@h\n', {})):
        r = receipt(stdin, **env)
        tap.equal((r.code, r.err, r.started), (0, b'', False), 'no answer: ' + name)
    for qq, code, text in (('31', 100, 'permanent'), ('53', 111, 'temporary')):
        r = receipt(NOTICE, QQ=qq)
        tap.equal((r.code, r.err.decode()),
                  (code, 'qreceipt: fatal: %s qmail-queue error\n' % text),
                  'the queue exits ' + qq)
    r = receipt(NOTICE, QMAILQUEUE='/none')
    tap.equal((r.code, r.err), (111, b'qreceipt: fatal: temporary qmail-queue error\n'),
              'no queue program')
    usage = (100, b'qreceipt: usage: qreceipt deliveryaddress\n')
    r = receipt(NOTICE, args=())
    tap.equal((r.code, r.err), usage, 'no address')
    r = receipt(NOTICE, SENDER=None)
    tap.equal((r.code, r.err), usage, 'no SENDER')
    for shell in ('</tmp', '<&-'):
        tap.equal(run('qreceipt', 'j@h', shell=shell, env={'SENDER': 's@x'}),
                  (111, '', 'qreceipt: fatal: read error\n'), 'qreceipt ' + shell)
    injected.control('idhost', 'a b\n')
    tap.ok(receipt(NOTICE).field('Message-ID').endswith('.qmail@idhost>'), 'a bad idhost')
    os.unlink('/var/qmail/control/idhost')
    os.mkdir('/var/qmail/control/idhost')
    r = receipt(NOTICE)
    tap.equal((r.code, r.err, r.started), (111, b'qreceipt: fatal: unable to read controls\n',
                                           False), 'an unreadable idhost')
    os.rmdir('/var/qmail/control/idhost')


def test_qbiff():
    """Whatever is wrong, mail goes on.  (Terminals: golden vectors tools/qbiff-*.)"""
    env = {'USER': 'joe', 'LOCAL': 'joe', 'SENDER': 's@x'}
    tap.equal(run('qbiff', env=env), (0, '', ''), 'qbiff, nobody logged in')
    for name in env:
        tap.equal(run('qbiff', env={k: v for k, v in env.items() if k != name}), (0, '', ''),
                  'qbiff without ' + name)
    for shell in ('</tmp', '<&-', '<&- >&- 2>&-'):
        tap.equal(run('qbiff', shell=shell, env=env), (0, '', ''), 'qbiff ' + shell)
    tap.equal(run('qbiff', stdin=b'Subject: ' + b'\xff' * 3000000, env={**env, 'USER': 'x' * 9999}),
              (0, '', ''), 'qbiff with a message and a name of any size')


def watch(maildir, last):
    """maildirwatch on a terminal: what it shows until `last`, and whether it goes on.  A terminal
    passes on pieces of what was written in one."""
    master, slave = pty.openpty()
    process = subprocess.Popen([BIN + 'maildirwatch'], stdout=slave, stderr=slave, cwd='/tmp',
                               env={'MAILDIR': maildir}, **JOE)
    os.close(slave)
    text, end = b'', time.monotonic() + 20
    while not text.endswith(last) and time.monotonic() < end:
        if select.select([master], [], [], 1)[0]:
            text += os.read(master, 65536)
    alive = process.poll() is None
    process.terminate()
    process.wait()
    os.close(master)
    return text.decode('latin-1').replace('\r\n', '\n'), alive


def test_maildirwatch():
    """A screen."""
    box = '/home/joe/Maildir'
    for name, mtime, text in (
            ('new/1', 2000, 'Return-Path: <s@x>\nDelivered-To: first\nDelivered-To: j\tx@h\n'
                            'From: "S\x1b[2J" <s@x>\nSubject: hi\x07\n\nbody\xe4\n' + 'y' * 200),
            ('new/2', 1000, 'no header\n'), ('cur/3:2,S', 1000, 'Subject: seen\n'),
            ('new/4', 3000, 'From: late\n')):
        with open(box + '/' + name, 'w', encoding='latin-1') as file:
            file.write(text)
        os.utime(box + '/' + name, (mtime, mtime))
        os.chmod(box + '/' + name, 0o644)
    text, alive = watch(box, b'late\x1b[0m' + 3 * b'\r\n')
    tap.equal(text, '\x1b[;H\x1b[;J'
              'FROM ? TO <?>\n\x1b[1m\x1b[0m\nno header/\n\n'
              'FROM <s@x> TO <j?x@h>\n\x1b[1m"S/[2J" <s@x>\x1b[0m\nhi///body//' + 'y' * 147 +
              '\n\nFROM ? TO <?>\n\x1b[1mlate\x1b[0m\n\n\n', 'maildirwatch: new mail, oldest first')
    tap.ok(alive, '  and goes on')
    tap.equal(run('maildirwatch'), (111, '', 'maildirwatch: fatal: MAILDIR not set\n'),
              'maildirwatch without MAILDIR')
    tap.equal(run('maildirwatch', env={'MAILDIR': '/home/joe'}), (
        111, '', 'maildirwatch: fatal: unable to scan /home/joe: file does not exist\n'),
              'maildirwatch: no Maildir')
    tap.equal(run('maildirwatch', env={'MAILDIR': box}, shell='>/dev/full')[::2], (
        111, 'maildirwatch: fatal: unable to write: out of disk space\n'),
              'maildirwatch: no screen')
    os.chmod(box + '/new/2', 0)
    tap.equal(run('maildirwatch', env={'MAILDIR': box})[::2], (
        111, 'maildirwatch: fatal: unable to show new/2: access denied\n'),
              'maildirwatch: mail it may not read')
    if os.environ.get('SAN'):
        return
    os.unlink(box + '/new/2')
    done = subprocess.run(['strace', '-f', '-qq', '-o', '/tmp/trace', '-e', 'trace=clock_nanosleep',
                           '-e', 'inject=clock_nanosleep:retval=0:when=1', '-e',
                           'inject=clock_nanosleep:signal=KILL:when=2', BIN + 'maildirwatch'],
                          env={'MAILDIR': box}, capture_output=True, timeout=60, check=False)
    tap.equal(done.stdout.count(b'\x1b[;H\x1b[;J'), 2, 'maildirwatch: again after the pause')
    with open('/tmp/trace', encoding='ascii') as trace:
        tap.ok('tv_sec=30' in trace.read(), '  of 30 seconds')


def test_readers():
    """elq, pinq, qail: mail is moved, then the reader runs."""
    os.makedirs('/tmp/readers', exist_ok=True)
    for name in ('elm', 'pine', 'Mail'):
        with open('/tmp/readers/' + name, 'w', encoding='ascii') as file:
            file.write('#!/bin/sh\necho "%s $# $1"; grep -c "^From " "$MAIL"; exit 7\n' % name)
        os.chmod('/tmp/readers/' + name, 0o755)
    env = {'MAILDIR': '/home/joe/Maildir', 'MAIL': '/home/joe/box', 'MAILTMP': '/home/joe/box.tmp',
           'PATH': '/tmp/readers:/usr/bin:/bin'}
    subprocess.run('rm -rf /home/joe/Maildir; maildirmake /home/joe/Maildir', shell=True,
                   check=True,
                   env={'PATH': '/usr/bin:/bin:' + BIN}, **JOE)
    for n, (program, reader) in enumerate((('elq', 'elm'), ('pinq', 'pine'), ('qail', 'Mail'))):
        with open('/home/joe/Maildir/new/%d' % n, 'w', encoding='ascii') as file:
            file.write('text\n')
        os.utime('/home/joe/Maildir/new/%d' % n, (1000, 1000))
        os.chmod('/home/joe/Maildir/new/%d' % n, 0o644)
        tap.equal(run(program, 'a  b', 'c', env=env), (7, '%s 2 a  b\n%d\n' % (reader, n + 1), ''),
                  '%s runs %s' % (program, reader))
        tap.equal(run(program, env={**env, 'MAILTMP': '/none/x'})[:2],
                  (7, '%s 0 \n%d\n' % (reader, n + 1)), '  nothing to move')
        tap.equal(run(program, env={**env, 'MAILDIR': '/none'})[:2], (111, ''),
                  '  mail that cannot be moved')


for test in (test_predate, test_mail, test_qsmhook, test_qreceipt, test_qbiff, test_maildirwatch,
             test_readers):
    test()
sys.exit(tap.done())
