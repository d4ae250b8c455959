#!/usr/bin/python3
"""qmail-smtpd as a black box: replies, limits, what reaches the queue and what never does."""
import os
import re
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
from netserver import QUEUE, queued, set_up, tear_down
import tap


class Server(netserver.Server):
    """One qmail-smtpd."""

    def __init__(self, **options):
        super().__init__('qmail-smtpd', **options)


def talk(script, **options):
    """Sends it all at once.  Returns lines of the reply and the exit code."""
    reply, code = netserver.exchange(Server(**options), script)
    return reply.split('\r\n')[:-1], code


def codes(lines):
    """220 250 553#5.7.1 ..."""
    out = []
    for line in lines:
        code = re.search(r'\(#(\d\.\d\.\d+)\)$', line)
        out.append(line[:3] + ('#' + code.group(1) if code else ''))
    return ' '.join(out)


START = 'HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@ok.example>\r\nDATA\r\n'


def deliver(text, **options):
    """One message.  Returns the codes after 354 and what was queued."""
    lines, code = talk(START.encode() + (text if isinstance(text, bytes) else text.encode('latin-1')) +
                       b'QUIT\r\n', **options)
    after = lines[lines.index('354 go ahead') + 1:]
    return after, code, queued()


def test_greeting():
    for name in ('me', 'smtpgreeting', 'localiphost', 'timeoutsmtpd', 'rcpthosts',
                 'badmailfrom', 'databytes'):
        lines, code = talk('QUIT\r\n', control={name: True})
        tap.equal((codes(lines), code), ('421#4.3.0', 1), 'unreadable control/' + name)
    lines, code = talk('QUIT\r\n', control={'me': None})
    tap.equal((codes(lines), code), ('421#4.3.0', 1), 'neither me nor smtpgreeting')
    for damaged in (True, '', 'x' * 3000):
        lines, code = talk('MAIL FROM:<>\r\nRCPT TO:<u@ok.example>\r\nRCPT TO:<u@no.example>\r\n',
                           control={'morercpthosts.cdb': damaged})
        tap.equal((codes(lines), code), ('220 250 250 421#4.3.0', 1), 'damaged morercpthosts.cdb')
    lines, code = talk('QUIT\r\n', control={'rcpthosts': None, 'morercpthosts.cdb': True})
    tap.equal((codes(lines), code), ('220 221', 0), 'no rcpthosts: the cdb is not opened')
    lines, code = talk('HELO y\r\nQUIT\r\n', control={'smtpgreeting': 'a b\x01\r\n\x7f'})
    tap.equal(lines, ['220 a b ESMTP', '250 a b', '221 a b'], 'greeting without CR and control bytes')
    lines, code = talk('quit\r\n', control={'smtpgreeting': 'a\x01\rb\n'})
    tap.equal(lines, ['220 ab ESMTP', '221 ab'], 'control bytes inside the greeting are dropped')
    lines, code = talk('EHLO y\r\nQUIT\r\n', control={'databytes': '12345 bytes\n'})
    tap.equal(lines, ['220 mx.example ESMTP', '250-mx.example', '250-PIPELINING', '250-SIZE 12345',
                      '250 8BITMIME', '221 mx.example'], 'EHLO with a size limit')
    lines, code = talk('ehlo\r\nhelo\r\nQUIT junk\r\n')
    tap.equal(lines[1:5], ['250-mx.example', '250-PIPELINING', '250-SIZE 0', '250 8BITMIME'],
              'EHLO without one')
    tap.equal(lines[5:], ['250 mx.example', '221 mx.example'], 'HELO has one line')


