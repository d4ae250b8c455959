"""setuidcases - the set-uid programs of the suite for setuid.t: whom they serve and whom not, what
they are given, and what each run of them must keep.

    prepare()               files, users, a certificate; fills CASES
    case.attack('umask 0', lambda: os.umask(0))     a run, as the caller; test point; (code, output)
    case.waiting()          a run that waits for its input, as a process
    QUEUE                   the case of qmail-queue

Runs as root in a world.
"""
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402
import tlsworld                         # noqa: E402

HEAD = rb'Received: [^\n]* -0000\n(?:Authentication-Results: [^\n]+\n(?:\t[^\n]+\n)*)?'
BODY = b'Subject: x\n\n' + b'text\n' * 2000
PLACE = '/tmp/attack'                   # every caller may write there
OWNED = PLACE + '/owned'                # made if code of the attacker ever runs with more power
WITNESS = PLACE + '/witness'
KEY = 'control/servercert.pem'
NOT_RUN = {126, 127}                    # the shell or Python could not start it
ENDED = {-signal.SIGALRM, -signal.SIGKILL, -signal.SIGSEGV}    # by a limit, before it could act
GARBAGE = b'220 this is no handshake\r\n' * 100
CLIENT = object()                       # instead of bytes: a client that wants TLS
FIRST_FREE = 10                         # descriptors below are for the programs
EVIL = '''
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void) {
	if (geteuid() != getuid()) { int fd = open("%s", O_CREAT | O_WRONLY, 0666); (void)fd; }
}
''' % OWNED
# What a program of the caller sees that one of ours has run: 0, or 99 if it has any power.
JUDGE = '''
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char *argv[]) {
	uid_t uid = argc > 3 ? (uid_t)atoi(argv[1]) : 0, u[3];
	gid_t gid = argc > 3 ? (gid_t)atoi(argv[2]) : 0, g[3];
	if (getresuid(u, u + 1, u + 2) || getresgid(g, g + 1, g + 2)) return 99;
	for (int i = 0; i < 3; i++) if (u[i] != uid || g[i] != gid) return 99;
	for (int i = 3; i < argc; i++) if (open(argv[i], O_RDONLY) != -1) return 99;
	return uid == 0 ? 99 : 0;
}
'''
CASES = []
secrets = []                            # bytes that nobody may be shown
tree_before = []                        # what tree() gave before the first attack


# ---- what they are given -----------------------------------------------------------------------

def write(path, data, mode=0o666):
    with open(path, 'wb') as file:
        file.write(data)
    os.chmod(path, mode)


def build(name, source, *options):
    write(PLACE + '/source.c', source.encode())
    subprocess.run(['gcc', *options, '-o', PLACE + '/' + name, PLACE + '/source.c'], check=True)


def prepare():
    """A directory of the attackers, with a library that tells when it is loaded; who has a mailbox
    and a password; a key."""
    for _ in range(3, FIRST_FREE):
        os.open('/dev/null', os.O_RDONLY)
    os.makedirs(PLACE)
    os.chmod(PLACE, 0o777)
    build('evil.so', EVIL, '-shared', '-fPIC')
    build('witness', JUDGE, '-static')
    hashed = tlsworld.openssl('passwd', '-1', '-salt', 'saltsalt', 'right').strip()
    for name, data in (('message', BODY), ('envelope', q.ENVELOPE), ('right', b'joe\0right\0\0'),
                       ('wrong', b'joe\0wrong\0\0'),
                       ('questions', b'A0 joe@l.example\0A0 nobody@l.example\0')):
        write(PLACE + '/' + name, data)
    write(q.home() + '/users/poppasswd', b'joe:%s:5001:5001:/home/joe:M\n' % hashed, 0o600)
    subprocess.run([q.program('qmail-newpw')], check=True)
    write(q.home() + '/control/me', b'mx.example\n', 0o644)
    write(q.home() + '/control/locals', b'l.example\n', 0o644)
    tlsworld.set_up()
    for name in (KEY, 'control/clientcert.pem'):
        tlsworld.write(os.path.join(q.home(), name), tlsworld.read('mx.example.pem'), 'qmailt',
                       0o400)
    secrets[:] = [hashed] + tlsworld.read('mx.example.key').splitlines()[1:-1]
    tree_before[:] = [tree()]
    CASES.extend(cases())


def tear_down():
    shutil.rmtree(PLACE)
    tlsworld.tear_down()


def talk(sock):
    """The client's side of a connection: a handshake, and whatever is said."""
    sock.settimeout(q.PATIENCE)
    try:
        with tlsworld.client_context().wrap_socket(sock, server_hostname='mx.example') as tls:
            while tls.recv(4096):
                pass
    except (OSError, ValueError):
        sock.close()


