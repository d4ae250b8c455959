#!/usr/bin/python3
"""attacks.t - a host is kept busy by others: idle and slow clients, peers and name servers that lie
or say nothing, loops, storms of bounces.

Always: other mail flows, everything recovers by itself, and what attack.py checks.  DEPTH=full:
longer waits and larger numbers.
"""
import os
import re
import socket
import struct
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import attack                           # noqa: E402
import hosts                            # noqa: E402
import liar                             # noqa: E402
import tap                              # noqa: E402
from host import read, wait_for         # noqa: E402
from tree import BUILD, home                   # noqa: E402

IDLE = 2000
STORM = attack.scale(1000, 10000)


def opened(host, count):
    """`count` SMTP connections that have got their greeting."""
    sockets = []
    while len(sockets) < count:
        with host.network():
            new = [socket.create_connection(('127.0.0.1', 25), 60)
                   for _ in range(min(15, count - len(sockets)))]
        for sock in new:
            if sock.recv(1024)[:3] != b'220':
                raise AssertionError('no greeting')
        sockets += new
    return sockets


# ---- clients -----------------------------------------------------------------------------------

def idle_clients(host):
    host.control('concurrencyincoming', '%d\n' % IDLE)
    host.restart('qmail-smtpd')
    wait_for(lambda: host.listening(25), 'port 25')
    early = host.smtp()
    early.ehlo()
    sockets = opened(host, IDLE - 1)
    host.wait_log('status: %d/%d' % (IDLE, IDLE), service='qmail-smtpd')
    late = host.connect('127.0.0.1', 25)
    late.settimeout(0.5)
    try:
        tap.ok(not late.recv(1), 'one more has to wait')
    except TimeoutError:
        tap.ok(True, 'one more has to wait')
    attack.probe(host, 'with %d idle clients mail from this host flows' % IDLE)
    early.docmd('MAIL FROM:<ann@hosta.test>')
    early.docmd('RCPT TO:<%s>' % attack.GONE % 1)
    tap.equal(early.data(b'Subject: x\r\n\r\nx\r\n')[0], 250, 'and in a session that was open')
    some = host.processes('qmail-smtpd')[:100]
    sizes = [int(re.search(r'^Pss:\s*(\d+)', read('/proc/%d/smaps_rollup' % pid), re.M).group(1))
             for pid in some]
    tap.ok(sum(sizes) / len(sizes) < 1024, 'an idle server takes %d KB (PSS)'
           % (sum(sizes) / len(sizes)))
    sockets.pop().close()
    late.settimeout(30)
    tap.equal(late.recv(1024)[:3], b'220', 'it is served when one has gone')
    for sock in sockets + [late]:
        sock.close()
    early.close()
    wait_for(lambda: not host.processes('qmail-smtpd'), 'the end of the servers', 60)
    tap.equal(attack.burst(host, 1, 'ann@hosta.test', attack.GONE), 1,
              'when they have gone, SMTP answers')
    host.control('concurrencyincoming', None)
    host.restart('qmail-smtpd')
    wait_for(lambda: host.listening(25), 'port 25')


def slow_clients(host):
    host.control('timeoutsmtpd', '2\n')
    waiting = opened(host, 18)
    for n, sock in enumerate(waiting):
        sock.sendall(b'HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<joe@hosta.test>\r\nDATA\r\n'
                     if n % 2 else b'M')
    attack.probe(host, 'while clients are slow mail flows')
    start = time.monotonic()
    ends = [sock.makefile('rb').read().splitlines()[-1:] for sock in waiting]
    tap.ok(all(end and end[0].startswith(b'451 ') for end in ends) and
           time.monotonic() - start < 20, 'timeoutsmtpd ends those that stop', ends)
    for sock in waiting:
        sock.close()
    if attack.FULL:
        drip(host)
    host.control('timeoutsmtpd', None)
    wait_for(lambda: not host.processes('qmail-smtpd'), 'the end of the servers')


def drip(host):
    """A byte each second: the limit of one command, 300 s, ends it."""
    clients = opened(host, 10)
    start = time.monotonic()
    while clients and time.monotonic() - start < 330:
        for sock in clients[:]:
            try:
                sock.sendall(b'N')
            except OSError:
                clients.remove(sock)
        time.sleep(1)
    tap.ok(not clients and time.monotonic() - start > 290, 'those that drip end after 300 s',
           (len(clients), time.monotonic() - start))


# ---- peers -------------------------------------------------------------------------------------

