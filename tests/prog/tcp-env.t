#!/usr/bin/python3
"""tcp-env.t - tcp-env on real connections, with scripted ident and name servers; in a world."""
import os
import socket
import subprocess
import sys
import threading
import time

sys.path[:0] = ['tests', 'tests/prog']
from dnsserver import Dns
import tap

TCP_ENV = '/var/qmail/bin/tcp-env'
NAMES = ['PROTO'] + [a + b for a in ('TCP', 'TCP6') for b in (
    'LOCALIP', 'LOCALPORT', 'LOCALHOST', 'REMOTEIP', 'REMOTEPORT', 'REMOTEHOST', 'REMOTEINFO')]


def connection(address='127.0.0.1', peer=None, family=None):
    """Both ends of a connection to ADDRESS: (server's, client's)."""
    family = family or (socket.AF_INET6 if ':' in address else socket.AF_INET)
    listener = socket.socket(family)
    listener.bind((address, 0))
    listener.listen(1)
    target = listener.getsockname()[:2]
    if family == socket.AF_INET6 and address == '::':
        client = socket.create_connection(('127.0.0.1', target[1]))
    else:
        client = socket.create_connection(target[:2], source_address=(peer or address, 0))
    server = listener.accept()[0]
    listener.close()
    return server, client


def run(server, *arguments, environment=None):
    """Exit code, the variables it set, and what it said on descriptor 2."""
    env = {'PATH': os.environ['PATH']}
    env.update(environment or {})
    done = subprocess.run([TCP_ENV] + list(arguments) + ['sh', '-c', 'env'], stdin=server, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    pairs = (line.split(b'=', 1) for line in done.stdout.split(b'\n') if b'=' in line)
    found = {key.decode(): value.decode('latin-1') for key, value in pairs}
    return done.returncode, {k: v for k, v in found.items() if k in NAMES}, done.stderr.decode()


def close(*sockets):
    for one in sockets:
        one.close()


class Ident(threading.Thread):
    """Answers on ADDRESS:113 with ANSWER (None: hangs up; a float: waits so long first)."""

    def __init__(self, answer, address='127.0.0.1', wait=0):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, 113))
        self.socket.listen(5)
        self.answer, self.wait, self.question, self.peer = answer, wait, None, None
        self.start()

    def run(self):
        peer, address = self.socket.accept()
        self.peer = address[0]
        self.question = peer.recv(100)
        if self.answer is not None and not self.wait:
            peer.sendall(self.answer)
        if self.wait:
            peer.settimeout(30)
            peer.recv(1)
        peer.close()

    def stop(self):
        self.socket.close()
        self.join(5)


def test_ident():
    dns = Dns({})
    server, client = connection('127.0.0.1', '127.0.0.2')
    local, remote = server.getsockname()[1], server.getpeername()[1]
    base = {'PROTO': 'TCP', 'TCPLOCALIP': '127.0.0.1', 'TCPLOCALPORT': str(local),
            'TCPREMOTEIP': '127.0.0.2', 'TCPREMOTEPORT': str(remote)}
    tap.equal(run(server, '-R')[1], base, '-R: no question')
    ident = Ident(b'%d , %d : USERID : UNIX : joe\r\n' % (remote, local), '127.0.0.2')
    tap.equal(run(server)[1], dict(base, TCPREMOTEINFO='joe'), 'the answer is used')
    tap.equal(ident.question, b'%d , %d\r\n' % (remote, local), 'the question')
    tap.equal(ident.peer, '127.0.0.1', 'asked from the local address')
    ident.stop()
    for name, answer, info in (
            ('blanks', b'1,2: USERID :UNIX:\t j o e \r\n', 'joe'),
            ('colons', b'1,2:USERID:UNIX:a:b\n', 'a:b'),
            ('empty', b'1,2:USERID:UNIX:\n', ''),
            ('odd bytes', b'1,2:USERID:UNIX:\x01\xff\n', '\x01\xff'),
            ('998 bytes', b':::' + b'x' * 998 + b'\n', 'x' * 998),
            ('999 bytes', b':::' + b'x' * 999 + b'\n', 'x' * 998),
            ('endless', b':::' + b'x' * 100000, None),
            ('error', b'1,2:ERROR:NO-USER\r\n', None),
            ('no newline', b'1,2:USERID:UNIX:joe', None),
            ('hangs up', None, None)):
        ident = Ident(answer, '127.0.0.2')
        wanted = base if info is None else dict(base, TCPREMOTEINFO=info)
        tap.equal(run(server, environment={'TCPREMOTEINFO': 'stale'})[1], wanted, 'ident: ' + name)
        ident.stop()
    ident = Ident(None, '127.0.0.2', wait=30)
    start = time.monotonic()
    tap.equal(run(server, '-t1')[1], base, 'ident: silence')
    tap.ok(0.9 < time.monotonic() - start < 5, '-t is kept')
    ident.stop()
    start = time.monotonic()
    tap.equal(run(server, '-rt', '1')[1], base, 'ident: nobody there; clustered options')
    close(server, client)
    dns.stop()


