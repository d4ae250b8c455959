#!/usr/bin/python3
"""qmail-qmtpd as a black box: answers, limits, what reaches the queue and what never does."""
import os
import re
import socket
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
from netserver import answers, envelope, kinds, queued
from netstr import join
import tap

SENDER = 'a@b.example'
TO = 'u@ok.example'


class Server(netserver.Server):
    """One qmail-qmtpd."""

    def __init__(self, **options):
        super().__init__('qmail-qmtpd', **options)


def package(text='\nx\n', sender=SENDER, to=(TO,)):
    return join(text, sender, join(*to))


def talk(data, **options):
    return netserver.talk(Server(**options), data)


def test_start():
    for name in ('me', 'rcpthosts', 'badmailfrom', 'databytes'):
        tap.equal(talk(package(), control={name: True}), ('', 111), 'unreadable control/' + name)
    damaged = {'morercpthosts.cdb': 'x'}
    tap.equal(talk(package(), control=damaged), ('K', 0), 'a damaged cdb that is not needed')
    tap.equal((talk(package(to=[TO, 'v@no.example', TO]), control=damaged), queued()),
              (('', 111), []), 'and one that is')
    tap.equal(talk(package(), control={'me': None}), ('K', 0), 'me may be absent')
    tap.equal(talk(b''), ('', 0), 'a client that says nothing')
    with tempfile.TemporaryFile() as err:
        tap.equal(talk(package(to=['x@no.example']), control={'rcpthosts': None}, err=err),
                  ('K', 0), 'no rcpthosts: everything is accepted')
        err.seek(0)
        text = err.read()
        tap.ok(re.fullmatch(rb'qmail-qmtpd: warning: [^\n]*rcpthosts[^\n]*\n', text),
               'with a warning on fd 2', text)
    tap.equal(talk(package(), control={'rcpthosts': None}, err=None), ('K', 0),
              'but not if that is the client')


TEXTS = [  # first netstring, stored
    ('\n', ''),
    ('\nSubject: x\n\nhi\n', 'Subject: x\n\nhi\n'),
    ('\na\r\nb\r', 'a\r\nb\r'),
    ('\nno end', 'no end'),
    ('\n.\n..\n\0\xff', '.\n..\n\0\xff'),
    ('\r', ''),
    ('\rSubject: x\r\n\r\nhi\r\n', 'Subject: x\n\nhi\n'),
    ('\ra\nb\r\n', 'a\nb\n'),
    ('\ra\rb\r\r\nc\r', 'a\rb\r\nc\r'),
    ('\r\r', '\r'),
    ('\r\n', '\n'),
    ('\r\r\n', '\n'),
    ('\r\r\r', '\r\r'),
    ('\r\0\xff\r\n', '\0\xff\n'),
    ('\n' + 'x' * 1000000, 'x' * 1000000),
    ('\r' + 'ab\r\n' * 50000, 'ab\n' * 50000),
    ('\r' + '\r' * 50000, '\r' * 50000),
]


def test_texts():
    for text, stored in TEXTS:
        got = talk(package(text))
        messages = [m.split(b'\n', 2)[2] for m, _ in queued()]
        tap.equal((got, messages), (('K', 0), [stored.encode('latin-1')]),
                  'text %r' % (text if len(text) < 40 else text[:10] + '...'))
    for text in ('', 'x\n', '\0', ' \n', '.'):
        tap.equal((talk(package(text)), queued()), (('', 100), []), 'convention %r' % text)


def test_split():
    data = package('\ra\r\n\r\rb\r\n\r') + package('\nx')
    stored = [b'a\n\r\rb\n\r', b'x']
    bad = []
    for cut in list(range(1, len(data))) + [None]:
        server = Server(kind=socket.SOCK_SEQPACKET)
        for piece in ([data[:cut], data[cut:]]
                      if cut else [data[i:i + 1] for i in range(len(data))]):
            server.send(piece)
        server.until(rb'qp.*qp \d+,')
        server.socket.shutdown(socket.SHUT_WR)
        code = server.end()
        got = sorted(m.split(b'\n', 2)[2] for m, _ in queued())
        if code != 0 or got != sorted(stored):
            bad.append((cut, code, got))
    tap.equal(bad, [], 'cut anywhere, and byte by byte')


