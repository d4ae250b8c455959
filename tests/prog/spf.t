#!/usr/bin/python3
"""spf.t - SPF in qmail-smtpd, qmail-spf and spfquery, against a name server of ours; in a world."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
from dnsserver import Dns
from netserver import HOME, queued, set_up, tear_down
import tap

ZONE = {
    'pass.example TXT': ['v=spf1 ip4:192.0.2.7 -all'],
    'fail.example TXT': ['v=spf1 ip4:192.0.2.8 -all'],
    'soft.example TXT': ['v=spf1 ip4:192.0.2.8 ~all'],
    'neutral.example TXT': ['v=spf1 ip4:192.0.2.8'],
    'none.example A': ['192.0.2.7'],
    'error.example': 'SERVFAIL',
    'silent.example': 'SILENT',
    'bad.example TXT': ['v=spf1 nonsense:x -all'],
    'why.example TXT': ['v=spf1 exp=text.example -all'],
    'text.example TXT': ['%{i} may not send for %{d}'],
    'long.example TXT': ['v=spf1 exp=longtext.example -all'],
    'longtext.example TXT': ['x' * 1000],
    'evil.example TXT': ['v=spf1 exp=eviltext.example -all'],
    'eviltext.example TXT': ['550 ok\r\n250 ok'],
    'helo.example TXT': ['v=spf1 -all'],
    'mx.example.org TXT': ['v=spf1 mx:mail.example ptr:none.example -all'],
    'mail.example MX': ['10 none.example'],
    'six.example TXT': ['v=spf1 ip6:2001:db8::/32 -all'],
    'forward.example TXT': ['v=spf1 ip4:192.0.2.7 -all'],
    '7.2.0.192.in-addr.arpa PTR': ['none.example'],
    'xn--bcher-kva.example TXT': ['v=spf1 ip4:192.0.2.7 -all'],
}
WORDS = {'pass': 'pass', 'fail': 'fail', 'soft': 'softfail', 'neutral': 'neutral', 'none': 'none',
         'error': 'temperror', 'bad': 'permerror'}
RESULTS = {'pass': 'pass', 'fail': 'fail', 'soft': 'softfail', 'neutral': 'neutral', 'none': 'none',
           'error': 'error', 'bad': 'unknown'}
NEVER = 7
REFUSED_FROM = {'pass': NEVER, 'fail': 3, 'soft': 4, 'neutral': 5, 'none': 6, 'bad': 6}
KEEPER = netserver.QUEUE + '/keeper'
WHY = 'SPF fail - not authorized: sender=u%%40%s ip=192.0.2.7'


def talk(*lines, **options):
    """One batch; the replies behind the greeting, before QUIT's."""
    log = tempfile.TemporaryFile()
    server = netserver.Server('qmail-smtpd', err=log, **options)
    reply, _ = netserver.exchange(server, ''.join(line + '\r\n' for line in lines + ('QUIT',)))
    log.seek(0)
    talk.log = log.read().decode('latin-1')
    return reply.split('\r\n')[1:-2]


def level(number, **more):
    return {'control': {'spfbehavior': '%s\n' % number, **more}}


def mail(domain, *more):
    return ('MAIL FROM:<%s>' % (domain and 'u@' + domain), 'RCPT TO:<r@ok.example>') + more


def header():
    """The Received-SPF line of the one message that was queued; '' without."""
    (message, _), = queued()
    lines = message.decode('latin-1').split('\n')
    found = [line for line in lines if line.startswith('Received-SPF:')]
    if found:
        tap.ok(lines[0].startswith('Received: from ') and lines[2] == found[0],
               'it follows our Received', lines[:4])
    return found[0] if len(found) == 1 else ''


