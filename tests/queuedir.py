"""queuedir - the installed queue, its programs and the two spawn daemons, for tests of one program.

Paths are below the home directory of the suite; run in a world, as root.
"""
import os
import pwd
import select
import shutil
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'world'))
from tree import home                   # noqa: E402

QUEUE = home() + '/queue'
SPLIT = 23
PATIENCE = 30                           # seconds until a test gives up
ENVELOPE = b'Fann@a.example\0Tjoe@b.example\0\0'


def program(name):
    return '%s/bin/%s' % (home(), name)


def ids(user):
    """Of an account; a pair of numbers stands for itself."""
    if isinstance(user, tuple):
        return user
    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid


def become(user):
    """A preexec_fn that takes on the user, with no other group than its own."""
    uid, gid = ids(user)

    def change():
        os.setgroups([gid])
        os.setgid(gid)
        os.setuid(uid)
    return change


def put(path, data=b'x', owner='qmailq', mode=0o644):
    """Write a file below the queue."""
    path = os.path.join(QUEUE, path)
    with open(path, 'wb') as file:
        file.write(data)
    os.chmod(path, mode)
    os.chown(path, ids(owner)[0], ids('qmailq')[1])
    return path


def files(*directories):
    """What is in these directories of the queue, relative to it, sorted; no directories."""
    found = []
    for name in directories or ('pid', 'mess', 'intd', 'todo'):
        for place, _, names in os.walk(os.path.join(QUEUE, name)):
            found += [os.path.relpath(os.path.join(place, each), QUEUE) for each in names]
    return sorted(found)


def wipe():
    for name in files('pid', 'mess', 'intd', 'todo', 'info', 'local', 'remote', 'bounce'):
        os.unlink(os.path.join(QUEUE, name))


def read(path):
    with open(os.path.join(QUEUE, path), 'rb') as file:
        return file.read()


def stub(name, text):
    """Replace a program by a script (or by any other bytes)."""
    path = program(name)
    if os.path.exists(path) and not os.path.exists(path + '.real'):
        shutil.copy2(path, path + '.real')
    with open(path + '.new', 'w') as file:
        file.write(text)
    os.chmod(path + '.new', 0o755)
    os.rename(path + '.new', path)


def unstub(name):
    os.rename(program(name) + '.real', program(name))


class Queue:
    """One run of qmail-queue with pipes on 0 and 1."""

    def __init__(self, user='joe', path=None, **more):
        message, self.message = os.pipe()
        envelope, self.envelope = os.pipe()
        change = become(user)
        self.process = subprocess.Popen(
            [path or program('qmail-queue')], stdin=message, stdout=envelope,
            stderr=subprocess.PIPE, preexec_fn=change, **more)
        os.close(message)
        os.close(envelope)

    def send(self, message=b'Subject: x\n\nhello\n', envelope=ENVELOPE):
        """Writes both and returns the exit code."""
        for fd, data in ((self.message, message), (self.envelope, envelope)):
            try:
                while data:
                    data = data[os.write(fd, data):]
            except BrokenPipeError:
                pass
            os.close(fd)
        return self.wait()

    def wait(self):
        code = self.process.wait(PATIENCE)
        self.process.stderr.close()
        return code


class Spawn:
    """A spawn daemon between two pipes."""

    def __init__(self, name, *args, user=None, **more):
        self.to, self.got = None, b''
        self.process = subprocess.Popen(
            [program(name), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            preexec_fn=become(user) if user else None, cwd='/', **more)
        self.to = self.process.stdin
        self.limit = self.bytes(1)

    def bytes(self, n):
        while len(self.got) < n:
            ready = select.select([self.process.stdout], [], [], PATIENCE)[0]
            chunk = os.read(self.process.stdout.fileno(), 65536) if ready else b''
            if not chunk:
                raise AssertionError('no more reports; so far %r' % self.got)
            self.got += chunk
        taken, self.got = self.got[:n], self.got[n:]
        return taken

    def command(self, slot, recipient=b'joe@hosta.test', message=b'0/23', sender=b's@x.example'):
        self.to.write(bytes([slot]) + message + b'\0' + sender + b'\0' + recipient + b'\0')

    def report(self):
        """The next report: slot, text."""
        slot, text = self.bytes(1)[0], b''
        while True:
            byte = self.bytes(1)
            if byte == b'\0':
                return slot, text
            text += byte

    def reports(self, n):
        return dict(self.report() for _ in range(n))

    def one(self, *args, **more):
        """Carries out one command on slot 0 and returns the text of the report."""
        self.command(0, *args, **more)
        slot, text = self.report()
        return text if slot == 0 else (slot, text)

    def close(self):
        """Ends the commands; the exit code."""
        self.to.close()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code


def wait_until(what, *args):
    """Polls until what(*args) is true, and returns it; fails after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = what(*args)
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError('gave up waiting')


__all__ = ['ENVELOPE', 'PATIENCE', 'QUEUE', 'SPLIT', 'Queue', 'Spawn', 'become', 'files', 'home',
           'ids', 'program', 'put', 'read', 'signal', 'struct', 'stub', 'unstub', 'wait_until',
           'wipe']
