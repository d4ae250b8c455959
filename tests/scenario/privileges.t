#!/usr/bin/python3
"""privileges.t - every process at work has the accounts, descriptors, directory, environment and
restrictions that qmail-processes(7) says, and no others.

The tables are read from the manual.  The processes are looked at while they wait: for a client, a
command, another host.  What they may open is tried in the process itself.
"""
import collections
import errno
import fnmatch
import os
import re
import signal
import socket
import ssl
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import accounts                         # noqa: E402
import hosts                            # noqa: E402
import ptrace                           # noqa: E402
import tap                              # noqa: E402
from host import read, wait_for         # noqa: E402
from tree import TOP, home              # noqa: E402

UIDS = {'root': 0, **{row[0]: row[1] for row in accounts.SYSTEM}}
GIDS = {'root': 0, **dict(accounts.GROUPS)}
JOE = hosts.USERS['joe']
# Any account may read these; a restricted one may not.
WORLD_READABLE = ('/etc/group', home() + '/control/me', home() + '/queue/lock/tcpto')
MAY_OPEN = {'all': WORLD_READABLE[:2], 'queue': WORLD_READABLE[2:], 'mailbox': (),
            'tcpto': WORLD_READABLE[2:], 'read': WORLD_READABLE[:2], 'nothing': ()}
# Of qmail-command(8).
COMMAND = {'DTLINE', 'EXT', 'EXT2', 'EXT3', 'EXT4', 'HOME', 'HOST', 'HOST2', 'HOST3', 'HOST4',
           'LOCAL', 'NEWSENDER', 'PATH', 'RECIPIENT', 'RPLINE', 'SENDER', 'UFLINE', 'USER'}
# These pass the limit of their caller on to users' commands, or are not ours.
MAY_HAVE_CORE = {'qmail-lspawn', 'qmail-rspawn', 'qmail-getpw', 'qmail-local', 'local-stay', 'sh',
                 'multilog'}
OWN_FILTERS = 'Seccomp_filters'

# qmail-smtpd asks whether sender and recipient exist.
RULES = ('127.:allow,CHKUSER_START="ALWAYS",CHKUSER_DISABLE_VARIABLE="",'
         'CHKUSER_SENDER_NOCHECK_VARIABLE=""\n')


def table(name):
    """{program: [column, ...]} of the manual."""
    rows, inside = {}, False
    with open(os.path.join(TOP, 'man', 'qmail-processes.7')) as file:
        for line in file:
            if line.startswith('.\\" '):
                inside = line == '.\\" table: %s\n' % name
            elif inside:
                row = line.strip().replace('.It ', '', 1).replace('@HOME@', home()).split(' Ta ')
                rows[row[0]] = row[1:]
    return rows


def status(pid):
    lines = read('/proc/%s/status' % pid).splitlines()
    return dict(line.split(':\t', 1) for line in lines if ':\t' in line)


class Process:
    """What /proc says of one process."""

    def __init__(self, pid):
        self.pid = pid
        self.place = '/proc/%d/' % pid
        self.status = status(pid)
        self.name = self.status['Name']
        if read(self.place + 'cmdline').split('\0')[1:2] == ['-c'] and self.name != 'sh':
            self.name += ' -c'
        self.directory = os.readlink(self.place + 'cwd')
        self.environment = {item.split('=')[0] for item in
                            read(self.place + 'environ').split('\0') if item}

    def ids(self, key):
        return [int(word) for word in self.status[key].split()]

    def open(self):
        """How many are open of each kind, without /dev/null."""
        kinds = collections.Counter()
        for fd in os.listdir(self.place + 'fd'):
            try:
                name = os.readlink(self.place + 'fd/' + fd)
            except FileNotFoundError:       # closed meanwhile
                continue
            kind = re.match(r'(pipe|socket):', name)
            name = kind.group(1) if kind else name.replace(home() + '/', '').split(' ')[0]
            kinds[re.sub(r'[\d.]*\d\b', 'N', name)] += 1
        del kinds['/dev/null'], kinds['/null']
        return kinds

    def parent(self):
        return Process(int(self.status['PPid']))

    def waits(self):
        return re.search(r'^State:\s*S', read(self.place + 'status'), re.M)

    def core_limit(self):
        line = re.search(r'^Max core file size +(\S+) +(\S+)', read(self.place + 'limits'), re.M)
        return line.groups()


