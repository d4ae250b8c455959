#!/usr/bin/python3
"""frozen FS[-BUILD] - nothing is reported while the disk stands still; inside a world.

Several deliveries to one Maildir, or messages put into one queue, are led to where each has made
the name that counts, with all they did before on disk.  Then the disk stops, and all of them go on
at once.  Nobody may report success until each sees the disk again; who does is looked for on the
disk as it was.  On btrfs fsync of the directory alone breaks this (lib/fsops.h, fsops_sync_names):
the file system must be new, as here, or have just been committed.
Exit code 0, or 1 and what was found."""
import os
import signal
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), 'tests']
import disk                     # noqa: E402
import mailhost                 # noqa: E402
from shell import sh            # noqa: E402

PLACE = '/tmp/powercut'
TOGETHER = 6
LIMIT = 60                      # seconds for processes to get anywhere
STILL = 20                      # looks that must find all waiting
MAILDIR = ('setpriv --reuid joe --regid joe --clear-groups /var/qmail/bin/qmail-local -- joe '
           "/home/joe joe '' '' here.example %d@away.example ./Maildir/ <message")
QUEUE = '/var/qmail/bin/qmail-queue <message 1<envelope%d'
# Each stops after a call, which is given by its number: the last write, the link that counts.
WAYS = (('Maildir', MAILDIR, 1, 1), ('queue', QUEUE, 2, 2))


class Worker:
    """A process that stops at these two calls."""

    def __init__(self, command, number, write, link):
        self.number = number
        self.pidfile = 'pid%d' % number
        self.process = subprocess.Popen(
            "exec strace -o /dev/null -e trace=write,link "
            "-e inject=write:signal=SIGSTOP:when=%d -e inject=link:signal=SIGSTOP:when=%d "
            "sh -c 'printf $$ >&3; exec 3>&-; exec %s' 3>%s" % (
                write + 1, link, (command % number).replace("'", "'\\''"), self.pidfile),
            shell=True, cwd=PLACE)

    def ended(self):
        """Is it over?"""
        return self.process.poll() is not None

    def pid(self):
        """Of the program itself."""
        with open('%s/%s' % (PLACE, self.pidfile), encoding='ascii') as file:
            return int(file.read() or 0)

    def state(self):
        """One letter as in ps; `X`: it is no more."""
        if self.ended():
            return 'X'
        try:
            with open('/proc/%d/stat' % self.pid(), encoding='latin-1') as file:
                return file.read().rpartition(')')[2].split()[0]
        except OSError:
            return '-'

    def go_on(self):
        """After a stop."""
        os.kill(self.pid(), signal.SIGCONT)


def wait_for(workers, states, looks=1):
    """Until all are in one of these states, that many times in a row."""
    end, good = time.monotonic() + LIMIT, 0
    while good < looks:
        good = good + 1 if all(worker.state() in states for worker in workers) else 0
        if time.monotonic() > end:
            raise RuntimeError('processes are %s' % [worker.state() for worker in workers])
        time.sleep(0.005)


def arrived(way):
    """Numbers of the messages on the disk."""
    where = mailhost.JOE + '/new' if way == 'Maildir' else mailhost.QUEUE + '/todo'
    found = set()
    for directory, _, names in os.walk(where):
        for name in names:
            with open(directory + '/' + name, encoding='latin-1') as file:
                sender = file.read().partition('@away')[0]
            found.add(int(sender.rpartition('F' if way == 'queue' else '<')[2]))
    return found


def lead_on(way, workers, count):
    """From the last write to the link, with all that was written made durable in between, so that
    the syncs find nothing to do and the directory's will be the first."""
    wait_for(workers, 'tT', STILL)
    sh('sync -f ' + mailhost.MOUNT)
    for worker in workers:
        worker.go_on()
    end = time.monotonic() + LIMIT
    while len(arrived(way)) < count and time.monotonic() < end:
        time.sleep(0.005)
    wait_for(workers, 'tT', STILL)


def freeze(logged, workers):
    """Lets them run on a disk that stands still: (numbers of those that report success, how long
    the log is)."""
    logged.server.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, logged.server.pid, os.WSTOPPED)
    for worker in workers:
        worker.go_on()
    wait_for(workers, 'DXZ', STILL)
    early = {worker.number for worker in workers
             if worker.ended() and not worker.process.returncode}
    size = os.path.getsize(logged.log)
    logged.server.send_signal(signal.SIGCONT)
    codes = [worker.process.wait(LIMIT) for worker in workers]
    if any(codes):
        raise RuntimeError('exit codes %s' % codes)
    return early, size


def missing(fs, way, log, size, early):
    """Which of them are not on the disk as it was?"""
    cut = sum(entry.start + entry.n <= size for entry in log.entries)
    disk.Platter(log, PLACE + '/platter', disk.size(fs)).image(cut, 'none', 0, PLACE + '/cut')
    disk.mount(fs, PLACE + '/cut', mailhost.MOUNT)
    mailhost.move_in()
    lost = early - arrived(way)
    mailhost.move_out()
    disk.unmount(mailhost.MOUNT)
    return lost


def try_way(fs, way, command, write, link):
    """True: no promise was broken."""
    place = '%s/%s' % (PLACE, way)
    os.makedirs(place)
    logged = disk.LoggedDisk(fs, place, mailhost.MOUNT)
    mailhost.settle_in()
    mailhost.move_in()
    workers = [Worker(command, number, write, link) for number in range(TOGETHER)]
    lead_on(way, workers, TOGETHER)
    early, size = freeze(logged, workers)
    mailhost.move_out()
    logged.close()
    lost = missing(fs, way, disk.Log(logged.log), size, early) if early else set()
    print('%s, %s: %d of %d reported, %d of these lost'
          % (fs, way, len(early), TOGETHER, len(lost)))
    return not lost


def main():
    os.makedirs(PLACE)
    sh('mount -t devtmpfs devtmpfs /dev')       # a world's own has no loop devices
    mailhost.configure()
    if '-' in sys.argv[1]:
        mailhost.broken_programs(sys.argv[1].split('-')[1])
    with open(PLACE + '/message', 'w', encoding='ascii') as made:
        made.write(mailhost.FIRST + '\ntext\n')
    for number in range(TOGETHER):
        with open('%s/envelope%d' % (PLACE, number), 'w', encoding='ascii') as made:
            made.write('F%d@away.example\0Tjoe@%s\0\0' % (number, mailhost.HERE))
    return 0 if all([try_way(sys.argv[1], *way) for way in WAYS]) else 1


if __name__ == '__main__':
    sys.exit(main())
