#!/usr/bin/python3
"""qmail-lspawn.t - commands, users, what a delivery inherits, and background processes."""
import os
import resource
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

QUICK = '#!/bin/sh\necho done\n'
LINGER = 3                              # SPAWND_LINGER_MS


def lspawn(*args, **more):
    return q.Spawn('qmail-lspawn', *(args or ('./Maildir/',)), **more)


def running(name):
    """How many processes have this name."""
    n = 0
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/comm' % pid) as file:
                n += file.read() == name + '\n'
        except OSError:
            pass                        # gone meanwhile
    return n


def start():
    tap.equal(subprocess.call([q.program('qmail-lspawn')], stdin=subprocess.DEVNULL), 100,
              'no argument')
    daemon = lspawn()
    tap.equal(daemon.limit, b'\x78', 'limit')
    tap.equal(daemon.close(), 0, 'end of commands')
    os.rename(q.QUEUE + '/mess', q.QUEUE + '/mess.away')
    tap.equal(subprocess.call([q.program('qmail-lspawn'), 'x'], stdin=subprocess.DEVNULL), 111,
              'no queue/mess')
    os.rename(q.QUEUE + '/mess.away', q.QUEUE + '/mess')


def commands():
    q.stub('qmail-local', QUICK)
    daemon = lspawn()
    for name, slot, more, want in (
            ('good', 0, {}, b'Kdone\n'),
            ('last slot', 119, {}, b'Kdone\n'),
            ('slot too big', 120, {}, b'ZInternal error: delnum too big. (#4.3.5)\n'),
            ('letter', 1, {'message': b'0/x'}, b'DInternal error: messid has nonnumerics. (#5.3.5)\n'),
            ('slash first', 1, {'message': b'/23'},
             b'DInternal error: messid has nonnumerics. (#5.3.5)\n'),
            ('dots', 1, {'message': b'0/../0/23'},
             b'DInternal error: messid has nonnumerics. (#5.3.5)\n'),
            ('99 bytes', 1, {'message': b'0' * 99}, b'Zqmail-spawn unable to open message. (#4.3.0)\n'),
            ('100 bytes', 1, {'message': b'0' * 100}, b'DInternal error: messid too long. (#5.3.5)\n'),
            ('empty', 1, {'message': b''}, b'DInternal error: messid too short. (#5.3.5)\n'),
            ('no @', 1, {'recipient': b'joe'}, b'DSorry, address must include host name. (#5.1.3)\n'),
            ('no file', 1, {'message': b'0/46'}, b'Zqmail-spawn unable to open message. (#4.3.0)\n'),
            ('directory', 1, {'message': b'0'}, b'ZSorry, message has wrong type. (#4.3.5)\n'),
            ('FIFO', 1, {'message': b'1/1'}, b'ZSorry, message has wrong type. (#4.3.5)\n'),
            ('foreign file', 1, {'message': b'2/2'}, b'ZSorry, message has wrong owner. (#4.3.5)\n'),
            ('no local part', 1, {'recipient': b'@h'}, b'K'),
            ('longest sender', 1, {'sender': b's' * 65536}, b'Kdone\n'),
            ('one byte more', 1, {'sender': b's' * 65537}, b'Zqmail-spawn out of memory. (#4.3.0)\n')):
        daemon.command(slot, **more)
        tap.equal(daemon.report(), (slot, want), name)
    for byte in b'\x05' b'0/23\0' b's\0' b'joe@x@hosta.test\0':
        daemon.to.write(bytes([byte]))
    tap.equal(daemon.report(), (5, b'Kdone\n'), 'one byte at a time')
    tap.equal(daemon.close(), 0, 'end')


def several():
    q.stub('qmail-local', '#!/bin/sh\ncase $4 in joe-slow) read x </tmp/gate;; esac; echo $4\n')
    os.mkfifo('/tmp/gate')
    daemon = lspawn()
    daemon.command(0, b'joe-slow@h')
    daemon.command(1, b'joe-quick@h')
    tap.equal(daemon.report(), (1, b'Kjoe-quick\n'), 'reports come as deliveries end')
    daemon.command(0)
    tap.equal(daemon.report(), (0, b'ZInternal error: delnum in use. (#4.3.5)\n'), 'slot in use')
    daemon.to.close()
    with open('/tmp/gate', 'w') as gate:
        gate.write('x\n')
    tap.equal(daemon.report(), (0, b'Kjoe-slow\n'), 'after the end of commands')
    tap.equal(daemon.process.wait(q.PATIENCE), 0, 'then it ends')
    q.stub('qmail-local', '#!/bin/sh\nread x </tmp/gate; echo $4\n')
    daemon = lspawn()
    for slot in range(120):
        daemon.command(slot, b'joe-%d@h' % slot)
    q.wait_until(lambda: running('qmail-local') == 120)
    with open('/tmp/gate', 'w') as gate:
        gate.write('x\n' * 120)
        gate.flush()
        got = {}
        while len(got) < 120:
            got.update([daemon.report()])
    tap.equal(got, {slot: b'Kjoe-%d\n' % slot for slot in range(120)}, '120 at once')
    tap.equal(daemon.close(), 0, 'end')


