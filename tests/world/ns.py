"""ns - the few Linux calls that Python's library lacks: name spaces, mounts, pivot_root.

All functions raise OSError with the name of what failed.
"""
import ctypes
import fcntl
import os
import socket
import struct

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
SYS_PIVOT_ROOT = {'x86_64': 155, 'aarch64': 41, 'riscv64': 41, 'ppc64le': 203, 's390x': 217,
                  'i686': 217, 'armv7l': 218}

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, '%s: %s' % (what, os.strerror(error)))


def unshare(flags):
    _check(_libc.unshare(flags), 'unshare')


def mount(source, target, fstype=None, flags=0, data=None):
    encode = lambda s: None if s is None else os.fsencode(s)
    _check(_libc.mount(encode(source), encode(target), encode(fstype),
                       ctypes.c_ulong(flags), encode(data)),
           'mount %s on %s' % (fstype or source, target))


def umount(target, flags=0):
    _check(_libc.umount2(os.fsencode(target), flags), 'umount ' + target)


def pivot_root(new_root):
    """Make new_root (a mount point) the root; the old root is gone afterwards."""
    os.chdir(new_root)
    _check(_libc.syscall(SYS_PIVOT_ROOT[os.uname().machine], b'.', b'.'), 'pivot_root')
    umount('.', MNT_DETACH)
    os.chdir('/')


def sethostname(name):
    raw = name.encode()
    _check(_libc.sethostname(raw, len(raw)), 'sethostname')


def die_with_parent(signal):
    """The kernel sends `signal` to this process when the thread that started it ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal)), 'prctl')


def loopback_up():
    """Bring up `lo` in the current network name space."""
    up_running = 0x49
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack('16sh14x', b'lo', up_running))


def setns(fd, flags):
    """Move the calling thread into the name space that fd (a /proc/PID/ns file) stands for."""
    _check(_libc.setns(fd, flags), 'setns')
