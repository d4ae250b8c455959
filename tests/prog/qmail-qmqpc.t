#!/usr/bin/python3
"""qmail-qmqpc as a black box: which server gets the message, exit codes, the way to qmail-qmqpd."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
from netserver import HOME, STUB, controls, queued
from netstr import join
import tap

PROGRAM = HOME + '/bin/qmail-qmqpc'
ENVELOPE = b'Fa@b\0Tc@d\0Te@f\0\0'
LARGE = b'x' * (8 << 20)
KEEP = ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS')


def feed(fd, data):
    """A pipe's writing end gets the data from a thread."""
    def write():
        try:
            with open(fd, 'wb') as file:
                file.write(data)
        except BrokenPipeError:
            pass
    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def client(servers, message=b'msg\n', envelope=ENVELOPE, fd6=None, before=(), program=PROGRAM,
           kill=False):
    """Runs it.  Returns the exit code, and what was written to descriptor 6 if `fd6` (else
    None)."""
    controls({'qmqpservers': servers} if not isinstance(servers, dict) else servers)
    pipes = [os.pipe(), os.pipe(), os.pipe()]
    (message_fd, to_message), (envelope_fd, to_envelope), (reason, to_reason) = pipes
    script = 'exec "$@" 1<&%d' % envelope_fd
    passed = [envelope_fd]
    if fd6 == 'pipe':
        script += ' 6>&%d' % to_reason
        passed.append(to_reason)
    elif fd6:
        script += ' ' + fd6
    process = subprocess.Popen(
        ['/bin/bash', '-c', script, 'sh', *before, program], stdin=message_fd, cwd='/', user='joe',
        group='joe', extra_groups=[], pass_fds=passed,
        env={'PATH': '/usr/bin:/bin', **{k: os.environ[k] for k in KEEP if k in os.environ}})
    for fd in (message_fd, envelope_fd, to_reason):
        os.close(fd)
    if kill:
        alarm(process.pid)
    threads = [feed(to_message, message), feed(to_envelope, envelope)]
    code = process.wait(60)
    for thread in threads:
        thread.join(10)
    with open(reason, 'rb') as file:
        said = file.read()
    return code, said if fd6 == 'pipe' else None


def alarm(pid):
    """SIGALRM, once the process waits for it."""
    caught = 1 << (signal.SIGALRM - 1)
    mask = 0
    while not mask & caught:
        with open('/proc/%d/status' % pid) as status:
            mask = int(re.search(r'^SigCgt:\t(\w+)', status.read(), re.M).group(1), 16)
    os.kill(pid, signal.SIGALRM)


class Qmqp(threading.Thread):
    """A server that reads so many bytes (None: the whole request), sends its answer and closes."""

    def __init__(self, answer, limit=None, address='127.0.0.1', port=0):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(1)
        self.port = self.socket.getsockname()[1]
        self.entry = ('[%s]:%d' if ':' in address else '%s:%d') % (address, self.port)
        self.answer, self.limit, self.seen, self.sessions = answer, limit, b'', 0
        self.start()

    def run(self):
        try:
            connection = self.socket.accept()[0]
        except OSError:
            return
        self.sessions += 1
        with connection:
            self.read(connection)
            connection.sendall(self.answer)

    def read(self, connection):
        seen = bytearray()
        while self.limit is None or len(seen) < self.limit:
            piece = connection.recv(65536)
            seen += piece
            head, colon, rest = bytes(seen[:30]).partition(b':')
            if not piece or (self.limit is None and colon and
                             len(seen) == len(head) + int(head) + 2):
                break
        self.seen = bytes(seen)

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.join(10)


def one(answer, **options):
    """One server; exit code, descriptor 6, what the server saw."""
    server = Qmqp(answer)
    try:
        code, said = client(server.entry + '\n', **options)
    finally:
        server.stop()
    return code, said, server.seen


def request(message=b'msg\n', *addresses):
    return join(join(message, *(addresses or ('a@b', 'c@d', 'e@f'))))


