#!/usr/bin/python3
"""lib/journal: on which file systems one sync does the work of many, and what is done on the
others. Each is made in a file and mounted; qmail-queue and qmail-local then say by their system
calls what they think of it.  qmail-todo, qmail-clean and qmail-send likewise, with a message on its
way."""
import os
import re
import subprocess
import sys

sys.path[:0] = ['tests']
import tap                      # noqa: E402
from shell import sh            # noqa: E402

PLACE = '/tmp/disk'             # the image and the journal device are files here
MOUNT = '/mnt'
QUEUE = '/var/qmail/queue'
TRACE = '/tmp/trace'
CALLS = 'trace=fsync,fdatasync,syncfs,sync_file_range,link,rename,unlink,openat,exit_group'
WAITS = 'SYNC_FILE_RANGE_WAIT_AFTER'

PLAIN_QUEUE = ['fsync mess/S/N', 'fsync intd/N', 'fsync mess/S', 'link todo', 'fsync todo']
# btrfs: fsops_sync_names
NAMED_QUEUE = ['fsync mess/S/N', 'fsync intd/N', 'fsync mess/S', 'link todo', 'fsync intd/N',
               'fsync todo']
ORDERED_QUEUE = ['wait intd/N', 'wait mess/S/N', 'link todo', 'fsync todo']
PLAIN_MAILDIR = ['fsync file', 'link new', 'fsync new']
NAMED_MAILDIR = ['fsync file', 'link new', 'fsync file', 'fsync new']
ORDERED_MAILDIR = ['wait file', 'link new', 'fsync new']

# name, ordered, size in MiB, mkfs, mount options; @J: a second device
KINDS = (
    ('ext4', True, 32, 'mkfs.ext4 -q', ''),
    ('ext4, small inodes and blocks', True, 32, 'mkfs.ext4 -q -I 128 -b 1024', ''),
    ('ext4, data in the inode', True, 32, 'mkfs.ext4 -q -O inline_data', ''),
    ('ext4, fast commits', True, 64, 'mkfs.ext4 -q -O fast_commit', ''),
    ('ext4, data=writeback', True, 32, 'mkfs.ext4 -q', 'data=writeback'),
    ('ext4, data=journal', True, 32, 'mkfs.ext4 -q', 'data=journal'),
    ('ext3', True, 32, 'mkfs.ext3 -q', ''),
    ('ext4 without journal', False, 32, 'mkfs.ext4 -q -O ^has_journal', ''),
    ('ext2', False, 32, 'mkfs.ext2 -q', ''),
    ('ext4, journal elsewhere', False, 32, 'mkfs.ext4 -q -b 1024 -J device=@J', ''),
    ('xfs', True, 320, 'mkfs.xfs -q', ''),
    ('xfs, log elsewhere', False, 320, 'mkfs.xfs -q -l logdev=@J', 'logdev=@J'),
    ('btrfs', False, 128, 'mkfs.btrfs -q', ''),
    ('tmpfs', False, 0, '', ''),
)


class Disk:
    """A file system of its own, with the queue of this host on it."""

    def __init__(self, size, mkfs, options):
        self.loops = []
        if not mkfs:
            sh('mount -t tmpfs tmpfs %s' % MOUNT)
        else:
            journal = '@J' in mkfs
            if journal:
                device = self.loop(96)
                if 'ext4' in mkfs:
                    sh('mkfs.ext4 -q -b 1024 -O journal_dev %s' % device)
                mkfs, options = (s.replace('@J', device) for s in (mkfs, options))
            data = self.loop(size)
            sh('%s %s' % (mkfs, data))
            sh('mount -o noatime%s %s %s' % (options and ',' + options, data, MOUNT))
        for device in self.loops:           # now in use: goes when that ends, however it ends
            sh('losetup -d ' + device)
        sh('cp -a %s %s/queue && mount --bind %s/queue %s' % (QUEUE, MOUNT, MOUNT, QUEUE))
        sh('install -d -o joe -g joe -m 700 %s/joe && setpriv --reuid joe --regid joe '
           '--clear-groups /var/qmail/bin/maildirmake %s/joe/Maildir' % (MOUNT, MOUNT))

    def loop(self, megabytes):
        """A new block device."""
        path = '%s%d' % (PLACE, len(self.loops))
        with open(path, 'wb') as file:
            file.truncate(megabytes << 20)
        self.loops.append(sh('losetup --find --show ' + path))
        return self.loops[-1]

    def free(self):
        """Unmounts it, which gives the devices back."""
        sh('umount %s && umount %s' % (QUEUE, MOUNT))
        for number in range(len(self.loops)):
            os.unlink('%s%d' % (PLACE, number))


