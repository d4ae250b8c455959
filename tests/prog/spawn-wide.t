#!/usr/bin/python3
"""spawn-wide.t - the spawn daemons built for more than 255 slots speak two-byte slot numbers.

Builds them a second time in the copy of the tree that the world gives.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

SLOTS = 300
WIDE = '/tmp/wide'


def build():
    with open('conf-spawn', 'w') as file:
        file.write('%d\n' % SLOTS)
    names = ['qmail-lspawn', 'qmail-rspawn']
    done = subprocess.run(['make', '-s', 'BUILD=' + WIDE] +
                          ['%s/bin/%s' % (WIDE, name) for name in names],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    tap.equal((done.returncode, done.stdout), (0, b''), 'built for %d slots' % SLOTS)
    for name in names:
        os.rename(q.program(name), q.program(name) + '.narrow')
        os.symlink('%s/bin/%s' % (WIDE, name), q.program(name))


def number(n):
    return bytes([n & 255, n >> 8])


class Wide(q.Spawn):
    """A daemon whose slot numbers have two bytes."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.limit += self.bytes(1)

    def command(self, slot, recipient=b'joe@hosta.test', message=b'0/23', sender=b's@x.example'):
        self.to.write(number(slot) + message + b'\0' + sender + b'\0' + recipient + b'\0')

    def report(self):
        low = self.bytes(1)[0]
        high, text = super().report()
        return low | high << 8, text


def local():
    q.stub('qmail-local', '#!/bin/sh\nread x </tmp/gate; echo $4\n')
    os.mkfifo('/tmp/gate')
    daemon = Wide('qmail-lspawn', './Maildir/')
    tap.equal(daemon.limit, number(SLOTS), 'limit, low byte first')
    for slot in range(SLOTS):
        daemon.command(slot, b'joe-%d@h' % slot)
    daemon.command(SLOTS)
    tap.equal(daemon.report(), (SLOTS, b'ZInternal error: delnum too big. (#4.3.5)\n'),
              'slot too big')
    daemon.command(256)
    tap.equal(daemon.report(), (256, b'ZInternal error: delnum in use. (#4.3.5)\n'), 'slot in use')
    with open('/tmp/gate', 'w') as gate:
        gate.write('x\n' * SLOTS)
        gate.flush()
        got = daemon.reports(SLOTS)
    tap.equal(got, {slot: b'Kjoe-%d\n' % slot for slot in range(SLOTS)}, '%d at once' % SLOTS)
    tap.equal(daemon.close(), 0, 'end')


def remote():
    q.stub('qmail-remote', '#!/bin/sh\nprintf "r\\0K$3\\0"\n')
    daemon = Wide('qmail-rspawn', user='qmailr',
                  env=dict(os.environ, PATH=q.home() + '/bin:/usr/bin:/bin'))
    tap.equal(daemon.limit, number(SLOTS), 'limit')
    for slot in 0, 1, 255, 256, SLOTS - 1:
        daemon.command(slot, b'bob@c.example')
        tap.equal(daemon.report(), (slot, b'Kbob@c.example'), 'slot %d' % slot)
    tap.equal(daemon.close(), 0, 'end')


q.put('mess/0/23', b'Received: x\n\nhello\n')
build()
local()
remote()
sys.exit(tap.done())
