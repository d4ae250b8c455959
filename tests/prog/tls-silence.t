#!/usr/bin/python3
"""tls-silence.t - POP3 clients that say nothing any more inside TLS, by STLS and from the first byte:
how long qmail-popup and qmail-pop3d wait for them, and that nothing is left of their sessions.
Nobody waits that long here: the program is moved to another clock."""
import os
import pwd
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ptrace
import tap
import tlsworld as world

BIN = '/var/qmail/bin/'
CERT = '/var/qmail/control/servercert.pem'
JOE = pwd.getpwnam('joe')
POLL = 7                        # system call
LOGIN, COMMAND = 300, 1200      # seconds: POPUP_LOGIN_MS, POPDIALOG_TIMEOUT_MS
# The checker believes everybody, and leaves qmail-pop3d the power to have another clock.
CHECKER = '''#!/bin/sh
cat <&3 >/dev/null
cd /home/joe && exec setpriv --reuid=%d --regid=%d --clear-groups --inh-caps=+sys_admin \\
    --ambient-caps=+sys_admin %sqmail-pop3d Maildir
''' % (JOE.pw_uid, JOE.pw_gid, BIN)


class Session:
    """A client with TLS, and the clocks that its server can be moved to."""

    def __init__(self, implicit, clocks):
        self.clocks = clocks
        ours, theirs = socket.socketpair()
        ours.settimeout(world.PATIENCE)
        self.process = subprocess.Popen(
            [*([BIN + 'qmail-tls', '-s'] if implicit else []), BIN + 'qmail-popup', 'pop.example',
             world.DIR + '/checker'], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL,
            pass_fds=list(clocks.values()), env={'PATH': '/usr/bin:/bin'})
        theirs.close()
        if not implicit:
            self.expect(ours.makefile('rb', 0), b'+OK <')
            ours.sendall(b'STLS\r\n')
            self.expect(ours.makefile('rb', 0), b'+OK starting')
        self.tls = world.client_context().wrap_socket(ours, server_hostname='mx.example',
                                                      suppress_ragged_eofs=False)
        self.lines = self.tls.makefile('rb')
        if implicit:
            self.expect(self.lines, b'+OK <')

    @staticmethod
    def expect(lines, begin):
        line = lines.readline()
        if not line.startswith(begin):
            raise RuntimeError('not %r: %r' % (begin, line))

    def say(self, line):
        self.tls.sendall(line + b'\r\n')
        return self.lines.readline()

    def waiting(self, program):
        """The process of this session that runs this program, once it waits for a command."""
        pids = [self.process.pid]
        with open('/proc/%d/task/%d/children' % (pids[0], pids[0]), encoding='ascii') as file:
            pids += [int(pid) for pid in file.read().split()]
        for pid in pids:
            with open('/proc/%d/comm' % pid, encoding='ascii') as name, \
                    open('/proc/%d/syscall' % pid, encoding='ascii') as call:
                if name.read() == program + '\n' and call.read().startswith('%d ' % POLL):
                    return pid
        return None

    def later(self, program, seconds):
        """For it so many seconds have passed since the start."""
        pid = world.wait_until(lambda: self.waiting(program), program)
        ptrace.enter_clock(pid, self.clocks[seconds])

    def rest(self):
        """What else the server says; None: the end was no end of TLS."""
        try:
            return self.lines.read()
        except ssl.SSLEOFError:
            return None

    def ended(self, name):
        """Test points: the session has come to its end."""
        tap.equal(self.rest(), b'', name + ': closed without another word, but properly')
        tap.equal(self.process.wait(world.PATIENCE), 1, name + ': exit')
        self.lines.close()
        self.tls.close()
        world.wait_until(lambda: not world.relays(), 'the end of the relay')
        tap.ok(True, name + ': no relay is left')


def before_login(implicit, clocks, way):
    session = Session(implicit, clocks)
    session.say(b'USER joe')
    session.later('qmail-popup', LOGIN - 100)
    tap.equal(session.say(b'NOOP'), b'+OK \r\n', way + ', before the login: it waits')
    session.later('qmail-popup', LOGIN + 1)
    session.ended(way + ', before the login, after %d seconds' % LOGIN)


def after_login(implicit, clocks, way):
    session = Session(implicit, clocks)
    session.say(b'USER joe')
    tap.equal(session.say(b'PASS x'), b'+OK \r\n', way + ': logged in')
    session.later('qmail-pop3d', COMMAND - 100)
    tap.equal(session.say(b'NOOP'), b'+OK \r\n', way + ', later: it waits')
    session.later('qmail-pop3d', 2 * COMMAND)
    session.ended(way + ', later, after %d seconds' % COMMAND)


def main():
    if os.environ.get('SAN') or not ptrace.available():
        tap.note('skipped: programs of this build or machine cannot be moved to another clock')
        return tap.done()
    world.set_up()
    world.write(CERT, world.read('mx.example.pem'), 'qmailt', 0o600)
    world.write('checker', CHECKER.encode(), mode=0o755)
    try:
        clocks = {n: ptrace.clock(n) for n in (LOGIN - 100, LOGIN + 1, COMMAND - 100, 2 * COMMAND)}
        for implicit, way in ((False, 'STLS'), (True, 'POP3S')):
            before_login(implicit, clocks, way)
            after_login(implicit, clocks, way)
    finally:
        world.tear_down()
    return tap.done()


sys.exit(main())