def test_open_relay_warning():
    with tempfile.TemporaryFile() as err:
        talk('QUIT\r\n', control={'rcpthosts': None}, err=err)
        err.seek(0)
        text = err.read()
    tap.ok(re.fullmatch(rb'qmail-smtpd: warning: [^\n]*rcpthosts[^\n]*\n', text),
           'no rcpthosts: warned on fd 2', text)
    lines, _ = talk('QUIT\r\n', control={'rcpthosts': None}, err=None)
    tap.equal(codes(lines), '220 221', 'not if fd 2 is the client')
    with tempfile.TemporaryFile() as err:
        deliver('x\r\n.\r\n', err=err)
        err.seek(0)
        tap.equal(err.read(), b'', 'with rcpthosts nothing is written to fd 2')


PATHS = [  # argument of RCPT, code, recipient in the envelope
    ('TO:<u@ok.example>', '250', 'u@ok.example'),
    ('to:<U@OK.example>', '250', 'U@OK.example'),
    ('TO: <u@ok.example>', '250', 'u@ok.example'),
    ('TO :<u@ok.example>', '250', 'u@ok.example'),
    ('TO:u@ok.example', '250', 'u@ok.example'),
    ('TO: u@ok.example SIZE=1', '250', 'u@ok.example'),
    ('TO:<u@ok.example', '250', 'u@ok.example'),
    ('TO:<u@ok.example> ', '250', 'u@ok.example'),
    ('TO:<@a,@b:u@ok.example>', '250', 'u@ok.example'),
    ('TO:<"a b"@ok.example>', '250', 'a b@ok.example'),
    ('TO:<a\\ b@ok.example>', '250', 'a b@ok.example'),
    ('TO:<"a>b"@ok.example>', '250', 'a>b@ok.example'),
    ('TO:<a@b@ok.example>', '250', 'a@b@ok.example'),
    ('TO:<postmaster>', '250', 'postmaster'),
    ('TO:<\xe9@ok.example>', '250', '\xe9@ok.example'),
    ('TO:<u@[127.0.0.1]>', '250', 'u@ok.example'),
    ('TO:<u@[IPv6:::1]>', '250', 'u@ok.example'),
    ('TO:<u@[::ffff:127.0.0.1]>', '250', 'u@ok.example'),
    ('TO:<u@[192.0.2.99]>', '553#5.7.1', None),
    ('TO:<u@[127.0.0.1]x>', '553#5.7.1', None),
    ('TO:<u@[127.0.0.257]>', '553#5.7.1', None),
    ('TO:<u@no.example>', '553#5.7.1', None),
    ('TO:<u@>', '553#5.7.1', None),
    ('TO:<u@ok.example.>', '553#5.7.1', None),
    ('TO:<>', '553#5.1.3', None),
    ('TO:', '553#5.1.3', None),
    ('TO', '555#5.5.4', None),
    ('', '555#5.5.4', None),
    ('FROM:<u@ok.example>', '555#5.5.4', None),
    ('TO<u@ok.example>', '555#5.5.4', None),
    ('<u@ok.example>', '555#5.5.4', None),
    ('TO:<u@ok.example>x', '555#5.5.4', None),
    ('TO:<u@ok.example> NOTIFY=NEVER', '555#5.5.4', None),
    ('TO:<u\x01@ok.example>', '553#5.1.3', None),
    ('TO:<u\r@ok.example>', '553#5.1.3', None),
    ('TO:<"a\tb"@ok.example>', '553#5.1.3', None),
    ('TO:<u\0@ok.example>', '553#5.1.3', None),
    ('TO:<u\x7f@ok.example>', '553#5.1.3', None),
    ('TO:<' + 'a' * 887 + '@ok.example>', '250', 'a' * 887 + '@ok.example'),
    ('TO:<' + 'a' * 888 + '@ok.example>', '250', 'a' * 888 + '@ok.example'),
    ('TO:<' + 'a' * 889 + '@ok.example>', '555#5.5.4', None),
]

