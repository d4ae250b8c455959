"""meter - what a contender uses: counted for its control group, so that neither the load generator
nor anything else on the machine is in it.

User and system time and context switches come from the kernel's accounting.  Calls are counted by
perf at trace points, in a run of its own: that costs the contender some time.
"""
import os
import signal
import subprocess
import time

import host
from tree import Trouble

SYNCS = ('fsync', 'fdatasync', 'sync_file_range', 'syncfs', 'sync')
EVENTS = {'raw_syscalls:sys_enter': 'system calls', 'context-switches': 'context switches',
          'sched:sched_process_fork': 'forks', 'sched:sched_process_exec': 'execs'}
EVENTS.update(('syscalls:sys_enter_' + call, call) for call in SYNCS)


def hierarchy():
    """Where the kernel's control groups (version 2) are mounted."""
    for line in host.read('/proc/mounts').splitlines():
        if line.split()[2] == 'cgroup2':
            return line.split()[1]
    raise Trouble('needs control groups (cgroup2 is not mounted)')


class Meter:
    """One control group."""

    def __init__(self, name):
        self.group = 'bench-%d-%s' % (os.getpid(), name)
        self.place = os.path.join(hierarchy(), self.group)
        self.perf = self.output = None

    def open(self):
        """Make the group."""
        os.mkdir(self.place)

    def enter(self):
        """Put this process into it, and all that it will start."""
        with open(self.place + '/cgroup.procs', 'w') as file:
            file.write('0')

    def close(self):
        """Remove the group; its processes have been killed, but may take a moment to go."""
        end = time.monotonic() + 20
        while os.path.isdir(self.place):
            try:
                os.rmdir(self.place)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def processes(self):
        """The pids in the group."""
        return [int(pid) for pid in host.read(self.place + '/cgroup.procs').split()]

    def time(self):
        """Seconds of processor time so far: user, system."""
        stat = dict(line.split() for line in host.read(self.place + '/cpu.stat').splitlines())
        return {'user ms': int(stat['user_usec']) / 1e3,
                'system ms': int(stat['system_usec']) / 1e3}

    def step(self, place):
        """Start to count instructions, one by one: a thousand times slower.  A child to be given to
        stepped()."""
        child = subprocess.Popen(
            [os.path.join(place, 'steps')] + [str(pid) for pid in self.processes()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if child.stdout.readline() != 'ready\n':
            raise Trouble('steps cannot trace the processes of ' + self.group)
        return child

    @staticmethod
    def stepped(child):
        """End that; the number."""
        out, _ = child.communicate()
        return int(out)

    # -- counting ------------------------------------------------------------------------------

    def begin(self, place):
        """Start to count the events."""
        self.output = os.path.join(place, self.group + '.perf')
        self.perf = subprocess.Popen(
            ['perf', 'stat', '-a', '-x', ';', '-o', self.output, '-e', ','.join(EVENTS),
             '-G', self.group, '--', 'sleep', '100000'], stderr=subprocess.PIPE, text=True)
        # perf enables its events and only then lets its command go on
        host.wait_for(lambda: self.perf.poll() is not None or self._sleeps(), 'perf', 60)
        if self.perf.poll() is not None:
            raise Trouble('perf: ' + self.perf.stderr.read())

    def _sleeps(self):
        """perf's command, once it runs."""
        children = host.read('/proc/{0}/task/{0}/children'.format(self.perf.pid)).split()
        return [int(pid) for pid in children
                if host.read('/proc/%s/comm' % pid).strip() == 'sleep']

    def end(self):
        """{what: how often since begin()}."""
        for pid in self._sleeps():
            os.kill(pid, signal.SIGTERM)
        self.perf.wait()
        self.perf.stderr.close()
        counts = {}
        for line in host.read(self.output).splitlines():
            fields = line.split(';')
            if len(fields) > 3 and fields[2] in EVENTS:
                if not fields[0].isdigit():
                    raise Trouble('perf does not count ' + fields[2])
                counts[EVENTS[fields[2]]] = int(fields[0])
        os.unlink(self.output)
        if len(counts) != len(EVENTS):
            raise Trouble('perf counted only ' + ', '.join(counts))
        counts['sync calls'] = sum(counts.pop(call) for call in SYNCS)
        return counts
