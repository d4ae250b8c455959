#!/usr/bin/python3
"""attacks-helpers.t - the programs that stand between a server and what strangers say: name system,
SPF, recipients, passwords, balancers, hosts that are asked who a client is.  Each is given what is
malformed, endless, slow, silent, or very much of it at once.

Always: a defined answer, memory of each of these programs below the figures of qmail-limits(7), and
what else attack.py checks.  DEPTH=full: ten times as many.
"""
import base64
import contextlib
import os
import random
import struct
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import attack                           # noqa: E402
import hosts                            # noqa: E402
import liar                             # noqa: E402
import peer                             # noqa: E402
import tap                              # noqa: E402
from dialogue import Dialogue, drop, rest, send     # noqa: E402
from tree import home                   # noqa: E402

MB = 1 << 20
MANY = attack.scale(100, 1000)          # connections at once
CROWD = attack.scale(40, 100)           # logins at once, each of which may take 16 MB
RECIPIENTS = attack.scale(2000, 10000)
PLACES = MANY + 20                      # of each service
POP, POP_CDB, SUBMISSION, SPF, SENDER, LISTED, CHKUSER, PROXY, IDENT = range(2600, 2609)
STRANGER = '127.0.0.2'                  # a client that is no address of the host's own
QMQP = '127.0.0.3'
NOISE = random.Random(1).randbytes(65535)
LOGIN, SECRET = 'joe@hosta.test', 'joe-secret'


@contextlib.contextmanager
def single():
    """A host with a port for each program, without the limits of softlimit, which would hide
    growth."""
    with hosts.single() as host:
        host.pop_user(LOGIN, SECRET, 'joe', SECRET)
        host.write('/tmp/lists', ''.join('-%s.lie.test\n' % lie for lie in LISTS))
        for port, env in SWITCHES.items():
            host.serve(port, 'qmail-smtpd', user='qmaild', env=env, most=PLACES)
        host.serve(SUBMISSION, 'qmail-smtpd', 'checkpassword-smtp', 'true', user='qmaild',
                   env={'SMTPAUTH': '!'}, most=PLACES)
        host.serve(PROXY, 'qmail-proxy', '-x', '/etc/tcp.smtp.cdb', 'qmail-climit', 'qmail-smtpd',
                   user='qmaild', env={'PROXYPROTOCOL': ''}, most=PLACES)
        host.serve(IDENT, 'env', '-u', 'PROTO', 'tcp-env', '-t', '1', 'qmail-smtpd', user='qmaild',
                   most=PLACES)
        for port, checker in ((POP, 'checkpassword'), (POP_CDB, 'checkpassword-cdb')):
            host.serve(port, 'qmail-popup', 'hosta.test', checker, 'qmail-pop3d', 'Maildir',
                       most=PLACES)
        yield host


# ---- logins ------------------------------------------------------------------------------------

def popped(host, port, name, word):
    """The reply to PASS, or to USER if that is refused."""
    with Dialogue(host, port) as client:
        reply = client.say(b'USER ' + name)
        return client.say(b'PASS ' + word) if reply[:3] == b'+OK' else reply


def at_once(host, port, *lines):
    """CROWD clients say this at the same time; the last replies, each once."""
    clients = [Dialogue(host, port) for _ in range(CROWD)]
    for client in clients:
        for line in lines[:-1]:
            client.say(line)
    for client in clients:
        client.send(lines[-1])
    attack.looked(host)
    attack.probe(host, 'while passwords are tried, mail flows')
    replies = {client.reply() for client in clients}
    for client in clients:
        client.__exit__()
    return replies