def test_levels():
    """The table: every level, every result."""
    for number in range(0, 8):
        for name, word in WORDS.items():
            domain = name + '.example'
            got = talk(*mail(domain), **level(number))
            if number == 0 or name == 'error' and number < 2:
                want = ['250 ok', '250 ok']
            elif name == 'error':
                want = ['451 SPF lookup failure (#4.3.0)', '503 MAIL first (#5.5.1)']
            elif min(number, 6) >= REFUSED_FROM[name]:
                want = ['250 ok', '550 %s (#5.7.1)' % (WHY % domain)]
            else:
                want = ['250 ok', '250 ok']
            tap.equal(got, want, 'level %d, %s' % (number, word))


def test_header():
    data = ('DATA', 'Subject: x', '', 'body', '.')
    for name, word in WORDS.items():
        if name in ('error', 'bad', 'none'):
            continue
        talk(*mail(name + '.example', *data), **level(1))
        tap.ok(header().startswith('Received-SPF: %s (mx.example: ' % word), word, header())
    talk(*mail('fail.example', *data), **level(1))
    tap.equal(header(), 'Received-SPF: fail (mx.example: SPF record at fail.example does not '
              'designate 192.0.2.7 as permitted sender) client-ip=192.0.2.7; '
              'envelope-from="u@fail.example";', 'the whole line')
    talk(*mail('fail.example', *data), **level(0))
    tap.equal(header(), '', 'none at level 0')
    size = len(queued()[0][0])
    got = talk(*mail('fail.example', *data), **level(1, databytes='40\n'))
    tap.equal(got[-1][:4], '552 ', 'its bytes count as the message\'s')
    got = talk(*mail('fail.example', *data), **level(0, databytes='40\n'))
    tap.equal(got[-1][:4], '250 ', 'without it there is room')
    tap.ok(size < 1000, 'sizes make sense')


def test_switches():
    """Where the level comes from, and who is not checked."""
    refused = ['250 ok', '550 %s (#5.7.1)' % (WHY % 'fail.example')]
    taken = ['250 ok', '250 ok']
    script = mail('fail.example')
    rows = [
        ('no file', {}, {}, taken), ('file', {'spfbehavior': '3\n'}, {}, refused),
        ('file without a digit', {'spfbehavior': 'yes\n'}, {}, taken),
        ('file of nines', {'spfbehavior': '9' * 30 + '\n'}, {}, refused),
        ('SPFBEHAVIOR', {}, {'SPFBEHAVIOR': '3'}, refused),
        ('SPFBEHAVIOR=0 wins over the file', {'spfbehavior': '3\n'}, {'SPFBEHAVIOR': '0'}, taken),
        ('an empty one is 0', {'spfbehavior': '3\n'}, {'SPFBEHAVIOR': ''}, taken),
        ('so is nonsense', {'spfbehavior': '3\n'}, {'SPFBEHAVIOR': 'x'}, taken),
        ('SPF', {}, {'SPF': '3'}, refused),
        ('SPFBEHAVIOR wins over SPF', {}, {'SPFBEHAVIOR': '0', 'SPF': '3'}, taken),
        ('RELAYCLIENT', {'spfbehavior': '6\n'}, {'RELAYCLIENT': ''}, taken),
        ('PROTO=TCP6', {}, {'SPFBEHAVIOR': '3', 'PROTO': 'TCP6', 'TCPREMOTEIP': None,
                            'TCP6REMOTEIP': '192.0.2.7'}, refused),
    ]
    for what, control, env, want in rows:
        tap.equal(talk(*script, control=control, env=env), want, what)
    for name in ('spfbehavior', 'spfrules', 'spfguess', 'spfexp'):
        control = {'spfbehavior': '1\n', name: True}
        got = netserver.exchange(netserver.Server('qmail-smtpd', control=control),
                                 'MAIL FROM:<u@pass.example>\r\n')
        tap.equal((got[0].split('\r\n')[1:], got[1]),
                  (['421 unable to read controls (#4.3.0)', ''], 1), name + ' is a directory')
    for name, text in (('spfrules', 'ip4:nonsense'), ('spfguess', 'foo'), ('spfexp', '100%')):
        got = talk('MAIL FROM:<u@pass.example>', **level(1, **{name: text + '\n'}))
        tap.ok('malformed' in talk.log and 'control/' + name in talk.log,
               'a malformed %s is in the log' % name, talk.log)