MAILS = [  # argument of MAIL, code, sender
    ('FROM:<a@b>', '250', 'a@b'),
    ('FROM:<>', '250', ''),
    ('FROM:', '250', ''),
    ('FROM:<#@[]>', '250', '#@[]'),
    ('FROM: a@b', '250', 'a@b'),
    ('FROM:<a@b> SIZE=100', '250', 'a@b'),
    ('FROM:<a@b> size=0 body=8bitmime', '250', 'a@b'),
    ('FROM:<a@b>  BODY=7BIT ', '250', 'a@b'),
    ('FROM:<a@b> SIZE=101', '552#5.3.4', None),
    ('FROM:<a@b> SIZE=99999999999999999999', '552#5.3.4', None),
    ('FROM:<a@b> SIZE=999999999999999999999', '555#5.5.4', None),
    ('FROM:<a@b> SIZE=', '555#5.5.4', None),
    ('FROM:<a@b> SIZE', '555#5.5.4', None),
    ('FROM:<a@b> SIZE=1x', '555#5.5.4', None),
    ('FROM:<a@b> SIZE=-1', '555#5.5.4', None),
    ('FROM:<a@b> BODY=BINARYMIME', '555#5.5.4', None),
    ('FROM:<a@b> BODY=', '555#5.5.4', None),
    ('FROM:<a@b> AUTH=<>', '555#5.5.4', None),
    ('FROM:<a@b> SMTPUTF8', '555#5.5.4', None),
    ('FROM:<a@b> =', '555#5.5.4', None),
    ('FROM:<a@b>SIZE=1', '555#5.5.4', None),
    ('FROM', '555#5.5.4', None),
    ('TO:<a@b>', '555#5.5.4', None),
    ('FROM:<a\x1b@b>', '553#5.1.7', None),
    ('FROM:<' + 'a' * 897 + '@b>', '250', 'a' * 897 + '@b'),
    ('FROM:<' + 'a' * 898 + '@b>', '555#5.5.4', None),
]


def shorten(text):
    return text if len(text) < 60 else '%s... (%d)' % (text[:30], len(text))


def test_paths():
    for argument, want, recipient in PATHS:
        lines, _ = talk('MAIL FROM:<>\r\nRCPT %s\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' % argument,
                        control={'localiphost': 'ok.example\n'})
        got = queued()
        envelope = b'F\0T%s\0\0' % recipient.encode('latin-1') if recipient is not None else None
        tap.equal((codes(lines[2:3]), got[0][1] if got else None), (want, envelope),
                  'RCPT %r' % shorten(argument))
    lines, _ = talk('MAIL FROM:<>\r\nRCPT TO:<u@[127.0.0.1]>\r\nQUIT\r\n',
                    control={'localiphost': 'h' * 898 + '\n'})
    tap.equal(codes(lines[2:3]), '555#5.5.4', 'localiphost makes the address too long')


def test_mail():
    for argument, want, sender in MAILS:
        lines, _ = talk('MAIL %s\r\nRCPT TO:<u@ok.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' % argument,
                        control={'databytes': '100\n'})
        got = queued()
        envelope = b'F%s\0Tu@ok.example\0\0' % sender.encode() if sender is not None else None
        tap.equal((codes(lines[1:2]), got[0][1] if got else None), (want, envelope),
                  'MAIL %r' % shorten(argument))
    lines, _ = talk('MAIL FROM:<a@b>\r\nRCPT TO:<u@ok.example>\r\nMAIL FROM:<c@d> X\r\n'
                    'RCPT TO:<u@ok.example>\r\nDATA\r\nQUIT\r\n')
    tap.equal(codes(lines), '220 250 250 555#5.5.4 503#5.5.1 503#5.5.1 221',
              'a refused MAIL leaves no transaction')
    lines, _ = talk('MAIL FROM:<a@evil.example>\r\nRCPT TO:<u@ok.example>\r\nMAIL FROM:<a@b>\r\n'
                    'RCPT TO:<u@ok.example>\r\nQUIT\r\n', control={'badmailfrom': '@EVIL.example\n'})
    tap.equal(codes(lines), '220 250 553#5.7.1 250 250 221', 'badmailfrom counts for one MAIL')
    lines, _ = talk('MAIL FROM:<a@b>\r\nRCPT TO:<%s>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' %
                    ('a' * 899), env={'RELAYCLIENT': '@relay.example'})
    tap.equal(queued()[0][1], b'Fa@b\0T' + b'a' * 899 + b'@relay.example\0\0',
              'RELAYCLIENT is appended after the length test')


