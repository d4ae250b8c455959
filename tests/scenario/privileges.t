#!/usr/bin/python3
"""privileges.t - every process at work has the accounts, descriptors, directory, environment and
restrictions that qmail-processes(7) says, and no others.

The tables are read from the manual.  The processes are looked at while they wait: for a client, a
command, another host.  What they may open is tried in the process itself.
"""
import errno
import os
import re
import signal
import socket
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
DAEMONS = ('qmail-send', 'qmail-todo', 'qmail-clean', 'qmail-lspawn', 'qmail-rspawn', 'qmail-getpw',
           'qmail-local', 'local-stay', 'remote-stay', 'qmail-remote')
COMMAND = {'DTLINE', 'EXT', 'EXT2', 'EXT3', 'EXT4', 'HOME', 'HOST', 'HOST2', 'HOST3', 'HOST4',
           'LOCAL',
           'NEWSENDER', 'PATH', 'RECIPIENT', 'RPLINE', 'SENDER', 'UFLINE', 'USER'}
NO_CORE = {'remote-stay', 'qmail-send', 'qmail-todo', 'qmail-clean', 'qmail-remote', 'qmail-queue',
           'qmail-smtpd',
           'qmail-popup', 'qmail-pop3d', 'qmail-inject', 'qmail-chkuser', 'qmail-dnsask'}

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


class Process:
    """What /proc says of one process."""

    def __init__(self, pid):
        self.pid = pid
        self.place = '/proc/%d/' % pid
        lines = read(self.place + 'status').splitlines()
        self.status = dict(line.split(':\t', 1) for line in lines if ':\t' in line)
        self.name = self.status['Name']
        self.directory = os.readlink(self.place + 'cwd')
        self.environment = {item.split('=')[0] for item in
                            read(self.place + 'environ').split('\0') if item}

    def ids(self, key):
        return [int(word) for word in self.status[key].split()]

    def open(self):
        """Kinds of what is open, without /dev/null."""
        kinds = set()
        for fd in os.listdir(self.place + 'fd'):
            name = os.readlink(self.place + 'fd/' + fd)
            kind = re.match(r'(pipe|socket):', name)
            name = kind.group(1) if kind else name.replace(home() + '/', '').split(' ')[0]
            kinds.add(re.sub(r'[\d.]*\d\b', 'N', name))
        return kinds - {'/dev/null', '/null'}

    def waits(self):
        return re.search(r'^State:\s*S', read(self.place + 'status'), re.M)

    def core_limit(self):
        line = re.search(r'^Max core file size +(\S+) +(\S+)', read(self.place + 'limits'), re.M)
        return line.groups()


