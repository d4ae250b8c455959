"""disk - a file system on a disk whose every request is logged, and what the log says.

Runs inside a world (loop devices come from its own devtmpfs, see `suite`)."""
import collections
import mmap
import os
import random
import struct
import subprocess
import time

from shell import sh

HEAD = struct.Struct('=4sIQ')
BLOCK = 4096                    # what a disk writes whole or not at all
RELEASE_LIMIT = 20
EXT4 = 'mkfs.ext4 -q -E lazy_itable_init=0'
MKFS = {                        # type, command, MiB, mount options
    'ext4': ('ext4', EXT4, 64, 'noatime'),
    'ext4+data=journal': ('ext4', EXT4, 64, 'noatime,data=journal'),
    'ext4+data=writeback': ('ext4', EXT4, 64, 'noatime,data=writeback'),
    'xfs': ('xfs', 'mkfs.xfs -q', 320, 'noatime'),
    'btrfs': ('btrfs', 'mkfs.btrfs -q -m single', 128, 'noatime'),
}
Entry = collections.namedtuple('Entry', 'type offset start n')


def how(fs):
    """The entry of MKFS for a name such as `ext4-nosync`."""
    return MKFS[fs.split('-')[0]]


def size(fs):
    """In bytes."""
    return how(fs)[2] << 20


def attach(path):
    """A block device made of a file."""
    return sh('losetup --find --show ' + path)


def mount(fs, path, where):
    """Mounts the image; the device goes away when it is unmounted."""
    device = attach(path)
    try:
        sh('mount -t %s -o %s %s %s' % (how(fs)[0], how(fs)[3], device, where))
    finally:
        sh('losetup -d ' + device)


def unmount(where):
    """A process that is ending lets go of its directory only after nobody can see it any more, and
    nothing tells when; so this is tried until it works, up to RELEASE_LIMIT seconds."""
    end = time.monotonic() + RELEASE_LIMIT
    while True:
        try:
            sh('umount ' + where)
            return
        except RuntimeError as error:
            if 'busy' not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)


class LoggedDisk:
    """A new file system, mounted at `where`."""

    def __init__(self, fs, place, where):
        self.where, self.fuse, self.log = where, place + '/fuse', place + '/log'
        image = place + '/image'
        os.makedirs(self.fuse)
        with open(image, 'wb') as file:
            file.truncate(size(fs))
        self.server = subprocess.Popen(['build/powercut/logdisk', self.fuse, image, self.log])
        while not os.path.exists(self.fuse + '/disk'):
            if self.server.poll() is not None:
                raise RuntimeError('logdisk does not run: is there /dev/fuse?')
        device = attach(self.fuse + '/disk')
        try:
            sh('%s %s' % (how(fs)[1], device))
        finally:
            sh('losetup -d ' + device)
        mount(fs, self.fuse + '/disk', where)
        self.marks = os.open(self.fuse + '/mark', os.O_WRONLY)

    def mark(self, text):
        """Notes in the log what has been seen by now."""
        os.write(self.marks, text.encode())

    def close(self):
        """The log is complete."""
        unmount(self.where)
        os.close(self.marks)
        while subprocess.run(['losetup', '-j', self.fuse + '/disk'], stdout=subprocess.PIPE,
                             check=True).stdout:
            pass                # the kernel lets go of it a moment after umount
        sh('umount ' + self.fuse)
        self.server.wait()


class Log:
    """The requests in their order, and disks as they were at any moment."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.entries = []
        at = 0
        while at < len(self.data):
            what, n, offset = HEAD.unpack_from(self.data, at)
            at += HEAD.size
            self.entries.append(Entry(what[:1].decode(), offset, at, n))
            at += n
        self.flushes = [i for i, entry in enumerate(self.entries) if entry.type == 'F']

    def text(self, entry):
        """The data of an entry."""
        return self.data[entry.start:entry.start + entry.n]

    def marks(self, end=None):
        """(position, text) of the marks before `end`."""
        return [(i, self.text(entry).decode()) for i, entry in enumerate(self.entries[:end])
                if entry.type == 'M']

    def writes(self, begin, end):
        """The writes between two positions."""
        return [entry for entry in self.entries[begin:end] if entry.type == 'W']


class Platter:
    """What has been flushed, as a file; cuts must be asked for in rising order."""

    def __init__(self, log, path, length):
        self.log, self.path, self.at = log, path, 0
        self.known = set()      # blocks that are not all zero
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(self.fd, length)

    def put(self, fd, entry, data):
        """Writes, but leaves holes where nothing but zeros ever was."""
        blocks = range(entry.offset // BLOCK, (entry.offset + len(data) - 1) // BLOCK + 1)
        if data.count(0) == len(data) and self.known.isdisjoint(blocks):
            return
        if fd == self.fd:
            self.known.update(blocks)
        os.pwrite(fd, data, entry.offset)

    def image(self, cut, variant, seed, path):
        """The disk after a power cut at this position.  Of what was written after the last flush,
        `none` is kept, `all`, or a random part (`some`, in whole requests; `torn`, in blocks)."""
        flushed = max((i for i in self.log.flushes if i < cut), default=0)
        for entry in self.log.writes(self.at, flushed):
            self.put(self.fd, entry, self.log.text(entry))
        self.at = max(self.at, flushed)
        sh('cp --sparse=always %s %s' % (self.path, path))
        chance = random.Random('%s %d %s' % (seed, cut, variant))
        fd = os.open(path, os.O_WRONLY)
        for entry in self.log.writes(flushed, cut):
            data = self.log.text(entry)
            if variant == 'all' or (variant == 'some' and chance.random() < 0.5):
                os.pwrite(fd, data, entry.offset)
            elif variant == 'torn':
                end = entry.offset + entry.n
                for block in range(entry.offset // BLOCK * BLOCK, end, BLOCK):
                    first, last = max(block, entry.offset), min(block + BLOCK, end)
                    if chance.random() < 0.5:
                        os.pwrite(fd, data[first - entry.offset:last - entry.offset], first)
        os.close(fd)
