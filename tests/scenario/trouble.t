#!/usr/bin/python3
"""trouble.t - what a host meets besides mail: a full disk, a second daemon, broken control files,
a queue of another build, endless lines, a hundred thousand recipients, clients that stop.

Always: a clear answer, nothing lost, and everything goes on when the cause is gone.
"""
import os
import re
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import BUILD, home            # noqa: E402

MB = 1 << 20
MANY, SMTP_MANY = 100000, 10000


def sends_mail(host, name):
    """Test point: a message to joe is queued and delivered."""
    host.clear_mail()
    code = host.deliver('ann@hosta.test', ['joe@hosta.test'], b'Subject: probe\n\nprobe\n')
    host.wait_empty()
    tap.ok(code == 0 and len(host.mail('joe')) == 1, name, code)
    host.clear_mail()


def smtp_data(host, body):
    """Reply code and text of DATA for a message to joe through SMTP."""
    client = host.smtp()
    client.ehlo()
    client.docmd('MAIL FROM:<ann@hosta.test>')
    client.docmd('RCPT TO:<joe@hosta.test>')
    got = client.data(body)
    client.close()
    return got


def second_send(host):
    code, out, err = host.call([home() + '/rc'])
    tap.ok(code == 111 and b'alert: cannot start: qmail-send is already running\n' in out + err,
           'a second qmail-send says so and ends', (code, out, err))
    sends_mail(host, 'the first goes on')


def free(host, place, kilobytes):
    """Leave this much room in the file system (a tmpfs) mounted at `place`; 0: plenty."""
    used = int(host.sh("df -k --output=used %s | tail -n 1" % place))
    host.sh('mount -o remount,size=%dk %s' % (used + kilobytes if kilobytes else 8 << 20, place))


def full_queue(host):
    before = host.queue()
    free(host, home(), 100)
    body = b'Subject: big\r\n\r\n' + b'x' * 70 + b'\r\n'
    got = smtp_data(host, body + b'y' * MB)
    tap.ok(got[0] == 451 and got[1].endswith(b'(#4.3.0)'), 'SMTP: try later', got)
    code, _, err = host.call([home() + '/bin/qmail-inject', '-fann@hosta.test', 'joe@hosta.test'],
                             b'Subject: big\n\n' + b'y' * MB)
    tap.ok(code == 111 and b'(#4.3.0)' in err, 'qmail-inject: exit 111', (code, err))
    tap.equal(host.queue(), before, 'no file stays behind')
    free(host, home(), 0)
    sends_mail(host, 'it works again with room')


def full_home(host):
    free(host, '/home', 100)
    code = host.deliver('ann@hosta.test', ['joe@hosta.test'],
                        b'Subject: big\n\n' + b'z' * MB + b'\n')
    tap.equal(code, 0, 'queued')
    host.wait_log(r'deferral: Temporary_error_on_maildir_delivery._\(#4.3.0\)/$')
    tap.equal(host.sh('ls /home/joe/Maildir/tmp /home/joe/Maildir/new | grep -c hosta || :'), '0\n',
              'nothing half-written stays in the Maildir')
    free(host, '/home', 0)
    host.svc('-a')
    host.wait_empty()
    tap.equal([len(text) > MB for text in host.mail('joe')], [True], 'delivered whole, once, later')


def bad_controls(host):
    host.sh('chmod 600 %s/control/rcpthosts' % home())
    with host.connect('127.0.0.1', 25) as sock:
        got = sock.makefile('rb').read()
    tap.ok(re.match(rb'421 [^\r\n]*\(#4\.3\.0\)\r\n\Z', got), 'unreadable rcpthosts: 421', got)
    host.sh('chmod 644 %s/control/rcpthosts' % home())
    host.write(home() + '/control/databytes', 'no number\n\0\n')
    got = smtp_data(host, b'Subject: x\r\n\r\nx\r\n')
    tap.equal(got[0], 250, 'databytes without a number is no limit')
    host.control('databytes', None)
    host.wait_empty()
    host.sh('mkdir %s/control/locals.d; mv %s/control/locals %s/control/was; '
            'mv %s/control/locals.d %s/control/locals' % ((home(),) * 5))
    host.svc('-h')
    host.wait_log('^alert: unable to reread control/locals$')
    sends_mail(host, 'after an unreadable locals the old one counts')
    host.svc('-t')
    host.wait_log('^alert: cannot start: unable to read controls$')
    host.sh('rmdir %s/control/locals; mv %s/control/was %s/control/locals' % ((home(),) * 3))
    sends_mail(host, 'and at the next start it is tried again')