def test_policy():
    both = ('spfrules', 'spflocalrules'), ('spfexp', 'spfexplain')
    for name in both[0]:
        tap.equal(talk(*mail('fail.example'), **level(3, **{name: 'include:forward.example\n'})),
                  ['250 ok', '250 ok'], name)
    tap.equal(talk(*mail('fail.example'), **level(3, spfrules='v=spf1 ip4:192.0.2.9\n')),
              ['250 ok', '550 %s (#5.7.1)' % (WHY % 'fail.example')], 'rules that do not match')
    tap.equal(talk(*mail('none.example'), **level(3, spfguess='v=spf1 a -all\n')),
              ['250 ok', '250 ok'], 'spfguess')
    tap.equal(talk(*mail('fail.example'), **level(3, spfguess='+all\n')),
              ['250 ok', '550 %s (#5.7.1)' % (WHY % 'fail.example')], 'only without a record')
    for name in both[1]:
        tap.equal(talk(*mail('fail.example'), **level(3, **{name: 'see %{xR} about %{S}\n'})),
                  ['250 ok', '550 see mx.example about u%40fail.example (#5.7.1)'], name)
    tap.equal(talk(*mail('why.example'), **level(3, spfexp='see us\n')),
              ['250 ok', '550 192.0.2.7 may not send for why.example (#5.7.1)'], 'exp')
    tap.equal(talk(*mail('long.example'), **level(3)),
              ['250 ok', '550-' + 'x' * 450, '550-' + 'x' * 450, '550 %s (#5.7.1)' % ('x' * 100)],
              'a long one comes in lines')
    tap.equal(talk(*mail('evil.example'), **level(3)),
              ['250 ok', '550 %s (#5.7.1)' % (WHY % 'evil.example')],
              'one with line ends is not used')


def test_identities():
    tap.equal(talk('HELO helo.example', *mail('pass.example'), **level(3))[1:],
              ['250 ok', '550 SPF fail - not authorized: sender=postmaster%40helo.example '
               'ip=192.0.2.7 (#5.7.1)'], 'HELO fails')
    tap.equal(talk('HELO pass.example', *mail(''), **level(6))[1:], ['250 ok', '250 ok'],
              'bounce, HELO passes')
    tap.equal(talk('EHLO fail.example', *mail(''), **level(3))[-1][:4], '550 ',
              'bounce, HELO fails')
    tap.equal(talk(*mail('mx.example.org'), **level(6)), ['250 ok', '250 ok'], 'mx and ptr')
    for ip, want in (('2001:db8::7', '250 '), ('2001:db9::7', '550 '), ('unknown', '550 ')):
        got = talk(*mail('six.example'), env={'TCPREMOTEIP': ip}, **level(6))
        tap.equal(got[-1][:4], want, ip)
    got = talk(*mail('fail.example'), env={'TCPREMOTEIP': '127.0.0.1'}, **level(6))
    tap.equal(got, ['250 ok', '250 ok'], 'our own address')


def test_foreign_names():
    """Domains beyond US-ASCII have their records at their A-labels."""
    for ip, want in (('192.0.2.7', '250 ok'), ('192.0.2.9', '550 ')):
        got = talk('EHLO h', 'MAIL FROM:<u@B\xfcCHER.example> SMTPUTF8'.encode().decode('latin-1'),
                   'RCPT TO:<r@ok.example>', env={'TCPREMOTEIP': ip, 'SMTPUTF8': '1'}, **level(3))
        tap.equal(got[-2:][0], '250 ok', 'a foreign sender')
        tap.equal(got[-1][:len(want)], want, 'a foreign sender from ' + ip)
    tap.equal(spfquery('192.0.2.9', 'h', 'u@b\xfccher.example')[1].split('\n')[0],
              'result=fail: SPF fail - not authorized: sender=u%40xn--bcher-kva.example '
              'ip=192.0.2.9',
              'spfquery')


