#!/usr/bin/python3
"""suite FS SEED MESSAGES IMAGES [CASE] - power cuts on one file system; inside a world.

A load runs on a new file system on a logged disk.  Then the disk is cut off at flushes and between
them; each image is mounted, the mail system started on it, and the promises are checked that were
given before the cut.  Prints a line `image CASE ok` or `image CASE WHAT...` for each.
FS may end in `-BUILD`: then programs of that build are put in place of the installed ones.
With CASE (FS:SEED:CUT:VARIANT) no load runs: the log kept from that run is used again."""
import collections
import os
import re
import shutil
import subprocess
import sys
import threading

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__))]
import disk                     # noqa: E402
import mailhost                 # noqa: E402
from disk import sh             # noqa: E402

PLACE = '/tmp/powercut'
KEEP = 'build/powercut/kept'
SWEPT = re.compile(r'intd/\d+: belongs to no message: there is no text with this number')
BROKEN_LIMIT = 3                # seconds that a build which must fail is given


def broken_programs(build):
    """Puts the programs of that build in place of the installed ones; owners and modes stay."""
    for name in os.listdir('build/powercut/' + build):
        if os.path.exists('/var/qmail/bin/' + name):
            shutil.copyfile('build/powercut/%s/%s' % (build, name), '/var/qmail/bin/' + name)


def record(fs, seed, messages):
    """Runs the load on a logged disk; the path of its log."""
    logged = disk.LoggedDisk(fs, PLACE, mailhost.MOUNT)
    mailhost.settle_in()
    mailhost.move_in()
    lock = threading.Lock()

    def mark(text):
        with lock:
            logged.mark(text)
    sink = mailhost.Sink(lambda recipients, text: [mark('sink ' + r) for r in recipients])
    system = mailhost.System(lambda recipient: mark('delivered ' + recipient), smtp=True)
    os.sync()
    mark('start')
    load = mailhost.Load(seed, messages, lambda message: mark('accepted ' + message.token))
    load.run()
    if not system.wait_idle():
        raise RuntimeError('the load does not end:\n' + '\n'.join(system.log[-20:]))
    system.close()
    sink.close()
    mailhost.move_out()
    logged.close()
    return logged.log


def cuts(log, images):
    """(position, variant) of at most `images` cuts, spread evenly; in rising order.  Every flush,
    right before and right after it, and between flushes, comes before any position twice."""
    start = next(i for i, text in log.marks() if text == 'start')
    places = []
    for before, flush in zip(log.flushes, log.flushes[1:]):
        if flush <= start:
            continue
        places.append((flush + 1, 'none'))
        places.append((flush, 'none'))
        pending = len(log.writes(before, flush))
        if pending:
            places += [(flush, 'some'), (flush, 'torn'), (flush, 'all')]
        if pending > 2:
            middle = (before + flush) // 2 + 1
            places += [(middle, 'none'), (middle, 'some'), (middle, 'torn'), (middle, 'all')]
    step = max(1, len(places) / images)
    return sorted({places[int(i * step)] for i in range(min(images, len(places)))})


