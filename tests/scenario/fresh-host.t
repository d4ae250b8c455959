#!/usr/bin/python3
"""fresh-host.t - a clean Debian 12 becomes a mail host with `git clone` and `make up`.

First everything that `make up` refuses, with one line and nothing installed; then the real thing,
packages from the network (or from the cache of an earlier run); then mail into it in the ways that
people use, and out of it over POP3.
"""
import email.message
import os
import re
import signal
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.pop('SAN', None)             # this host builds for itself, as a user does
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import layers                           # noqa: E402
import proxy                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import TOP, home              # noqa: E402

NAME = 'fresh.test'
TREE = '/usr/src/pneumail'
TRACE = (r'Return-Path: <%s>\nDelivered-To: %s@fresh.test\n'
         r'(Received: \(qmail \d+ invoked (by uid \d+|from network|by alias)\); [^\n]*\n'
         r'|Received: from [^\n]*\n  by [^\n]*\n)+')


def one_line(host, name, wanted, **more):
    """Test points: `make up` refuses with one line that says `wanted`, and installs nothing."""
    code, out, err = host.call(['make', '-s', '-C', TREE, 'up'], **more)
    lines = [line for line in (out + err).decode().splitlines() if not line.startswith('make')
             or line.startswith('make up:')]
    tap.ok(code != 0 and len(lines) == 1 and re.search(wanted, lines[0]), name, (code, out, err))
    left = host.sh('ls -A %s; getent passwd qmailq || :; ls -d /etc/service /service 2>&1 | '
                   'grep -v "No such" || :; ls %s/build 2>/dev/null || :' % (home(), TREE))
    tap.equal(left, '', 'nothing is half-installed then')


def obstacles(host):
    """What `make up` cannot work with."""
    one_line(host, 'not root', r'root', user=hosts.USERS['joe'])
    host.sh('mv /usr/bin/apt-get /usr/bin/apt-get.off')
    one_line(host, 'no apt', r'apt-get.*gcc')
    host.sh('mv /usr/bin/apt-get.off /usr/bin/apt-get')
    for port in (25, 110):
        taken = host.popen(['perl', '-MIO::Socket::INET', '-e', 'my $s = IO::Socket::INET->new('
                            'LocalPort => %d, Listen => 1) or die; sleep' % port])
        wait_for(lambda port=port: host.listening(port), 'a listener')
        one_line(host, 'port %d is taken' % port, 'port %d' % port)
        for pid in host.processes('perl'):
            os.kill(pid, signal.SIGKILL)
        taken.wait()
    host.write('/usr/sbin/sendmail', '#!/bin/sh\n', mode=0o755)
    one_line(host, 'another sendmail', '/usr/sbin/sendmail')
    host.write('/usr/sbin/sendmail', None)


def make_up(host):
    """The command itself; what it prints; that a second run changes nothing."""
    code, out, err = host.call(['make', '-s', '-C', TREE, 'up'], timeout=400)
    text = (out + err).decode(errors='replace')
    if not tap.equal(code, 0, 'make up'):
        tap.note(text)
        return False
    for name in hosts.SERVICES:
        tap.ok(re.search(name + r': up \(pid \d+\) \d+ seconds', text), name + ' is up', text)
    tap.equal(len(re.findall('arrived: ', text)), 2, 'its two messages arrived')
    tap.ok('POP3 shows: Subject: ' in text, 'one was read back over POP3', text)
    host.control('locals', NAME + '\n# mine\n')
    code, out, err = host.call(['make', '-s', '-C', TREE, 'up'], timeout=400)
    tap.equal(code, 0, 'make up again')
    tap.equal(host.sh('cat %s/control/locals' % home()), NAME + '\n# mine\n',
              'control files are left alone')
    code, out, err = host.call(['make', '-s', '-C', TREE, 'check'])
    tap.equal((code, out + err), (0, b''), 'make check is silent')
    return True


def arrives(host, user, sender, body, header=''):
    """Test point: the one new message of the user: trace, header, body."""
    text = host.wait_mail(user, 1)[0].decode('utf-8', 'surrogateescape')
    tap.ok(re.match(TRACE % (re.escape(sender), user), text), 'trace fields for ' + user, text)
    tap.ok(text.split('\n\n', 1)[1] == body and header in text, 'body for ' + user, text)
    host.clear_mail(user)


