#!/usr/bin/python3
"""What each check of qmail-smtpd that asks name servers makes of every kind of answer: there is
one, there is none, there is trouble.  The manuals say for each what trouble means."""
import os
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from dnsserver import Dns
import netserver
from netserver import QUEUE, set_up, tear_down
import tap

MANY = 200                              # records: more than fit into a packet
KINDS = {  # kind: what it means, and what the name server says to all types; None: the records
    'record': ('yes', None), 'truncated': ('yes', MANY), 'no-edns': ('yes', 'NO-EDNS'),
    'nxdomain': ('no', 'NXDOMAIN'), 'no-data': ('no', []), 'alias-loop': ('no', 'loop'),
    'servfail': ('trouble', 'SERVFAIL'), 'refused': ('trouble', 'REFUSED'),
    'formerr': ('trouble', 'FORMERR'), 'notimp': ('trouble', 'NOTIMP'),
    'silent': ('trouble', 'SILENT'), 'hold': ('trouble', 'HOLD'), 'garbage': ('trouble', 'NOISE'),
}
NET = '198.51.100.'
IP = {kind: NET + str(number) for number, kind in enumerate(KINDS, 1)}


def domain(kind):
    return kind + '.test'


def listed(kind):
    return '.'.join(reversed(IP[kind].split('.'))) + '.' + domain(kind)


def records(kind):
    """name and type -> the records there are where there are some."""
    name, ip = domain(kind), IP[kind]
    return {name + ' MX': ['10 mx.test'], name + ' A': [ip], name + ' TXT': ['v=spf1 -all'],
            listed(kind) + ' A': ['127.0.0.2'], listed(kind) + ' TXT': ['listed'],
            '.'.join(reversed(ip.split('.'))) + '.in-addr.arpa PTR': ['dsl-1-2.example']}


def zone():
    found = {'mx.test A': ['192.0.2.1']}
    for kind, (_, says) in KINDS.items():
        for key, values in records(kind).items():
            name = key.split(' ')[0]
            if says is None:
                found[key] = values
            elif says == MANY:          # of a TXT record, another one that is none of SPF's
                more = ['x' * 200] * 7 if key.endswith('TXT') else values * MANY
                found[key] = values + more
            elif says == 'NO-EDNS':
                found[key] = [says] + values
            elif says == 'loop':
                found[key] = ['CNAME ' + name]
            elif says == []:
                found[name + ' NONE'] = []
            else:
                found[name] = says
    return found