def test_answers():
    rows = [(b'4:Kyes,', 0, 0, b''), (b'1:K', 0, 0, b''),
            (b'3:Dno,', 31, 82, b'Dno'), (b'3:Zno,', 71, 82, b'Zno'),
            (b'2:Dx,', 31, 31, b''), (b'1:Z,', 71, 71, b''),
            (b'9:Da\r\nb\0\xff\x7fc,', 31, 82, b'Da??b???c'),
            (b'1000:D' + b'y' * 999 + b',', 31, 82, b'D' + b'y' * 254),
            (b'', 74, 74, b''), (b'Kyes', 74, 74, b''), (b'-1:K,', 74, 74, b''),
            (b'0:,', 74, 74, b''), (b'3:xK,', 74, 74, b''), (b'99999999999:K', 74, 74, b'')]
    for answer, code, code6, said6 in rows:
        tap.equal(one(answer), (code, None, request()), 'answer %r' % answer[:20])
        tap.equal(one(answer, fd6='pipe'), (code6, said6, request()),
                  'answer %r with descriptor 6' % answer[:20])
    for name, fd6 in (('a file', '6>/dev/null'), ('a pipe for reading', '6< <(:)'),
                      ('closed', '6>&-')):
        tap.equal(one(b'3:Dno,', fd6=fd6), (31, None, request()), 'descriptor 6 is ' + name)


def test_messages():
    for message in (b'', b'\0\xff\r\n', b'x' * 1048576, b'y' * 1048577, LARGE):
        tap.equal(one(b'1:K,', message=message), (0, None, request(message)),
                  'message of %d bytes' % len(message))
    for envelope, addresses in ((b'F\0Ta\0\0', ('', 'a')), (b'Fa\0\0', ('a',)),
                                (b'Fa\0T\0\0more', ('a', ''))):
        tap.equal(one(b'1:K,', envelope=envelope), (0, None, request(b'msg\n', *addresses)),
                  'envelope %r' % envelope)
    long = 'a' * 65536
    tap.equal(one(b'1:K,', envelope=b'F%s\0\0' % long.encode()), (0, None, request(b'msg\n', long)),
              'an address of 65536 bytes')
    many = ['u%d@many.example' % i for i in range(20000)]
    tap.equal(one(b'1:K,',
                  envelope=b'Fa\0' + b''.join(b'T%s\0' % a.encode() for a in many) + b'\0'),
              (0, None, request(b'msg\n', 'a', *many)), 'many recipients')
    unreached = Qmqp(b'1:K,')
    for envelope in (b'', b'\0', b'Fa', b'Fa\0', b'Fa\0Tb\0', b'Ta\0\0', b'Fa\0Fb\0\0',
                     b'Fa\0xb\0\0'):
        tap.equal(client(unreached.entry, envelope=envelope)[0], 91, 'envelope %r' % envelope)
    tap.equal(client(unreached.entry, envelope=b'Fa' + long.encode() + b'\0\0')[0], 11,
              'an address of 65537 bytes')
    unreached.stop()
    tap.equal(unreached.sessions, 0, 'no server hears of these')


def test_servers():
    dead, early, good, never = (Qmqp(b''), Qmqp(b'', limit=1000), Qmqp(b'1:K,'), Qmqp(b'1:K,'))
    dead.stop()
    code, _ = client('# comment\n\nnames.example\n%s\n%s\n%s\n%s\n' %
                     (dead.entry, early.entry, good.entry, never.entry), message=LARGE)
    never.stop()
    tap.equal((code, early.sessions, good.seen == request(LARGE), never.sessions),
              (0, 1, True, 0), 'the next one after no connection, and after one that breaks')
    for name, answer in (('dies', b''), ('refuses', b'3:Zno,'), ('talks nonsense', b'x')):
        first, second = Qmqp(answer), Qmqp(b'1:K,')
        code, _ = client('%s\n%s\n' % (first.entry, second.entry))
        second.stop()
        tap.equal((code, first.seen, second.sessions),
                  (71 if 'Z' in str(answer) else 74, request(), 0),
                  'no other one after a server that has it all and ' + name)
    early = Qmqp(b'1:K,', limit=1000)
    tap.equal(client('%s\n%s\n' % (early.entry, dead.entry), message=LARGE)[0], 73,
              'an answer before the end of the request is none; the last failure counts')
    early = Qmqp(b'', limit=1000)
    tap.equal(client('%s\n%s\n' % (dead.entry, early.entry), message=LARGE)[0], 74,
              'the last failure counts, a broken connection')
    for entry, address, port in (('127.0.0.1', '127.0.0.1', 628), ('127.0.0.1 x', '127.0.0.1', 628),
                                 ('127.0.0.1:', '127.0.0.1', 628), ('[::1]', '::1', 628),
                                 ('::1', '::1', 628), ('[::1]:6280', '::1', 6280),
                                 ('127.0.0.2:6280', '127.0.0.2', 6280)):
        server = Qmqp(b'1:K,', address=address, port=port)
        code, _ = client(entry + '\n')
        server.stop()
        tap.equal((code, server.seen), (0, request()), 'entry %r' % entry)