def inheritance():
    q.stub('qmail-local', '''#!/usr/bin/python3
import os, sys
fds = [fd for fd in range(64) if os.path.exists('/proc/self/fd/%d' % fd)]
status = open('/proc/self/status').read()
field = lambda name: [l.split()[1:] for l in status.splitlines() if l.startswith(name + ':')][0]
print(sys.argv, fds, os.getcwd(), field('Uid'), field('Gid'), field('Groups'))
print(field('SigBlk'), [hex(int(x, 16)) for x in field('SigIgn')], os.environ['MARK'], os.umask(0))
print(os.read(0, 5), field('CapEff'), field('NoNewPrivs'))
''')
    daemon = lspawn('|a b\n./Maildir/', env=dict(os.environ, MARK='m'))
    daemon.command(3, b'Joe-Ext@Host.Test', sender=b'#@[]')
    slot, text = daemon.report()
    uid, home = '5001', q.home()
    want = ('K%r [0, 1, 2] %s %r %r %r\n' % (
        [home + '/bin/qmail-local', '--', 'joe', '/home/joe', 'Joe-Ext', '-', 'Ext', 'Host.Test',
         '#@[]', '|a b\n./Maildir/'], home, [uid] * 4, [uid] * 4, [uid]))
    got = text.decode().replace("'bin/qmail-local'", "'%s/bin/qmail-local'" % home)
    tap.equal((slot, got.split('\n')[0] + '\n'), (3, want), 'arguments, ids, descriptors')
    # Python itself ignores SIGPIPE (0x1000) and SIGXFSZ (0x1000000).
    tap.equal(got.split('\n')[1], "['0000000000000000'] ['0x1001000'] m 63", 'signals, umask')
    tap.equal(got.split('\n')[2], "b'Recei' ['0000000000000000'] ['0']", 'message, no power')
    tap.equal(daemon.close(), 0, 'end')
    q.stub('qmail-local', "#!/usr/bin/python3\nimport os\n"
           "print([fd for fd in range(64) if os.path.exists('/proc/self/fd/%d' % fd)])\n")
    for closed in '2>&-', '3</dev/null 7</dev/null 2>&-':
        done = subprocess.run(
            ['sh', '-c', 'exec %s x %s' % (q.program('qmail-lspawn'), closed)],
            input=b'\0' b'0/23\0s\0joe@h\0', stdout=subprocess.PIPE, check=False)
        tap.equal((done.returncode, done.stdout), (0, b'\x78' b'\0' b'K[0, 1, 2]\n\0'),
                  'descriptors with ' + closed)


def limits():
    """What the daemon needs of open files is not for users' programs."""
    q.stub('qmail-local', '#!/bin/sh\nulimit -Sn\n')
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
    daemon = lspawn()
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    tap.equal(daemon.one(), b'K100\n', 'the limit of open files')
    raised = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    tap.ok(raised[0] > 120, '  those of the daemon', raised)
    tap.equal(daemon.close(), 0, 'end')


def another():
    """QMAILLOCAL: another program with the same arguments, by any user's mail."""
    q.unstub('qmail-local')
    path = '/tmp/deliver'
    with open(path, 'w') as file:
        file.write('#!/bin/sh\necho "$0 $# $2 $4 $(id -u)"\nexit 111\n')
    os.chmod(path, 0o755)
    for value, want in ((path, b'Z/tmp/deliver 9 joe joe 5001\n'),
                        ('../../tmp/deliver', b'Z../../tmp/deliver 9 joe joe 5001\n'),
                        ('/nowhere', b'DUnable to run qmail-local.\n')):
        daemon = lspawn('./Maildir/', env=dict(os.environ, QMAILLOCAL=value))
        tap.equal(daemon.one(), want, 'QMAILLOCAL=' + value)
        daemon.close()
    q.stub('qmail-local', '#!/bin/sh\necho ours\nexit 111\n')
    reports = {}
    for value in (None, '', path, '/nowhere'):
        env = {**os.environ, 'QMAILLOCAL': value}
        daemon = lspawn('#', env={name: text for name, text in env.items() if text is not None})
        reports[value] = daemon.one()
        daemon.close()
    q.unstub('qmail-local')
    tap.equal((reports[None], reports['']), (b'Zours\n', b'Zours\n'), 'an empty one is none')
    tap.ok(reports[None] != reports[path], 'QMAILLOCAL: off and on', reports)
    tap.equal(reports[path], b'Z/tmp/deliver 9 joe joe 5001\n', 'QMAILLOCAL: its words are the report')
    tap.equal(reports['/nowhere'], b'DUnable to run qmail-local.\n', 'QMAILLOCAL: no such program')


