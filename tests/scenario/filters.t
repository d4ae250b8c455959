#!/usr/bin/python3
"""filters.t - mail is filtered while it comes in, by client: qmail-qfilter with Debian's
SpamAssassin and ClamAV, and programs that do with descriptors, processes and exit codes what
simscan and qmail-scanner do, which nobody packages.  Each refusal is in the answer to the
message."""
import os
import re
import smtplib
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import home                   # noqa: E402

VIRUS = b'X5-this-is-no-virus-but-a-test-signature-$$'
SPAM = b'buy-our-test-pills-now'
CLAMD = '''Foreground true
LocalSocket /run/clamd.test
DatabaseDirectory /var/lib/clamav-test
User root
SelfCheck 0
ConcurrentDatabaseReload no
'''
RULES_OF_SPAM = '''required_score 5
body TEST_PILLS /buy-our-test-pills-now/
describe TEST_PILLS a word that only tests use
score TEST_PILLS 10
'''
# What an administrator writes: each filter refuses, puts off, or lets pass.
NO_VIRUS = '''#!/bin/sh
clamdscan --config-file=/etc/clamd.test --no-summary --stream - >/dev/null 2>&1
case $? in
0) exit 0 ;;
1) printf 'DThe message has a virus (#5.6.0)' >&6; exit 82 ;;
*) exit 71 ;;
esac
'''
NO_SPAM = '''#!/bin/sh
spamc -x -c >/dev/null
case $? in
0) exit 0 ;;
1) printf 'DThis looks like spam to us' >&6; exit 82 ;;
*) exit 71 ;;
esac
'''
FILTERS = '#!/bin/sh\nexec %s/bin/qmail-qfilter /usr/local/bin/no-virus -- /usr/local/bin/no-spam\n'
# simscan: the message to its end, then the envelope; the reason on 4 without a line end; queues
# with a pipe on 0 and a file on 1; one line to the log, with its parent's number.
SIMSCAN = '''#!/usr/bin/perl
use strict;
binmode STDIN; local $/; my $message = <STDIN>;
open my $in, '<&=', 1 or exit 54; my $envelope = <$in>;
exit 54 if $envelope eq '';
exit 91 if $envelope !~ /\\0T/;
my ($subject) = $message =~ /^Subject: (.*)/m;
my ($from, @to) = map { substr $_, 1 } grep { length } split /\\0/, $envelope;
sub say_it { printf STDERR "simscan:[%%d]:%%s (0.00/0.00): 0.1s:%%s:%%s:%%s:%%s\\n",
    getppid, $_[0], $subject, $ENV{TCPREMOTEIP}, $from, join(',', @to) }
if ($message =~ /virus/) { say_it('VIRUS'); open my $why, '>&=', 4;
    syswrite $why, 'DYour mail has a virus'; exit 82 }
if ($message =~ /drop me/) { say_it('SPAM DROPPED'); exit 0 }
if ($message =~ /refuse me/) { say_it('SPAM REJECT'); exit 31 }
exit 71 if $message =~ /scanner down/;
say_it(exists $ENV{RELAYCLIENT} ? 'RELAYCLIENT' : 'CLEAN');
open my $file, '+>', undef; syswrite $file, $envelope; seek $file, 0, 0;
pipe my $r, my $w;
my $pid = fork;
if (!$pid) { open STDIN, '<&', $r; close $w; require POSIX; POSIX::dup2(fileno $file, 1);
    exec '%s/bin/qmail-queue'; exit 120 }
close $r;
print $w "Received: (simscan 1.4 ppid ", getppid, " pid $$ t 0.1s)\\n", $message; close $w;
waitpid $pid, 0; exit $? >> 8;
'''
# qmail-scanner: lines of its own at the top, the queue through pipes, 31 and 71.
SCANNER = '''#!/usr/bin/perl
use strict;
binmode STDIN; local $/; my $message = <STDIN>;
open my $in, '<&=', 1; my $envelope = <$in>;
exit 31 if $message =~ /virus/;
exit 71 if $message =~ /scanner down/;
pipe my $r, my $w; pipe my $er, my $ew;
my $pid = fork;
if (!$pid) { close $w; close $ew; require POSIX;
    POSIX::dup2(fileno $r, 0); POSIX::dup2(fileno $er, 1);
    exec '%s/bin/qmail-queue'; exit 120 }
close $r; close $er;
print $w "X-Qmail-Scanner-Mail-From: $ENV{TCPREMOTEIP}\\n", $message; close $w;
print $ew $envelope; close $ew;
waitpid $pid, 0; exit $? >> 8;
'''
RULES = '''127.0.0.2:allow,QMAILQUEUE="/usr/local/bin/filters"
127.0.0.3:allow,QMAILQUEUE="{home}/bin/qmail-queue",RBLSMTPD=""
127.0.0.4:allow,QMAILQUEUE="/usr/local/bin/simscan"
127.0.0.5:allow,QMAILQUEUE="/usr/local/bin/qmail-scanner"
127.0.0.6:allow,QMAILQUEUE="/usr/local/bin/not-there"
127.0.0.7:allow,QMAILQUEUE="/usr/local/bin/simscan",RELAYCLIENT=""
127.:allow
'''


