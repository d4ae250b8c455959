"""staying - for tests of programs that stay for one delivery after the other."""
import contextlib
import os
import signal
import subprocess

import queuedir as q
from host import read


def rspawn(**more):
    """A qmail-rspawn with these variables that finds qmail-remote, in the second directory."""
    return q.Spawn('qmail-rspawn', user='qmailr',
                   env=dict(os.environ, PATH='/nowhere:' + q.home() + '/bin:/usr/bin:/bin', **more))


def children(daemon, name):
    """Pids of its processes of exactly this name."""
    out = subprocess.run(['pgrep', '-x', '-P', str(daemon.process.pid), name],
                         stdout=subprocess.PIPE, check=False).stdout
    return [int(pid) for pid in out.split()]


def all_children(pid):
    """Pids of its children, also of those that are dead and have not been waited for."""
    return subprocess.run(['ps', '-o', 'pid=', '--ppid', str(pid)], stdout=subprocess.PIPE,
                          check=False).stdout.split()


def ready(daemon, name, deliver, want, *former):
    """Deliveries until one has been done by a process that waits for the next one, none of these;
    its pid.  The first that stays may be one that only shows that it can."""
    def did():
        if deliver() != want:
            return None
        new = [pid for pid in children(daemon, name) if pid not in former]
        return [pid for pid in new if not executed(daemon, deliver) and pid in
                children(daemon, name)]
    return q.wait_until(did)[0]


def traced(daemon, what, *options):
    """Runs what() while strace, with these options, looks at the daemon; the trace."""
    strace = subprocess.Popen(['strace', '-qq', *options, '-p', str(daemon.process.pid), '-o',
                               '/tmp/traced'], stderr=subprocess.DEVNULL)
    q.wait_until(lambda: 'TracerPid:\t%d\n' % strace.pid in read(
        '/proc/%d/status' % daemon.process.pid))
    what()
    strace.send_signal(signal.SIGINT)
    strace.wait()
    return read('/tmp/traced')


def executed(daemon, what):
    """Runs what(); how many programs the daemon and its children have started meanwhile."""
    return traced(daemon, what, '-f', '-e', 'trace=execve').count('execve(')


def open_files(pid):
    """What it has open: kinds or names."""
    return sorted(os.path.basename(os.readlink('/proc/%d/fd/%s' % (pid, fd))).split(':')[0]
                  for fd in os.listdir('/proc/%d/fd' % pid))


def stop(pid):
    """It does nothing more, not even take what comes while the signal is on its way.
    ProcessLookupError: it has ended."""
    os.kill(pid, signal.SIGSTOP)
    q.wait_until(lambda: state(pid) in 'TZ')
    if state(pid) != 'T':
        raise ProcessLookupError(pid)


def state(pid):
    """Its letter in ps; Z also if there is no such process."""
    return ([line[7] for line in read('/proc/%d/status' % pid).splitlines()
             if line.startswith('State:\t')] or ['Z'])[0]


def frozen(daemon, name, deliver, want, *former):
    """As ready(), and stopped: what has nothing to do may end at any time, this one cannot."""
    while True:
        pid = ready(daemon, name, deliver, want, *former)
        with contextlib.suppress(ProcessLookupError):
            stop(pid)
            return pid


def kill(pid):
    """It is gone after this, if it has not ended already because nothing came."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def ended(pid):
    return not os.path.exists('/proc/%d' % pid)
