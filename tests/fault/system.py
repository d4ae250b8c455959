"""system - the mail system of a world that is being disturbed: daemons, sink, waiting for events.

Runs as root inside the world.  One loop reads everything that can happen: log lines, events of the
tracer, changes in the queue, SMTP connections to the sink, ends of processes.
"""
import ctypes
import fcntl
import os
import re
import selectors
import signal
import socket
import subprocess
import time

from residents import RESIDENTS

HOME = '/var/qmail'
QUEUE = HOME + '/queue/'
SPLIT = 23
SINK = ('127.0.0.2', 2525)
LIMIT_S = 20                            # longest wait for anything
STEP_S = 0.02                           # how often the daemons are asked whether they sleep
ENVIRONMENT = {'PATH': HOME + '/bin:/usr/bin:/bin:/usr/local/bin'}
LONG = 10                               # steps; longer than any pause that the daemons make
LATE_REPLY = 150                        # steps; but qmail-remote, to which a server that has gone
                                        # may have said why (src/remote/smtpclient.c, 2 s)
DAEMONS = ('qmail-send', 'qmail-todo', 'qmail-clean', 'qmail-lspawn', 'qmail-rspawn')
IN_CHANGES = 0x3c0                      # moved from, moved to, create, delete
NO_PLAN = 'none 0 none 0 0 -1 -'
# A daemon that puts something off says so; only then may a message wait although it was hurried.
# What else is told of (a failed poll, a mark that was not made) keeps nothing from being tried.
PUT_OFF = re.compile(r'(?:alert|warning): (?:qmail-todo: )?(?:qmail-clean |out of memory|'
                     r'trouble (?!in select|marking)|unable to (?!utime|reread|understand))')
DEFERRAL = ': deferral:'

_libc = ctypes.CDLL(None, use_errno=True)


class Stuck(Exception):
    """What was waited for did not come."""