def background():
    q.stub('qmail-local', '#!/bin/sh\nsleep 100 & echo $! >/tmp/sleeper\n'
           'echo left behind\n')
    os.system('touch /tmp/sleeper; chmod 666 /tmp/sleeper')
    daemon = lspawn()
    begun = time.monotonic()
    tap.equal(daemon.one(), b'Kleft behind\n', 'a background process keeps the output open')
    took = time.monotonic() - begun
    tap.ok(LINGER - 0.5 < took < LINGER + 10, 'which costs some seconds', took)
    with open('/tmp/sleeper') as file:
        pid = file.read().strip()
    tap.ok(os.path.exists('/proc/' + pid), 'and it lives on')
    q.stub('qmail-local', QUICK)
    tap.equal(daemon.one(), b'Kdone\n', 'the slot is free again')
    q.stub('qmail-local', '#!/bin/sh\n(sleep 0.3; echo late) & echo early\n')
    tap.equal(daemon.one(), b'Kearly\nlate\n', 'short ones are waited for')
    q.stub('qmail-local', '#!/bin/sh\nexec >&- 2>&-; read x </tmp/gate; exit 100\n')
    daemon.command(0)
    with open('/tmp/gate', 'w') as gate:
        gate.write('x\n')
    tap.equal(daemon.report(), (0, b'D'), 'output that ends before the process')
    tap.equal(daemon.close(), 0, 'end')


def output():
    daemon = lspawn()
    for text, want in (
            ('head -c 3000 /dev/zero | tr "\\0" a', b'K' + b'a' * 3000),
            ('head -c 3001 /dev/zero | tr "\\0" a', b'K' + b'a' * 2966 +
             b'\nError report too long, sorry.\n'),
            ('head -c 1000000 /dev/zero | tr "\\0" a; exit 111', b'Z' + b'a' * 2966 +
             b'\nError report too long, sorry.\n'),
            ('printf "a\\0b"', b'Ka'),
            ('echo out; echo err >&2; exit 100', b'Dout\nerr\n')):
        q.stub('qmail-local', '#!/bin/sh\n%s\n' % text)
        tap.equal(daemon.one(), want, text)
    tap.equal(daemon.close(), 0, 'end')


def deaf():
    q.stub('qmail-local', '#!/bin/sh\ncase $4 in joe-1) read x </tmp/gate;; esac\n'
           'echo $4 >>/tmp/delivered\n')
    os.system('touch /tmp/delivered; chmod 666 /tmp/delivered')
    daemon = lspawn()
    daemon.process.stdout.close()
    daemon.command(0, b'joe-1@h')
    daemon.command(1, b'joe-2@h')
    q.wait_until(lambda: delivered() == ['joe-2'])
    daemon.to.close()
    with open('/tmp/gate', 'w') as gate:
        gate.write('x\n')
    end = daemon.process.wait(q.PATIENCE)
    tap.equal((end, delivered()), (0, ['joe-2', 'joe-1']),
              'nobody reads reports: deliveries end all the same')


def delivered():
    with open('/tmp/delivered') as file:
        return file.read().split()


