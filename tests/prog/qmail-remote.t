#!/usr/bin/python3
"""qmail-remote.t - qmail-remote against scripted name and SMTP servers on loopback; in a world."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path[:0] = ['tests', 'tests/prog']
import tap
from dnsserver import Dns
from remoteserver import ACCEPTED, HOME, OK, REMOTE, Smtp, control, remote, stop

NO_HOST = "DSorry, I couldn't find any host named %s. (#5.1.2)\n"
SOFT = "ZSorry, I couldn't find any host by that name. (#4.1.2)\n"
OURSELVES = ("DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
             'control/locals does not have it, so it is not delivered here. (#5.4.6)\n')
NO_CONNECTION = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"


def test_calls():
    control()
    for arguments in ((), ('h',), ('h', 's')):
        done = subprocess.run([REMOTE] + list(arguments), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=False)
        tap.ok(done.returncode == 0 and done.stdout.startswith(b'D') and
               done.stdout.endswith(b'(#5.3.5)\n\0'), '%d arguments' % len(arguments), done.stdout)
    for name, files in (('helohost', {'helohost': 'a b'}), ('empty helohost', {'helohost': ''}),
                        ('me with a control byte', {'me': 'a\x01b'})):
        control(**files)
        tap.equal(remote('y.example'),
                  ['ZThe control file helohost, or me, holds no host name. (#4.3.0)\n'], name)
    unreadable = ['ZUnable to read control files. (#4.3.0)\n']
    for name in ('me', 'helohost', 'smtproutes', 'timeoutremote', 'timeoutconnect'):
        control(**{name: 'x'})
        os.chmod(HOME + '/control/' + name, 0)
        tap.equal(remote('y.example'), unreadable, name + ' unreadable')
    control(me=None)
    tap.equal(remote('y.example'), unreadable, 'neither helohost nor me')
    control(me=None, helohost='helo.example', smtproutes=':127.0.0.1')
    tap.equal(remote('y.example'), [NO_CONNECTION], 'helohost alone is enough')
    tap.equal(remote('y.example', 'a\nb@x'),
              ['DThe sender address holds bytes that SMTP cannot carry. (#5.1.7)\n'],
              'LF in the sender')
    tap.equal(remote('y.example', '', ['a@y.example\r\nRSET']),
              ['DA recipient address holds bytes that SMTP cannot carry. (#5.1.3)\n'],
              'CR LF in a recipient')


def test_closed_descriptors():
    control(smtproutes=':127.0.0.2')
    server = Smtp('127.0.0.2', OK)
    out = subprocess.run(['sh', '-c', 'exec %s y.example s@x r@y 2>&1 </dev/null' % REMOTE],
                         stdout=subprocess.PIPE, check=False).stdout
    tap.equal(out, b'r\0' + (ACCEPTED % '127.0.0.2').encode() + b'\0',
              'descriptor 2 is descriptor 1')
    done = subprocess.run(['sh', '-c', 'exec %s y.example s@x r@y >&- 2>&- </dev/null' % REMOTE],
                          check=False)
    tap.equal(done.returncode, 0, 'nowhere to report')
    stop(server)


def test_answers():
    zone = {
        'code.example': 'SERVFAIL', 'refused.example': 'REFUSED', 'formerr.example': 'FORMERR',
        'notimp.example': 'NOTIMP', 'nothing.example TXT': [],
        'garbage.example': 'GARBAGE',
        'noedns.example MX': ['NO-EDNS', '10 mx.example'], 'mx.example A': ['127.0.0.2'],
        'alias.example MX': ['CNAME real.example'], 'alias.example A': ['127.0.0.2'],
        'both.example MX': ['CNAME real.example', '5 mx.example'],
        'null.example MX': ['0 .'], 'null.example A': ['127.0.0.2'],
        'xn--bcher-kva.example MX': ['10 mx.example'],
        'void.example MX': ['10 void2.example'], 'void2.example TXT': [],
        'self.example MX': ['10 self2.example'], 'self2.example A': ['127.0.0.1'],
        'named.example MX': ['10 me.example', '20 mx.example'], 'me.example': 'SERVFAIL',
        'softmx.example MX': ['10 code.example', '20 mx.example'],
        'huge.example MX': ['10 n%d.a-long-name-to-fill-the-answer.example' % i
                            for i in range(900)] + ['1 mx.example'],
        'truncated.example MX': ['10 n%d.example' % i for i in range(100)] + ['1 mx.example'],
    }
    control()
    with open('/etc/resolv.conf', 'w') as file:
        file.write('nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
    server, dns = Smtp('127.0.0.2', OK), Dns(zone)
    sent = ['r', ACCEPTED % '127.0.0.2']
    for host, wanted in (
            ('code.example', [SOFT]), ('refused.example', [SOFT]), ('formerr.example', [SOFT]),
            ('notimp.example', [SOFT]),
            ('nowhere.example', [NO_HOST % 'nowhere.example']),
            ('nothing.example', [NO_HOST % 'nothing.example']),
            ('', [NO_HOST % '']), ('a..b', [NO_HOST % 'a..b']), ('x' * 64, [NO_HOST % ('x' * 64)]),
            ('a b\xe9'.encode('latin-1'), [NO_HOST % 'a?b?']),
            ('B\xfccher.example', sent), ('B\xdccher.example', [NO_HOST % 'B??cher.example']),
            ('b\xfccher.example'.encode('latin-1'), [NO_HOST % 'b?cher.example']),
            ('noedns.example', sent), ('alias.example', sent), ('both.example', sent),
            ('null.example', ['DThat domain takes no mail: its MX record says so. (#5.1.10)\n']),
            ('void.example',
             ["DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n"]),
            ('self.example', [OURSELVES]), ('named.example', [OURSELVES]),
            ('softmx.example', sent), ('truncated.example', sent), ('huge.example', sent)):
        tap.equal(remote(host), wanted, 'DNS: %r' % (host if len(host) < 40 else host[:40]))
    tap.ok(dns.tcp_asked >= 2, 'large answers came by TCP', dns.tcp_asked)
    before = dns.tcp_asked
    control(timeoutconnect='1')
    tap.equal(remote('garbage.example'), [NO_CONNECTION], 'mangled by UDP, right by TCP')
    tap.ok(dns.tcp_asked > before, 'it asked again by TCP')
    dns.asked.clear()
    control(smtproutes='routed.example:[127.0.0.2]\n:mx.example')
    tap.equal(remote('routed.example'), sent, 'a literal route')
    tap.equal(dns.asked, [], 'asks nothing')
    tap.equal(remote('other.example'), sent, 'a route by name')
    tap.equal(dns.asked, ['mx.example A', 'mx.example AAAA'], 'asks for its addresses only')
    stop(dns)
    dns = Dns({'slow.example': 'SILENT'})
    control()
    start = time.monotonic()
    tap.equal(remote('slow.example'), [SOFT], 'no answer from the name server')
    tap.ok(time.monotonic() - start < 20, 'does not wait for ever')
    stop(dns)
    tap.equal(remote('slow.example'), [SOFT], 'no name server')
    stop(server)


def cut_off(connection):
    """A server that ends in the middle of the text."""
    connection.sendall(b'354 go\r\n')
    connection.recv(100000)


def test_next_address():
    zone = {'y.example MX': ['10 a.example', '20 b.example', '30 c.example'],
            'a.example A': ['127.0.0.2'], 'b.example A': ['127.0.0.3'],
            'c.example AAAA': ['2001:db8::53']}
    dns = Dns(zone)
    control()
    fine = ['r', ACCEPTED % '127.0.0.3']
    for name, replies, wanted in (
            ('hangs up at once', [None], fine),
            ('greeting 554', ['554 no'], fine),
            ('greeting 421', ['421 busy'], fine),
            ('speaks another protocol', [b'SSH-2.0-x\n'], fine),
            ('EHLO and HELO refused', ['220 hi', '550 no', '550 no'], fine),
            ('421 to EHLO', ['220 hi', '421 no'], fine),
            ('hangs up after MAIL', ['220 hi', '250 mx', None], fine),
            ('421 to MAIL', ['220 hi', '250 mx', '421 later'], fine),
            ('421 to RCPT', ['220 hi', '250 mx', '250 s', '421 later'], fine),
            ('421 to DATA', ['220 hi', '250 mx', '250 s', '250 r', '421 later'], fine),
            ('hangs up after DATA', ['220 hi', '250 mx', '250 s', '250 r', None], fine),
            ('450 to MAIL', ['220 hi', '250 mx', '450 later'],
             ['ZConnected to 127.0.0.2 but sender was rejected.\n'
              'Remote host said: 450 later\n']),
            ('550 to RCPT', ['220 hi', '250 mx', '250 s', '550 no'],
             ['h127.0.0.2 does not like recipient.\nRemote host said: 550 no\n',
              'DGiving up on 127.0.0.2.\n']),
            ('hangs up after the dot', ['220 hi', '250 mx', '250 s', '250 r', '354 go', None],
             ['r', 'ZConnected to 127.0.0.2 but connection died. Possible duplicate! (#4.4.2)\n']),
            ('421 after the dot', ['220 hi', '250 mx', '250 s', '250 r', '354 go', '421 x'],
             ['r', 'Z127.0.0.2 failed after I sent the message.\nRemote host said: 421 x\n'])):
        first, second = Smtp('127.0.0.2', replies), Smtp('127.0.0.3', OK)
        tap.equal(remote('y.example'), wanted, 'first server: ' + name)
        tap.equal(second.sessions, 1 if wanted == fine else 0, 'second server called or not')
        stop(first, second)
    first = Smtp('127.0.0.2', ['220 hi', '250 mx', '250 s', '250 r', cut_off])
    second = Smtp('127.0.0.3', OK)
    big = b'0123456789abcdef\n' * 500000
    with tempfile.TemporaryFile() as file:
        file.write(big)
        file.seek(0)
        tap.equal(remote('y.example', message=file), fine, 'first server: hangs up in the text')
    tap.ok(bytes(second.text) == big.replace(b'\n', b'\r\n') + b'.\r\n', 'the second gets all of it', len(second.text))
    stop(first, second)
    first, second = Smtp('127.0.0.2', ['554 one']), Smtp('127.0.0.3', ['554 two'])
    tap.equal(remote('y.example'), ['ZConnected to 127.0.0.3 but greeting failed.\n'
                                    'Remote host said: 554 two\n'],
              'all fail: the last one talked to is reported')
    stop(first, second)
    # nodad: else the address cannot be bound for a moment
    subprocess.run(['ip', 'address', 'add', '2001:db8::53/128', 'dev', 'lo', 'nodad'], check=True)
    tap.equal(remote('y.example'), [NO_CONNECTION], 'nobody listens')
    stop(dns)


def test_ipv6():
    dns = Dns({'six.example AAAA': ['2001:db8::53'], 'two.example A': ['127.0.0.2'],
               'two.example AAAA': ['2001:db8::53'],
               'dead.example AAAA': ['2001:db8:1::1'], 'dead.example A': ['127.0.0.2']})
    server = Smtp('2001:db8::53', OK, 2525)
    for name, route, host in (
            ('route with brackets and port', ':[2001:db8::53]:2525', 'x.example'),
            ('route with the tag', ':[IPv6:2001:db8::53]:2525', 'x.example'),
            ('route by name', ':six.example:2525', 'x.example'),
            ('IPv4 first, which refuses', ':two.example:2525', 'x.example')):
        control(smtproutes=route)
        tap.equal(remote(host), ['r', ACCEPTED % '2001:db8::53'], name)
    stop(server)
    control()
    tap.ok('(#5.4.6)' in remote('[IPv6:2001:db8::53]')[0], 'our own IPv6 literal')
    tap.ok('(#5.4.6)' in remote('six.example')[0], 'our own IPv6 address')
    server = Smtp('127.0.0.2', OK, 2525)
    control(smtproutes=':dead.example:2525')
    tap.equal(remote('x.example'), ['r', ACCEPTED % '127.0.0.2'], 'one family is unreachable')
    stop(server, dns)


def test_routes():
    server = Smtp('127.0.0.2', OK, 2525)
    for value, wanted in (
            ('127.0.0.2:2525', ['r', ACCEPTED % '127.0.0.2']),
            ('[127.0.0.2]:2525', ['r', ACCEPTED % '127.0.0.2']),
            ('127.0.0.2:smtp', [NO_CONNECTION]), ('127.0.0.2:65537', [NO_CONNECTION])):
        control(smtproutes='y.example:' + value)
        tap.equal(remote('y.example'), wanted, 'route ' + value)
    dns = Dns({'': []})
    control(smtproutes='y.example::2525')
    tap.equal(remote('y.example'), [NO_HOST % ''], 'a port alone is no route')
    stop(server, dns)


def test_tcpto():
    """An address that does not answer gets into the table, and out of it when it does."""
    for address, name, size, count_at, route in (
            ('127.0.0.9', 'tcpto', 1024, 4, ':127.0.0.9:26'),
            ('::1', 'tcpto6', 2048, 16, ':[::1]:26')):
        table = HOME + '/queue/lock/' + name
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        control(smtproutes=route, timeoutconnect='1')
        with Full(address, family):
            start = time.monotonic()
            tap.equal(remote('y.example'), [NO_CONNECTION], '%s does not answer' % address)
            tap.ok(0.9 < time.monotonic() - start < 5, 'timeoutconnect is kept')
        with open(table, 'rb') as file:
            record = file.read(32)
        tap.equal(record[:count_at + 1], socket.inet_pton(family, address) + b'\1',
                  'is noted in ' + name)
        tap.equal(os.stat(table).st_size, size, 'whose size stays')
        server = Smtp(address, OK, 26)
        tap.equal(remote('y.example'), ['r', ACCEPTED % address], '%s answers again' % address)
        with open(table, 'rb') as file:
            tap.equal(file.read(32)[count_at], 0, 'which is noted, too')
        with open(table, 'r+b') as file:
            file.write(record[:count_at] + b'\2')
        tap.equal(remote('y.example'), [NO_CONNECTION], 'two time-outs: left out')
        tap.equal(server.sessions, 1, 'and not called')
        stop(server)


def test_later():
    """An exchanger that timed out a moment ago is called after the others, for two minutes."""
    table = HOME + '/queue/lock/tcpto'

    def noted(count, age):
        with open(table, 'r+b') as file:
            file.write(socket.inet_aton('127.0.0.2') + bytes([count, 0, 0, 0]) +
                       (int(time.time()) - age).to_bytes(4, 'little') + bytes(1008))

    def counted():
        with open(table, 'rb') as file:
            return file.read(5)[4]

    dns = Dns({'y.example MX': ['10 a.example', '20 b.example'], 'a.example A': ['127.0.0.2'],
               'b.example A': ['127.0.0.3'], 'one.example MX': ['10 a.example'],
               'six.example MX': ['%d s%d.example' % (n, n) for n in range(1, 7)],
               's1.example A': ['127.0.0.2'],
               'nine.example MX': ['%d n%d.example' % (n, n) for n in range(1, 11)],
               **{'s%d.example A' % n: ['127.0.0.1%d' % n] for n in range(2, 7)},
               **{'n%d.example A' % n: ['127.0.1.%d' % n] for n in range(1, 11)}})
    control(timeoutconnect='2')
    for count, age, first in ((1, 0, 3), (1, 60, 3), (1, -60, 3), (1, 200, 2), (1, -200, 2),
                              (0, 0, 2), (2, 7000, 2), (10, 60, 3)):
        noted(count, age)
        servers = {2: Smtp('127.0.0.2', OK), 3: Smtp('127.0.0.3', OK)}
        name = '%d timeouts, %d s ago' % (count, age)
        tap.equal(remote('y.example'), ['r', ACCEPTED % ('127.0.0.%d' % first)], name)
        tap.equal(servers[5 - first].sessions, 0, name + ': the other is not called')
        tap.equal(counted(), count if first == 3 else 0, name + ': the count')
        stop(*servers.values())
    noted(1, 0)
    server, busy = Smtp('127.0.0.2', OK), Smtp('127.0.0.3', ['421 busy'])
    tap.equal(remote('y.example'), ['r', ACCEPTED % '127.0.0.2'], 'the others fail: it is called')
    tap.equal(busy.sessions, 1, 'but last')
    tap.equal(counted(), 0, 'it has answered')
    stop(server, busy)
    noted(1, 0)
    server = Smtp('127.0.0.2', OK)
    tap.equal(remote('one.example'), ['r', ACCEPTED % '127.0.0.2'], 'there is no other: at once')
    stop(server)
    noted(1, 0)
    server, full = Smtp('127.0.0.2', OK), [Smtp('127.0.0.1%d' % n, ['421 busy']) for n in range(2, 7)]
    tap.equal(remote('six.example'), ['r', ACCEPTED % '127.0.0.2'], 'also after five others')
    tap.equal([one.sessions for one in full], [1] * 5, 'which were called')
    stop(server, *full)
    with open(table, 'r+b') as file:
        for n in range(1, 11):
            file.write(socket.inet_aton('127.0.1.%d' % n) + bytes([1, 0, 0, 0]) +
                       int(time.time()).to_bytes(4, 'little') + bytes(4))
    first, ninth = Smtp('127.0.1.1', OK), Smtp('127.0.1.9', OK)
    tap.equal(remote('nine.example'), ['r', ACCEPTED % '127.0.1.9'],
              'eight are put off, the ninth is called in its turn')
    stop(first, ninth)
    noted(1, 0)
    tap.equal(remote('y.example'), [NO_CONNECTION], 'nobody listens')
    noted(0, 0)
    server = Smtp('127.0.0.3', OK)
    with Full('127.0.0.2', socket.AF_INET, 25):
        took = []
        for _ in range(2):
            start = time.monotonic()
            tap.equal(remote('y.example'), ['r', ACCEPTED % '127.0.0.3'], 'the first is dead')
            took.append(time.monotonic() - start)
    tap.ok(took[0] > 1.9 and took[1] < 1.9, 'one message waits for it, the next does not', took)
    stop(server, dns)
    noted(0, 0)


class Full:
    """An address whose port never completes a connection: its backlog is full."""

    def __init__(self, address, family, port=26):
        self.address, self.family, self.port = address, family, port
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(0)
        self.clients = []

    def __enter__(self):
        for _ in range(4):
            client = socket.socket(self.family)
            client.setblocking(False)
            client.connect_ex((self.address, self.port))
            self.clients.append(client)
        return self

    def __exit__(self, *_):
        for one in self.clients + [self.listener]:
            one.close()


def test_text():
    control(smtproutes=':127.0.0.2')
    for name, message, wanted in (
            ('LF to CR LF', b'a\n\nb\n', b'a\r\n\r\nb\r\n.\r\n'),
            ('no final newline', b'a', b'a\r\n.\r\n'),
            ('empty', b'', b'.\r\n'),
            ('smuggling: LF . CR LF', b'a\n.\r\nb\n', b'a\r\n..\r\nb\r\n.\r\n'),
            ('smuggling: CR LF . LF', b'a\r\n.\nb\n', b'a\r\n..\r\nb\r\n.\r\n'),
            ('smuggling: CR . CR', b'a\r.\rb\n', b'a . b\r\n.\r\n'),
            ('smuggling: CR . LF', b'a\r.\nb\n', b'a .\r\nb\r\n.\r\n'),
            ('smuggling: x CR . LF', b'x\r.\n', b'x .\r\n.\r\n'),
            ('smuggling: LF . NUL LF', b'a\n.\0\n', b'a\r\n..\0\r\n.\r\n'),
            ('CR CR LF', b'a\r\r\nb\n', b'a \r\nb\r\n.\r\n'),
            ('CR at the end', b'a\r', b'a\r\n.\r\n'),
            ('all bytes', bytes(range(256)) + b'\n',
             bytes(range(10)) + b'\r\n' + bytes(range(11, 13)) + b' ' + bytes(range(14, 256)) +
             b'\r\n.\r\n')):
        server = Smtp('127.0.0.2', OK)
        tap.equal(remote('y.example', message=message), ['r', ACCEPTED % '127.0.0.2'], name)
        tap.equal(server.text, wanted, name + ': what arrived')
        stop(server)
    big = (b'.' + b'x' * 70 + b'\n') * 100000
    path = '/tmp/big'
    with open(path, 'wb') as file:
        file.write(big)
    offers = ['220 hi', '250-mx\n250-SIZE\n250 8BITMIME'] + OK[2:]
    server = Smtp('127.0.0.2', offers)
    with open(path, 'rb') as file:
        out = subprocess.run([REMOTE, 'y.example', '', 'r@y'], stdin=file, stdout=subprocess.PIPE,
                             check=False).stdout
    tap.equal(out, b'r\0' + (ACCEPTED % '127.0.0.2').encode() + b'\0', '7 MB from a file')
    tap.ok(server.text == (b'..' + b'x' * 70 + b'\r\n') * 100000 + b'.\r\n', 'byte-exact')
    tap.equal(server.seen[1], 'MAIL FROM:<> SIZE=%d' % (len(big) + 100000), 'its size was told')
    stop(server)
    os.unlink(path)


def test_utf8():
    """What qmail-smtpd took with SMTPUTF8; its Received field says so."""
    control(smtproutes=':127.0.0.2')
    came = (b'Received: (qmail 7 invoked from network); 21 Nov 2026 16:00:00 -0000\n'
            b'Received: from unknown (HELO x) (192.0.2.7)\n'
            b'  by mx.example with UTF8SMTP; 21 Nov 2026 16:00:00 -0000\n')
    plain = came.replace(b'UTF8SMTP', b'ESMTP')
    foreign, header = '\u00fc@b\u00fccher.example', b'To: \xc3\xbc@b\xc3\xbccher.example\n\nx\n'
    taken, refused = ['r', ACCEPTED % '127.0.0.2'], '127.0.0.2 does not take '
    both = ['D' + refused + 'addresses or headers in UTF-8. (#5.6.7)\n']
    on, off = '250-mx\n250-SMTPUTF8\n250 8BITMIME', '250-mx\n250 8BITMIME'
    raw = '"\u00fc"@b\u00fccher.example'.encode().decode('latin-1')
    for name, offer, message, recipient, report, seen in (
            ('offered', on, came + header, foreign, taken, [
                'MAIL FROM:<s@x.example> BODY=8BITMIME SMTPUTF8', 'RCPT TO:<%s>' % raw]),
            ('not offered', off, came + header, foreign, both, []),
            ('not offered, only in the address', off, came + b'\nx\n', foreign, both, []),
            ('not offered, only in the domain', off, came + b'\nx\n', 'u@b\u00fccher.example', taken, [
                'MAIL FROM:<s@x.example>', 'RCPT TO:<u@xn--bcher-kva.example>']),
            ('came without', on, plain + header, foreign, taken, [
                'MAIL FROM:<s@x.example> BODY=8BITMIME', 'RCPT TO:<%s>' % raw]),
            ('came without, not offered', off, plain + header, foreign, taken, [
                'MAIL FROM:<s@x.example> BODY=8BITMIME', 'RCPT TO:<%s>' % raw]),
            ('needs it not', off, came + b'\n\xc3\xbc\n', 'r@y.example', taken, [
                'MAIL FROM:<s@x.example> BODY=8BITMIME', 'RCPT TO:<r@y.example>'])):
        server = Smtp('127.0.0.2', [OK[0], offer] + OK[2:])
        tap.equal(remote('y.example', recipients=(recipient,), message=message), report,
                  'SMTPUTF8: ' + name)
        stop(server)
        tap.equal(server.seen[1:3], seen or ['QUIT'], '  what it said')
        if seen:
            tap.equal(bytes(server.text), message.replace(b'\n', b'\r\n') + b'.\r\n',
                      '  the text is whole')


def test_hostile():
    """Whatever the server does, there is one report, in bounded time and memory."""
    control(smtproutes=':127.0.0.2', timeoutremote='2')
    died = ['ZConnected to 127.0.0.2 but connection died. (#4.4.2)\n']
    for name, replies in (
            ('endless line', [b'220 ' + b'x' * 200000 + b'\n']),
            ('endless reply', [b'220-x\n' * 200 + b'220 x\n']),
            ('one byte short of a code', [b'22\n']), ('binary', [bytes(range(256)) * 4]),
            ('only newlines', [b'\n' * 100]), ('NUL', [b'\0'])):
        server = Smtp('127.0.0.2', replies)
        tap.equal(remote('y.example'), died, name)
        stop(server)
    server = Smtp('127.0.0.2', ['220 \x1b[31mred\x07 \x00\x7f\tx', '554 no', '554 no'])
    tap.equal(remote('y.example'), ['ZConnected to 127.0.0.2 but my name was rejected.\n'
                                    'Remote host said: 554 no\n'], 'odd bytes in the greeting')
    stop(server)
    server = Smtp('127.0.0.2', ['220 hi', '250 mx', '550-\x1b[31mred\x07\x00\x7f\tx\r\ny\n550 z'])
    tap.equal(remote('y.example'), died, 'a line without code inside a reply')
    stop(server)
    server = Smtp('127.0.0.2', ['220 hi', '250 mx', '550-\x1b[31mred\x07\x00\x7f\tx\r\xe9\n550 z'])
    tap.equal(remote('y.example'), ['DConnected to 127.0.0.2 but sender was rejected.\n'
                                    'Remote host said: 550-?[31mred???\tx\xe9\n550 z\n'],
              'odd bytes are not passed on')
    stop(server)
    server = Smtp('127.0.0.2', ['220 hi', '250 mx', '550-' + 'x' * 6000 + '\n550 z'])
    said = remote('y.example')[0]
    tap.equal(len(said), len('DConnected to 127.0.0.2 but sender was rejected.\nRemote host said: ')
              + 5000, 'what is quoted has a limit')
    stop(server)
    server = Silent('127.0.0.2')
    start = time.monotonic()
    tap.equal(remote('y.example'), died, 'connected, but silent')
    tap.ok(1.9 < time.monotonic() - start < 10, 'timeoutremote is kept')
    server.stop()
    server = Dripping('127.0.0.2')
    start = time.monotonic()
    tap.equal(remote('y.example'), died, 'a byte now and then')
    tap.ok(1.9 < time.monotonic() - start < 10, 'the limit is for the whole reply')
    server.stop()


class Silent(Smtp):
    """Accepts and says nothing."""

    def __init__(self, address):
        super().__init__(address, [])

    def serve(self, connection):
        connection.settimeout(30)
        connection.recv(1)


class Dripping(Silent):
    """A reply that never ends, one byte at a time."""

    def serve(self, connection):
        connection.settimeout(0.2)
        while True:
            connection.sendall(b'2')
            try:
                if connection.recv(100) == b'':
                    return
            except socket.timeout:
                pass


def test_recipients():
    control(smtproutes=':127.0.0.2')
    replies = ['220 hi', '250-mx\n250 PIPELINING', '250 s', '250 a', '550 b', '451 c', '354 go',
               '250 done']
    server = Smtp('127.0.0.2', replies)
    tap.equal(remote('y.example', recipients=['a@y', 'b@y', 'c@y']),
              ['r', 'h127.0.0.2 does not like recipient.\nRemote host said: 550 b\n',
               's127.0.0.2 does not like recipient.\nRemote host said: 451 c\n',
               ACCEPTED % '127.0.0.2'], 'three recipients, three answers')
    stop(server)
    tap.equal(server.seen[:6], ['EHLO me.example', 'MAIL FROM:<s@x.example>', 'RCPT TO:<a@y>',
                                'RCPT TO:<b@y>', 'RCPT TO:<c@y>', 'DATA'], 'what the server saw')
    many = ['%d@y' % i for i in range(1000)]
    server = Smtp('127.0.0.2', ['220 hi', '250-mx\n250 PIPELINING', '250 s'] + ['250 r'] * 1000 +
                  ['354 go', '250 done'])
    tap.equal(remote('y.example', recipients=many), ['r'] * 1000 + [ACCEPTED % '127.0.0.2'],
              'a thousand recipients')
    stop(server)


def test_sandbox():
    """It gives up power before it talks: no new privileges, and no file can be opened."""
    control(smtproutes=':127.0.0.2', timeoutremote='30')
    for certificate in (False, True):
        if certificate:
            with open(HOME + '/control/clientcert.pem', 'w') as file:
                file.write('x\n')
        server = Silent('127.0.0.2')
        process = subprocess.Popen([REMOTE, 'y.example', '', 'r@y'], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE)
        while not server.sessions:
            time.sleep(0.01)
        with open('/proc/%d/status' % process.pid) as file:
            status = dict(line.split(':\t', 1) for line in file if ':\t' in line)
        tap.equal(status['NoNewPrivs'].strip(), '0' if certificate else '1',
                  'no_new_privs%s' % (' not with a client certificate' if certificate else ''))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        server.stop()


def main():
    test_calls()
    test_closed_descriptors()
    test_answers()
    test_next_address()
    test_ipv6()
    test_routes()
    test_tcpto()
    test_later()
    test_text()
    test_utf8()
    test_hostile()
    test_recipients()
    test_sandbox()
    return tap.done()


sys.exit(main())
