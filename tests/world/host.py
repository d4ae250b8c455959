"""host - one throw-away mail host made of name spaces; everything in it vanishes with it.

A Host is a root file system (copy-on-write over the machine's own, or over a clean Debian),
a process tree, a network with a loopback of its own, accounts, and the suite installed in its
home directory.  Real file systems (tmpfs, or ext4 on a loop device) are mounted where the queue
and the mailboxes are: overlayfs does not keep inode numbers and links as a queue needs them.

Nothing in the machine's own file system changes, except below build/world/ in the source tree.
"""
import os
import re
import signal
import stat
import subprocess
import sys
import time

import accounts as people
import ns
from tree import CACHE, TOP, Trouble, exit_code, home

BASE = os.path.join(CACHE, 'mnt')       # the world is put together here, then pivots into it
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
ZONE = '/etc/dnsmasq-world.conf'
DEVICES = [('null', 1, 3), ('zero', 1, 5), ('full', 1, 7), ('random', 1, 8), ('urandom', 1, 9),
           ('tty', 5, 0)]
KEPT_ENV = ('TERM', 'WORLD', 'SAN', 'DEPTH', 'GOLDEN_', 'HARNESS_', 'TEST_', 'ASAN_', 'UBSAN_',
            'LSAN_', 'http_proxy', 'https_proxy', 'no_proxy')
NAMESPACES = ns.NEWNS | ns.NEWUTS | ns.NEWIPC | ns.NEWPID


def requirements():
    """Raise Trouble unless this machine can make worlds."""
    def overlay():
        return '\toverlay\n' in read('/proc/filesystems')
    if os.geteuid() != 0:
        raise Trouble('needs root (WORLD=skip leaves out the tests that need a world)')
    if not overlay():
        subprocess.run(['modprobe', 'overlay'], stderr=subprocess.DEVNULL, check=False)
    if not overlay():
        raise Trouble('needs overlayfs in the kernel (WORLD=skip leaves out these tests)')


