#!/usr/bin/python3
"""qmail-inject.t - qmail-inject as a black box: where it must do better than its model, limits, and
what can fail.  The recorded vectors (golden.t) cover the rest."""
import hashlib
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import tty

sys.dont_write_bytecode = True
sys.path[:0] = ['tests', 'tests/prog']
import tap
from injected import BIN, CONTROL, DIR, KEEP, Result, control, read, run, setup, start

FATAL = b'qmail-inject: fatal: '
HELLO = b'To: ann@a.example\nSubject: s\n\nhello\n'


def inject(args='', stdin=HELLO, **more):
    """args: a string of words, or a list."""
    words = args.split() if isinstance(args, str) else args
    return run(['qmail-inject'] + words, stdin, **more)


def refused(name, result, code, text):
    """Exit code and complaint; nothing queued."""
    tap.ok(result.code == code and result.err == FATAL + text and result.message is None, name,
           result)


def test_line_ends():
    r = inject('', b'To: ann@a.example\r\nSubject: a\r\n b\r\n\r\nhi\r\n\r\nthere\r\n')
    tap.equal(r.message.split(b'\nTo: ')[1],
              b'ann@a.example\nSubject: a\n b\n\nhi\n\nthere\n', 'CRLF throughout')
    r = inject('', b'To: ann@a.example\nSubject: a\r\nX: \r\r\n\r\nhi\r\nthere\n')
    tap.equal(r.message.split(b'\nTo: ')[1], b'ann@a.example\nSubject: a\nX: \n\nhi\r\nthere\n',
              'CRLF in a part of the header, body untouched')
    r = inject('', b'To: ann@a.example\nSubject: a\rBcc: x@y\n\nhi\rthere\r\n')
    tap.equal(r.message.split(b'\nSubject: ')[1], b'a Bcc: x@y\n\nhi\rthere\r\n',
              'CR inside a header line')
    tap.equal(r.to, ['ann@a.example'], 'is no line end')
    r = inject('-a ann', b'hello\r\nbody\r\n')
    tap.equal(r.body(), b'hello\nbody\n', 'CRLF without a header')


def test_sender_forms():
    for value, want in (('', ''), ('<>', ''), (' <> ', ''), ('Joe <j@b.c>', 'j@b.c'),
                        ('"a b"@c.d', 'a b@c.d'), ('<"a b"@c.d>', 'a b@c.d'), ('#@[]', '#@[]'),
                        ('x-@h.d-@[]', 'x-@h.d-@[]'), ('joe', 'joe@h.x'), ('a,b@c.d', 'a,b@c.d'),
                        ('j@b.c>', None)):
        r = inject(['-f', value, 'ann'])
        if want is not None:
            tap.equal((r.code, r.sender), (0, want), '-f %r' % value)
    for value, shown in (('a@)b', b'a@)b'), ('x y@[', b'"x y"@['), ('<a@b> <c@d>',
                                                                   b'"<a@b> <c"@d>')):
        refused('-f %r' % value, inject(['-f', value, 'ann']), 100,
                b'unable to parse this line:\n' + shown)
    r = inject(['-f', 'a\nb@c', 'ann'])
    tap.ok(r.code == 100 and r.message is None, '-f with LF', r)


def test_recipient_forms():
    for arg, want in (('<a@b.c>', 'a@b.c'), ('"a b"@c.d', 'a b@c.d'), ('a b,c@d.e', 'a b,c@d.e'),
                      ('Joe <a@b.c>', 'Joe <a@b.c>'), ('joe', 'joe@h.x'), ('', ''),
                      ('a@b+', 'a@b.h.x')):
        tap.equal(inject(['-a', '--', arg]).to, [want], 'argument %r' % arg)
    for arg in ('a@b"c', 'a@[1.2', 'a\rb@c', 'a\nb@c', '<a@"b c">'):
        refused('argument %r' % arg, inject(['--', arg]), 100,
                b'unable to parse address: ' + arg.encode() + b'\n')
    tap.equal(inject(['-h', 'a@b"c']).to, ['ann@a.example'], '-h does not look at arguments')