def context(*certificate):
    """For one side of TLS that asks for no names."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if certificate else ssl.PROTOCOL_TLS_CLIENT)
    if certificate:
        made.load_cert_chain(*certificate)
    else:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def until(lines, start):
    """Read replies up to the one that begins so."""
    while not lines.readline().startswith(start):
        pass


def submitting(host):
    """A client, by TLS, that is in the middle of its message."""
    client = host.connect('127.0.0.1', 25)
    with client.makefile('rb') as lines:
        until(lines, b'220 ')
        client.sendall(b'EHLO x\r\n')
        until(lines, b'250 ')
        client.sendall(b'STARTTLS\r\n')
        until(lines, b'220 ')
    client = context().wrap_socket(client)
    client.sendall(b'EHLO x\r\nMAIL FROM:<joe@hosta.test>\r\nRCPT TO:<joe@hosta.test>\r\nDATA\r\n')
    lines = client.makefile('rb')
    until(lines, b'354 ')
    return [client, lines]


def silent(host, listener):
    """Another host, which is silent once there is TLS."""
    server = listener.accept()[0]
    server.sendall(b'220 far.test ESMTP\r\n')
    with server.makefile('rb') as lines:
        until(lines, b'EHLO ')
        server.sendall(b'250-far.test\r\n250 STARTTLS\r\n')
        until(lines, b'STARTTLS')
        server.sendall(b'220 go on\r\n')
    return context(host.path(home() + '/control/servercert.pem')).wrap_socket(server, True)


def servers_of_others(host):
    """QMTP and QMQP, for which no service is installed, each with a client that is silent."""
    kept = []
    for port, name in ((209, 'qmail-qmtpd'), (628, 'qmail-qmqpd')):
        server = host.popen(['tcpserver', '-u', '251', '-g', '200', '127.0.0.1', str(port),
                             '%s/bin/%s' % (home(), name)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(lambda port=port: host.listening(port), name)
        kept += [server, host.connect('127.0.0.1', port)]
    return kept


def running(host, name):
    """The processes of a row."""
    return [process for process in map(Process, host.processes(name.split()[0]))
            if process.name == name]


def at_work(host):
    """Brings every process of the manual to a point where it waits; returns what must be kept."""
    kept = [host.connect('127.0.0.1', 110), host.pop3('joe')] + submitting(host)
    with host.network():
        listener = socket.create_server(('127.0.0.1', 2525))
    host.sh('mkfifo -m 666 /tmp/gate')
    host.dotqmail('joe', 'hold', '|read line </tmp/gate\n')
    code = host.deliver('joe@hosta.test', ['joe-hold@hosta.test', 'x@far.test'], b'Subject: x\n\n')
    tap.equal(code, 0, 'a message is queued')
    inject = host.popen(['timeout', '--foreground', '1000', home() + '/bin/qmail-inject', 'joe'],
                        user=JOE, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
    return kept + [listener, silent(host, listener), inject] + servers_of_others(host)


def wanted_ids(name, account, group):
    """The four user ids and the four group ids.  The caller is qmail-smtpd."""
    uid = JOE[0] if account == 'user' else UIDS[account]
    gid = JOE[1] if group == 'user' else GIDS['nofiles' if group == 'caller' else group]
    real = UIDS['qmaild'] if name == 'qmail-queue' else uid
    return [real, uid, uid, uid], [gid] * 4


def ids(process, row):
    name = process.name
    uids, gids = wanted_ids(name, row[0], row[1])
    tap.equal((process.ids('Uid'), process.ids('Gid')), (uids, gids), name + ': ids')
    extra = set(process.ids('Groups')) - set(gids)
    tap.equal(extra, set(), name + ': no other group')
    if row[0] != 'root':
        tap.equal([int(process.status[key], 16)
                   for key in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb')],
                  [0] * 4, name + ': no capability')


def filtered(process, row):
    """Whether system calls are filtered, besides what this test itself runs under."""
    own, wanted = status('self'), row[3] == 'filter' and not os.environ.get('SAN')
    tap.equal(process.status['Seccomp'], '2' if wanted else own['Seccomp'],
              process.name + ': seccomp, or not')
    if OWN_FILTERS in own:                  # since Linux 5.9
        tap.equal(int(process.status[OWN_FILTERS]) - int(own[OWN_FILTERS]), int(wanted),
                  process.name + ': filters of its own')


def reach(process, row):
    name = process.name
    tap.equal(process.status['NoNewPrivs'], '0' if row[2] == 'all' else '1',
              name + ': no new privileges, or not')
    filtered(process, row)
    if not row[4].startswith(('any', 'their')):
        tap.equal(process.directory, row[4], name + ': directory')
    if not ptrace.available() or os.environ.get('SAN'):
        return
    wait_for(process.waits, name + ' to wait')
    results = {path: ptrace.open_file(process.pid, path) for path in WORLD_READABLE}
    if row[2] == 'all':
        results = {path: results[path] for path in MAY_OPEN['all']}
    refused = errno.EPERM if row[3] == 'filter' else errno.EACCES
    tap.equal(results, {path: 0 if path in MAY_OPEN[row[2]] else refused for path in results},
              name + ': what it may open')


def environment(process, row):
    """`caller` is what the parent was started with; NAME and NAME* are what may be there as well,
    or, without a caller, all that is there."""
    words = row[0].split()
    if words == ['command']:
        wanted = COMMAND
    elif words[0] == 'caller':
        more = words[1:] + (re.findall(r'[,:]?(\w+)="', RULES) if 'rules' in words else [])
        wanted = process.parent().environment | {
            name for name in process.environment
            if any(fnmatch.fnmatchcase(name, word) for word in more)}
    else:
        wanted = set(words) - {'nothing'}
    tap.equal(process.environment, wanted, process.name + ': environment')


def numbers(text):
    """[{kind: how many at most}, ...] of what the manual says: KIND is one, KIND*2 are two, KIND*
    as many as it likes; ` or ` is between two states or ways to be started."""
    return [{kind: float('inf') if star and not count else int(count or 1)
             for kind, star, count in (word.partition('*') for word in way.split())}
            for way in text.split(' or ')]


def descriptors(process, text, seen):
    def fits():
        now = process.open()
        return any(all(count <= most.get(kind, 0) for kind, count in now.items())
                   for most in numbers(text))
    tap.attempt(process.name + ': nothing else is open', wait_for, fits, text)
    seen.setdefault(process.name, []).append(dict(process.open()))


class Tables:
    """Those of the manual, by program, and what has been seen open."""

    def __init__(self):
        self.accounts, self.descriptors = table('accounts'), table('descriptors')
        self.environment, self.seen = table('environment'), {}

    def same_programs(self):
        tap.equal(set(self.accounts) - set(self.descriptors), {'multilog'},
                  'descriptors of the same programs')
        tap.equal(set(self.environment), set(self.accounts), 'environments of the same programs')

    def look(self, process):
        name = process.name
        ids(process, self.accounts[name])
        reach(process, self.accounts[name])
        environment(process, self.environment[name])
        if name in self.descriptors:
            descriptors(process, self.descriptors[name][0], self.seen)
        if name not in MAY_HAVE_CORE:
            tap.equal(process.core_limit(), ('0', '0'), name + ': no core file')

    def exact(self):
        """No number in the table is larger than it must be: one process has all of it."""
        for name, found in sorted(self.seen.items()):
            ways = numbers(self.descriptors[name][0])
            if not any(float('inf') in way.values() for way in ways):
                tap.ok(any(each in ways for each in found), name + ': all that may be open is',
                       found)


def waiting(host, name, owner):
    """The processes of that name and owner that wait for something; others may be at their end."""
    found = []
    for pid in host.processes(name):
        try:
            process = Process(pid)
            if process.ids('Uid')[0] == owner and process.waits():
                found.append(process)
        except OSError:
            pass
    return found


def delivered(host, daemon, recipient, result, name, owner):
    """A delivery; then the processes of that name and owner, with the daemon stopped if there are
    some."""
    count = host.count_log('^delivery .* ' + result)
    host.deliver('', [recipient], b'\n')
    host.wait_log('^delivery .* ' + result, count + 1)
    os.kill(daemon, signal.SIGSTOP)
    found = waiting(host, name, owner)
    if not found:
        os.kill(daemon, signal.SIGCONT)
    return found


def idle(host, tables):
    """Those that wait for their next delivery, which they do for seconds only, so that the daemon
    is stopped meanwhile.  The first deliveries may show that accounts are found, and that the
    program can stay; and none stays with control files that have been changed just now."""
    for name, daemon, recipient, result in (
            ('local-stay', 'qmail-lspawn', 'joe@hosta.test', 'success: did_'),
            ('remote-stay', 'qmail-rspawn', 'x@refused.test', 'deferral: ')):
        account = tables.accounts[name][0]
        owner = JOE[0] if account == 'user' else UIDS[account]
        pid = host.daemon(daemon)
        found = wait_for(lambda case=(pid, recipient, result, name, owner):
                         delivered(host, *case), name)
        for each in found:
            tables.look(each)
        os.kill(pid, signal.SIGCONT)


def held(host, tables, name, before=()):
    """The new process of this name, which waits for an answer of /etc/passwd."""
    pid, = wait_for(lambda: set(host.processes(name)) - set(before), name)
    wait_for(Process(pid).waits, name + ' to wait')
    tables.look(Process(pid))
    os.kill(pid, signal.SIGKILL)


def held_lookups(host, tables):
    """qmail-getpw and checkpassword wait when they look for an account in a FIFO; qmail-queue must
    not see that.  The qmail-getpw that stays does not answer then, and another is run for the
    delivery alone."""
    lspawn = host.daemon('qmail-lspawn')
    before = set(host.processes('qmail-getpw'))
    os.kill(lspawn, signal.SIGSTOP)
    tap.equal(host.deliver('', ['ann@hosta.test'], b'\n'), 0, 'a message for ann')
    host.wait_log('^starting delivery .* ann@')
    client = host.connect('127.0.0.1', 110)
    host.sh('mv /etc/passwd /tmp/passwd; mkfifo -m 644 /etc/passwd')
    try:
        client.sendall(b'USER joe\r\nPASS joe-secret\r\n')
        held(host, tables, 'checkpassword')
        os.kill(lspawn, signal.SIGCONT)
        held(host, tables, 'qmail-getpw', before)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
    finally:
        host.sh('mv /tmp/passwd /etc/passwd')
        client.close()


def main():
    tables = Tables()
    tables.same_programs()
    with hosts.single() as host:
        host.control('smtproutes', 'far.test:127.0.0.1:2525\nrefused.test:127.0.0.1:1\n')
        host.sh('%s/bin/qmail-cert make' % home())
        host.control('spfbehavior', '1\n')
        host.start()
        host.write('/etc/tcp.smtp', RULES)
        host.sh('tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp')
        kept = at_work(host)
        idle(host, tables)
        rest = set(tables.accounts) - {'local-stay', 'remote-stay', 'checkpassword'}
        for name in rest:               # all are what they will be before the first look
            wait_for(lambda name=name: running(host, name), name)
        for name in sorted(rest):
            for process in running(host, name):
                tables.look(process)
        held_lookups(host, tables)
        tables.exact()
        del kept
    return tap.done()


sys.exit(main())
