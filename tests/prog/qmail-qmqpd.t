#!/usr/bin/python3
"""qmail-qmqpd as a black box: answers, limits, what reaches the queue and what never does."""
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
from netserver import answers, envelope, kinds, queued
from netstr import join
import tap


class Server(netserver.Server):
    """One qmail-qmqpd."""

    def __init__(self, **options):
        super().__init__('qmail-qmqpd', **options)


def request(text='x\n', sender='a@b', to=('c@d',)):
    return join(join(text, sender, *to))


def talk(data, **options):
    return netserver.talk(Server(**options), data)


def test_messages():
    for text in ('', 'Subject: x\n\nhi\n', 'no end', 'a\r\nb\r', '\0\xff', '.\n..\n',
                 'x' * 1000000, 'ab\n' * 50000):
        got = talk(request(text))
        tap.equal((got, [m.split(b'\n', 2)[2] for m, _ in queued()]),
                  (('K', 0), [text.encode('latin-1')]), 'text %r' % text[:20])
    tap.equal(talk(request(), control={'me': True, 'rcpthosts': True, 'databytes': True}),
              ('K', 0), 'no control file is read')
    tap.equal(talk(request(), env={'RELAYCLIENT': '@r', 'DATABYTES': '1'}), ('K', 0),
              'nor a variable of SMTP')
    tap.equal(queued()[0][1], envelope('a@b', 'c@d'), 'they change nothing')
    for env, want in (({}, 'client.example (192.0.2.7)\n  by mx.example with QMQP'),
                      ({'TCPREMOTEINFO': 'j\xe9'},
                       'client.example (j??@192.0.2.7)\n  by mx.example with QMQP')):
        talk(request(), env=env)
        got = queued()
        tap.ok(got and re.fullmatch('Received: from ' + re.escape(want) +
                                    r'; \d+ [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d -0000\nx\n',
                                    got[0][0].decode('latin-1')), 'Received with %r' % env, got)


def test_envelopes():
    long = 'a' * 999
    for name, sender, to, want in (
            ('three recipients', 'a@b', ['c@any.example', '', 'e'], 'K'),
            ('null sender', '', ['c@d'], 'K'), ('nobody', 'a@b', [], 'K'),
            ('999 bytes', long, [long, long], 'K'),
            ('sender of 1000', long + 'a', ['c@d'], 'D5.1.3'),
            ('recipient of 1000', 'a@b', ['c@d', long + 'a', 'e'], 'D5.1.3'),
            ('recipient of a megabyte', 'a@b', ['a' * 1000000, 'e'], 'D5.1.3'),
            ('NUL in the sender', 'a\0b', ['c@d'], 'D5.1.3'),
            ('NUL in a recipient', 'a@b', ['c@d', '\0'], 'D5.1.3')):
        got = talk(request(sender=sender, to=to))
        tap.equal((got, [e for _, e in queued()]),
                  ((want, 0), [envelope(sender, *to)] if want == 'K' else []), 'envelope: ' + name)
    to = ['u%d@many.example' % i for i in range(50000)]
    got = talk(request(to=to))
    tap.equal((got, [e.count(b'T') for _, e in queued()]), (('K', 0), [50000]),
              'recipients in any number')
    for count, want in ((99, 'K'), (100, 'D5.4.6')):
        got = talk(request('Received: x\n' * count + '\nReceived: body\n' * 9))
        tap.equal((got, len(queued())), ((want, 0), int(want == 'K')), '%d hops' % count)