def test_commands():
    rows = [('help', '214'), ('NOOP x', '250'), ('VRFY x', '252'), ('EXPN x', '502#5.5.1'),
            ('TURN', '502#5.5.1'), ('', '502#5.5.1'), (' NOOP', '502#5.5.1'),
            ('NOOP\tx', '502#5.5.1'), ('NOOP\0x', '250'), ('\0', '502#5.5.1'),
            ('\x80\xff', '502#5.5.1'), ('STARTTLS', '502#5.5.1'), ('AUTH PLAIN', '502#5.5.1'),
            ('DATA', '503#5.5.1'), ('RCPT TO:<u@ok.example>', '503#5.5.1'),
            ('rSeT', '250')]
    lines, _ = talk('\r\n'.join(row[0] for row in rows) + '\r\n')
    for (command, want), line in zip(rows, lines[1:]):
        tap.equal(codes([line]), want, 'command %r' % command)
    chunk = 'RSET\r\nMAIL FROM:<evil@b.c>\r\nRCPT TO:<u@ok.example>\r\nDATA\r\nx\r\n.\r\n'
    lines, code = talk('MAIL FROM:<a@b>\r\nRCPT TO:<u@ok.example>\r\nBDAT %d LAST\r\n%sQUIT\r\n'
                       % (len(chunk), chunk))
    tap.equal((codes(lines), code, queued()), ('220 250 250 502#5.5.1', 1, []),
              'BDAT: what follows is not obeyed')
    lines, code = talk('NOOP\nNOOP\r\r\nQUIT\n')
    tap.equal((codes(lines), code), ('220 250 502#5.5.1 221', 0), 'LF ends a command, one CR goes')
    lines, code = talk('NOOP\r\nNO')
    tap.equal((codes(lines), code), ('220 250', 1), 'the client goes away inside a command')


def test_lines():
    for size, want in ((2047, '250'), (2048, '250'), (2049, '500#5.5.2'), (10 << 20, '500#5.5.2')):
        lines, code = talk('NOOP ' + 'x' * (size - 7) + '\r\nNOOP\r\nQUIT\r\n')
        tap.equal((codes(lines), code), ('220 %s 250 221' % want, 0), 'a line of %d bytes' % size)
    lines, code = talk('x' * 100000)
    tap.equal((codes(lines), code), ('220', 1), 'a line without an end')


def test_bounds():
    lines, code = talk('FOO\r\n' * 19 + 'NOOP\r\nQUIT\r\n')
    tap.equal((codes(lines[-2:]), code), ('250 221', 0), '19 errors')
    lines, code = talk('FOO\r\n' * 21 + 'QUIT\r\n')
    tap.equal((codes(lines[-2:]), len(lines), code), ('502#5.5.1 421#4.7.0', 22, 1), '20 errors')
    lines, code = talk('NOOP\r\n' * 199 + 'QUIT\r\n')
    tap.equal((codes(lines[-2:-1]), len(lines)), ('250', 201), '199 commands for nothing')
    lines, code = talk('RSET\r\n' * 300)
    tap.equal((codes(lines[-2:]), len(lines), code), ('250 421#4.7.0', 202, 1), '200 of them')
    lines, code = talk('MAIL FROM:<>\r\n' + 'RCPT TO:<u@ok.example>\r\n' * 10002 +
                       'DATA\r\nx\r\n.\r\nQUIT\r\n')
    tap.equal((lines.count('250 ok'), codes(lines[10002:10004]), codes(lines[-1:])),
              (10001, '452#4.5.3 452#4.5.3', '221'), 'recipients above 10000 are put off')
    tap.equal([e.count(b'T') for _, e in queued()], [10000], 'and the 10000 are queued')
    address = 'a' * 888 + '@b.c'
    lines, code = talk('MAIL FROM:<>\r\n' + ('RCPT TO:<%s>\r\n' % address) * 9500 + 'QUIT\r\n',
                       env={'RELAYCLIENT': ''})
    fit = (8 << 20) // (len(address) + 1)
    tap.equal((lines.count('250 ok'), codes(lines[-2:])), (fit + 1, '452#4.5.3 221'),
              'recipients of 8 MB altogether')
    lines, _ = talk('MAIL FROM:<>\r\n' + 'RCPT TO:<u@no.example>\r\n' * 100)
    tap.equal(codes(lines[-1:]), '421#4.7.0', 'guessing recipients ends soon')