def test_names():
    server, client = connection('127.0.0.1', '127.0.0.2')
    for name, answer, local, remote in (
            ('found', ['Host.EXAMPLE'], 'host.example', 'host.example'),
            ('odd bytes', ['a b\xff.EX'], 'a?b?.ex', 'a?b?.ex'),
            ('no such name', 'NXDOMAIN', None, None),
            ('no name in the answer', [], None, None),
            ('SERVFAIL', 'SERVFAIL', 'softdnserror', 'softdnserror'),
            ('REFUSED', 'REFUSED', 'softdnserror', 'softdnserror')):
        dns = Dns({}, other=answer)
        got = run(server, '-R', environment={'TCPLOCALHOST': 'stale', 'TCPREMOTEHOST': 'stale'})[1]
        tap.equal((got.get('TCPLOCALHOST'), got.get('TCPREMOTEHOST')), (local, remote), name)
        if name == 'found':
            tap.equal(dns.asked, ['1.0.0.127.in-addr.arpa PTR', '2.0.0.127.in-addr.arpa PTR'],
                      'local first, then remote')
        dns.stop()
    close(server, client)


def test_ipv6():
    dns = Dns({}, other=['six.example'])
    server, client = connection('::1')
    port, peer = str(server.getsockname()[1]), str(server.getpeername()[1])
    wanted = {'PROTO': 'TCP6'}
    for prefix in ('TCP', 'TCP6'):
        wanted.update({prefix + 'LOCALIP': '::1', prefix + 'LOCALPORT': port,
                       prefix + 'LOCALHOST': 'six.example', prefix + 'REMOTEIP': '::1',
                       prefix + 'REMOTEPORT': peer, prefix + 'REMOTEHOST': 'six.example'})
    tap.equal(run(server, '-R')[1], wanted, 'IPv6')
    tap.equal(dns.asked[0], '1.' + '0.' * 31 + 'ip6.arpa PTR', 'PTR of an IPv6 address')
    ident = Ident(b':::ann\n', '::1')
    tap.equal(run(server)[1].get('TCP6REMOTEINFO'), 'ann', 'ident over IPv6')
    ident.stop()
    close(server, client)
    server, client = connection('::', family=socket.AF_INET6)
    got = run(server, '-R')[1]
    tap.equal((got['PROTO'], got['TCPREMOTEIP'], got['TCPLOCALIP']),
              ('TCP', '127.0.0.1', '127.0.0.1'), 'IPv4 through an IPv6 socket is IPv4')
    close(server, client)
    dns.stop()


def test_calls():
    server, client = connection()
    for proto in ('TCP', 'TCP6'):
        tap.equal(run(server, environment={'PROTO': proto, 'TCPREMOTEIP': 'x'})[1],
                  {'PROTO': proto, 'TCPREMOTEIP': 'x'}, 'PROTO=%s: nothing is touched' % proto)
    code, got, err = run(server, '-Rx', environment={'PROTO': 'TCPX'})
    tap.equal((code, got['PROTO'], err), (0, 'TCP', 'tcp-env: illegal option -- x\n'),
              'unknown option, unknown PROTO')

    def code_of(arguments, stdin=server, **more):
        return subprocess.run([TCP_ENV] + arguments, stdin=stdin, check=False,
                              stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              **more).returncode

    tap.equal(code_of([]), 111, 'no program')
    tap.equal(code_of(['-R']), 111, 'options only')
    tap.equal(code_of(['-R', '/nonexistent']), 111, 'no such program')
    tap.equal(code_of(['-R', 'sh', '-c', 'exit 7']), 7, 'exit code of the program')
    tap.equal(code_of(['-R', 'true'], subprocess.DEVNULL), 111, 'descriptor 0 is no socket')
    one, other = socket.socketpair()
    tap.equal(code_of(['-R', 'true'], one), 111, 'descriptor 0 is a local socket')
    close(one, other)
    listener = socket.socket()
    tap.equal(code_of(['-R', 'true'], listener), 111, 'descriptor 0 is not connected')
    listener.close()
    tap.equal(code_of(['-R', '--', 'sh', '-c', 'kill -PIPE $$; exit 3']), -13,
              'SIGPIPE is back to normal')
    close(server, client)


with open('/etc/resolv.conf', 'w') as resolv:
    resolv.write('nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
test_ident()
test_names()
test_ipv6()
test_calls()
sys.exit(tap.done())
