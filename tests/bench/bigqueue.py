"""bigqueue - scenario g: many messages wait in the queue.  Only for this suite: its queue can be
made without sending a million messages."""
import os
import signal
import subprocess
import time

import host
import net
from flow import DOWN, UP, Variant, wait_arrived
from tree import TOP, Trouble, home

ACCEPTED = 200                  # messages sent to a Maildir while the others wait
DAY = 86400


class Waiting(Variant):
    """`count` messages wait for tomorrow, all but one in a thousand, which are due."""
    counted = False
    only = ('pneumail',)
    figures = {'new mail s': DOWN, 'first due s': DOWN, 'scanned s': DOWN,
               'qmail-send RSS MB': DOWN,
               'bytes a message': DOWN, 'accepted/s': UP, 'accept CPU ms': DOWN,
               'idle CPU ms/s': DOWN, 'first drained s': DOWN, 'drained/s': UP}

    def __init__(self, count, split, seconds):
        self.split, self.seconds, self.sink = split, seconds, None
        super().__init__('%d messages in the queue, split %d' % (count, split), count)

    def begin(self, contender):
        files = 3 * self.messages + 100000
        contender.stop()
        contender.image_bytes = (1 << 30) + files * 1024
        # Small files in their inodes: three million of them would be 12 GB.
        contender.mkfs = ('-O', 'inline_data', '-N', str(files))
        contender.start(prepare=self.prepare)
        self.sink = contender.net.sink(net.SINK)

    def prepare(self, contender):
        """Programs and queue of this split."""
        if self.split == 23:
            return
        build = os.path.join(contender.place, 'split%d' % self.split)
        conf = os.path.join(contender.place, 'conf-split')
        host.write(conf, '%d\n' % self.split)
        made = subprocess.run(
            ['make', '-s', '-C', TOP, 'BUILD=' + build, 'CONF=conf-qmail conf-spawn ' + conf,
             'all'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if made.returncode:
            raise Trouble('no build for this split: ' + made.stdout[-500:])
        contender.world.sh('rm -rf %s/queue; cd %s && %s/bin/setup %s'
                           % (home(), TOP, build, build), timeout=300)

    def fill(self, contender):
        """Make the queue full again, while nothing runs."""
        missing = self.messages - contender.waiting()
        contender.world.sh('/bench/queuegen %s/queue %d %d %d; sync -f /srv/disk' % (
            home(), self.split, missing, time.time() + DAY), timeout=1800)

    def load(self, contender):
        contender.kill()
        self.fill(contender)
        figures = {}
        self.sink.reset()
        began = time.monotonic()
        contender.run()
        if self.messages:
            host.wait_for(lambda: self.sink.count()[0], 'the first delivery', net.PATIENCE)
            figures['first due s'] = time.monotonic() - began
        began_new = time.monotonic()
        contender.net.source(1)
        figures['new mail s'] = wait_arrived(contender, 1) - began_new
        figures['scanned s'] = self.wait_idle(contender) - began
        sender, = contender.world.processes('qmail-send')
        rss = memory_of(sender)
        figures['qmail-send RSS MB'] = rss / 1e6
        if self.messages >= 100000:     # else it is lost in what the program has anyway
            figures['bytes a message'] = rss / self.messages
        self.accept(contender, figures)
        self.wait_idle(contender, 2)    # deliveries' processes stay for a second
        before = sum(contender.meter.time().values())
        time.sleep(5)
        figures['idle CPU ms/s'] = (sum(contender.meter.time().values()) - before) / 5
        if self.messages:
            self.drain(contender, sender, figures)
        contender.world.sh('find /home/joe/Maildir/new -type f -delete')
        return figures

    @staticmethod
    def wait_idle(contender, seconds=0.5):
        """Wait until the contender has used next to no processor time for so long; when that
        began."""
        end = time.monotonic() + net.PATIENCE
        last, since = sum(contender.meter.time().values()), time.monotonic()
        while time.monotonic() < since + seconds:
            time.sleep(0.05)
            used = sum(contender.meter.time().values())
            if used - last > 1:
                last, since = used, time.monotonic()
            if time.monotonic() > end:
                raise Trouble('%s does not come to rest' % contender.name)
        return since

    @staticmethod
    def accept(contender, figures):
        """Mail that comes in meanwhile, and is delivered."""
        before, used = contender.arrived(), sum(contender.meter.time().values())
        began = time.monotonic()
        contender.net.source(ACCEPTED)
        figures['accepted/s'] = ACCEPTED / (time.monotonic() - began)
        wait_arrived(contender, before + ACCEPTED)
        Waiting.wait_idle(contender)
        figures['accept CPU ms'] = (sum(contender.meter.time().values()) - used) / ACCEPTED

    def drain(self, contender, sender, figures):
        """All that waits is due now, as an administrator orders it."""
        left = self.messages - self.sink.count()[0]
        self.sink.reset()
        began = time.monotonic()
        os.kill(sender, signal.SIGALRM)
        host.wait_for(lambda: self.sink.count()[0], 'the first delivery', net.PATIENCE)
        first = time.monotonic()
        end = first + self.seconds
        while time.monotonic() < end and self.sink.count()[0] < left:
            time.sleep(0.01)
        figures['first drained s'] = first - began
        figures['drained/s'] = self.sink.count()[0] / (time.monotonic() - began)

    def settle(self, contender):
        pass

    def end(self, contender):
        if self.sink in contender.net.sinks:
            contender.net.end(self.sink)


def memory_of(pid):
    """Resident bytes of a process."""
    for line in host.read('/proc/%d/status' % pid).splitlines():
        if line.startswith('VmRSS:'):
            return int(line.split()[1]) * 1024
    raise Trouble('qmail-send is gone')


def scenario_g(quick):
    """a queue with many messages waiting"""
    if quick:
        return [Waiting(0, 23, 2), Waiting(1000, 23, 2)]
    return [Waiting(count, split, 15) for count, split in (
        (0, 23), (1000, 23), (100000, 23), (1000000, 23), (1000000, 1009))]