RECEIVED = [  # environment, commands, what stands between `Received: from ` and the semicolon
    ({}, '', 'client.example (192.0.2.7)\n  by mx.example with SMTP'),
    ({}, 'HELO Client.Example', 'client.example (192.0.2.7)\n  by mx.example with SMTP'),
    ({}, 'HELO other', 'client.example (HELO other) (192.0.2.7)\n  by mx.example with SMTP'),
    ({}, 'EHLO other', 'client.example (HELO other) (192.0.2.7)\n  by mx.example with ESMTP'),
    ({}, 'EHLO a\r\nHELO b', 'client.example (HELO b) (192.0.2.7)\n  by mx.example with SMTP'),
    ({}, 'HELO', 'client.example (HELO ) (192.0.2.7)\n  by mx.example with SMTP'),
    ({}, 'HELO a(b)\xe9', 'client.example (HELO a?b??) (192.0.2.7)\n  by mx.example with SMTP'),
    ({'TCPREMOTEINFO': 'joe\n'}, '', 'client.example (joe?@192.0.2.7)\n  by mx.example with SMTP'),
    ({'TCPREMOTEHOST': None, 'TCPREMOTEIP': None, 'TCPLOCALHOST': None}, '',
     'unknown (unknown)\n  by 192.0.2.1 with SMTP'),
    ({'TCPLOCALHOST': '0'}, '', 'client.example (192.0.2.7)\n  by 0 with SMTP'),
    ({'TCPREMOTEIP': '2001:db8::7'}, '', 'client.example (2001:db8::7)\n  by mx.example with SMTP'),
    ({'PROTO': 'TCP6', 'TCPREMOTEIP': None, 'TCP6REMOTEIP': '2001:db8::8'}, '',
     'client.example (2001:db8::8)\n  by mx.example with SMTP'),
    ({'TCPREMOTEIP': None, 'TCP6REMOTEIP': '2001:db8::8'}, '',
     'client.example (unknown)\n  by mx.example with SMTP'),
]


def test_received():
    date = r'; (\d+ [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d) -0000\n'
    for env, commands, want in RECEIVED:
        talk('%s\r\nMAIL FROM:<>\r\nRCPT TO:<u@ok.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' %
             (commands or 'NOOP'), env=env)
        got = queued()
        match = got and re.fullmatch('Received: from ' + re.escape(want) + date + 'x\n',
                                     got[0][0].decode('latin-1'))
        tap.ok(match, 'Received after %r with %r' % (commands, env), got)


TEXTS = [  # on the wire without the end, stored
    ('', ''),
    ('a\r\n..\r\n.x\r\n', 'a\n.\nx\n'),
    ('a\r.\r\nb\r\n', 'a\r.\nb\n'),
    ('a\r\r\n', 'a\r\n'),
    ('\r\n.\r\r\nb\r\n', '\n.\r\nb\n'),
    ('a\r\n.\0\r\nb\r\n', 'a\n\0\nb\n'),
    ('\0\xff\x80\r\n', '\0\xff\x80\n'),
    ('a\r\n.\rMAIL FROM:<e>\r\n', 'a\n.\rMAIL FROM:<e>\n'),
    ('x' * 1000000 + '\r\n', 'x' * 1000000 + '\n'),
    ('.' * 70000 + '\r\n', '.' * 69999 + '\n'),
    ('ab\r\n' * 50000, 'ab\n' * 50000),
]
SMUGGLED = ['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\n', '\n.\r', '\r\n\n.\r\n', '\n\r\n.\r\n', '\r\n..\n']
HIDDEN = 'MAIL FROM:<evil@example>\r\nRCPT TO:<v@ok.example>\r\nDATA\r\nevil\r\n.\r\n'


