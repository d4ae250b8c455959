"""attack - what every attack on a host of hosts.py is followed by.

    run(host, step)     step(host), then: memory of every process of the suite below the figure
                        of qmail-limits(7), other mail flows, the queue is legal, no process and no
                        descriptor is left over

A process of its own looks at all processes of the host, often; VmHWM, the most that was ever
resident, is kept by the kernel in between.  A step that is about certain programs names them, and
lets the watch look before it lets them go:

    @attack.sees('qmail-tls')
    def step(host):
        ...
        attack.looked(host)
"""
import collections
import json
import mmap
import os
import re
import signal
import struct
import sys
import time

import ns
import tap
from host import read, wait_for
from residents import RESIDENTS
from tree import TOP

FULL = os.environ.get('DEPTH') == 'full'
MEMORY = re.compile(r'^\.\\" memory: (\S+) (\d+)$', re.M)
SUITE = re.compile('qmail-|checkpassword|'
                   '(local-stay|remote-stay|sendmail|forward|condredirect|tcp-env)$')
NAME = 15                              # bytes of a program's name that the kernel keeps
COUNT = struct.Struct('Q')
PAUSE = 0.02
GONE = 'joe-gone-%d@hosta.test'        # mail to these addresses vanishes


def caps():
    """{program: kilobytes}, as the manual states them; names as the kernel has them."""
    return {name[:NAME]: int(size) << 10 for name, size in
            MEMORY.findall(read(os.path.join(TOP, 'man', 'qmail-limits.7')))}


def scale(normal, full):
    """A size for `make test`, and the one for DEPTH=full."""
    return full if FULL else normal


def processes(host):
    """{pid inside: (name, VmHWM in KB)} of all processes of the host."""
    place, found = host.path('/proc'), {}
    for pid in filter(str.isdigit, os.listdir(place)):
        try:
            text = read('%s/%s/status' % (place, pid))
        except OSError:
            continue
        peak = re.search(r'^VmHWM:\s*(\d+)', text, re.M)
        if peak:
            found[pid] = (re.match(r'Name:\t(.*)', text).group(1), int(peak.group(1)))
    return found


class Watch:
    """In a `with` block: the largest VmHWM of each program, `peak` afterwards."""

    def __init__(self, host):
        self.host, self.peak, self.child = host, {}, 0
        self.shared = mmap.mmap(-1, COUNT.size)     # how often it has looked

    def __enter__(self):
        self.host.watch = self
        self.result, result = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            ns.die_with_parent(signal.SIGKILL)
            os.close(self.result)
            self._look(result)
        os.close(result)
        return self

    def _look(self, result):
        ended = []
        signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
        peak = {}
        while not ended:
            start = time.monotonic()
            for name, size in processes(self.host).values():
                peak[name] = max(peak.get(name, 0), size)
            COUNT.pack_into(self.shared, 0, self.looks() + 1)
            time.sleep(max(PAUSE, 2 * (time.monotonic() - start)))
        os.write(result, json.dumps(peak).encode())
        os._exit(0)

    def looks(self):
        return COUNT.unpack_from(self.shared)[0]

    def __exit__(self, *_):
        os.kill(self.child, signal.SIGTERM)
        with os.fdopen(self.result) as file:
            self.peak = json.load(file)
        os.waitpid(self.child, 0)


def looked(host):
    """Return when the watch has seen all processes that are there now."""
    begun = host.watch.looks()
    wait_for(lambda: host.watch.looks() >= begun + 2, 'a look at all processes')


def sees(*programs):
    """For a step: the watch must have seen these."""
    def name(step):
        step.sees = programs
        return step
    return name


def standing(host):
    """What is running: {name: (processes, open descriptors)}, transient helpers and residents left
    out."""
    found = collections.defaultdict(lambda: [0, 0])
    for pid, (name, _) in processes(host).items():
        try:
            descriptors = len(os.listdir('%s/%s/fd' % (host.path('/proc'), pid)))
        except OSError:
            continue
        found[name][0] += 1
        found[name][1] += descriptors
    for name, daemon in RESIDENTS.items():
        found[daemon][1] -= found.pop(name, [0])[0]
    return {name: tuple(count) for name, count in found.items()}


