"""physical - scenario p: what this machine can do at most, and how close the suite comes.

The same file system, cable and number of processes as in the other scenarios, but nothing of mail:
files that are created and synced with their directory, programs that do nothing, a server that
throws away what it is sent."""
import os
import statistics
import subprocess

import host
import net
from flow import UP, Variant

SYNCED, APPENDED, STARTED, ECHOED = (
    'create+fsync/s', 'append+fdatasync/s', 'start+exit/s', 'SMTP echo/s')


class Physical(Variant):
    """Bounds at one concurrency."""
    counted = False
    only = ('pneumail',)        # its world, but nothing of it runs
    figures = {SYNCED: UP, APPENDED: UP, STARTED: UP, ECHOED: UP}

    def __init__(self, at_once, seconds, messages):
        self.at_once, self.seconds = at_once, seconds
        super().__init__('%d at once' % at_once, messages)

    def begin(self, contender):
        contender.kill()
        contender.world.sh('mkdir -p /srv/disk/bounds')

    def _bound(self, contender, kind, where):
        out = contender.world.sh('/bench/bounds %s %s %s %d' % (
            kind, where, self.seconds, self.at_once), timeout=600)
        contender.world.sh('rm -f /srv/disk/bounds/*; sync -f /srv/disk', timeout=600)
        return float(out)

    def load(self, contender):
        return {SYNCED: self._bound(contender, 'files', '/srv/disk/bounds'),
                APPENDED: self._bound(contender, 'append', '/srv/disk/bounds'),
                STARTED: self._bound(contender, 'exec', '/bench/nothing'),
                ECHOED: self.echo(contender)}

    def echo(self, contender):
        """Messages a second to a sink that takes the contender's place."""
        child = contender.world.popen(['/bench/sink', '/bench/echo', net.US],
                                      stdin=subprocess.DEVNULL)
        try:
            host.wait_for(contender.answers, 'the sink')
            return self.messages / contender.net.source(self.messages, self.at_once)
        finally:
            for pid in contender.world.processes('sink'):
                os.kill(pid, 9)
            child.wait()

    def settle(self, contender):
        pass

    def end(self, contender):
        contender.run()


def scenario_p(quick):
    """physical bounds"""
    return [Physical(at_once, 0.3 if quick else 3, 100 if quick else 3000)
            for at_once in (1, 8, 20, 100)]


def median(row, figure):
    """Of the suite; None if it was not measured."""
    found = [one[figure] for one in row.rounds.get('pneumail', ()) if figure in one]
    return statistics.median(found) if found else None


# Figures with a bound, and whether they come through one SMTP connection of their own.  Everything
# has to be synced at least once; what is delivered meanwhile can share the commit.
NEEDS = {'accepted/s': True, 'delivered/s': True, 'injected/s': False, 'relayed/s': True}


def closeness(results, say):
    """Prints each rate as a share of the bounds at its concurrency."""
    if 'p' not in results:
        return
    bounds = {row.variant.at_once: row for row in results['p']}
    say('%-52s %-12s %9s %24s %24s %24s' % (
        'reached', '', 'a second', 'of create+fsync', 'of its starts of programs', 'of SMTP echo'))
    for letter in 'abc':
        for row in results.get(letter, ()):
            at_once = getattr(row.variant, 'sessions', getattr(row.variant, 'at_once', 0))
            if at_once not in bounds or getattr(row.variant, 'size', 2000) != 2000:
                continue
            for figure in row.variant.figures:
                if figure in NEEDS and median(row, figure):
                    _one(say, row, figure, bounds[at_once])


def _one(say, row, figure, bound):
    """One line: nobody can be much faster than the slowest of these."""
    rate = median(row, figure)
    limits = [median(bound, SYNCED)]
    starts = row.counts.get('pneumail', {}).get('execs')
    limits.append((median(bound, STARTED) or 0) / starts if starts else 0)
    limits.append(median(bound, ECHOED)
                  if NEEDS[figure] and hasattr(row.variant, 'sessions') else 0)
    say('%-52s %-12s %9.1f %s' % (row.variant.title, figure, rate, ' '.join(
        '%24s' % ('%.0f %% of %.1f' % (100 * rate / limit, limit) if limit else '-')
        for limit in limits)))