def pop3_logins(host, port, login):
    refused, long_line = b'-ERR [AUTH] authorization failed\r\n', b'-ERR command line too long\r\n'
    with Dialogue(host, port) as client:
        room = 512 - 3 - len(client.greeting.split()[1])    # a NUL after each of three
    rows = [(b'x' * n, b'y' * (room - n), refused) for n in (1, 200, room - 1)]
    rows += [(b'x' * n, b'y' * (room - n + 1), refused) for n in (1, 200, room)]
    rows += [(b'x' * 2041, b'y', refused), (b'x' * 2042, b'y', long_line),
             (b'x' * MB, b'y', long_line), (b'x', b'y' * 2041, refused),
             (b'x', b'y' * 2042, long_line)]
    rows += [(name, b'x', refused) for name in (
        b'../../etc/passwd', b'\xff' * 300, b'%s%n', b'joe:x', b'root', b'joe\0ann', b'\x1b[2J',
        b'$(id)', b'joe@hosta.test@hosta.test', login + b'\r')]
    for name, word, wanted in rows:
        tap.equal(popped(host, port, name, word), wanted, '%d: name %r of %d, password of %d bytes'
                  % (port, name[:9], len(name), len(word)))
    tap.equal(at_once(host, port, b'USER nobody-here', b'PASS x'), {refused},
              '%d logins at once are refused' % CROWD)
    tap.equal(popped(host, port, login, SECRET.encode())[:3], b'+OK', 'and the right one is not')
    attack.gone(host, 'qmail-popup', 'qmail-pop3d')


@attack.sees('qmail-popup', 'checkpassword')
def logins_of_accounts(host):
    pop3_logins(host, POP, b'joe')


@attack.sees('qmail-popup', 'checkpassword-cdb')
def logins_of_users(host):
    pop3_logins(host, POP_CDB, LOGIN.encode())


def plain(name, word):
    return base64.b64encode(b'\0' + name + b'\0' + word)


@attack.sees('qmail-smtpd', 'checkpassword-smtp')
def smtp_logins(host):
    room = 512 - 3
    rows = [(plain(b'x' * n, b'y' * (room - n)), b'535') for n in (1, 200, room - 1)]
    rows += [(plain(b'x' * n, b'y' * (room - n + 1)), b'501') for n in (1, 200, room)]
    rows += [(plain(b'x' * 4000, b'y' * 5000), b'501'), (b'A' * 12284, b'501'),
             (b'A' * 12288, b'500'), (b'A' * MB, b'500'), (b'=' * 400, b'501'), (b'', b'501'),
             (NOISE[:4000].replace(b'\n', b''), b'501'), (plain(b'a', b'b\0c'), b'501'),
             (plain(b'../../x', b'\xff' * 300), b'535'), (plain(b'%s%n', b'%s%n'), b'535')]
    clients = [Dialogue(host, SUBMISSION) for _ in rows]
    for client, (line, _) in zip(clients, rows):    # a refusal takes 5 s
        client.say('EHLO x')
        client.say('AUTH PLAIN')
        client.send(line)
    for client, (line, wanted) in zip(clients, rows):
        tap.equal(client.reply()[:3], wanted, 'AUTH PLAIN: %r, %d bytes' % (line[:9], len(line)))
        client.__exit__()
    replies = at_once(host, SUBMISSION, b'EHLO x', b'AUTH PLAIN ' + plain(b'nobody', b'x'))
    tap.equal({reply[:3] for reply in replies}, {b'535'}, '%d logins at once are refused' % CROWD)
    with Dialogue(host, SUBMISSION) as client:
        client.say('EHLO x')
        tap.equal(client.say(b'AUTH PLAIN ' + plain(LOGIN.encode(), SECRET.encode()))[:3], b'235',
                  'and the right one is not')
    attack.gone(host, 'qmail-smtpd')


# ---- the name system ---------------------------------------------------------------------------

SWITCHES = {
    SPF: {'SPFBEHAVIOR': '6'}, SENDER: {'MFDNSCHECK': ''}, LISTED: {'DNSBLLIST': '/tmp/lists'},
    CHKUSER: {'CHKUSER_START': 'ALWAYS', 'CHKUSER_SENDER_MX_NOCHECK': ''}}