MAIL, RCPT = 'MAIL FROM:<a@b.example>', 'RCPT TO:<u@ok.example>'
ANY_SENDER = {'CHKUSER_START': 'ALWAYS', 'CHKUSER_SENDER_MX_NOCHECK': ''}
SWITCHES = [  # name, variables, commands, and how the last reply to them begins: yes, no, trouble
    ('MFCHECK', {'MFCHECK': '1'}, ['MAIL FROM:<a@%(domain)s>'], '250', '553',
     '451 DNS temporary failure'),
    ('MFDNSCHECK', {'MFDNSCHECK': ''}, ['MAIL FROM:<a@%(domain)s>'], '250', '553',
     '451 DNS temporary failure'),
    ('HELO_DNS_CHECK=A', {'HELO_DNS_CHECK': 'A'}, ['HELO %(domain)s'], '250',
     '553 sorry, your HELO has no', '250'),
    ('HELO_DNS_CHECK=B', {'HELO_DNS_CHECK': 'B'}, ['HELO %(domain)s'], '250',
     '553 sorry, your HELO has another', '250'),
    ('HELO_DNS_CHECK=N', {'HELO_DNS_CHECK': 'N'}, ['HELO %(domain)s'], '250', '250', '250'),
    ('dnsbllist', {'DNSBLLIST': '%(lists)s/text'}, [MAIL, RCPT], '553 listed', '250', '250'),
    ('dnsbllist, a text', {'DNSBLLIST': '%(lists)s/address'}, [MAIL, RCPT], '553 go away', '250',
     '250'),
    ('dnsblfailclosed', {'DNSBLLIST': '%(lists)s/text', 'DNSBLFAILCLOSED': '1'}, [MAIL, RCPT],
     '553 listed', '250',
     '421 temporary RBL lookup error'),
    ('S25R', {'S25R': '', 'TCPREMOTEHOST': None}, [MAIL, RCPT], '450 your name is',
     '450 your address has no name', '250'),
    ('SPFBEHAVIOR=1', {'SPFBEHAVIOR': '1'}, ['MAIL FROM:<a@%(domain)s>'], '250', '250', '250'),
    ('SPFBEHAVIOR=2', {'SPFBEHAVIOR': '2'}, ['MAIL FROM:<a@%(domain)s>'], '250', '250',
     '451 SPF lookup failure'),
    ('SPFBEHAVIOR=3', {'SPFBEHAVIOR': '3'}, ['MAIL FROM:<a@%(domain)s>', RCPT], '550', '250',
     '503'),
    ('SPFBEHAVIOR=6', {'SPFBEHAVIOR': '6'}, ['MAIL FROM:<a@%(domain)s>', RCPT], '550', '550',
     '503'),
    ('chkuser, sender', {'CHKUSER_START': 'ALWAYS'}, ['MAIL FROM:<a@%(domain)s>'], '250',
     '550 5.1.8', '451 4.4.0'),
    ('chkuser, recipient', {**ANY_SENDER, 'RELAYCLIENT': '', 'CHKUSER_DISABLE_VARIABLE': ''},
     [MAIL, 'RCPT TO:<u@%(domain)s>'], '250', '550 5.1.2', '451 4.4.0'),
]


def start(kind, env):
    """A server that has read its control files; the next one replaces them."""
    words = {'domain': domain(kind), 'lists': '%s/%s' % (QUEUE, kind)}
    env = {name: value % words if value else value for name, value in env.items()}
    log = tempfile.TemporaryFile()
    server = netserver.Server('qmail-smtpd', err=log, env={
        'TCPREMOTEIP': IP[kind], 'RES_OPTIONS': 'timeout:1 attempts:1', **env})
    server.until(rb'\n')
    server.log = log
    return server


def main():
    set_up()
    for kind in KINDS:
        os.mkdir('%s/%s' % (QUEUE, kind))
        for name, line in (('text', '-' + domain(kind)), ('address', domain(kind) + ':-go away')):
            with open('%s/%s/%s' % (QUEUE, kind, name), 'w') as file:
                file.write(line + '\n')
    names = Dns(zone())
    replies, threads = {}, []

    def ask(key, server, script):
        reply, _ = netserver.exchange(server, script)
        server.log.seek(0)
        replies[key] = reply.split('\r\n')[-2:-1] or [''], server.log.read().decode('latin-1')

    for name, env, commands, *_ in SWITCHES:
        for kind in KINDS:
            script = ''.join(line % {'domain': domain(kind)} + '\r\n' for line in commands)
            threads.append(threading.Thread(target=ask,
                                            args=((name, kind), start(kind, env), script)))
            threads[-1].start()
    for thread in threads:
        thread.join()
    for name, _, _, *wanted in SWITCHES:
        for kind, (meaning, _) in KINDS.items():
            (reply,), log = replies[name, kind]
            want = wanted[('yes', 'no', 'trouble').index(meaning)]
            tap.ok(reply.startswith(want), '%s: %s' % (name, kind), (reply, want, log))
            if name.startswith('dnsbl') and meaning == 'trouble':
                tap.ok('result=dnserr' in log, '  in the log', log)
    tap.ok(names.tcp_asked > 0, 'truncated answers were asked for again by TCP')
    names.stop()
    tear_down()
    return tap.done()


sys.exit(main())