def steps(rules):
    """What the trace says, in the words of the rules: (regular expression, step)."""
    found = []
    with open(TRACE, encoding='latin-1') as file:
        for line in file:
            for pattern, step in rules:
                if re.search(pattern, line):
                    found.append(step)
    return found


WAIT = r'sync_file_range\(\d+<[^>]*%s>.*' + WAITS
QUEUE_RULES = (
    (WAIT % r'/intd/\d+', 'wait intd/N'),
    (WAIT % r'/(pid/[\d.]+|mess/\d+/\d+)', 'wait mess/S/N'),
    (r'^fsync\(\d+<[^>]*/(pid/[\d.]+|mess/\d+/\d+)>', 'fsync mess/S/N'),
    (r'^fsync\(\d+<[^>]*/intd/\d+>', 'fsync intd/N'),
    (r'^fsync\(\d+<[^>]*/mess/\d+>', 'fsync mess/S'),
    (r'^link\("intd/\d+", "todo/\d+"\)', 'link todo'),
    (r'^fsync\(\d+<[^>]*/todo>', 'fsync todo'),
    (r'^(fdatasync|syncfs)', 'another sync'),
)
MAILDIR_RULES = (
    (WAIT % r'/tmp/[^>/]+', 'wait file'),
    (r'^fsync\(\d+<[^>]*/tmp/[^>/]+>', 'fsync file'),
    (r'^link\(".*/new/', 'link new'),
    (r'^fsync\(\d+<[^>]*/new>', 'fsync new'),
    (r'^(fdatasync|syncfs)', 'another sync'),
)


def trace(command, inject=''):
    """Runs it with its system calls written down; the exit code."""
    return os.waitstatus_to_exitcode(os.system(
        'strace -y -o %s -e %s %s %s' % (TRACE, CALLS, inject, command)))


ENQUEUE = '/var/qmail/bin/qmail-queue </tmp/message 1</tmp/envelope'
DELIVER = ("setpriv --reuid joe --regid joe --clear-groups /var/qmail/bin/qmail-local -- "
           "joe /mnt/joe joe '' '' here.example from@away.example ./Maildir/ </tmp/message "
           ">/tmp/report 2>&1")


def one_kind(name, ordered):
    """qmail-queue and qmail-local on this file system."""
    queue, maildir = ((ORDERED_QUEUE, ORDERED_MAILDIR) if ordered else
                      (NAMED_QUEUE, NAMED_MAILDIR) if name == 'btrfs' else
                      (PLAIN_QUEUE, PLAIN_MAILDIR))
    tap.equal(trace(ENQUEUE), 0, name + ': queued')
    got = steps(QUEUE_RULES)
    if not ordered:
        got.remove('wait intd/N')           # only so that the syncs find less to do
    tap.equal(got, queue, name + ': order')
    tap.equal(trace(DELIVER), 0, name + ': delivered')
    tap.equal(steps(MAILDIR_RULES), maildir, name + ': order in the Maildir')