def silent_peers(host):
    """Hosts that accept and never answer, and one that does not even accept."""
    host.sh('ip addr add 192.0.2.9/32 dev lo; ip addr add 192.0.2.10/32 dev lo')
    host.control('smtproutes', 'silent.test:[192.0.2.9]:2525\nfull.test:[192.0.2.10]:2525\n')
    host.control('timeoutremote', '2\n')
    host.control('timeoutconnect', '2\n')
    with host.network():
        silent = socket.create_server(('192.0.2.9', 2525), backlog=200)
        full = socket.create_server(('192.0.2.10', 2525), backlog=0)
        fill = [socket.socket() for _ in range(3)]
    for sock in fill:                   # a full backlog: SYN gets no answer
        sock.setblocking(False)
        sock.connect_ex(('192.0.2.10', 2525))
    for n in range(10):
        host.deliver('', ['x@silent.test', 'y@full.test', 'z@full.test'], b'Subject: %d\n\n' % n)
    host.wait_log('^starting delivery .* to remote x@silent.test')
    attack.probe(host, 'while peers are silent mail flows')
    host.wait_log('deferral: .*192.0.2.9', 10)
    host.wait_log('deferral: ', 30)
    tap.ok(True, 'silence is a deferral')
    table = host.sh(home() + '/bin/qmail-tcpto')
    tap.ok('192.0.2.10 timed out' in table, 'qmail-tcpto knows who does not accept', table)
    for sock in fill + [silent, full]:
        sock.close()
    attack.give_up(host)
    host.sh('ip addr del 192.0.2.9/32 dev lo; ip addr del 192.0.2.10/32 dev lo; '
            '%s/bin/qmail-tcpok' % home())
    for name in ('smtproutes', 'timeoutremote', 'timeoutconnect'):
        host.control(name, None)


def dead_exchangers(host):
    """The name server of hosta.test has the MX list in its zone, see main."""
    host.sh('ip route add unreachable 198.51.100.0/24')
    start = time.monotonic()
    result = '^delivery .*: (deferral|failure): '
    count = host.count_log(result)
    host.deliver('', ['x@dead.test'], b'Subject: x\n\n')
    line = host.wait_log(result, count + 1)[count]
    tap.ok("wasn't_able_to_establish_an_SMTP_connection" in line,
           '1,000 dead exchangers: a deferral after %.1f s' % (time.monotonic() - start), line)
    attack.give_up(host)
    host.sh('ip route del unreachable 198.51.100.0/24; %s/bin/qmail-tcpok' % home())


# ---- DNS ---------------------------------------------------------------------------------------

def answers(query, tcp):
    """The lie that the queried name asks for; but for one of them by UDP alone."""
    lie, ask = liar.question(query)[0][0], liar.ASKED
    end, count, cut = 12 + len(liar.question(query)[2]), None, None
    if lie == 'self':                   # an alias of itself
        records = [liar.record(ask, liar.CNAME, ask)]
    elif lie in ('ping', 'pong'):       # aliases of each other
        other = {'ping': 'pong', 'pong': 'ping'}[lie]
        records = [liar.record(ask, liar.CNAME, liar.name(other + '.lie.test'))]
    elif lie == 'pointer':              # a name that points to itself
        records = [liar.record(struct.pack('!H', 0xc000 + end), liar.MX, b'\0\1' + ask)]
    elif lie == 'inner':                # an exchanger whose name points to itself
        records = [liar.record(ask, liar.MX, b'\0\1' + struct.pack('!H', 0xc000 + end + 14))]
    elif lie == 'forward':              # a pointer behind the end
        records = [liar.record(ask, liar.MX, b'\0\1\xff\xff')]
    elif lie == 'count':                # 65535 records, of which one is there
        records, count = [liar.record(ask, liar.MX, b'\0\1' + ask)], 65535
    elif lie == 'short':                # a record that is longer than the answer
        records, cut = [liar.record(ask, liar.MX, b'\0\1' + b'\77' * 60)], end + 30
    elif lie == 'zero':                 # records without content
        records = [liar.record(ask, liar.MX, b''), liar.record(ask, liar.A, b'')]
    elif lie == 'held':                 # an answer that does not come, after all
        return [liar.HOLD] if tcp else [liar.message(query, [], flags=liar.TRUNCATED)]
    else:                               # no answer at all
        return []
    return [] if tcp else [liar.message(query, records, count)[:cut]]


