#!/usr/bin/python3
"""suite FS SEED MESSAGES IMAGES [CASE] - power cuts on one file system; inside a world.

A load runs on a new file system on a logged disk.  Then the disk is cut off at flushes and between
them; each image is mounted, the mail system started on it, and the promises are checked that were
given before the cut.  Prints a line `image CASE ok` or `image CASE WHAT...` for each.
FS may end in `-BUILD`: then programs of that build are put in place of the installed ones.
With CASE (FS:SEED:CUT:VARIANT) no load runs: the log kept from that run is used again."""
import collections
import os
import random
import re
import shutil
import subprocess
import sys
import threading

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), 'tests']
import disk                     # noqa: E402
import mailhost                 # noqa: E402
from shell import sh            # noqa: E402

PLACE = '/tmp/powercut'
KEEP = 'build/powercut/kept'
SWEPT = re.compile(r'intd/\d+: belongs to no message: there is no text with this number')
EVERY = 400                     # images, when every flush is cut at
BROKEN_LIMIT = 3                # seconds that a build which must fail is given
# Promises, and what says that one was broken: mail was lost.
LOSS = {'accepted': ' was accepted and has not arrived for ',
        'delivered': ' was delivered and is not there'}
# Which of them a broken build must be seen to break.  Less does not count: that it is not idle in
# time may be the machine's fault.
MUST_BREAK = {'nosync': ('accepted', 'delivered'), 'nowrite': ('accepted', 'delivered'),
              'mailbox': ('delivered',)}


def build_of(fs):
    """The name of the broken build, or nothing."""
    return fs.partition('-')[2]


def record(fs, seed, messages):
    """Runs the load on a logged disk; the path of its log."""
    logged = disk.LoggedDisk(fs, PLACE, mailhost.MOUNT)
    mailhost.settle_in()
    mailhost.move_in()
    lock = threading.Lock()

    def mark(text):
        with lock:
            logged.mark(text)
    sink = mailhost.Sink(lambda who, recipients, text: [mark('sink ' + r) for r in recipients])
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