def users():
    user = "printf '%%s\\0' joe '%s' '%s' /home/joe '' ''"
    q.stub('qmail-local', '#!/bin/sh\nid -u\n')
    daemon = lspawn()
    for text, want in (
            (user % (5001, 5001), b'K5001\n'),
            (user % ('5002x', 5002), b'K5002\n'),
            (user % (0, 0), b'ZNot allowed to perform deliveries as root.\n'),
            (user % ('', 5001), b'ZNot allowed to perform deliveries as root.\n'),
            (user % (4294967295, 5001), b'ZInternal qmail-lspawn bug.\n'),
            (user % (4294967297, 5001), b'ZInternal qmail-lspawn bug.\n'),
            (user % (5001, 4294967296), b'ZInternal qmail-lspawn bug.\n'),
            ('printf "joe\\0005001\\0005001\\000/home/joe\\0"', b'ZInternal qmail-lspawn bug.\n'),
            ('head -c 100000 /dev/zero', b'ZInternal qmail-lspawn bug.\n'),
            ('', b'ZInternal qmail-lspawn bug.\n'),
            ('exit 115', b'ZNFS failure in qmail-local.\n'),
            ('exit 116', b'ZUnable to find alias user!\n'),
            ('exit 118', b'ZTemporary failure in qmail-lspawn.\n'),
            ('exit 127', b'ZUnable to run qmail-getpw.\n'),
            ('exit 100', b'D'),
            ('kill -9 $$', b'ZTemporary failure in qmail-lspawn.\n'),
            ('[ "$(cat)" = "" ] && [ $# = 1 ] && exit 116; exit 1', b'ZUnable to find alias user!\n'),
            ('[ "$(id -u) $(id -G)" = "%d %d" ] && exit 116; exit 1' % (
                q.ids('qmailp')[0], q.ids('qmailp')[1]), b'ZUnable to find alias user!\n')):
        q.stub('qmail-getpw', '#!/bin/sh\n%s\n' % text)
        tap.equal(daemon.one(), want, 'qmail-getpw: ' + text)
    q.stub('qmail-getpw', '')
    tap.equal(daemon.one(), b'ZUnable to run qmail-getpw.\n', 'qmail-getpw that cannot run')
    q.unstub('qmail-getpw')
    with open(q.home() + '/users/cdb', 'wb') as file:
        file.write(b'\xff' * 3000)
    tap.equal(daemon.one(), b'ZTrouble reading users/cdb in qmail-lspawn.\n', 'broken users/cdb')
    os.unlink(q.home() + '/users/cdb')
    os.rename(q.program('qmail-local'), q.program('qmail-local') + '.away')
    tap.equal(daemon.one(), b'DUnable to run qmail-local.\n', 'no qmail-local')
    os.rename(q.program('qmail-local') + '.away', q.program('qmail-local'))
    tap.equal(daemon.one(), b'K5001\n', 'all is well again')
    tap.equal(daemon.close(), 0, 'end')


def getpws(daemon, name='qmail-getpw'):
    return subprocess.run(['pgrep', '-x', '-P', str(daemon.process.pid), name],
                          stdout=subprocess.PIPE, check=False).stdout.split()


def ready(daemon, *former):
    """Deliveries until a qmail-getpw that stays, none of these, has answered one; its pid."""
    def answered():
        before = forks()
        good = daemon.one() == b'K5001\n'
        # The shell of qmail-local and its `id`, but no qmail-getpw.
        return good and forks() - before == 2
    q.wait_until(answered)
    pid, = {int(pid) for pid in getpws(daemon)} - set(former)
    return pid


def forks():
    with open('/proc/sys/kernel/ns_last_pid') as file:
        return int(file.read())


def staying():
    """One qmail-getpw for many deliveries, unless it is not ours, or in trouble."""
    q.stub('qmail-local', '#!/bin/sh\nid -u\n')
    daemon = lspawn()
    first = ready(daemon)
    tap.ok(True, 'a delivery without a process for the lookup')
    for name, user, want in (('an account', b'joe-x@h', b'K5001\n'),
                             ('no account', b'ghost@h', b'K%d\n' % q.ids('alias')[0]),
                             ('the longest local part', b'joe-' + b'x' * 1020 + b'@h', b'K5001\n'),
                             ('one byte more', b'joe-' + b'x' * 1021 + b'@h', b'K5001\n')):
        tap.equal(daemon.one(user), want, 'it stays: ' + name)
    tap.equal(getpws(daemon), [b'%d' % first], 'it is the same one')
    os.kill(first, signal.SIGKILL)
    tap.equal(daemon.one(), b'K5001\n', 'it is killed: no delivery suffers')
    second = ready(daemon)
    tap.ok(second != first, 'another one is started')
    os.kill(second, signal.SIGSTOP)
    begun = time.monotonic()
    tap.equal([daemon.one() for _ in range(3)], [b'K5001\n'] * 3, 'it does not answer: neither')
    tap.ok(time.monotonic() - begun < 10, 'and none has to wait')
    third = ready(daemon, second)
    tap.ok(third != second, 'it is given up')
    os.kill(second, signal.SIGCONT)
    q.wait_until(lambda: not os.path.exists('/proc/%d' % second))
    q.stub('qmail-getpw', "#!/bin/sh\necho $# >>/tmp/arguments\n"
           "printf 'me\\0005002\\0005002\\000/home/joe\\000\\000\\000'\n")
    tap.equal([daemon.one() for _ in range(3)], [b'K5002\n'] * 3,
              'a script of the administrator is run each time')
    with open('/tmp/arguments') as file:
        tap.equal(file.read(), '1\n' * 3, '... and never without an address')
    q.unstub('qmail-getpw')
    in_front(daemon)
    tap.equal(daemon.one(), b'K5001\n', 'ours is back')
    fourth = ready(daemon)
    tap.equal(daemon.close(), 0, 'end')
    q.wait_until(lambda: not os.path.exists('/proc/%d' % fourth))
    tap.ok(True, 'qmail-getpw ends with it')


