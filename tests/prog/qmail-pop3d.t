#!/usr/bin/python3
"""qmail-pop3d as a black box: what it shows of a maildir, and what it changes."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap

PROGRAM = '/var/qmail/bin/qmail-pop3d'
BOX = '/home/joe/Maildir'
CAPA = ['+OK ', 'TOP', 'UIDL', 'USER', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING',
        'EXPIRE NEVER', 'SASL PLAIN', 'UTF8 USER', '.']


def fresh(*messages):
    """A maildir with these (path, text, age in seconds)."""
    shutil.rmtree(BOX, ignore_errors=True)
    for sub in ('', '/tmp', '/new', '/cur'):
        os.mkdir(BOX + sub, 0o700)
        os.chown(BOX + sub, 5001, 5001)
    for path, text, age in messages:
        put(path, text, age)


def put(path, text, age):
    with open('%s/%s' % (BOX, path), 'wb') as file:
        file.write(text if isinstance(text, bytes) else text.encode('latin-1'))
    os.chown(BOX + '/' + path, 5001, 5001)
    when = time.time() - age
    os.utime(BOX + '/' + path, (when, when))


def listing():
    return sorted(sub + '/' + name for sub in ('new', 'cur', 'tmp')
                  for name in os.listdir(BOX + '/' + sub))


def start(args=('Maildir',), user='joe', cwd='/home/joe', **options):
    ours, theirs = socket.socketpair()
    ours.settimeout(60)
    process = subprocess.Popen((PROGRAM,) + tuple(args), stdin=theirs, stdout=theirs, cwd=cwd,
                               user=user, group=user, extra_groups=[],
                               stderr=options.pop('stderr', subprocess.DEVNULL), **options)
    theirs.close()
    return ours, process


def read_all(ours):
    pieces = []
    while True:
        try:
            pieces.append(ours.recv(1 << 20))
        except ConnectionResetError:
            pieces.append(b'')
        if not pieces[-1]:
            return b''.join(pieces)


def exchange(script, **options):
    """Sends it all at once.  Returns the bytes and the exit code."""
    ours, process = start(**options)

    def send():
        try:
            ours.sendall(script.encode('latin-1'))
            ours.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass

    thread = threading.Thread(target=send)
    thread.start()
    got = read_all(ours)
    thread.join()
    ours.close()
    return got, process.wait(60)


def talk(script, **options):
    got, code = exchange(script, **options)
    return got.decode('latin-1').split('\r\n')[:-1], code


ONE = 'Subject: one\n\nbody1\n.dot\nline3\n'
TWO = 'Subject: two\r\n\r\nb\r\n'
THREE = 'no header end\nlast no lf'
MESSAGES = (('new/100.1.h', ONE, 300), ('cur/101.2.h:2,S', TWO, 200), ('new/102.3.h', THREE, 100))


def test_entry():
    with tempfile.TemporaryFile() as err:
        got, code = exchange('QUIT\r\n', user='root', stderr=err)
        err.seek(0)
        text = err.read()
    tap.equal((got, code, text), (b'', 1, b'qmail-pop3d invoked as uid 0, terminating\n'), 'root')
    for args in ((), ('Nowhere',)):
        tap.equal(talk('QUIT\r\n', args=args), (['-ERR this user has no $HOME/Maildir'], 0),
                  'no maildir: %r' % (args,))
    for sub in ('new', 'cur'):
        fresh()
        os.rmdir(BOX + '/' + sub)
        tap.equal(talk('QUIT\r\n'), (['-ERR unable to scan $HOME/Maildir'], 0), 'no ' + sub)
    fresh()
    tap.equal(talk('STAT\r\nLIST\r\nUIDL\r\nQUIT\r\n'),
              (['+OK ', '+OK 0 0', '+OK ', '.', '+OK ', '.',
                                                         '+OK '], 0), 'an empty maildir')
    tap.equal(talk('CAPA\r\nQUIT\r\n')[0], ['+OK '] + CAPA + ['+OK '], 'CAPA, as in qmail-popup')
    fresh(*MESSAGES)
    os.rename(BOX, '/home/joe/moved')
    os.symlink('moved', BOX)
    os.rename(BOX + '/cur', '/home/joe/elsewhere')
    os.symlink('../elsewhere', BOX + '/cur')
    tap.equal(talk('STAT\r\nDELE 2\r\nQUIT\r\n')[0][2:], ['+OK ', '+OK '],
              'maildir and cur are symbolic links')
    tap.equal(sorted(os.listdir('/home/joe/elsewhere')), ['100.1.h:2,', '102.3.h:2,'],
              'changes reach them')
    os.unlink(BOX)
    shutil.rmtree('/home/joe/moved')
    shutil.rmtree('/home/joe/elsewhere')


def test_listing():
    fresh(*MESSAGES)
    lines, code = talk('STAT\r\nLIST\r\nLIST 2\r\nUIDL\r\nUIDL 3\r\nNOOP\r\nRSET\r\nLAST\r\n')
    octets = [len(ONE) + 5, len(TWO), len(THREE) + 3]
    tap.equal(lines, ['+OK ', '+OK 3 %d' % sum(octets), '+OK '] +
              ['%d %d' % (i + 1, n) for i, n in enumerate(octets)] +
              ['.', '+OK 2 %d' % octets[1], '+OK ', '1 100.1.h', '2 101.2.h', '3 102.3.h', '.',
               '+OK 3 102.3.h', '+OK ', '+OK ', '+OK 0'], 'listings')
    tap.equal((code, listing()), (0, ['cur/101.2.h:2,S', 'new/100.1.h', 'new/102.3.h']),
              'without QUIT nothing is moved')
    fresh(('new/b', 'x', 50), ('new/a', 'x', 50), ('cur/.hidden', 'x', 90),
          ('new/zz', 'x', -100000),
          ('cur/c:2,', 'x', 60), ('cur/odd name', 'x', 10), ('new/' + 'n' * 71, 'x', 5))
    os.utime(BOX + '/new/a', (1000000, 1000000))
    os.utime(BOX + '/new/b', (1000000, 1000000))
    os.mkdir(BOX + '/new/directory')
    os.mkfifo(BOX + '/new/fifo')
    lines, _ = talk('UIDL\r\n')
    tap.equal([line.split(None, 1)[1] for line in lines[2:5]], ['a', 'b', 'c'],
              'by time, then by name; no hidden names, directories and pipes')
    tap.ok(all(re.fullmatch('[0-9]+ [0-9a-f]{32}', line) for line in lines[5:7]) and
           lines[5][2:] != lines[6][2:], 'odd and long names get a digest', lines)
    tap.equal(lines[7:], ['6 zz', '.'], 'a date in the future is shown, last')


def test_text():
    fresh(*MESSAGES)
    got, _ = exchange('RETR 1\r\nRETR 2\r\nRETR 3\r\nTOP 1 0\r\nTOP 1 1\r\nTOP 2 0\r\nTOP '
                      '1\r\nRETR 1 0\r\n')
    ok = b'+OK \r\n'
    one = b'Subject: one\r\n\r\nbody1\r\n..dot\r\nline3\r\n.\r\n'
    two = b'Subject: two\r\n\r\nb\r\n.\r\n'
    head = b'Subject: one\r\n\r\n'
    tap.equal(got, ok + ok + one + ok + two + ok + b'no header end\r\nlast no lf\r\n.\r\n' +
              ok + head + b'.\r\n' + ok + head + b'body1\r\n.\r\n' +
              ok + b'Subject: two\r\n\r\n.\r\n' + ok + one + ok + head + b'.\r\n',
              'RETR and TOP, byte by byte')
    text = (b'H: x\n\n' + b'.' * 100000 + b'\n' + b'y' * 3000000 + b'\n.\n\n' + bytes(range(256))
            * 50)
    fresh(('new/1', text, 10))
    got, _ = exchange('RETR 1\r\nLIST 1\r\nQUIT\r\n')
    sent = got[len(ok) * 2:got.index(b'\r\n.\r\n+OK 1 ') + 2]
    tap.equal(len(sent) - sent.count(b'\r\n.'), int(got.split(b'+OK 1 ')[1].split(b'\r\n')[0]),
              'the size is what is sent without the doubled dots')
    lines = sent.split(b'\r\n')[:-1]
    plain = b'\n'.join(line[1:] if line.startswith(b'.') else line for line in lines)
    tap.equal(plain == text, True, 'a large message arrives whole')


def test_marks():
    fresh(*MESSAGES)
    lines, _ = talk('DELE 1\r\nLIST\r\nUIDL\r\nSTAT\r\nRETR 1\r\nTOP 1 0\r\nDELE 1\r\nLIST '
                    '1\r\nLAST\r\nQUIT\r\n')
    tap.equal([re.sub('^-ERR .*', '-ERR', line) for line in lines],
              ['+OK ', '+OK ', '+OK ', '2 %d' % len(TWO), '3 %d' % (len(THREE) + 3), '.', '+OK ',
               '2 101.2.h', '3 102.3.h', '.', '+OK 2 %d' % (len(TWO) + len(THREE) + 3),
               '-ERR', '-ERR', '-ERR', '-ERR', '+OK 1', '+OK '], 'a deleted message is gone')
    tap.equal(listing(), ['cur/101.2.h:2,S', 'cur/102.3.h:2,'],
              'QUIT removes it and moves the rest')
    fresh(*MESSAGES)
    tap.equal(talk('DELE 3\r\nDELE 1\r\nLAST\r\nRSET\r\nLAST\r\nDELE 2\r\nQUIT\r\n')[0],
              ['+OK ', '+OK ', '+OK ', '+OK 3', '+OK ', '+OK 0', '+OK ', '+OK '], 'RSET')
    tap.equal(listing(), ['cur/100.1.h:2,', 'cur/102.3.h:2,'], 'takes marks back')
    fresh(*MESSAGES, ('new/103.4.h:2,', 'x', 50))
    talk('QUIT\r\n')
    tap.ok('cur/103.4.h:2,' in listing(), 'flags are not added twice', listing())
    fresh(*MESSAGES)
    for number in ('', '0', '4', 'x', '-1', '99999999999999999999999', ' '):
        top = number.strip() or 'x'         # else the lines would be the number
        lines, _ = talk('RETR %s\r\nDELE %s\r\nTOP %s 1\r\n' % (number, number, top))
        tap.ok(len(lines) == 4 and all(line.startswith('-ERR ') for line in lines[1:]),
               'message number %r' % number, lines)
    lines, _ = talk('LIST 0\r\nUIDL 4x\r\nLIST 1x\r\nFOO\r\nUSER joe\r\n\r\n%s\r\nNOOP\r\n'
                    % ('x' * 5000))
    tap.ok([line[:4] for line in lines]
           == ['+OK ', '-ERR', '-ERR', '+OK ', '-ERR', '-ERR', '-ERR', '-ERR',
                                            '+OK '], 'errors', lines)


def test_meanwhile():
    """Another session works on the same maildir."""
    fresh(*MESSAGES)
    ours, process = start()
    ours.sendall(b'NOOP\r\n')
    while b'\r\n+OK' not in ours.recv(4096, socket.MSG_PEEK):
        pass
    os.unlink(BOX + '/new/100.1.h')
    put('new/104.5.h', 'late', 20)
    ours.sendall(b'RETR 1\r\nLIST\r\nDELE 1\r\nQUIT\r\n')
    got = read_all(ours).decode().split('\r\n')
    tap.ok(got[2].startswith('-ERR ') and got[3:7] == ['+OK ', '1 0', '2 %d' % len(TWO),
                                                       '3 %d' % (len(THREE) + 3)],
           'a message that vanished; the list stays', got)
    tap.equal((got[-2], process.wait(30)), ('+OK ', 0), 'removing it again is no failure')
    tap.equal(listing(), ['cur/101.2.h:2,S', 'cur/102.3.h:2,', 'new/104.5.h'], 'the rest is moved')
    fresh(*MESSAGES)
    ours, process = start()
    ours.sendall(b'DELE 1\r\nDELE 2\r\n')
    while ours.recv(4096, socket.MSG_PEEK).count(b'\r\n') < 3:
        pass
    os.chmod(BOX + '/new', 0o500)
    os.chmod(BOX + '/cur', 0o500)
    ours.sendall(b'QUIT\r\n')
    got = read_all(ours).decode().split('\r\n')
    tap.ok(len(got) == 5 and got[3].startswith('-ERR '), 'QUIT fails twice, and is answered once',
           got)
    process.wait(30)


def test_same_name():
    """Another program has moved a copy to cur already: neither replaces the other."""
    fresh(('new/100.1.h', 'one', 60), ('cur/100.1.h:2,', 'other', 50))
    talk('QUIT\r\n')
    texts = [open(BOX + '/' + name, encoding='ascii').read() for name in listing()]
    tap.equal(dict(zip(listing(), texts)), {'cur/100.1.h:2,': 'other', 'new/100.1.h': 'one'},
              'one name, two messages: both stay')


def test_sweep():
    fresh(('tmp/old', 'x', 0), ('tmp/young', 'x', 0), ('tmp/.old', 'x', 0))
    now = time.time()
    for name, age in (('old', 129700), ('.old', 129700), ('young', 129500)):
        os.utime(BOX + '/tmp/' + name, (now - age, now - age))
    talk('QUIT\r\n')
    tap.equal(listing(), ['tmp/.old', 'tmp/young'], 'tmp is swept after 36 hours')


def test_links():
    """A bulletin for many users is one file, elsewhere."""
    bulletin = '/home/bulletin'
    with open(bulletin, 'w') as file:
        file.write('Subject: all\n\nnews\n')
    os.utime(bulletin, (1, 1))
    fresh(('new/100.1.h', ONE, 300))
    os.symlink(bulletin, BOX + '/new/200.1.h')
    os.symlink('/home/nowhere', BOX + '/new/300.1.h')
    os.symlink('/etc', BOX + '/cur/400.1.h')
    lines, _ = talk('STAT\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n')
    tap.equal(lines, ['+OK ', '+OK 2 %d' % (len('Subject: all\r\n\r\nnews\r\n') + len(ONE) + 5),
                      '+OK ', 'Subject: all', '', 'news', '.', '+OK ', '+OK '],
              'a link to a file elsewhere is a message')
    tap.equal((os.path.exists(bulletin), [name for name in listing() if '200.1' in name]),
              (True, []), 'DELE removes the link only')
    fresh()
    for n in range(1001):
        os.symlink(bulletin, '%s/new/%04d.1.h' % (BOX, n))
    os.unlink(BOX + '/new/1000.1.h')
    shutil.copy2(bulletin, bulletin + '.2')
    os.symlink(bulletin + '.2', BOX + '/new/1000.1.h')
    lines, _ = talk('RETR 1000\r\nRETR 1001\r\nQUIT\r\n')
    tap.equal((lines[2], lines[-2][:5]), ('Subject: all', '-ERR '), 'the first 1000 can be read')
    os.unlink(bulletin)
    os.unlink(bulletin + '.2')


def test_lost_before_quit():
    """The client is gone before it has got what it deletes."""
    for script in ('RETR 1\r\nDELE 1\r\nQUIT\r\n', 'DELE 1\r\nQUIT\r\n'):
        fresh(*MESSAGES)
        ours, process = start()
        ours.recv(100)
        os.kill(process.pid, signal.SIGSTOP)
        ours.sendall(script.encode())
        ours.close()
        os.kill(process.pid, signal.SIGCONT)
        tap.ok(process.wait(60) in (0, 1) and 'new/100.1.h' in listing(),
               'gone before an answer to %r: nothing is deleted' % script, listing())


def test_many():
    fresh()
    for i in range(100000):
        with open('%s/cur/%d.x:2,' % (BOX, 1000000 + i), 'w') as file:
            file.write('H: %d\n\n' % i)
    subprocess.run(['chown', '-R', 'joe:joe', BOX], check=True)
    # Files of the current second are not shown.
    subprocess.run("find %s/cur -type f -print0 | xargs -0 touch -d '1 hour ago'" % BOX, shell=True,
                   check=True)
    ours, process = start()
    ours.sendall(b'STAT\r\nUIDL\r\nLIST\r\n' + b''.join(b'DELE %d\r\n' % n for n in range(1, 1001)))
    got = b''
    while got.count(b'\r\n') < 2 + 100002 + 100002 + 1000:
        got += ours.recv(1 << 20)
    with open('/proc/%d/status' % process.pid) as file:
        peak = int(re.search(r'VmHWM:\s+(\d+)', file.read()).group(1))
    with open('/proc/%d/stat' % process.pid) as file:
        fields = file.read().rsplit(') ', 1)[1].split()
    spent = (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    ours.sendall(b'QUIT\r\n')
    tap.equal((read_all(ours), process.wait(60), len(os.listdir(BOX + '/cur'))),
              (b'+OK \r\n', 0, 99000), '100000 messages')
    tap.ok(got.startswith(b'+OK \r\n+OK 100000 1188890\r\n'), 'their size', got[:40])
    tap.ok(peak < 60000 or os.environ.get('SAN'), 'memory of 100000 messages', '%d kB' % peak)
    tap.ok(spent < 60, 'time of 100000 messages', spent)


def test_ends():
    fresh(*MESSAGES)
    ours, process = start()
    ours.sendall(b'DELE 1\r\n')
    ours.close()
    tap.equal((process.wait(30), len(listing())), (0, 3), 'the client goes away')
    fresh(('new/1', 'x' * 5000000, 10))
    ours, process = start()
    ours.sendall(b'RETR 1\r\n')
    ours.recv(10)
    ours.close()
    tap.equal(process.wait(30), 0, 'the client goes away in a message')


def main():
    test_entry()
    test_listing()
    test_text()
    test_marks()
    test_meanwhile()
    test_same_name()
    test_sweep()
    test_ends()
    test_links()
    test_lost_before_quit()
    test_many()
    return tap.done()


sys.exit(main())