def talk(host, address, body):
    """One message from this address; the answer to it."""
    client = host.smtp(source=address)
    try:
        client.ehlo('client')
        client.mail('ann@hosta.test')
        client.rcpt('joe@hosta.test')
        return client.data(b'Subject: test\r\nFrom: ann@hosta.test\r\n\r\n' + body + b'\r\n')
    finally:
        client.close()


def taken(host, address, body, name, line=None):
    code, text = talk(host, address, body)
    tap.ok(code == 250 and re.match(rb'ok \d+ qp \d+', text), name, (code, text))
    found = host.wait_mail('joe', 1)
    tap.ok(body in found[0] and (line is None or line in found[0]), '  it arrives', found)
    host.clear_mail('joe')


def refused(host, address, body, want, name):
    tap.equal(talk(host, address, body), want, name)
    host.sync()
    tap.equal(host.mail('joe'), [], '  nothing arrives')


def start_filters(host):
    host.write('/etc/clamd.test', CLAMD)
    host.sh('mkdir -p /var/lib/clamav-test /etc/spam-test')
    host.write('/var/lib/clamav-test/local.ndb', 'Local.Test:0:*:%s\n' % VIRUS.hex())
    host.write('/etc/spam-test/local.cf', RULES_OF_SPAM)
    host.write('/etc/spam-test/check.pre', 'loadplugin Mail::SpamAssassin::Plugin::Check\n')
    host.popen(['sh', '-c', 'exec clamd --config-file=/etc/clamd.test >/dev/null 2>&1'])
    host.popen(['sh', '-c', 'exec spamd -L -x -s null -m 1 --min-children=1 -p 783 '
                '-C /etc/spam-test --siteconfigpath=/etc/spam-test 2>/dev/null'])
    wait_for(lambda: host.listening(783), 'spamd', 120)
    wait_for(lambda: host.call(['clamdscan', '--config-file=/etc/clamd.test', '--ping', '1'])[0]
             == 0,
             'clamd', 120)


def debian(host):
    """SpamAssassin and ClamAV behind qmail-qfilter."""
    later = (451, b'mail server temporarily rejected message (#4.3.0)')
    refused(host, '127.0.0.2', b'early', later, 'no scanner runs: nobody is let through')
    start_filters(host)
    if not os.environ.get('SAN'):       # then there is no limit
        refused(host, '127.0.0.2', b'small', later, 'a scanner with too little memory')
    host.sh('sed -i "s/softlimit -m [0-9]*/softlimit -m 300000000/" %s/service/qmail-smtpd/run'
            % home())
    host.restart('qmail-smtpd')
    wait_for(lambda: host.listening(25), 'port 25')
    taken(host, '127.0.0.2', b'hello', 'a message that both let pass')
    refused(host, '127.0.0.2', VIRUS, (554, b'The message has a virus (#5.6.0)'), 'clamdscan')
    refused(host, '127.0.0.2', SPAM, (554, b'This looks like spam to us (#5.7.1)'), 'spamc')
    taken(host, '127.0.0.3', SPAM + VIRUS, 'a client that is not filtered')
    taken(host, '127.0.0.1', SPAM + VIRUS, 'and one without a rule of its own')


