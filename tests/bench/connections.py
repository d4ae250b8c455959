"""connections - scenario h: what a connection costs."""
import os
import subprocess
import time

import host
import net
from flow import DOWN, UP, Variant
from tree import Trouble


# Debian 12's OpenSMTPD ends all handshakes, see opensmtpd() in scenario/smarthosts.t.
WITH_TLS = ('pneumail', 'postfix', 'exim')


def memory(contender):
    """PSS of all processes of the contender, in kB."""
    total = 0
    for pid in contender.meter.processes():
        for line in host.read('/proc/%d/smaps_rollup' % pid).splitlines():
            if line.startswith('Pss:'):
                total += int(line.split()[1])
    return total


class Connect(Variant):
    """Connections without mail."""
    stores = False
    figures = {'connections/s': UP}

    def __init__(self, at_once, count):
        self.at_once = at_once
        super().__init__('connect, EHLO, QUIT; %d at once' % at_once, count)

    def load(self, contender):
        out = contender.net.run(['/bench/dial', net.US, str(self.messages), str(self.at_once)])
        return {'connections/s': self.messages / float(out.split()[0])}


class Handshake(Variant):
    """Connections without mail, encrypted.  tls: the version, with + to resume sessions."""
    only = WITH_TLS
    stores = False
    figures = {'handshakes/s': UP, 'resumed %': UP}

    def __init__(self, tls, at_once, count):
        self.tls, self.at_once = tls, at_once
        super().__init__('EHLO, STARTTLS, EHLO, QUIT; TLS %s, %s handshakes; %d at once' % (
            tls.rstrip('+'), 'resumed' if '+' in tls else 'full', at_once), count)

    def begin(self, contender):
        contender.use_tls()

    def load(self, contender):
        seconds, resumed = contender.net.run(
            ['/bench/dial', net.US, str(self.messages), str(self.at_once), self.tls]).split()
        # Not all: the first of each client is new, and some give no further ticket with TLS 1.3.
        if (int(resumed) > 0) != ('+' in self.tls):
            raise Trouble('%s resumed %s sessions' % (contender.name, resumed))
        return {'handshakes/s': self.messages / float(seconds),
                'resumed %': 100 * int(resumed) / self.messages}


class Idle(Variant):
    """Memory of connections that wait for a command."""
    counted = False
    figures = {'PSS kB': DOWN}

    def __init__(self, count, *tls):
        self.tls = tls
        self.only = WITH_TLS if tls else None
        super().__init__('memory of an idle SMTP connection%s (of %d)' % (
            ' with TLS ' + tls[0] if tls else '', count), count)

    def begin(self, contender):
        if self.tls:
            contender.use_tls()

    def load(self, contender):
        contender.reset()       # without processes that wait for the next connection
        before = memory(contender)
        child = contender.net.world.popen(
            ['/bench/dial', net.US, str(self.messages), 'hold', *self.tls],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if child.stdout.readline() != b'ready\n':
            raise Trouble('%s: connections failed' % contender.name)
        after = memory(contender)
        child.stdin.close()
        child.wait()
        child.stdout.close()
        return {'PSS kB': (after - before) / self.messages}


class Outbound(Variant):
    """Memory of deliveries that wait for another host."""
    counted = False
    figures = {'PSS kB': DOWN, 'deliveries': UP}

    def __init__(self, count):
        self.sink = {}
        super().__init__('memory of an outbound delivery (of %d)' % count, count)

    def begin(self, contender):
        self.sink[contender.name] = contender.net.sink(net.SINK, '100000')

    def load(self, contender):
        contender.reset()
        before = memory(contender)
        sink = self.sink[contender.name]
        sink.reset()
        contender.net.source(self.messages, 10, 2000, 'joe@sink.test')
        seen, since = 0, time.monotonic()
        while seen < self.messages and time.monotonic() < since + 3:
            if sink.count()[2] > seen:      # some do not open as many to one host
                seen, since = sink.count()[2], time.monotonic()
            time.sleep(0.05)
        if not seen:
            raise Trouble('%s delivers nothing; its log ends:\n%s' % (contender.name,
                                                                     contender.tail()))
        time.sleep(0.5)         # for the receiving processes to go
        after = memory(contender)
        contender.reset()
        return {'PSS kB': (after - before) / seen, 'deliveries': seen}

    def end(self, contender):
        if contender.name in self.sink:
            contender.net.end(self.sink[contender.name])


POP3D = '''
    PATH=/var/qmail/bin:$PATH
    exec tcpserver -R -H -l bench.test 0 110 \\
        qmail-popup bench.test checkpassword qmail-pop3d Maildir
'''


class Pop3(Variant):
    """A large Maildir."""
    counted = False
    figures = {'login s': DOWN, 'LIST s': DOWN}
    only = ('pneumail',)

    def __init__(self, count):
        super().__init__('POP3, Maildir with %d messages' % count, count)

    def begin(self, contender):
        new = contender.world.path('/home/joe/Maildir/new')
        for number in range(self.messages):
            with open('%s/%d.x' % (new, number), 'w') as file:
                file.write('Subject: x\n\nhello\n')
            os.utime('%s/%d.x' % (new, number), (1, 1))     # what is brand-new is not listed yet
        contender.world.sh('chown -R joe:joe /home/joe/Maildir', timeout=600)
        contender.world.popen(['sh', '-ec', POP3D], stdin=subprocess.DEVNULL,
                              preexec_fn=contender.meter.enter)
        host.wait_for(lambda: ':006E ' in contender.world.sh('cat /proc/net/tcp'), 'port 110')

    def load(self, contender):
        login, listing, count = contender.net.run(
            ['/usr/bin/python3', net.POP3, net.US]).split()
        if int(count) != self.messages:
            raise Trouble('%s listed %s of %d messages' % (contender.name, count, self.messages))
        return {'login s': float(login), 'LIST s': float(listing)}

    def end(self, contender):
        contender.world.sh('find /home/joe/Maildir -type f -delete', timeout=600)

    def settle(self, contender):
        contender.rest(keep_mail=True)


def scenario_h(quick):
    """connections"""
    few = 10 if quick else 1
    # Those with TLS come last: it stays switched on.
    return [Connect(1, 500 // few), Connect(20, 3000 // few), Idle(50), Outbound(50),
            Pop3(100000 // (few * 10))] + [
                Handshake(tls, at_once, count // few) for tls, at_once, count in (
                    ('1.3', 1, 200), ('1.3', 20, 1000), ('1.3+', 1, 200), ('1.3+', 20, 1000),
                    ('1.2', 20, 1000), ('1.2+', 20, 1000))] + [Idle(50, '1.3')]
