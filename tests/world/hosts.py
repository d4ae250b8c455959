"""hosts - whole mail hosts for scenario tests: one, or two joined by a cable.

    with hosts.pair() as (a, b):                # hosta.test, hostb.test; MX records for both
        a.deliver('joe@hosta.test', ['ann@hostb.test'], b'Subject: x\n\nhello\n')
        b.wait_mail('ann', 1)

Each is a world of its own with the suite configured by its own tools and run by svscan from the
service directories that the suite installs.  All waiting is for an event, up to a deadline.
"""
import contextlib
import glob
import os
import poplib
import re
import smtplib
import socket
from subprocess import DEVNULL

import host
import layers
import ns
from tree import BUILD, Trouble, home

ADDRESS = {'hosta.test': '192.0.2.1', 'hostb.test': '192.0.2.2'}
ZONE = ''.join('host-record=%s,%s\nmx-host=%s,%s,10\n' % (name, ip, name, name)
               for name, ip in ADDRESS.items())
SERVICES = ('qmail-send', 'qmail-smtpd', 'qmail-pop3d')
QMAILD = (251, 200)
USERS = {'joe': (5001, 5001), 'ann': (5002, 5002), 'alias': (250, 200)}
STAMP = re.compile('^@[0-9a-f]{24} ')
LOG_RUN = '#!/bin/sh\nexec setuidgid qmaill multilog t s16777215 n20 /var/log/%s\n'

# Runs qmail-queue with the first N bytes of standard input as its envelope, the rest as message.
QUEUE = '''
import os, sys
data, n = sys.stdin.buffer.read(), %d
r, w = os.pipe()
if os.fork() == 0:
    os.write(w, data[:n])
    os._exit(0)
os.close(w)
f = os.memfd_create("message")
with open(f, "wb", closefd=False) as file:
    file.write(data[n:])
os.lseek(f, 0, 0)
os.dup2(f, 0)
os.dup2(r, 1)
os.execv("%s/bin/qmail-queue", ["qmail-queue"])
'''


def become(user):
    """Drop from root to a user of the world.  For scripts that are run inside: their file may be
    below a directory that only root can enter."""
    uid, gid = USERS[user]
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


