#!/usr/bin/python3
"""sendmail.t - sendmail, mailq and newaliases the way other programs call them, and what each
option does.  The recorded vectors (golden.t) cover the rest."""
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path[:0] = ['tests', 'tests/prog']
import tap
from injected import BIN, DIR, run, setup

MAIL = b'To: ann@a.example\nBcc: bob@a.example\nSubject: s\n\nhello\n'
USAGE = (b'sendmail: usage: sendmail [ -t ] [ -fsender ] [ -Fname ] [ -bp ] [ -bs ] '
         b'[ arg ... ]\n')
BOTH = ['ann@a.example', 'bob@a.example']
SHOW = '''#!/bin/sh
for a; do echo "arg $a"; done
echo "name $0"
echo "cwd $(pwd)"
env | grep -v -e ^PATH= -e ^PWD= -e ^_= -e ^QMAILQUEUE= -e ^SHLVL= | sort
'''


def sendmail(args='', stdin=MAIL, called='sendmail', **more):
    """args: a string of words, or a list."""
    words = args.split() if isinstance(args, str) else args
    return run([called] + words, stdin, program=BIN + 'sendmail', **more)


class Shown:
    """Puts programs that show how they are called in the place of some."""

    def __init__(self, *names):
        self.names = names

    def __enter__(self):
        for name in self.names:
            if os.path.exists(BIN + name):
                os.rename(BIN + name, BIN + name + '.real')
            with open(BIN + name, 'w') as file:
                file.write(SHOW)
            os.chmod(BIN + name, 0o755)

    def __exit__(self, *_):
        for name in self.names:
            os.unlink(BIN + name)
            if os.path.exists(BIN + name + '.real'):
                os.rename(BIN + name + '.real', BIN + name)


def lines(result):
    return result.out.decode().splitlines()


def variables(result):
    return dict(l.split('=', 1) for l in lines(result) if '=' in l and not l.startswith('arg '))


def arguments(result):
    return [l[4:] for l in lines(result) if l.startswith('arg ')]


def check(name, args, sender, to, origin=None, **more):
    """It is accepted; envelope and From are right."""
    r = sendmail(args, **more)
    tap.ok((r.code, r.err, r.sender, r.to) == (0, b'', sender, to) and
           (origin is None or r.field('From') == origin), name, r)
    return r


def test_callers():
    joe, web = 'joe@h.x', 'web@b.example'
    check('PHP', '-t -i', joe, BOTH, 'joe@h.x')
    check('PHP with a sender', '-t -i -fweb@b.example', web, BOTH, web)
    check('PHP without USER', '-t -i', 'anonymous@h.x', BOTH, env={'USER': None})
    r = check('PHP 8', '-t -i', joe, ['ann@a.example'],
              stdin=b'To: ann@a.example\r\nSubject: s\r\nX: y\r\n\r\nhi\r\nthere\r\n')
    tap.ok(b'\r' not in r.message and r.message.endswith(b'X: y\n\nhi\nthere\n'),
           'PHP 8: line ends', r)
    check('PHPMailer', '-oi -fweb@b.example -t', web, BOTH)
    check('Symfony', '-t -i -fweb@b.example -- a@x.y b@x.y', web, ['a@x.y', 'b@x.y'] + BOTH)
    check('Symfony without -t', '-i -fweb@b.example -- a@x.y b@x.y', web, ['a@x.y', 'b@x.y'])
    check('cronie', '-FCronDaemon -i -odi -oem -oi -t -f root', 'root@h.x', BOTH,
          '"CronDaemon" <root@h.x>')
    check('Debian cron', '-i -FCronDaemon -B8BITMIME -oem root', joe, ['root@h.x'],
          '"CronDaemon" <joe@h.x>')
    check('old cron', '-FCronDaemon -odi -oem -oi -t', joe, BOTH, '"CronDaemon" <joe@h.x>')
    check('anacron', '-FAnacron -odi root', joe, ['root@h.x'], '"Anacron" <joe@h.x>')
    check('at', '-i root', joe, ['root@h.x'])
    check('git send-email', '-f web@b.example -i a@x.y b@x.y', web, ['a@x.y', 'b@x.y'])
    check('Dovecot', ['-i', '-f', '<>', '--', '"a b"@x.y'], '', ['a b@x.y'], 'joe@h.x')
    check('mutt', '-oem -oi -f web@b.example -B8BITMIME -N never -R hdrs a@x.y', web, ['a@x.y'])
    check('mutt with DSN', '-oem -oi -N success,failure,delay -R full -- a@x.y', joe, ['a@x.y'])
    check('mailx', '-i -m -v -r web@b.example -- a@x.y', web, ['a@x.y'])
    check('MIME::Lite', '-t -oi -oem', joe, BOTH)
    check('scripts', '-oi -t -odq', joe, BOTH)
    check('Mail::Mailer', '-i -f web@b.example a@x.y', web, ['a@x.y'])
    check('vacation', '-f<> a@x.y', '', ['a@x.y'], 'joe@h.x')
    check('another vacation', '-eq -f <> a@x.y', '', ['a@x.y'])
    check('send-mail', 'a@x.y', joe, ['a@x.y'], called='send-mail')
    check('logwatch', ['-t'], joe, ['ann@h.x'], stdin=b'To: ann\nFrom: Logwatch <lw@b.c>\n\n',
          origin='Logwatch <lw@b.c>')
    check('Return-Path in the header', '-t', 'rp@b.c', ['ann@h.x'],
          stdin=b'Return-Path: <rp@b.c>\nTo: ann\n\nx\n')