def test_injection():
    env = {'NAME': 'Joe\nBcc: x@y\tz\x7f'}
    tap.equal(inject(env=env).field('From'), '"Joe Bcc: x@y z " <joe@h.x>', 'LF in NAME')
    env = {'USER': 'j\noe', 'QMAILHOST': 'a\n.b'}
    r = inject(env=env)
    tap.equal((r.field('From'), r.sender), ('"j oe"@a.b', 'j oe@a.b'), 'LF in USER, QMAILHOST')
    refused('NUL in an address', inject('', b'To: a\0b@c.d\n\nx\n'), 100,
            b'unable to parse this line:\nTo: a\0b@c.d\n')
    r = inject('', b'To: "a\n b" <a@b.c>, (c\n d) e@f.g\n\nx\n')
    tap.equal(r.field('To'), '"a b" <a@b.c>, e@f.g (c d)', 'folded strings')
    r = inject('', b'To: "a\\\n b"@c.d\n\nx\n')
    tap.equal(r.field('To'), '"a b"@c.d', 'escaped LF')


def test_from():
    for env, want in (({'QMAILHOST': '[1.2.3.4]'}, 'joe@[1.2.3.4]'),
                      ({'NAME': ''}, 'joe@h.x'),
                      ({'USER': 'joe.user'}, 'joe.user@h.x'),
                      ({'USER': 'joe..user'}, '"joe..user"@h.x'),
                      ({'USER': ''}, '""@h.x'),
                      ({'NAME': 'Joe', 'QMAILHOST': 'b'}, '"Joe" <joe@b.h.x>'),
                      ({'NAME': 'Joe', 'QMAILINJECT': 'c'}, 'joe@h.x (Joe)'),
                      ({'USER': None}, 'anonymous@h.x'),
                      ({'USER': None, 'QMAILINJECT': 'u'}, 'joe@h.x'),
                      ({'USER': None, 'LOGNAME': 'x', 'QMAILINJECT': 'u'}, 'x@h.x')):
        tap.equal(inject(env=env).field('From'), want, 'From of %s' % env)
    refused('QMAILHOST that cannot be parsed', inject(env={'QMAILHOST': '[1'}), 100,
            b'unable to parse this line:\njoe@[1')
    refused('the same with -f', inject('-f a@b.c', env={'QMAILHOST': '[1'}), 100,
            b'unable to parse this line:\nFrom: joe@[1\n')
    r = inject(env={'QMAILINJECT': 'r'}, stdin=b'Return-Path: <l-@a.b>\nTo: x@y.z\n\n')
    tap.equal(r.sender, 'l-@a.b-@[]', 'VERP with Return-Path')
    r = inject('-f a@b.c', env={'QMAILINJECT': 'rm'})
    tap.equal(r.sender, 'a@b.c', 'VERP does not change -f')


def test_generated():
    ids = {inject().field('Message-ID') for _ in range(3)}
    tap.ok(len(ids) == 3 and all(re.fullmatch(r'<\d{14}\.\d+\.[0-9a-f]{16}\.qmail@h\.x>', i)
                                 for i in ids), 'Message-IDs', ids)
    for bad in ('a b', 'a>b', '<x', 'a\tb', 'x\r'):
        r = inject(env={'QMAILIDHOST': bad})
        tap.ok(r.field('Message-ID').endswith('.qmail@h.x>'), 'QMAILIDHOST %r' % bad, r)
    tap.ok(re.fullmatch(r'\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d -0000', inject().field('Date')),
           'Date in UTC')
    for env, zone in (({'TZ': 'XXX-5:45'}, '+0545'), ({'TZ': 'XXX3:30'}, '-0330'),
                      ({'TZ': 'UTC'}, '+0000')):
        env['QMAILLOCALTIME'] = ''
        tap.ok(inject(env=env).field('Date').endswith(' ' + zone), 'Date in %s' % env)
    control('localtime', '1\n')
    tap.ok(inject(env={'TZ': 'XXX-5:45'}).field('Date').endswith(' +0545'), 'control/localtime')
    control('localtime', None)