def test_envelopes():
    tap.equal(talk(package(to=['u@ok.example', 'v@no.example', 'w@OK.example', 'x'])),
              ('K D5.7.1 K K', 0), 'answers in order')
    tap.equal(queued()[0][1], envelope(SENDER, 'u@ok.example', 'w@OK.example', 'x'),
              'the others are queued')
    tap.equal((talk(package(to=['v@no.example'])), queued()), (('D5.7.1', 0), []),
              'nobody left: nothing is queued')
    tap.equal((talk(package(to=[])), queued()), (('', 0), []),
              'nobody at all: no answer, nothing is queued')
    tap.equal((talk(package(sender='')), queued()[0][1]), (('K', 0), envelope('', TO)),
              'null sender')
    for name, env, to, want in (
            ('999 bytes', {}, 'a' * 988 + '@ok.example', 'K'),
            ('1000 bytes', {}, 'a' * 989 + '@ok.example', 'D5.1.3'),
            ('a megabyte', {}, 'a' * 1000000, 'D5.1.3'),
            ('NUL', {}, 'u\0@ok.example', 'D5.1.3'),
            ('RELAYCLIENT', {'RELAYCLIENT': '@r.example'}, 'u@no.example', 'K'),
            ('RELAYCLIENT, empty', {'RELAYCLIENT': ''}, 'u@no.example', 'K'),
            ('999 with RELAYCLIENT', {'RELAYCLIENT': '@r'}, 'a' * 997, 'K'),
            ('1000 with RELAYCLIENT', {'RELAYCLIENT': '@r'}, 'a' * 998, 'D5.1.3'),
            ('RELAYCLIENT of 999', {'RELAYCLIENT': 'r' * 999}, '', 'K'),
            ('RELAYCLIENT of 1000', {'RELAYCLIENT': 'r' * 1000}, '', 'D5.1.3'),
            ('huge RELAYCLIENT', {'RELAYCLIENT': 'r' * 100000}, 'u', 'D5.1.3')):
        got = talk(package(to=[to]), env=env)
        suffix = env.get('RELAYCLIENT', '')
        tap.equal((got, [e for _, e in queued()]),
                  ((want, 0), [envelope(SENDER, to + suffix)] if want == 'K' else []),
                  'recipient: ' + name)
    for name, sender, want in (('999 bytes', 'a' * 999, 'K'), ('1000 bytes', 'a' * 1000, 'D5.1.7'),
                               ('NUL', 'a\0b', 'D5.1.7')):
        got = talk(package(sender=sender))
        tap.equal((got, len(queued())), ((want, 0), int(want == 'K')), 'sender: ' + name)
    tap.equal(talk(package(sender='x@evil.example', to=[TO, 'v@no.example']),
                   control={'badmailfrom': '@evil.example\n'}),
              ('D5.7.1 D5.7.1', 0), 'badmailfrom')
    tap.equal(queued(), [], 'nothing is queued from there')
    reply, _ = netserver.exchange(Server(control={'badmailfrom': SENDER + '\n'}), package())
    tap.ok('badmailfrom list' in reply, 'words for log scanners', reply)


def test_many():
    to = ['u%d@ok.example' % i for i in range(10002)]
    for count in (9999, 10000, 10002):
        got, code = talk(package(to=to[:count]))
        got = got.split()
        above = max(0, count - 10000)
        tap.equal((got.count('K'), got[10000:], code), (count - above, ['Z4.5.3'] * above, 0),
                  '%d recipients' % count)
        tap.equal([e.count(b'T') for _, e in queued()], [count - above], 'all of these are queued')
    got, code = talk(package(to=['v@no.example'] * 10000 + [TO]))
    tap.equal((got.split()[-2:], code, queued()), (['D5.7.1', 'Z4.5.3'], 0, []),
              'refused ones count, too')


