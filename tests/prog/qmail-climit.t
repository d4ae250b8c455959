#!/usr/bin/python3
"""qmail-climit below tcpserver: who gets in and who does not, what both are told, and that places
come back however their holders die."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap                              # noqa: E402

PROGRAM = '/var/qmail/bin/qmail-climit'
STATE = '/run/qmail-climit'
TOO_MANY = b'421 too many connections (#4.7.0)\r\n'
PATIENCE = 30
SAYS_HI = ('sh', '-c', 'echo hi $$; exec cat')


class Server:
    """tcpserver with qmail-climit in front of a program that says hi and its pid."""

    def __init__(self, *arguments, port=2525, rules=None, program=SAYS_HI, before=(), c='100'):
        self.log = tempfile.TemporaryFile()
        self.rules = tempfile.mkdtemp()
        os.chmod(self.rules, 0o755)
        subprocess.run(['tcprules', self.rules + '/cdb', self.rules + '/tmp'], check=True,
                       input=(rules or ':allow\n').encode())
        os.chmod(self.rules + '/cdb', 0o644)
        self.port = port
        self.process = subprocess.Popen(
            ['tcpserver', '-v', '-R', '-H', '-l', 'mx.test', '-c', c, '-x', self.rules + '/cdb',
             '-u', '251',
             '-g', '200', '0', str(port), *before, PROGRAM, *arguments, *program], stderr=self.log)
        deadline = time.monotonic() + PATIENCE
        while b'status: 0/' not in self.lines():
            if time.monotonic() > deadline:
                raise SystemExit('tcpserver does not start')
            time.sleep(0.02)

    def lines(self):
        return os.pread(self.log.fileno(), 1 << 20, 0)

    def connect(self, ip='127.0.0.1'):
        """The connection and the first thing that is said."""
        s = socket.socket()
        s.settimeout(PATIENCE)
        s.bind((ip, 0))
        s.connect(('127.0.0.1', self.port))
        try:
            return s, s.recv(1000)
        except ConnectionResetError:
            return s, b''

    def wait_log(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.lines()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def end(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.rules)
        return self.lines().decode('latin-1')


def kinds(results):
    """`in` or what was said instead."""
    return ['in' if said.startswith(b'hi') else said for _, said in results]


def close(results):
    for s, _ in results:
        s.close()


def test_perip():
    server = Server('-s', '3', port=25)
    results = [server.connect() for _ in range(4)]
    tap.equal(kinds(results), ['in'] * 3 + [TOO_MANY], '-s 3: the fourth is refused')
    other = [server.connect('127.0.0.2')]
    tap.equal(kinds(other), ['in'], 'another address is not')
    pid = int(results[0][1].split()[1])
    os.kill(pid, signal.SIGKILL)
    tap.ok(server.wait_log(b'end %d status' % pid), 'one is killed')
    again = [server.connect() for _ in range(2)]
    tap.equal(kinds(again), ['in', TOO_MANY], 'and its place is free again')
    results[1][0].close()
    tap.ok(server.wait_log(b'end %d status 0' % int(results[1][1].split()[1])), 'one ends')
    tap.equal(kinds([server.connect()]), ['in'], 'and its place is free again')
    close(results + again + other)
    log = server.end()
    tap.ok(re.search(r'^tcpserver: deny \d+ mx\.test:127\.0\.0\.1:25 :127\.0\.0\.1::\d+ PERIP:3$',
                     log,
                     re.M), 'the log line', log)
    deny = re.search(r'deny (\d+) \S+ \S+ PERIP', log)
    tap.ok('tcpserver: pid %s from' % deny.group(1) in log, 'with the pid that tcpserver gave', log)
    tap.equal(os.listdir(STATE), ['locks'], 'one file')
    tap.equal(os.stat(STATE + '/locks').st_size, 16, 'of 16 bytes')


def test_race():
    server = Server('-s', '5')
    sockets = []
    for _ in range(40):
        s = socket.socket()
        s.settimeout(PATIENCE)
        s.connect(('127.0.0.1', server.port))
        sockets.append(s)
    said = [s.recv(100) for s in sockets]
    tap.equal(sum(text.startswith(b'hi') for text in said), 5, '40 at once: five get in')
    tap.equal(said.count(b''), 35, 'the others hear nothing on a port that is not for SMTP')
    for s in sockets:
        s.close()
    for line in said:
        if line:
            server.wait_log(b'end %d status' % int(line.split()[1]))
    tap.equal(kinds([server.connect() for _ in range(5)]), ['in'] * 5, 'all places are free again')
    server.end()


def test_variables():
    rules = ('127.0.0.2:allow,MAXCONNIP="1",DIEMSG="450 go away"\n127.0.0.3:allow,MAXCONNIP="0"\n'
             '127.0.0.4:allow,MAXLOAD="0"\n127.0.0.5:allow,MAXLOAD="99999999"\n'
             '127.0.0.6:allow,MAXCONNIP="9"\n127.1.0.:allow,MAXCONNC="2"\n'
             '127.1.1.:allow,MAXCONNC="2"\n127.0.0.7:allow,MAXCONNIP=""\n:allow\n')
    server = Server('-s', '2', port=25, rules=rules)
    rows = [('127.0.0.2', ['in', b'450 go away\r\n'], 'MAXCONNIP, DIEMSG'),
            ('127.0.0.3', [TOO_MANY], 'MAXCONNIP 0: nobody'),
            ('127.0.0.7', [TOO_MANY], 'empty is 0'),
            ('127.0.0.4', [TOO_MANY], 'MAXLOAD 0: nobody'),
            ('127.0.0.5', ['in', 'in'], 'MAXLOAD is high'),
            ('127.0.0.6', ['in', 'in', TOO_MANY], 'the smaller of -s and MAXCONNIP'),
            ('127.1.0.1', ['in'], 'MAXCONNC'),
            ('127.1.0.2', ['in'], 'MAXCONNC: another of the network'),
            ('127.1.0.3', [TOO_MANY], 'MAXCONNC: one too many'),
            ('127.1.1.1', ['in'], 'another network'),
            ('127.0.0.8', ['in', 'in', TOO_MANY], 'no variable')]
    held = []
    for ip, want, name in rows:
        results = [server.connect(ip) for _ in want]
        tap.equal(kinds(results), want, name)
        held += results
    close(held)
    log = server.end()
    for ip, word in (('127.0.0.2', 'MAXCONNIP:1'), ('127.0.0.3', 'MAXCONNIP:0'),
                     ('127.0.0.4', r'LOAD:\d+'),
                     ('127.1.0.3', 'MAXCONNC:2'), ('127.0.0.6', 'PERIP:2')):
        tap.ok(re.search(r'^tcpserver: deny \d+ \S+ :%s::\d+ %s$' % (ip, word), log, re.M),
               'log line with ' + word, log)


def test_off():
    server = Server('-s', '0')
    tap.equal(kinds([server.connect() for _ in range(5)]), ['in'] * 5, '-s 0: no limit')
    server.end()
    server = Server()
    tap.equal(kinds([server.connect() for _ in range(5)]), ['in'] * 5, 'no option: no limit')
    server.end()
    server = Server('-s', '1', '-d', '/run/nonesuch')
    tap.equal(kinds([server.connect() for _ in range(2)]), ['in'] * 2, 'no directory: mail flows')
    tap.ok('qmail-climit: warning: connections are not limited: /run/nonesuch: not there; the run '
           'script must make it, see '
           'qmail-climit(8)\n' in server.end(),
           'and the log tells')


def test_chain():
    """Places are those of the process that serves, through exec and in front of others."""
    server = Server('-s', '1', program=('recordio', *SAYS_HI))
    results = [server.connect(), server.connect()]
    tap.equal(kinds(results), ['in', b''], 'in front of recordio')
    close(results)
    server.end()
    server = Server('-s', '1', program=(PROGRAM, '-s', '1', *SAYS_HI))
    tap.equal(kinds([server.connect(), server.connect()]), ['in', b''], 'twice in one chain')
    server.end()
    os.mkfifo('/tmp/left')                          # nobody writes to it
    server = Server('-s', '1', program=('sh', '-c', 'cat /tmp/left >/dev/null 2>&1 & '
                                        'echo hi $$ $!; exec cat'))
    first = server.connect()
    first[0].close()
    server.wait_log(b'end \\d+ status')
    second = server.connect()
    tap.equal(kinds([second]), ['in'], 'what a connection leaves behind holds no place')
    left = [int(said.split()[2]) for _, said in (first, second)]
    tap.ok(os.path.exists('/proc/%d' % left[0]), 'and it is still there')
    close([second])
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    server.end()


def run(*arguments, env=None, program=('echo', 'ran')):
    done = subprocess.run([PROGRAM, *arguments, *program], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          env={'PATH': '/usr/bin:/bin', **(env or {})}, timeout=PATIENCE,
                          check=False)
    return done.stdout, done.stderr, done.returncode


def test_usage():
    usage = b'usage: qmail-climit [-s number] [-d directory] program [arg...]\n'
    for arguments in (('-s', 'x'), ('-s', ''), ('-s', '-1'), ('-s', '65536'), ('-x',), ('-s',)):
        tap.equal(run(*arguments), (b'', usage, 100), 'wrong: %r' % (arguments,))
    tap.equal(run(program=()), (b'', usage, 100), 'no program')
    tap.equal(run('-s', '65535', env={'TCPREMOTEIP': '192.0.2.1'})[::2], (b'ran\n', 0),
              'the largest limit')
    out, err, code = run(program=('/nonesuch',))
    tap.ok((out, code) == (b'', 111)
           and err.startswith(b'qmail-climit: fatal: unable to run /nonesuch: '),
           'a program that is not there', err)
    for ip in ('', 'x', '1.2.3.4.5'):
        out, err, code = run('-s', '1', env={'TCPREMOTEIP': ip})
        tap.ok((out, code) == (b'ran\n', 0) and err.startswith(b'qmail-climit: warning: '),
               'address %r: not limited' % ip, err)
    for text in (b'', b'short', b'x' * 100):
        with open(STATE + '/locks', 'wb') as file:
            file.write(text)
        tap.equal(run('-s', '1', env={'TCPREMOTEIP': '192.0.2.1'}), (b'ran\n', b'', 0),
                  'a file of %d bytes' % len(text))
    os.unlink(STATE + '/locks')
    os.symlink('/etc/passwd', STATE + '/locks')
    out, err, code = run('-s', '1', env={'TCPREMOTEIP': '192.0.2.1'})
    tap.ok((out, code) == (b'ran\n', 0) and b'warning' in err, 'a link is not followed', err)
    os.unlink(STATE + '/locks')
    env = {'TCPREMOTEIP': '2001:db8::1'}
    shell = ('sh', '-c', '%s -s 1 sh -c "echo first; TCPREMOTEIP=%s %s -s 1 echo second"')
    for ip, want in (('2001:db8::2', b'first\n'), ('2001:db8:0:1::1', b'first\nsecond\n'),
                     ('192.0.2.1', b'first\nsecond\n')):
        out, err, code = run(env=env,
                             program=(*shell[:2], shell[2] % (PROGRAM, ip, PROGRAM) + '; :'))
        tap.equal(out, want, 'beside 2001:db8::1: ' + ip)


def main():
    os.makedirs(STATE, 0o700)
    shutil.chown(STATE, 'qmaild', 'nofiles')
    for test in (test_perip, test_race, test_variables, test_off, test_chain, test_usage):
        test()
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
