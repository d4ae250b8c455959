"""flow - scenarios a to f: mail that flows.

A scenario is run on fresh worlds of all its contenders.  It is a list of variants; a variant has a
load, which is one round of one contender and returns figures, and `messages`, by which counts are
divided.
"""
import os
import signal
import subprocess
import threading
import time

import host
import net
from tree import Trouble

UP, DOWN = 1, -1                # which way is better


class Variant:
    """One line of the results.  figures: {name: UP or DOWN}, the names say the unit."""
    counted = True              # whether a further round counts calls per message
    stores = True               # whether it leaves anything on the disk, and so has to sync
    stepped = False             # whether instructions are counted as well, if wanted
    only = None                 # names of the contenders that take part, if not all
    relays = False              # whether those take part that are for mail to elsewhere alone
    figures = {}

    def __init__(self, title, messages):
        self.title, self.messages = title, messages

    def begin(self, contender):
        """Once before the rounds of a contender."""

    def admits(self, contender):
        """Whether the contender, or its class, takes part."""
        return (not self.only or contender.name in self.only) and self.relays >= contender.relays

    def load(self, contender):
        """One round: {figure: value}."""
        raise NotImplementedError

    def settle(self, contender):
        """After each round."""
        contender.rest()

    def end(self, contender):
        """Once after the rounds."""


def wait_arrived(contender, count, place='/home/joe/Maildir/new', timeout=net.PATIENCE):
    """Wait until there are `count` messages, spending little time on looking; Trouble if there are
    more."""
    end = time.monotonic() + timeout
    while True:
        began = time.monotonic()
        found = contender.arrived(place)
        now = time.monotonic()
        if found >= count:
            break
        if now > end:
            raise Trouble('%s delivered %d of %d messages in %d s; its log ends:\n%s' % (
                contender.name, found, count, timeout, contender.tail()))
        time.sleep(max(0.01, 20 * (now - began)))
    if found > count:
        raise Trouble('%s delivered a message twice' % contender.name)
    return now


