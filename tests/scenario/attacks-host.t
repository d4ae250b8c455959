#!/usr/bin/python3
"""attacks-host.t - a host loses what it stands on: its log is blocked or closed, there are no more
processes, the file system of the queue is read-only, broken or not mounted.

Always: a temporary error for new mail, a reason in the log, nothing lost, everything goes on when
the cause is gone, and what attack.py checks.
"""
import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import attack                           # noqa: E402
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import read, wait_for         # noqa: E402
from tree import home                   # noqa: E402

PIDS = ('/sys/fs/cgroup/pids', '/sys/fs/cgroup/unified', '/sys/fs/cgroup')
SHUTDOWN = 0x8004587d                   # EXT4_IOC_SHUTDOWN: from then on everything is EIO
NO_PROCESS = '(deferral|alert|warning): .*(unable.to.(fork|start)|failure.in.qmail-lspawn)'
QUIET = 10                              # seconds, for what the log says about one cause


DAEMONS = ('qmail-send', 'qmail-todo', 'qmail-clean', 'qmail-lspawn', 'qmail-rspawn', 'qmail-queue')


def stop(host):
    """End qmail-send; nothing of it uses the queue any more."""
    host.svc('-d')
    wait_for(lambda: not any(host.processes(name) for name in DAEMONS), 'the end of qmail-send', 60)


# ---- log ---------------------------------------------------------------------------------------

def logger(host):
    """The pid, outside, of the multilog of qmail-send."""
    return [pid for pid in host.processes('multilog')
            if '/var/log/qmail-send\0' in read('/proc/%d/cmdline' % pid)][0]


def blocked_log(host):
    pid, count = logger(host), 400
    done = host.count_log('^end msg ')
    os.kill(pid, signal.SIGSTOP)
    tap.equal(attack.burst(host, count, 'ann@hosta.test', attack.GONE), count,
              'with a logger that stands still mail is accepted')
    pipe = wait_for(lambda: 'pipe' in read('/proc/%d/wchan' % host.daemon('qmail-send')),
                    'qmail-send to wait for its log')
    tap.ok(pipe and host.queue(), 'qmail-send waits for it, as the original does')
    os.kill(pid, signal.SIGCONT)
    host.wait_empty()
    host.wait_log('^end msg ', done + count)
    tap.equal(host.count_log('^end msg ') - done, count, 'no line and no message is lost')


def closed_log(host):
    stop(host)
    host.dotqmail('joe', 'count', '|echo x >>count\n')
    rc = host.popen([home() + '/rc'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL, cwd=home())
    rc.stdout.readline()
    rc.stdout.close()
    codes = [host.deliver('', ['joe-count@hosta.test'], b'Subject: x\n\n') for _ in range(20)]
    tap.equal(set(codes), {0}, 'with a closed log mail is accepted')
    ended = wait_for(lambda: rc.poll() is not None or not host.queue(), 'end or delivery')
    going = rc.poll() is None
    tap.ok(ended, 'with a closed log qmail-send ' + ('goes on' if going else 'ends'))
    if going:
        host.sh('kill -TERM $(pidof qmail-send)')
    rc.wait(30)
    host.svc('-u')
    host.wait_empty()
    lines = host.sh('cat /home/joe/count; rm /home/joe/count').split()
    tap.equal(len(lines), 20, 'every message is delivered once')


# ---- processes ---------------------------------------------------------------------------------

def controller():
    """Directory in which a group that limits processes can be made."""
    for place in PIDS:
        group = os.path.join(place, 'attacks.%d' % os.getpid())
        try:
            os.mkdir(group)
        except OSError:
            continue
        if os.path.exists(group + '/pids.max'):
            return group
        os.rmdir(group)
    raise AssertionError('no cgroup with pids.max can be made')


def everything(host):
    """The pids, outside, of all processes of the host."""
    space = os.readlink('/proc/%d/ns/pid' % host.world.pid)
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            if os.readlink('/proc/%s/ns/pid' % pid) == space:
                found.append(pid)
        except OSError:
            pass
    return found


def full_process_table(host):
    group = controller()
    back = read('/proc/self/cgroup')
    session = host.smtp()
    session.helo('x')

    def put(where, pids):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError), \
                    open(where + '/cgroup.procs', 'w') as file:
                file.write(pid)         # it may have ended since it was listed

    def empty():
        put(place_of(back), read(group + '/cgroup.procs').split())
        return not read(group + '/cgroup.procs')
    try:
        put(group, everything(host))
        with open(group + '/pids.max', 'w') as file:
            file.write(read(group + '/pids.current'))
        session.docmd('MAIL FROM:<ann@hosta.test>')
        session.docmd('RCPT TO:<%s>' % attack.GONE % 1)
        got = session.docmd('DATA')
        if got[0] == 354:
            session.send(b'x\r\n.\r\n')
            got = session.getreply()
        tap.equal(got[0], 451, 'an open session is told to come again')
        start = len(host.log())
        # From outside the group, so the message gets into the queue.
        tap.equal(host.deliver('', ['joe@hosta.test'], b'Subject: x\n\n'), 0, 'queued')
        host.deliver('', ['joe@hostb.test'], b'Subject: x\n\n')
        said = tap.attempt('qmail-send says why', wait_for, lambda: [
            line for line in host.log()[start:] if re.search(NO_PROCESS, line)], 'the reason')
        tap.note('\n'.join(host.log()[start:][:12]))
        tap.note(said)
        with open(group + '/pids.max', 'w') as file:
            file.write('max')
        host.svc('-a')                  # the next attempt would be 100 s after the first
        tap.ok(wait_for(lambda: host.mail('joe'), 'delivery', 40), 'the next attempt succeeds')
    finally:
        with open(group + '/pids.max', 'w') as file:
            file.write('max')
        session.close()
        wait_for(empty, 'an empty group')       # those moved may have started others meanwhile
        os.rmdir(group)
    attack.give_up(host)


