"""queuerig - a daemon of the queue on its own, its peers played by the test.

    control(me='host.test\n')                  control files anew, queue emptied
    n = message(todo=['u1', 'p2', 'Fs@x', 'Tr@y'])
    with Send() as send:
        send.answers['remote r@y'] = ['Zlater\n', 'Kok\n']
        send.wait('^end msg')
        code = send.stop()

Runs as root in a world with the suite installed.  Nothing sleeps: every wait is for a descriptor or
the end of a process, up to LIMIT seconds.
"""
import contextlib
import glob
import os
import pwd
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(TESTS, 'world')]
from tree import home                   # noqa: E402

HOME = home()
QUEUE = HOME + '/queue/'
SPLIT = 23
LIMIT = 20
TEXT = 'Received: (qmail 77 invoked by uid 1); 1 Jan 2020 00:00:00 -0000\nSubject: test\n\nbody\n'


class Stuck(Exception):
    """What was waited for did not come."""


# ---- the queue ----

def ids(name):
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


def path(kind, number):
    """Relative to the queue directory."""
    if kind in ('mess', 'info', 'local', 'remote'):
        return '%s/%d/%d' % (kind, number % SPLIT, number)
    return '%s/%d' % (kind, number)


def put(name, text, owner='qmails', mode=0o600, mtime=None):
    with open(name, 'w', encoding='latin-1') as file:
        file.write(text)
    os.chown(name, *ids(owner))
    os.chmod(name, mode)
    if mtime is not None:
        os.utime(name, (mtime, mtime))


def message(mess=TEXT, todo=None, info=None, birth=None, local=None, remote=None, due=None,
            bounce=None):
    """Put a message into the queue; returns its number.  local, remote: lists of records."""
    put(QUEUE + 'pid/rig', mess or '', 'qmailq', 0o644)
    number = os.stat(QUEUE + 'pid/rig').st_ino
    os.rename(QUEUE + 'pid/rig', QUEUE + path('mess', number))
    if todo is not None:
        put(QUEUE + path('intd', number), ''.join(x + '\0' for x in todo), 'qmailq', 0o644)
        os.link(QUEUE + path('intd', number), QUEUE + path('todo', number))
    if info is not None:
        put(QUEUE + path('info', number), 'F%s\0' % info, mtime=birth)
    for kind, records in (('local', local), ('remote', remote)):
        if records is not None:
            put(QUEUE + path(kind, number), ''.join(x + '\0' for x in records), mtime=due)
    if bounce is not None:
        put(QUEUE + path('bounce', number), bounce)
    if mess is None:
        # The file stays, elsewhere, so that its number is not used again.
        os.rename(QUEUE + path('mess', number), QUEUE + 'pid/kept-%d' % number)
    return number


def exists(kind, number):
    return os.path.exists(QUEUE + path(kind, number))


def text(kind, number):
    with open(QUEUE + path(kind, number), encoding='latin-1') as file:
        return file.read()


def mtime(kind, number):
    return int(os.stat(QUEUE + path(kind, number)).st_mtime)


def left():
    """Every numbered file of the queue."""
    return sorted(name[len(QUEUE):] for name in glob.glob(QUEUE + '**', recursive=True)
                  if os.path.isfile(name) and os.path.basename(name).isdigit())


def control(**files):
    """These control files and no other; an empty queue."""
    shutil.rmtree(HOME + '/control')
    os.mkdir(HOME + '/control')
    files.setdefault('me', 'host.test\n')
    for name, content in files.items():
        put(HOME + '/control/' + name, content, 'root', 0o644)
    for name in left():
        os.unlink(QUEUE + name)
    for name in glob.glob(QUEUE + 'pid/*'):
        os.unlink(name)