def test_addresses():
    joe = 'joe@h.x'
    for arg, to in (('Ann <a@x.y>', ['a@x.y']), ('"U, Joe" <a@x.y>, b', ['a@x.y', 'b@h.x']),
                    ('a@x.y,b@x.y', ['a@x.y', 'b@x.y']), ('<a@x.y>', ['a@x.y']),
                    ('a (Ann)', ['a@h.x']), ('a b@x.y', ['a b@x.y']), ('"a"@x.y', ['a@x.y']),
                    ('"\\"a\\""@x.y', ['"a"@x.y']), ('"<a>"@x.y', ['<a>@x.y']),
                    ('"a@b"', ['a@b@h.x']), ('a@x+', ['a@x.h.x'])):
        check('recipient %s' % arg, ['--', arg], joe, to)
    for arg in ('<>', '', ',', '()', '"a', 'a@b>,', 'a@"b c"', 'a\nb@c', 'a,b\r@c'):
        r = sendmail(['--', 'a@x.y', arg])
        tap.ok((r.code, r.err, r.message) == (100, b'sendmail: fatal: unable to parse address: ' +
                                              arg.encode() + b'\n', None),
               'recipient %r is refused' % arg, r)
    for value, sender, origin in (('joe', joe, joe), ('', '', joe), ('<>', '', joe),
                                  ('Web <w@b.c>', 'w@b.c', 'w@b.c'), ('"w b"@c', 'w b@c.h.x',
                                                                     '"w b"@c.h.x'),
                                  ('<"w b"@c.d>', 'w b@c.d', '"w b"@c.d'),
                                  ('"\\"w\\""@c.d', '"w"@c.d', '"\\"w\\""@c.d'),
                                  ('#@[]', '#@[]', '#@[]'), ('l-@b.c-@[]', 'l-@b.c-@[]', None)):
        check('-f %s' % value, ['-f', value, 'a@x.y'], sender, ['a@x.y'], origin)
    r = sendmail(['-f', '<a@b> <c@d>', 'x@y.z'])
    tap.ok(r.code == 100 and b'unable to parse address' in r.err and r.message is None,
           '-f with two addresses', r)
    r = sendmail(['-f', 'a@)b', 'x@y.z'])
    tap.equal((r.code, r.err), (100, b'qmail-inject: fatal: unable to parse this line:\na@)b'),
              '-f that cannot be parsed')