def test_nobody():
    big = b'x' * 1000000
    for stdin in (b'Subject: s\n\n' + big, b'To: <>, @x, ()\n\n' + big, big):
        r = inject('', stdin)
        tap.ok(r.code == 0 and r.err == b'qmail-inject: warning: no recipients\n' and
               not r.started, 'no recipients: %r' % stdin[:20], r)
    tap.equal(inject('', b'To: <>, ann@a.example, @x\n\n').to, ['ann@a.example'],
              'empty recipients are left out')
    r = inject('', b'Subject: s\n\n', env={'QMAILINJECT': 'S'})
    tap.ok(r.code == 100 and r.err == b'sendmail: fatal: no recipients\n', 'for sendmail: refused',
           r)


def test_bad_fields():
    bad = b'To: a>\nBcc: )\nCc: b@c.d\n\nx\n'
    r = inject('-a ann', bad)
    tap.equal((r.code, r.to, r.field('To'), r.field('Bcc'), r.field('Cc')),
              (0, ['ann@h.x'], 'a>', None, 'b@c.d'), 'recipient fields, -a')
    for option in ('-h', '-H ann', '-A'):
        refused('recipient fields, %s' % option, inject(option, bad), 100,
                b'unable to parse this line:\nTo: a>\n')
    sender = b'To: a@b.c\nReply-To: )\n\nx\n'
    refused('sender fields', inject('-a ann', sender), 100,
            b'unable to parse this line:\nReply-To: )\n')
    r = inject('-H', sender, env={'QMAILINJECT': 'S'})
    tap.equal((r.code, r.to, r.field('Reply-To')), (0, ['a@b.c'], ')'), 'for sendmail: kept')
    r = inject('-a ann', b'Return-Path: )(\n\nx\n', env={'QMAILINJECT': 'S'})
    tap.equal((r.code, r.sender, r.field('Return-Path')), (0, 'joe@h.x', None),
              'for sendmail: bad Return-Path')


def test_letters_left():
    """What QMAILQUEUE names may call qmail-inject itself: sendmail's letter must not reach it."""
    stub = DIR + '/letters'
    with open(stub, 'w') as file:
        file.write('#!/bin/sh\ncat >/dev/null; cat <&1 >/dev/null\n'
                   'printf %%s "${QMAILINJECT-unset}" >%s/letters\n' % KEEP)
    os.chmod(stub, 0o755)
    for letters, left in ((None, 'unset'), ('', ''), ('c', 'c'), ('S', 'unset'), ('cSs', 'cs')):
        inject('ann', env={'QMAILINJECT': letters, 'QMAILQUEUE': stub})
        tap.equal(read(KEEP + '/letters').decode(), left,
                  'letters %r for the queue program' % letters)


def test_header_only():
    head = b'To: ann@a.example\n'
    tap.ok(inject('', head).message.endswith(b'\n' + head), 'no body: no empty line')
    tap.ok(inject('', head, env={'QMAILINJECT': 'S'}).message.endswith(b'\n' + head + b'\n'),
           'for sendmail: empty line')
    r = inject('', b'To: ann@a.example')
    tap.ok(r.message.endswith(b'\n' + head), 'last LF added', r)


def test_print():
    r = inject('-n')
    queued = inject(env={'QMAILINJECT': ''})
    mask = re.compile(rb'(?m)^(Date|Message-ID): .*')
    tap.equal(mask.sub(b'', r.out),
              b'Return-Path: <joe@h.x>\n' + mask.sub(b'', queued.message), '-n: as queued')
    with open('/dev/full', 'wb') as full:
        for size in (10, 1000000):
            r = inject('-n', HELLO + b'x' * size, stdout=full)
            refused('-n to a full disk, %d bytes' % size, r, 111, b'write error\n')
    tap.equal(inject('-n', b'Subject: s\n\n').code, 0, '-n without recipients')


