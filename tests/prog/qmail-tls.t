#!/usr/bin/python3
"""qmail-tls as a black box: client and servers, what moves, what is refused, what it may do."""
import os
import ssl
import sys
import threading
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap
import tlsworld as world

warnings.simplefilter('ignore', DeprecationWarning)      # of TLS 1.1, which is refused
BIG = os.urandom(3 << 20)
MEMORY = 24 << 20               # bytes of address space for any handshake


class Peer(threading.Thread):
    """Our side of the network: one TLS connection and what to do with it."""

    def __init__(self, sock, context, work, **options):
        super().__init__()
        self.sock, self.context, self.work, self.options = sock, context, work, options
        self.result = self.error = None
        self.start()

    def run(self):
        try:
            tls = self.context.wrap_socket(self.sock, **self.options)
            self.result = self.work(tls)
            tls.close()
        except (OSError, ValueError) as error:
            self.error = error
            self.sock.close()

    def end(self):
        self.join(world.PATIENCE)
        return self.result


def receive(tls, n=None):
    got = b''
    while n is None or len(got) < n:
        piece = tls.recv(65536)
        if not piece:
            break
        got += piece
    return got


def echo(tls):
    """Everything until the end, then back."""
    got = receive(tls)
    tls.sendall(got)
    return len(got)


# ---- client ----

def meet(args, context=None, work=receive, before=(), **options):
    """A relay and a server for it.  The verdict and the server's error."""
    relay = world.Relay(args, before=before)
    peer = Peer(relay.net, context or world.server_context(), work, server_side=True, **options)
    verdict = relay.verdict
    code = relay.end()
    peer.end()
    return verdict, code, peer.error


def client_verdicts():
    ca = ['-a', world.DIR + '/ca.pem']
    world.issue('*.wild.example')
    world.issue('cn-only', subject='/CN=cn.example', names=[])
    world.issue('nobody', subject='/O=nobody', names=[])
    world.issue('mail-only', subject='/O=x', names=['email:joe@mx.example'])
    world.issue('expired', subject='/CN=mx.example', names=['DNS:mx.example'], days='-1')
    world.issue('address', subject='/CN=x', names=['IP:192.0.2.1'])
    evil = b'mx.example\0.evil.example'
    names = bytes([0x30, len(evil) + 2, 0x82, len(evil)]) + evil
    world.issue('nul', subject='/CN=mx.example', names=[],
                extra=['subjectAltName=DER:' + names.hex(':')])
    world.issue('nul-cn', subject='/CN=mx.example~.evil.example', names=[])
    world.issue('nul-dns', subject='/CN=x', names=['DNS:mx.example~.evil.example',
                                                   'DNS:other.example'])
    for name in ('nul-cn', 'nul-dns'):
        world.resign(name, b'mx.example~', b'mx.example\0')
    world.openssl('req', '-x509', '-nodes', '-newkey', 'ed25519', '-keyout', world.DIR + '/own.key',
                  '-out', world.DIR + '/own.crt', '-days', '30', '-subj', '/CN=mx.example')
    world.write('own.pem', world.read('own.key') + world.read('own.crt'))
    world.write('empty', b'')
    rows = [
        # name, arguments, certificate, what the verdict has
        ('nobody asks who it is', ['-h', 'other.example'], 'mx.example',
         {'result': 'ok', 'verified': 'no', 'cn': 'mx.example'}),
        ('verified', ['-h', 'mx.example', *ca], 'mx.example', {'result': 'ok', 'verified': 'yes'}),
        ('case of names', ['-h', 'MX.Example', *ca], 'mx.example', {'result': 'ok'}),
        ('wrong name', ['-h', 'mx.example.org', *ca], 'mx.example',
         {'result': 'name', 'cn': None, 'verified': 'no'}),
        ('wildcard', ['-h', 'a.wild.example', *ca], '*.wild.example', {'result': 'ok'}),
        ('wildcard: one label', ['-h', 'a.b.wild.example', *ca], '*.wild.example',
         {'result': 'name'}),
        ('common name', ['-h', 'cn.example', *ca], 'cn-only', {'result': 'ok'}),
        ('wrong common name', ['-h', 'mx.example', *ca], 'cn-only',
         {'result': 'name', 'cn': 'cn.example'}),
        ('no name at all', ['-h', 'mx.example', *ca], 'nobody', {'result': 'nocn'}),
        ('an address for mail is no name', ['-h', 'mx.example', *ca], 'mail-only',
         {'result': 'nocn'}),
        ('an address', ['-h', '192.0.2.1', *ca], 'address', {'result': 'ok'}),
        ('another address', ['-h', '192.0.2.2', *ca], 'address', {'result': 'name'}),
        ('expired', ['-h', 'mx.example', *ca], 'expired',
         {'result': 'chain', 'reason': 'certificate has expired'}),
        ('self-signed', ['-h', 'mx.example', *ca], 'own',
         {'result': 'chain', 'reason': 'self-signed certificate'}),
        ('self-signed, pinned', ['-h', 'mx.example', '-a', world.DIR + '/own.crt'], 'own',
         {'result': 'ok', 'verified': 'yes'}),
        ('no authority in the file', ['-h', 'mx.example', '-a', world.DIR + '/empty'],
         'mx.example', {'result': 'cafile', 'reason': 'no certificate in it'}),
        ('no file', ['-h', 'mx.example', '-a', '/nonexistent'], 'mx.example',
         {'result': 'cafile', 'reason': 'No such file or directory'}),
        ('a directory', ['-h', 'mx.example', '-a', '/tmp'], 'mx.example',
         {'result': 'cafile', 'reason': 'Is a directory'}),
        ('unreadable for the caller', ['-h', 'mx.example', '-a', world.DIR + '/mx.example.pem'],
         'mx.example', {'result': 'cafile', 'reason': 'Permission denied'}),
        ('unknown ciphers', ['-h', 'mx.example', '-C', 'NONE:TLS_NONE'], 'mx.example',
         {'result': 'local', 'reason': 'no cipher in the list is known'}),
        ('a cipher', ['-h', 'mx.example', '-C', 'TLS_CHACHA20_POLY1305_SHA256:NONE'], 'mx.example',
         {'result': 'ok', 'cipher': 'TLS_CHACHA20_POLY1305_SHA256'}),
        ('a NUL in its name', ['-h', 'mx.example', *ca], 'nul',
         {'result': 'name', 'verified': 'no'}),
        ('a NUL in one of its names', ['-h', 'mx.example', *ca], 'nul-dns',
         {'result': 'name', 'verified': 'no'}),
        ('the other one counts', ['-h', 'other.example', *ca], 'nul-dns',
         {'result': 'ok', 'verified': 'yes'}),
        ('a NUL in its common name', ['-h', 'mx.example', *ca], 'nul-cn',
         {'result': 'nocn', 'verified': 'no', 'cn': None}),
        ('no such client certificate', ['-h', 'mx.example', '-k', 'control/clientcert.pem'],
         'mx.example', {'result': 'local'}),
    ]
    for name, args, certificate, wanted in rows:
        verdict, code, _ = meet(args, world.server_context(certificate))
        got = {key: verdict.get(key) for key in wanted}
        tap.ok(got == wanted and code == (0 if wanted['result'] == 'ok' else 1),
               'client: ' + name, '%r, exit %r' % (verdict, code))


