#!/usr/bin/python3
"""qmail-remote-reuse.t - control/remotereuse: messages that follow each other over one connection, and
what a server can do to those that come second."""
import os
import socket
import struct
import sys
import time

sys.path[:0] = ['tests', 'tests/prog', 'tests/world']
import queuedir as q                    # noqa: E402
import staying as stays                 # noqa: E402
import tap                              # noqa: E402
import tlsworld                         # noqa: E402
from remoteserver import OK, OUTSIDE, Smtp, control, outside_addresses, stop   # noqa: E402

RESIDENT = 'remote-stay'
CONTROL = q.home() + '/control/'
NEXT = OK[2:]                           # a message after the first
ACCEPTED = b'K127.0.0.2 accepted message.\nRemote host said: 250 done\n'
SESSION = ['EHLO me.example'] + 3 * ['MAIL FROM:<s@x.example>', 'RCPT TO:<r@y.example>',
                                     'DATA'] + ['QUIT']
ROUTES = 'other.example:127.0.0.3\nport.example:127.0.0.2:26\n:127.0.0.2'


def send(daemon, recipient=b'r@y.example', sender=b's@x.example'):
    return daemon.one(recipient, sender=sender)


def settle(**files):
    """These control files, and not so new any more that they are read each time."""
    control(**{'smtproutes': ROUTES, **files})
    ripen()


def ripen():
    newest = max(os.stat(CONTROL + name).st_ctime for name in os.listdir(CONTROL))
    q.wait_until(lambda: time.time() > newest + 3)


def begin(server):
    """A daemon whose processes have shown that they stay."""
    daemon = stays.rspawn()
    server.replies = OK + 100 * NEXT
    stays.ready(daemon, RESIDENT, lambda: send(daemon), ACCEPTED)
    return daemon


def forget(daemon, *servers):
    """No process waits any more; what the servers have seen is forgotten."""
    for pid in stays.children(daemon, RESIDENT):
        stays.kill(pid)
    q.wait_until(lambda: not stays.all_children(daemon.process.pid))
    for server in servers:
        q.wait_until(lambda server=server: not server.busy())
        del server.seen[:]
        del server.text[:]
        server.sessions = 0


def together(daemon, servers, *deliveries, processes=1):
    """The reports of the deliveries, one after the other and all by one process.  If there was
    another one, because the first had nothing to do for so long that it ended, all is done again."""
    for _ in range(50):
        forget(daemon, *servers)
        reports, pids = [], set()
        for deliver in deliveries:
            reports.append(deliver())
            pids.update(stays.all_children(daemon.process.pid))
        if len(pids) == processes:
            return reports
    raise AssertionError('never done by one process')


def sessions(server):
    """What was said in each connection, once all are over."""
    q.wait_until(lambda: not server.busy())
    result = []
    for line in server.seen:
        if line.startswith('EHLO'):
            result.append([])
        result[-1].append(line)
    return result


def count(server):
    """Messages that each connection began."""
    return [sum(line.startswith('MAIL') for line in lines) for lines in sessions(server)]


class Server(Smtp):
    """... that tells whether it talks to somebody."""
    active = False

    def serve(self, connection):
        self.active = True
        try:
            return super().serve(connection)
        finally:
            self.active = False

    def busy(self):
        return self.active


def follows(server, daemon):
    """Three messages for each connection, as the file says."""
    tap.equal(together(daemon, [server], *7 * [lambda: send(daemon)]), [ACCEPTED] * 7,
              'seven messages')
    tap.equal(sessions(server), [SESSION, SESSION, [SESSION[0]] + SESSION[7:]],
              'three in a connection, as remotereuse says; QUIT when nothing follows')
    tap.equal(bytes(server.text).count(b'\r\nhello\r\n.\r\n'), 7, 'each with its text')


class Second:
    """What can happen to a message that is not the first of its connection."""

    def __init__(self, server, daemon):
        self.server, self.daemon = server, daemon

    def __call__(self, replies, why, want=ACCEPTED, then=(2, 1), deliver=None):
        """replies: of the first connection; the second one has nothing against anything."""
        self.server.replies = [replies, OK + NEXT]
        tap.equal(together(self.daemon, [self.server], lambda: send(self.daemon),
                           deliver or (lambda: send(self.daemon))), [ACCEPTED, want], why)
        tap.equal(tuple(count(self.server)), then, '  messages that the connections began')


