#!/usr/bin/python3
"""setuid.t - every set-uid program of the installation, attacked by whom it serves and by a user it
does not serve: arguments, environment, limits, descriptors, signals, umask, directory, links,
debuggers.  After each attack its exit code is a documented one, it has done all or nothing of its
work and only for whom it serves, and nothing that the attacker prepared was loaded, written or
shown.  Programs, callers and judges are in setuidcases.py; a program without one fails."""
import ctypes
import itertools
import os
import resource
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import setuidcases as cases             # noqa: E402
import tap                              # noqa: E402
import tlsworld                         # noqa: E402
from setuidcases import CASES, ENDED, NOT_RUN, PLACE    # noqa: E402

FULL = os.environ.get('DEPTH') == 'full'
SHARE = 8
SIZES = (0, 1, 100, 4096, 10000)
NO_NEW_PRIVS = 38
turn = itertools.count()


def takers():
    """Whom the next attack of a long series is for: everybody with DEPTH=full; else qmail-queue,
    and each of the others in every eighth."""
    first = next(turn)
    return [case for number, case in enumerate(CASES)
            if FULL or number == 0 or (first + number) % SHARE == 0]


def attack(name, *args, **more):
    """One of a long series."""
    for case in takers():
        case.attack(name, *args, **more)


def accepted(name, *args, **more):
    """One that must change nothing, on each program."""
    for case in CASES:
        case.accepted(name, *args, **more)


def arguments():
    """Those that a program does not read, and those it must refuse."""
    huge, strange = 'a' * 100000, (b'\xff\x01\n%s%n',) + (b'%n',) * 100
    for case in CASES:
        head = tuple(case.argv)
        case.attack('no argument vector', argv=('',), also={2, 100})
        if case.program == 'qmail-tls':
            options = ('-h', huge) if case.argv[1] == '-c' else ('-n', '99999999999999999999')
            for name, argv in (('an argument of 100,000 bytes', head[:2] + options),
                               ('descriptor 5', head[:2] + ('-n', '5')),
                               ('two modes', head[:2] + ('-t',)),
                               ('10,000 arguments', head[:2] + ('-e',) * 10000),
                               ('bytes of all kinds', head[:1] + strange)):
                case.attack(name, argv=argv, also={100})
        elif case.program == 'checkpassword-smtp':
            for name, argv in (('an argument of 100,000 bytes', head + (huge,)),
                               ('10,000 arguments', head + ('/nowhere', '--help') * 5000),
                               ('bytes of all kinds', head + strange)):
                case.accepted(name, argv=argv)
            case.attack('a program of all kinds', argv=head[:1] + strange)
        else:
            case.accepted('no argument vector', argv=('',))
            case.accepted('an argument of 100,000 bytes', argv=head + (huge,))
            case.accepted('10,000 arguments', argv=head + ('-f', '--help') * 5000)
            case.accepted('bytes of all kinds', argv=strange)


def environment():
    """Variables that loader and C library obey in other programs."""
    evil = PLACE + '/evil.so'
    for name in ('LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH', 'LD_DEBUG_OUTPUT', 'GCONV_PATH',
                 'LOCPATH', 'NLSPATH', 'LANGUAGE', 'TZDIR', 'RESOLV_HOST_CONF', 'HOSTALIASES',
                 'OPENSSL_CONF', 'OPENSSL_MODULES', 'OPENSSL_ENGINES', 'SSL_CERT_FILE'):
        for case in CASES if name.startswith('LD_') else takers():
            case.accepted(name, env={name: evil if name.startswith(('LD_P', 'LD_A')) else PLACE,
                                     'LANG': 'xx_XX.evil', 'LD_DEBUG': 'all'})
    accepted('TZ that names a file', env={'TZ': ':/etc/shadow'})
    accepted('malloc options', env={'MALLOC_PERTURB_': '255', 'MALLOC_ARENA_MAX': '99999999999',
                                    'GLIBC_TUNABLES': 'glibc.malloc.check=3:' * 1000})
    accepted('the variables of other programs', env={'QMAILQUEUE': evil, 'PATH': PLACE,
                                                     'HOME': PLACE, 'IFS': '/'})
    # What may be in it, besides a field, tests/unit/test_authres.c and qmail-queue.t look at.
    accepted('results that are a header', env={'QMAILAUTHENTICATED': 'a\nBcc: x\n\n' + 'x' * 1000})
    accepted('results without an end', env={'QMAILAUTHENTICATED': '"(\\' * 40000})
    accepted('a million bytes', env={'V%d' % n: 'x' * 100000 for n in range(10)})
    for case in CASES:
        if case.program == 'qmail-tls':
            case.attack('ciphers without an end', env={'TLSCIPHERS': 'ALL:' * 30000})


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


def fill():
    """Everything is open that is not given to the program."""
    for fd in range(3, 1000):
        try:
            given = os.get_inheritable(fd)
        except OSError:
            given = False
        if not given:
            os.dup2(0, fd)


