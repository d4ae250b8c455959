#!/usr/bin/python3
"""spf.t - a host with SPF, as its administrator sets it up: by control file, by client in the rules
of tcpserver, with the name server of the world.  What arrives and what does not is looked at in
mailbox and log."""
import os
import smtplib
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from tree import home                   # noqa: E402

# Two senders' domains; 127.0.0.0/8 is the client, the host's own address 127.0.0.1 always passes.
ZONE = hosts.ZONE + '''
txt-record=good.example,"v=spf1 ip4:127.0.0.2 -all"
txt-record=bad.example,"v=spf1 ip4:203.0.113.0/24 -all"
txt-record=told.example,"v=spf1 exp=why.example -all"
txt-record=why.example,"%{i} is not one of ours"
txt-record=chain.example,"v=spf1 include:good.example include:bad.example ?all"
txt-record=two.example,"v=spf1 ip4:127.0.0.2"," -all"
'''
RULES = ('127.0.0.3:allow,SPFBEHAVIOR="0"\n127.0.0.4:allow,RELAYCLIENT=""\n'
         '127.:allow\n')


def talk(host, address, sender, body=b'Subject: x\r\n\r\nhello\r\n'):
    """Sends one message from this address of the host; the replies of MAIL, RCPT and DATA."""
    client = host.smtp(source=address)
    replies = []
    try:
        client.ehlo('client')
        replies.append(client.mail(sender))
        replies.append(client.rcpt('joe@hosta.test'))
        if replies[-1][0] == 250:
            replies.append(client.data(body))
        client.quit()
    except smtplib.SMTPServerDisconnected:
        replies.append((0, b'gone'))
    return replies


def arrives(host, address, sender, field, name):
    replies = talk(host, address, sender)
    tap.equal([reply[0] for reply in replies], [250, 250, 250], name)
    text = host.wait_mail('joe', 1)[0].decode()
    fields = [line for line in text.split('\n\n')[0].split('\n') if line.startswith('Received-SPF')]
    tap.equal([line.split(' (')[0] for line in fields], ['Received-SPF: ' + field] if field else [],
              '  its field')
    host.clear_mail()


def refused(host, address, sender, reply, name):
    replies = talk(host, address, sender)
    tap.equal((replies[0][0], replies[-1]), (250, (550, reply)), name)
    tap.equal(host.mail('joe'), [], '  nothing arrives')


def main():
    with hosts.single(zone=ZONE) as host:
        host.start(('qmail-send', 'qmail-smtpd'))
        host.write('/etc/tcp.smtp', RULES)
        host.sh('tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp')
        arrives(host, '127.0.0.2', 'ann@bad.example', None, 'SPF is off at first')
        host.control('spfbehavior', '3\n')
        arrives(host, '127.0.0.2', 'ann@good.example', 'pass', 'a host that may send')
        arrives(host, '127.0.0.2', 'ann@chain.example', 'pass', 'by an include')
        arrives(host, '127.0.0.2', 'ann@two.example', 'pass', 'a record of two strings')
        arrives(host, '127.0.0.5', 'ann@chain.example', 'neutral', 'a host that nothing is said of')
        arrives(host, '127.0.0.2', 'ann@hosta.test', 'none', 'a domain without record')
        refused(host, '127.0.0.2', 'ann@bad.example', b'SPF fail - not authorized: '
                b'sender=ann%40bad.example ip=127.0.0.2 (#5.7.1)', 'a host that may not')
        refused(host, '127.0.0.2', 'ann@told.example', b'127.0.0.2 is not one of ours (#5.7.1)',
                'by the words of the domain')
        arrives(host, '127.0.0.3', 'ann@bad.example', None, 'SPFBEHAVIOR="0" in the rules')
        arrives(host, '127.0.0.4', 'ann@bad.example', None, 'a client that may relay')
        arrives(host, '127.0.0.1', 'ann@bad.example', 'pass', 'the host itself')
        host.control('spfrules', 'ip4:127.0.0.2\n')
        arrives(host, '127.0.0.2', 'ann@bad.example', 'pass', 'a forwarder in spfrules')
        out = host.sh('setuidgid joe %s/bin/spfquery 127.0.0.5 client ann@told.example' % home())
        tap.equal(out.split('\n')[0], 'result=fail: 127.0.0.5 is not one of ours', 'spfquery')
        host.control('spfrules', 'nonsense:\n')
        replies = talk(host, '127.0.0.2', 'ann@good.example')
        tap.equal(replies[0], (421, b'unable to read controls (#4.3.0)'), 'malformed spfrules')
        host.wait_log('qmail-spf: control/spfrules: malformed', service='qmail-smtpd')
        tap.equal(host.queue_faults(), '', 'the queue is in order')
    return tap.done()


sys.exit(main())