def test_limits():
    for limit, text, want in (('100', '\n' + 'x' * 100, 'K'), ('100', '\n' + 'x' * 101, 'D5.3.4'),
                              ('3', '\rab\r\n', 'K'), ('2', '\rab\r\n', 'D5.3.4'),
                              ('1', '\r\r', 'K'), ('1', '\rx\r', 'D5.3.4'),
                              ('5000000000', '\nx', 'K')):
        got = talk(package(text), control={'databytes': limit + '\n'})
        tap.equal((got, len(queued())), ((want, 0), int(want == 'K')),
                  'databytes %s, %d bytes' % (limit, len(text) - 1))
    tap.equal(talk(package('\n' + 'x' * 9), control={'databytes': '8\n'}, env={'DATABYTES': '9'}),
              ('K', 0), 'DATABYTES')
    tap.equal(talk(package('\nxx', sender='a\0', to=[TO, 'v@no.example', 'w\0']),
                   control={'databytes': '1\n'}), ('D5.3.4 D5.7.1 D5.1.3', 0),
              'the size goes before the sender, the recipient before both')
    for count, want in ((99, 'K'), (100, 'D5.4.6')):
        text = 'ReCeIvEd: x\n' * (count - 1) + 'Delivered-To: x\n\n' + 'Received: body\n' * 9
        got = talk(package('\n' + text))
        tap.equal((got, len(queued())), ((want, 0), int(want == 'K')), '%d hops' % count)
        got = talk(package('\r' + text.replace('\n', '\r\n')))
        tap.equal((got, len(queued())), ((want, 0), int(want == 'K')), '%d hops, CRLF' % count)
    tap.equal(talk(package('\n' + 'Received:\n' * 100), control={'databytes': '10\n'}),
              ('D5.4.6', 0), 'looping is reported rather than the size')


GOOD = package()
BROKEN = [  # name, bytes, exit code
    ('no number', b'x', 100), ('negative', b'-1:', 100), ('sign', b'+1:', 100),
    ('space', b' 1:', 100), ('empty length', b':,', 100), ('zero', b'0:,', 100),
    ('line end', b'\r\n', 100), ('above the limit', b'2000000010:', 100),
    ('32 bits', b'4294967297:', 100), ('64 bits', b'18446744073709551617:', 100),
    ('99 digits', b'0' * 98 + b'2:\nx.', 100), ('100 digits', b'0' * 99 + b'2:\nx,', 100),
    ('no comma after the text', b'2:\nx;', 100), ('sender not a number', b'2:\nx,a:', 100),
    ('no comma after the sender', b'2:\nx,1:ab', 100),
    ('recipients not a number', b'2:\nx,1:a,:', 100),
    ('recipient not a number', b'2:\nx,1:a,3:x:,,', 100),
    ('recipient negative', b'2:\nx,1:a,4:-1:,,', 100),
    ('recipient longer than the list', b'2:\nx,1:a,4:9:b,,', 100),
    ('no room for its comma', b'2:\nx,1:a,4:2:bc,,', 100),
    ('huge recipient', b'2:\nx,1:a,12:9999999999:,,', 100),
    ('list shorter than its recipient', b'2:\nx,1:a,2:1:b,,', 100),
    ('byte left in the list', b'2:\nx,1:a,5:1:b,1,', 100),
    ('no comma after a recipient', b'2:\nx,1:a,4:1:b;,', 100),
    ('no comma after the list', b'2:\nx,1:a,4:1:b,;', 100),
]


def test_broken():
    tap.equal((talk(b'0' * 97 + b'2:\nx,0:,4:1:b,,'), len(queued())), (('K', 0), 1),
              'zeros in front are forgiven')
    for name, data, code in BROKEN:
        got = talk(data)
        tap.equal((got, queued()), (('', code), []), 'protocol: ' + name)
    for name, data, code in BROKEN:
        tap.equal((*talk(GOOD + data), len(queued())), ('K', code, 1),
                  'the package before is answered and queued: ' + name)
    bad = []
    for cut in range(len(GOOD)):
        got = talk(GOOD[:cut])
        if got != ('', 0) or queued():
            bad.append((cut, got, queued()))
    tap.equal(bad, [], 'a client that goes away anywhere before the end queues nothing')