def write(path, text, mode=0o644):
    """Make `path` a regular file with this text, also where a link was."""
    if os.path.islink(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write(text)
    os.chmod(path, mode)


def read(path):
    """The text of a file; empty if it is not there."""
    try:
        with open(path, errors='surrogateescape') as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ''


def clean_env():
    """The environment of commands in a world: a known one, and what steers tests."""
    env = {key: value for key, value in os.environ.items() if key.startswith(KEPT_ENV)}
    env.update(PATH=PATH, HOME='/root', USER='root', LOGNAME='root', SHELL='/bin/sh', LANG='C',
               PYTHONDONTWRITEBYTECODE='1')
    return env


class Host:
    """Description of a world; run() or start() make it.

    name       host name (fully qualified)
    lower      directories below the copy-on-write layer, highest first
    upper      directory that keeps what is written to the root; None: nothing is kept.  With it
               the files in /etc stay as they are (this is how package layers are made)
    accounts   whether the suite's accounts exist
    home_from  tree to copy into the home directory; None: the home directory is empty
    fs         file system of the home directory: tmpfs or ext4
    zone       text of dnsmasq configuration lines; None = no name server
    network    False: stay in the machine's network
    shares     list of (directory of the machine, place in the world), writable
    """

    def __init__(self, name='world.test', lower=('/',), upper=None, accounts=True, home_from=None,
                 fs='tmpfs', zone=None, network=True, shares=()):
        self.name, self.lower, self.upper, self.accounts = name, list(lower), upper, accounts
        self.home_from, self.fs, self.zone, self.network = home_from, fs, zone, network
        self.shares = list(shares)
        self.pid = None         # process 1 of a started world, as seen from outside
        self._keeper = None     # its parent

    # -- putting it together: all of this runs in the world's own name spaces ------------------

    def _become(self):
        """Turn this process (1 in its process name space) into the world's first."""
        os.umask(0o022)
        ns.mount('none', '/', None, ns.MS_REC | ns.MS_PRIVATE)
        ns.mount('world', BASE, 'tmpfs', 0, 'mode=755,size=75%')
        lower = list(self.lower)
        if lower[-1] == '/' and len(lower) > 1:
            # Layers of one overlay may not contain each other, and / contains build/world.
            lower[-1] = self._overlay('machine', ['/'])
        root = self._overlay('root', lower, None, self.upper)
        self._mounts(root)
        if self.upper:
            self._machine_names(root)
        else:
            self._etc(root)
            self._homes(root)
            self._home(root + home())
            self._overlay('tree', [TOP], root + TOP)
        self._share(root)
        if self.network:
            ns.loopback_up()
        if self.zone is not None:       # the machine's dnsmasq: a clean Debian has none
            subprocess.run(['dnsmasq', '--conf-file=' + root + ZONE, '--no-hosts', '--no-resolv',
                            '--local=/#/', '--pid-file=', '--user=root', '--bind-interfaces',
                            '--listen-address=127.0.0.1'], check=True)
        ns.pivot_root(root)
        ns.sethostname(self.name)

    @staticmethod
    def _overlay(name, lower, target=None, upper=None):
        target = target or os.path.join(BASE, name)
        work = upper + '.work' if upper else os.path.join(BASE, name + '.work')
        upper = upper or os.path.join(BASE, name + '.upper')
        for directory in (target, upper, work):
            os.makedirs(directory, exist_ok=True)
        ns.mount('world', target, 'overlay', 0, 'lowerdir=%s,upperdir=%s,workdir=%s'
                 % (':'.join(lower), upper, work))
        return target

    def _mounts(self, root):
        """What a running host has mounted."""
        ns.mount('proc', root + '/proc', 'proc', ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
        ns.mount('sysfs', root + '/sys', 'sysfs', ns.MS_RDONLY)
        for where, mode in (('run', '755'), ('tmp', '1777'), ('home', '755')):
            ns.mount('tmpfs', os.path.join(root, where), 'tmpfs', 0, 'mode=' + mode)
        os.makedirs(root + '/run/lock', exist_ok=True)
        self._devices(root + '/dev')

    def _share(self, root):
        """Directories of the machine that it may write to; they may be in the tree."""
        for source, place in self.shares:
            os.makedirs(root + place, exist_ok=True)
            ns.mount(source, root + place, None, ns.MS_BIND)

    @staticmethod
    def _devices(dev):
        ns.mount('tmpfs', dev, 'tmpfs', ns.MS_NOSUID, 'mode=755')
        for name, major, minor in DEVICES:
            os.mknod(os.path.join(dev, name), stat.S_IFCHR | 0o666, os.makedev(major, minor))
            os.chmod(os.path.join(dev, name), 0o666)
        os.mkdir(dev + '/pts')
        os.mkdir(dev + '/shm')
        ns.mount('devpts', dev + '/pts', 'devpts', ns.MS_NOSUID,
                 'newinstance,ptmxmode=0666,mode=620,gid=5')
        ns.mount('tmpfs', dev + '/shm', 'tmpfs', ns.MS_NOSUID | ns.MS_NODEV, 'mode=1777')
        os.symlink('pts/ptmx', dev + '/ptmx')
        os.symlink('/proc/self/fd', dev + '/fd')
        for number, name in enumerate(('stdin', 'stdout', 'stderr')):
            os.symlink('/proc/self/fd/%d' % number, os.path.join(dev, name))

    @staticmethod
    def _machine_names(root):
        """Let a world that installs packages resolve names as the machine does."""
        own = os.path.join(BASE, 'resolv.conf')
        write(own, read('/etc/resolv.conf'))
        target = root + '/etc/resolv.conf'
        if os.path.islink(target):
            place = os.path.join('/etc', os.readlink(target))
            write(root + os.path.normpath(place), read(own))
        else:
            if not os.path.exists(target):
                write(target, '')
            ns.mount(own, target, None, ns.MS_BIND)

    def _etc(self, root):
        """Names: of the host, of its accounts, of other hosts.  No services of the machine."""
        etc = root + '/etc/'
        write(etc + 'passwd', people.passwd(read(etc + 'passwd'), home(), self.accounts))
        write(etc + 'group', people.group(read(etc + 'group'), self.accounts))
        write(etc + 'shadow', people.shadow(read(etc + 'shadow'), self.accounts), 0o600)
        write(etc + 'hostname', self.name + '\n')
        write(etc + 'mailname', self.name + '\n')
        write(etc + 'nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\n'
              'hosts: files dns\nservices: files\nprotocols: files\n')
        write(etc + 'hosts', '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s %s\n'
              % (self.name, self.name.split('.')[0]))
        write(etc + 'resolv.conf', 'nameserver 127.0.0.1\noptions timeout:2 attempts:2\n'
              if self.network else read('/etc/resolv.conf'))
        if self.zone is not None:
            write(root + ZONE, self.zone)
        for service in os.listdir(etc + 'service') if os.path.isdir(etc + 'service') else ():
            os.unlink(etc + 'service/' + service)

    @staticmethod
    def _homes(root):
        for name, uid, _ in people.PEOPLE:
            place = '%s/home/%s' % (root, name)
            for directory in ('', '/Maildir', '/Maildir/tmp', '/Maildir/new', '/Maildir/cur'):
                os.mkdir(place + directory, 0o755 if not directory else 0o700)
                os.chown(place + directory, uid, uid)

    def _home(self, place):
        """Mount the file system of the mail system's home and copy the tree into it."""
        os.makedirs(place, exist_ok=True)
        if self.fs == 'tmpfs':
            ns.mount('tmpfs', place, 'tmpfs', 0, 'mode=755')
        else:
            image = os.path.join(BASE, 'home.img')
            with open(image, 'wb') as file:
                file.truncate(2 << 30)
            subprocess.run(['mkfs.' + self.fs, '-q', image], check=True)
            subprocess.run(['mount', '-o', 'loop', image, place], check=True)
        if self.home_from:
            subprocess.run(['cp', '-a', self.home_from + '/.', place], check=True)

    # -- making it ---------------------------------------------------------------------------

    def _spawn(self, body):
        """Fork a keeper that makes the name spaces; body() runs as process 1 in them."""
        requirements()
        os.makedirs(BASE, exist_ok=True)
        sys.stdout.flush()
        sys.stderr.flush()
        keeper = os.fork()
        if keeper:
            return keeper
        code = 111
        try:
            ns.die_with_parent(signal.SIGKILL)
            ns.unshare(NAMESPACES | (ns.NEWNET if self.network else 0))
            first = os.fork()
            if first == 0:
                ns.die_with_parent(signal.SIGKILL)
                code = body()
            else:
                code = exit_code(os.waitpid(first, 0)[1])
        except BaseException as error:      # the child of a fork: nothing may escape upwards
            print('world: %s' % error, file=sys.stderr, flush=True)
        finally:
            os._exit(code)

    def run(self, argv, cwd=None, env=None, out=None):
        """Make the world, run argv in it, unmake it; returns argv's exit code (128+n: signal).
        out: a file for its output and errors."""
        cwd = cwd or os.getcwd()

        def body():
            if out:
                os.dup2(out.fileno(), 1)
                os.dup2(out.fileno(), 2)
                os.dup2(os.open('/dev/null', os.O_RDONLY), 0)
            self._become()
            return _first(argv, cwd, env or clean_env())
        return exit_code(os.waitpid(self._spawn(body), 0)[1])

    def start(self):
        """Make the world and leave it idle; popen() and call() run commands in it."""
        ready, tell = os.pipe()

        def body():
            os.close(ready)
            # The pid outside: process 1 can still see the machine's /proc.
            pid = os.readlink('/proc/self')
            self._become()
            os.write(tell, pid.encode())
            os.close(tell)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
            while True:
                signal.sigwait([signal.SIGCHLD])
                _reap()
        self._keeper = self._spawn(body)
        os.close(tell)
        text = os.read(ready, 32)       # nothing if the keeper ended
        os.close(ready)
        if not text:
            os.waitpid(self._keeper, 0)
            raise Trouble('the host %s could not be made' % self.name)
        self.pid = int(text)
        return self

    def stop(self):
        """Kill everything in the world; returns when it is gone."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self._keeper, 0)
            self.pid = None

    def __enter__(self):
        return self if self.pid else self.start()

    def __exit__(self, *_):
        self.stop()

    # -- working in a started world ------------------------------------------------------------

    def path(self, name):
        """The name, outside, of a file in the world (absolute links are not followed right)."""
        return '/proc/%d/root%s' % (self.pid, name)

    def processes(self, name):
        """The pids, outside, of the world's processes with this name (the kernel's, 15 bytes)."""
        space = os.readlink('/proc/%d/ns/pid' % self.pid)
        found = []
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if (read('/proc/%s/comm' % pid).strip() == name and
                        os.readlink('/proc/%s/ns/pid' % pid) == space):
                    found.append(int(pid))
            except OSError:                 # it has ended meanwhile
                pass
        return found

    def daemon(self, name):
        """The pid, outside, of the one process with this name that is not just a child of it, which
        bears the name until it has become another program."""
        pids, parents = self.processes(name), {}
        for pid in pids:
            try:
                parents[pid] = int(re.search('PPid:\\s*(\\d+)',
                                             read('/proc/%d/status' % pid)).group(1))
            except OSError:                 # it has ended meanwhile
                pass
        found, = (pid for pid in parents if parents[pid] not in pids)
        return found

    def popen(self, argv, user=None, cwd='/', env=None, **more):
        """subprocess.Popen of argv in the world.  user: (uid, gid), without other groups."""
        enter = ['nsenter', '--target', str(self.pid), '--mount', '--uts', '--ipc', '--net',
                 '--pid', '--root']
        if user:
            enter += ['--setuid', str(user[0]), '--setgid', str(user[1])]
        full = clean_env()
        full.update(env or {})
        settings = ['%s=%s' % item for item in full.items()]
        return subprocess.Popen(enter + ['--', 'env', '-i', '--default-signal', '-C', cwd]
                                + settings + list(argv), **more)

    def call(self, argv, stdin=b'', timeout=60, **more):
        """Run argv to its end; returns (exit code, output, errors), all bytes."""
        child = self.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, **more)
        try:
            out, err = child.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        return child.returncode, out, err

    def sh(self, script, **more):
        """Run a shell script; its output as text.  Trouble if it fails."""
        code, out, err = self.call(['sh', '-ec', script], **more)
        if code:
            raise Trouble('%s: exit code %d: %s\n%s' % (self.name, code, script,
                                                        (out + err).decode(errors='replace')))
        return out.decode(errors='replace')


def _reap():
    """Collect all ended children."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _default_signals():
    """What a login gives: nothing ignored, nothing blocked, however this program was started."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)


def _first(argv, cwd, env):
    """The life of process 1: start argv, collect every orphan, end with argv."""
    child = os.fork()
    if child == 0:
        _default_signals()
        os.closerange(3, os.sysconf('SC_OPEN_MAX'))     # what a test runner left open
        os.chdir(cwd if os.path.isdir(cwd) else '/')
        try:
            os.execvpe(argv[0], argv, env)
        except OSError as error:
            print('world: %s: %s' % (argv[0], error.strerror), file=sys.stderr, flush=True)
            os._exit(127)
    while True:
        pid, status = os.wait()
        if pid == child:
            return exit_code(status)


def wait_for(condition, what, timeout=30):
    """Wait until condition() is true; Trouble names `what` at the deadline."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Trouble('waited %d s in vain for %s' % (timeout, what))
        time.sleep(0.02)