def test_large():
    many = b'To: ' + b',\n '.join(b'user%d@a.example' % i for i in range(100000)) + b'\n\nx\n'
    r = inject('', many)
    tap.equal((r.code, len(r.to), r.to[0], r.to[-1]),
              (0, 100000, 'user99999@a.example', 'user0@a.example'), '100,000 recipients')
    tap.ok(max(len(line) for line in r.message.split(b'\n')) <= 78, 'folded')
    body = os.urandom(1 << 20).replace(b'\r', b'.') * 20 + b'end'
    r = inject('ann', b'X: y\n\n' + body)
    tap.equal(hashlib.sha256(r.body()).digest(), hashlib.sha256(body + b'\n').digest(),
              'body of 20 MB')
    line = b'X: ' + b'x' * 1000000 + b'\n'
    r = inject('ann', line + b'\nbody\n')
    tap.ok(r.code == 0 and b'\n' + line + b'\nbody\n' in r.message, 'header line of 1 MB')
    refused('header of 17 MB', inject('ann', line * 17 + b'\n'), 100, b'header too large\n')
    fields = (b'To: ' + b'a,' * 250000 + b'\n') * 4
    refused('1,000,001 recipients', inject('', fields + b'Cc: b\n\n'), 100,
            b'too many recipients\n')
    refused('a field of 4 million words', inject('ann', b'To: ' + b'.' * 4200000 + b'\n\n'), 100,
            b'header too large\n')
    endless = subprocess.Popen(['sh', '-c', 'printf X:; exec cat /dev/zero'],
                               stdout=subprocess.PIPE)
    refused('endless line of a header', fed_by(endless.stdout), 100, b'header too large\n')
    endless.stdout.close()
    endless.wait()
    long = b'b' * (17 << 20)
    for header in (b'', b'X: y\n', b'X: y\n' + line * 12):
        r = inject('ann', header + long + b'\nend')
        tap.ok(r.code == 0 and r.body() == long + b'\nend\n',
               'a line of 17 MB that is no field is of the body, behind %d bytes' % len(header),
               (r.code, r.err))
    if not os.environ.get('SAN'):
        refused('no memory',
                inject('ann', line * 15 + b'\n', limits=[(resource.RLIMIT_AS, 12 << 20)]), 111,
                b'out of memory\n')


def fed_by(descriptor):
    """qmail-inject ann, reading from this."""
    process = start(['qmail-inject', 'ann'], stdin=descriptor)
    out, err = process.communicate()
    return Result(process.returncode, out, err)


def test_blanks_in_controls():
    control('defaultdomain', ' d.x\n')
    control('defaulthost', ' h.x\n')
    r = inject('', b'To: a@b, c\n\n')
    tap.ok(b'\nTo: a@b.d.x, c@h.x\n' in r.message, 'blanks before a domain', r.message)
    control('defaultdomain', None)
    control('defaulthost', None)


def test_recipient_limit():
    control('injectmaxrcpt', '3\n')
    to = b'To: a@b.c, d@e.f\n\nx\n'
    tap.equal(inject('-H one', to).code, 0, 'injectmaxrcpt: at the limit')
    refused('injectmaxrcpt: over the limit', inject('-H one two', to), 100,
            b'too many recipients\n')
    tap.equal(inject('-a one two three').code, 0, 'injectmaxrcpt: arguments only')
    control('injectmaxrcpt', None)


