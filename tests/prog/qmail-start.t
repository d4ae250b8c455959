#!/usr/bin/python3
"""qmail-start.t - which processes it makes, as whom, with which descriptors."""
import os
import pwd
import re
import select
import signal
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS]
import tap                              # noqa: E402
from queuerig import HOME, control      # noqa: E402

LIMIT = 20


class Start:
    """qmail-start, with its standard output read by us."""

    def __init__(self, *args, path=None, extra_fd=None, ignore=(), block=()):
        self.log_fd, write = os.pipe()
        self.log = b''
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(write, 1)
                null = os.open('/dev/null', os.O_RDWR)
                os.dup2(null, 0)
                os.dup2(null, 2)
                os.closerange(3, 300)
                if extra_fd:
                    os.dup2(0, extra_fd)
                    os.set_inheritable(extra_fd, True)
                for signo in (signal.SIGPIPE, signal.SIGXFSZ):
                    signal.signal(signo, signal.SIG_DFL)
                for signo in ignore:
                    signal.signal(signo, signal.SIG_IGN)
                signal.pthread_sigmask(signal.SIG_BLOCK, block)
                env = {'PATH': path or HOME + '/bin:/usr/bin:/bin', 'MARK': 'kept'}
                env.update((k, v) for k, v in os.environ.items() if k.endswith('SAN_OPTIONS'))
                os.execve(HOME + '/bin/qmail-start', ['qmail-start'] + list(args), env)
            finally:
                os._exit(127)
        os.close(write)

    def wait_log(self, pattern):
        end = time.monotonic() + LIMIT
        while not re.search(pattern, self.log) and time.monotonic() < end:
            if select.select([self.log_fd], [], [], 0.2)[0]:
                data = os.read(self.log_fd, 65536)
                self.log += data
                if not data:
                    break
        return bool(re.search(pattern, self.log))

    def end(self, signo=signal.SIGTERM):
        if signo:
            os.kill(self.pid, signo)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        # The log ends when the last process that holds it has ended.
        self.wait_log(rb'(?!)')
        os.close(self.log_fd)
        return code


class Process:
    def __init__(self, pid):
        self.pid = pid
        self.argv = self.read('cmdline').split('\0')[:-1]
        status = self.read('status')
        self.status = dict(re.findall(r'^(\w+):\s*(.*)$', status, re.M))
        self.parent = int(self.status['PPid'])
        self.fds = {int(fd): self.link('fd/' + fd) for fd in os.listdir('/proc/%d/fd' % pid)}
        self.environ = self.read('environ').split('\0')

    def read(self, name):
        with open('/proc/%d/%s' % (self.pid, name), encoding='latin-1') as file:
            return file.read()

    def link(self, name):
        return os.readlink('/proc/%d/%s' % (self.pid, name))

    def ids(self):
        return (self.status['Uid'].split(), self.status['Gid'].split(),
                self.status['Groups'].split())

    def account(self):
        """`user:group+group...` if all four ids of each kind agree."""
        uids, gids, groups = self.ids()
        return '%s:%s' % (set(uids) == {uids[0]} and pwd.getpwuid(int(uids[0])).pw_name,
                          sorted(set(gids + groups)))

    def ending(self):
        """Is it on its way out, or another program already?"""
        return not self.argv


def family(top):
    """All processes below and with pid `top`, by argv[0] (qmail-clean: a list)."""
    found = [look(int(name)) for name in os.listdir('/proc')
             if name.isdigit() and int(name) != os.getpid()]
    return [p for p in found if p and (p.pid == top or p.parent == top)]


def look(pid):
    """What there is to know of it; None if it is gone.  While it opens and closes files, what was
    listed may not be there a moment later: then another look is due."""
    while True:
        try:
            return Process(pid)
        except (OSError, KeyError):
            if not os.path.exists('/proc/%d' % pid) or state(pid) == 'Z':
                return None


def state(pid):
    try:
        with open('/proc/%d/stat' % pid, encoding='ascii') as file:
            return file.read().rpartition(')')[2].split()[0]
    except OSError:
        return 'Z'


