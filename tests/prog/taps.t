#!/usr/bin/python3
"""taps.t - control/taps in qmail-queue: the copy is a recipient in todo/, errors queue nothing."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

TAPS = q.home() + '/control/taps'


def write(text, mode=0o644):
    with open(TAPS, 'w') as file:
        file.write(text)
    os.chmod(TAPS, mode)


def queued(envelope=b'Fann@a.example\0Tjoe@b.example\0Tbob@c.example\0\0'):
    """Addresses of the one message in todo/; the exit code if there is none."""
    code = q.Queue().send(envelope=envelope)
    found = q.files('todo')
    if not found:
        return code
    records = q.read(found[0]).split(b'\0')
    q.wipe()
    return b' '.join(records[2:-1]).decode()


def main():
    both = 'Fann@a.example Tjoe@b.example Tbob@c.example'
    tap.equal(queued(), both, 'no file')
    write('')
    tap.equal(queued(), both, 'an empty one')
    write('# archive\nF:@a\\.example$:archive@z.example\nT:@b\\.example$:other@z.example\n')
    tap.equal(queued(), both + ' Tarchive@z.example', 'a sender')
    tap.equal(queued(b'F\0Tjoe@b.example\0\0'), 'F Tjoe@b.example Tother@z.example', 'a recipient')
    tap.equal(queued(b'Fx@y\0Tz@z\0\0'), 'Fx@y Tz@z', 'neither')
    write('A:!@nowhere$:bob@C.example\n')
    tap.equal(queued(), both, 'a recipient already')
    tap.equal(queued(b'Fx@y\0\0'), 'Fx@y Tbob@C.example', 'a message without recipients')
    tap.equal(queued(b'Fx@y\0Tz@z\0'), 54, 'an unfinished envelope queues nothing')
    for text in ('nonsense\n', 'F:(:a@b\n', 'F:a:a@b\nX:a:a@b\n'):
        write(text)
        tap.equal((queued(), q.files()), (55, []), 'exit 55, nothing left: %r' % text)
    write('F:a:a@b\n', 0o600)
    tap.equal((queued(), q.files()), (65, []), 'exit 65: only root may read it')
    os.unlink(TAPS)
    os.mkdir(TAPS)
    tap.equal((queued(), q.files()), (65, []), 'exit 65: a directory')
    os.rmdir(TAPS)
    tap.equal(queued(), both, 'and gone')
    return tap.done()


sys.exit(main())
