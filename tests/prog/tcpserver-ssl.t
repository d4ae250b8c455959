#!/usr/bin/python3
"""tcpserver-ssl.t - services where TLS begins with the first byte, under tcpserver: `qmail-tls -s`
and tcpserver-ssl; which process is which, and what each of them may do; qmail-cert."""
import errno
import os
import pwd
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import procmem
import ptrace
import tap
import tlsworld as world
from tlspart import hang
from tlsworld import relays, wait_until

warnings.simplefilter('ignore', DeprecationWarning)      # of TLS 1.0, which is refused
BIN = '/var/qmail/bin/'
CERT = '/var/qmail/control/servercert.pem'
SAN = bool(os.environ.get('SAN'))
BIG = os.urandom(5 << 20)
QMAILD, QMAILT = (pwd.getpwnam(name) for name in ('qmaild', 'qmailt'))
BECOME = ['-u', str(QMAILD.pw_uid), '-g', str(QMAILD.pw_gid)]


class Service:
    """tcpserver on a port of its own."""

    def __init__(self, *program, front=('tcpserver', '-v'), options=(), become=BECOME, env=None):
        with socket.socket() as sock:
            sock.bind(('127.0.0.1', 0))
            self.port = sock.getsockname()[1]
        self.log = world.DIR + '/service.log'
        with open(self.log, 'w') as log:
            self.process = subprocess.Popen(
                [*front, '-H', '-R', '-l', 'mx.example', *become, *options, '127.0.0.1',
                 str(self.port), *program], stderr=log, stdin=subprocess.DEVNULL,
                env={'PATH': BIN[:-1] + ':/usr/bin:/bin', **(env or {})}, cwd=world.DIR)
        wait_until(lambda: 'status: 0/' in self.logged() or self.process.poll() is not None,
                   'tcpserver')

    def logged(self):
        with open(self.log, encoding='latin-1') as file:
            return file.read()

    def connect(self, context=None, name='mx.example'):
        sock = socket.create_connection(('127.0.0.1', self.port), timeout=world.PATIENCE)
        return (context or world.client_context()).wrap_socket(sock, server_hostname=name)

    def raw(self):
        return socket.create_connection(('127.0.0.1', self.port), timeout=world.PATIENCE)

    def idle(self):
        wait_until(lambda: re.search(r'status: 0/40\n\Z', self.logged()), 'an end')

    def end(self):
        self.process.terminate()
        self.process.wait(world.PATIENCE)
        return self.logged()


def receive(sock, n=None):
    got = b''
    while n is None or len(got) < n:
        try:
            piece = sock.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            break
        if not piece:
            break
        got += piece
    return got


def both_ways(tls, data):
    """Sends it all, and as much of what comes back as there is meanwhile."""
    tls.setblocking(False)
    sent, got = 0, b''
    while len(got) < len(data):
        try:
            if sent < len(data):
                sent += tls.send(data[sent:sent + 16384])
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        try:
            got += tls.recv(65536)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            select.select([tls], [tls] if sent < len(data) else [], [], world.PATIENCE)
    tls.settimeout(world.PATIENCE)
    return got


def install(name='mx.example'):
    world.write(CERT, world.read(name + '.pem'), 'qmailt', 0o600)


def status(pid):
    with open('/proc/%d/status' % pid, encoding='ascii') as file:
        return dict(line.rstrip('\n').split(':\t', 1) for line in file if ':\t' in line)


# ---- what moves ----

