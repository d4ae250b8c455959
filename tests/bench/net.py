"""net - the rest of the Internet of a contender: a second world, joined by a cable, that has the
tools of the package layer `load`, sends mail to port 25 of the contender and takes what it sends.
"""
import os
import re
import signal
import struct
import subprocess
import time

import host
import layers
from tree import Trouble

HERE = os.path.dirname(os.path.abspath(__file__))
SEND, POP3 = os.path.join(HERE, 'send.py'), os.path.join(HERE, 'pop3.py')
PATIENCE = 60 if os.environ.get('QUICK') else 300         # seconds for the last delivery
US, THEM = '192.0.2.1', '192.0.2.2'
# Addresses of other hosts; nobody answers on DEAD.
SINK, DEFER, SLOW, LIVE = '192.0.2.10', '192.0.2.11', '192.0.2.12', '192.0.2.13'
DEAD = '192.0.2.66'
ZONE = '\n'.join([
    'host-record=bench.test,' + US, 'mx-host=bench.test,bench.test,10',
    'host-record=load.test,' + THEM,
    'host-record=dead.half.test,' + DEAD, 'host-record=live.half.test,' + LIVE,
    'mx-host=half.test,dead.half.test,10', 'mx-host=half.test,live.half.test,20'] + [
        'host-record=mail.%s,%s\nmx-host=%s,mail.%s,10' % (name, ip, name, name)
        for name, ip in (('sink.test', SINK), ('defer.test', DEFER), ('slow.test', SLOW))] + [
        'mx-host=d%d.sink.test,mail.sink.test,10' % number for number in range(1, 5001)] + [''])


class Net:
    """The other end of the cable."""

    def __init__(self, world, place):
        self.place = place
        self.world = layers.build('load.test', ('load',), with_suite=False,
                                  shares=[(place, '/bench')]).start()
        self.sinks = []
        pair = 'ip link add eth0 netns %d type veth peer name eth0 netns %d' % (
            world.pid, self.world.pid)
        if subprocess.run(pair.split(), check=False).returncode:
            raise Trouble('cannot make a veth pair (ip link add)')
        world.sh('ip addr add %s/24 dev eth0; ip link set eth0 up; '
                 'sysctl -qw net.ipv4.ip_local_port_range="10000 65000" net.core.somaxconn=4096 '
                 '2>/dev/null || :; ip neigh add %s lladdr 02:00:00:00:00:66 dev eth0' % (US, DEAD))
        self.world.sh('ip addr add %s/24 dev eth0; ip link set eth0 up; for a in %s; do '
                      'ip addr add $a/32 dev eth0; done'
                      % (THEM, ' '.join((SINK, DEFER, SLOW, LIVE))))

    def stop(self):
        """It vanishes."""
        self.world.stop()
        for sink in self.sinks:
            sink.child.wait()
            if os.path.exists(sink.file):
                os.unlink(sink.file)

    def source(self, count, sessions=1, size=2000, to='joe@bench.test', *more, timeout=900):
        """Send `count` messages; returns when the last one is accepted: the seconds it took."""
        began = time.monotonic()
        self.run(['smtp-source', '-s', str(min(sessions, count)), '-m', str(count), '-l', str(size),
                  '-f', 'ann@bench.test', '-t', to, *more, US + ':25'], timeout)
        return time.monotonic() - began

    def run(self, command, timeout=900):
        """Run a command that must succeed."""
        code, out, err = self.world.call(command, timeout=timeout)
        if code or b'fatal:' in err or b'panic:' in err:
            raise Trouble('%s: exit code %d, %s' % (' '.join(command), code,
                                                    (out + err).decode(errors='replace')[-500:]))
        return out.decode(errors='replace')

    def send(self, count, address, timeout=900):
        """One message to `count` recipients, see send.py."""
        self.run(['/usr/bin/python3', SEND, US, str(count), address], timeout)

    def sink(self, address, *options):
        """Start a server that takes mail, see sink.c; a Sink."""
        return Sink(self, address, options)

    def end(self, sink):
        """Stop a server."""
        os.kill(sink.pid(self.world), signal.SIGKILL)
        sink.child.wait()
        os.unlink(sink.file)
        self.sinks.remove(sink)


class Sink:
    """One server, and how much it has taken."""

    def __init__(self, net, address, options):
        host.wait_for(lambda: not self._listens(net.world.pid, address), 'the last sink to go')
        self.file = os.path.join(net.place, '%s-%d' % (address, net.world.pid))
        inside = '/bench/' + os.path.basename(self.file)
        self.child = net.world.popen(['/bench/sink', inside, address, *options],
                                     stdin=subprocess.DEVNULL)
        net.sinks.append(self)
        host.wait_for(lambda: self.child.poll() is not None or (
            self._listens(net.world.pid, address) and os.path.exists(self.file)), 'a sink')
        if self.child.poll() is not None:
            raise Trouble('the sink on %s does not run' % address)
        self.zero = (0,) * 4
        self.reset()

    def pid(self, world):
        """Of the server, outside: the one that has this file among its arguments."""
        name = os.path.basename(self.file)
        return next(pid for pid in world.processes('sink')
                    if name in host.read('/proc/%d/cmdline' % pid))

    @staticmethod
    def _listens(pid, address):
        number = ''.join('%02X' % int(part) for part in reversed(address.split('.')))
        return re.search(' %s:0019 00000000:0000 0A' % number,
                         host.read('/proc/%d/net/tcp' % pid)) is not None

    def _counters(self):
        with open(self.file, 'rb') as file:
            return struct.unpack('=4Q', file.read(32))

    def reset(self):
        """Count from here on."""
        self.zero = self._counters()

    def count(self):
        """Since reset(): recipients, messages, connections, deferred recipients."""
        return tuple(new - old for new, old in zip(self._counters(), self.zero))

    def wait(self, recipients, contender, timeout=PATIENCE):
        """Wait until that many recipients have been served; Trouble if there are more."""
        end = time.monotonic() + timeout
        while self.count()[0] < recipients:
            if time.monotonic() > end:
                raise Trouble('%s sent to %d of %d recipients in %d s; its log ends:\n%s' % (
                    contender.name, self.count()[0], recipients, timeout, contender.tail()))
            contender.check_bounces()
            time.sleep(0.005)
        now = time.monotonic()
        if self.count()[0] > recipients:
            raise Trouble('%s sent to a recipient twice' % contender.name)
        return now