def pull():
    """What qmail-queue does when a message is complete."""
    try:
        fd = os.open(QUEUE + 'lock/trigger', os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        os.write(fd, b'\0')
    except BrokenPipeError:
        pass            # the reader is opening it anew, and scans after that
    finally:
        os.close(fd)


# ---- the daemon ----

def kill_children(parent):
    """They are dead after this, and what they had locked is free: if strace is killed first, what
    it looked at lives on for a moment."""
    found = subprocess.run(['pgrep', '-P', str(parent)], stdout=subprocess.PIPE, check=False)
    for pid in found.stdout.split():
        with contextlib.suppress(ProcessLookupError):
            fd = os.pidfd_open(int(pid))
            os.kill(int(pid), signal.SIGKILL)
            select.select([fd], [], [])
            os.close(fd)


class Daemon:
    """A program with some descriptors: `fds` maps each number to `r` or `w`, seen from it."""
    program = None
    fds = {}

    def __init__(self, fds=None, env=None, files=None, wrap=()):
        ends = {}
        self.ours, self.input, self.closed, self.code = {}, {}, set(), None
        self.wrap = wrap
        for number, way in (fds or self.fds).items():
            read, write = os.pipe()
            ends[number], self.ours[number] = (read, write) if way == 'r' else (write, read)
            if way == 'w':
                self.input[number] = b''
        self.pid = os.fork()
        if self.pid == 0:
            self.child(ends, env, files, wrap)
        for end in ends.values():
            os.close(end)

    def child(self, ends, env, files, wrap):
        """In the child: exactly these descriptors, the account, the program."""
        try:
            high = {number: os.dup2(end, 200 + number) for number, end in ends.items()}
            os.closerange(0, 200)
            for number, end in high.items():
                os.dup2(end, number)
            os.closerange(200, 1024)
            for signo in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(signo, signal.SIG_DFL)    # as Python found them
            if files:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
            uid, gid = ids('qmails')
            if not wrap:        # else the wrapper changes to the account
                os.setgroups([gid])
                os.setgid(gid)
                os.setuid(uid)
            os.chdir('/')
            where = HOME + '/bin/' + self.program
            argv = list(wrap) + [where if wrap else self.program]
            full = dict(PATH=HOME + '/bin:/usr/bin:/bin', **(env or {}))
            full.update((k, v) for k, v in os.environ.items() if k.endswith('SAN_OPTIONS'))
            os.execve(argv[0] if wrap else where, argv, full)
        finally:
            os._exit(127)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.code is None:
            if self.wrap:
                kill_children(self.pid)
            os.kill(self.pid, signal.SIGKILL)
            self.reap()
        for fd in self.ours.values():
            os.close(fd)
        self.ours = {}

    def reap(self):
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def close(self, number):
        os.close(self.ours.pop(number))
        self.closed.add(number)

    def write(self, number, data):
        os.write(self.ours[number], data)

    def pump(self, wait_s):
        """Read what there is, within wait_s; False: nothing came."""
        watched = {self.ours[n]: n for n in self.input if n in self.ours and n not in self.closed}
        ready = select.select(list(watched), [], [], wait_s)[0]
        for fd in ready:
            number = watched[fd]
            data = os.read(fd, 65536)
            if not data:
                self.closed.add(number)
            self.input[number] += data
            self.received(number)
        return bool(ready)

    def received(self, number):
        """To be overridden: data came on a descriptor."""

    def until(self, condition, what='it', limit=LIMIT):
        """Pump until condition() holds."""
        end = time.monotonic() + limit
        while not condition():
            rest = end - time.monotonic()
            if rest <= 0:
                raise Stuck('waited for %s; %s' % (what, self.state()))
            self.pump(min(rest, 0.2))

    def settle(self, quiet_s=0.3):
        """Pump until nothing has come for a moment; for checks that something does NOT happen."""
        while self.pump(quiet_s):
            pass

    def ended(self, limit=LIMIT):
        """Wait for the end; the exit code."""
        fd = os.pidfd_open(self.pid)
        try:
            self.until(lambda: select.select([fd], [], [], 0)[0], 'the end', limit)
        finally:
            os.close(fd)
        while self.pump(0):
            pass
        return self.reap()

    def signal(self, name):
        os.kill(self.pid, getattr(signal, 'SIG' + name))

    def state(self):
        return repr(self.input)


class Send(Daemon):
    """qmail-send.  answers: `channel recipient` -> list of reports (the last one stays); None = no
    answer.  clean: answer of qmail-clean, which does its work for `+`; None = keeps silent."""
    program = 'qmail-send'
    fds = {0: 'w', 1: 'w', 2: 'r', 3: 'w', 4: 'r', 5: 'w', 6: 'r'}
    with_todo = {**fds, 7: 'w', 8: 'r'}

    def __init__(self, slots=120, clean='+', answers=None, **how):
        self.answers, self.clean = answers or {}, clean
        self.commands, self.requests, self.held = [], [], []
        super().__init__(**how)
        for number in (2, 4):
            if slots is not None:
                try:
                    self.write(number, bytes([slots]))
                except BrokenPipeError:
                    pass            # it has refused to start

    @property
    def log(self):
        return self.input[0].decode('latin-1')

    def lines(self, pattern):
        return [line for line in self.log.splitlines() if re.search(pattern, line)]

    def state(self):
        return 'log: %s commands: %s requests: %s' % (self.log, self.commands, self.requests)

    def received(self, number):
        if number in (1, 3):
            self.take_commands(number)
        elif number == 5:
            self.take_requests()

    def take_commands(self, number):
        channel = 'local' if number == 1 else 'remote'
        while self.input[number][1:].count(b'\0') >= 3:
            slot = self.input[number][0]
            name, sender, recipient, self.input[number] = \
                self.input[number][1:].split(b'\0', 3)
            recipient = recipient.decode('latin-1')
            self.commands.append((channel, slot, name.decode(), sender.decode('latin-1'),
                                  recipient))
            answers = self.answers.get('%s %s' % (channel, recipient),
                                       self.answers.get(channel, ['Kok\n']))
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if answer is None:
                self.held.append((number + 1, slot))
            else:
                self.report(number + 1, slot, answer)

    def report(self, number, slot, answer):
        self.write(number, bytes([slot]) + answer.encode('latin-1') + b'\0')

    def release(self, answer='Kok\n'):
        """Answer what was held back so far."""
        held, self.held = self.held, []
        for number, slot in held:
            self.report(number, slot, answer)

    def take_requests(self):
        *complete, self.input[5] = self.input[5].split(b'\0')
        for request in complete:
            self.requests.append(request.decode())
            if self.clean == '+':
                do_clean(request.decode())
            if self.clean and 6 in self.ours:
                self.write(6, self.clean.encode())

    def wait(self, pattern, count=1):
        """Until so many lines of the log match."""
        self.until(lambda: len(self.lines(pattern)) >= count, '%d x %r' % (count, pattern))

    def stop(self):
        self.signal('TERM')
        return self.ended()


def do_clean(request):
    """What qmail-clean does."""
    kind, number = request.split('/')
    for name in (path('intd', int(number)), path('todo' if kind == 'todo' else 'mess',
                                                 int(number))):
        if os.path.exists(QUEUE + name):
            os.unlink(QUEUE + name)


class Todo(Daemon):
    """qmail-todo.  clean: as for Send."""
    program = 'qmail-todo'
    fds = {0: 'r', 1: 'w', 2: 'w', 3: 'r'}

    def __init__(self, clean='+', **how):
        self.clean, self.requests, self.records = clean, [], []
        super().__init__(**how)

    def received(self, number):
        if number == 1:
            *complete, self.input[1] = self.input[1].split(b'\0')
            self.records += [record.decode('latin-1') for record in complete]
        elif number == 2:
            *complete, self.input[2] = self.input[2].split(b'\0')
            for request in complete:
                self.requests.append(request.decode())
                if self.clean == '+':
                    do_clean(request.decode())
                if self.clean and 3 in self.ours:
                    self.write(3, self.clean.encode())

    def of(self, letter):
        """Contents of the records of one kind."""
        return [record[1:] for record in self.records if record[0] == letter]

    def state(self):
        return 'records: %s requests: %s' % (self.records, self.requests)
