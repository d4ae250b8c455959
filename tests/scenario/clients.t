#!/usr/bin/python3
"""clients.t - a mail host that judges its clients, and a host beside it: a Postfix that comes again
gets through, a source of spam that does not, or that is listed, does not; a client may not have all
connections; behind a balancer each client is who it is."""
import os
import smtplib
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import Trouble, home          # noqa: E402

GOOD, LISTED, DIALUP, BALANCER, FIRST = ('192.0.2.%d' % n for n in range(2, 7))
ZONE = hosts.ZONE + '''
txt-record=3.2.0.192.bl.test,"listed, see http://bl.test"
host-record=dsl-192-0-2-4.pool.test,192.0.2.4
'''
JUDGED = 'S25R="greylist",GREYLIST="2",CHKUSER_START="ALWAYS",CHKUSER_SENDER_MX_NOCHECK=""'
RULES = '''192.0.2.5:allow,PROXYPROTOCOL="",RELAYCLIENT=""
192.0.2.:allow,%s
192.0.3.:allow,%s
:allow
''' % (JUDGED, JUDGED)


def set_up(a, b):
    a.control('dnsbllist', '-bl.test\n')
    a.control('spfbehavior', '0\n')
    a.sh('install -d -o qmaild -g nofiles -m 700 %s/greylist' % home())
    for address in (LISTED, DIALUP, BALANCER, FIRST):
        b.sh('ip addr add %s/24 dev eth0' % address)
    a.start(('qmail-send', 'qmail-smtpd'))
    a.write('/etc/tcp.smtp', RULES)
    a.sh('tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp')
    old = a.pid_of('qmail-smtpd')
    a.sh('rm -r /run/qmail-climit')     # as a restart of the host does
    a.sh("sed -i 's,25 qmail-smtpd$,25 qmail-proxy -x /etc/tcp.smtp.cdb qmail-climit -s 3 "
         "qmail-smtpd,' "
         '%s/service/qmail-smtpd/run; grep -q climit /service/qmail-smtpd/run; svc -t '
         '/service/qmail-smtpd' % home())
    wait_for(lambda: a.pid_of('qmail-smtpd') not in (0, None, old) and a.listening(25),
             'the new chain')
    tap.equal(a.sh('stat -c "%U %G %a" /run/qmail-climit').split(), ['qmaild', 'nofiles', '700'],
              'where connections are counted is there after a restart')


def attempt(b, source, rcpt='joe@hosta.test', header=None):
    """One try from an address of b: the reply to RCPT."""
    client = b.smtp('192.0.2.1', source=source) if not header else Balanced(b, source, header)
    try:
        client.ehlo('client')
        client.mail('spam@spam.test')
        return client.rcpt(rcpt)
    finally:
        client.close()


class Balanced(smtplib.SMTP):
    """Through a balancer, which says something first."""

    def __init__(self, outer, source, header):
        self.outer, self.source, self.header = outer, source, header
        super().__init__('192.0.2.1', 25, local_hostname='client')

    def _get_socket(self, host_name, port_number, timeout):
        s = self.outer.connect(host_name, port_number, self.source)
        s.sendall(self.header)
        return s