def test_transactions():
    """Each MAIL has its own result; nothing is left of the one before."""
    refused = '550 %s (#5.7.1)' % (WHY % 'fail.example')
    got = talk(*mail('fail.example'), *mail('pass.example'), *mail('fail.example'), 'RSET',
               'RCPT TO:<r@ok.example>', *mail('error.example'), *mail('pass.example'), **level(3))
    tap.equal(got, ['250 ok', refused, '250 ok', '250 ok', '250 ok', refused, '250 ok',
                    '503 MAIL first (#5.5.1)', '451 SPF lookup failure (#4.3.0)',
                    '503 MAIL first (#5.5.1)', '250 ok', '250 ok'], 'six in one session')
    got = talk('MAIL FROM:<u@fail.example>', 'RCPT TO:<r@elsewhere.example>', **level(3))
    tap.ok('rcpthosts' in got[1], 'relaying is refused before SPF', got)
    data = ('DATA', '', '.')
    for name, word in RESULTS.items():
        env = {'QMAILQUEUE': KEEPER, 'SPF_LOG': '1', 'SPFRESULT': 'forged'}
        talk(*mail(name + '.example', *data), env=env, **level(1))
        with open(netserver.QUEUE + '/out/result') as file:
            tap.equal(file.read(), word + '\n', 'SPFRESULT=' + word)
        tap.ok(re.fullmatch(r'qmail-smtpd\[\d+\]: Received-SPF: %s .*\n' % WORDS[name], talk.log),
               'SPF_LOG: ' + word, talk.log)
    talk(*mail('fail.example', *data), env={'QMAILQUEUE': KEEPER}, **level(0))
    with open(netserver.QUEUE + '/out/result') as file:
        tap.equal(file.read(), 'unset\n', 'SPFRESULT is not set when SPF is off')
    tap.equal(talk.log, '', 'and nothing is logged')


def test_log():
    """A refusal is logged as that of any other check."""
    for domain, want in (('fail', '550 SPF fail - not authorized: sender=u%40fail.example'),
                         ('error', '451 SPF lookup failure (#4.3.0)'), ('pass', None)):
        talk(*mail(domain + '.example'), env={'QMAILSMTPD_LOG': 'refusal'}, **level(3))
        tap.ok('spf' in talk.log and want in talk.log if want else talk.log == '',
               'refusal logged: ' + domain, talk.log)


def test_silence():
    env = {'RES_OPTIONS': 'timeout:1 attempts:1'}
    tap.equal(talk(*mail('silent.example'), env=env, **level(2))[0],
              '451 SPF lookup failure (#4.3.0)', 'a name server that does not answer')


def test_helper():
    """Not there, dead, or talking nonsense: as if name servers did not answer."""
    path = HOME + '/bin/qmail-spf'
    os.rename(path, path + '.away')
    for what, script in (('missing', None), ('dies', 'exit 1'), ('silent end', 'cat >/dev/null'),
                         ('nonsense', 'yes')):
        if script:
            with open(path, 'w') as file:
                file.write('#!/bin/sh\n%s\n' % script)
            os.chmod(path, 0o755)
        if what != 'silent end':
            tap.equal(talk(*mail('pass.example'), **level(2))[0],
                      '451 SPF lookup failure (#4.3.0)', what)
            tap.equal(talk.log, 'qmail-smtpd: no answer from qmail-spf\n', what + ': log')
            tap.equal(talk(*mail('pass.example'), **level(1)), ['250 ok', '250 ok'],
                      what + ', level 1')
    os.rename(path + '.away', path)


