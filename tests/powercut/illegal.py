#!/usr/bin/python3
"""illegal - queues made by hand, which Check.queue of suite.py must find fault with, or must not.
Inside a world.  Exit code 0, or 1 and what was judged wrongly."""
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), 'tests']
import queuedir                 # noqa: E402
import suite                    # noqa: E402

TEXT = b'Received: (qmail 77 invoked by uid 1); 1 Jan 2020 00:00:00 -0000\nSubject: x\n\nbody\n'
TODO, INFO, LOCAL = b'u1\0p2\0Fs@x\0Tr@y\0', b'Fs@x\0', b'Ta@b\0'
BOUNCE = b'<c@d>:\nno\n\n'
LEGAL = (
    {},
    {'mess': b'', 'intd': b''},                         # arriving
    {'intd': TODO},                                     # was arriving; the text is gone
    {'mess': TEXT, 'todo': TODO},
    {'mess': TEXT, 'info': INFO, 'local': LOCAL, 'bounce': BOUNCE},
)
ILLEGAL = (
    {'todo': TODO},                                     # no text
    {'info': INFO, 'local': LOCAL},
    {'mess': b'', 'todo': TODO},                        # an empty one
    {'mess': b'\0' * 500, 'info': INFO, 'local': LOCAL},
    {'mess': TEXT, 'todo': b''},                        # no sender
    {'mess': TEXT, 'todo': TODO[:-1]},                  # half an envelope
    {'mess': TEXT, 'local': LOCAL},
    {'mess': TEXT, 'info': INFO, 'local': LOCAL[:-1]},
    {'mess': TEXT, 'info': INFO, 'local': b'\0' * 5},
    {'mess': TEXT, 'todo': TODO, 'bounce': BOUNCE},     # two states at once
    {'mess': TEXT, 'intd': TODO, 'info': INFO},
    {'mess': TEXT, 'info': INFO, 'bounce': BOUNCE[:-1]},
)


def fill(files):
    """A message that has these files and, unless it has no text, its inode as number."""
    path = queuedir.put('pid/1.2.3')
    number = os.stat(path).st_ino
    for kind, data in files.items():
        split = '%d/' % (number % queuedir.SPLIT) if kind in ('mess', 'info', 'local') else ''
        name = '%s/%s%d' % (kind, split, number)
        if kind == 'mess':
            os.rename(path, os.path.join(queuedir.QUEUE, name))
        owner = ('qmailq', 0o644) if kind in ('mess', 'intd', 'todo') else ('qmails', 0o600)
        queuedir.put(name, data, *owner)


def main():
    wrong = 0
    for legal, queues in ((True, LEGAL), (False, ILLEGAL)):
        for files in queues:
            fill(files)
            check = suite.Check([], [])
            check.queue()
            if legal == bool(check.faults):
                print('%s: %r: %s' % ('legal' if legal else 'illegal', files, check.faults))
                wrong += 1
            queuedir.wipe()
    print('%d queues' % len(LEGAL + ILLEGAL))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