def processes():
    control()
    start = Start('./Mail dir/', extra_fd=9, ignore=(signal.SIGHUP, signal.SIGALRM),
                  block=(signal.SIGTERM, signal.SIGUSR1))
    tap.ok(start.wait_log(rb'^status: local 0/10 remote 0/20\n'), 'qmail-send runs', start.log)
    all_of_them = family(start.pid)
    names = sorted(' '.join(p.argv) for p in all_of_them)
    tap.equal(names, ['qmail-clean', 'qmail-clean', 'qmail-lspawn ./Mail dir/', 'qmail-rspawn',
                      'qmail-send', 'qmail-todo'], 'the processes')
    by_name = {p.argv[0]: p for p in all_of_them}
    tap.equal(by_name['qmail-send'].pid, start.pid, 'qmail-send has the pid of qmail-start')
    qmail = str(pwd.getpwnam('qmailq').pw_gid)
    for name, user in (('qmail-send', 'qmails'), ('qmail-todo', 'qmails'),
                       ('qmail-clean', 'qmailq'), ('qmail-rspawn', 'qmailr'),
                       ('qmail-lspawn', 'root')):
        tap.equal(by_name[name].account(), "%s:%s" % (user, [qmail]), name + ' runs as ' + user)
        tap.ok('MARK=kept' in by_name[name].environ, name + ' has the environment')
    for p in all_of_them:
        tap.equal(p.fds.get(2), '/dev/null' if p.argv[0] != 'qmail-todo' else p.fds.get(2),
                  p.argv[0] + ': descriptor 2')
        tap.ok(9 not in p.fds or p.fds[9] != '/dev/null', p.argv[0] + ': nothing inherited', p.fds)
        tap.equal(int(p.status['SigBlk'], 16), 0, p.argv[0] + ': no signal blocked')
    rspawn = by_name['qmail-rspawn']
    tap.ok(not int(rspawn.status['SigIgn'], 16) & 1 << signal.SIGALRM - 1,
           'an ignored signal is not passed on')
    pipes(all_of_them, by_name)
    tap.equal(start.end(), 0, 'TERM to it ends qmail-send: exit 0')
    tap.equal(start.log, b'status: local 0/10 remote 0/20\nstatus: exiting\n', 'the log')
    wait_gone([p.pid for p in all_of_them])


def pipes(all_of_them, by_name):
    """Each pipe has exactly two holders, so that the end of one is seen by the other."""
    holders = {}
    for p in all_of_them:
        for fd, what in p.fds.items():
            if what.startswith('pipe:'):
                holders.setdefault(what, set()).add(p.pid)
    # Self-pipes and the log have one holder among them.
    tap.ok(all(len(who) <= 2 for who in holders.values()), 'no pipe has a third holder', holders)
    pairs = sorted(tuple(sorted(p.argv[0] for p in all_of_them if p.pid in who))
                   for who in holders.values() if len(who) == 2)
    tap.equal(pairs, [('qmail-clean', 'qmail-send')] * 2 + [('qmail-clean', 'qmail-todo')] * 2 +
              [('qmail-lspawn', 'qmail-send')] * 2 + [('qmail-rspawn', 'qmail-send')] * 2 +
              [('qmail-send', 'qmail-todo')] * 2, 'who is connected to whom')


def wait_gone(pids):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end and any(os.path.exists('/proc/%d' % p) for p in pids):
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pass
        select.select([], [], [], 0.05)
    tap.equal([p for p in pids if os.path.exists('/proc/%d' % p)], [], 'all of them end with it')


def logger():
    control()
    start = Start('./Maildir/', 'sh', '-c',
                  'echo "uid $(id -u) gid $(id -G)"; ls -l /proc/self/fd/2; sed -u s/^/logged:/')
    start.wait_log(rb'logged:status: local')
    entry = pwd.getpwnam('qmaill')
    tap.ok(start.log.startswith(b'uid %d gid %d\n' % (entry.pw_uid, entry.pw_gid)),
           'the logger runs as qmaill', start.log)
    tap.ok(b'/dev/null' in start.log.split(b'\n')[1], 'its descriptor 2', start.log)
    tap.equal(start.end(), 0, 'exit 0')
    tap.ok(start.log.endswith(b'logged:status: exiting\n'), 'it gets the whole log', start.log)


def default_delivery():
    control()
    start = Start()
    start.wait_log(rb'^status')
    tap.ok(['qmail-lspawn', './Mailbox'] in [p.argv for p in family(start.pid)],
           'without argument: ./Mailbox')
    start.end()


def failures():
    control()
    start = Start('./Maildir/', path='/usr/bin:/bin')
    tap.equal(start.end(None), 111, 'programs not in PATH: exit 111')
    tap.equal(start.log, b'', 'nothing is printed')
    start = Start('./Maildir/', '/nonexistent/logger')
    tap.equal(start.end(None), 111, 'no logger: exit 111')
    os.rename(HOME + '/bin/qmail-send', HOME + '/bin/x')
    start = Start('./Maildir/')
    tap.equal(start.end(None), 111, 'no qmail-send: exit 111')
    os.rename(HOME + '/bin/x', HOME + '/bin/qmail-send')


def killed():
    """kill -9 of qmail-send: everything else ends by itself."""
    control()
    start = Start('./Maildir/')
    start.wait_log(rb'^status')
    pids = [p.pid for p in family(start.pid)]
    tap.equal(start.end(signal.SIGKILL), -9, 'killed')
    wait_gone(pids)


def main():
    for test in (processes, logger, default_delivery, failures, killed):
        tap.note(test.__name__)
        test()
    return tap.done()


sys.exit(main())