class Check:
    """The promises given before a cut, and what the disk says afterwards."""

    def __init__(self, messages, marks):
        self.faults = []
        self.messages = {message.token: message for message in messages}
        self.seen = collections.defaultdict(set)
        for text in marks:
            what, _, who = text.partition(' ')
            self.seen[what].add(who)
        self.sink = set(self.seen['sink'])

    def fault(self, text):
        """A promise is broken."""
        self.faults.append(text)

    def mailboxes(self):
        """The messages in the mailboxes, each as it was sent: {recipient or bounce: number}."""
        found = collections.Counter()
        whole = [(address, text) for address, text in mailhost.mailbox() if not self.torn(text)]
        for address, text in mailhost.maildir() + whole:
            token = address.partition('@')[0].split('-')[-1]
            message = self.messages.get(token)
            if message is None:
                self.fault('mail for %r that nobody sent' % address)
            elif address == mailhost.sender(token):
                found['bounce ' + token] += 1
                self.bounce(message, text)
            elif not text.endswith(message.text):
                self.fault('the text for %s is not what was sent: %r' % (address, text[-300:]))
            found[address] += 1
        return found

    def torn(self, text):
        """Is this the beginning of a delivery to an mbox that the cut ended, perhaps with NULs in
        place of what was not yet written?  Its message is still in the queue then."""
        if any(text.endswith(message.text) for message in self.messages.values()):
            return False
        body = ''.join(text.partition(mailhost.FIRST)[1:]).rstrip('\n')
        return any(len(body) <= len(message.text) + 1 and
                   all(c in (wanted, '\0') for c, wanted in zip(body, message.text))
                   for message in self.messages.values())

    def bounce(self, message, text):
        """Only the recipient that does not exist may be in it."""
        notice = text.partition('--- Below this line')[0]
        bad = [r for r in re.findall('^<(.*)>:$', notice, re.M)
               if not r.startswith('nobody-' + message.token)]
        if bad or message.text not in text:
            self.fault('a bounce of %s for %r' % (message.token, bad))

    def deliveries(self):
        """Right after the cut: what was reported as delivered is in its mailbox."""
        found = self.mailboxes()
        for address in self.seen['delivered']:
            if address.startswith(('joe-', 'ann-')) and not found[address]:
                self.fault('%s was delivered and is not there' % address)

    def sunk(self, recipients, text):
        """The next host got one after the cut."""
        for recipient in recipients:
            token = recipient.partition('@')[0].split('-')[-1]
            if token not in self.messages or not text.endswith(self.messages[token].text):
                self.fault('the next host got another text for %s' % recipient)
            self.sink.add(recipient)

    def promises(self):
        """At the end: what was accepted has arrived, everywhere."""
        found = self.mailboxes()
        for token in self.seen['accepted']:
            for recipient in self.messages[token].recipients:
                name = recipient.partition('-')[0]
                arrived = {
                    'away': lambda r=recipient: r in self.sink,
                    'nobody': lambda t=token: found['bounce ' + t],
                    'fwd': lambda t=token: found['joe-fwd-%s@%s' % (t, mailhost.HERE)],
                }.get(name, lambda r=recipient: found[r])
                if not arrived():
                    self.fault('%s was accepted and has not arrived' % recipient)
        for what, n in found.items():
            # The cut may have come after a delivery and before it was noted; what was forwarded or
            # bounced has been through two deliveries.
            if n > (4 if what.startswith(('joe-fwd-', 'joe-b-', 'bounce ')) else 2):
                self.fault('%s arrived %d times' % (what, n))
            if what.startswith('bounce ') and not any(
                    r.startswith('nobody-') for r in self.messages[what[7:]].recipients):
                self.fault('a bounce of %s, for no reason' % what[7:])

    def queue(self):
        """Nothing is left but what the sweep will take, and all of it is legal.  An envelope of a
        message that was arriving may be on the disk without its text: neither was synced yet."""
        done = subprocess.run(['/var/qmail/bin/qmail-qcheck'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        said = [line for line in done.stdout.decode(errors='replace').splitlines()
                if not SWEPT.match(line)]
        if said or done.returncode not in (0, 1):
            self.fault('qmail-qcheck: ' + '; '.join(said or ['exit code %d' % done.returncode]))


def examine(fs, image, check):
    """Mounts the image and sees whether the mail system keeps its promises on it."""
    disk.mount(fs, image, mailhost.MOUNT)
    mailhost.move_in()
    check.deliveries()
    sink = mailhost.Sink(check.sunk)
    system = mailhost.System()
    if not system.wait_idle(BROKEN_LIMIT if '-' in fs else mailhost.IDLE_LIMIT):
        check.fault('stuck:\n' + '\n'.join(system.log[-10:]))
    system.close()
    sink.close()
    check.promises()
    check.queue()
    mailhost.move_out()
    sh('umount ' + mailhost.MOUNT)


def try_cuts(fs, seed, log, messages, wanted):
    """One image after the other.  True: no promise was broken."""
    platter = disk.Platter(log, PLACE + '/platter', disk.size(fs))
    good = True
    for cut, variant in wanted:
        case = '%s:%s:%d:%s' % (fs, seed, cut, variant)
        platter.image(cut, variant, seed, PLACE + '/cut')
        check = Check(messages, [text for _, text in log.marks(cut)])
        try:
            examine(fs, PLACE + '/cut', check)
        except RuntimeError as error:
            check.fault(str(error))
        print('image %s %s' % (case, '; '.join(check.faults) or 'ok'), flush=True)
        if check.faults:
            good = False
            break               # the world is not as it was
    return good


def main():
    fs, seed, messages, images = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    kept = '%s/%s:%s:%d' % (KEEP, fs, seed, messages)
    os.makedirs(PLACE)
    sh('mount -t devtmpfs devtmpfs /dev')       # a world's own has no loop devices
    if '-' in fs:
        broken_programs(fs.split('-')[1])
    if sys.argv[5:]:
        cut, variant = sys.argv[5].split(':')[2:]
        log, wanted = disk.Log(kept), [(int(cut), variant)]
    else:
        log = disk.Log(record(fs, seed, messages))
        wanted = cuts(log, images)
        print('load %s:%s: %d flushes, %d writes' % (
            fs, seed, len(log.flushes), len(log.writes(0, len(log.entries)))), flush=True)
    load = mailhost.Load(seed, messages, None)
    if not try_cuts(fs, seed, log, load.messages, wanted) and not sys.argv[5:]:
        shutil.copyfile(PLACE + '/log', kept)
    return 0


if __name__ == '__main__':
    sys.exit(main())
