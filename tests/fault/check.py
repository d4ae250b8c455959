"""check - where the copies of the messages are, and whether that is right.

The promises: a message whose client saw success is in every place that it was sent to, whole, with
its own envelope; more often only as spec'd for its run; nothing bounces that should not, and the
notice of what should names what has failed; the queue is legal; no process and no descriptor is
left over.
"""
import glob
import os
import re
import subprocess
from collections import Counter, namedtuple

from system import HOME, QUEUE, SPLIT, descriptors

TOKEN = re.compile(rb'\bt\d+z')
BOXES = ('/home/joe/Maildir', '/home/ann/Maildir', HOME + '/alias/Maildir')
MBOX, PROGRAM = '/home/joe/Mailbox', '/home/joe/prog'


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def header(text, name):
    """All values of a field, of the part before the first empty line."""
    head = text.partition(b'\n\n')[0]
    return [value.decode('latin-1') for value in re.findall(rb'^%s: (.*)$' % name, head, re.M)]


def place_of(text):
    """From the trace that the last delivery left."""
    to = (header(text, b'Delivered-To') or [''])[0]
    found = re.match(r'(?:joe-(md|mbox|prog)|ann-(s))-(\w+)@', to)
    if not found:
        return None
    if found[3] == 'again':
        return 'fwd'
    return 'bounce' if found[2] else found[1]


# One of what was delivered: where, from which sender, to which recipient by which earlier ones.
Copy = namedtuple('Copy', 'place sender to text')


def local_copy(text, place=None):
    sender = [value.strip('<>') for value in header(text, b'Return-Path')]
    return Copy(place or place_of(text), sender, header(text, b'Delivered-To'), text)


def mbox_copies(content):
    """Each with the sender in the line that separates it, too."""
    for part in re.split(rb'(?:^|\n)From ', content)[1:]:
        line, _, text = part.partition(b'\n')
        copy = local_copy(text, 'mbox')
        yield copy._replace(sender=sorted({*copy.sender, line.split(b' ')[0].decode('latin-1')}))


def boxes():
    """The files in which something was delivered on this host."""
    files = [name for box in BOXES for name in glob.glob(box + '/new/*')]
    return files + glob.glob(PROGRAM + '/new.*') + glob.glob(MBOX)


def copies(system):
    """Everything that was delivered, here and at the next host."""
    found = [Copy('sink2' if to[0].startswith('again-') else 'sink', [sender], to, text)
             for sender, to, text in system.sink.messages]
    for name in boxes():
        found += mbox_copies(read(name)) if name == MBOX else [local_copy(read(name))]
    return found


def empty_boxes(system):
    system.sink.messages = []
    # In tmp is what is left of killed deliveries: the mailbox's owner removes them.
    for name in boxes() + [name for box in BOXES for name in glob.glob(box + '/tmp/*')]:
        os.unlink(name)


def queued_notices():
    """The texts of those that wait in the queue: they have no sender."""
    for name in glob.glob(QUEUE + 'info/*/*') + glob.glob(QUEUE + 'todo/*'):
        number = os.path.basename(name)
        try:
            if b'F' in read(name).split(b'\0'):
                yield read('%smess/%d/%s' % (QUEUE, int(number) % SPLIT, number))
        except FileNotFoundError:
            pass                        # delivered and removed meanwhile


def note_delivered(system, messages):
    """Notes in each message where it is already, or is on its way to its sender, before anything is
    tried again."""
    notices = b'\n'.join(queued_notices())      # first: from here they go to the boxes
    while system.loop.pump(0):
        pass                            # what the next host has not looked at
    for message in messages:
        message.already = {copy.place for copy in copies(system)
                           if message.token.encode() in TOKEN.findall(copy.text)}
        if message.token.encode() in TOKEN.findall(notices):
            message.already.add('bounce')


def sort_copies(system, messages):
    """Hands every copy to its message: `seen`, place -> number; complaints about strange ones."""
    strange = []
    by_token = {message.token.encode(): message for message in messages}
    for message in messages:
        message.seen = {}
    everything = copies(system)
    empty_boxes(system)
    for copy in everything:
        envelope = ' '.join(copy.sender + copy.to).encode('latin-1')
        tokens = set(TOKEN.findall(envelope + b'\n' + copy.text))
        message = by_token.get(min(tokens, default=b''))
        if len(tokens) != 1 or not message:
            strange.append('mixed or unknown, at %s: %r' % (copy.place, copy.text))
        else:
            take(message, copy)
    return strange


def take(message, copy):
    """Counts what has come as it should."""
    place, text = copy.place, copy.text
    if place is None:
        message.faults.append('delivered to a strange place: %r' % text)
    elif message.body not in text.replace(b'\n>', b'\n'):
        if place != 'mbox' or not message.killed:   # which leaves a piece in an mbox
            message.faults.append('not whole, at %s: %r' % (place, text))
    else:
        message.seen[place] = message.seen.get(place, 0) + 1
        if (copy.sender, copy.to) != message.envelope_at(place):
            message.faults.append('wrong envelope, at %s: from %r to %r' % (
                place, copy.sender, copy.to))
        failed = set(re.findall(rb'^<(.*)>:$', text, re.M))
        if place == 'bounce' and failed != {message.address('bounce').encode()}:
            message.faults.append('the notice is about others: %r' % text)


def most_copies(message, place):
    """A second one only of what was there already when the disturbed program had ended and nothing
    had been tried again.  One kill may fall between queueing and marking of a notice, and at the
    same time between delivery and marking of the notice that is already there."""
    if message.already is not None and place not in message.already:
        return 1
    return message.copies_max + (place == 'bounce' and message.copies_max > 1)


def judge(message):
    """Adds to message.faults."""
    if message.verdict == 'pop':
        return
    if message.verdict == 'perm':
        message.faults.append('the client was told: never')
    if message.verdict == 'none':
        message.faults.append('the client was told nothing')
    if message.verdict == 'fail' and message.must_succeed:
        message.faults.append('the client saw trouble that should have been overcome')
    for place in message.expected:
        if message.verdict == 'ok' and not message.seen.get(place):
            message.faults.append('LOST: accepted, but not at %s; seen %s' % (place, message.seen))
    for place, count in message.seen.items():
        if place == 'bounce' and 'bounce' not in message.expected:
            message.faults.append('bounced')
        elif count > most_copies(message, place):
            message.faults.append('%d copies at %s' % (count, place))


def queue_faults():
    done = subprocess.run([HOME + '/bin/qmail-qcheck'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode('latin-1') if done.returncode else ''


def orphans():
    """Files that the 36-hour sweep will remove."""
    found = glob.glob(QUEUE + 'pid/*') + glob.glob(QUEUE + 'intd/*')
    for sub in range(SPLIT):
        found += glob.glob(QUEUE + 'mess/%d/*' % sub)
    return found


def grown(baseline):
    """As leftovers, but of daemons that were disturbed: all of them together may have less than
    before (no list of mounts; one may do what another was for), but nothing more."""
    def things(table):
        return Counter(thing for name, value in table.items() for thing in (
            ['process ' + name] * value if isinstance(value, int) else
            ['process ' + name] * len(value) + [opened for names in value for opened in names]))
    return ['leaked: ' + thing for thing in (things(descriptors()) - things(baseline)).elements()]


def leftovers(baseline):
    now = descriptors()
    return ['%s: %s, was %s' % (name, now.get(name), baseline.get(name))
            for name in sorted(set(now) | set(baseline)) if now.get(name) != baseline.get(name)]