class Given:
    """The descriptors of a run: a path is a file, bytes are what a connection has brought, CLIENT
    is one on which somebody wants TLS; a number is the same as that one."""

    def __init__(self, what, silent=None):
        self.fds, self.ours, self.thread = {}, [], None
        for number, source in what.items():
            if number == silent:
                self.fds[number] = self.pair(keep=True)
            elif isinstance(source, int):
                self.fds[number] = source
            elif isinstance(source, str):
                self.fds[number] = os.open(source, os.O_RDONLY)
            else:
                self.fds[number] = self.pair(source)

    def pair(self, source=b'', keep=False):
        """The program's end of a connection."""
        theirs, ours = socket.socketpair()
        if source is CLIENT and not keep:
            self.thread = threading.Thread(target=talk, args=(ours,))
        else:
            ours.sendall(source if source is not CLIENT else b'')
            self.ours.append(ours)
        return theirs.detach()

    def arrange(self):
        """In the child: the numbers that the program expects."""
        for number, fd in self.fds.items():
            os.dup2(self.fds.get(fd, fd) if fd < 3 else fd, number)

    def started(self):
        """In the parent: the program has them."""
        for number, fd in self.fds.items():
            if fd >= FIRST_FREE:
                os.close(fd)
        if self.thread:
            self.thread.start()

    def end(self):
        for sock in self.ours:
            sock.close()
        if self.thread:
            self.thread.join()


# ---- runs --------------------------------------------------------------------------------------

def tree():
    """What nothing may change: names, owners, modes, sizes and times of controls and users."""
    found = []
    for name in ('control', 'users'):
        for place, _, names in os.walk(os.path.join(q.home(), name)):
            for path in [place] + [os.path.join(place, each) for each in names]:
                st = os.lstat(path)
                found.append((path, st.st_uid, st.st_mode, st.st_size, st.st_mtime_ns))
    return sorted(found)


class Case:
    """A program with a caller.  wanted: code, output and (a part of) errors if nothing hinders it;
    codes: the documented ones, whatever hinders it; bare: codes without the power of the file."""

    def __init__(self, argv, caller, fds, wanted, codes, bare, waits=None, judge=None, note=''):
        self.program, self.argv, self.caller, self.fds = argv[0], argv, caller, fds
        self.wanted, self.codes, self.bare, self.waits = wanted, set(codes), set(bare), waits
        self.path, self.judge = q.program(argv[0]), judge or (lambda code, out: [])
        option = argv[1:2] if argv[1:2] and argv[1].startswith('-') else []
        self.name = ' '.join([argv[0], *option, caller, note]).strip()

    def start(self, twist, argv, env, path, given):
        def change():
            given.arrange()
            q.become(self.caller)()
            os.chdir(PLACE)
            twist()
        pipe = {name: subprocess.PIPE for n, name in ((1, 'stdout'), (2, 'stderr'))
                if n not in self.fds}
        return subprocess.Popen(list(argv), executable=path, env=env or {}, preexec_fn=change,
                                close_fds=False, **pipe)

    def run(self, twist, argv, env, path):
        """Exit code, output, errors; 126 and why if it could not be started."""
        given = Given(self.fds)
        try:
            process = self.start(twist, argv, env, path, given)
        except (OSError, subprocess.SubprocessError) as error:
            return 126, b'', type(error).__name__.encode()
        finally:
            given.started()
        out, err = process.communicate(timeout=q.PATIENCE)
        given.end()
        return process.returncode, out or b'', err or b''

    def waiting(self):
        """(process, sockets to be closed for its end), which waits for its input."""
        given = Given(self.fds, silent=self.waits)
        process = self.start(lambda: None, self.argv, {}, self.path, given)
        given.started()
        return process, given

    def attack(self, name, twist=lambda: None, argv=None, env=None, path=None, also=(),
               judged=True):
        """One run; `twist` is done by the attacker right before exec, as the caller."""
        code, out, err = self.run(twist, argv or self.argv, env, path or self.path)
        faults = [] if code in self.codes | set(also) else ['exit code %d' % code]
        faults += self.judge(code, out) if judged else []
        if tree() != tree_before[0]:
            faults.append('controls or users have changed')
        if os.path.exists(OWNED):
            faults.append('code of the attacker was run')
        if [n for n in os.listdir(PLACE) if n.startswith('core')]:
            faults.append('a core file')
        if any(secret in out + err for secret in secrets):
            faults.append('a secret is shown')
        if self.program == 'qmail-tls':
            q.wait_until(lambda: not tlsworld.relays())
        tap.ok(not faults, '%s: %s: %d' % (self.name, name, code),
               '\n'.join(faults + [repr((out, err))]))
        return code, out, err

    def accepted(self, name, *args, **more):
        """An attack that must change nothing."""
        code, out, err = self.attack(name, *args, **more)
        wanted, output, errors = self.wanted
        tap.ok((code, out) == (wanted, output) and errors in err, '... as if there were none',
               (code, out, err))


