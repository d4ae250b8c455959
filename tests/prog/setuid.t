#!/usr/bin/python3
"""setuid.t - qmail-queue, the set-uid program that everybody may run, attacked by a user:
arguments, environment, limits, descriptors, signals, umask, directory, links, debuggers.  After
each attack its exit code is a documented one, the message is in the queue as a whole or not at all,
every file has its owner and mode, and nothing that the attacker prepared was loaded, written or
shown."""
import ctypes
import os
import re
import resource
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

QUEUE = q.program('qmail-queue')
HEAD = rb'Received: [^\n]* -0000\n(?:Authentication-Results: [^\n]+\n(?:\t[^\n]+\n)*)?'
BODY = b'Subject: x\n\n' + b'text\n' * 2000
PLACE = '/tmp/attack'                   # joe's
OWNED = PLACE + '/owned'                # made if code of the attacker ever runs
CODES = {0, 11, 51, 52, 53, 54, 61, 62, 63, 64, 65, 66, 81, 91, 111}
NOT_RUN = {126, 127}                    # the shell or Python could not start it
ENDED = {-signal.SIGALRM, -signal.SIGKILL, -signal.SIGSEGV}    # by a limit, before it could act
EVIL = '''
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void) {
	if (geteuid() != getuid()) { int fd = open("%s", O_CREAT | O_WRONLY, 0666); (void)fd; }
}
''' % OWNED
SIZES = (0, 1, 100, 4096, 10000)


def prepare():
    """joe's directory, with a library that tells when it is loaded."""
    os.makedirs(PLACE)
    with open(PLACE + '/evil.c', 'w', encoding='ascii') as file:
        file.write(EVIL)
    subprocess.run(['gcc', '-shared', '-fPIC', '-o', PLACE + '/evil.so', PLACE + '/evil.c'],
                   check=True)
    for name, data in (('message', BODY), ('envelope', q.ENVELOPE)):
        with open(PLACE + '/' + name, 'wb') as file:
            file.write(data)
    os.system('chown -R joe:joe ' + PLACE)


def attack(name, twist=lambda: None, argv=('qmail-queue',), env=None, path=QUEUE, also=(), **more):
    """One run; `twist` is done by the attacker right before exec, as joe.  The exit code."""
    def change():
        q.become('joe')()
        os.chdir(PLACE)
        twist()
    with open(PLACE + '/message', 'rb') as message, open(PLACE + '/envelope', 'rb') as envelope:
        try:
            done = subprocess.run(
                list(argv), executable=path, stdin=more.pop('stdin', message), env=env or {},
                stdout=more.pop('stdout', envelope), stderr=subprocess.DEVNULL, preexec_fn=change,
                timeout=q.PATIENCE, check=False, **more)
            code = done.returncode
        except (OSError, subprocess.SubprocessError) as error:
            code, name = 126, '%s (%s)' % (name, type(error).__name__)
    judge(name, code, set(also))
    return code


def judge(name, code, also):
    """The promises, after a run that ended with this code."""
    found = q.files()
    todo = [path for path in found if path.startswith('todo/')]
    faults = [] if code in CODES | also else ['exit code %d' % code]
    if code == 0 and len(todo) != 1:
        faults.append('success, and todo is %r' % todo)
    for path in todo:
        number = path.split('/')[-1]
        text = q.read('mess/%d/%s' % (int(number) % q.SPLIT, number))
        if not re.fullmatch(HEAD + re.escape(BODY), text) or not q.read(path).endswith(q.ENVELOPE[:-1]):
            faults.append('half a message is queued')
    if not todo and found and code in CODES:
        faults.append('left behind: %r' % found)
    for path in found:
        st = os.stat(os.path.join(q.QUEUE, path))
        if st.st_uid != q.ids('qmailq')[0] or stat.S_IMODE(st.st_mode) != 0o644:
            faults.append('%s: uid %d, mode %o' % (path, st.st_uid, st.st_mode))
    if os.path.exists(OWNED):
        faults.append('code of the attacker was run')
    if [n for n in os.listdir(PLACE) if n.startswith('core')]:
        faults.append('a core file')
    tap.ok(not faults, '%s: %d' % (name, code), '\n'.join(faults))
    q.wipe()


def accepted(name, *args, **more):
    """An attack that must change nothing."""
    tap.equal(attack(name, *args, **more), 0, '... it is queued')