LIES = {'self': 'failure', 'ping': 'failure', 'pointer': 'failure', 'inner': 'deferral',
        'forward': 'deferral', 'count': 'deferral', 'short': 'deferral', 'zero': 'deferral',
        'held': 'deferral', 'silence': 'deferral'}


def lying_dns(host):
    with liar.asked_by(host, answers):
        lies(host)
    attack.give_up(host)


def lies(host):
    for lie, wanted in LIES.items():
        before = host.count_log('^delivery .*: (deferral|failure): ')
        host.deliver('', ['x@%s.lie.test' % lie], b'Subject: x\n\n')
        line = host.wait_log('^delivery .*: (deferral|failure): ', before + 1)[before]
        tap.ok(': %s: ' % wanted in line, 'answer %s: %s' % (lie, wanted), line)
        for program in ('dnsmxip', 'dnsip', 'dnscname', 'dnsfq'):
            code, out, err = host.call(['timeout', '15', '%s/bin/%s' % (BUILD, program),
                                        lie + '.lie.test'])
            tap.ok(code in (0, 100, 111), '  %s: exit %d' % (program, code), out + err)
    attack.probe(host, 'with a lying name server mail flows')


# ---- loops and storms --------------------------------------------------------------------------

def loops(a, b):
    """a forwards to b, b to a: at first plainly, then without the Delivered-To lines."""
    plain = '&joe-loop@%s\n'
    blind = '|sed "/^Delivered-To/d" | %s/bin/forward joe-loop@%%s\n' % home()
    for name, line, limit in (('plain', plain, 10), ('without Delivered-To', blind, 120)):
        a.dotqmail('joe', 'loop', line % b.name)
        b.dotqmail('joe', 'loop', line % a.name)
        for sender in ('ann@hosta.test', 'nobody@hosta.test'):
            before = [one.count_log('^new msg') for one in (a, b)]
            a.clear_mail()
            a.deliver(sender, ['joe-loop@hosta.test'], b'Subject: round\n\n')
            user = 'ann' if sender[0] == 'a' else 'alias'
            mail = a.wait_mail(user, 1)
            wait_for(lambda: not a.queue() and not b.queue(), 'two empty queues')
            hops = sum(one.count_log('^new msg') for one in (a, b)) - sum(before)
            tap.ok(len(mail) == 1 and hops < limit, 'a loop, %s: %s after %d messages'
                   % (name, 'a bounce' if user == 'ann' else 'a double bounce', hops), hops)
    for one in (a, b):
        one.clear_mail()
        tap.equal(one.queue_faults(), '', 'the queue of %s is legal' % one.name)


def bounce_storm(host):
    start = time.monotonic()
    tap.equal(attack.burst(host, STORM, 'nobody@hosta.test', 'nobody-x%d@hosta.test'), STORM,
              '%d messages with bad senders' % STORM)
    attack.probe(host, 'in a storm of bounces mail flows')
    host.wait_empty(120)
    tap.equal(len(host.mail('alias')), STORM, 'each is a double bounce for postmaster')
    host.clear_mail()
    host.control('doublebounceto', 'nobody\n')
    host.control('doublebouncehost', 'hosta.test\n')
    host.restart()
    before = host.count_log('^triple bounce: discarding ')
    tap.equal(attack.burst(host, 100, 'nobody@hosta.test', 'nobody-x%d@hosta.test'), 100,
              '100 more')
    attack.probe(host, 'mail flows')
    host.wait_empty(120)
    tap.equal(host.count_log('^triple bounce: discarding ') - before, 100,
              'without a postmaster triple bounces are discarded')
    tap.equal(host.mail('alias'), [], 'nobody gets one')
    host.control('doublebounceto', None)
    host.control('doublebouncehost', None)
    host.restart()
    tap.note('%d bounces: %.1f s' % (2 * STORM + 200, time.monotonic() - start))


CASES = [idle_clients, slow_clients, silent_peers, dead_exchangers, lying_dns, bounce_storm]


def main():
    dead = ''.join('mx-host=dead.test,h%d.dead.test,%d\nhost-record=h%d.dead.test,198.51.100.%d\n'
                   % (n, n, n, n % 250 + 1) for n in range(1000))
    wanted = sys.argv[1:]
    with hosts.pair(zone=hosts.ZONE + dead) as (a, b):
        attack.prepare(a)
        a.start()
        attack.probe(a, 'mail flows')
        if not wanted or 'loops' in wanted:
            b.start()
            attack.run(a, loops, b)
        b.stop()
        return attack.main(CASES, wanted, [a])


if __name__ == '__main__':
    sys.exit(main())