def refused(second):
    """What is refused is asked once more over a new connection."""
    second(OK + ['421 4.4.2 tired'], 'MAIL: 421')
    second(OK + ['452 4.3.1 too much'], 'MAIL: 4xx')
    second(OK + ['503 5.5.1 what'], 'MAIL: 5xx')
    second(OK + ['250 s', '451 4.2.1 later', '250 reset'], 'RCPT: 4xx')
    second(OK + ['250 s', '550 5.1.1 who', '250 reset'], 'RCPT: 5xx')
    second(OK + ['250 s', '250 r', '554 5.5.1 no valid'], 'DATA: 5xx')
    second(OK + ['250 s', '250 r', '354 go', '421 4.7.0 too many here'], 'the text: 421')
    second(OK + ['250 s', '250 r', '354 go', '451 4.3.0 no'], 'the text: 4xx, which stands',
           b'Z127.0.0.2 failed after I sent the message.\nRemote host said: 451 4.3.0 no\n',
           (2,))
    second(OK + ['250 s', '250 r', '354 go', '554 5.6.0 no'], 'the text: 5xx, which stands',
           b'D127.0.0.2 failed after I sent the message.\nRemote host said: 554 5.6.0 no\n',
           (2,))
    server, daemon = second.server, second.daemon
    server.replies = [OK + ['250 s', '550 5.1.1 who', '250'],
                      OK[:3] + ['550 5.1.1 nobody', '250']]
    tap.equal(together(daemon, [server], lambda: send(daemon), lambda: send(daemon)),
              [ACCEPTED, b'D127.0.0.2 does not like recipient.\n'
               b'Remote host said: 550 5.1.1 nobody\nGiving up on 127.0.0.2.\n'],
              'refused by both: what the second said')


def reset(connection):
    """The server hangs up in the text, of which it has read nothing."""
    connection.sendall(b'354 go\r\n')
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def announced(second):
    """What a new connection is told of the message is true of all of it."""
    server, daemon = second.server, second.daemon
    offers = OK[:1] + ['250-mx\n250-SIZE\n250 8BITMIME'] + OK[2:]
    for what, message, want, last in (
            ('the text: 421', b'2/25', ' BODY=8BITMIME', ['354 go', '421 4.7.0 too many here']),
            ('it hangs up in the text', b'1/24', ' SIZE=', [reset])):
        server.replies = [offers + ['250 s', '250 r'] + last, offers]
        tap.equal(together(daemon, [server], lambda: send(daemon), lambda message=message: daemon.one(
            b'r@y.example', message=message, sender=b's@x.example')), [ACCEPTED] * 2, what)
        told = [line for line in server.seen if line.startswith('MAIL')]
        tap.ok(len(told) == 3 and told[1] == told[2] and want in told[1],
               '  size and body are told as before', told)


def gone(second):
    """Servers that hang up, and that say more than they are asked."""
    def hang_up(_):
        return None

    def later(connection):
        """Its last reply comes twice, the second time when the next message has begun."""
        connection.sendall(b'250 done\r\n')
        line = connection.recv(1000)
        connection.sendall(b'250 done\r\n')
        second.server.seen.append(line.decode().rstrip())
        return connection
    second(OK[:5] + [b'250 done\r\n421 bye\r\n'], 'it says more than it was asked', then=(1, 1))
    second(OK + [None], 'it hangs up at MAIL')
    second(OK + ['250 s', None], 'it hangs up at RCPT')
    second(OK + ['250 s', '250 r', hang_up], 'it hangs up at DATA')
    second(OK + ['250 s', '250 r', reset], 'it hangs up in the text',
           deliver=lambda: second.daemon.one(b'r@y.example', message=b'1/24', sender=b's@x.example'))
    second(OK + ['250 s', '250 r', b'354 go\r\n250 done\r\n'],
           'it says something while the text comes')
    second(OK + ['250 s', '250 r', '354 go', None],
           'it hangs up after the text: nobody knows, so it is not sent again',
           b'ZConnected to 127.0.0.2 but connection died. Possible duplicate! (#4.4.2)\n', (2,))
    second(OK[:5] + [lambda connection: connection.sendall(b'250 done\r\n')],
           'it hangs up behind its last reply', then=(1, 1))
    second(OK[:5] + [later, '250 s', '250 r', '354 go', '554 5.6.0 no'],
           'it is a reply behind: what it says of DATA does not count for the text')


