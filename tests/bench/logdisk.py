"""logdisk - an image seen through the logging block device of the power-cut suite, which counts
every flush that it is asked for.  It answers at once, so more of them are asked for than on a slow
disk, where what comes meanwhile shares the next one."""
import os
import struct
import subprocess
import time

import host
from tree import TOP

HEAD = struct.Struct('=4sIQ')           # struct entry of powercut/logdisk.c


def build(place):
    """Compile it."""
    subprocess.run('cc -O2 -o %s/logdisk %s/tests/powercut/logdisk.c $(pkg-config --cflags --libs '
                   'fuse3)' % (place, TOP), shell=True, check=True)


class LogDisk:
    """path: the file to put a file system on."""

    def __init__(self, place, image):
        self.mount, self.log = image + '.fuse', image + '.requests'
        self.path = self.mount + '/disk'
        self.seen = self.count = 0
        os.makedirs(self.mount, exist_ok=True)
        self.server = subprocess.Popen([place + '/logdisk', self.mount, image, self.log])
        host.wait_for(lambda: os.path.exists(self.path) or self.server.poll() is not None,
                      'logdisk')

    def flushes(self):
        """How many were asked for so far."""
        with open(self.log, 'rb') as file:
            file.seek(self.seen)
            while True:
                head = file.read(HEAD.size)
                if len(head) < HEAD.size:
                    return self.count
                what, n, _ = HEAD.unpack(head)
                if file.seek(n, os.SEEK_CUR) > os.fstat(file.fileno()).st_size:
                    return self.count   # its data is still being written
                self.count += what[:1] == b'F'
                self.seen = file.tell()

    def close(self):
        """Nothing is left."""
        while subprocess.run(['umount', self.mount], stderr=subprocess.DEVNULL,
                             check=False).returncode:
            time.sleep(0.05)            # the kernel lets go of the loop device a moment later
        self.server.wait()
        os.unlink(self.log)
        os.rmdir(self.mount)
