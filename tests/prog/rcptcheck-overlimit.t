#!/usr/bin/python3
"""rcptcheck-overlimit by itself and below qmail-smtpd: who is counted, together with whom, what
sessions and the log are told, and that what cannot be read or counted never means yes."""
import base64
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver                        # noqa: E402
from netserver import HOME, QUEUE       # noqa: E402
import tap                              # noqa: E402

PROGRAM = HOME + '/bin/rcptcheck-overlimit'
STORE = HOME + '/overlimit'
LIMITS = 'joe@a.example:2\n192.0.2.7:3\n:default:1\nfree@a.example:0\nodd@a.example:x\n'


def fresh(limits=LIMITS, mode=0o700):
    """An empty store, and these limits, on a day that does not end soon."""
    left = 86400 - time.time() % 86400
    if left < 60:
        time.sleep(left + 1)
    shutil.rmtree(STORE, ignore_errors=True)
    os.mkdir(STORE, 0o700)
    os.chmod(STORE, mode)
    shutil.chown(STORE, 'qmaild', 'nofiles')
    netserver.controls({'relaylimits': limits})


def ask(user=None, ip='192.0.2.7', relays=True, wrap=(), **options):
    """The exit code, and the log."""
    env = {'TCPREMOTEIP': ip, 'SMTPAUTHUSER': user, 'RELAYCLIENT': '' if relays else None}
    run = subprocess.run([*wrap, PROGRAM], env={k: v for k, v in env.items() if v is not None},
                         stdin=subprocess.DEVNULL, capture_output=True, user='qmaild',
                         group='nofiles', extra_groups=[], check=False, **options)
    return run.returncode, run.stderr.decode('latin-1')


def codes(count, *args, **named):
    return [ask(*args, **named)[0] for _ in range(count)]


def test_alone():
    fresh()
    tap.equal(codes(3, 'joe@a.example'), [0, 0, 113], 'a user')
    tap.equal(codes(1, 'JOE@A.example', '192.0.2.9'), [113], '  from anywhere, in any case')
    tap.equal(codes(4), [0, 0, 0, 113], 'an address')
    tap.equal(codes(1, relays=False), [113], '  also if it may not relay')
    tap.equal(codes(2, 'ann@a.example'), [0, 113], 'a user without a line')
    tap.equal(codes(2, ip='192.0.2.8'), [0, 113], 'an address without a line')
    tap.equal(codes(2, ip='192.0.2.9', relays=False), [0, 0], '  nobody counts those of strangers')
    tap.equal(codes(2, 'free@a.example'), [0, 0], '0 is no limit')
    tap.equal(ask('odd@a.example'),
              (111, 'rcptcheck-overlimit: control/relaylimits, line 5: no number\n'), 'no number')
    tap.equal(ask('joe@a.example\n\x07', '192.0.2.8')[0], 0, 'bytes that no name has')
    tap.equal(ask('joe@a.example\n\x07', '192.0.2.8'),
              (113, 'rcptcheck-overlimit: <joe@a.example??> at 192.0.2.8 has had 1 recipients '
                    'today\n'), '  in the log')
    tap.equal(ask(ip='x')[0], 111, 'neither user nor address')
    tap.equal(ask('u' * 512)[0], 0, 'a name of 512 bytes')
    tap.equal(ask('u' * 513)[0], 111, 'one of 513')
    tap.equal(ask('u' * 100000)[0], 111, 'one of 100000')
    names = os.listdir(STORE)
    tap.ok(len(names) == 1 and abs(int(names[0]) - time.time() // 86400) <= 1, 'one file', names)
    st = os.stat(STORE + '/' + names[0])
    tap.ok(st.st_mode & 0o777 == 0o600 and st.st_blocks < 200, '  private and small', st)


def test_unreadable():
    """A disk that cannot be read for a moment sets no count back."""
    fresh()
    before = codes(2, 'joe@a.example')
    for when in ('1', '2'):
        broken = ('/usr/bin/strace', '-o', '/dev/null', '-e', 'trace=pread64', '-e',
                  'inject=pread64:error=EIO:when=' + when)
        code, log = ask('joe@a.example', wrap=broken)
        tap.ok(code == 111 and 'input/output error' in log, 'read %s fails' % when, (code, log))
    tap.equal((before, codes(1, 'joe@a.example')), ([0, 0], [113]), '  the count is as it was')


def test_trouble():
    for what, limits, code in (
            ('no limits', None, 0), ('is empty', '', 0), ('is a directory', True, 111),
            ('is for root only', False, 111), ('leads nowhere', netserver.NOWHERE, 111)):
        fresh(limits)
        got, log = ask('joe@a.example')
        tap.equal((got, log == ''), (code, code == 0), 'relaylimits ' + what)
    tap.ok('control/relaylimits' in log, '  in the log', log)
    fresh()
    shutil.rmtree(STORE)
    tap.equal(ask('joe@a.example'), (111, 'rcptcheck-overlimit: unable to count in %s: file does '
                                          'not exist\n' % STORE), 'no store')
    fresh(mode=0o777)
    tap.equal(ask('joe@a.example')[0], 111, 'a store that everybody may write to')
    fresh()
    shutil.chown(STORE, 'root')
    tap.equal(ask('joe@a.example')[0], 111, "somebody else's store")
    fresh()
    tap.equal(ask('joe@a.example', preexec_fn=lambda: [os.close(fd) for fd in (0, 1)])[0], 0,
              'closed descriptors')


def test_full_disk():
    fresh()
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=4k,mode=700,uid=%d' % os.stat(STORE).st_uid,
                    'none', STORE], check=True)
    try:
        with open(STORE + '/fill', 'wb') as file:
            file.write(bytes(4096))
        code, log = ask('joe@a.example')
    finally:
        subprocess.run(['umount', STORE], check=True)
    tap.ok(code == 111 and 'out of disk space' in log, 'a full disk', log)