def place_of(text):
    """The directory of the group with pids.max that /proc/PID/cgroup names."""
    found = re.search(r'^\d+:pids:(.*)$', text, re.M)
    if found:
        return PIDS[0] + found.group(1).rstrip('/')
    found = re.search(r'^0::(.*)$', text, re.M)
    return [place for place in PIDS[1:] if os.path.exists(place + '/cgroup.procs')][0] \
        + found.group(1).rstrip('/')


# ---- file system of the queue -------------------------------------------------------------------

def disk(host):
    """Move the queue to an ext4 of its own; returns its device's name, and a descriptor that keeps
    it while it is not mounted."""
    image = host.path('/tmp/queue.img')
    with open(image, 'wb') as file:
        file.truncate(64 << 20)
    device = subprocess.run(['losetup', '--find', '--show', image], check=True,
                            stdout=subprocess.PIPE, text=True).stdout.strip()
    keep = os.open(device, os.O_RDONLY)
    try:
        number = os.stat(device).st_rdev
        stop(host)
        host.sh('mknod /dev/queue b {0} {1}; mkfs.ext4 -q -I 256 /dev/queue; mkdir /mnt/queue; '
                'mount -o errors=remount-ro /dev/queue /mnt/queue; rmdir /mnt/queue/lost+found; '
                'cp -a {2}/queue/. /mnt/queue; umount /mnt/queue; rmdir /mnt/queue; '
                'rm -rf {2}/queue/*; {3}'
                .format(os.major(number), os.minor(number), home(), mounting()))
    finally:
        subprocess.run(['losetup', '--detach', device], check=True)     # when nobody uses it
    host.svc('-u')
    host.wait_log('^status: local 0/')
    attack.probe(host, 'with a queue of its own mail flows')
    host.wait_empty()
    return os.path.basename(device), keep


def mounting():
    return 'mount -o errors=remount-ro /dev/queue %s/queue' % home()


def alerts(host, start):
    """{text: number} of the alerts and warnings that qmail-send has logged."""
    found = {}
    for line in host.log()[start:]:
        if line.startswith(('alert: ', 'warning: ')):
            text = re.sub(r'\d+', 'N', line)
            found[text] = found.get(text, 0) + 1
    return found


def refused(host, name):
    """Test points: SMTP and injection tell the sender to come again."""
    client = host.smtp()
    client.helo('x')
    client.docmd('MAIL FROM:<ann@hosta.test>')
    client.docmd('RCPT TO:<%s>' % attack.GONE % 2)
    got = client.docmd('DATA')
    if got[0] == 354:
        client.send(b'x\r\n.\r\n')
        got = client.getreply()
    tap.equal(got[0], 451, name + ': SMTP: come again')
    client.close()
    code, _, err = host.call([home() + '/bin/qmail-inject', '-fann@hosta.test', attack.GONE % 3],
                             b'Subject: x\n\n')
    tap.ok(code == 111 and err, name + ': qmail-inject: exit 111', (code, err))
    tap.note('%s %s' % (got, err))