def at_work(host):
    """Brings every process of the manual to a point where it waits; returns what must be kept."""
    kept = [host.connect('127.0.0.1', 110), host.pop3('joe')]
    client = host.connect('127.0.0.1', 25)
    client.sendall(b'EHLO x\r\nMAIL FROM:<joe@hosta.test>\r\nRCPT TO:<joe@hosta.test>\r\nDATA\r\n')
    answer = client.makefile('rb')
    while not answer.readline().startswith(b'354 '):
        pass
    with host.network():
        silent = socket.create_server(('127.0.0.1', 2525))
    host.sh('mkfifo -m 666 /tmp/gate')
    host.dotqmail('joe', 'hold', '|read line </tmp/gate\n')
    code = host.deliver('joe@hosta.test', ['joe-hold@hosta.test', 'x@far.test'], b'Subject: x\n\n')
    tap.equal(code, 0, 'a message is queued')
    inject = host.popen([home() + '/bin/qmail-inject', 'joe'], user=JOE, stdin=subprocess.PIPE,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return kept + [client, answer, silent, silent.accept(), inject]


def wanted_ids(account, group, caller):
    """The four user ids and the four group ids."""
    uid = JOE[0] if account == 'user' else UIDS[account]
    if group == 'caller':               # qmail-queue, run by qmail-smtpd
        gid = caller[1]
        return [caller[0], uid, uid, uid], [gid] * 4
    gid = JOE[1] if group == 'user' else GIDS[group]
    return [uid] * 4, [gid] * 4


def ids(process, row):
    uids, gids = wanted_ids(row[0], row[1], (UIDS['qmaild'], GIDS['nofiles']))
    name = process.name
    tap.equal((process.ids('Uid'), process.ids('Gid')), (uids, gids), name + ': ids')
    extra = set(process.ids('Groups')) - set(gids)
    tap.equal(extra, set(), name + ': no other group')
    if row[0] != 'root':
        tap.equal([int(process.status[key], 16)
                   for key in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb')],
                  [0] * 4, name + ': no capability')


def reach(process, row):
    name = process.name
    tap.equal(process.status['NoNewPrivs'], '0' if row[2] == 'all' else '1',
              name + ': no new privileges, or not')
    if not row[3].startswith(('any', 'their')):
        tap.equal(process.directory, row[3], name + ': directory')
    if not ptrace.available() or os.environ.get('SAN'):
        return
    wait_for(process.waits, name + ' to wait')
    results = {path: ptrace.open_file(process.pid, path) for path in WORLD_READABLE}
    if row[2] == 'all':
        results = {path: results[path] for path in MAY_OPEN['all']}
    tap.equal(results, {path: 0 if path in MAY_OPEN[row[2]] else errno.EACCES for path in results},
              name + ': what it may open')


def environment(process, server):
    name = process.name
    if name in DAEMONS:
        tap.equal(process.environment, {'PATH'}, name + ': environment')
    elif name == 'sh':
        tap.equal(process.environment, COMMAND, name + ': environment')
    elif name in ('qmail-smtpd', 'qmail-popup'):
        extra = process.environment - server[name].environment
        tap.ok(all(re.match(r'TCP(LOCAL|REMOTE)|PROTO$|RELAYCLIENT$|CHKUSER_', item)
                   for item in extra),
               name + ': environment', extra)


def look(process, row, descriptors, server):
    ids(process, row)
    reach(process, row)
    environment(process, server)
    if descriptors is not None:
        tap.equal(process.open() - set(descriptors.split()), set(),
                  process.name + ': nothing else is open')
    if process.name in NO_CORE:
        tap.equal(process.core_limit(), ('0', '0'), process.name + ': no core file')


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


def idle(host, rows, descriptors, server):
    """Those that wait for their next delivery, which they do for seconds only, so that the daemon
    is stopped meanwhile.  The first deliveries may show that accounts are found, and that the
    program can stay; and none stays with control files that have been changed just now."""
    for name, daemon, recipient, result in (
            ('local-stay', 'qmail-lspawn', 'joe@hosta.test', 'success: did_'),
            ('remote-stay', 'qmail-rspawn', 'x@refused.test', 'deferral: ')):
        owner = JOE[0] if rows[name][0] == 'user' else UIDS[rows[name][0]]
        pid = host.daemon(daemon)
        found = wait_for(lambda case=(pid, recipient, result, name, owner):
                         delivered(host, *case), name)
        for each in found:
            look(each, rows[name], descriptors[name], server)
        os.kill(pid, signal.SIGCONT)


def held_getpw(host, rows, descriptors, server):
    """qmail-getpw waits when it looks for an account in a FIFO; qmail-queue must not see that.  The
    one that stays does not answer then, and another is run for the delivery alone."""
    lspawn = host.daemon('qmail-lspawn')
    before = set(host.processes('qmail-getpw'))
    os.kill(lspawn, signal.SIGSTOP)
    tap.equal(host.deliver('', ['ann@hosta.test'], b'\n'), 0, 'a message for ann')
    host.wait_log('^starting delivery .* ann@')
    host.sh('mv /etc/passwd /tmp/passwd; mkfifo -m 644 /etc/passwd')
    try:
        os.kill(lspawn, signal.SIGCONT)
        pid, = wait_for(lambda: set(host.processes('qmail-getpw')) - before, 'qmail-getpw')
        wait_for(Process(pid).waits, 'qmail-getpw to wait')
        look(Process(pid), rows['qmail-getpw'], descriptors['qmail-getpw'], server)
        for pid in before | {pid}:
            os.kill(pid, signal.SIGKILL)
    finally:
        host.sh('mv /tmp/passwd /etc/passwd')


def main():
    rows, descriptors = table('accounts'), table('descriptors')
    tap.equal(set(rows) - set(descriptors), {'multilog'}, 'the tables have the same programs')
    descriptors = {name: row[0] for name, row in descriptors.items()}
    with hosts.single() as host:
        host.control('smtproutes', 'far.test:127.0.0.1:2525\nrefused.test:127.0.0.1:1\n')
        host.start()
        host.write('/etc/tcp.smtp', RULES)
        host.sh('tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp')
        kept = at_work(host)
        servers = [Process(pid) for pid in host.processes('tcpserver')]
        server = {'qmail-smtpd': servers[0], 'qmail-popup': servers[0]}
        idle(host, rows, descriptors, server)
        del rows['local-stay'], rows['remote-stay']
        for name in rows:               # all are what they will be before the first look
            wait_for(lambda name=name: host.processes(name), name)
        for name in rows:
            for pid in host.processes(name):
                look(Process(pid), rows[name], descriptors.get(name), server)
        held_getpw(host, rows, descriptors, server)
        del kept
    return tap.done()


sys.exit(main())