def test_ignored():
    for option in ('-Ac', '-Am', '-A c', '-B 7BIT', '-Bfoo', '-bm', '-C /etc/x', '-D x', '-c',
                   '-d', '-d0-99.100', '-Efoo', '-Jfoo', '-em', '-e q', '-G', '-U', '-h 3', '-i',
                   '-oi', '-oitrue', '-L tag', '-m', '-om', '-N never', '-n', '-O Option=x', '-oAf',
                   '-oX', '-odb', '-oeq', '-oo', '-o7', '-oQ/tmp/q', '-oMr SMTP', '-oMs host',
                   '-p SMTP:host', '-R full', '-V id', '-v', '-X /tmp/log', '-x', '-F Name'):
        check('%s is ignored' % option, option + ' a@x.y', 'joe@h.x', ['a@x.y'])
    check('-ti', '-ti', 'joe@h.x', BOTH)
    check('no permutation', 'a@x.y -f x -t', 'joe@h.x', ['a@x.y', '-f@h.x', 'x@h.x', '-t@h.x'])
    r = check('files', '-X/tmp/log -C/tmp/cf -D/tmp/d -O/tmp/o -oA/tmp/a -oQ/tmp/q a@x.y',
              'joe@h.x', ['a@x.y'])
    made = [f for f in ('log', 'cf', 'd', 'o', 'a', 'q') if os.path.exists('/tmp/' + f)]
    tap.equal(made, [], 'files of ignored options are not made')
    trace = '/tmp/trace'
    subprocess.run(['strace', '-f', '-o', trace, '-e', 'trace=%file', BIN + 'sendmail', '-X/no/log',
                    '-C/no/cf', '-D/no/d', '-O/no/o', '-oA/no/a', '-oQ/no/q', '-L', '/no/tag',
                    'joe'], input=MAIL, check=True)
    with open(trace) as file:
        calls = [l for l in file if '"/no/' in l and 'execve' not in l]
    tap.equal(calls, [], 'nor looked at')
    os.unlink(trace)
    r = check('a line with a dot', 'a@x.y', 'joe@h.x', ['a@x.y'], stdin=b'X: y\n\n.\nmore\n')
    tap.equal(r.body(), b'.\nmore\n', 'is text')


def test_refused():
    for option in ('-bt', '-bv', '-bS', '-be', '-bP', '-bV', '-bf', '-b x', '-XV', '-XVxy'):
        r = sendmail(option + ' a@x.y')
        tap.equal((r.code, r.err, r.message), (100, USAGE, None), '%s is refused' % option)
    for option in ('-Mrm', '-S', '-T', '-z', '-s', '-Z', '-tQ'):
        r = sendmail(option + ' a@x.y')
        letter = option.encode()[2 if option == '-tQ' else 1:][:1]
        tap.equal((r.code, r.err, r.message),
                  (100, b'sendmail: illegal option -- ' + letter + b'\n' + USAGE, None),
                  '%s is refused' % option)
    r = sendmail('-F')
    tap.equal((r.code, r.err), (100, b'sendmail: option requires an argument -- F\n' + USAGE),
              '-F without its value')
    for option in ('-bd', '-bl', '-bD', '-bdf', '-bd -q30m'):
        r = sendmail(option)
        tap.equal((r.code, r.err), (100, b'sendmail: fatal: daemon mode not supported; '
                                    b'see qmail-smtpd\n'), '%s is refused' % option)
    for option in ('-q', '-q30m', '-qRx', '-bh', '-bH', '-q -v a@x.y'):
        r = sendmail(option)
        tap.equal((r.code, r.err, r.started), (0, b'', False), '%s does nothing' % option)


def test_nobody():
    text = b'sendmail: fatal: no recipients\n'
    for args, stdin in (('', MAIL), ('-t', b'Subject: s\n\nx\n'), ('-t', b'To: <>\n\nx\n'),
                        ('-t', b''), ('-f a@b.c --', MAIL)):
        r = sendmail(args, stdin)
        tap.ok((r.code, r.err, r.started) == (100, text, False), 'no recipients: %s' % args, r)