def recipients(second):
    """control/remotebatch: one of several recipients is refused over a kept connection."""
    server, daemon = second.server, second.daemon

    def both():
        daemon.to.write(b''.join(bytes([slot]) + b'0/23\0s@x.example\0%c@y.example\0' % name
                                 for slot, name in ((3, b'a'), (4, b'b'))))
        return daemon.reports(2)
    for refusal in ('550 5.7.1 too many', '452 4.5.3 too many'):
        for features in ('250 mx', '250-mx\n250 PIPELINING'):
            first = OK[:1] + [features] + OK[2:] + ['250 s', refusal, '250 r', '250 reset']
            server.replies = [first, OK[:1] + [features] + OK[2:3] + ['250 r'] + OK[3:]]
            tap.equal(together(daemon, [server], lambda: send(daemon), both),
                      [ACCEPTED, {3: ACCEPTED, 4: ACCEPTED}],
                      'one of two recipients: %s, %s' % (refusal[:3], features[-10:]))
            tap.equal([(lines.count('MAIL FROM:<s@x.example>'), lines.count('DATA'))
                       for lines in sessions(server)], [(2, 1), (1, 1)],
                      '  messages and texts that the connections began')


def elsewhere(server, daemon):
    """Only for mail that goes the same way."""
    other = Server('127.0.0.3', OK + 9 * NEXT)
    port = Server('127.0.0.2', OK + 9 * NEXT, 26)
    both = [server, other, port]
    server.replies = OK + 9 * NEXT
    there = ACCEPTED.replace(b'0.2', b'0.3')

    def to(host):
        return lambda: send(daemon, b'r@' + host)
    tap.equal(together(daemon, both, to(b'y.example'), to(b'other.example'), to(b'y.example')),
              [ACCEPTED, there, ACCEPTED], 'another server between')
    tap.equal((count(server), count(other)), ([1, 1], [1]), '  a connection for each')
    tap.equal(together(daemon, both, to(b'y.example'), to(b'port.example'), to(b'y.example')),
              [ACCEPTED] * 3, 'another port between')
    tap.equal((count(server), count(port)), ([1, 1], [1]), '  a connection for each')
    tap.equal(together(daemon, both, to(b'y.example'), to(b'z.example')), [ACCEPTED] * 2,
              'hosts with the same relay')
    tap.equal(count(server), [2], '  one connection')

    def two():
        daemon.command(0, b'r@y.example', sender=b's@x.example')
        daemon.command(1, b'r@other.example', sender=b's@x.example')
        return daemon.reports(2)
    tap.equal(together(daemon, both, two, to(b'y.example'), to(b'other.example'), processes=2),
              [{0: ACCEPTED, 1: there}, ACCEPTED, there], 'each host has its process')
    tap.equal((count(server), count(other)), ([2], [2]), '  and its connection')
    stop(other, port)


def by_sender(server):
    """An address or a name of its own for some senders."""
    settle(remotereuse='3', outgoingip='here.example:%s' % OUTSIDE[0],
           domainips='named.example:127.0.0.1|named.example')
    daemon = begin(server)
    senders = (b's@x.example', b'a@here.example', b'b@here.example', b'c@named.example')
    tap.equal(together(daemon, [server], *(lambda s=s: send(daemon, sender=s) for s in senders)),
              [ACCEPTED] * 4, 'senders with addresses and names of their own')
    tap.equal([lines[0] + ' %d' % sum(line.startswith('MAIL') for line in lines)
               for lines in sessions(server)],
              ['EHLO me.example 1', 'EHLO me.example 2', 'EHLO named.example 1'],
              '  a connection for each of these')
    tap.equal(daemon.close(), 0, 'end')