def arguments():
    """Those that it does not read."""
    accepted('no argument vector', argv=('',))
    accepted('an argument of 100,000 bytes', argv=('qmail-queue', 'a' * 100000))
    accepted('10,000 arguments', argv=('qmail-queue',) + ('-f', '--help') * 5000)
    accepted('bytes of all kinds', argv=(b'\xff\x01\n%s%n', b'%n' * 100))


def environment():
    """Variables that loader and C library obey in other programs."""
    evil = PLACE + '/evil.so'
    for name in ('LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH', 'LD_DEBUG_OUTPUT', 'GCONV_PATH',
                 'LOCPATH', 'NLSPATH', 'LANGUAGE', 'TZDIR', 'RESOLV_HOST_CONF', 'HOSTALIASES'):
        accepted(name, env={name: evil if name.startswith(('LD_P', 'LD_A')) else PLACE,
                            'LANG': 'xx_XX.evil', 'LD_DEBUG': 'all'})
    accepted('TZ that names a file', env={'TZ': ':/etc/shadow'})
    accepted('malloc options', env={'MALLOC_PERTURB_': '255', 'MALLOC_ARENA_MAX': '99999999999',
                                    'GLIBC_TUNABLES': 'glibc.malloc.check=3:' * 1000})
    accepted('the variables of other programs', env={'QMAILQUEUE': evil, 'PATH': PLACE,
                                                     'HOME': PLACE, 'IFS': '/'})
    with open(q.home() + '/control/me', 'w') as file:
        file.write('mx.example\n')
    # What may be in it, besides a field, tests/unit/test_authres.c and qmail-queue.t look at.
    accepted('results that are a header', env={'QMAILAUTHENTICATED': 'a\nBcc: x\n\n' + 'x' * 1000})
    accepted('results without an end', env={'QMAILAUTHENTICATED': '"(\\' * 40000})
    accepted('a million bytes', env={'V%d' % n: 'x' * 100000 for n in range(10)})


def limits():
    """Each resource from nothing upwards: it works, or it refuses."""
    def limited(what, value, name):
        attack('%s %d' % (name, value), lambda: resource.setrlimit(what, (value, value)),
               also=NOT_RUN | ENDED)
    for value in SIZES:
        limited(resource.RLIMIT_FSIZE, value, 'file size')
    for value in range(8):
        limited(resource.RLIMIT_NOFILE, value, 'descriptors')
    for value in (0, 1 << 16, 1 << 20, 2 << 20, 3 << 20, 4 << 20, 8 << 20):
        limited(resource.RLIMIT_AS, value, 'address space')
        limited(resource.RLIMIT_STACK, value, 'stack')
        limited(resource.RLIMIT_DATA, value, 'data')
    for value in (0, 1):
        limited(resource.RLIMIT_CPU, value, 'seconds')
        limited(resource.RLIMIT_NPROC, value, 'processes')
        limited(resource.RLIMIT_MEMLOCK, value, 'locked memory')
        limited(resource.RLIMIT_SIGPENDING, value, 'pending signals')


def descriptors():
    """Every choice of closed ones, and ones that are not what they should be."""
    for closed in range(1, 8):
        attack('closed: %s' % [fd for fd in range(3) if closed & 1 << fd], lambda c=closed: [
            os.close(fd) for fd in range(3) if c & 1 << fd])
    for name, flags in (('/dev/null', os.O_RDWR), ('/tmp', os.O_RDONLY), (PLACE, os.O_PATH),
                        (PLACE + '/message', os.O_WRONLY), ('/dev/zero', os.O_RDWR)):
        for fd in (0, 1):
            if fd == 0 and name == '/dev/zero':
                continue                    # a message that never ends, see trouble.t
            attack('descriptor %d is %s' % (fd, name), lambda n=name, f=flags, t=fd: os.dup2(
                os.open(n, f), t))
    with open(PLACE + '/message', 'wb') as file:    # it was opened for writing
        file.write(BODY)
    attack('1,000 open ones', lambda: [os.dup2(0, fd) for fd in range(3, 1000)], close_fds=False)