def client_large():
    """Certificates that are larger than any that is needed, in no more memory than others get."""
    ca = ['-h', 'mx.example', '-a', world.DIR + '/ca.pem']
    before = () if os.environ.get('SAN') else ('prlimit', '--as=%d' % MEMORY)
    for count, wanted in ((1000, ('ok', None)), (3000, ('ok', None)),
                          (41000, ('tls', 'excessive message size'))):
        names = ['DNS:host-%d.of.many.example' % n for n in range(count)] + ['DNS:mx.example']
        world.issue('large', names=names)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            verdict, _, _ = meet(ca, world.server_context('large', version), before=before)
            tap.equal((verdict.get('result'), verdict.get('reason')), wanted,
                      'client: %d names, %d bytes, %s'
                      % (count, len(world.read('large.crt')), version.name))
    world.issue('strange', subject='/CN=a\tb\x7f\xc3\xa4', names=[])
    verdict, _, _ = meet(ca, world.server_context('strange'))
    tap.ok(verdict.get('result') == 'name' and verdict.get('cn', '').startswith('a?b'),
           'client: control bytes in a name', verdict)


def client_old_server():
    verdict, _, _ = meet(['-h', 'mx.example'],
                         world.server_context(version=ssl.TLSVersion.TLSv1_2))
    tap.ok(verdict.get('protocol') == 'TLSv1.2' and verdict.get('result') == 'ok',
           'client: TLS 1.2', verdict)
    old = world.server_context(version=ssl.TLSVersion.TLSv1_1)
    old.minimum_version = old.maximum_version
    old.set_ciphers('DEFAULT@SECLEVEL=0')
    verdict, code, _ = meet(['-h', 'mx.example'], old)
    tap.ok(verdict.get('result') == 'tls' and code == 1, 'client: not TLS 1.1', verdict)


def client_certificate():
    """A key that only qmailt can read is shown to a server that asks for it."""
    world.issue('client.example', 'rsa')
    path = '/var/qmail/control/clientcert.pem'
    world.write(path, world.read('client.example.pem'), 'qmailt', 0o600)
    context = world.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(world.DIR + '/ca.pem')
    relay = world.Relay(['-h', 'mx.example', '-k', 'control/clientcert.pem'])
    peer = Peer(relay.net, context, lambda tls: (tls.getpeercert(), receive(tls)),
                server_side=True)
    tap.equal(relay.verdict.get('result'), 'ok', 'client: with a certificate')
    relay.end()
    subject = (peer.end() or ({},))[0].get('subject')
    tap.equal(subject, ((('commonName', 'client.example'),),), 'client: the server sees it')
    for name in ('client.example.pem', 'client.example.key'):
        verdict, _, _ = meet(['-h', 'mx.example', '-k', world.DIR + '/' + name])
        tap.equal((verdict.get('result'), verdict.get('reason')),
                  ('local', 'client certificate: Permission denied'),
                  'client: another file is opened as the caller: ' + name)
    os.unlink(path)


def client_moves():
    relay = world.Relay(['-h', 'mx.example'])
    peer = Peer(relay.net, world.server_context(), echo, server_side=True)
    tap.equal(relay.verdict.get('result'), 'ok', 'client: a handshake')
    writer = threading.Thread(target=relay.say, args=(BIG, True))
    writer.start()
    got = relay.hear()
    writer.join()
    tap.ok(got == BIG, 'client: every byte goes there, after close_notify every byte comes back',
           len(got))
    tap.equal((relay.end(), peer.end()), (0, len(BIG)), 'client: exit')


def main():
    world.set_up()
    try:
        client_verdicts()
        client_large()
        client_old_server()
        client_certificate()
        client_moves()
    finally:
        world.tear_down()
    return tap.done()


sys.exit(main())