def test_followup():
    lists = DIR + '/lists'
    with open(lists, 'w') as file:
        file.write('# mine\n\nLIST@a.example \t\n')
    env = {'QMAILMFTFILE': lists}
    to = b'To: List@A.example, "a b"@c.d\nCc: e@f.g\n'
    tap.equal(inject('', to + b'\n', env=env).field('Mail-Followup-To'),
              'e@f.g,\n  List@A.example,\n  "a b"@c.d', 'Mail-Followup-To')
    for about, more in (('resent', b'Resent-To: x@y.z\n'), ('there already',
                                                            b'Mail-Followup-To: z\n')):
        r = inject('', to + more + b'\n', env=env)
        tap.ok(b'Followup-To: e' not in r.message, 'Mail-Followup-To: %s' % about, r)
    tap.equal(inject('', b'To: x@y.z\n\n', env=env).field('Mail-Followup-To'), None,
              'Mail-Followup-To: no list')
    tap.equal(inject('', to + b'\n', env={'QMAILMFTFILE': DIR + '/absent'}).code, 0,
              'QMAILMFTFILE: absent')
    refused('QMAILMFTFILE: a directory', inject('', to, env={'QMAILMFTFILE': DIR}), 111,
            b'read error\n')
    os.symlink(lists, '/tmp/lists')
    tap.ok(inject('', to + b'\n', env={'QMAILMFTFILE': 'lists'}).field('Mail-Followup-To'),
           'QMAILMFTFILE: relative to where the caller is')


def test_trouble():
    directory = os.open('/tmp', os.O_RDONLY)
    refused('input is a directory', fed_by(directory), 111, b'read error\n')
    master, slave = pty.openpty()           # its other end gone, it has what was written, then EIO
    tty.setraw(slave)
    os.write(slave, HELLO)
    os.close(slave)
    refused('an error behind the beginning of the body', fed_by(master), 111, b'read error\n')
    os.close(master)
    os.mkdir(CONTROL + 'plusdomain')
    refused('unreadable control file', inject(env={'QMAILPLUSDOMAIN': 'x'}), 111, b'read error\n')
    os.rmdir(CONTROL + 'plusdomain')
    control('defaulthost', '[x\n')
    refused('control file that cannot be parsed', inject(), 100,
            b'unable to parse this line:\n@[x')
    control('defaulthost', None)
    mode = os.stat('/var/qmail').st_mode & 0o7777
    os.chmod('/var/qmail', 0o700)
    r = inject(program='/var/qmail-inject')
    os.chmod('/var/qmail', mode)
    refused('home cannot be entered', r, 111, b'internal bug\n')
    r = inject(env={'QMAILQUEUE': '/nonexistent'})
    refused('no queue program', r, 111, b'unable to exec qq (#4.3.0)\n')
    r = inject(env={'QMAILQUEUE': ''})
    refused('a queue program with an empty name', r, 111, b'unable to exec qq (#4.3.0)\n')
    refused('no process', inject(limits=[(resource.RLIMIT_NPROC, 0)]), 111,
            b'unable to run qmail-queue\n')
    r = inject(env={'QQ': '31'})
    tap.equal((r.code, r.err),
              (100, FATAL + b'mail server permanently rejected message (#5.3.0)\n'),
              'the queue refuses')


def test_descriptors():
    for closed in ((0,), (1,), (2,), (0, 1, 2)):
        shut = lambda: [os.close(fd) for fd in closed]
        r = inject('ann', before=shut)
        tap.ok(r.code == 0 and r.to == ['ann@h.x'], 'closed descriptors %s' % (closed,), r)


def test_signals():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = start(['qmail-inject', 'ann'])
        process.stdin.write(b'To: x@y.z\n\nhello\n' + b'x' * 200000)
        process.stdin.flush()   # the pipe holds less: by now it copies the body
        process.send_signal(number)
        process.wait()
        out, err = process.communicate()
        r = Result(process.returncode, out, err)
        tap.ok(r.code == -number and r.message is None, 'signal %d: nothing queued' % number, r)


def test_queue():
    """With the real qmail-queue."""
    r = inject('ann', env={'QMAILQUEUE': None})
    todo = [f for _, _, files in os.walk('/var/qmail/queue/todo') for f in files]
    tap.ok(r.code == 0 and len(todo) == 1, 'queued', r)


def main():
    setup()
    subprocess.run(['cp', BIN + 'qmail-inject', '/var/qmail-inject'], check=True)
    for name, test in list(globals().items()):
        if name.startswith('test_'):
            test()
    subprocess.run(['rm', '-rf', DIR, '/tmp/lists', '/var/qmail-inject'], check=True)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