# ---- judges ------------------------------------------------------------------------------------

def judge_queue(code, _):
    """The message is in the queue as a whole or not at all, and every file has its owner."""
    found, faults = q.files(), []
    todo = [path for path in found if path.startswith('todo/')]
    if code == 0 and len(todo) != 1:
        faults.append('success, and todo is %r' % todo)
    for path in todo:
        number = path.split('/')[-1]
        text = q.read('mess/%d/%s' % (int(number) % q.SPLIT, number))
        if not (re.fullmatch(HEAD + re.escape(BODY), text) and
                q.read(path).endswith(q.ENVELOPE[:-1])):
            faults.append('half a message is queued')
    if not todo and found and code in QUEUE_CODES:
        faults.append('left behind: %r' % found)
    for path in found:
        st = os.stat(os.path.join(q.QUEUE, path))
        if st.st_uid != q.ids('qmailq')[0] or stat.S_IMODE(st.st_mode) != 0o644:
            faults.append('%s: uid %d, mode %o' % (path, st.st_uid, st.st_mode))
    q.wipe()
    return faults


def judge_answers(code, out):
    """joe exists, and is never said not to; what cannot be seen may exist."""
    good = re.fullmatch(rb'([ET]\0([NET]\0)?)?', out)
    return [] if good else ['answers %r, exit code %d' % (out, code)]


def silence(code, out):
    """Whom it does not serve it tells nothing."""
    return ['it says %r' % out] if out and code else []


QUEUE_CODES = {0, 11, 51, 52, 53, 54, 61, 62, 63, 64, 65, 66, 81, 91, 111}


def witness(caller):
    """The command that tells whether the caller has got any power."""
    return [WITNESS, *map(str, q.ids(caller)), q.home() + '/users/poppasswd.cdb',
            os.path.join(q.home(), KEY)]


def cases():
    """All of them.  99, the witness of power, is nowhere allowed; nor is 0 for a wrong password."""
    login = 'checkpassword-smtp'
    network = {0: CLIENT, 1: 0}
    connect = {6: GARBAGE, 3: 2}
    client = ['qmail-tls', '-c', '-h', 'mx.example', '-k', 'control/clientcert.pem']
    return [
        Case(['qmail-queue'], 'joe', {0: PLACE + '/message', 1: PLACE + '/envelope'}, (0, b'', b''),
             QUEUE_CODES, {62}, 0, judge_queue),
        Case([login, *witness('qmaild')], 'qmaild', {3: PLACE + '/right'}, (0, b'', b''),
             {0, 2, 111}, {111}, 3, note='right'),
        Case([login, *witness('qmaild')], 'qmaild', {3: PLACE + '/wrong'}, (1, b'', b''),
             {1, 2, 111}, {111}, note='wrong'),
        Case([login, *witness('joe')], 'joe', {3: PLACE + '/right'}, (111, b'', b'only qmaild'),
             {111}, {111}),
        Case(['qmail-chkuser'], 'qmaild', {0: PLACE + '/questions'}, (0, b'E\0N\0', b''),
             {0, 100, 111}, {0}, 0, judge_answers),
        Case(['qmail-chkuser'], 'joe', {0: PLACE + '/questions'}, (111, b'', b'tlsusers'),
             {111}, {0, 111}, None, silence),
        Case(['qmail-tls', '-t'], 'qmaild', {}, (0, b'', b''), {0, 111}, {111}),
        Case(['qmail-tls', '-t'], 'joe', {}, (100, b'', b'tlsusers'), {100, 111}, {111}),
        Case(['qmail-tls', '-s', *witness('qmaild')], 'qmaild', network, (0, b'', b'TLSv1.3'),
             {0, 111}, {111}, 0),
        Case(['qmail-tls', '-s', *witness('joe')], 'joe', network, (111, b'', b'tlsusers'),
             {111}, {111}),
        Case(client, 'qmailr', connect, (1, b'', b'result=tls'), {1, 100, 111}, {1}, 6),
        Case(client, 'joe', connect, (100, b'', b'not for this account'), {100, 111}, {1}),
    ]