def signals():
    """Dispositions and timers go through exec."""
    everything = set(signal.valid_signals())
    catchable = everything - {signal.SIGKILL, signal.SIGSTOP}
    accepted('all blocked', lambda: signal.pthread_sigmask(signal.SIG_BLOCK, everything))
    accepted('all ignored', lambda: [signal.signal(s, signal.SIG_IGN) for s in catchable
                                     if s < 32])

    def pending():
        signal.pthread_sigmask(signal.SIG_BLOCK, everything)
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGPIPE)
    accepted('HUP and PIPE are pending', pending)
    for micro in range(0, 3000, 100):
        attack('a timer of %d us' % micro, lambda m=micro: signal.setitimer(
            signal.ITIMER_REAL, 1e-6 + m * 1e-6), also=ENDED | {52})
    for micro in range(0, 2000, 200):
        attack('a profiling timer of %d us' % micro, lambda m=micro: signal.setitimer(
            signal.ITIMER_PROF, 1e-6 + m * 1e-6), also={-signal.SIGPROF})


def surroundings():
    """umask, working directory, links, and being watched."""
    for mask in (0, 0o777, 0o077):
        accepted('umask %o' % mask, lambda m=mask: os.umask(m))
    os.makedirs('/tmp/gone', exist_ok=True)
    os.chmod('/tmp/gone', 0o777)

    def nowhere():
        os.chdir('/tmp/gone')
        os.rename('/tmp/gone', PLACE + '/gone')
        os.rmdir(PLACE + '/gone')
    attack('a directory that is gone', nowhere, also=NOT_RUN)
    os.symlink(QUEUE, PLACE + '/link')
    accepted('a symbolic link', path=PLACE + '/link')
    os.link(QUEUE, os.path.dirname(QUEUE) + '/hard')
    accepted('a hard link', path=os.path.dirname(QUEUE) + '/hard')
    os.unlink(os.path.dirname(QUEUE) + '/hard')
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    tap.equal(attack('no_new_privs: not set-uid', lambda: prctl(38, 1, 0, 0, 0)), 62, '... refuses')
    tap.equal(attack('traced: not set-uid', argv=(
        'strace', '-o', '/dev/null', QUEUE), path='/usr/bin/strace'), 62, '... refuses')
    tap.equal(attack('in a user name space: not set-uid', argv=(
        'unshare', '-r', QUEUE), path='/usr/bin/unshare', also={1}) != 0, True, '... refuses')


def watched():
    """What another process of the user may see and do while it works."""
    run = q.Queue('joe')
    place = '/proc/%d/' % run.process.pid
    with open(place + 'comm', encoding='ascii') as file:
        while file.read() != 'qmail-queue\n':       # the child of a fork, before exec
            file.seek(0)
    tries = 'import os,sys\nfor n in sys.argv[1:]:\n try: os.listdir(n) if n[-1] == "d" else ' \
            'os.open(n, os.O_RDONLY)\n except PermissionError: continue\n sys.exit("open: " + n)'
    for name in ('mem', 'environ', 'fd', 'maps', 'auxv'):
        done = subprocess.run([sys.executable, '-c', tries, place + name], check=False,
                              preexec_fn=q.become('joe'), stderr=subprocess.PIPE)
        tap.equal((done.returncode, done.stderr), (0, b''), 'the user cannot open /proc/N/' + name)
    with open(place + 'limits', encoding='ascii') as file:
        core = [line.split()[4:6] for line in file if line.startswith('Max core')]
    tap.equal(core, [['0', '0']], 'no core file, whatever the user set')
    tap.equal(run.send(), 0, 'it was not disturbed')
    q.wipe()


def installed():
    """It and three that have tests of their own are the only ones."""
    found = subprocess.run(['find', os.path.dirname(os.path.dirname(QUEUE)), '-xdev', '-type', 'f',
                            '-perm', '/6000'], stdout=subprocess.PIPE, check=True).stdout.decode()
    tap.equal(sorted(os.path.basename(path) for path in found.split()),
              ['checkpassword-smtp', 'qmail-chkuser', 'qmail-queue', 'qmail-tls'],
              'no other program is set-uid or set-gid')


prepare()
installed()
accepted('nothing special')
arguments()
environment()
limits()
descriptors()
signals()
surroundings()
watched()
tap.equal(subprocess.run([q.program('qmail-qcheck')], check=False).returncode, 0,
          'qmail-qcheck finds nothing')
sys.exit(tap.done())