def failing():
    """Data that cannot be written is never published."""
    sh('rm -f %s/todo/* %s/intd/* %s/mess/*/*' % ((QUEUE,) * 3))
    for when, what in ((1, 'message, first try'), (2, 'envelope'), (3, 'message')):
        code = trace(ENQUEUE, '-e inject=sync_file_range:error=EIO:when=%d' % when)
        wanted = 0 if when == 1 else 53     # the first is but a hint
        tap.equal(code, wanted, 'data cannot be written: ' + what)
        tap.equal(len(os.listdir(QUEUE + '/todo')), 1, '... nothing more in todo')
    tap.equal(trace(ENQUEUE, '-e inject=fsync:error=EIO'), 66, 'no commit')
    code = trace(ENQUEUE, '-e inject=sync_file_range:error=ENOSYS')
    done = [step for step in steps(QUEUE_RULES) if not step.startswith('wait')]
    tap.equal((code, done), (0, ['fsync intd/N', 'fsync mess/S/N', 'link todo', 'fsync todo']),
              'no such call: files are synced')
    sh('rm -f %s/joe/Maildir/new/*' % MOUNT)
    code = trace(DELIVER, '-e inject=sync_file_range:error=EIO')
    tap.equal((code, os.listdir(MOUNT + '/joe/Maildir/new'), os.listdir(
        MOUNT + '/joe/Maildir/tmp')), (111, [], []), 'no delivery without its data')
    code = trace(DELIVER, '-e inject=fsync:error=EIO')
    tap.equal((code, os.listdir(MOUNT + '/joe/Maildir/new'), os.listdir(
        MOUNT + '/joe/Maildir/tmp')), (111, [], []), 'nor without its commit')


def parts_synced():
    """Do the daemons sync info, local and intd one by one, when a message passes?"""
    sh('rm -f %s/todo/* %s/intd/* %s/mess/*/* %s/info/*/*' % ((QUEUE,) * 4))
    with subprocess.Popen(['strace', '-f', '-y', '-o', TRACE, '-e', CALLS,
                           '/var/qmail/bin/qmail-start', './Maildir/'],
                          stdout=subprocess.PIPE,
                          env={'PATH': '/var/qmail/bin:/usr/bin:/bin'}) as system:
        if os.system(ENQUEUE) != 0:
            raise RuntimeError('not queued')
        log = ''
        for line in system.stdout:
            log += line.decode()
            if line.startswith(b'end msg'):
                sh('pkill -TERM -x qmail-send')
    tap.ok('end msg' in log and log.endswith('status: exiting\n'), '... a message passed through',
           log)
    found = steps(((r'fsync\(\d+<[^>]*/queue/(info|local|intd)', 'part'),
                   (r'fsync\(\d+<[^>]*/queue/todo>', 'todo')))
    tap.ok('todo' in found, '... todo is synced in any case')
    return 'part' in found


def mounted_inside(part):
    """One of the queue's directories is another file system: that is not one journal."""
    mode = sh('stat -c uid=%%u,gid=%%g,mode=%%a %s/%s' % (QUEUE, part))
    sh('mkdir /tmp/part && cp -a %s/%s/. /tmp/part' % (QUEUE, part))
    sh('mount -t tmpfs -o %s tmpfs %s/%s' % (mode, QUEUE, part))
    sh('cp -a /tmp/part/. %s/%s && rm -r /tmp/part' % (QUEUE, part))
    tap.ok(parts_synced(), 'daemons: %s is another file system: each is synced' % part)
    sh('umount %s/%s' % (QUEUE, part))


with open('/tmp/message', 'wb') as made:
    made.write(b'Subject: one\n\nsome text\n')
with open('/tmp/envelope', 'wb') as made:
    made.write(b'Ffrom@away.example\0Tjoe@here.example\0\0')
with open('/var/qmail/control/me', 'w', encoding='ascii') as made:
    made.write('here.example\n')
sh('mount -t devtmpfs devtmpfs /dev')       # this world's own has no loop devices
for kind, is_ordered, mebibytes, make, mount_options in KINDS:
    disk = tap.attempt('made: ' + kind, Disk, mebibytes, make, mount_options)
    if disk:
        one_kind(kind, is_ordered)
        if kind in ('ext4', 'xfs'):
            failing()
            tap.ok(not parts_synced(), 'daemons on %s: one sync' % kind)
            mounted_inside('info')
            mounted_inside('local/7')
        disk.free()
sys.exit(tap.done())