def test_together():
    fresh('joe@a.example:50\n')
    env = {'SMTPAUTHUSER': 'joe@a.example', 'TCPREMOTEIP': '192.0.2.7'}
    many = [subprocess.Popen([PROGRAM], env=env, stdin=subprocess.DEVNULL, user='qmaild',
                             stderr=subprocess.DEVNULL, group='nofiles', extra_groups=[])
            for _ in range(100)]
    ended = [p.wait() for p in many]
    tap.equal((ended.count(0), ended.count(113)), (50, 50), '100 at once, 50 of them allowed')


def talk(script, limits=LIMITS, env=None, args=()):
    """Codes of the replies, and the log."""
    fresh(limits)
    with tempfile.TemporaryFile() as err:
        server = netserver.Server(
            'qmail-smtpd', control={'relaylimits': limits}, err=err, args=args,
            env={'RCPTCHECK': PROGRAM, 'RCPTCHECKRELAYCLIENT': '1', **(env or {})})
        said = netserver.exchange(server, script)[0].split('\r\n')[1:-1]
        err.seek(0)
        return said, err.read().decode('latin-1')


def test_session():
    checker = QUEUE + '/checker'
    with open(checker, 'w') as file:
        file.write('#!/bin/sh\ncat <&3 >/dev/null; exec "$@"\n')
    os.chmod(checker, 0o755)
    login = base64.b64encode(b'\0joe@a.example\0secret').decode()
    rcpt = ''.join('RCPT TO:<%s@far.example>\r\n' % name for name in 'abc')
    start = 'AUTH PLAIN %s\r\nMAIL FROM:<joe@a.example>\r\n' % login
    said, log = talk(start + rcpt, args=(checker, 'true'))
    tap.equal([line[:3] for line in said], ['235', '250', '250', '250', '421'], 'relaylimits: on')
    tap.equal(said[-1], '421 you have exceeded your messaging limits (#4.3.0)', '  in words')
    tap.ok('rcptcheck-overlimit: <joe@a.example> at 192.0.2.7 has had 2 recipients today\n' in log,
           'relaylimits: log', log)
    said, _ = talk(start + rcpt, None, args=(checker, 'true'))
    tap.equal([line[:3] for line in said], ['235', '250', '250', '250', '250'], '  off')
    for limits in (True, False, netserver.NOWHERE):
        said, log = talk(start + rcpt, limits, args=(checker, 'true'))
        tap.equal(said[2:], ['421 unable to verify recipient (#4.3.0)'], 'relaylimits: unreadable')
        tap.ok('unable to read control/relaylimits: ' in log, '  in the log', log)
    said, _ = talk('MAIL FROM:<>\r\n' + rcpt, env={'RELAYCLIENT': ''})
    tap.equal([line[:3] for line in said], ['250'] * 4, 'a client by its address')


def main():
    code = netserver.run((test_alone, test_unreadable, test_trouble, test_full_disk, test_together,
                          test_session))
    shutil.rmtree(STORE, ignore_errors=True)
    return code


sys.exit(main())