LISTS = ('noise', 'hold', 'huge')
RECORDS = {                             # of TXT; each is asked for as NUMBER.WHAT.lie.test, too
    'include': 'v=spf1 include:%d.include.lie.test -all',
    'self': 'v=spf1' + ' include:self.lie.test' * 9,
    'redirect': 'v=spf1 redirect=%d.redirect.lie.test', 'mx': 'v=spf1 mx -all',
    'tree': 'v=spf1 ' + ' '.join('include:%d%%d.tree.lie.test' % n for n in range(300)),
    'macros': 'v=spf1 exists:' + '%%{l}.%%{s}' * 100
              + '.lie.test exp=%%{s}%%{l}%%{o}.lie.test -all',
    'ptr': 'v=spf1 ptr ptr:x.test -all', 'words': 'v=spf1' + ' a' * 8000,
    'digits': 'v=spf1 ip4:1.2.3.4/' + '9' * 9000,
}
# What SPF says of it, 550 none, fail, permerror, 451 temperror, and what of the sender's domain
ANSWERS = {
    'loop': ('550', '553'), 'ping': ('550', '553'), 'chain': ('550', '553'),
    'huge': ('550', '553'), 'many': ('550', '553'), 'wrong-id': ('451', '451'),
    'wrong-name': ('451', '451'), 'noise': ('451', '451'), 'silent': ('451', '451'),
    'again': ('451', '451'), 'hold': ('451', '451'), 'half': ('451', '451'),
    'zeros': ('451', '451'), **{what: ('550', '553') for what in RECORDS}, 'mx': ('550', '250'),
}


def records_of(what, number, kind):
    """What there is in the name system."""
    def one(data):
        return [liar.record(liar.ASKED, kind, data)]
    if what in ('loop', 'ping', 'chain'):
        other = {'loop': number, 'ping': 1 - number % 2, 'chain': number + 1}[what]
        return [liar.record(liar.ASKED, liar.CNAME, liar.name('%d.%s.lie.test' % (other, what)))]
    if what == 'mx' and kind == liar.MX:
        return [one(struct.pack('!H', n) + liar.name('%d.lie.test' % n))[0] for n in range(2000)]
    if what == 'arpa' and kind == liar.PTR:
        return [one(liar.name('%d.lie.test' % n))[0] for n in range(2000)]
    if kind == liar.TXT and what in ('huge', 'many'):
        return one(liar.text(b'x' * 65000)) if what == 'huge' else one(b'\1x') * 4500
    if kind == liar.TXT and what in RECORDS:
        text = RECORDS[what]
        return one(liar.text((text.replace('%d', str(number + 1)) % ()).encode()))
    return []


def lie(query, tcp):
    """The lie that the queried name asks for: [NUMBER.].WHAT.lie.test."""
    labels, kind, asked = liar.question(query)
    what = labels[-3] if labels[-2:] == ['lie', 'test'] and len(labels) > 2 else labels[-1]
    number = int(labels[0]) if labels[0].isdigit() else 0
    if what == 'silent':
        return []
    if what == 'wrong-id':
        packet = liar.message(query, [], number=bytes([query[0] ^ 1, query[1]]))
    elif what == 'wrong-name':
        other = liar.name('other.test')
        packet = liar.message(query[:12] + other + query[12 + len(asked) - 4:], [])
    elif what in ('noise', 'zeros'):
        packet = query[:2] + (NOISE[:500] if what == 'noise' else bytes(500))
    elif what == 'again' or what in ('hold', 'half') and not tcp:
        packet = liar.message(query, [], flags=liar.TRUNCATED)
    elif what in ('hold', 'half'):
        return [b'\xff\xff' + query[:2] + bytes(100), liar.HOLD] if what == 'half' else [liar.HOLD]
    else:
        return liar.packets(query, records_of(what, number, kind), tcp)
    return [liar.framed(packet)] if tcp else [packet]


def asked(host, port, dialogues):
    """{name: the last reply}: these dialogues at the same time, all begun before the first one
    ends.  Test point: they do not take as long as the server would wait for its helper."""
    began = time.monotonic()
    clients = {name: Dialogue(host, port, source=STRANGER) for name in dialogues}
    for name, lines in dialogues.items():
        clients[name].socket.sendall(b''.join(line.encode() + b'\r\n' for line in lines))
    attack.probe(host, 'meanwhile mail flows')
    replies = {name: [client.reply() for _ in dialogues[name]][-1] for name, client in
               clients.items()}
    tap.ok(time.monotonic() - began < 30, 'all are answered in time', time.monotonic() - began)
    attack.looked(host)
    for client in clients.values():
        client.__exit__()
    return replies


