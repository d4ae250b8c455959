"""net - the rest of the Internet of a contender: a second world, joined by a cable, that has the
tools of the package layer `load` and sends mail to port 25 of the contender and takes what it sends.
"""
import os
import signal
import subprocess

import host
import layers
from tree import Trouble

US, THEM = '192.0.2.1', '192.0.2.2'
# Addresses of other hosts; nobody answers on the last.
SINK, DEFER, SLOW, DEAD = '192.0.2.10', '192.0.2.11', '192.0.2.12', '192.0.2.66'
ZONE = '\n'.join([
    'host-record=bench.test,' + US, 'mx-host=bench.test,bench.test,10',
    'host-record=load.test,' + THEM,
    'address=/sink.test/' + SINK, 'address=/defer.test/' + DEFER, 'address=/slow.test/' + SLOW,
    'host-record=dead.half.test,' + DEAD, 'host-record=live.half.test,' + SINK,
    'mx-host=half.test,dead.half.test,10', 'mx-host=half.test,live.half.test,20', ''])


class Net:
    """The other end of the cable."""

    def __init__(self, world):
        self.world = layers.build('load.test', ('load',), with_suite=False).start()
        self.running = []
        pair = 'ip link add eth0 netns %d type veth peer name eth0 netns %d' % (
            world.pid, self.world.pid)
        if subprocess.run(pair.split(), check=False).returncode:
            raise Trouble('cannot make a veth pair (ip link add)')
        world.sh('ip addr add %s/24 dev eth0; ip link set eth0 up; '
                 'sysctl -qw net.ipv4.ip_local_port_range="10000 65000" net.core.somaxconn=4096 '
                 '2>/dev/null || :; ip neigh add %s lladdr 02:00:00:00:00:66 dev eth0' % (US, DEAD))
        self.world.sh('ip addr add %s/24 dev eth0; ip link set eth0 up; for a in %s; do '
                      'ip addr add $a/32 dev eth0; done'
                      % (THEM, ' '.join((SINK, DEFER, SLOW))))

    def stop(self):
        """It vanishes."""
        self.world.stop()
        for child in self.running:
            child.wait()

    def source(self, count, sessions=1, size=2000, to='joe@bench.test', *more, timeout=900):
        """Send `count` messages; returns when the last one is accepted."""
        self.run(['smtp-source', '-s', str(min(sessions, count)), '-m', str(count), '-l', str(size),
                  '-f', 'ann@bench.test', '-t', to, *more, US + ':25'], timeout)

    def run(self, command, timeout=900):
        """Run a command that must succeed."""
        code, out, err = self.world.call(command, timeout=timeout)
        if code or b'fatal:' in err or b'panic:' in err:
            raise Trouble('%s: exit code %d, %s' % (' '.join(command), code,
                                                    (out + err).decode(errors='replace')[-500:]))
        return out.decode(errors='replace')

    def sink(self, address, *options):
        """Start a server that takes mail, or does with it what the options of smtp-sink say."""
        child = self.world.popen(['smtp-sink', *options, address + ':25', '1000'],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.running.append(child)
        host.wait_for(lambda: self.listening(address) or child.poll() is not None, 'smtp-sink')
        if child.poll() is not None:
            raise Trouble('smtp-sink does not run')
        return child

    def listening(self, address):
        """Whether somebody listens on port 25 of the address."""
        number = ''.join('%02X' % int(part) for part in reversed(address.split('.')))
        return ' %s:0019 ' % number in host.read('/proc/%d/net/tcp' % self.world.pid)

    def end(self, child):
        """Stop a server that was started."""
        if child.poll() is None:
            inner = [int(pid) for pid in self.world.processes('smtp-sink')
                     if os.path.exists('/proc/%d' % pid)]
            for pid in inner:
                os.kill(pid, signal.SIGTERM)
        child.wait()
        self.running.remove(child)
