"""host - one throw-away mail host made of name spaces; everything in it vanishes with it.

A Host is a root file system (copy-on-write over the machine's own, or over a clean Debian),
a process tree, a network with a loopback of its own, accounts, and the suite installed in its
home directory.  Real file systems (tmpfs, or ext4 on a loop device) are mounted where the queue
and the mailboxes are: overlayfs does not keep inode numbers and links as a queue needs them.

Nothing in the machine's own file system changes, except below build/world/ in the source tree.
"""
import os
import shutil
import signal
import stat
import subprocess
import sys

import accounts
import layers
import ns

TOP = layers.TOP
BASE = os.path.join(layers.CACHE, 'mnt')    # the world is put together here, then pivots into it
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
ZONE = '/etc/dnsmasq-world.conf'
DEVICES = [('null', 1, 3), ('zero', 1, 5), ('full', 1, 7), ('random', 1, 8), ('urandom', 1, 9),
           ('tty', 5, 0)]
KEPT_ENV = ('TERM', 'WORLD', 'SAN', 'GOLDEN_', 'HARNESS_', 'TEST_', 'ASAN_', 'UBSAN_', 'LSAN_')


class Trouble(Exception):
    """The world cannot be made; the text says why and what to do."""


def requirements():
    """Raise Trouble unless this machine can make worlds."""
    if os.geteuid() != 0:
        raise Trouble('needs root (WORLD=skip leaves out the tests that need a world)')
    known = lambda: '\toverlay\n' in open('/proc/filesystems').read()
    if not known():
        subprocess.run(['modprobe', 'overlay'], stderr=subprocess.DEVNULL, check=False)
    if not known():
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
    try:
        with open(path) as file:
            return file.read()
    except FileNotFoundError:
        return ''