def test_text():
    for wire, stored in TEXTS:
        _, _, got = deliver(wire + '.\r\n')
        tap.ok(len(got) == 1 and got[0][0].split(b'\n', 2)[2] == stored.encode('latin-1'),
               'text %r' % shorten(wire), [(m[:300], e) for m, e in got])
    for sequence in SMUGGLED:
        after, code, got = deliver('a' + sequence + HIDDEN + '.\r\n')
        tap.ok(code == 1 and len(after) == 1 and after[0].startswith('451 ') and
               'smtplf.html' in after[0] and got == [],
               'smuggling with %r is refused, connection closed' % sequence, (after, code, got))
    for sequence in ('\r.\r', '\r\n.\r', '\r\n.\0\r\n', '\r\n.\r\r\n', '\r.\r\n'):
        _, _, got = deliver('a' + sequence + HIDDEN + 'QUIT\r\n')
        tap.ok(len(got) == 1 and got[0][1] == b'Fa@b.example\0Tu@ok.example\0\0' and
               b'evil' in got[0][0], 'smuggling with %r stays text' % sequence, got)


def test_split():
    """The same in one piece per byte, and cut at each place."""
    text = 'a\r\n..b\r\n.\r\r\nc\rd\r\n.\r\n'
    whole = START + text + 'QUIT\r\n'
    stored = b'a\n.b\n.\r\nc\rd\n'
    bad = []
    for cut in list(range(len(START) - 3, len(whole))) + [None]:
        server = Server(kind=socket.SOCK_SEQPACKET)
        for piece in ([whole[:cut], whole[cut:]] if cut else list(whole)):
            server.send(piece)
        server.until(rb'\r\n221 ')
        code = server.end()
        got = queued()
        if code != 0 or len(got) != 1 or got[0][0].split(b'\n', 2)[2] != stored:
            bad.append((cut, code, got))
    tap.equal(bad, [], 'cut anywhere, and byte by byte')
    bad = []
    for sequence in SMUGGLED:
        server = Server(kind=socket.SOCK_SEQPACKET)
        try:
            for byte in START + 'a' + sequence + HIDDEN:
                server.send(byte)
        except (BrokenPipeError, ConnectionResetError):
            pass
        server.rest()
        if server.end() != 1 or queued():
            bad.append((sequence, queued()))
    tap.equal(bad, [], 'smuggling byte by byte')


def test_batches():
    server = Server(kind=socket.SOCK_SEQPACKET)
    tap.equal(server.receive(), b'220 mx.example ESMTP\r\n', 'the banner comes alone')
    server.send('EHLO x\r\n')
    tap.equal(server.receive().count(b'\r\n'), 4, 'EHLO is one write')
    server.send('MAIL FROM:<>\r\nRCPT TO:<u@ok.example>\r\nRCPT TO:<v@no.example>\r\nDATA\r\n')
    tap.equal(codes(server.receive().decode().split('\r\n')[:-1]), '250 250 553#5.7.1 354',
              'four commands, one write')
    server.send('x\r\n.\r\nRSET\r\nNOOP\r\nQUIT\r\n')
    tap.ok(re.fullmatch(rb'250 ok \d+ qp \d+\r\n250 ok\r\n250 ok\r\n221 mx.example\r\n',
                        server.receive()), 'the end of the text and three commands, one write')
    tap.equal(server.end(), 0, 'exit code after QUIT')
    lines, _ = talk((START + 'one\r\n.\r\n') * 3 + 'QUIT\r\n')
    tap.equal((len(queued()), codes(lines)), (3, '220' + ' 250 250 250 354 250' * 3 + ' 221'),
              'three messages in one go')