def test_controls():
    for name, files in (('no qmqpservers', {}), ('empty', {'qmqpservers': ''}),
                        ('comments only', {'qmqpservers': '# 127.0.0.1\n\n'}),
                        ('names only', {'qmqpservers': 'localhost\n 127.0.0.1\n'}),
                        ('port 0', {'qmqpservers': '127.0.0.1:0\n'}),
                        ('port 65536', {'qmqpservers': '127.0.0.1:65536\n'}),
                        ('unreadable', {'qmqpservers': True}),
                        ('me unreadable', {'qmqpservers': '127.0.0.1\n', 'me': True})):
        tap.equal(client(files)[0], 55, 'controls: ' + name)
    tap.equal(client('127.0.0.1:1\n')[0], 73, 'nobody there')
    tap.equal(client({'qmqpservers': '127.0.0.1:1\n', 'me': None})[0], 73, 'me may be absent')


def test_trouble():
    tap.equal(client('127.0.0.1:1\n', message=LARGE, before=['prlimit', '--fsize=100000'])[0], 53,
              'no room in /tmp')
    tap.equal(client('127.0.0.1:1\n', before=['prlimit', '--nofile=4'])[0], 73,
              'as few descriptors as it needs')
    for name, redirect in (('descriptor 0 closed', '0<&-'), ('descriptor 0 a directory', '0</')):
        tap.equal(client('127.0.0.1:1\n', before=['bash', '-c', 'exec "$@" ' + redirect, 'sh'])[0],
                  54, name)
    tap.equal(client('127.0.0.1:1\n', before=['bash', '-c', 'exec "$@" 1<&-', 'sh'])[0], 54,
              'descriptor 1 closed')
    copy = '/tmp/qmail-qmqpc'
    shutil.copy(PROGRAM, copy)
    os.chmod(HOME, 0o700)
    try:
        tap.equal(client('127.0.0.1:1\n', program=copy)[0], 61, 'the home directory is closed')
    finally:
        os.chmod(HOME, 0o755)
        os.unlink(copy)
    tap.equal(client('127.0.0.1:1\n', kill=True)[0], 52, 'a day is over')


def serve_real(listener, env):
    """qmail-qmqpd for one connection."""
    connection = listener.accept()[0]
    with connection:
        subprocess.run([HOME + '/bin/qmail-qmqpd'], stdin=connection, stdout=connection,
                       env={'PATH': '/bin', **env}, user='qmaild', group='nofiles', extra_groups=[],
                       cwd='/', check=False)


def inject(env):
    """qmail-inject as joe with qmail-qmqpc for its queue, over the network to qmail-qmqpd."""
    listener = socket.create_server(('127.0.0.1', 628))
    controls({'qmqpservers': '127.0.0.1\n', 'defaultdomain': 'example.org\n'})
    thread = threading.Thread(target=serve_real, args=(listener, env))
    thread.start()
    done = subprocess.run([HOME + '/bin/qmail-inject', 'ann@example.org'],
                          input=b'Subject: x\n\nhi\n',
                          env={'PATH': '/bin', 'QMAILQUEUE': 'bin/qmail-qmqpc', 'USER': 'joe'},
                          stderr=subprocess.PIPE, user='joe', group='joe', extra_groups=[], cwd='/',
                          check=False)
    thread.join(30)
    listener.close()
    return done.returncode, done.stderr


def test_real():
    netserver.set_up()
    try:
        for code, said, want in ((0, None, (0, b'')),
                                 (82, b'Dno spam (#5.7.1)',
                                  (100, b'qmail-inject: fatal: no spam (#5.7.1)\n')),
                                 (82, b'Zcome back (#4.3.0)',
                                  (111, b'qmail-inject: fatal: come back (#4.3.0)\n')),
                                 (53, None, (111, b'qmail-inject: fatal: qq write error or disk '
                                             b'full (#4.3.0)\n'))):
            netserver.stub_says(code, said)
            tap.equal(inject({'QMAILQUEUE': STUB}), want,
                      'from qmail-inject to the queue program: %r' % said)
            if code == 0:
                got = queued()
                tap.ok(len(got) == 1 and got[0][1] == b'Fjoe@mx.example\0Tann@example.org\0\0' and
                       b'with QMQP;' in got[0][0] and got[0][0].endswith(b'\n\nhi\n'),
                       'the message is there', got)
    finally:
        netserver.tear_down()


def main():
    for test in (test_answers, test_messages, test_servers, test_controls, test_trouble, test_real):
        test()
    return tap.done()


sys.exit(main())