def cuts(log, images, dice, begin):
    """(position, variant) of at most `images` cuts after the first mark that begins with one of
    these words, in rising order.  First every flush, as late as possible before the next one and
    without what was written meanwhile (as many of them, evenly spread, as make half of the images);
    then all others by the dice.  images 0: twice as many as there are flushes, at least EVERY."""
    start = next(i for i, text in log.marks() if text.startswith(begin))
    flushes, others = [], []
    for before, flush in zip(log.flushes, log.flushes[1:]):
        if flush <= start:
            continue
        flushes.append((flush, 'none'))
        others.append((flush + 1, 'none'))
        pending = len(log.writes(before, flush))
        if pending:
            others += [(flush, 'some'), (flush, 'torn'), (flush, 'all')]
        if pending > 2:
            middle = (before + flush) // 2 + 1
            others += [(middle, 'none'), (middle, 'some'), (middle, 'torn'), (middle, 'all')]
    images = images or max(EVERY, 2 * len(flushes))
    share = min(len(flushes), (images + 1) // 2)
    chosen = [flushes[i * len(flushes) // share] for i in range(share)]
    return sorted(chosen + dice.sample(others, min(len(others), images - share)))


class Check:
    """The promises given before a cut, and what the disk says afterwards."""

    def __init__(self, messages, marks):
        self.faults = []
        self.log = []                                   # of the mail system, in the end
        self.named = collections.defaultdict(set)       # recipients that came back, by token
        self.resent = collections.Counter()             # what the next host got after the cut
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
            elif not self.envelope(message, address, text):
                self.fault('%r is nobody\'s envelope: %r' % (address, text[:80]))
            elif address == mailhost.sender(token):
                self.bounce(message, text)
            elif not text.endswith(message.text):
                self.fault('the text for %s is not what was sent: %r' % (address, text[-300:]))
            found[address] += 1
        return found

    @staticmethod
    def envelope(message, address, text):
        """Does this message go to that address, with the sender it has in the text?"""
        token = message.token
        if address == mailhost.sender(token):
            return text.startswith('Return-Path: <>\n')
        # forward sends on to the address of joe's that has the same token
        original = address.replace('joe-fwd-', 'fwd-', 1)
        return (original in message.recipients and
                text.startswith('Return-Path: <%s>\n' % mailhost.sender(token)))

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
        """Recipients that cannot be reached are in it, at least one, and nobody else."""
        notice = text.partition('--- Below this line')[0]
        named = set(re.findall('^<(.*)>:$', notice, re.M))
        if not named or not named <= set(message.recipients) or not text.endswith(message.text) or \
                any(not r.startswith(mailhost.BROKEN) for r in named):
            self.fault('a bounce of %s for %r: %r' % (message.token, named, notice[-300:]))
        else:
            self.named[message.token] |= named

    def deliveries(self):
        """Right after the cut: what was reported as delivered is in its mailbox."""
        self.before, self.old_mbox = self.mailboxes(), mailhost.mbox_bytes()
        self.pending = mailhost.pending()
        found = self.before
        for address in self.seen['delivered']:
            if address.startswith(('joe-', 'ann-')) and not found[address]:
                self.fault(address + LOSS['delivered'])

    def sunk(self, who, recipients, text):
        """The next host got one after the cut."""
        for recipient in recipients:
            token = recipient.partition('@')[0].split('-')[-1]
            if token not in self.messages or not text.endswith(self.messages[token].text):
                self.fault('the next host got another text for %s' % recipient)
            elif recipient not in self.messages[token].recipients or who != mailhost.sender(token):
                self.fault('the next host got one from %s for %s' % (who, recipient))
            self.sink.add(recipient)
            self.resent[recipient] += 1

    def arrived(self, message, recipient, found):
        """Has the message reached its recipient, or has the sender been told?"""
        name = recipient.partition('-')[0]
        if name == 'away':
            return recipient in self.sink
        if recipient.startswith(mailhost.BROKEN):
            return recipient in self.named[message.token]
        return found['joe-' + recipient if name == 'fwd' else recipient]

    @staticmethod
    def waits(message, recipient, left):
        """Is it, by what is left in the queue, still to come?  Then nothing is lost, yet."""
        if recipient.startswith(mailhost.BROKEN):
            return left[recipient] or left[mailhost.sender(message.token)]
        return left[recipient] or left['joe-' + recipient]

    def late(self, message, missing, left):
        """These recipients have not got what was accepted."""
        waiting = [r for r in missing if self.waits(message, r, left)]
        lost = [r for r in missing if r not in waiting]
        if waiting:
            self.fault('%s was accepted and is still in the queue for %s' % (
                message.token, waiting))
        if lost:
            self.fault('%s%s%s' % (message.token, LOSS['accepted'], lost))

    def promises(self):
        """At the end: what was accepted has arrived, everywhere; and of what clients did not see
        accepted, all or nothing."""
        found, left = self.mailboxes(), mailhost.pending()
        for message in self.messages.values():
            missing = [r for r in message.recipients if not self.arrived(message, r, found)]
            if message.token in self.seen['accepted']:
                self.late(message, missing, left)
            elif missing and len(missing) < len(message.recipients):
                self.fault('%s has arrived, but not for %s' % (message.token, missing))
        self.copies(found)
        if not mailhost.mbox_bytes().startswith(self.old_mbox):
            self.fault('the mbox has changed before its old end')

    def copies(self, found):
        """Nothing comes once more that the queue on the disk had not still to deliver."""
        new = self.resent + (found - self.before)
        for address, n in new.items():
            allowed = self.pending[address]
            if address.startswith('joe-fwd-'):
                allowed += self.pending[address.replace('joe-fwd-', 'fwd-', 1)]
            if n > allowed:
                self.fault('%s arrived %d times, but was %d times in the queue' % (
                    address, n, allowed))

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
    if not system.wait_idle(BROKEN_LIMIT if build_of(fs) else mailhost.IDLE_LIMIT):
        check.fault('stuck: ' + ' | '.join(system.log[-10:]))
    system.close()
    sink.close()
    check.log = system.log
    check.promises()
    check.queue()
    mailhost.move_out()
    disk.unmount(mailhost.MOUNT)


def faults_of(fs, image, case, check):
    """What is wrong with this image, and whether the next one can be tried."""
    usable = True
    try:
        examine(fs, image, check)
    except RuntimeError as error:
        check.fault(str(error).replace('\n', ' | '))
        usable = False          # the world is not as it was
    print('image %s %s' % (case, '; '.join(check.faults) or 'ok'), flush=True)
    if check.faults:
        with open('%s/%s.log' % (KEEP, case), 'w', encoding='utf-8') as file:
            file.write(''.join(line + '\n' for line in check.log))
    return check.faults, usable


def try_cuts(fs, seed, log, messages, wanted):
    """One image after the other, until a promise was broken; with a broken build, until mail was
    lost.  True: no promise was broken."""
    platter = disk.Platter(log, PLACE + '/platter', disk.size(fs))
    losses = [LOSS[promise] for promise in MUST_BREAK.get(build_of(fs), ())]
    for cut, variant in wanted:
        case = '%s:%s:%d:%s' % (fs, seed, cut, variant)
        platter.image(cut, variant, seed, PLACE + '/cut')
        check = Check(messages, [text for _, text in log.marks(cut)])
        faults, usable = faults_of(fs, PLACE + '/cut', case, check)
        lost = [what for what in faults if any(words in what for words in losses)]
        if lost:
            print('caught %s %s' % (case, lost[0]), flush=True)
        if lost or not usable or (faults and not losses):
            return False
    return True


def main():
    fs, seed, messages, images = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    kept = '%s/%s:%s:%d' % (KEEP, fs, seed, messages)
    os.makedirs(PLACE)
    sh('mount -t devtmpfs devtmpfs /dev')       # a world's own has no loop devices
    mailhost.configure()
    if build_of(fs):
        mailhost.broken_programs(build_of(fs))
    if sys.argv[5:]:
        cut, variant = sys.argv[5].split(':')[2:]
        log, wanted = disk.Log(kept), [(int(cut), variant)]
    else:
        log = disk.Log(record(fs, seed, messages))
        begin = MUST_BREAK.get(build_of(fs), ('start',))    # before it no promise can be broken
        wanted = cuts(log, images, random.Random(seed), begin)
        print('load %s:%s: %d flushes, %d writes' % (
            fs, seed, len(log.flushes), len(log.writes(0, len(log.entries)))), flush=True)
    load = mailhost.Load(seed, messages, None)
    if not try_cuts(fs, seed, log, load.messages, wanted) and not sys.argv[5:]:
        shutil.copyfile(PLACE + '/log', kept)
    return 0


if __name__ == '__main__':
    sys.exit(main())