def test_several():
    tap.equal((talk(GOOD * 3), len(queued())), (('K K K', 0), 3), 'three packages in one go')
    server = Server(kind=socket.SOCK_SEQPACKET)
    server.send(package(to=[TO, 'v@no.example']) + package())
    tap.equal(kinds(server.receive().decode('latin-1')), 'K D5.7.1 K',
              'answers leave in one write when the client is waited for')
    server.send(GOOD)
    tap.equal(kinds(server.receive().decode('latin-1')), 'K', 'and it goes on')
    server.socket.shutdown(socket.SHUT_WR)
    tap.equal(server.end(), 0, 'up to the end')
    server = Server(small=True)
    server.send(package(to=['v@no.example'] * 5000))
    server.receive()
    tap.equal(server.end(), 0, 'a client that goes away during the answers')


def test_received():
    for env, want in (
            ({}, 'client.example (192.0.2.7)\n  by mx.example with QMTP'),
            ({'TCPREMOTEINFO': 'joe'}, 'client.example (joe@192.0.2.7)\n  by mx.example with QMTP'),
            ({'TCPREMOTEHOST': 'a(b)\n', 'TCPLOCALHOST': None},
             'a?b?? (192.0.2.7)\n  by 192.0.2.1 with QMTP'),
            ({'PROTO': 'TCP6', 'TCPREMOTEIP': None, 'TCP6REMOTEIP': '2001:db8::8'},
             'client.example (2001:db8::8)\n  by mx.example with QMTP')):
        talk(GOOD, env=env)
        got = queued()
        tap.ok(got and re.fullmatch('Received: from ' + re.escape(want) +
                                    r'; \d+ [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d -0000\nx\n',
                                    got[0][0].decode('latin-1')), 'Received with %r' % env, got)


SPECIAL = {0: 'K', 11: 'D5.1.3', 32: 'D5.3.5', 72: 'Z4.4.1', 73: 'Z4.4.1', 74: 'Z4.4.2',
           115: 'D5.1.3'}


def test_queue():
    bad = []
    for code in range(256):
        want = SPECIAL.get(code, 'D5.3.0' if 11 <= code <= 40 else 'Z4.3.0')
        got = talk(package(to=[TO, 'v@no.example']), code=code)
        if got != (want + ' D5.7.1', 0):
            bad.append((code, got))
    tap.equal(bad, [], 'every exit code of the queue program')
    for said, want in ((b'Dno (#5.7.1)\n', 'Dno (#5.7.1)'), (b'Zlater', 'Zlater (#4.3.0)'),
                       (b'Kok 1 qp 2', 'ZKok 1 qp 2 (#4.3.0)'),
                       (b'Da\r\nK', 'Da??K (#5.7.1)')):
        reply, _ = netserver.exchange(Server(code=82, said=said), GOOD)
        tap.equal(answers(reply), [want], 'exit 82 and %r' % said)
    tap.equal(talk(GOOD, env={'QMAILQUEUE': '/nowhere'}), ('Z4.3.0', 0),
              'the queue program does not exist')
    with open(netserver.QUEUE + '/out/fds', 'w') as file:
        file.write('')
    talk(GOOD)
    with open(netserver.QUEUE + '/out/fds') as file:
        tap.equal(file.read(), '', 'it gets no descriptors of ours')


def test_no_process():
    tap.equal((talk(GOOD, files=4), queued()), (('', 111), []), 'no descriptors for pipes')


def test_garbage():
    state, bad = 4711, []
    for _ in range(30):
        data = bytearray(b'2000:\n')
        for _ in range(4000):
            state = (state * 1103515245 + 12345) & 0x7fffffff
            data.append(state >> 16 & 255)
        got = talk(bytes(data))
        if got != ('', 100) or queued():
            bad.append(got)
    tap.equal(bad, [], 'binary garbage ends in exit 100')


sys.exit(netserver.run((
    test_start, test_texts, test_split, test_envelopes, test_many, test_limits,
    test_broken, test_several, test_received, test_queue, test_no_process, test_garbage)))