GOOD = request()
BROKEN = [
    ('no number', b'x'), ('negative', b'-1:'), ('sign', b'+1:'), ('space', b' 1:'),
    ('empty length', b':,'), ('line end', b'\r\n'), ('above the limit', b'2000000010:'),
    ('32 bits', b'4294967313:'), ('64 bits', b'18446744073709551633:'),
    ('100 digits', b'0' * 98 + b'17:'), ('nothing inside', b'0:,'),
    ('text not a number', b'13:x:x\n,1:a,1:b,,'), ('text of negative length', b'5:-1:x,,'),
    ('text longer than all', b'13:20:x\n,1:a,1:b,,'), ('text as long as all', b'3:1:x,'),
    ('huge text', b'20:99999999999:x\n,1:a,,'),
    ('no comma after the text', b'13:2:x\n;1:a,1:b,,'), ('no sender', b'5:2:x\n,,'),
    ('sender longer than the rest', b'9:2:x\n,9:a,,'),
    ('no comma after the sender', b'13:2:x\n,1:a;1:b,,'),
    ('recipient longer than the rest', b'13:2:x\n,1:a,9:b,,'),
    ('no comma after a recipient', b'13:2:x\n,1:a,1:b;,'),
    ('byte left', b'14:2:x\n,1:a,1:b,1,'), ('one byte too few', b'12:2:x\n,1:a,1:b,,'),
    ('no comma at the end', b'13:2:x\n,1:a,1:b,.'),
]


def test_broken():
    tap.equal((talk(b'0' * 97 + b'13:002:x\n,1:a,1:b,,'), len(queued())), (('', 100), 0),
              'a length that is wrong by zeros inside')
    tap.equal((talk(b'0' * 97 + b'13:2:x\n,1:a,1:b,,'), len(queued())), (('K', 0), 1),
              'zeros in front are forgiven')
    for name, data in BROKEN:
        got = talk(data)
        tap.equal((got, queued()), (('', 100), []), 'protocol: ' + name)
    bad = []
    for cut in range(len(GOOD)):
        got = talk(GOOD[:cut])
        if got != ('', 0) or queued():
            bad.append((cut, got, queued()))
    tap.equal(bad, [], 'a client that goes away anywhere before the end queues nothing')
    bad = []
    for cut in list(range(1, len(GOOD))) + [None]:
        server = Server(kind=socket.SOCK_SEQPACKET)
        for piece in ([GOOD[:cut], GOOD[cut:]]
                      if cut else [GOOD[i:i + 1] for i in range(len(GOOD))]):
            server.send(piece)
        reply = server.rest()
        if (kinds(reply), server.end(), len(queued())) != ('K', 0, 1):
            bad.append((cut, reply, queued()))
    tap.equal(bad, [], 'cut anywhere, and byte by byte')
    tap.equal((talk(GOOD + GOOD), len(queued())), (('K', 0), 1), 'one request and no more')


SPECIAL = {0: 'K', 11: 'D5.1.3', 32: 'D5.3.5', 72: 'Z4.4.1', 73: 'Z4.4.1', 74: 'Z4.4.2',
           115: 'D5.1.3'}


def test_queue():
    bad = []
    for code in range(256):
        want = SPECIAL.get(code, 'D5.3.0' if 11 <= code <= 40 else 'Z4.3.0')
        got = talk(GOOD, code=code)
        if got != (want, 0):
            bad.append((code, got))
    tap.equal(bad, [], 'every exit code of the queue program')
    for said, want in ((b'Dno (#5.7.1)\n', 'Dno (#5.7.1)'),
                       (b'Kok 1 qp 2', 'ZKok 1 qp 2 (#4.3.0)')):
        reply, _ = netserver.exchange(Server(code=82, said=said), GOOD)
        tap.equal(answers(reply), [want], 'exit 82 and %r' % said)
    tap.equal((talk(GOOD, files=4), queued()), (('', 111), []), 'no descriptors for pipes')
    mode = os.stat(netserver.HOME).st_mode & 0o7777
    server = Server()
    try:
        os.chmod(netserver.HOME, 0o700)
        server.send_all(GOOD)
        tap.equal((server.rest(), server.end(), queued()), ('', 111, []), 'no home directory')
    finally:
        os.chmod(netserver.HOME, mode)


sys.exit(netserver.run((
    test_messages, test_envelopes, test_broken, test_queue)))
