#!/usr/bin/python3
"""attacks-tls.t - strangers misuse TLS: clients of qmail-smtpd and qmail-pop3d, and exchangers that
qmail-remote talks to.  Garbage in the place of a handshake, handshakes that stop, crowds, orders to
begin anew, what is sent in single bytes, what nobody reads.

Always: the connection ends, memory of qmail-tls stays below the figure of qmail-limits(7), and what
else attack.py checks.  DEPTH=full: ten times as many.
"""
import contextlib
import fcntl
import itertools
import os
import random
import select
import ssl
import struct
import subprocess
import sys
import termios
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import attack                           # noqa: E402
import hosts                            # noqa: E402
import peer                             # noqa: E402
import tap                              # noqa: E402
from dialogue import Dialogue, drop, rest, send     # noqa: E402
from host import wait_for               # noqa: E402
from tlspart import hang                # noqa: E402
from tree import home                   # noqa: E402

MB = 1 << 20
MANY = attack.scale(100, 1000)          # connections at once
HUNG = attack.scale(24, 240)            # handshakes that stop
PLACES = MANY + HUNG + 20               # of each service
SMTPS, POP3S = 2600, 2601
MX = '127.0.0.3'
PATIENCE = 60
NOISE = random.Random(1).randbytes(65535)


@contextlib.contextmanager
def single():
    """A host with a certificate, and services without the limits of softlimit, which would hide
    growth."""
    with hosts.single() as host:
        host.sh(home() + '/bin/qmail-cert make hosta.test')
        host.serve(SMTPS, 'qmail-tls', '-s', 'qmail-smtpd', user='qmaild', most=PLACES)
        host.serve(POP3S, 'qmail-tls', '-s', 'qmail-popup', 'hosta.test', 'checkpassword',
                   'qmail-pop3d', 'Maildir', most=PLACES)
        yield host


# ---- garbage -----------------------------------------------------------------------------------

def context(version=None):
    """For clients that believe everybody."""
    found = ssl.create_default_context()
    found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
    if version:
        found.minimum_version = found.maximum_version = version
    return found


def record(kind, body, size=None):
    return struct.pack('!BHH', kind, 0x303, len(body) if size is None else size) + body


GARBAGE = {
    'nothing': b'', 'text': b'GET / HTTP/1.0\r\n\r\n', 'zeros': bytes(65536), 'noise': NOISE,
    'SSLv2': b'\x80\x2e\x01\x00\x02' + NOISE[:43], 'a record of 65535 bytes': record(22, NOISE),
    'a record that ends early': record(22, b'\1\0', 500), 'empty records': record(22, b'') * 10000,
    'a hello of 16 MB': record(22, b'\1\xff\xff\xff' + bytes(16380))
                        + record(22, bytes(16384)) * 99,
    'a hello that contains noise': record(22, b'\1\0\2\0\3\3' + NOISE[:510]),
    'records of one byte': b''.join(record(22, b'\1') for _ in range(10000)),
    'warnings': record(21, b'\1\0') * 10000, 'changes of cipher': record(20, b'\1') * 10000,
    'data before the handshake': record(23, NOISE[:16384]) * 4,
}
WAYS = {'TLS': (SMTPS, None, b''), 'STARTTLS': (25, b'STARTTLS', b'220 '),
        'STLS': (110, b'STLS', b'+OK')}


def before_handshake(host, way):
    port, command, wanted = WAYS[way]
    if not command:
        return host.connect('127.0.0.1', port)
    client = Dialogue(host, port)
    reply = client.say(command)
    if not reply.startswith(wanted):
        raise AssertionError('%s: %r' % (way, reply))
    return client.socket


def garbage(host):
    """Test points: nobody is spoken to who sends this in the place of a handshake."""
    for way in WAYS:
        answers = {}
        for what, data in GARBAGE.items():
            sock = before_handshake(host, way)
            send(sock, data)
            answers[what] = rest(sock)
        bad = {what: text for what, text in answers.items() if text and text[:2] != b'\x15\3'}
        tap.equal(bad, {}, way + ': garbage is answered by an alert, or the end')


def hung(host):
    """Clients that stop in each state of a handshake, and one that goes on, byte by byte."""
    states = itertools.cycle((None, (0, 0.5), (0, 1), (1, 0.5)))
    socks = []
    for state in itertools.islice(states, HUNG):
        socks.append(host.connect('127.0.0.1', SMTPS))
        if state:
            hang(socks[-1], context(), *state)
    return socks


def until_closed(socks, slow):
    """How long it takes; meanwhile `slow` sends a byte now and then."""
    began, left = time.monotonic(), set(socks) | {slow}
    for byte in record(22, b'\1\0\2\0\3\3' + NOISE[:510]):
        for sock in select.select(left, [], [], 1)[0]:
            try:
                ended = not sock.recv(65536)
            except ConnectionResetError:
                ended = True
            if ended:
                left.remove(sock)
        if not left:
            break
        if slow in left:
            with contextlib.suppress(OSError):
                slow.send(bytes([byte]))
    for sock in set(socks) | {slow}:
        sock.close()
    return time.monotonic() - began


@attack.sees('qmail-tls')
def handshakes(host):
    socks = hung(host)
    began = time.monotonic()
    flood = [host.connect('127.0.0.1', SMTPS) for _ in range(MANY)]
    for sock in flood:
        sock.sendall(record(22, NOISE[:100], 500))
    attack.looked(host)
    with Dialogue(host, SMTPS, wrap=context().wrap_socket) as client:
        tap.equal(client.greeting[:3], b'220', 'beside %d handshakes that stop, one is served'
                  % (HUNG + MANY))
    attack.probe(host, 'and mail flows')
    for sock in flood:
        drop(sock)
    garbage(host)
    until_closed(socks, host.connect('127.0.0.1', SMTPS))
    attack.gone(host, 'qmail-tls')
    tap.ok(25 < time.monotonic() - began < 90, 'a handshake ends after 26 s')