def simscan(host):
    taken(host, '127.0.0.4', b'hello', 'simscan', b'Received: (simscan 1.4 ppid ')
    line = host.wait_log(r'^simscan:\[\d+\]:CLEAN', service='qmail-smtpd')[-1]
    number = re.search(r'\[(\d+)\]', line).group(1)
    host.wait_log('^tcpserver: ok %s ' % number, service='qmail-smtpd')
    tap.ok(line.endswith(':test:127.0.0.4:ann@hosta.test:joe@hosta.test'), 'its line in the log',
           line)
    refused(host, '127.0.0.4', b'virus', (554, b'Your mail has a virus (#5.7.1)'), 'by its words')
    refused(host, '127.0.0.4', b'refuse me',
            (554, b'mail server permanently rejected message (#5.3.0)'), 'by exit 31')
    refused(host, '127.0.0.4', b'scanner down',
            (451, b'mail server temporarily rejected message (#4.3.0)'), 'by exit 71')
    code, _ = talk(host, '127.0.0.4', b'drop me')
    host.sync()
    tap.equal((code, host.mail('joe')), (250, []), 'what it drops is accepted and gone')
    taken(host, '127.0.0.7', b'hello', 'for a client that may relay')
    host.wait_log(r'^simscan:\[\d+\]:RELAYCLIENT', service='qmail-smtpd')


def scanner(host):
    taken(host, '127.0.0.5', b'hello', 'qmail-scanner', b'X-Qmail-Scanner-Mail-From: 127.0.0.5\n')
    refused(host, '127.0.0.5', b'virus',
            (554, b'mail server permanently rejected message (#5.3.0)'), 'its exit 31')
    refused(host, '127.0.0.5', b'scanner down',
            (451, b'mail server temporarily rejected message (#4.3.0)'), 'its exit 71')
    refused(host, '127.0.0.6', b'hello', (451, b'unable to exec qq (#4.3.0)'),
            'a filter that is not there lets nothing through')


def taps(host):
    host.control('taps', 'F:^ann@hosta\\.test$:ann@hosta.test\n')
    taken(host, '127.0.0.1', b'tapped', 'a message that is tapped')
    found = host.wait_mail('ann', 1)
    tap.ok(b'\ntapped\n' in found[0], '  its copy arrives, too', found)
    host.clear_mail()
    host.control('taps', 'nonsense\n')
    tap.equal(talk(host, '127.0.0.1', b'hello'),
              (451, b'qq unable to read configuration (#4.3.0)'), 'a malformed file')
    host.control('taps', None)
    host.sync()
    tap.equal(host.mail('joe'), [], '  nothing arrives')


def main():
    with hosts.single(stack=('filters',)) as host:
        host.start(('qmail-send', 'qmail-smtpd'))
        for name, text in (('no-virus', NO_VIRUS), ('no-spam', NO_SPAM),
                           ('filters', FILTERS % home()),
                           ('simscan', SIMSCAN % home()), ('qmail-scanner', SCANNER % home())):
            host.write('/usr/local/bin/' + name, text, mode=0o755)
        host.write('/etc/tcp.smtp', RULES.format(home=home()))
        host.sh('tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp')
        simscan(host)
        scanner(host)
        taps(host)
        debian(host)
        host.wait_empty()
        tap.equal(host.queue_faults(), '', 'the queue is in order')
    return tap.done()


sys.exit(main())
