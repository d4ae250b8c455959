"""ptrace - makes a running process do one system call more, to see what it may do (x86-64).

    ptrace.open_file(pid, '/etc/passwd')        0, or the errno that the process got
    ptrace.call(pid, 41, 2, 1, 0)               socket(AF_INET, SOCK_STREAM, 0): its result
    clock = ptrace.clock(300)                   a descriptor, to be handed on to a process
    ptrace.enter_clock(pid, clock)              for it 300 seconds have passed

The process must be waiting in a system call, which it goes on with; whose clock is changed is
interrupted, so that it looks at it.  Needs root; the one with the clock CAP_SYS_ADMIN.
"""
import ctypes
import ctypes.util
import errno
import os
import platform
import struct

SEIZE, INTERRUPT, GETREGS, SETREGS, SINGLESTEP, DETACH = 0x4206, 0x4207, 12, 13, 9, 17
WALL = 0x40000000
OPENAT, CLOSE, SETNS = 257, 3, 308
CLONE_NEWTIME = 0x80
AT_FDCWD = -100
NAMES = ('r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss '
         'fs_base gs_base ds es fs gs').split()
INSTRUCTION = b'\x0f\x05'               # syscall
SCRATCH = 512                           # bytes below the stack that nobody uses

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def available():
    return platform.machine() == 'x86_64'


def _ptrace(request, pid, data=None):
    if libc.ptrace(request, pid, None, data) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _registers(pid):
    block = ctypes.create_string_buffer(8 * len(NAMES))
    _ptrace(GETREGS, pid, block)
    return dict(zip(NAMES, struct.unpack('<%dQ' % len(NAMES), block.raw)))


def _set_registers(pid, registers):
    values = [registers[name] & 0xffffffffffffffff for name in NAMES]
    _ptrace(SETREGS, pid, ctypes.create_string_buffer(struct.pack('<%dQ' % len(NAMES), *values)))


def _stopped(pid):
    if not os.WIFSTOPPED(os.waitpid(pid, WALL)[1]):
        raise RuntimeError('process %d has ended' % pid)


def _instruction(pid, rip, memory):
    """Where the instruction is that it waits in, or is just about to do again."""
    for place in (rip - 2, rip):
        memory.seek(place)
        if memory.read(2) == INSTRUCTION:
            return place
    raise RuntimeError('process %d does not wait in a system call' % pid)


def _call(pid, before, place, number, *args):
    """One system call by the instruction at this place; its result."""
    changes = dict(zip(('rdi', 'rsi', 'rdx', 'r10'), args), rax=number, rip=place,
                   orig_rax=-1)         # or the kernel would go on with the one it was in
    _set_registers(pid, {**before, **changes})
    _ptrace(SINGLESTEP, pid)
    _stopped(pid)
    return ctypes.c_int64(_registers(pid)['rax']).value


def call(pid, number, *args, interrupted=False):
    """The result of one system call of the process, up to four arguments; below 0 it is -errno.
    Bytes among them are put into its memory, below its stack.  interrupted: the call that it waits
    in ends with EINTR."""
    _ptrace(SEIZE, pid)
    try:
        _ptrace(INTERRUPT, pid)
        _stopped(pid)
        before = _registers(pid)
        with open('/proc/%d/mem' % pid, 'r+b', buffering=0) as memory:
            place = _instruction(pid, before['rip'], memory)
            args, room = list(args), before['rsp'] - SCRATCH
            for n, arg in enumerate(args):
                if isinstance(arg, bytes):
                    memory.seek(room)
                    memory.write(arg + b'\0')
                    args[n], room = room, room - SCRATCH
        result = _call(pid, before, place, number, *args)
        end = {'rax': -errno.EINTR, 'orig_rax': -1, 'rip': place + len(INSTRUCTION)}
        _set_registers(pid, {**before, **end} if interrupted else before)
    finally:
        _ptrace(DETACH, pid)
    return result


def open_file(pid, path):
    """errno of open(path, O_RDONLY) in the process, or 0; a descriptor it gets is closed again."""
    result = call(pid, OPENAT, AT_FDCWD, os.fsencode(path), os.O_RDONLY | os.O_CLOEXEC, 0)
    if result >= 0:
        call(pid, CLOSE, result)
    return -min(result, 0)


def clock(seconds):
    """A descriptor of a time name space in which the monotonic clock is that much ahead."""
    ready, there = os.pipe()
    begun, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if libc.unshare(CLONE_NEWTIME) == 0:
                with open('/proc/self/timens_offsets', 'w') as file:
                    file.write('monotonic %d 0' % seconds)
                os.write(there, b'!')
                os.close(done)
                os.read(begun, 1)
        finally:
            os._exit(0)
    os.close(there)
    os.close(begun)
    try:
        if os.read(ready, 1) != b'!':
            raise RuntimeError('no time name spaces')
        return os.open('/proc/%d/ns/time_for_children' % pid, os.O_RDONLY)
    finally:
        os.close(ready)
        os.close(done)
        os.waitpid(pid, 0)


def enter_clock(pid, fd):
    """From now on the process has the clock that its descriptor fd names."""
    result = call(pid, SETNS, fd, CLONE_NEWTIME, interrupted=True)
    if result != 0:
        raise OSError(-result, os.strerror(-result))
