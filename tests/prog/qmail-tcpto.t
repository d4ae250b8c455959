#!/usr/bin/python3
"""qmail-tcpto and qmail-tcpok as black boxes: the tables of hosts that do not answer."""
import fcntl
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap

HOME = '/var/qmail'
LOCK = HOME + '/queue/lock'
V4, V6 = LOCK + '/tcpto', LOCK + '/tcpto6'


def put(path, records, size=None):
    """The records, then free ones up to `size`."""
    data = b''.join(records)
    with open(path, 'wb') as file:
        file.write(data + bytes(max(0, (size or 0) - len(data))))
    os.chmod(path, 0o644)
    shutil.chown(path, 'qmailr', 'qmail')


def v4(address, count, when):
    return socket.inet_aton(address) + struct.pack('<BxxxIxxxx', count, when)


def v6(address, count, when):
    return socket.inet_pton(socket.AF_INET6, address) + struct.pack('<B7xQ', count, when)


def run(program, user='root', group='root'):
    done = subprocess.run([HOME + '/bin/' + program], stdout=subprocess.PIPE, cwd='/',
                          stderr=subprocess.PIPE, user=user, group=group, extra_groups=[],
                          timeout=30, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def shown(user='root', group='root'):
    """Lines of qmail-tcpto with the seconds put aside."""
    code, out, err = run('qmail-tcpto', user, group)
    seconds = [int(s) for s in re.findall(r' timed out (\d+) seconds ago', out)]
    return code, re.sub(r' timed out \d+', ' timed out N', out).splitlines(), err, seconds


def line(address, count):
    return '%s timed out N seconds ago; # recent timeouts: %d' % (address, count)


def test_list():
    now = int(time.time())
    put(V4, [], 1024)
    if os.path.exists(V6):
        os.unlink(V6)
    tap.equal(run('qmail-tcpto'), (0, '', ''), 'nothing in the table')
    put(V4, [v4('10.0.0.1', 1, now - 100), v4('10.0.0.2', 0, now), v4('255.0.0.1', 10, now - 5),
             v4('0.0.0.0', 255, 0)], 1024)
    code, lines, err, seconds = shown()
    tap.equal((code, lines, err), (0, [line('10.0.0.1', 1), line('255.0.0.1', 10),
                                       line('0.0.0.0', 255)], ''), 'three records, a free one')
    wanted = (100, 5, now)
    tap.ok(len(seconds) == 3 and all(w <= s < w + 30 for s, w in zip(seconds, wanted)),
           'seconds since then', seconds)
    put(V4, [v4('10.0.0.1', 2, 0xffffffff)], 1024)
    tap.equal(shown()[3], [0], 'a time to come')
    put(V6, [v6('2001:db8::1', 3, now - 9), v6('::', 0, 0), v6('::1', 1, 0xffffffffffffffff)], 2048)
    tap.equal(shown()[:3], (0, [line('10.0.0.1', 2), line('2001:db8::1', 3), line('::1', 1)], ''),
              'IPv6 after IPv4')
    tap.equal(shown('qmailr', 'qmail')[:2], (0, shown()[1]), 'as qmailr')
    put(V6, [])


def test_sizes():
    full = [v4('10.0.1.%d' % i, 1, 1) for i in range(80)]
    for name, data, count in (('empty', [], 0), ('half a record', [full[0][:8]], 0),
                              ('one and a half', [full[0], full[1][:15]], 1),
                              ('63', full[:63], 63), ('64', full[:64], 64), ('65', full[:65], 64),
                              ('80', full, 64)):
        put(V4, data)
        code, lines, err, _ = shown()
        tap.equal((code, len(lines), err), (0, count, ''), 'file of records: ' + name)


def test_reset():
    put(V4, [v4('10.0.0.1', 2, 1)] * 64)
    put(V6, [v6('::1', 2, 1)] * 64)
    inodes = [os.stat(p).st_ino for p in (V4, V6)]
    tap.equal(run('qmail-tcpok'), (0, '', ''), 'qmail-tcpok says nothing')
    with open(V4, 'rb') as a, open(V6, 'rb') as b:
        tap.equal((a.read(), b.read()), (bytes(1024), bytes(2048)), 'both tables are zeros')
    tap.equal([os.stat(p).st_ino for p in (V4, V6)], inodes, 'in the same files')
    put(V4, [v4('10.0.0.1', 2, 1)])
    os.unlink(V6)
    tap.equal((run('qmail-tcpok'), os.path.getsize(V4), os.path.exists(V6)),
              ((0, '', ''), 1024, False),
              'a short file gets its size, an absent one for IPv6 is not made')
    tap.equal(run('qmail-tcpok', 'qmailr', 'qmail'), (0, '', ''), 'as qmailr')


def wait_for_waiter(process):
    """Until somebody waits for an flock, or the process has ended."""
    while process.poll() is None:
        with open('/proc/locks') as locks:
            if '-> FLOCK' in locks.read():
                return
        time.sleep(0.01)


def test_lock():
    """Both wait for the lock."""
    for program in ('qmail-tcpto', 'qmail-tcpok'):
        with open(V4, 'r+b') as table:
            fcntl.flock(table, fcntl.LOCK_EX)
            process = subprocess.Popen([HOME + '/bin/' + program], stdout=subprocess.PIPE)
            wait_for_waiter(process)
            table.write(v4('10.0.0.7', 1, 1))
            table.flush()
            tap.equal(process.poll(), None, program + ' waits')
        out = process.communicate(timeout=30)[0].decode()
        tap.equal((process.returncode, out.count('10.0.0.7')), (0, int(program == 'qmail-tcpto')),
                  program + ' goes on, with what is there then')


def test_trouble():
    user = ('joe', 'joe')
    tap.equal(run('qmail-tcpto', *user),
              (111, 'fatal: unable to chdir: access denied\n', ''), 'qmail-tcpto as somebody else')
    code, out, err = run('qmail-tcpok', *user)
    tap.equal((code, out), (111, ''), 'qmail-tcpok as somebody else')
    tap.ok(err.startswith('qmail-tcpok: fatal: unable to '), 'and says so', err)
    os.unlink(V4)
    tap.equal(run('qmail-tcpto'), (111, 'fatal: unable to open tcpto: file does not exist\n', ''),
              'qmail-tcpto without its file')
    tap.equal(run('qmail-tcpok'), (111, '', 'qmail-tcpok: fatal: unable to write %s: file does not '
                                   'exist\n' % V4), 'qmail-tcpok without its file')
    tap.equal(os.path.exists(V4), False, 'and none is made')
    put(V4, [v4('10.0.0.1', 1, 1)])
    os.mkdir(V6)
    code, out, err = run('qmail-tcpto')
    tap.ok(code == 111 and out.startswith('10.0.0.1 timed out ') and
           re.search(r'\nfatal: unable to open tcpto6: [a-z ]+\n$', out), 'a directory for IPv6',
           out)
    os.rmdir(V6)
    os.rename(LOCK, LOCK + '.old')
    try:
        tap.equal(run('qmail-tcpto'), (111, 'fatal: unable to chdir: file does not exist\n', ''),
                  'no directory')
    finally:
        os.rename(LOCK + '.old', LOCK)


def main():
    for test in (test_list, test_sizes, test_reset, test_lock, test_trouble):
        test()
    return tap.done()


sys.exit(main())
