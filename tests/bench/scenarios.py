"""scenarios - what `make bench` measures.

A scenario is run on fresh worlds of all its contenders.  It has variants; a variant has a load,
which is one round of one contender and returns figures, and `messages`, by which counts are divided.
"""
import threading
import time

import host
from tree import Trouble

UP, DOWN = 1, -1                # which way is better


class Variant:
    """One line of the results.  figures: {name: UP or DOWN}, the names say the unit."""
    counted = True              # whether a further round counts calls per message
    figures = {}

    def __init__(self, title, messages):
        self.title, self.messages = title, messages

    def begin(self, contender):
        """Once before the rounds of a contender."""

    def load(self, contender):
        """One round: {figure: value}."""
        raise NotImplementedError

    def end(self, contender):
        """Once after the rounds."""


def wait_arrived(contender, count, place='/home/joe/Maildir/new', timeout=900):
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
    few = 10 if quick else 1
    rows = [(1, False, 2000, 300), (20, False, 2000, 1000), (100, False, 2000, 1500),
            (1, True, 2000, 300), (20, True, 2000, 2000), (100, True, 2000, 5000),
            (1, False, 64000, 200), (20, False, 64000, 600),
            (1, False, 10**7, 10), (20, False, 10**7, 20)]
    if quick:
        rows = [row for row in rows if row[0] < 100 or not row[1]]
    return [ToMaildir(sessions, many, size, max(sessions, count // few))
            for sessions, many, size, count in rows]


ALL = {'a': scenario_a}