class Host:
    """Description of a world; start() or run() make it.

    name    host name (fully qualified)
    stack   package layers (names of tests/packages), lowest first
    clean   stand on a Debian of base packages only instead of this machine's root
    suite   install the built suite and its accounts
    fs      file system of the home directory: tmpfs or ext4
    zone    text of dnsmasq configuration lines; None = no name server
    network False: stay in the machine's network
    shares  list of (directory of the machine, place in the world), writable
    """

    def __init__(self, name='world.test', stack=(), clean=False, suite=True, fs='tmpfs',
                 zone=None, network=True, shares=()):
        self.name, self.stack, self.clean, self.suite = name, list(stack), clean, suite
        self.fs, self.zone, self.network, self.shares = fs, zone, network, list(shares)
        self.pid = None         # process 1 of the world, as seen from outside
        self._keeper = None     # its parent; the world ends with it

    # -- putting it together; all of this runs in the world's own name spaces ------------------

    def _root(self):
        """Mount the copy-on-write root and return its path."""
        os.makedirs(BASE, exist_ok=True)
        ns.mount('none', '/', None, ns.MS_REC | ns.MS_PRIVATE)
        ns.mount('world', BASE, 'tmpfs', 0, 'mode=755,size=75%')
        lower = [layers.package_layer(name) for name in reversed(self.stack)]
        lower.append(layers.clean_layer() if self.clean else '/')
        root = self._overlay('root', lower)
        if TOP != '/':
            self._overlay('tree', [TOP], root + TOP)
        return root

    @staticmethod
    def _overlay(name, lower, target=None):
        target = target or os.path.join(BASE, name)
        upper, work = os.path.join(BASE, name + '.upper'), os.path.join(BASE, name + '.work')
        for directory in (target, upper, work):
            os.makedirs(directory, exist_ok=True)
        ns.mount('world', target, 'overlay', 0, 'lowerdir=%s,upperdir=%s,workdir=%s'
                 % (':'.join(lower), upper, work))
        return target

    def _mounts(self, root):
        """What a running host has mounted; the source tree shows through copy-on-write."""
        ns.mount('proc', root + '/proc', 'proc', ns.MS_NOSUID | ns.MS_NODEV | ns.MS_NOEXEC)
        ns.mount('sysfs', root + '/sys', 'sysfs', ns.MS_RDONLY)
        for where, mode in (('run', '755'), ('tmp', '1777'), ('home', '755')):
            if not (TOP + '/').startswith('/%s/' % where):
                ns.mount('tmpfs', os.path.join(root, where), 'tmpfs', 0, 'mode=' + mode)
        os.makedirs(root + '/run/lock', exist_ok=True)
        self._devices(root + '/dev')
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

    def _etc(self, root):
        """Names: of the host, of its accounts, of other hosts.  No services of the machine."""
        etc, home = root + '/etc/', layers.home()
        write(etc + 'passwd', accounts.passwd(read(etc + 'passwd'), home, self.suite))
        write(etc + 'group', accounts.group(read(etc + 'group'), self.suite))
        write(etc + 'shadow', accounts.shadow(read(etc + 'shadow'), self.suite), 0o600)
        write(etc + 'hostname', self.name + '\n')
        write(etc + 'mailname', self.name + '\n')
        write(etc + 'nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\n'
              'hosts: files dns\nservices: files\nprotocols: files\n')
        write(etc + 'hosts', '127.0.0.1 localhost\n::1 localhost\n127.0.1.1 %s %s\n'
              % (self.name, self.name.split('.')[0]))
        if self.network:
            write(etc + 'resolv.conf', 'nameserver 127.0.0.1\noptions timeout:2 attempts:2\n')
        else:
            write(etc + 'resolv.conf', read('/etc/resolv.conf'))
        if self.zone is not None:
            write(root + ZONE, self.zone)
        for service in os.listdir(etc + 'service') if os.path.isdir(etc + 'service') else ():
            os.unlink(etc + 'service/' + service)

    def _homes(self, root):
        for name, uid, _ in accounts.PEOPLE:
            home = '%s/home/%s' % (root, name)
            for directory in ('', '/Maildir', '/Maildir/tmp', '/Maildir/new', '/Maildir/cur'):
                os.mkdir(home + directory, 0o755 if not directory else 0o700)
                os.chown(home + directory, uid, uid)

    def _suite(self, root):
        """Mount the file system of the mail system's home and put the suite into it."""
        home = root + layers.home()
        os.makedirs(home, exist_ok=True)
        if self.fs == 'tmpfs':
            ns.mount('tmpfs', home, 'tmpfs', 0, 'mode=755')
        else:
            image = os.path.join(BASE, 'home.img')
            with open(image, 'wb') as file:
                file.truncate(2 << 30)
            subprocess.run(['mkfs.' + self.fs, '-q', image], check=True)
            subprocess.run(['mount', '-o', 'loop', image, home], check=True)
        if self.suite:
            subprocess.run(['cp', '-a', layers.suite_layer() + '/.', home], check=True)

    def _become(self):
        """Turn this process (1 in its process name space) into the world's first."""
        os.umask(0o022)
        root = self._root()
        self._mounts(root)
        self._etc(root)
        self._homes(root)
        self._suite(root)
        ns.pivot_root(root)
        ns.sethostname(self.name)
        if self.network:
            ns.loopback_up()
        if self.zone is not None:
            subprocess.run(['dnsmasq', '--conf-file=' + ZONE, '--no-hosts', '--no-resolv',
                            '--local=/#/', '--pid-file=', '--user=root', '--bind-interfaces',
                            '--listen-address=127.0.0.1'], check=True)

    # -- making it ---------------------------------------------------------------------------

    def _prepare(self):
        """What is shared by all worlds and made once, before any name space is entered."""
        requirements()
        for name in self.stack:
            layers.package_layer(name)
        if self.clean:
            layers.clean_layer()
        if self.suite:
            layers.suite_layer()

    def _spawn(self, body):
        """Fork process 1 of a new world; it runs body() there.  Returns the keeper's pid."""
        self._prepare()
        sys.stdout.flush()
        sys.stderr.flush()
        keeper = os.fork()
        if keeper:
            return keeper
        code = 111
        try:
            ns.die_with_parent(signal.SIGKILL)
            ns.unshare(ns.NEWNS | ns.NEWUTS | ns.NEWIPC | ns.NEWPID |
                       (ns.NEWNET if self.network else 0))
            code = self._keep(body)
        except BaseException as error:      # the child of a fork: nothing may escape upwards
            print('world: %s' % error, file=sys.stderr)
        finally:
            os._exit(code)

    @staticmethod
    def _keep(body):
        first = os.fork()
        if first == 0:
            ns.die_with_parent(signal.SIGKILL)
            os._exit(body())
        _, status = os.waitpid(first, 0)
        return layers.exit_code(status)

    def run(self, argv, cwd=None, env=None):
        """Make the world, run argv in it, unmake it; returns argv's exit code (128+n: signal)."""
        cwd = cwd or os.getcwd()
        keeper = self._spawn(lambda: self._first(argv, cwd, env or clean_env()))
        _, status = os.waitpid(keeper, 0)
        return layers.exit_code(status)

    def _first(self, argv, cwd, env):
        """Body of process 1: start argv, collect every orphan, end with argv."""
        self._become()
        child = os.fork()
        if child == 0:
            os.chdir(cwd if os.path.isdir(cwd) else '/')
            try:
                os.execvpe(argv[0], argv, env)
            except OSError as error:
                print('world: %s: %s' % (argv[0], error.strerror), file=sys.stderr)
                os._exit(127)
        while True:
            pid, status = os.wait()
            if pid == child:
                return layers.exit_code(status)


def clean_env():
    """The environment of commands in a world: a known one, and what steers tests."""
    env = {key: value for key, value in os.environ.items() if key.startswith(KEPT_ENV)}
    env.update(PATH=PATH, HOME='/root', USER='root', LOGNAME='root', SHELL='/bin/sh', LANG='C',
               PYTHONDONTWRITEBYTECODE='1')
    return env