def moves():
    service = Service(BIN + 'qmail-tls', '-s', 'cat')
    tls = service.connect()
    tap.ok(both_ways(tls, BIG) == BIG, 'five megabytes, there and back at the same time')
    tls.unwrap().close()
    service.idle()
    service.end()
    service = Service(BIN + 'qmail-tls', '-s', 'sh', '-c', 'cat >/dev/null; echo all of it')
    tls = service.connect()
    tls.sendall(BIG)
    client = subprocess.Popen(['openssl', 's_client', '-connect', '127.0.0.1:%d' % service.port,
                               '-quiet', '-no_ign_eof'], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    got, _ = client.communicate(b'x' * 100000, timeout=world.PATIENCE)
    tls.close()
    service.idle()
    log = service.end()
    tap.equal(log.count(' status 0'), 2, 'the program ends when the client does')
    tap.ok(client.returncode == 0, 'openssl s_client', got)
    service = Service(BIN + 'qmail-tls', '-s', 'sh', '-c', 'exec <&-; cat /bin/sh; echo end')
    with open('/bin/sh', 'rb') as file:
        wanted = file.read() + b'end\n'
    tls = service.connect()
    tls.sendall(b'nobody reads this' * 1000)
    tap.ok(receive(tls) == wanted, 'a program that only writes: all of it arrives')
    tls.close()
    service.idle()
    service.end()
    tap.equal(wait_until(lambda: [True] if not relays() else None, 'relays end'), [True],
              'no relay is left')


def environment():
    service = Service(BIN + 'qmail-tls', '-s', '-e', 'env', env={'KEEP': 'me'})
    tls = service.connect()
    got = sorted(line.split('=')[0] for line in receive(tls).decode().splitlines())
    tap.ok({'SSL_PROTOCOL', 'SSL_CIPHER', 'SSL_CIPHER_USEKEYSIZE', 'KEEP', 'TCPREMOTEIP'} <=
           set(got), '-e: environment', got)
    service.idle()
    service.end()
    service = Service(BIN + 'qmail-tls', '-s', 'env')
    got = receive(service.connect()).decode()
    tap.ok('SSL' not in got and 'TCPREMOTEIP=' in got, 'without -e: nothing added', got)
    service.idle()
    service.end()


def pids():
    """The program is the process that tcpserver has logged."""
    service = Service(BIN + 'qmail-tls', '-s', 'sh', '-c', 'echo $$')
    pid = int(receive(service.connect()))
    service.idle()
    log = service.end()
    tap.ok('ok %d ' % pid in log and 'tls: %d TLSv1.3 ' % pid in log and 'end %d ' % pid in log,
           'one number in all lines of the log', log)


# ---- what is refused ----

def refused():
    service = Service(BIN + 'qmail-tls', '-s', 'sh', '-c', 'echo started >%s/started' % world.DIR)
    for name, data in (('text', b'EHLO x\r\n'), ('HTTP', b'GET / HTTP/1.0\r\n\r\n'),
                       ('noise', os.urandom(5000)), ('nothing', b''),
                       ('a record of nothing', b'\x16\x03\x01\x00\x00' * 100),
                       ('a huge record', b'\x16\x03\x01\xff\xff' + b'\x01' * 70000)):
        sock = service.raw()
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        got = receive(sock)
        tap.ok(b'started' not in got and (not got or got[:1] == b'\x15'), 'refused: ' + name, got)
        sock.close()
    service.idle()
    tap.ok(not os.path.exists(world.DIR + '/started'), 'the program is not even started')
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        context = world.client_context(version=version)
        context.set_ciphers('ALL@SECLEVEL=0')
        try:
            service.connect(context).close()
            tap.ok(False, 'refused: %s' % version.name)
        except (ssl.SSLError, ConnectionResetError) as error:
            tap.ok(True, 'refused: %s' % version.name, error)
    service.idle()
    log = service.end()
    tap.equal(len(re.findall(r'^tls: \d+ failed: .', log, re.M)), 8, 'each is logged')
    world.write('/var/qmail/control/tlsservermin', b'1.0\n')
    world.write('/var/qmail/control/tlsserverciphers',
                b'# old\nAES256-SHA\nECDHE-ECDSA-AES128-SHA\n'
                b'TLS_CHACHA20_POLY1305_SHA256\nNO-SUCH\n')
    service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
    context = world.client_context(version=ssl.TLSVersion.TLSv1)
    context.set_ciphers('ALL@SECLEVEL=0')
    tls = service.connect(context)
    tap.equal(tls.cipher()[0], 'ECDHE-ECDSA-AES128-SHA', 'tlsservermin, tlsserverciphers')
    tls.close()
    tls = service.connect()
    tap.equal(tls.cipher()[0], 'TLS_CHACHA20_POLY1305_SHA256', 'ciphers of TLS 1.3')
    tls.close()
    service.end()
    for name in ('tlsservermin', 'tlsserverciphers'):
        world.write('/var/qmail/control/' + name, b'what\n')
        done = subprocess.run([BIN + 'qmail-tls', '-t'], stderr=subprocess.PIPE, check=False)
        tap.ok(done.returncode == 111 and name.encode() in done.stderr, 'not understood: ' + name,
               done.stderr)
        os.unlink('/var/qmail/control/' + name)


def malformed():
    """Bytes of a real handshake, changed."""
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = world.client_context().wrap_bio(ours, theirs, server_hostname='mx.example')
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        pass
    data = theirs.read()
    service = Service(BIN + 'qmail-tls', '-s', 'echo', 'started')
    bad = []
    for n in range(60):
        changed = bytearray(data)
        for at in (n * 7 % len(data), n * 131 % len(data)):
            changed[at] ^= 1 + n * 29 % 255
        sock = service.raw()
        try:
            sock.sendall(bytes(changed[:len(data) - n * 3]))
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        got = receive(sock)
        if b'started' in got:
            bad.append((n, got))
        sock.close()
    tap.equal(bad, [], 'malformed: no handshake comes of it')
    service.idle()
    tls = service.connect()
    tap.equal(receive(tls), b'started\n', 'malformed: others are served')
    service.idle()
    tap.ok(' 256\n' in service.logged() and 'status 35' not in service.logged() and
           'status 11\n' not in service.logged(), 'malformed: nothing crashed', service.logged())
    service.end()


def abandoned():
    """A client that reads nothing, and a program that has said more than there is room for and is
    gone: then only the relay is left."""
    service = Service(BIN + 'qmail-tls', '-s', 'timeout', '-s', 'KILL', '1', 'cat', '/dev/zero')
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(('127.0.0.1', service.port))
    tls = world.client_context().wrap_socket(sock, server_hostname='mx.example')
    service.idle()
    tap.equal(len(relays()), 1, 'abandoned: what was said waits for the client')
    service.end()
    return tls


def hanging(service):
    """Clients that stop in each state of a handshake; {what: socket}."""
    socks = {'nothing': service.raw(), 'a byte now and then': service.raw()}
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for what, flight, part in (('half a hello', 0, 0.5), ('a hello', 0, 1),
                                   ('a part of the end', 1, 0.4), ('nearly all', 1, 0.95)):
            sock = socks['%s, %s' % (version.name, what)] = service.raw()
            hang(sock, world.client_context(version=version), flight, part)
    return socks


def until_closed(socks, began):
    """When each of the sockets is at its end."""
    ends, left = {}, {sock: what for what, sock in socks.items()}
    while left:
        ready, _, _ = select.select(list(left), [], [], world.PATIENCE)
        if not ready:
            return ends
        for sock in ready:
            try:
                piece = sock.recv(65536)
            except ConnectionResetError:
                piece = b''
            if not piece:
                ends[left.pop(sock)] = time.monotonic() - began
    return ends


def slow():
    """Clients that send nothing, a byte now and then, a handshake up to some point, or read
    nothing."""
    left_alone = abandoned()
    service = Service(BIN + 'qmail-tls', '-s', 'echo', 'started')
    began = time.monotonic()
    socks = hanging(service)
    dripping = socks['a byte now and then'].dup()

    def drip():
        try:
            while True:
                dripping.sendall(b'\x16')
                time.sleep(1)
        except OSError:
            pass
    threading.Thread(target=drip, daemon=True).start()
    tls = service.connect()
    tap.equal(receive(tls), b'started\n', 'slow: others are served meanwhile')
    tls.close()
    ends = until_closed(socks, began)
    for what in socks:
        tap.ok(25 < ends.get(what, 0) < 40 or what == 'a byte now and then' and
               0 < ends.get(what, 0) < 40,
               'slow: closed after 26 seconds: ' + what, ends)
    service.idle()
    log = service.end()
    tap.equal((len(re.findall('failed: ', log)),
               len(re.findall('failed: handshake timed out', log)) >= 9),
              (len(socks), True), 'slow: logged')
    wait_until(lambda: not relays(), 'relays end')
    tap.ok(True, 'abandoned: its relay does not wait for ever')
    left_alone.close()


# ---- power ----

# Of x86-64: name, number, arguments.
FORBIDDEN = (('open', 2, b'/etc/passwd', 0), ('openat', 257, -100, b'/etc/passwd', 0),
             ('creat', 85, b'/tmp/x', 0o600),
             ('socket', 41, 2, 1, 0), ('connect', 42, 4, b'x', 1), ('socketpair', 53, 1, 1, 0),
             ('sendto', 44, 1, b'x', 1, 0),
             ('execve', 59, b'/bin/sh', 0, 0), ('fork', 57), ('clone', 56, 17, 0),
             ('kill', 62, 1, 0),
             ('ptrace', 101, 16, 1), ('unlink', 87, b'/tmp/x'), ('chdir', 80, b'/'),
             ('setuid', 105, 0),
             ('dup', 32, 0), ('dup by fcntl', 72, 0, 0, 9), ('own a signal', 72, 0, 8, 1),
             ('memfd_create', 319, b'x', 0), ('mprotect, to run it', 10, 0, 4096, 7))


def confined(relay):
    """It tries each of these, and goes on."""
    if SAN or not ptrace.available():
        return
    for name, number, *args in FORBIDDEN:
        tap.equal(-ptrace.call(relay, number, *args), errno.EPERM, 'relay: it cannot ' + name)


def power():
    service = Service(BIN + 'qmail-tls', '-s', 'cat')
    tls = service.connect()
    tls.sendall(b'x')
    tls.recv(1)
    relay, = relays()
    program = int(re.search(r'ok (\d+) ', service.logged()).group(1))
    shown = status(relay)
    uid = str(QMAILT.pw_uid)
    tap.equal(shown['Uid'].split(), [uid] * 4, 'relay: qmailt in all ids')
    tap.equal((shown['NoNewPrivs'], shown['Seccomp'], shown['CapPrm'], shown['CapEff']),
              ('1', '0' if SAN else '2', '0' * 16, '0' * 16),
              'relay: no_new_privs, seccomp, no capabilities')
    confined(relay)
    fds = sorted(int(n) for n in os.listdir('/proc/%d/fd' % relay))
    tap.equal(fds, [0, 1, 2, 4, 5], 'relay: descriptors')
    shown = status(program)
    tap.equal((shown['Uid'].split(), shown['NoNewPrivs']), ([str(QMAILD.pw_uid)] * 4, '0'),
              'program: qmaild, and qmail-queue may be set-uid')
    with open('/proc/%d/maps' % program, encoding='ascii') as file:
        tap.ok('ssl' not in file.read() + 'x' and not any(
            os.readlink('/proc/%d/fd/%s' % (program, n)).endswith('.pem')
            for n in os.listdir('/proc/%d/fd' % program)), 'program: no OpenSSL, no certificate')
    for what, command in (
            ('memory', 'dd if=/proc/%d/mem of=/dev/null count=1' % relay),
            ('descriptors', 'ls /proc/%d/fd/' % relay),
            ('environment', 'cat /proc/%d/environ' % relay),
            ('signals', 'kill -STOP %d' % relay),
            ('the file', 'cat ' + CERT), ('a debugger', 'strace -o /dev/null -p %d' % relay)):
        for account in (QMAILD, QMAILT):
            if account is QMAILT and what in ('signals', 'the file'):
                continue
            done = subprocess.run(['sh', '-c', command], user=account.pw_uid, check=False,
                                  group=account.pw_gid, extra_groups=[], timeout=world.PATIENCE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            tap.ok(done.returncode != 0, '%s: not for %s' % (what, account.pw_name))
    if not SAN:                     # which keeps what was freed, and maps terabytes
        tap.ok(not has_key(relay), 'relay: the key is not in its memory any more')
    tls.sendall(b'y')
    tap.equal(tls.recv(1), b'y', 'and moves bytes as before')
    tls.close()
    service.idle()
    service.end()


def never_root():
    """Started by root: it is qmailt all the same, even without the set-uid bit, or refuses."""
    program = BIN + 'qmail-tls'
    mode = os.stat(program).st_mode & 0o7777
    own = os.stat(program).st_uid, os.stat(program).st_gid
    world.write(world.DIR + '/passwd', b''.join(
        line for line in open('/etc/passwd', 'rb') if not line.startswith(b'qmailt:')))
    for name, uid, bits in (('set-uid', own[0], mode), ('the bit is lost', own[0], 0o755),
                            ('set-uid root', 0, 0o4755)):
        os.chown(program, uid, own[1])
        os.chmod(program, bits)
        service = Service(program, '-s', 'cat', become=[])
        tls = service.connect()
        tls.sendall(b'x')
        tls.recv(1)
        relay, = relays()
        shown = status(relay)
        ids = [shown[kind].split() for kind in ('Uid', 'Gid', 'Groups')]
        tap.equal((ids, shown['CapPrm']), ([[str(QMAILT.pw_uid)] * 4, [str(QMAILT.pw_gid)] * 4,
                                            [str(QMAILT.pw_gid)]], '0' * 16), 'root, %s' % name)
        tls.close()
        service.idle()
        service.end()
    os.chmod(program, 0o755)
    done = subprocess.run(['unshare', '-m', 'sh', '-c',
                           'mount --bind %s/passwd /etc/passwd && exec %s -t'
                           % (world.DIR, program)], stderr=subprocess.PIPE, check=False,
                           timeout=world.PATIENCE)
    tap.equal((done.returncode, done.stderr), (111, b'qmail-tls: cannot become qmailt\n'),
              'root, and no account qmailt: refused')
    os.chown(program, *own)
    os.chmod(program, mode)


def has_key(pid):
    """Is a piece of the private key in the memory of this process?  Only root can ask."""
    der = world.openssl('ec', '-in', world.DIR + '/mx.example.key', '-outform', 'DER')
    secret = der[7:39]
    text = [line for line in world.read('mx.example.key').splitlines() if len(line) > 40]
    return any(secret in data or secret[::-1] in data or any(piece in data for piece in text)
               for _, data in procmem.parts(pid))


def kills():
    """Whoever is killed, the other ends and the client is told."""
    for who in ('relay', 'program'):
        service = Service(BIN + 'qmail-tls', '-s', 'cat')
        tls = service.connect()
        tls.sendall(b'x')
        tls.recv(1)
        pid = relays()[0] if who == 'relay' else \
            int(re.search(r'ok (\d+) ', service.logged()).group(1))
        os.kill(pid, signal.SIGKILL)
        tap.equal(receive(tls), b'', 'killed: the %s: the client sees an end' % who)
        service.idle()
        service.end()
        tap.ok(wait_until(lambda: not relays(), 'relays end'), 'killed: the %s: nothing is left'
               % who)


def callers():
    """Who may run servers."""
    def run(user, *args):
        account = pwd.getpwnam(user)
        return subprocess.run([BIN + 'qmail-tls', *args], user=account.pw_uid, check=False,
                              group=account.pw_gid, extra_groups=[], stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, timeout=world.PATIENCE)
    for user, wanted in (('root', 0), ('qmaild', 0), ('vpopmail', 0), ('joe', 100),
                         ('qmailr', 100), ('alias', 100)):
        tap.equal(run(user, '-t').returncode, wanted, 'callers: ' + user)
    world.write('/var/qmail/control/tlsusers', b'joe\n')
    for user, wanted in (('joe', 0), ('vpopmail', 100), ('ann', 100), ('qmaild', 0)):
        tap.equal(run(user, '-t').returncode, wanted, 'callers: tlsusers: ' + user)
    os.unlink('/var/qmail/control/tlsusers')
    tap.equal(run('joe', '-c', '-h', 'x').returncode, 100, 'callers: joe is no client')
    tap.equal(run('qmaild', '-c', '-h', 'x').returncode, 100, 'callers: nor is qmaild')


def old_owner():
    """A certificate of earlier days, readable by the server's account, works with a warning."""
    os.chmod(CERT, 0o640)
    os.chown(CERT, 0, QMAILD.pw_gid)
    os.chown(CERT, QMAILD.pw_uid, 0)
    service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
    tap.equal(receive(service.connect()), b'hello\n', 'old owner: it works')
    service.idle()
    tap.ok(' warning: control/servercert.pem can be read ' in service.end(), 'old owner: warning')
    install()


# ---- tickets ----

def tickets():
    fresh = []

    def reused(version):
        service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
        context = world.client_context(version=version)
        first = service.connect(context)
        receive(first)
        session = first.session
        sock = service.raw()
        again = context.wrap_socket(sock, server_hostname='mx.example', session=session)
        value = again.session_reused
        receive(again)
        fresh.append(again.session.id != session.id)
        first.close()
        again.close()
        service.idle()
        service.end()
        return value
    tap.equal(reused(ssl.TLSVersion.TLSv1_3), False, 'tickets: none without a directory')
    os.makedirs('/run/qmail-tls', exist_ok=True)
    os.chown('/run/qmail-tls', QMAILT.pw_uid, 0)
    os.chmod('/run/qmail-tls', 0o700)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        tap.equal(reused(version), True, 'tickets: from one process to another, %s' % version.name)
    tap.ok(fresh[-1], 'tickets: who used one of TLS 1.3 gets another')
    path = '/run/qmail-tls/tickets'
    made = os.stat(path)
    tap.equal((made.st_mode & 0o777, made.st_uid, made.st_size), (0o600, QMAILT.pw_uid, 240),
              'tickets: their file')
    for name, change in (('cut', lambda: os.truncate(path, 20)),
                         ('readable', lambda: os.chmod(path, 0o644))):
        change()
        service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
        tap.equal(receive(service.connect()), b'hello\n', 'tickets: file %s: served' % name)
        service.idle()
        service.end()
        tap.equal(os.stat(path).st_size, 240, 'tickets: file %s' % name)
    os.unlink(path)


def known():
    """A certificate that was of use once is parsed only for clients without a ticket; one that is
    changed, at the start again."""
    path = '/run/qmail-tls/tickets'
    world.issue('named.example')
    directory = '/var/qmail/control/servercerts/named.example'
    os.makedirs(directory)
    world.write(directory + '/servercert.pem', world.read('named.example.pem'), 'qmailt', 0o600)

    def marks():
        with open(path, 'rb') as file:
            return file.read()[176:]

    def answer(name='mx.example', version=None):
        service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
        got = receive(service.connect(world.client_context(version=version), name))
        service.idle()
        return got, service.end()
    answer()
    before = marks()
    tap.ok(before.count(0) in range(50, 57), 'known: the certificate is remembered', before)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for name in ('mx.example', 'named.example'):
            got, log = answer(name, version)
            tap.ok(got == b'hello\n' and (' named.example 256' in log) == (name != 'mx.example'),
                   'known: full handshakes, %s, %s' % (version.name, name), log)
    world.write(directory + '/servercert.pem', world.read('mx.example.crt'), 'qmailt', 0o600)
    service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
    got = receive(service.connect(world.client_context(verify=False), 'named.example'))
    service.idle()
    log = service.end()
    tap.ok(got == b'hello\n' and ' - 256' in log,
           'known: a name whose file is of no use gets the main one', log)
    shutil.rmtree('/var/qmail/control/servercerts')
    service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
    done = subprocess.run(['openssl', 's_client', '-connect', '127.0.0.1:%d' % service.port,
                           '-groups', 'ffdhe2048:X25519', '-ign_eof', '-msg'], timeout=world.PATIENCE,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    tap.ok(done.stdout.count(b'ClientHello') == 2 and b'\nhello\n' in done.stdout,
           'known: a client that has to say hello twice', done.stdout[-500:])
    service.idle()
    service.end()
    tap.equal(marks(), before, 'known: nothing more was written')
    world.write(CERT, world.read('mx.example.key') + world.read('ca.pem'), 'qmailt', 0o600)
    service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
    try:
        service.connect()
        tap.ok(False, 'known: another is not')
    except (OSError, ssl.SSLError) as error:
        service.idle()
        tap.ok(' not started: ' in service.logged(), 'known: another is not', error)
    service.end()
    tap.equal(marks(), before, 'known: what is of no use is not remembered')
    install()
    os.unlink(path)


# ---- tcpserver-ssl ----

def front():
    world.issue('front.example', 'rsa')
    pem = world.DIR + '/front.example.pem'
    for name, options in (('-s -n', ['-s', '-n', pem]), ('-n', ['-n', pem])):
        service = Service('sh', '-c', 'env; ls -l /proc/self/fd', front=(BIN + 'tcpserver-ssl',
                                                                         '-v'),
                          options=options)
        tls = service.connect(name='front.example')
        got = receive(tls).decode()
        tap.ok('TCPREMOTEIP=' in got and 'SSL' not in got, 'tcpserver-ssl %s: environment' % name,
               got)
        tap.ok('.pem' not in got, 'tcpserver-ssl %s: the certificate is closed' % name, got)
        service.idle()
        service.end()
    service = Service('echo', 'clear', front=(BIN + 'tcpserver-ssl', '-v'), options=['-S'])
    sock = service.raw()
    tap.equal(receive(sock), b'clear\n', 'tcpserver-ssl -S')
    service.idle()
    service.end()
    os.symlink(pem, world.DIR + '/cert.pem')
    service = Service('echo', 'hello', front=(BIN + 'tcpserver-ssl', '-v'), options=['-s'])
    tap.equal(receive(service.connect(name='front.example')), b'hello\n', 'tcpserver-ssl: cert.pem')
    sock = service.raw()
    sock.sendall(b'garbage\r\n' * 10)
    receive(sock)
    service.idle()
    tap.ok('tcpserver: warning: dropping connection, unable to accept SSL connection\n' in
           service.end(), 'tcpserver-ssl: warning')
    for text, what in ((b'', 'unable to load RSA private key'),
                       (world.read('front.example.crt'), 'unable to load RSA private key'),
                       (world.read('front.example.key'), 'unable to load certificate')):
        world.write('bad.pem', text)
        done = subprocess.run([BIN + 'tcpserver-ssl', '-n', world.DIR + '/bad.pem', '0', '1', 'x'],
                              stderr=subprocess.PIPE, check=False, timeout=world.PATIENCE)
        tap.equal((done.returncode, done.stderr.decode()), (111, 'tcpserver: fatal: %s\n' % what),
                  'tcpserver-ssl: ' + what)
    for args in ([], ['-n', pem], ['-n', pem, '0', '1'], ['-j', '0', '1', 'x']):
        done = subprocess.run([BIN + 'tcpserver-ssl', *args], stderr=subprocess.PIPE, check=False)
        tap.ok(done.returncode == 100 and b'usage' in done.stderr, 'tcpserver-ssl %s' % args,
               done.stderr)


# ---- qmail-cert ----

def cert(*args):
    done = subprocess.run([BIN + 'qmail-cert', *args], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=world.PATIENCE)
    return done.returncode, done.stdout.decode()


def helper():
    os.unlink(CERT)
    world.write('/var/qmail/control/me', b'mx.example\n')
    tap.equal(cert('check')[0], 1, 'qmail-cert: nothing there')
    tap.equal(cert('make')[0], 0, 'qmail-cert make')
    made = os.stat(CERT)
    tap.equal((made.st_mode & 0o777, made.st_uid), (0o600, QMAILT.pw_uid), 'mode and owner')
    tap.equal(cert('make'), (0, CERT + ' is there already\n'), 'qmail-cert make: once')
    code, text = cert('check')
    tap.ok(code == 0 and 'mx.example' in text, 'qmail-cert check', text)
    before = open(CERT, 'rb').read()
    world.issue('acme.example')
    world.write('chain.pem', world.read('acme.example.crt') + world.read('ca.pem'))
    for name, args in (('another key', (world.DIR + '/mx.example.key', world.DIR + '/chain.pem')),
                       ('no key', (world.DIR + '/chain.pem',)), ('no file', ('/nonexistent',))):
        code, text = cert('install', *args)
        tap.ok(code == 1 and open(CERT, 'rb').read() == before, 'qmail-cert install: ' + name, text)
    tap.equal(cert('install', world.DIR + '/acme.example.key', world.DIR + '/chain.pem')[0], 0,
              'qmail-cert install')
    tap.equal(cert('--for', 'mx.example', 'install', world.DIR + '/mx.example.pem')[0], 0,
              'qmail-cert --for')
    service = Service(BIN + 'qmail-tls', '-s', 'echo', 'hello')
    for name in ('mx.example', 'acme.example'):
        tap.equal(receive(service.connect(name=name)), b'hello\n', 'and it is served: ' + name)
    service.idle()
    service.end()
    tap.equal(cert('--for', '../x', 'check')[0], 1, 'qmail-cert: a strange name')
    world.issue('soon.example', days='3')
    cert('install', world.DIR + '/soon.example.pem')
    code, text = cert('check')
    tap.ok(code == 1 and 'expires within a week' in text, 'qmail-cert check: it expires', text)
    for args in ((), ('what',), ('install',), ('check', 'x'), ('--for', 'x')):
        tap.equal(cert(*args)[0], 100, 'qmail-cert %s' % (args,))


def main():
    world.set_up()
    install()
    try:
        for part in (moves, environment, pids, refused, malformed, power, never_root, kills,
                     callers, old_owner,
                     tickets, known, front, slow, helper):
            part()
    finally:
        world.tear_down()
    return tap.done()


sys.exit(main())