@attack.sees('qmail-smtpd', 'qmail-spf')
def spf_answers(host):
    long = 'l' * 800
    with liar.asked_by(host, lie, 2):
        replies = asked(host, SPF, {
            what: ['HELO x', 'MAIL FROM:<%s@%s.lie.test>' % (long, what)]
            + ['RCPT TO:<joe@hosta.test>'] * (wanted == '550')
            for what, (wanted, _) in ANSWERS.items()})
    for what, (wanted, _) in ANSWERS.items():
        tap.ok(replies[what].decode().startswith(wanted), 'SPF: ' + what, replies[what])
    attack.gone(host, 'qmail-spf', 'qmail-smtpd')


@attack.sees('qmail-smtpd', 'qmail-dnsask')
def sender_answers(host):
    with liar.asked_by(host, lie, 2):
        replies = asked(host, SENDER, {what: ['HELO x', 'MAIL FROM:<x@%s.lie.test>' % what]
                                       for what in ANSWERS})
    for what, (_, wanted) in ANSWERS.items():
        tap.ok(replies[what].decode().startswith(wanted), "sender's domain: " + what, replies[what])
    attack.gone(host, 'qmail-dnsask', 'qmail-smtpd')


@attack.sees('qmail-smtpd', 'qmail-dnsask')
def list_answers(host):
    lines = ['HELO x', 'MAIL FROM:<ann@hosta.test>', 'RCPT TO:<joe@hosta.test>']
    with liar.asked_by(host, lie, 2):
        replies = asked(host, LISTED, dict.fromkeys(range(20), lines))
    # After a lookup that failed nobody is refused for ever.
    tap.equal(set(replies.values()), {b'421 ' + b'x' * 496 + b'\r\n'},
              'lists: one answers with 64 KB, which are cut')
    attack.gone(host, 'qmail-dnsask', 'qmail-smtpd')


# ---- recipients --------------------------------------------------------------------------------

ADDRESSES = {                           # code of the reply
    'joe-gone-1': '250', 'joe-' + 'a-' * 400: '550', 'x' * 850: '550', '-' * 850: '550',
    '../../etc/passwd': '550', 'joe-../../ann/.qmail': '550', 'joe-' + '../' * 200: '550',
    'joe-%s%n%n': '550', '"joe-\\\"x"': '550', 'joe-\x7f\x01': '553', 'x%y%z': '550',
    # What is no file is none for a delivery, either.
    'joe-giant': '250', 'ann-x': '250', 'joe-zero': '550', 'joe-fifo': '550', 'joe-loop': '550',
    'joe-place': '550',
}


@attack.sees('qmail-smtpd', 'qmail-chkuser')
def recipients(host):
    host.sh('''cd /home/joe
        truncate -s 5G .qmail-giant; mkfifo .qmail-fifo; ln -s /dev/zero .qmail-zero
        ln -s .qmail-loop .qmail-loop; mkdir .qmail-place; chown -h joe: .qmail-*
        cd ../ann; truncate -s 5G .qmail-default; chown ann: .qmail-default''')
    start = ['HELO x', 'MAIL FROM:<ann@hosta.test>']
    replies = asked(host, CHKUSER, {name: start + ['RCPT TO:<%s@hosta.test>' % name]
                                    for name in ADDRESSES})
    for name, wanted in ADDRESSES.items():
        tap.ok(replies[name].decode().startswith(wanted), 'recipient %r of %d bytes'
               % (name[:20], len(name)), replies[name])
    with Dialogue(host, CHKUSER, source=STRANGER) as client:
        for line in start:
            client.say(line)
        replies = {client.say('RCPT TO:<%s>' % attack.GONE % n)[:3] for n in range(RECIPIENTS)}
        tap.equal(replies, {b'250'}, '%d recipients in a session' % RECIPIENTS)
        attack.looked(host)
    host.sh('cd /home/joe; rm -r .qmail-giant .qmail-zero .qmail-fifo .qmail-loop .qmail-place '
            '../ann/.qmail-default')
    attack.gone(host, 'qmail-chkuser', 'qmail-smtpd')


# ---- in front of a server ----------------------------------------------------------------------

SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'
HEADERS = {
    'silence': b'', 'half a word': b'PRO', 'no header': b'HELO x\r\n', 'noise': NOISE,
    'a long line': b'PROXY TCP4 ' + b'1' * MB, 'no numbers': b'PROXY TCP4 x y z z\r\n',
    'binary, 64 KB': SIGNATURE + b'\x21\x11\xff\xff' + NOISE,
    'binary, which stops': SIGNATURE + b'\x21\x11\x0f\xff' + NOISE[:100],
    'half a signature': SIGNATURE[:6],
}


@attack.sees('qmail-proxy')
def balancers(host):
    socks = {what: host.connect('127.0.0.1', PROXY) for what in HEADERS}
    more = [host.connect('127.0.0.1', PROXY) for _ in range(MANY)]
    for what, data in HEADERS.items():
        with contextlib.suppress(OSError):
            socks[what].sendall(data)   # and then silence
    attack.looked(host)
    attack.probe(host, 'while balancers say nothing, mail flows')
    for what, sock in socks.items():
        tap.equal(rest(sock), b'', 'balancer: %s: the end' % what)
    for sock in more:
        drop(sock)
    attack.gone(host, 'qmail-proxy')


ABOUT = {'silence': None, 'noise': NOISE, 'a long line': b'1,2:USERID:UNIX:' + b'x' * 60000,
         'a line without an end': b'1 , 2 : ' * 9000, 'colons': b':' * 60000 + b'\r\n'}


@attack.sees('tcp-env')
def idents(host):
    """A host that is asked whose connection it is; and it has 2,000 names."""
    said = iter(list(ABOUT.values()) * MANY)

    def talk(connection):
        data = next(said)
        connection.recv(1000)
        if data is None:
            connection.recv(1)
        else:
            connection.sendall(data)
    with liar.asked_by(host, lie, 2), peer.serving(host, (STRANGER, 113), talk):
        clients = [host.connect('127.0.0.1', IDENT, STRANGER) for _ in range(4 * len(ABOUT))]
        attack.looked(host)
        attack.probe(host, 'while such a host says nothing, mail flows')
        for sock in clients:
            send(sock, b'QUIT\r\n')
        replies = {rest(sock)[:4] for sock in clients}
    tap.equal(replies, {b'220 '}, 'whatever a host says of its user, there is a greeting')
    attack.gone(host, 'tcp-env', 'qmail-smtpd')


QMQP_ANSWERS = {'nothing': b'', 'text': b'hello\r\n', 'noise': NOISE, 'digits': b'9' * MB,
                'a giant': b'99999999999:', 'no end': b'1000000:K' + b'x' * 1000,
                'a refusal of 1 MB': b'1000000:D' + b'x' * 999999 + b',',
                'another word': b'3:X y,', 'an empty one': b'0:,'}


@attack.sees('qmail-qmqpc')
def qmqp_servers(host):
    """Servers that get a message of 32 MB and lie about it."""
    host.control('qmqpservers', QMQP + '\n')
    host.write('/tmp/message', b'Subject: x\n\n' + b'x\n' * (16 * MB))
    host.write('/tmp/envelope', b'Fann@hosta.test\0' + b'Tjoe@hosta.test\0' * 10000 + b'\0')
    for what, data in QMQP_ANSWERS.items():
        def talk(connection, data=data):
            tail = b''
            while not tail.endswith(b'joe@hosta.test,,'):
                tail = tail[-100:] + connection.recv(65536)
            attack.looked(host)
            connection.sendall(data)
        with peer.serving(host, (QMQP, 628), talk):
            code, out, _ = host.call(['sh', '-c', 'exec %s/bin/qmail-qmqpc </tmp/message '
                                      '1</tmp/envelope' % home()], user=hosts.USERS['joe'])
        # The first letter is the answer.
        wanted = {'a refusal of 1 MB': 31, 'no end': 0}.get(what)
        tap.ok(code in (71, 74, 91) if wanted is None else code == wanted, 'QMQP: %s: exit %d'
               % (what, code), out)
    host.control('qmqpservers', None)
    host.sh('rm /tmp/message /tmp/envelope')
    attack.gone(host, 'qmail-qmqpc')


CASES = [logins_of_accounts, logins_of_users, smtp_logins, spf_answers, sender_answers,
         list_answers, recipients, balancers, idents, qmqp_servers]


if __name__ == '__main__':
    sys.exit(attack.alone(CASES, single))