WRAPPER = """#include <unistd.h>
int main(int argc, char **argv)
{
	if (argc == 2)
		argv[1] = "ann";
	return execv(argv[0][0] == '/' ? "/var/qmail/bin/qmail-getpw.real" : "bin/qmail-getpw.real",
	    argv) == 0;
}
"""


def in_front(daemon):
    """A compiled program that hands all of its arguments to ours is no reason to ask ours."""
    front = q.program('qmail-getpw')
    os.rename(front, front + '.real')
    subprocess.run(['cc', '-x', 'c', '-o', front, '-'], input=WRAPPER, text=True, check=True)
    tap.equal(daemon.one(), b'K5002\n', 'a program that runs ours')
    # What it has started greets as another file, and is sent away.
    q.wait_until(lambda: daemon.one() != b'K5002\n' or not getpws(daemon, 'qmail-getpw.rea'))
    tap.equal([daemon.one() for _ in range(3)], [b'K5002\n'] * 3, '... is run each time')
    q.unstub('qmail-getpw')


STOPPER = """import os, signal
while True:
    try:
        os.kill(-1, signal.SIGSTOP)
    except ProcessLookupError:
        pass
"""


def stopped():
    """A user who stops every process of his own holds up nobody else."""
    q.stub('qmail-local', '#!/bin/sh\necho $4\n')
    daemon = lspawn()
    stopper = subprocess.Popen([sys.executable, '-c', STOPPER], preexec_fn=q.become('joe'))
    for slot in range(1, 100):
        daemon.command(slot, b'joe-%d@h' % slot)
    daemon.command(0, b'ghost@h')
    got = {}
    while 0 not in got:
        got.update([daemon.report()])
    tap.equal(got[0], b'Kghost\n', 'all processes of one user are stopped: others get their mail')
    stopper.kill()
    stopper.wait()
    # Each delivery for him is a process by now.
    subprocess.run(['pkill', '-CONT', '-u', 'joe'], check=False)
    while len(got) < 100:
        got.update([daemon.report()])
    tap.equal(got, dict([(0, b'Kghost\n')] + [(n, b'Kjoe-%d\n' % n) for n in range(1, 100)]),
              'and so does he, when they go on')
    tap.equal(daemon.close(), 0, 'end')


def sockets(pid):
    links = []
    for fd in os.listdir('/proc/%d/fd' % pid):
        links.append(os.readlink('/proc/%d/fd/%s' % (pid, fd)))
    return [link for link in links if link.startswith('socket:')]


def held():
    """Who waits for an account holds no worker, which ends when nobody has its socket."""
    q.unstub('qmail-local')
    daemon = lspawn('./Maildir/')
    os.mkfifo('/tmp/account')
    q.wait_until(lambda: daemon.one() and getpws(daemon, 'local-stay'))
    before = len(sockets(daemon.process.pid))
    q.stub('qmail-getpw', '#!/bin/sh\nexec cat /tmp/account\n')
    daemon.command(0, b'ann@h')
    q.wait_until(lambda: getpws(daemon, 'qmail-lspawn'))
    child = int(getpws(daemon, 'qmail-lspawn')[0])
    q.wait_until(lambda: subprocess.run(['pgrep', '-P', str(child)], check=False,
                                        stdout=subprocess.DEVNULL).returncode == 0)
    tap.equal((before > 0, sockets(child)), (True, []), 'a child that waits has no sockets')
    with open('/tmp/account', 'w') as file:
        file.write('')
    tap.equal(daemon.report()[0], 0, 'it goes on')
    tap.equal(daemon.close(), 0, 'end')
    q.unstub('qmail-getpw')


q.put('mess/0/23', b'Received: x\n\nhello\n')
os.mkfifo(q.QUEUE + '/mess/1/1')
q.put('mess/2/2', owner='joe')
start()
commands()
several()
inheritance()
limits()
another()
background()
output()
deaf()
users()
staying()
stopped()
held()
q.wipe()
sys.exit(tap.done())