def read_until(stream, pattern):
    """What comes, up to this; to the end if it does not come."""
    text = b''
    while pattern not in text:
        piece = os.read(stream.fileno(), 65536)
        if not piece:
            break
        text += piece
    return text


def openssl(host, version):
    """openssl s_client, which understands single letters as orders."""
    child = host.popen(['timeout', str(PATIENCE), 'openssl', 's_client', version, '-connect',
                        '127.0.0.1:%d' % SMTPS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, bufsize=0)
    read_until(child.stdout, b'220 ')
    return child


@attack.sees('qmail-tls')
def renegotiation(host):
    old, new = openssl(host, '-tls1_2'), openssl(host, '-tls1_3')
    old.stdin.write(b'R\n')
    said = read_until(old.stdout, b'250 ')
    tap.ok(b'RENEGOTIATING' in said and b'no renegotiation' in said, 'no renegotiation', said)
    said = b''
    for _ in range(MANY):
        new.stdin.write(b'K\n')         # we, and would you, too
        said += read_until(new.stdout, b'KEYUPDATE')
    new.stdin.write(b'NOOP\n')
    tap.ok(said.count(b'KEYUPDATE') == MANY and b'250 ' in read_until(new.stdout, b'250 '),
           'after %d new keys the session goes on' % MANY, said)
    attack.looked(host)
    for child in (old, new):
        child.stdin.close()
        child.wait()
        child.stdout.close()


@attack.sees('qmail-tls')
def records(host):
    """Inside TLS: records of one byte, lines of megabytes, and clients that go without a word."""
    clients = [Dialogue(host, SMTPS, wrap=context().wrap_socket) for _ in range(20)]
    for client in clients[:2]:
        for byte in b'NOOP\r\n' * 150:
            client.socket.send(bytes([byte]))
        tap.equal({client.reply()[:3] for _ in range(150)}, {b'250'},
                  'records of one byte are read')
    for client in clients[2:4]:
        client.socket.sendall(bytes(4 * MB))
        tap.equal(client.say(b'')[:3], b'500', 'a line of 4 MB')
    attack.looked(host)
    for client in clients:
        drop(client.socket)
        client.lines.close()
    attack.gone(host, 'qmail-tls', 'qmail-smtpd')


@attack.sees('qmail-tls')
def unread(host):
    """Clients that fetch a message of 64 MB, and do not read it."""
    host.write('/home/joe/Maildir/new/1.large', (b'x' * 1023 + b'\n') * (64 << 10), 'joe', 0o600)
    host.sh('touch -d "1 minute ago" /home/joe/Maildir/new/1.large')
    clients = [Dialogue(host, POP3S, wrap=context().wrap_socket) for _ in range(5)]
    for client in clients:
        client.say('USER joe')
        tap.equal(client.say('PASS joe-secret')[:3], b'+OK', 'logged in')
        client.send('RETR 1')

    def waiting(sock, seen=[-1]):
        """Does not grow any more?"""
        size = struct.unpack('i', fcntl.ioctl(sock, termios.FIONREAD, bytes(4)))[0]
        seen[0], before = size, seen[0]
        return size > 0 and size == before
    for client in clients:
        wait_for(lambda client=client: waiting(client.socket), 'what may be on its way')
    attack.probe(host, 'while nobody reads, mail flows')
    attack.looked(host)
    for client in clients:
        drop(client.socket)
        client.lines.close()
    attack.gone(host, 'qmail-tls', 'qmail-pop3d')
    host.sh('rm -f /home/joe/Maildir/*/1.large*')


def hostile_mx(connection, lies=itertools.cycle(GARBAGE.values())):
    """Says STARTTLS, and then garbage; in the clear it takes everything."""
    replies = {b'EHLO': b'250-mx\r\n250 STARTTLS', b'DATA': b'354 go', b'QUIT': b'221 bye'}
    connection.sendall(b'220 mx\r\n')
    lines = connection.makefile('rb')
    for line in lines:
        word = line[:4].upper()
        if word == b'STAR':
            connection.sendall(b'220 go\r\n' + next(lies))
            lines.read()
            return
        connection.sendall(replies.get(word, b'250 ok') + b'\r\n')
        if word == b'DATA':
            while lines.readline() not in (b'.\r\n', b''):
                pass
            connection.sendall(b'250 taken\r\n')
        elif word == b'QUIT':
            return


@attack.sees('qmail-tls', 'qmail-remote')
def servers(host):
    """Exchangers that offer TLS and send garbage, or nothing, instead."""
    host.control('smtproutes', 'tls.test:[%s]:2525\n' % MX)
    host.control('timeoutremote', '2\n')
    count = 2 * len(GARBAGE)
    result = '^delivery .*: (success|deferral|failure): '
    before = host.count_log(result)
    with peer.serving(host, (MX, 2525), hostile_mx):
        for n in range(count):
            host.deliver('ann@hosta.test', ['x%d@tls.test' % n], b'Subject: x\n\nx\n')
        host.wait_log('^starting delivery .* to remote x.*@tls.test')
        attack.looked(host)
        attack.probe(host, 'while exchangers lie, mail flows')
        lines = host.wait_log(result, before + count + 1, timeout=PATIENCE)[before:]
        tap.equal([line for line in lines if ': success: ' not in line], [],
                  'a server that cannot TLS gets the mail without')
    attack.give_up(host)
    host.control('smtproutes', None)
    host.control('timeoutremote', None)


CASES = [handshakes, renegotiation, records, unread, servers]


if __name__ == '__main__':
    sys.exit(attack.alone(CASES, single))