def test_fields():
    r = check('bad sender field', '-t', 'joe@h.x', ['ann@h.x'],
              stdin=b'To: ann\nReply-To: )\n\nx\n')
    tap.equal(r.field('Reply-To'), ')', 'is kept')
    r = check('bad recipient field without -t', 'ann', 'joe@h.x', ['ann@h.x'],
              stdin=b'To: a>\nBcc: )\n\nx\n')
    tap.equal((r.field('To'), r.field('Bcc')), ('a>', None), 'is kept')
    r = sendmail('-t', b'To: a>\n\nx\n')
    tap.ok(r.code == 100 and r.message is None, 'bad recipient field with -t', r)
    r = check('header only', '-t', 'joe@h.x', ['ann@h.x'], stdin=b'To: ann\n')
    tap.ok(r.message.endswith(b'To: ann@h.x\n\n'), 'gets an empty line', r)
    r = check('leading From line', '-t', 'joe@h.x', ['ann@h.x'],
              stdin=b'From x Mon Jan  1\nTo: ann\n\nx\n')
    tap.ok(b'\nMBOX-Line: From x Mon Jan  1\n' in r.message, 'is kept as a field', r)


def test_inject():
    """What qmail-inject is given."""
    env = {'NAME': 'n', 'MAILNAME': 'mn', 'QMAILNAME': 'qn', 'MAILHOST': 'mh', 'QMAILHOST': 'qh',
           'MAILUSER': 'mu'}
    with Shown('qmail-inject'):
        r = sendmail(['-t', '-f', 'a b@c.d', '--', 'x@y', 'u v'])
        tap.equal(arguments(r), ['-H', '-f', 'a b@c.d', '--', 'x@y', 'u v'], 'argv with -t')
        tap.ok('name bin/qmail-inject' in lines(r) and 'cwd /var/qmail' in lines(r), 'argv[0], cwd')
        tap.equal(variables(r), {'USER': 'joe', 'QMAILUSER': 'a b', 'QMAILHOST': 'c.d',
                                 'QMAILINJECT': 'S'}, 'environment with -f')
        r = sendmail(['x@y'], env=env)
        tap.equal(arguments(r), ['-a', '--', 'x@y'], 'argv without -t')
        tap.equal(variables(r), dict(env, USER='joe', QMAILINJECT='S'), 'environment without -f')
        r = sendmail(['-FFull Name', '-f', 'joe', 'x'], env=env)
        tap.equal(variables(r), {'USER': 'joe', 'MAILUSER': 'mu', 'QMAILUSER': 'joe',
                                 'MAILNAME': 'Full Name', 'QMAILINJECT': 'S'}, '-F and -f')
        r = sendmail(['-f', '<>', 'x'], env=env)
        tap.equal(arguments(r), ['-a', '-f', '', '--', 'x'], 'argv for the null sender')
        tap.equal(variables(r), dict(env, USER='joe', QMAILINJECT='S'), 'environment for it')
        r = sendmail(['x'], env={'QMAILINJECT': 'fi'})
        tap.equal(variables(r)['QMAILINJECT'], 'fiS', 'letters of the caller')
        r = sendmail(['Ann <x@y>, u'])
        tap.equal(arguments(r), ['-a', '--', 'x@y', 'u'], 'list of recipients')
    many = ['u%d@a.example' % i for i in range(20000)]
    tap.equal(sendmail(many).to, many, '20,000 recipients')