def ways_in(host):
    """sendmail -t, PHP, swaks, smtplib."""
    code, _, err = host.call(['/usr/sbin/sendmail', '-t'], b'To: joe\nSubject: s\n\n.\nbody \xe9\n',
                             user=hosts.USERS['ann'], env={'USER': 'ann', 'LOGNAME': 'ann'})
    tap.equal((code, err), (0, b''), 'sendmail -t')
    arrives(host, 'joe', 'ann@fresh.test', '.\nbody \udce9\n', 'Subject: s\n')
    code, out, err = host.call(
        ['php', '-r', r'exit(mail("ann@fresh.test", "from php", "line one\nline two\n", '
         r'"From: Web <web@fresh.test>", "-fwww@fresh.test") ? 0 : 1);'])
    tap.equal((code, out + err), (0, b''), 'PHP mail() with -f')
    # PHP ends the text with one newline more, swaks with two.
    arrives(host, 'ann', 'www@fresh.test', 'line one\nline two\n\n', 'Subject: from php\n')
    code, out, err = host.call(
        ['swaks', '--server', '127.0.0.1', '--from', 'joe@fresh.test', '--to', 'ann@fresh.test',
         '--header', 'Subject: from swaks', '--body', 'hello\n..dots\n.\nend'])
    tap.equal(code, 0, 'swaks')
    arrives(host, 'ann', 'joe@fresh.test', 'hello\n..dots\n.\nend\n\n\n', 'Subject: from swaks\n')
    message = email.message.EmailMessage()
    message['From'] = message['To'] = 'joe@fresh.test'
    message['Subject'] = 'caf\xe9'
    message.set_content('na\xefve\n', cte='8bit')
    client = host.smtp()
    client.send_message(message)
    client.quit()
    arrives(host, 'joe', 'joe@fresh.test', 'na\xefve\n', 'Subject: =?utf-8?q?caf=C3=A9?=\n')


def ways_out(host):
    """poplib, fetchmail and getmail read what is in ann's Maildir; each takes it away."""
    for name, read in (('poplib', by_poplib), ('fetchmail', by_fetchmail), ('getmail', by_getmail)):
        client = host.smtp()
        client.sendmail('joe@fresh.test', ['ann@fresh.test'],
                        'Subject: for %s\r\n\r\n..one\r\ntwo\r\n' % name)
        client.quit()
        host.wait_mail('ann', 1)
        text = read(host)
        tap.ok('Subject: for %s\n' % name in text and text.endswith('\n\n..one\ntwo\n'),
               name + ' reads it', text)
        left = host.sh('ls /home/ann/Maildir/new /home/ann/Maildir/cur | grep -c fresh || :')
        tap.equal(left, '0\n', name + ' takes it away')


def by_poplib(host):
    def shown():                        # messages of the current second are not shown yet
        box = host.pop3('ann')
        return box if box.stat()[0] else box.quit() and None
    box = wait_for(shown, 'a message over POP3', 5)
    text = b'\n'.join(box.retr(1)[1]).decode() + '\n'
    box.dele(1)
    box.quit()
    return text


def by_fetchmail(host):
    host.write('/home/ann/.fetchmailrc', 'poll 127.0.0.1 protocol pop3 username "ann" password '
               '"ann-secret" mda "cat >/home/ann/fetched"\n', 'ann', 0o600)
    wait_for(lambda: host.call(
        ['fetchmail', '--nosyslog', '--sslproto', ''], user=hosts.USERS['ann'],
        env={'HOME': '/home/ann', 'USER': 'ann', 'LOGNAME': 'ann'})[0] == 0, 'fetchmail', 10)
    return host.sh('cat /home/ann/fetched')


def by_getmail(host):
    host.sh('mkdir -p /home/ann/.getmail; %s/bin/maildirmake /home/ann/got; chmod 700 '
            '/home/ann/.getmail; chown -R ann:ann /home/ann/.getmail /home/ann/got' % home())
    host.write('/home/ann/.getmail/getmailrc', '''[retriever]
type = SimplePOP3Retriever
server = 127.0.0.1
username = ann
password = ann-secret
timeout = 5
[destination]
type = Maildir
path = /home/ann/got/
[options]
delete = true
''', 'ann', 0o600)
    wait_for(lambda: hosts.getmail(host, 'ann') == 0 and
             os.listdir(host.path('/home/ann/got/new')), 'getmail', 200)
    return host.sh('cat /home/ann/got/new/*')


def start_cron(host):
    host.write('/var/spool/cron/crontabs/joe', 'MAILTO=joe\n* * * * * echo from cron\n', 'joe',
               0o600)
    host.sh('chown joe:crontab /var/spool/cron/crontabs/joe; cron')


def cron_output(host):
    text = host.wait_mail('joe', 1, timeout=70)[0].decode()
    tap.ok(re.match(TRACE % ('[^>]*', 'joe'), text) and text.endswith('\n\nfrom cron\n') and
           re.search(r'\nSubject: Cron <joe@\S+> *echo from cron\n', text), 'output of cron', text)


def main():
    with hosts.MailHost(NAME, clean=True, with_suite=False, stack=['fresh+clients'],
                        shares=layers.shared_apt(True)) as host:
        proxy.serve(host)
        host.sh('git clone -q file://%s %s' % (TOP, TREE))
        obstacles(host)
        if make_up(host):
            start_cron(host)
            tap.attempt('mail gets in', ways_in, host)
            tap.attempt('mail gets out', ways_out, host)
            tap.attempt('cron', cron_output, host)
            code, out, _ = host.call(['make', '-s', '-C', TREE, 'down'])
            tap.equal(code, 0, 'make down')
            tap.equal(host.processes('qmail-send') + host.processes('tcpserver'), [],
                      'then nothing runs')
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