def changed(server):
    """A control file that changes ends it."""
    settle(remotereuse='3')
    daemon = begin(server)
    forget(daemon, server)
    tap.equal(send(daemon), ACCEPTED, 'a message')
    with open(CONTROL + 'helohost', 'w') as file:
        file.write('new.example\n')
    tap.equal(send(daemon), ACCEPTED, 'another control file')
    tap.equal([lines[0] for lines in sessions(server)], ['EHLO me.example', 'EHLO new.example'],
              'a new connection')
    tap.equal(daemon.close(), 0, 'end')


def encrypted(server):
    """One handshake for all, and what is in clear because of trouble is so only once."""
    tlsworld.set_up()
    handshake = tlsworld.starttls()

    def broken(connection):
        connection.sendall(b'220 go on\r\n')
        connection.recv(1)
    settle(remotereuse='3')
    os.mkdir(CONTROL + 'tlshosts')
    ripen()
    daemon = begin(server)
    can = ['220 hi', '250-mx\n250 STARTTLS']
    good = can + [handshake] + OK[1:] + 9 * NEXT
    server.replies = good
    tap.equal(together(daemon, [server], *3 * [lambda: send(daemon)]), [ACCEPTED] * 3,
              'TLS: three messages')
    q.wait_until(lambda: not server.busy())
    tap.equal(server.seen, ['EHLO me.example', 'STARTTLS'] + SESSION, 'one handshake')
    server.replies = [can + [broken], can + OK[2:] + 9 * NEXT, good]
    tap.equal(together(daemon, [server], *3 * [lambda: send(daemon)]), [ACCEPTED] * 3,
              'the first handshake fails')
    tap.equal([(lines.count('STARTTLS'), lines.count('DATA')) for lines in sessions(server)],
              [(1, 0), (0, 1), (1, 0), (0, 2)], 'only that message goes in clear')
    server.replies = OK + 9 * NEXT
    forget(daemon, server)
    tap.equal(send(daemon), ACCEPTED, 'a server without TLS')
    with open(CONTROL + 'tlshosts/127.0.0.2.pem', 'w') as file:
        file.write('none\n')
    tap.ok(send(daemon).startswith(b'ZNo TLS achieved while control/tlshosts/127.0.0.2.pem exists'),
           'it must have TLS from now on')
    tap.equal(daemon.close(), 0, 'end')
    tlsworld.tear_down()


def switched_off(server):
    for value, why in ((None, 'no file'), ('0', '0'), ('yes', 'no number')):
        settle(remotereuse=value)
        daemon = begin(server)
        forget(daemon, server)
        tap.equal([send(daemon) for _ in range(2)], [ACCEPTED] * 2, 'remotereuse, %s' % why)
        tap.equal(count(server), [1, 1], '  a connection for each message')
        tap.equal(daemon.close(), 0, 'end')
    settle(remotereuse='5000')
    daemon = begin(server)
    tap.equal(together(daemon, [server], *5 * [lambda: send(daemon)]), [ACCEPTED] * 5,
              'more than the limit')
    tap.equal(count(server), [5], '  one connection')
    tap.equal(daemon.close(), 0, 'end')
    os.unlink(CONTROL + 'remotereuse')
    os.mkdir(CONTROL + 'remotereuse')
    daemon = stays.rspawn()
    tap.equal(send(daemon), b'ZUnable to read control files. (#4.3.0)\n', 'not readable')
    tap.equal(daemon.close(), 0, 'end')


q.put('mess/0/23', b'Received: x\n\nhello\n')
q.put('mess/1/24', b'Received: x\n\n' + 100000 * b'a line that is one of very many lines\n')
outside_addresses()
q.put('mess/2/25', b'Received: x\n\nhell\xf6\n')
SERVER = Server('127.0.0.2', OK)
settle(remotereuse='3', remotebatch='2')
DAEMON = begin(SERVER)
follows(SERVER, DAEMON)
SECOND = Second(SERVER, DAEMON)
refused(SECOND)
announced(SECOND)
gone(SECOND)
recipients(SECOND)
elsewhere(SERVER, DAEMON)
tap.equal(DAEMON.close(), 0, 'end')
changed(SERVER)
by_sender(SERVER)
encrypted(SERVER)
switched_off(SERVER)
stop(SERVER)
sys.exit(tap.done())