class ToMaildir(Variant):
    """SMTP in to a Maildir."""
    figures = {'accepted/s': UP, 'delivered/s': UP}

    def __init__(self, sessions, many, size, messages):
        self.sessions, self.size = sessions, size
        self.per_connection = 50 if many else 1
        self.runs = 1
        if many:                # each session keeps its connection for 50 messages
            self.runs = max(1, messages // (50 * sessions))
            messages = self.runs * 50 * sessions
        unit = '%d MB' % (size // 10**6) if size >= 10**6 else '%d kB' % (size // 1000)
        super().__init__('%d session%s, %d message%s per connection, %s' % (
            sessions, 's' if sessions > 1 else '', self.per_connection, 's' if many else '', unit),
            messages)
        self.stepped = (sessions, many, size) == (1, False, 2000)

    def load(self, contender):
        before = contender.arrived()
        began = time.monotonic()
        for _ in range(self.runs):
            contender.net.source(self.messages // self.runs, self.sessions, self.size,
                                 'joe@bench.test', *(['-d'] if self.per_connection > 1 else []))
        accepted = time.monotonic() - began
        took = wait_arrived(contender, before + self.messages) - began
        return {'accepted/s': self.messages / accepted, 'delivered/s': self.messages / took}


def scenario_a(quick):
    """SMTP in to a Maildir"""
    rows = [(1, False, 2000, 300), (20, False, 2000, 1000), (100, False, 2000, 1500),
            (1, True, 2000, 300), (20, True, 2000, 2000), (100, True, 2000, 5000),
            (1, False, 64000, 200), (20, False, 64000, 600),
            (1, False, 10**7, 10), (20, False, 10**7, 20)]
    if quick:
        rows = [(1, False, 2000, 10), (20, False, 2000, 60), (100, False, 2000, 100),
                (1, True, 2000, 50), (2, False, 10**7, 2)]
    return [ToMaildir(*row) for row in rows]


class Sendmail(Variant):
    """Injection on the host itself."""
    figures = {'injected/s': UP, 'delivered/s': UP}

    def __init__(self, at_once, messages):
        self.at_once = at_once
        super().__init__('%d process%s of sendmail, 2 kB' % (at_once, 'es' if at_once > 1 else ''),
                         messages)

    def begin(self, contender):
        host.write(contender.world.path('/tmp/message'), 'To: joe@bench.test\nSubject: x\n\n'
                   + ('x' * 63 + '\n') * 30)

    def load(self, contender):
        before = contender.arrived()
        began = time.monotonic()
        child = contender.world.popen(
            ['/bench/repeat', str(self.messages), str(self.at_once), '/tmp/message',
             contender.sendmail, '-oi', 'joe@bench.test'], user=(5002, 5002),
            preexec_fn=contender.meter.enter)
        if child.wait(900):
            raise Trouble('sendmail of %s failed' % contender.name)
        injected = time.monotonic() - began
        took = wait_arrived(contender, before + self.messages) - began
        return {'injected/s': self.messages / injected, 'delivered/s': self.messages / took}


def scenario_b(quick):
    """sendmail to a Maildir"""
    return [Sendmail(1, 20 if quick else 300), Sendmail(8, 40 if quick else 1000)]


class Relay(Variant):
    """SMTP in, SMTP out."""
    relays = True
    figures = {'accepted/s': UP, 'relayed/s': UP}

    def __init__(self, sessions, messages):
        self.sessions, self.sink = sessions, {}
        super().__init__('relay, %d session%s, 1 recipient, 2 kB' % (
            sessions, 's' if sessions > 1 else ''), messages)

    def begin(self, contender):
        self.sink[contender.name] = contender.net.sink(net.SINK)

    def load(self, contender):
        sink = self.sink[contender.name]
        sink.reset()
        began = time.monotonic()
        contender.net.source(self.messages, self.sessions, 2000, 'joe@sink.test')
        accepted = time.monotonic() - began
        took = sink.wait(self.messages, contender) - began
        return {'accepted/s': self.messages / accepted, 'relayed/s': self.messages / took}

    def end(self, contender):
        if contender.name in self.sink:
            contender.net.end(self.sink[contender.name])


class ToMany(Relay):
    """One message to many recipients on other hosts.  Counts are per recipient."""
    figures = {'recipients/s': UP}

    def __init__(self, recipients, address, title):
        super().__init__(1, recipients)
        self.address, self.title = address, '1 message to %d recipients, %s' % (recipients, title)

    def load(self, contender):
        sink = self.sink[contender.name]
        sink.reset()
        began = time.monotonic()
        contender.net.send(self.messages, self.address)
        took = sink.wait(self.messages, contender) - began
        return {'recipients/s': self.messages / took}


def scenario_c(quick):
    """relay: SMTP in, SMTP out; lists"""
    few = 20 if quick else 1
    rows = [Relay(1, 300 // few), Relay(20, 1000 // few)]
    for count in (1000 // few, 5000 // few):
        rows.append(ToMany(count, 'r%d@d%d.sink.test', 'each at a domain of its own'))
        rows.append(ToMany(count, 'r%d@sink.test', 'at one domain'))
    return rows


scenario_c.relays = True


class FanOut(Variant):
    """One message to many recipients here.  Counts are per recipient."""
    figures = {'recipients/s': UP}

    def __init__(self, recipients, address, title):
        self.address = address
        super().__init__('1 message to %d %s' % (recipients, title), recipients)

    def load(self, contender):
        began = time.monotonic()
        contender.net.send(self.messages, self.address)
        end = began + net.PATIENCE
        while contender.waiting():
            if time.monotonic() > end:
                raise Trouble('%s still has mail queued; its log ends:\n%s' % (
                    contender.name, contender.tail()))
            time.sleep(0.01)
        took = time.monotonic() - began
        self.check(contender)
        return {'recipients/s': self.messages / took}

    def check(self, contender):
        """All of them must have it."""
        if 'box.test' not in self.address:
            return
        boxes = contender.world.path('/home/boxes')
        got = sum(len(os.listdir('%s/%dall/new' % (boxes, number)))
                  for number in range(1, self.messages + 1))
        if got != self.messages:
            raise Trouble('%s delivered %d of %d; its log ends:\n%s' % (
                contender.name, got, self.messages, contender.tail()))


def scenario_d(quick):
    """fan-out: one message to many recipients here"""
    return [FanOut(1000 if quick else 8192, '%dall@drop.test', 'recipients that are discarded'),
            FanOut(100 if quick else 1024, '%dall@box.test', 'Maildirs')]


class Trouble10(Relay):
    """Relay, while every tenth message goes where there is trouble: the healthy rest."""
    counted = False
    figures = {'healthy alone/s': UP, 'healthy/s': UP, 'share %': UP}

    def __init__(self, messages, domain, title, address, *options):
        super().__init__(20, messages)
        self.title = '20 sessions, 1 in 10 to ' + title
        self.domain, self.address, self.options, self.bad = domain, address, options, {}

    def begin(self, contender):
        super().begin(contender)
        self.bad[contender.name] = contender.net.sink(self.address, *self.options)

    def load(self, contender):
        alone = super().load(contender)['relayed/s']
        host.wait_for(lambda: contender.waiting() == 0, 'an empty queue', 60)
        tenth = threading.Thread(target=contender.net.source, args=(
            self.messages // 9, 2, 2000, 'joe@' + self.domain))
        tenth.start()
        try:
            rate = super().load(contender)['relayed/s']
        finally:
            tenth.join()
            contender.reset()
        return {'healthy alone/s': alone, 'healthy/s': rate, 'share %': 100 * rate / alone}

    def end(self, contender):
        super().end(contender)
        if contender.name in self.bad:
            contender.net.end(self.bad[contender.name])


class DeadMX(Trouble10):
    """Half of the mail exchangers do not answer."""
    figures = {'both alive/s': UP, 'one dead/s': UP, 'share %': UP}

    def __init__(self, messages):
        super().__init__(messages, 'half.test', '', net.LIVE)
        self.title = '20 sessions, the first of two mail exchangers is dead'

    def load(self, contender):
        alone = Relay.load(self, contender)['relayed/s']
        sink = self.bad[contender.name]
        sink.reset()
        began = time.monotonic()
        contender.net.source(self.messages, self.sessions, 2000, 'joe@half.test')
        rate = self.messages / (sink.wait(self.messages, contender) - began)
        return {'both alive/s': alone, 'one dead/s': rate, 'share %': 100 * rate / alone}


def scenario_e(quick):
    """trouble elsewhere"""
    count = 90 if quick else 900
    return [DeadMX(10 if quick else 400),
            Trouble10(count, 'half.test', 'a host whose first mail exchanger is dead', net.LIVE),
            Trouble10(count, 'defer.test', 'a host that defers', net.DEFER, 'defer'),
            Trouble10(count, 'slow.test', 'a host that takes 5 s for a message', net.SLOW, '5000')]


class Saturated(Variant):
    """Delivery while clients keep the machine busy."""
    counted = False
    figures = {'alone/s': UP, 'saturated/s': UP, 'share %': UP, 'accepted/s': UP}

    def __init__(self, messages, seconds):
        super().__init__('100 sessions for %d s, 2 kB' % seconds, messages)
        self.seconds = seconds

    def alone(self, contender):
        """Rate of delivery of what was accepted while the scheduler was stopped; None if there is
        no process for that."""
        scheduler = contender.world.processes(contender.scheduler) if contender.scheduler else []
        if not scheduler:
            return None
        before = contender.arrived()
        for pid in scheduler:
            os.kill(pid, signal.SIGSTOP)
        try:
            contender.net.source(self.messages, 20)
            ready = contender.arrived()
        finally:
            began = time.monotonic()
            for pid in scheduler:
                os.kill(pid, signal.SIGCONT)
        took = wait_arrived(contender, before + self.messages) - began
        return (before + self.messages - ready) / took

    def saturated(self, contender):
        """Rates of delivery and acceptance."""
        started = contender.net.world.popen(
            ['smtp-source', '-c', '-s', '100', '-m', '10000000', '-l', '2000', '-f',
             'ann@bench.test', '-t', 'joe@bench.test', net.US + ':25'],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        counter = Counter(started.stdout)
        try:
            host.wait_for(lambda: contender.arrived() > 100, 'deliveries under load', net.PATIENCE)
            first, taken, began = contender.arrived(), counter.value, time.monotonic()
            time.sleep(self.seconds)
            last, took = contender.arrived(), time.monotonic() - began
            taken = counter.value - taken
        finally:
            for pid in contender.net.world.processes('smtp-source'):
                os.kill(pid, signal.SIGKILL)
            started.wait()
            counter.join()
        return (last - first) / took, taken / took

    def load(self, contender):
        figures = {}
        alone = self.alone(contender)
        contender.rest()
        figures['saturated/s'], figures['accepted/s'] = self.saturated(contender)
        if alone:
            figures['alone/s'] = alone
            figures['share %'] = 100 * figures['saturated/s'] / alone
        contender.reset()
        return figures


class Counter(threading.Thread):
    """Follows the running counter that smtp-source -c prints, each number after a CR."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe, self.value = pipe, 0
        self.start()

    def run(self):
        left = b''
        with self.pipe:
            while True:
                data = os.read(self.pipe.fileno(), 65536)
                if not data:
                    return
                *numbers, left = (left + data).split(b'\r')
                self.value = max([self.value] + [int(n) for n in numbers if n.strip().isdigit()])


def scenario_f(quick):
    """delivery while injection saturates the machine"""
    return [Saturated(100 if quick else 1500, 3 if quick else 10)]


def scenario_i(quick):
    """counts on a disk that logs every request, where noise cannot blur them: look only at them"""
    rows = [(1, False, 2000, 100), (20, False, 2000, 400), (100, False, 2000, 1000),
            (1, True, 2000, 100), (20, True, 2000, 1000)]
    return [ToMaildir(sessions, many, size, count // (10 if quick and not many else 1))
            for sessions, many, size, count in rows[:3 if quick else None]]


scenario_i.logged = True