def wrong_split(host):
    host.svc('-d')
    wait_for(lambda: not host.processes('qmail-send'), 'the end of qmail-send')
    host.sh('for d in mess info local remote; do mv {0}/queue/$d/22 {0}/queue/$d.22; done; '
            'touch {0}/queue/mess/5/28'.format(home()))
    mess = home() + '/queue/mess/5/28'
    host.sh('touch -d "3 days ago" ' + mess)
    host.svc('-u')
    host.wait_log('^alert: cannot start: ', timeout=10)
    tap.ok(os.path.exists(host.path(mess)), 'nothing is purged in a queue of another split')
    host.svc('-d')
    wait_for(lambda: not host.processes('qmail-send'), 'the end of qmail-send')
    host.sh('for d in mess info local remote; do mv {0}/queue/$d.22 {0}/queue/$d/22; done; '
            'rm -f {1}'.format(home(), mess))
    host.svc('-u')
    sends_mail(host, 'the right queue works')


def endless_lines(host):
    with host.connect('127.0.0.1', 25) as sock:
        lines = sock.makefile('rb')
        lines.readline()
        try:
            for _ in range(32):
                sock.sendall(b'NOOP' * (MB // 4))
            sock.sendall(b'\r\nQUIT\r\n')
            got = lines.read()
        except OSError as error:
            got = str(error).encode()
    tap.ok(re.match(rb'(5\d\d|421) ', got), 'an endless command is refused', got[:200])
    with host.connect('127.0.0.1', 25) as sock:
        lines = sock.makefile('rb')
        lines.readline()
        sock.sendall(bytes(range(256)) * 40 + b'\r\n\0\0\0\r\nNOOP \xff\xfe\r\nQUIT\r\n')
        got = lines.read()
    tap.ok(re.match(rb'([2345]\d\d[ -][^\r\n]*\r\n)+\Z', got), 'binary commands get replies', got)
    got = smtp_data(host, b'Subject: long\r\n\r\n' + b'L' * 32 * MB + b'\r\n')
    tap.equal(got[0], 250, 'a line of 32 MB in a message is content')
    host.wait_empty()
    tap.equal([len(text) > 32 * MB for text in host.mail('joe')], [True], 'delivered')
    peak = max([int(host.sh("grep VmHWM /proc/%d/status | tr -dc 0-9" % pid) or 0)
                for pid in [host.pid_of('qmail-send')]])
    tap.ok(peak < 64 << 10, 'qmail-send stays small: %d KB' % peak)


def bare_newlines(host):
    for name, body in (('bare LF', b'Subject: x\n\nx\r\n.\r\n'), ('LF.LF', b'x\r\n\n.\n'),
                       ('LF.CRLF', b'x\r\n\n.\r\n')):
        with host.connect('127.0.0.1', 25) as sock:
            lines = sock.makefile('rb')
            lines.readline()
            sock.sendall(b'HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<joe@hosta.test>\r\nDATA\r\n')
            for _ in range(4):
                lines.readline()
            sock.sendall(body)
            got = lines.readline()
        tap.ok(re.match(rb'(451|55[04]) ', got), name + ' in a message is refused', got)
    tap.equal((host.mail('joe'), host.queue()), ([], []), 'nothing of it is queued')


def records(host, count):
    """Wait until the only message is preprocessed; test point: it has so many local recipients."""
    wait_for(lambda: any(name.startswith('local/') for name in host.queue()) and
             not any(name.startswith('todo/') for name in host.queue()), 'preprocessing', 60)
    name = [name for name in host.queue() if name.startswith('local/')][0]
    with open(host.path('%s/queue/%s' % (home(), name)), 'rb') as file:
        tap.equal(file.read().count(b'\0'), count, 'every recipient has its record')
    host.svc('-d')
    wait_for(lambda: not host.processes('qmail-send'), 'the end of qmail-send')
    host.sh('cd %s/queue; find mess info local remote todo intd bounce -type f | xargs rm -f'
            % home())
    host.svc('-u')


def many_recipients(host):
    host.control('concurrencylocal', '0\n')
    host.control('concurrencyremote', '0\n')
    host.restart()
    host.wait_log('status: local 0/0 remote 0/0')
    with host.connect('127.0.0.1', 25) as sock:
        lines = sock.makefile('rb')
        for line in ('', 'HELO x\r\n', 'MAIL FROM:<ann@hosta.test>\r\n'):
            sock.sendall(line.encode())
            lines.readline()
        got = []
        for start in range(0, SMTP_MANY + 10, 10):
            sock.sendall(b''.join(b'RCPT TO:<joe-%d@hosta.test>\r\n' % n
                                  for n in range(start, start + 10)))
            got += [lines.readline() for _ in range(10)]
        tap.ok(all(line.startswith(b'250 ') for line in got[:SMTP_MANY]),
               'SMTP takes %d recipients' % SMTP_MANY)
        tap.ok(all(re.match(rb'452 .*\(#4\.5\.3\)\r\n', line) for line in got[SMTP_MANY:]),
               'and tells the client to come again with more', got[SMTP_MANY])
        sock.sendall(b'DATA\r\n')
        tap.equal(lines.readline()[:3], b'354', 'DATA')
        sock.sendall(b'Subject: many\r\n\r\nmany\r\n.\r\nQUIT\r\n')
        tap.equal(lines.readline()[:3], b'250', 'accepted')
    records(host, SMTP_MANY)
    code = host.deliver('ann@hosta.test', ['joe-%d@hosta.test' % n for n in range(MANY)],
                        b'Subject: many\n\nmany\n')
    tap.equal(code, 0, 'qmail-queue takes %d recipients' % MANY)
    host.wait_log('^status: local 0/0 remote 0/0$', 2)
    records(host, MANY)
    host.control('concurrencylocal', None)
    host.control('concurrencyremote', None)
    host.restart()
    sends_mail(host, 'after clearing the queue by hand it works')


def silent_clients(host):
    host.control('timeoutsmtpd', '1\n')
    with host.connect('127.0.0.1', 25) as sock:
        got = sock.makefile('rb').read()
    tap.ok(re.match(rb'220 [^\r\n]*\r\n(4\d\d [^\r\n]*\r\n)?\Z', got),
           'a client that says nothing is dropped', got)
    with host.connect('127.0.0.1', 25) as sock:
        sock.settimeout(30)
        lines = sock.makefile('rb')
        lines.readline()
        try:
            while True:                 # replies fill the way back, then the server gives up
                sock.sendall(b'HELP\r\n' * 10000)
        except OSError as error:
            tap.ok(not isinstance(error, TimeoutError), 'a client that never reads is dropped',
                   error)
    host.control('timeoutsmtpd', None)
    wait_for(lambda: not host.processes('qmail-smtpd'), 'the end of its server')


def missing_accounts(host):
    host.sh("sed -i.whole /^qmailr:/d /etc/passwd")
    code, out, err = host.call([BUILD + '/bin/setup', BUILD], cwd=os.path.dirname(BUILD))
    tap.ok(code == 111 and b'unable to find user qmailr' in out + err, 'setup names the account',
           (code, out, err))
    tap.ok(b'/bin/accounts\n' in out + err, 'and the command that creates it', (out, err))
    host.sh('mv /etc/passwd.whole /etc/passwd')


CASES = [second_send, full_queue, full_home, bad_controls, wrong_split, endless_lines,
         bare_newlines, many_recipients, silent_clients, missing_accounts]


def main():
    wanted = sys.argv[1:]
    with hosts.single() as host:
        host.start()
        for step in CASES:
            if not wanted or step.__name__ in wanted:
                tap.note(step.__name__)
                tap.attempt(step.__name__ + ' went through', step, host)
                tap.equal(host.queue_faults(), '', 'the queue is legal')
                host.clear_mail()
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