def test_limits():
    for limit, env, size, want in (('100', None, 100, '250'), ('100', None, 101, '552#5.3.4'),
                                   ('100', '1000', 101, '250'), ('1000', '100', 101, '552#5.3.4'),
                                   ('100', '0', 101, '250'), ('100', '', 101, '250'),
                                   ('100', 'x', 101, '250'), ('5000000000', None, 101, '250'),
                                   ('18446744073709551615', None, 101, '250'),
                                   ('99999999999999999999999', None, 101, '250'),
                                   ('-1', None, 101, '250'), ('20x', None, 21, '552#5.3.4')):
        after, _, got = deliver('x' * (size - 1) + '\r\n.\r\n', control={'databytes': limit + '\n'},
                                env={'DATABYTES': env})
        tap.equal((codes(after), len(got)), (want + ' 221', int(want == '250')),
                  'databytes %s, DATABYTES %s, %d bytes' % (limit, env, size))
    after, _, _ = deliver('x\r\n.\r\n', control={'databytes': '1\n'})
    tap.ok(after[0].endswith('databytes limit (#5.3.4)'), 'words for log scanners', after)
    lines, _ = talk('MAIL FROM:<a@b> SIZE=4294967296\r\nQUIT\r\n', control={'databytes': '5000000000\n'})
    tap.equal(codes(lines), '220 250 221', 'sizes have 64 bits')
    for count, want in ((99, '250'), (100, '554#5.4.6')):
        after, _, got = deliver('ReCeIvEd-x\r\n' * (count - 1) + 'Delivered-To: x\r\nX: y\r\n\r\n' +
                                'Received: in the body\r\n' * 9 + '.\r\n')
        tap.equal((codes(after), len(got)), (want + ' 221', int(want == '250')), '%d hops' % count)
    after, _, _ = deliver('Received:\r\n' * 100 + '.\r\n', control={'databytes': '10\n'})
    tap.equal(codes(after), '554#5.4.6 221', 'looping is reported rather than the size')


PERMANENT = {code: '554#5.3.0' for code in range(11, 41)}
SPECIAL = {0: '250', 11: '554#5.1.3', 115: '554#5.1.3', 32: '554#5.3.5', 72: '451#4.4.1', 73: '451#4.4.1',
           74: '451#4.4.2'}


def test_queue_results():
    bad = []
    for code in range(256):
        after, _, _ = deliver('x\r\n.\r\n', code=code)
        want = SPECIAL.get(code, PERMANENT.get(code, '451#4.3.0'))
        if codes(after) != want + ' 221':
            bad.append((code, after))
    tap.equal(bad, [], 'every exit code of the queue program')
    for said, want in ((b'Dno (#5.7.1)\n', '554 no (#5.7.1)'), (b'Zlater\r\n', '451 later (#4.3.0)'),
                       (b'Da\r\n250 b', '554 a??250 b (#5.7.1)'), (b'Knot', '451 Knot (#4.3.0)'),
                       (b'D', '451 qq temporary problem (#4.3.0)'), (b'D' + b'x' * 9999, '554 ' + 'x' * 254 + ' (#5.7.1)')):
        after, _, _ = deliver('x\r\n.\r\n', code=82, said=said)
        tap.equal(after[0], want, 'exit 82 and %r' % said[:20])
    after, _, _ = deliver('x\r\n.\r\n', env={'QMAILQUEUE': '/nowhere'})
    tap.equal(codes(after), '451#4.3.0 221', 'the queue program does not exist')
    after, _, _ = deliver('x\r\n.\r\n', env={'QMAILQUEUE': ''})
    tap.equal(after[0], '451 unable to exec qq (#4.3.0)', 'the queue program has an empty name')
    deliver('x\r\n.\r\n')
    with open(QUEUE + '/out/fds') as file:
        tap.equal(file.read(), '', 'it gets no descriptors of ours')