def test_server():
    local = {'RELAYCLIENT': '', 'DATABYTES': '0', 'PROTO': 'TCP', 'TCPLOCALIP': '127.0.0.1',
             'TCPLOCALHOST': 'localhost', 'TCPREMOTEIP': '127.0.0.1', 'TCPREMOTEHOST': 'localhost',
             'TCPREMOTEINFO': 'sendmail-bs', 'USER': 'joe'}
    stale = {'TCPLOCALPORT': '25', 'TCPREMOTEPORT': '1', 'SMTPAUTHUSER': 'u', 'SMTP_AUTH_USER': 'u',
             'SMTPAUTHMETHOD': 'plain', 'UCSPITLS': '', 'SSLCTLFD': '5', 'SSLREADFD': '6',
             'SSLWRITEFD': '7', 'SMTPS': '', 'REQUIREAUTH': '1', 'REQUIRE_AUTH': '1'}
    with Shown('qmail-smtpd'):
        r = sendmail('-bs -Z', env=stale)
        tap.equal((arguments(r), variables(r)), ([], local), '-bs')
        tap.ok('name bin/qmail-smtpd' in lines(r) and 'cwd /var/qmail' in lines(r),
               '-bs: argv[0], cwd')
        r = sendmail('-bs', env=dict(stale, PROTO='TCP', TCPREMOTEIP='10.0.0.1'))
        tap.equal(variables(r), dict(stale, PROTO='TCP', TCPREMOTEIP='10.0.0.1', USER='joe'),
                  '-bs below a server')
        tap.ok('RELAYCLIENT' not in variables(sendmail('-bs', env={'PROTO': ''})),
               '-bs with an empty PROTO')


def test_mailq():
    with Shown('qmail-qread'):
        for name, args in (('mailq', ''), ('/usr/bin/mailq', '-v'), ('sendmail', '-bp'),
                           ('sendmail', '-bp -Z x')):
            r = sendmail(args, called=name)
            tap.ok((r.code, arguments(r)) == (0, []) and 'name bin/qmail-qread' in lines(r),
                   '%s %s' % (name, args), r)
    tap.equal(sendmail('-q', called='mailq').code, 0, 'mailq -q')


def test_newaliases():
    calls = (('newaliases', ''), ('/usr/bin/newaliases', '-v'), ('sendmail', '-bi'),
             ('sendmail', '-I'))
    hint = b'newaliases: nothing to do: aliases are the files /var/qmail/alias/.qmail-*\n'
    for name, args in calls:
        r = sendmail(args, called=name)
        tap.equal((r.code, r.out, r.err), (0, b'', hint), '%s %s' % (name, args))
    os.symlink('sendmail', BIN + 'newaliases')
    tap.equal(sendmail('-bi').err, hint, 'newaliases that is a link to sendmail')
    os.unlink(BIN + 'newaliases')
    with Shown('newaliases'):
        for name, args in calls:
            r = sendmail(args, called=name)
            tap.ok((r.code, arguments(r)) == (0, []) and 'name bin/newaliases' in lines(r),
                   '%s %s runs the add-on' % (name, args), r)
        os.chmod(BIN + 'newaliases', 0)
        r = sendmail('-bi')
        tap.equal((r.code, r.err), (111, b'sendmail: fatal: unable to run newaliases\n'),
                  'an add-on that cannot be run')


def test_trouble():
    for name, args in (('qmail-inject', 'x@y.z'), ('qmail-qread', '-bp'), ('qmail-smtpd', '-bs')):
        there = os.path.exists(BIN + name)
        if there:
            os.rename(BIN + name, BIN + name + '.away')
        r = sendmail(args)
        if there:
            os.rename(BIN + name + '.away', BIN + name)
        tap.equal((r.code, r.err), (111, b'sendmail: fatal: unable to run ' + name.encode() +
                                    b'\n'), 'no %s' % name)
    mode = os.stat('/var/qmail').st_mode & 0o7777
    shutil.copy(BIN + 'sendmail', '/var/sendmail')
    os.chmod('/var/qmail', 0o700)
    r = run(['sendmail', 'x@y.z'], MAIL, program='/var/sendmail')
    os.chmod('/var/qmail', mode)
    os.unlink('/var/sendmail')
    tap.equal((r.code, r.err),
              (111, b'sendmail: fatal: unable to switch to qmail home directory\n'),
              'home cannot be entered')
    r = sendmail('x@y.z', before=lambda: [os.close(fd) for fd in (0, 1, 2)])
    tap.ok(r.code == 0 and r.to == ['x@y.z'], 'closed descriptors', r)


def main():
    setup()
    for name, test in list(globals().items()):
        if name.startswith('test_'):
            test()
    subprocess.run(['rm', '-rf', DIR], check=True)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