def postfix(a, b):
    """It sends from the address with the name of a dial-up line, has to wait, and comes again."""
    b.sh('''for word in compatibility_level=3.6 inet_protocols=ipv4 \
            myhostname=hostb.test mydestination= \
            maillog_file=/var/log/postfix.log smtp_bind_address=%s inet_interfaces=127.0.0.1 \
            minimal_backoff_time=1s maximal_backoff_time=1s queue_run_delay=1s \
            smtp_tls_security_level=none; do postconf -e "$word"; done
            echo root: root >/etc/aliases; newaliases''' % DIALUP)
    b.popen(['postfix', 'start-fg'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    wait_for(lambda: b.listening(25), 'postfix')
    client = b.smtp()
    client.sendmail('ann@hostb.test', ['joe@hosta.test'], 'Subject: retried\r\n\r\nhello\r\n')
    client.quit()
    try:
        mail = a.wait_mail('joe', 1, timeout=120)
    except Trouble:
        tap.note(b.sh('tail -n 40 /var/log/postfix.log'))
        tap.note('\n'.join(a.log('qmail-smtpd')[-40:]))
        raise
    tap.ok(b'Subject: retried' in mail[0], 'a Postfix that comes again gets through')
    tap.ok(a.count_log(r'DENIED_GRAYLISTED from: ann@hostb.test to: joe@hosta.test origin_ip: '
                       + DIALUP,
                       'qmail-smtpd') >= 1, '  and had to wait before')
    client = b.smtp()
    client.sendmail('ann@hostb.test', ['joe@hosta.test'], 'Subject: known\r\n\r\nhello\r\n')
    client.quit()
    before = a.count_log('DENIED_GRAYLISTED from: ann@', 'qmail-smtpd')
    a.wait_mail('joe', 2, timeout=120)
    tap.equal(a.count_log('DENIED_GRAYLISTED from: ann@', 'qmail-smtpd'), before, '  once')
    a.clear_mail()


def spam(a, b):
    tap.equal(attempt(b, DIALUP), (450, b'greylisted, try again later (#4.7.1)'),
              'spam from a dial-up line')
    tap.equal(attempt(b, LISTED), (553, b'listed, see http://bl.test'),
              'spam from a listed address')
    a.wait_log('rbl: ip=%s query=3.2.0.192.bl.test result=reject' % LISTED, service='qmail-smtpd')
    tap.equal(attempt(b, GOOD), (250, b'ok'), 'a client with a good name has not to wait')
    tap.equal(attempt(b, GOOD, 'nonesuch@hosta.test'),
              (550, b'5.1.1 sorry, no mailbox here by that name (chkuser)'),
              'but there is no such recipient')
    a.wait_log(r'CHKUSER rejected rcpt: from <spam@spam.test::> remote <client:[a-z.]*:%s> '
               'rcpt <nonesuch@hosta.test> : not existing recipient' % GOOD, service='qmail-smtpd')
    a.sh('mkdir %s/whitelist; : >%s/whitelist/%s' % (home(), home(), LISTED))
    tap.equal(attempt(b, LISTED), (250, b'ok'), 'a listed address on the white list')
    a.sh('rm -r %s/whitelist' % home())
    tap.equal(a.mail('joe'), [], 'nothing of it has arrived')


def balancer(a, b):
    def line(ip):
        return b'PROXY TCP4 %s 192.0.2.1 5555 25\r\n' % ip.encode()
    tap.equal(attempt(b, BALANCER, header=line(LISTED))[0], 553,
              'a listed client through the balancer')
    tap.equal(attempt(b, BALANCER, header=line(GOOD))[0], 250, 'a good one through the balancer')
    tap.equal(attempt(b, BALANCER, 'x@far.test', header=line(GOOD))[0], 553, 'which may not relay')


def limit(a, b):
    held = [b.smtp('192.0.2.1', source=FIRST) for _ in range(3)]
    try:
        b.smtp('192.0.2.1', source=FIRST).close()
        tap.ok(False, 'a fourth connection')
    except smtplib.SMTPConnectError as error:
        tap.equal(error.args, (421, b'too many connections (#4.7.0)'), 'a fourth connection')
    a.wait_log(r'tcpserver: deny \d+ \S+ \S*:%s:\S* PERIP:3' % FIRST, service='qmail-smtpd')
    tap.equal(attempt(b, GOOD)[0], 250, 'others are served')
    for client in held:
        client.close()

    def served():
        try:
            b.smtp('192.0.2.1', source=FIRST).close()
            return True
        except smtplib.SMTPConnectError:
            return False
    wait_for(served, 'a place for the first again')
    tap.ok(True, 'and so is the first when it has closed them')


def main():
    with hosts.pair(stack=('postfix',), zone=ZONE) as (a, b):
        set_up(a, b)
        spam(a, b)
        postfix(a, b)
        balancer(a, b)
        limit(a, b)
        tap.equal(a.queue_faults(), '', 'the queue is in order')
    return tap.done()


sys.exit(main())