def test_patience():
    begun = time.monotonic()
    server = Server(control={'timeoutsmtpd': '0\n'})
    got = server.rest()
    tap.equal((codes(got.split('\r\n')[:-1]), server.end()), ('220 451#4.4.2', 1), 'silence')
    tap.ok(0.9 < time.monotonic() - begun < 10, 'timeoutsmtpd 0 means a second',
           time.monotonic() - begun)
    server = Server(control={'timeoutsmtpd': '1\n'})
    server.send(START + 'x\r\n.\r')
    got = server.rest()
    tap.equal((codes(got.split('\r\n')[-2:-1]), server.end(), queued()), ('451#4.4.2', 1, []),
              'silence before the very last byte queues nothing')
    server = Server(control={'timeoutsmtpd': '1\n'}, small=True)
    try:
        server.send('MAIL FROM:<>\r\n' + 'RCPT TO:<u@ok.example>\r\n' * 50000)
    except (BrokenPipeError, ConnectionResetError):
        pass
    tap.equal(server.process.wait(30), 1, 'a client that does not read is given up')
    server.end()
    server = Server()
    server.send(START + 'x\r\n')
    server.until(rb'354 ')
    tap.equal((server.end(), queued()), (1, []), 'the client goes away in the text')


def test_memory():
    """Sites run it under softlimit -m."""
    if os.environ.get('SAN'):
        return                              # a sanitizer needs its terabytes
    many = ('RCPT TO:<%s>\r\n' % ('a' * 888 + '@b.c')) * 9500
    lines, code = talk('MAIL FROM:<>\r\n' + many, env={'RELAYCLIENT': ''}, memory=6 << 20)
    tap.equal((codes(lines[:2]), codes(lines[-2:]), code), ('220 250', '250 421#4.3.0', 1),
              'out of memory for recipients')
    lines, code = talk('QUIT\r\n', control={'rcpthosts': 'x' * 8000000}, memory=6 << 20)
    tap.equal((codes(lines), code), ('421#4.3.0', 1), 'out of memory for controls')


def test_garbage():
    state, bad = 12345, []
    for _ in range(30):
        data = bytearray()
        for _ in range(3000):
            state = (state * 1103515245 + 12345) & 0x7fffffff
            data.append(state >> 16 & 255)
        lines, code = talk(bytes(data))
        if code != 1 or not lines or not lines[0].startswith('220 '):
            bad.append((code, lines))
    tap.equal(bad, [], 'binary garbage ends in a refusal')


def test_forks():
    """What one message costs: counts do not depend on the machine."""
    trace = QUEUE + '/out/trace'
    server = Server(before=['strace', '-f', '-qq', '-e', 'trace=process,network', '-o', trace])
    server.until(rb'220 ')
    server.send(START)
    server.until(rb'354 ')
    server.send('x\r\n.\r\n')
    server.until(rb'250 ok \d+ qp')
    server.send('QUIT\r\n')
    server.rest()
    server.end()
    with open(trace) as file:
        lines = [line.split(None, 1) for line in file]
    ours = [call for pid, call in lines if pid == lines[0][0]]
    starts = [line for line in ours if re.match(r'(clone|fork|vfork)', line)]
    tap.equal(len(starts), 1, 'one process for one message')
    sends = [line for line in ours if re.match(r'sendto\(1', line)]
    tap.equal(len(sends), 4, 'four writes: greeting, commands, text, QUIT')


def main():
    set_up()
    try:
        test_greeting()
        test_open_relay_warning()
        test_commands()
        test_lines()
        test_paths()
        test_mail()
        test_bounds()
        test_received()
        test_text()
        test_split()
        test_batches()
        test_limits()
        test_queue_results()
        test_patience()
        test_memory()
        test_garbage()
        test_forks()
    finally:
        tear_down()
    return tap.done()


sys.exit(main())