def descriptors():
    """Every choice of closed ones, and ones that are not what they should be."""
    for case in CASES:
        numbers = sorted({0, 1, 2} | set(case.fds))
        for count in range(1, len(numbers) + 1):
            for closed in itertools.combinations(numbers, count):
                if case in takers() or len(closed) in (1, len(numbers)):
                    case.attack('closed: %r' % (closed,), lambda c=closed: [
                        os.close(fd) for fd in c])
        for name, flags in (('/dev/null', os.O_RDWR), ('/tmp', os.O_RDONLY), (PLACE, os.O_PATH),
                            (PLACE + '/message', os.O_WRONLY), ('/dev/zero', os.O_RDWR)):
            for number in set(numbers) - {2}:
                if (case.program, number, name) == ('qmail-queue', 0, '/dev/zero'):
                    continue                # a message that never ends, see trouble.t
                if case.fds.get(0) is cases.CLIENT and number == 1 and flags & os.O_ACCMODE:
                    continue                # a handshake into a hole ends after 26 s
                case.attack('descriptor %d is %s' % (number, name),
                            lambda n=name, f=flags, t=number: os.dup2(os.open(n, f), t),
                            also={1} if number == 3 else ())
    cases.write(PLACE + '/message', cases.BODY)     # it was opened for writing
    for case in CASES:
        case.attack('1,000 open ones', fill)


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
    """umask, working directory, links."""
    def nowhere():
        os.mkdir('gone')
        os.chdir('gone')
        os.rmdir(PLACE + '/gone')
    for mask in (0, 0o777, 0o077):
        accepted('umask %o' % mask, lambda m=mask: os.umask(m))
    accepted('a directory that is gone', nowhere)
    for case in CASES:
        hard = os.path.dirname(case.path) + '/hard'
        os.symlink(case.path, PLACE + '/link')
        case.accepted('a symbolic link', path=PLACE + '/link')
        os.unlink(PLACE + '/link')
        os.link(case.path, hard)
        case.accepted('a hard link', path=hard)
        os.unlink(hard)


def powerless():
    """Ways to run the file without the power that it has: its program does nothing with more."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for case in CASES:
        before = ('strace', '-o', '/dev/null', case.path, *case.argv[1:])
        inside = ('unshare', '-r', case.path, *case.argv[1:])
        for name, more in (
                ('no_new_privs', {'twist': lambda: prctl(NO_NEW_PRIVS, 1, 0, 0, 0)}),
                ('traced', {'argv': before, 'path': '/usr/bin/strace'})):
            code = case.attack(name + ': not set-uid', also=case.bare, **more)[0]
            tap.ok(code in case.bare, '... it can do no more than its caller', code)
        case.attack('in a user name space: not set-uid', argv=inside, path='/usr/bin/unshare',
                    also=case.bare | {1}, judged=False)


def watched():
    """What another process of the user may see while it works."""
    tries = 'import os,sys\nfor n in sys.argv[1:]:\n try: os.listdir(n) if n[-1] == "d" else ' \
            'os.open(n, os.O_RDONLY)\n except PermissionError: continue\n sys.exit("open: " + n)'
    for case in CASES:
        if case.waits is None:
            continue
        process, given = case.waiting()
        place = '/proc/%d/' % process.pid
        q.wait_until(lambda p=place, c=case: text(p + 'comm') == c.program[:15] + '\n')
        for name in ('mem', 'environ', 'fd', 'maps', 'auxv'):
            done = subprocess.run([sys.executable, '-c', tries, place + name], check=False,
                                  preexec_fn=q.become(case.caller), stderr=subprocess.PIPE)
            tap.equal((done.returncode, done.stderr), (0, b''),
                      '%s: the caller cannot open /proc/N/%s' % (case.name, name))
        # One that makes way for the caller's program keeps the caller's limit; none can dump it.
        pids = set(tlsworld.relays()) - {process.pid} or {process.pid}
        core = [line.split()[4:6] for pid in pids
                for line in text('/proc/%d/limits' % pid).splitlines()
                if line.startswith('Max core')]
        tap.equal(core, [['0', '0']], '%s: no core file, whatever the user set' % case.name)
        given.end()
        process.communicate(timeout=q.PATIENCE)
        tap.ok(process.returncode in case.codes | {1, 2, 91}, '... and its input ends',
               process.returncode)
        q.wipe()


def text(path):
    with open(path, encoding='ascii') as file:
        return file.read()


def undisturbed():
    """qmail-queue goes on while it is looked at."""
    run = q.Queue('joe')
    place = '/proc/%d/' % run.process.pid
    q.wait_until(lambda: text(place + 'comm') == 'qmail-queue\n')
    tap.equal(run.send(), 0, 'it was not disturbed')
    q.wipe()


def installed():
    """Those that have cases are the only ones."""
    found = subprocess.run(['find', q.home(), '-xdev', '-type', 'f', '-perm', '/6000'],
                           stdout=subprocess.PIPE, check=True).stdout.decode()
    tap.equal(sorted(os.path.basename(path) for path in found.split()),
              sorted({case.program for case in CASES}),
              'no program is set-uid or set-gid without a judge')


def main():
    cases.prepare()
    installed()
    accepted('nothing special')
    for test in (arguments, environment, limits, descriptors, signals, surroundings, powerless,
                 watched):
        test()
    tap.equal(subprocess.run([q.program('qmail-qcheck')], check=False).returncode, 0,
              'qmail-qcheck finds nothing')
    cases.tear_down()
    return tap.done()


sys.exit(main())