def spfquery(*args):
    done = subprocess.run([HOME + '/bin/spfquery', *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, user='joe', timeout=30)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_spfquery():
    netserver.controls({})
    code, out, _ = spfquery('192.0.2.7', 'h', 'u@pass.example')
    tap.equal((code, out.split('\n')[0]), (0, 'result=pass'), 'pass')
    tap.equal(out.split('\n')[1], 'Received-SPF: pass (mx.example: SPF record at pass.example '
              'designates 192.0.2.7 as permitted sender) client-ip=192.0.2.7; '
              'envelope-from="u@pass.example";', 'its header')
    for name, word in RESULTS.items():
        code, out, _ = spfquery('192.0.2.7', 'h', 'u@%s.example' % name)
        tap.equal((code, out.split('\n')[0].split(':')[0]), (0, 'result=' + word), word)
    tap.equal(spfquery('192.0.2.7', 'h', 'u@why.example')[1].split('\n')[0],
              'result=fail: 192.0.2.7 may not send for why.example', 'explanation')
    tap.equal(spfquery('192.0.2.7', 'h', 'u@fail.example', 'ip4:192.0.2.7')[1][:11], 'result=pass',
              'rules')
    tap.equal(spfquery('192.0.2.7', 'h', 'u@none.example', '', '-all')[1][:11], 'result=fail',
              'guess')
    tap.equal(spfquery('192.0.2.7', 'h', 'u@none.example', '', '-all', 'no %{i}')[1].split('\n')[0],
              'result=fail: no 192.0.2.7', 'explanation of ours')
    usage = 'usage: spfquery ip helo sender [rules [guess [explanation]]]\n'
    for args, err in (((), usage), (('1.2.3.4', 'h'), usage), (('1.2.3.4',) * 7, usage),
                      (('x', 'h', ''), 'spfquery: not an IP address: x\n'),
                      (('1.2.3.4', 'h', '', 'foo'), 'spfquery: malformed: rules\n'),
                      (('1.2.3.4', 'h', '', '', 'foo'), 'spfquery: malformed: guess\n'),
                      (('1.2.3.4', 'h', '', '', '', '%'), 'spfquery: malformed: explain\n')):
        tap.equal(spfquery(*args), (100, '', err), 'exit 100: ' + ' '.join(args))


def test_cost(dns):
    """Off: no question, no process.  On: one helper for the session, one question for a sender."""
    del dns.asked[:]
    talk(*mail('pass.example'))
    tap.equal(dns.asked, [], 'off: nothing is asked')
    talk(*mail('pass.example'), *mail('fail.example'), **level(1))
    tap.equal(dns.asked, ['pass.example TXT', 'fail.example TXT'], 'one question for each')
    trace = netserver.QUEUE + '/trace'
    server = netserver.Server('qmail-smtpd', before=('strace', '-f', '-o', trace, '-e', 'execve'),
                              **level(1))
    netserver.exchange(server, '\r\n'.join(mail('pass.example') * 3) + '\r\nQUIT\r\n')
    with open(trace) as file:
        started = re.findall(r'execve\("([^"]*)".* = 0', file.read())
    tap.equal([name for name in started if 'spf' in name], ['bin/qmail-spf'],
              'one process for a session')


def main():
    set_up()
    with open(KEEPER, 'w') as file:
        file.write('#!/bin/sh\ncat >/dev/null; cat <&1 >/dev/null\n'
                   'echo "${SPFRESULT-unset}" >%s/out/result\n' % netserver.QUEUE)
    os.chmod(KEEPER, 0o755)
    os.chmod(netserver.QUEUE, 0o777)
    dns = Dns(ZONE)
    test_levels()
    test_header()
    test_switches()
    test_policy()
    test_identities()
    test_foreign_names()
    test_transactions()
    test_log()
    test_silence()
    test_helper()
    test_spfquery()
    test_cost(dns)
    dns.stop()
    tear_down()
    return tap.done()


sys.exit(main())