class MailHost:
    """A started world with the suite.  `world` is its host.Host."""

    def __init__(self, name='hosta.test', zone=ZONE, **more):
        self.name = name
        self.world = layers.build(name, zone=zone, **more).start()
        self.sh, self.call, self.popen = self.world.sh, self.world.call, self.world.popen
        self.path, self.stop = self.world.path, self.world.stop
        self.processes = self.world.processes
        self.daemon = self.world.daemon

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # -- configuring ---------------------------------------------------------------------------

    def configure(self):
        """What an administrator does first: config-fast, the three aliases, ~alias/Maildir."""
        self.sh('''%s/configure/config-fast %s
            for name in postmaster mailer-daemon root; do : >%s/alias/.qmail-$name; done'''
                % (home(), self.name, home()))
        self.maildir('alias', home() + '/alias/Maildir')
        return self

    def control(self, name, text):
        """Write control/name; None removes it.  Read at the next start or HUP."""
        self.write(home() + '/control/' + name, text)

    def write(self, path, text, owner=None, mode=0o644):
        """Write a file of the host (text or bytes); text None removes it."""
        outside = self.path(path)
        if text is None:
            if os.path.exists(outside):
                os.unlink(outside)
            return
        with open(outside, 'wb') as file:
            file.write(text.encode() if isinstance(text, str) else text)
        if owner:
            os.chown(outside, *USERS[owner])
        os.chmod(outside, mode)

    def dotqmail(self, user, extension, text):
        """Write ~user/.qmail or ~user/.qmail-extension."""
        place = home() + '/alias' if user == 'alias' else '/home/' + user
        self.write('%s/.qmail%s' % (place, '-' + extension if extension else ''), text, user)

    def maildir(self, user, path):
        """Make a Maildir."""
        self.sh('rm -rf %s; setpriv --reuid %d --regid %d --clear-groups %s/bin/maildirmake %s'
                % ((path,) + USERS[user] + (home(), path)))

    def pop_user(self, login, word, user, secret=None):
        """Make this the one user of users/poppasswd, with the Maildir of joe or ann."""
        hashed = self.sh("perl -e 'print crypt($ARGV[0], q($y$j9T$abcdefgh))' '%s'" % word)
        self.write(home() + '/users/poppasswd', '%s:%s:%d:%d:/home/%s:Maildir\n'
                   % (login, hashed, *USERS[user], user), mode=0o600)
        self.write(home() + '/users/popsecrets', secret and '%s:%s\n' % (login, secret), mode=0o600)
        self.sh(home() + '/bin/qmail-newpw')

    # -- running -------------------------------------------------------------------------------

    def start(self, services=SERVICES):
        """Install the service directories and run svscan over them."""
        for name in services:
            self.sh('mkdir -p %s/service/%s/log' % (home(), name))
            self.write('%s/service/%s/log/run' % (home(), name), LOG_RUN % name, mode=0o755)
        self.sh('mkdir -p /service; sh %s/bin/services --dir /service add' % BUILD)
        if os.environ.get('SAN'):       # a sanitizer maps more than softlimit gives
            self.sh('sed -i "s/softlimit -m [0-9]*/env/" %s/service/*/run' % home())
        for name in SERVICES:
            if name not in services:
                self.sh('rm /service/' + name)
        self.popen(['svscan', '/service'], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        for name in services:
            host.wait_for(lambda name=name: self.pid_of(name), 'service %s of %s'
                          % (name, self.name))
        if 'qmail-send' in services:
            self.wait_log('^status: ')
        for name, port in (('qmail-smtpd', 25), ('qmail-pop3d', 110)):
            if name in services:
                host.wait_for(lambda port=port: self.listening(port), 'port %d' % port)
        return self

    def svc(self, flags, name='qmail-send'):
        """svc FLAGS on a service."""
        self.sh('svc %s /service/%s' % (flags, name))

    def pid_of(self, name='qmail-send'):
        """The pid inside that supervise started for the service; 0 if it is not up."""
        _, out, _ = self.call(['svstat', '/service/' + name])
        found = re.search(rb': up \(pid (\d+)\)', out)
        return int(found.group(1)) if found else 0

    def restart(self, name='qmail-send', flag='-t'):
        """svc FLAG, then wait until the service runs as a new process."""
        old = self.pid_of(name)
        self.svc(flag, name)
        host.wait_for(lambda: self.pid_of(name) not in (0, old), 'a new ' + name)

    def hup(self):
        """Let qmail-send read locals and virtualdomains again."""
        self.svc('-h')
        self.sync()

    def sync(self):
        """Return when qmail-send has gone through its loop: a probe message has come and gone."""
        count = self.count_log('^end msg ')
        self.deliver('', ['@' + self.name], b'Subject: probe\n\n')
        self.wait_log('^end msg ', count + 1)

    def listening(self, port):
        """Whether something listens on this TCP port of the host."""
        with open('/proc/%d/net/tcp' % self.world.pid) as file, \
                open('/proc/%d/net/tcp6' % self.world.pid) as file6:
            lines = file.readlines() + file6.readlines()
        return any(line.split()[1].endswith(':%04X' % port) and line.split()[3] == '0A'
                   for line in lines)

    def serve(self, port, *command, user='root', env=None, log='/tmp/log', most=40):
        """tcpserver on a port of 127.0.0.1, as this user, with this command for each connection
        and `most` of them at a time."""
        words = ' '.join("'%s'" % word for word in command)
        ids = '-u %s -g %s' % tuple(self.sh('id -%s %s' % (kind, user)).strip() for kind in 'ug')
        self.popen(['sh', '-c', 'exec tcpserver -RHl0 -c %d -b %d %s 127.0.0.1 %d %s 2>>%s'
                    % (most, most, ids, port, words, log)],
                   env={'PATH': home() + '/bin:/usr/bin:/bin:/usr/sbin', **(env or {})})
        host.wait_for(lambda: self.listening(port), 'port %d' % port)

    # -- looking -------------------------------------------------------------------------------

    def log(self, service='qmail-send'):
        """All lines that a service has logged, without time stamps, oldest first."""
        place = self.path('/var/log/' + service)
        files = sorted(glob.glob(place + '/@*')) + [place + '/current']
        lines = []
        for name in files:
            lines += [STAMP.sub('', line) for line in host.read(name).splitlines()]
        return lines

    def count_log(self, pattern, service='qmail-send'):
        """How many log lines the pattern is found in."""
        return sum(1 for line in self.log(service) if re.search(pattern, line))

    def wait_log(self, pattern, count=1, service='qmail-send', timeout=30):
        """Wait for `count` log lines with the pattern in them; returns all such lines."""
        def enough():
            lines = [line for line in self.log(service) if re.search(pattern, line)]
            return lines if len(lines) >= count else None
        try:
            return host.wait_for(enough, '%d log lines %r' % (count, pattern), timeout)
        except Trouble as trouble:
            raise Trouble('%s; log:\n%s' % (trouble, '\n'.join(self.log(service)[-30:]))) from None

    def queue(self):
        """Names of all files of messages in the queue, e.g. mess/3/457."""
        place = self.path(home() + '/queue')
        return sorted(os.path.relpath(os.path.join(where, name), place)
                      for where, _, names in os.walk(place) for name in names
                      if not where.endswith('/lock'))

    def queue_faults(self):
        """What qmail-qcheck has to say about the queue; '' if it is legal."""
        code, out, err = self.call([home() + '/bin/qmail-qcheck'])
        text = (out + err).decode(errors='replace')
        return text if code == 0 or text else 'exit code %d' % code

    def wait_empty(self, timeout=60):
        """Wait until no message is in the queue.  The second look sees the bounce which a message
        left where the first one had already been, before it was gone from where it had not."""
        try:
            host.wait_for(lambda: not self.queue() and not self.queue(),
                          'an empty queue of ' + self.name, timeout)
        except Trouble as trouble:
            raise Trouble('%s; left: %s; log:\n%s' % (trouble, self.queue()[:9],
                                                      '\n'.join(self.log()[-30:]))) from None

    def mail(self, user='joe', box='Maildir'):
        """The messages in a Maildir's new/, as bytes, oldest first."""
        place = home() + '/alias' if user == 'alias' else '/home/' + user
        messages = []
        for name in sorted(glob.glob(self.path('%s/%s/new/*' % (place, box)))):
            with open(name, 'rb') as file:
                messages.append(file.read())
        return messages

    def wait_mail(self, user='joe', count=1, box='Maildir', timeout=30):
        """Wait until `count` messages are there; returns them."""
        place = home() + '/alias' if user == 'alias' else '/home/' + user
        new = self.path('%s/%s/new' % (place, box))
        try:
            host.wait_for(lambda: len(os.listdir(new)) >= count,
                          '%d messages for %s' % (count, user), timeout)
        except Trouble as trouble:
            raise Trouble('%s; log:\n%s' % (trouble, '\n'.join(self.log()[-30:]))) from None
        return self.mail(user, box)

    def clear_mail(self, *users):
        """Empty the Maildirs of these users (default all)."""
        for user in users or USERS:
            place = home() + '/alias' if user == 'alias' else '/home/' + user
            for name in glob.glob(self.path(place + '/Maildir/new/*')):
                os.unlink(name)

    # -- sending and reading -------------------------------------------------------------------

    def deliver(self, sender, recipients, message):
        """Put a message into the queue by qmail-queue itself, as joe; returns its exit code."""
        envelope = b'F' + sender.encode() + b'\0' + b''.join(
            b'T' + rcpt.encode() + b'\0' for rcpt in recipients) + b'\0'
        return self.call(['/usr/bin/python3', '-c', QUEUE % (len(envelope), home())],
                         envelope + message, user=USERS['joe'])[0]

    @contextlib.contextmanager
    def network(self):
        """Sockets that this thread makes in the `with` block belong to the host."""
        own = os.open('/proc/self/ns/net', os.O_RDONLY)
        inside = os.open('/proc/%d/ns/net' % self.world.pid, os.O_RDONLY)
        ns.setns(inside, ns.NEWNET)
        try:
            yield
        finally:
            ns.setns(own, ns.NEWNET)
            os.close(own)
            os.close(inside)

    def connect(self, address, port, source=None):
        """A TCP connection made from inside the host, from this address of its own."""
        with self.network():
            return socket.create_connection((address, port), timeout=60,
                                            source_address=source and (source, 0))

    def smtp(self, address='127.0.0.1', port=25, source=None):
        """An smtplib.SMTP connection made from inside the host."""
        outer = self

        class Client(smtplib.SMTP):
            def _get_socket(self, host_name, port_number, timeout):
                return outer.connect(host_name, port_number, source)
        return Client(address, port, local_hostname=self.name)

    def pop3(self, user, address='127.0.0.1', port=110):
        """A poplib.POP3 connection made from inside the host, logged in."""
        outer = self

        class Client(poplib.POP3):
            def _create_socket(self, timeout):
                return outer.connect(self.host, self.port)
        poplib._MAXLINE = 1 << 24           # the library's own limit is 2048
        client = Client(address, port)
        client.user(user)
        client.pass_(user + '-secret')
        return client


@contextlib.contextmanager
def pair(stack=(), fs='tmpfs', zone=ZONE):
    """Two configured, not yet started mail hosts, joined by veth; both know both by DNS."""
    names = list(ADDRESS)
    with MailHost(names[0], zone, stack=stack, fs=fs) as a, \
            MailHost(names[1], zone, stack=stack, fs=fs) as b:
        code = os.system('ip link add eth0 netns %d type veth peer name eth0 netns %d'
                         % (a.world.pid, b.world.pid))
        if code:
            raise Trouble('cannot make a veth pair (ip link add)')
        for one in (a, b):
            one.sh('ip addr add %s/24 dev eth0; ip link set eth0 up' % ADDRESS[one.name])
            one.configure()
        yield a, b


def getmail(host, name):
    """Run getmail as this user, once through.  It waits for the end of its child when that may
    have ended already, and gives up after its `timeout`: a race of its own."""
    while True:
        code, out, err = host.call(['getmail'], user=USERS[name],
                                   env={'HOME': '/home/' + name, 'USER': name})
        if b'waiting child pid' not in out + err:
            return code


@contextlib.contextmanager
def single(stack=(), fs='tmpfs', zone=ZONE):
    """One configured, not yet started mail host."""
    with MailHost('hosta.test', zone, stack=stack, fs=fs) as a:
        a.sh('ip addr add %s/32 dev lo' % ADDRESS['hosta.test'])
        yield a.configure()