class Loop:
    """Calls back when descriptors can be read."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()

    def add(self, fd, callback):
        self.selector.register(fd, selectors.EVENT_READ, callback)

    def remove(self, fd):
        self.selector.unregister(fd)
        os.close(fd)

    def pump(self, wait_s):
        """True if something happened."""
        ready = self.selector.select(wait_s)
        for key, _ in ready:
            if key.fd in self.selector.get_map():
                key.data(key.fd)
        return bool(ready)

    def until(self, condition, what, limit_s=LIMIT_S):
        end = time.monotonic() + limit_s
        while not condition():
            rest = end - time.monotonic()
            if rest <= 0:
                raise Stuck('waited for ' + what)
            self.pump(rest)

    def lines(self, fd, take):
        """take(line) for each line that comes from the descriptor; take(None) at its end."""
        rest = [b'']

        def come(_):
            data = os.read(fd, 65536)
            *whole, rest[0] = (rest[0] + data).split(b'\n')
            for line in whole:
                take(line.decode('latin-1'))
            if not data:
                self.remove(fd)
                take(None)
        self.add(fd, come)


class Sink:
    """The next host: accepts every message."""

    def __init__(self, loop):
        self.loop = loop
        self.messages = []              # (sender, [recipient], bytes)
        self.socket = socket.create_server(SINK, backlog=64)
        loop.add(self.socket.fileno(), self.connected)

    def connected(self, _):
        peer, _ = self.socket.accept()
        state = {'in': b'', 'data': False, 'from': '', 'to': []}
        peer.sendall(b'220 sink.test\r\n')
        self.loop.add(peer.fileno(), lambda fd: self.come(peer, state))

    def come(self, peer, state):
        try:
            data = peer.recv(65536)
        except ConnectionError:
            data = b''
        state['in'] += data
        try:
            while self.step(peer, state):
                pass
        except ConnectionError:
            data = b''
        if not data:
            self.loop.selector.unregister(peer)
            peer.close()

    def step(self, peer, state):
        """Takes one command or message; False: there is none."""
        end = b'\r\n.\r\n' if state['data'] else b'\r\n'
        one, found, rest = state['in'].partition(end)
        if not found:
            return False
        state['in'] = rest
        if state['data']:
            text = (one + b'\r\n').replace(b'\r\n', b'\n').replace(b'\n..', b'\n.')
            self.messages.append((state['from'], state['to'], text))
            state.update(data=False, to=[])
            peer.sendall(b'250 taken\r\n')
            return True
        word = one[:4].upper()
        address = one[one.find(b'<') + 1:one.find(b'>')].decode('latin-1')
        if word == b'MAIL':
            state['from'] = address
        elif word == b'RCPT':
            state['to'] = state['to'] + [address]
        elif word == b'DATA':
            state['data'] = True
        peer.sendall({b'DATA': b'354 go on\r\n', b'QUIT': b'221 bye\r\n'}.get(word, b'250 ok\r\n'))
        return True


class Plan:
    """The file that tells a tracer what to do, and what the tracer tells."""
    generation = 0

    def __init__(self, path):
        self.path = path
        self.calls, self.fired, self.ended = [], False, False
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self.set(NO_PLAN)

    def set(self, text):
        """`PROGRAM INSTANCE ACTION N ARG NUMBER KIND`, see tracer.c."""
        Plan.generation += 1
        self.calls, self.fired, self.ended = [], False, False
        self.action = text.split()[2]
        os.pwrite(self.fd, ('%d %s' % (Plan.generation, text)).ljust(199).encode() + b'\n', 0)

    def event(self, line):
        if line is None:
            return
        word, _, rest = line.partition(' ')
        if word == 'call':
            program, number, kind, size = rest.split()
            self.calls.append((int(number), kind, int(size)))
        elif word == 'fired':
            self.fired = True
        else:
            self.ended = True


def spawn(argv, fds):
    """Start a program: fds maps its descriptors to ours.  Returns the pid."""
    high = [(fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, 100), number)
            for number, ours in fds.items()]
    try:
        return os.posix_spawn(argv[0], argv, ENVIRONMENT,
                              file_actions=[(os.POSIX_SPAWN_DUP2, *pair) for pair in high],
                              setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
    finally:
        for fd, _ in high:
            os.close(fd)


def numbers(directory):
    return [int(name) for name in os.listdir(QUEUE + directory) if name.isdigit()]


def waiting():
    """Numbers of messages that are not done with: in todo or info."""
    found = numbers('todo')
    for sub in range(SPLIT):
        found += numbers('info/%d' % sub)
    return found


def body_exists(number):
    return os.path.exists(QUEUE + 'mess/%d/%d' % (number % SPLIT, number))


def file_system(path):
    out = subprocess.run(['stat', '-f', '-c', '%T', path], stdout=subprocess.PIPE, check=True)
    return out.stdout.decode().strip()


class System:
    """The daemons, under a tracer, and all that is watched while they run."""

    def __init__(self, tracer):
        self.tracer = tracer
        self.loop = Loop()
        self.sink = Sink(self.loop)
        self.plan = Plan('/run/daemons.plan')
        self.client_plan = Plan('/run/client.plan')
        self.log, self.pid = [], 0
        self.put_off = []               # lines of these daemons that say so, since it was emptied
        self.history = []               # of the log, since it was last cut
        self.announced = 0              # lines about a second copy, since it was set to 0
        self.null = os.open('/dev/null', os.O_RDWR | os.O_CLOEXEC)
        self.numbers_are_new = file_system(QUEUE) == 'tmpfs'
        self.watch()

    def watch(self):
        fd = _libc.inotify_init1(os.O_CLOEXEC)
        for directory in ['todo'] + ['%s/%d' % (kind, sub) for kind in ('info', 'mess')
                                     for sub in range(SPLIT)]:
            _libc.inotify_add_watch(fd, (QUEUE + directory).encode(), IN_CHANGES)
        self.loop.add(fd, lambda fd: os.read(fd, 65536))

    # ---- the daemons ----

    def start(self):
        self.log, self.put_off, self.state = [], [], {}
        self.history.append('---- the daemons are started')
        self.finished = set()           # messages that qmail-clean has been or will be told of
        log, log_end = os.pipe()
        events, events_end = os.pipe()
        self.pid = spawn([self.tracer, self.plan.path, HOME + '/bin/qmail-start', './Maildir/'],
                         {0: self.null, 1: log_end, 2: self.null, 3: events_end})
        os.close(log_end)
        os.close(events_end)
        self.loop.lines(log, self.logged)
        self.loop.lines(events, self.plan.event)
        pidfd = os.pidfd_open(self.pid)
        self.loop.add(pidfd, self.ended)

    def logged(self, line):
        if line is None:
            return
        self.log.append(line)
        self.history.append(line)
        found = re.match(r'(end|new) msg (\d+)', line)
        if found:
            (self.finished.add if found[1] == 'end' else self.finished.discard)(int(found[2]))
        self.announced += line.endswith('message will be delivered twice!')
        lasting = self.plan.action == 'failing' and DEFERRAL in line
        if PUT_OFF.match(line) or lasting:
            self.put_off.append(line)

    def ended(self, fd):
        os.waitpid(self.pid, 0)
        self.pid = 0
        self.loop.remove(fd)

    def send(self, signo):
        """A signal to qmail-send."""
        for pid in processes().get('qmail-send', []):
            try:
                os.kill(pid, signo)
            except ProcessLookupError:
                pass

    def stop(self):
        """Ask it to end, once it can hear that; False: it had to be killed."""
        self.quiet(lambda: not self.pid or any('status:' in line for line in self.log))
        self.send(signal.SIGTERM)
        try:
            self.loop.until(lambda: not self.pid, 'the end of the daemons')
        except Stuck:
            self.kill()
            return False
        return True

    def kill(self):
        """EXITKILL ends all of them."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.loop.until(lambda: not self.pid, 'the end of the tracer')

    def restart(self):
        if self.pid:
            self.stop()
        self.plan.set(NO_PLAN)
        self.start()

    # ---- waiting ----

    def asleep(self):
        """Nothing has moved since the last time this was asked, and nothing moves now."""
        before, self.state = self.state, {}
        for name in os.listdir('/proc'):
            if not name.isdigit() or int(name) == os.getpid():
                continue
            try:
                with open('/proc/%s/status' % name) as file:
                    text = file.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
            self.state[name] = re.findall(r'^State:\t(\S)|_switches:\t(\d+)', text, re.M)
            if self.state[name][0][0] not in 'SIZ':     # Z: it has ended
                self.state[name] = None
        return self.state == before and None not in self.state.values()

    def quiet(self, done, steps=1):
        """Wait until done() holds (True), or nothing more happens for so many steps (False)."""
        end = time.monotonic() + LIMIT_S
        self.state = {}
        still = 0
        while not done():
            still = still + 1 if not self.loop.pump(STEP_S) and self.asleep() else 0
            if still >= steps:
                return done()
            if time.monotonic() > end:
                return False
        return True

    def pull(self):
        try:
            fd = os.open(QUEUE + 'lock/trigger', os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return
        os.write(fd, b'\0')
        os.close(fd)

    def idle(self):
        """Every message is done with and removed, and so is a bounce that one of them has left in
        todo between two steps of the first look."""
        there = waiting()
        self.finished.update(there)     # when they are gone, their texts will go
        if there:
            return False
        while self.loop.pump(0):
            pass
        # Where numbers are used again, a text may be what a killed writer has left meanwhile.
        removed = not self.numbers_are_new or not any(map(body_exists, self.finished))
        return removed and not waiting()

    def hurry(self):
        """Let everything in the queue be done by the daemons as they are, with no more than the
        hints of an administrator.  False: something is left, or they have ended."""
        for steps in (1, 1, 1, LONG, LONG, LONG, LATE_REPLY, LONG, LONG):
            if steps == LATE_REPLY and self.put_off:
                break
            # The second look knows of those that came and went around the first one.
            if not self.pid or (self.quiet(lambda: self.idle() or not self.pid, steps) and
                                self.idle()):
                break
            self.pull()
            self.send(signal.SIGALRM)
        return bool(self.pid) and self.idle()

    def drain(self):
        """Let everything in the queue be done.  Returns what was needed for it: '' for hints only,
        'later' for a restart in place of a pause that the log tells of, 'restart', or 'stuck'."""
        if self.hurry():
            return ''
        effort = 'later' if self.put_off else 'restart'
        self.history.append('---- not idle: daemons %d, messages %s, texts %s' % (
            self.pid, waiting(), list(filter(body_exists, self.finished))))
        self.restart()
        return effort if self.hurry() else 'stuck'

    # ---- clients ----

    def client(self, argv, stdin, stdout, fds=None):
        """Run a program under the client plan to its end; its exit code."""
        events, events_end = os.pipe()
        pid = spawn([self.tracer, self.client_plan.path] + argv,
                    {0: stdin, 1: stdout, 2: self.null, 3: events_end, **(fds or {})})
        os.close(events_end)
        self.loop.lines(events, self.client_plan.event)
        return pid

    def wait_client(self, pid):
        """Its exit code; Stuck if it does not end."""
        status = []

        def end(fd):
            status.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            self.loop.remove(fd)
        self.loop.add(os.pidfd_open(pid), end)
        try:
            self.loop.until(lambda: status, 'the end of a client')
        except Stuck:
            os.kill(pid, signal.SIGKILL)
            self.loop.until(lambda: status, 'the end of a killed client')
            raise
        while self.loop.pump(0):
            pass                        # its last events
        return status[0]


def processes():
    """Program -> pids, of everything that runs in the world."""
    found = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open('/proc/%s/comm' % name) as file:
                    found.setdefault(file.read().strip(), []).append(int(name))
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def descriptors():
    """Daemon -> what each of its processes has open; and how many processes of each name.  Of
    RESIDENTS any number may stay beside their daemon, each with a socket there."""
    found = processes()
    table = {name: len(pids) for name, pids in found.items()}
    staying = [name for name in RESIDENTS for _ in range(table.pop(name, 0))]
    for name in DAEMONS:
        table[name] = sorted(names_of(pid) for pid in found.get(name, []))
    for names in [names for name in staying for names in table[RESIDENTS[name]]]:
        if 'socket' in names:
            names.remove('socket')
    return table


def names_of(pid):
    """What a process has open, sorted; pipes, sockets and itself without their numbers."""
    found = []
    try:
        for fd in os.listdir('/proc/%d/fd' % pid):
            name = os.readlink('/proc/%d/fd/%s' % (pid, fd)).partition(':')[0]
            found.append(re.sub(r'^/proc/\d+/', '/proc/self/', name))
    except FileNotFoundError:
        pass                            # it has ended, or closed it, meanwhile
    return sorted(found)


def pack_netstring(data):
    return b'%d:%s,' % (len(data), data)


def memory(data=b''):
    """A descriptor with this content, at its start."""
    fd = os.memfd_create('data')
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def content(fd):
    """All of a descriptor made by memory(); closes it."""
    data = os.pread(fd, 1 << 20, 0)
    os.close(fd)
    return data