def broken(host, name, breaking, seconds):
    """Break the file system while a message is being delivered; what qmail-send says about it."""
    host.dotqmail('joe', 'wait', '|while [ ! -e /home/joe/go ]; do sleep 0.1; done\n')
    host.sh('rm -f /home/joe/go')
    host.deliver('', ['joe-wait@hosta.test'], b'Subject: kept\n\n')
    host.wait_log('^starting delivery .* to local joe-wait@')
    start, begun = len(host.log()), time.monotonic()
    breaking()
    refused(host, name)
    host.sh('touch /home/joe/go')
    host.wait_log('^delivery .*: success: ')
    end = begun + seconds
    while time.monotonic() < end:       # signals and triggers: reasons to look at the queue
        host.svc('-a')
        time.sleep(0.2)
    told = {}
    for line in host.log()[start:]:
        if line.startswith(('alert: ', 'warning: ')):
            text = re.sub(r'\d+', 'N', line)
            told[text] = told.get(text, 0) + 1
    for text, count in told.items():
        tap.note('%d times: %s' % (count, text))
    tap.ok(told, name + ': the log says why')
    most = 1 + seconds // QUIET
    tap.ok(all(count <= most for count in told.values()),
           name + ': the log is not flooded in %d s' % seconds, told)


def mount_again(host):
    """Check the file system, as soon as nobody uses it any more, and mount it."""
    host.sh('if mountpoint -q {0}/queue; then umount {0}/queue; fi'.format(home()))
    wait_for(lambda: host.call(['fsck.ext4', '-p', '/dev/queue'])[0] < 4, 'a sound file system')
    host.sh('%s; rm -rf %s/queue/lost+found' % (mounting(), home()))


def idle(host, name, breaking, reason):
    """Break the file system while nothing is under way: what refuses new mail is in the log."""
    host.wait_empty()
    host.sh('sync')                     # what is lost of a removal is for the sweep
    start = len(host.log())
    breaking()
    refused(host, name + ', idle')
    wait_for(lambda: any(reason in line for line in host.log()[start:]),
             'the reason in the log: ' + reason)
    begun = time.monotonic()
    attempts = attack.scale(30, 300)
    for _ in range(attempts):
        code = host.call([home() + '/bin/qmail-inject', attack.GONE % 1], b'Subject: x\n\n')[0]
        if code != 111:
            break
    tap.equal(code, 111, name + ', idle: come again, each of %d times' % attempts)
    most = 1 + int(time.monotonic() - begun) // QUIET + 1
    told = alerts(host, start)
    tap.ok(told and sum(told.values()) <= most, name + ', idle: the log says why, and no more',
           told)
    stop(host)
    mount_again(host)
    host.svc('-u')
    attack.probe(host, name + ', idle: mounted again, mail flows')
    host.wait_empty()


def lost_queue(host):
    device, keep = disk(host)
    seconds = attack.scale(2, 25)

    def error():
        with open('/sys/fs/ext4/%s/trigger_fs_error' % device, 'w') as file:
            file.write('attack')

    def shut_down():
        directory = os.open(host.path(home() + '/queue'), os.O_RDONLY)
        fcntl.ioctl(directory, SHUTDOWN, b'\2\0\0\0')
        os.close(directory)

    def unmount():
        host.sh('umount -l %s/queue' % home())

    try:
        unable = 'alert: unable to use queue file system: '
        for name, breaking, reason in (
                ('read-only', error, unable + 'read-only file system'),
                ('EIO', shut_down, unable + 'input/output error'),
                ('unmounted', unmount, 'alert: qmail-todo: queue directory in use is out of')):
            idle(host, name, breaking, reason)
            broken(host, name, breaking, seconds)
            stop(host)
            mount_again(host)
            host.svc('-u')
            attack.probe(host, name + ': mounted again, mail flows')
            host.wait_empty()
    finally:
        stop(host)
        host.sh('cp -a {0}/queue /tmp/queue; umount {0}/queue; cp -a /tmp/queue/. {0}/queue; '
                'rm -rf /tmp/queue /tmp/queue.img /dev/queue /home/joe/go'.format(home()))
        os.close(keep)
        host.svc('-u')


CASES = [blocked_log, closed_log, full_process_table, lost_queue]


if __name__ == '__main__':
    sys.exit(attack.alone(CASES, hosts.single))