def probe(host, name='other mail flows'):
    """Test point: a message to ann-probe is queued and delivered."""
    count = host.count_log('delivery .* success: probe/')
    code = host.deliver('joe@hosta.test', ['ann-probe@hosta.test'], b'Subject: probe\n\nprobe\n')
    try:
        host.wait_log('delivery .* success: probe/', count + 1)
    except Exception as trouble:        # the log is what explains it
        return tap.ok(False, name, trouble)
    return tap.ok(code == 0, name, code)


def prepare(host):
    """The address of probe(), and where mail may vanish."""
    host.dotqmail('ann', 'probe', '|echo probe\n')
    host.dotqmail('joe', 'gone-default', '#\n')


def burst(host, count, sender, recipient):
    """Messages in one SMTP session; how many were accepted."""
    client = host.smtp()
    client.helo('x')
    accepted = 0
    for n in range(count):
        client.docmd('MAIL FROM:<%s>' % sender)
        client.docmd('RCPT TO:<%s>' % (recipient % n if '%' in recipient else recipient))
        accepted += client.data(b'Subject: %d\r\n\r\n%d\r\n' % (n, n))[0] == 250
    client.quit()
    return accepted


def gone(host, *programs):
    """Wait until none of these is left."""
    for name in programs:
        wait_for(lambda name=name: not host.processes(name[:NAME]), 'the end of ' + name,
                 60)


def give_up(host):
    """Everything that is in the queue has been there for too long."""
    host.control('queuelifetime', '0\n')
    host.restart()
    host.svc('-a')
    host.wait_empty()
    host.control('queuelifetime', None)
    host.restart()


def memory(peak, wanted=()):
    """Test points: every program of the suite that was seen stayed below what the manual says, and
    these were seen."""
    limit = caps()
    seen = {name: size for name, size in peak.items() if SUITE.match(name)}
    bad = {name: size for name, size in seen.items() if size > limit.get(name, 0)}
    tap.note('peak KB: ' + ' '.join('%s %d' % item for item in sorted(seen.items())))
    tap.ok(seen and (not bad or 'SAN' in os.environ), 'memory stays below the figures of '
           'qmail-limits(7)', 'KB, above what is stated: %s' % bad)
    for name in wanted:
        tap.ok(seen.get(name[:NAME]), '%s was looked at' % name, sorted(seen))


def run(host, step, *more):
    """One attack: step(host, *more)."""
    tap.note(step.__name__)
    began = time.monotonic()
    before = standing(host)
    with Watch(host) as watch:
        tap.attempt(step.__name__ + ' went through', step, host, *more)
    memory(watch.peak, getattr(step, 'sees', ()))
    probe(host, 'afterwards mail flows')
    tap.attempt('the queue is empty', host.wait_empty, 60)
    tap.equal(host.queue_faults(), '', 'the queue is legal')
    try:
        wait_for(lambda: standing(host) == before, 'the processes and descriptors of before')
        tap.ok(True, 'no process and no descriptor is left over')
    except Exception as trouble:
        tap.ok(False, 'no process and no descriptor is left over',
               '%s\nbefore: %s\nnow:    %s' % (trouble, before, standing(host)))
    host.clear_mail()
    tap.note('%s: %.1f s' % (step.__name__, time.monotonic() - began))


def main(cases, argv, hosts):
    """Runs the named cases, or all, on hosts[0]; the exit code."""
    for step in cases:
        if not argv or step.__name__ in argv:
            run(hosts[0], step)
    return tap.done()


def alone(cases, single):
    """A whole test: these cases on one host, made by `single`; the exit code."""
    with single() as host:
        prepare(host)
        host.start()
        probe(host, 'mail flows')
        return main(cases, sys.argv[1:], [host])
