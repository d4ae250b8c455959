#!/usr/bin/python3
"""Policies of qmail-smtpd as a black box: plug-ins, lists of recipients,
domains of senders; what switched off costs, what the log may be made to say."""
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'), 'tests/prog']
import netserver
from dnsserver import Dns
from netserver import QUEUE, queued, set_up, tear_down
import tap

OPEN = {'rcpthosts': 'ok.example\na.b\n'}
START = 'HELO x\r\nMAIL FROM:<a@b.example>\r\n'
DATA = 'DATA\r\nx\r\n.\r\n'


def talk(script, env=None, control=None, **options):
    """Sends it all at once.  Returns the lines after the greeting, and the log."""
    with tempfile.TemporaryFile() as err:
        server = netserver.Server('qmail-smtpd', env=env, control=control, err=err, **options)
        reply, _ = netserver.exchange(server, script)
        err.seek(0)
        return reply.split('\r\n')[1:-1], err.read().decode('latin-1')


def program(name, text):
    """Writes a shell script; its path."""
    path = '%s/%s' % (QUEUE, name)
    with open(path, 'w') as file:
        file.write('#!/bin/sh\n%s\n' % text)
    os.chmod(path, 0o755)
    return path


# ---- plug-ins ----

def spp(text, script, env=None, **options):
    lines, log = talk(script, {'ENABLE_SPP': '1', **(env or {})}, {**OPEN, 'smtpplugins': text}, **options)
    return lines, log


RCPT = START + 'RCPT TO:<u@ok.example>\r\n'
VERBS = [  # the list, the script, the replies
    ('[connection]\n:echo "R421 not now"', 'HELO x\r\n', None),
    ('[helo]\n:echo E550 $SMTPHELOHOST', 'HELO x\r\nNOOP\r\n', ['550 x', '250 ok']),
    ('[helo]\n:echo Cy', 'HELO x\r\nMAIL FROM:<>\r\n', ['250 mx.example', '250 ok']),
    ('[mail]\n:echo E553 $SMTPMAILFROM', START + 'NOOP\r\n', ['250 mx.example', '553 a@b.example', '250 ok']),
    ('[mail]\n:echo D', START + 'NOOP\r\n', ['250 mx.example']),
    ('[mail]\n:echo R421 bye', START + 'NOOP\r\n', ['250 mx.example', '421 bye']),
    ('[mail]\n:echo P250-more', START, ['250 mx.example', '250-more', '250 ok']),
    ('[mail]\n:echo N\n:echo E550 second', START, ['250 mx.example', '250 ok']),
    ('[mail]\n:echo x\n:echo E550 second', START, ['250 mx.example', '550 second']),
    ('[mail]\n:echo A\n[rcpt]\n:echo E550 no', RCPT, ['250 mx.example', '250 ok', '250 ok']),
    ('[mail]\n:echo LR450 later', RCPT + 'RCPT TO:<u@ok.example>\r\n',
     ['250 mx.example', '250 ok', '450 later', '250 ok']),
    ('[mail]\n:echo LD451 data later', RCPT + 'DATA\r\n', ['250 mx.example', '250 ok', '250 ok', '451 data later']),
    ('[mail]\n:echo LM550 next', START + 'MAIL FROM:<>\r\n', ['250 mx.example', '250 ok', '550 next']),
    ('[rcpt]\n:echo O', START + 'RCPT TO:<u@no.example>\r\n', ['250 mx.example', '250 ok', '250 ok']),
    ('[rcpt]\n:echo SRELAYCLIENT=', START + 'RCPT TO:<u@no.example>\r\n', ['250 mx.example', '250 ok', '250 ok']),
    ('[rcpt]\n:echo E55$SMTPRCPTHOSTSOK $SMTPRCPTCOUNT $SMTPRCPTCOUNTALL $SMTPRCPTTO',
     START + 'RCPT TO:<u@no.example>\r\nRCPT TO:<u@ok.example>\r\n',
     ['250 mx.example', '250 ok', '550 0 1 u@no.example', '551 0 2 u@ok.example']),
    ('[pass]\n:echo E550 passed', START + 'RCPT TO:<u@no.example>\r\nRCPT TO:<u@ok.example>\r\n',
     ['250 mx.example', '250 ok', '553', '550 passed']),
    ('[data]\n:echo E554 no data', RCPT + 'DATA\r\n', ['250 mx.example', '250 ok', '250 ok', '554 no data']),
    ('[mail]\n/nonesuch', START, ['250 mx.example', "451 qmail-spp failure: /nonesuch: can't execute (#4.3.0)"]),
    ('[mail]\n:kill -9 $$', START, ['250 mx.example', '451 qmail-spp failure: :kill -9 $$: child crashed (#4.3.0)']),
    ('[mail]\n:exit 120', START, ['250 mx.example', "451 qmail-spp failure: :exit 120: can't execute (#4.3.0)"]),
    ('[mail]\n:exit 1', START, ['250 mx.example', '250 ok']),
    ('[mail]\n:printf "E550 a\\001b\\r\\n250 c\\n"', START, ['250 mx.example', '550 a?b']),
    ('[mail]\n:yes E550 no | head -c 1000000', START, ['250 mx.example', '550 no']),
    ('[mail]\n:sleep 100 & echo E550 left', START, ['250 mx.example', '550 left']),
    ('# none\n\n', START, ['250 mx.example', '250 ok']),
]


def test_plugins():
    for text, script, want in VERBS:
        begun = time.monotonic()
        lines, _ = spp(text, script)
        if want is None:
            tap.equal(lines, [], text.replace('\n', ' '))      # its words are in the place of the greeting
        else:
            tap.equal([got[:len(one)] for got, one in zip(lines, want)] if len(lines) == len(want) else lines,
                      want, text.replace('\n', ' '))
        tap.ok(time.monotonic() - begun < 30, 'in time')
    lines, _ = spp('[mail]\n:echo HX-A: 1; echo "HX-B: a\rb"; echo Hnone; echo "HX C: 1"\n[helo]\n:echo HX-D: 1',
                   RCPT + DATA)
    message = queued()[0][0]
    tap.equal(message.split(b'\n')[2:6], [b'X-D: 1', b'X-A: 1', b'X-B: a?b', b'x'], 'H: header fields')
    lines, _ = spp('[rcpt]\n:echo URELAYCLIENT', START + 'RCPT TO:<u@no.example>\r\n', {'RELAYCLIENT': ''})
    tap.equal(lines[2][:3], '553', 'U: RELAYCLIENT is taken away')
    lines, _ = spp('[mail]\n:echo SX=one\n:echo "E550 $X"', START)
    tap.equal(lines[1], '550 one', 'S: for the plug-ins that follow')
    spp('[rcpt]\n:echo Cother@ok.example', RCPT + DATA)
    tap.equal(queued()[0][1], b'Fa@b.example\0Tother@ok.example\0\0', 'C: another recipient')
    spp('[rcpt]\n:printf "Cother\\001@ok.example\\n"', RCPT + DATA)
    tap.equal(queued()[0][1], b'Fa@b.example\0Tu@ok.example\0\0', 'C: not with control bytes')
    for name, who, code in (('root', 0, '451'), ('somebody', 65534, '250')):
        netserver.controls({**OPEN})
        path = program('list', '')
        with open(path, 'w') as file:
            file.write('[rcpt]\n:echo SQMAILQUEUE=/nonesuch; echo SLD_PRELOAD=x; echo SX=1\n')
        os.chown(path, who, who)
        lines, _ = talk(RCPT + DATA, {'ENABLE_SPP': '1', 'SPPCONFFILE': path}, OPEN)
        tap.ok(lines[-1].startswith(code), 'QMAILQUEUE by a list of ' + name, lines)
        with open(path, 'w') as file:
            file.write('[mail]\n:echo SRCPTCHECK=/nonesuch\n')
        lines, _ = talk(RCPT, {'ENABLE_SPP': '1', 'SPPCONFFILE': path}, OPEN)
        tap.ok(lines[-1].startswith('421' if who == 0 else '250'), 'RCPTCHECK by a list of ' + name, lines)
    lines, _ = talk('NOOP\r\n', {'ENABLE_SPP': '1'}, OPEN)
    tap.equal(lines, [], 'no list: nobody is served')
    many = '[mail]\n' + ':true\n' * 101
    tap.equal(spp(many, 'NOOP\r\n')[0], [], 'too many plug-ins: nobody is served')


def test_slow():
    """What a command was answered is not kept back while a check of the next one takes long."""
    held = QUEUE + '/held'
    for name, control, env, script, said in (
            ('the queue', '[mail]\n:[ "$SMTPMAILFROM" = a@b.example ] || cat %s' % held, {},
             RCPT + DATA + 'MAIL FROM:<c@d.example>\r\n', rb'qp \d+\r\n'),
            ('MAIL', '[rcpt]\n:cat %s' % held, {}, RCPT, rb'250 ok\r\n'),
            ('MAIL, RCPTCHECK', '', {'RCPTCHECK': program('holds', 'cat %s' % held)}, RCPT,
             rb'250 ok\r\n')):
        os.mkfifo(held, 0o644)
        server = netserver.Server('qmail-smtpd', env={'ENABLE_SPP': '1', **env},
                                  control={**OPEN, 'smtpplugins': control})
        server.send(script)
        got = server.until(said)
        tap.ok(re.search(said, got.encode()), 'answered before a plug-in is waited for: ' + name,
               got)
        with open(held, 'w'):
            pass
        server.send('QUIT\r\n')
        tap.ok('221' in server.rest(), 'and it goes on')
        server.end()
        os.unlink(held)


def test_many_recipients():
    """Those that have to come later do not end the session before the text of the others."""
    for env, control, code in (({'MAXRCPT': '3'}, {}, '452'),
                               ({'ENABLE_SPP': '1'}, {'smtpplugins': ''}, '250')):
        lines, _ = talk(START + 'RCPT TO:<u@ok.example>\r\n' * 303 + DATA, env, {**OPEN, **control})
        tap.equal([line[:3] for line in lines[2:]], ['250'] * 3 + [code] * 300 + ['354', '250'],
                  '303 recipients, those over a limit: ' + code)
    lines, _ = talk(START + 'RCPT TO:<u@ok.example>\r\n' * 10300, {'MAXRCPT': '3'}, OPEN)
    tap.equal((lines.count(lines[10]), lines[-1][:3]), (9999 + 199, '421'),
              'but more than 10,000 of these do end it')


# ---- recipients ----

def make_cdb(path, items):
    text = ''.join('+%d,%d:%s->%s\n' % (len(k.encode()), len(v), k, v) for k, v in items) + '\n'
    subprocess.run(['cdb', '-c', path], input=text.encode(), check=True)
    os.chmod(path, 0o644)


def ask(recipients, env, control=None):
    lines, log = talk(START + ''.join('RCPT TO:<%s>\r\n' % one for one in recipients), env,
                      {**OPEN, **(control or {})})
    return ' '.join(line[:3] for line in lines[2:]), log


def test_validrcptto():
    listed = 'u@ok.example\n-v@ok.example\n@a.b\n-w@a.b\n-@ok.example\n'
    names = ['u@ok.example', 'U@OK.example', 'v@ok.example', 'w@ok.example', 'x@a.b', 'w@a.b', 'postmaster']
    tap.equal(ask(names, {}, {'validrcptto': listed})[0], '250 250 553 553 250 553 250', 'validrcptto')
    tap.equal(ask(['w@a.b'], {}, {'validrcptto': '-x@a.b\n'})[0], '250', 'not listed: left to others')
    umlaut = {'rcpthosts': '\u00fc.example\n'.encode(), 'smtputf8': '1\n',
              'validrcptto': 'u@\u00fc.example\n-@xn--tda.example\n'.encode()}
    tap.equal(ask(['u@xn--tda.example', 'v@xn--tda.example'], {}, umlaut)[0], '250 553', 'U-labels listed, A-labels asked')
    lines, _ = talk('EHLO x\r\nMAIL FROM:<> SMTPUTF8\r\nRCPT TO:<u@\xc3\xbc.example>\r\n'
                    'RCPT TO:<v@\xc3\xbc.example>\r\n', {}, umlaut)
    tap.equal([line[:3] for line in lines[-2:]], ['250', '553'], 'A-labels listed, U-labels asked')
    more = QUEUE + '/more.cdb'
    make_cdb(more, [(line, '') for line in listed.split()])
    tap.equal(ask(names, {'MOREVALIDRCPTTO_CDB': more})[0], '250 250 553 553 250 553 250', 'MOREVALIDRCPTTO_CDB')
    with open(more, 'rb') as file:
        data = file.read()
    tap.equal(ask(names[:3], {}, {'morevalidrcptto.cdb': data})[0], '250 250 553', 'control/morevalidrcptto.cdb')
    tap.equal(ask(names[:1], {}, {'morevalidrcptto.cdb': data[:100]})[0], '421', 'damaged: nobody is refused for it')
    every = QUEUE + '/all.cdb'
    make_cdb(every, [('u@xn--tda.a.b', ''), ('u@\u00e4.a.b', '-'), ('u@ok.example', ''), ('l-default@ok.example', ''), ('v@ok.example', '-'), ('@a.b', '')])
    names = ['u@ok.example', 'l-x-y@ok.example', 'l@ok.example', 'v@ok.example', 'z@ok.example', 'any@a.b']
    foreign = {'rcpthosts': '.a.b\n', 'smtputf8': '1\n'}
    for domain, code in (('\u00fc.a.b', '250'), ('xn--tda.a.b', '250'), ('\u00e4.a.b', '553'), ('\u00f6.a.b', '553')):
        script = 'EHLO x\r\nMAIL FROM:<> SMTPUTF8\r\nRCPT TO:<u@%s>\r\n' % domain
        lines, _ = talk(script.encode().decode('latin-1'), {'VALIDRCPTTO_CDB': every}, foreign)
        tap.equal(lines[-1][:3], code, 'VALIDRCPTTO_CDB: %a' % domain)
    got, log = ask(names, {'VALIDRCPTTO_CDB': every, 'VALIDRCPTTO_LOG': '1'})
    tap.equal(got, '250 250 553 553 553 250', 'VALIDRCPTTO_CDB')
    tap.equal(len(re.findall('validrcptto: drop address', log)), 3, 'VALIDRCPTTO_LOG=1')
    got, log = ask(names, {'VALIDRCPTTO_CDB': every, 'VALIDRCPTTO_LOG': '2', 'VALIDRCPTTO_LIMIT': '2'})
    tap.equal(got, '250 250 553 421', 'VALIDRCPTTO_LIMIT')
    tap.equal(len(re.findall('validrcptto: accepted address', log)), 2, 'VALIDRCPTTO_LOG=2')
    for names, wanted in ((['u', 'z', 'PostMaster', 'v'], '553 553 250 553'),
                          (['u', 'z', 'PostMaster', 'v'], '250 553 250 553')):
        control = {'envnoathost': 'ok.example\n'} if wanted[0] == '2' else {}
        tap.equal(ask(names, {'VALIDRCPTTO_CDB': every}, control)[0], wanted,
                  'VALIDRCPTTO_CDB: no domain, envnoathost %r' % control)
    tap.equal(ask(['u', 'v', 'postmaster'], {}, {'validrcptto': listed, 'envnoathost': 'ok.example\n'})[0],
              '250 553 250', 'validrcptto: no domain')
    tap.equal(ask(['u'], {'VALIDRCPTTO_CDB': every}, {'envnoathost': True})[0], '421', 'envnoathost cannot be read')
    tap.equal(ask(['z@ok.example'], {'VALIDRCPTTO_CDB': every, 'RELAYCLIENT': ''})[0], '250', 'not for relaying clients')
    tap.equal(ask(['z%d@ok.example' % i for i in range(11)], {'VALIDRCPTTO_CDB': every})[0],
              ' '.join(['553'] * 9 + ['421']), 'ten of them')


def test_barecr():
    envelope, on = START + 'RCPT TO:<u@ok.example>\r\nDATA\r\n', {'barecr': '1\n'}
    for text, taken in (('a\r\nb\r\n', True), ('a\rb\r\n', False), ('a\r\r\n', False),
                        ('\ra\r\n', False), ('.\ra\r\n', False), ('a\r\n..\r\n', True)):
        for control, good in (({}, True), ({'barecr': '0\n'}, True), (on, taken)):
            lines, _ = talk(envelope + text + '.\r\nRSET\r\n', None, control)
            tap.equal((lines[-2][:3], lines[-1]), ('250' if good else '554', '250 ok'),
                      'barecr %r: %r' % (control, text))
            tap.equal(len(queued()), 1 if good else 0, '  queued')
    lines, log = talk(envelope + 'a\rb\r\n.\r\n', {'QMAILSMTPD_LOG': 'refusal'}, on)
    tap.equal(lines[-1], '554 bare CR in the message text (#5.6.0)', 'barecr: words')
    tap.ok('554 bare CR' in log, 'barecr: log', log)
    tap.equal(talk(envelope, None, {'barecr': True})[0], [], 'barecr: unreadable')


def test_mailpolicy():
    lines = '# who writes to whom\n;x\na.b:e,joe:E(*@B.Example),\n\nok.example:z\nc.example:r(\n'
    got, log = ask(['u@a.b', 'joe@a.b', 'JOE@A.b', 'u@ok.example'], {}, {'policy': lines})
    tap.equal(got, '550 250 250 454', 'policy')
    tap.equal(re.findall('control/policy line .*', log),
              ['control/policy line 5: ok.example:z: rules are letters of LIRE and lire',
               'control/policy line 6: c.example:r(: a parenthesis that nothing closes'],
              '  malformed lines are in the log, once each')
    said, _ = talk(START + 'RCPT TO:<u@ok.example>\r\n', {}, {**OPEN, 'policy': lines})
    tap.equal(said[-1], '454 cannot message u@ok.example (#4.3.0 broken policy)', '  words')
    tap.equal(ask(['u@far.example'], {}, {'policy': lines})[0], '553', '  no relay by it')
    tap.equal(ask(['u@far.example'], {}, {'policy': 'far.example:LIRE\n'})[0], '553',
              '  nor by what it allows')
    env = {'RELAYCLIENT': ''}
    tap.equal(ask(['u@a.b', 'u@far.example'], env, {'policy': 'b.example:rR(a.b)\n'})[0],
              '250 550', '  relaying clients are asked, too')
    lines, _ = talk('MAIL FROM:<>\r\nRCPT TO:<u@a.b>\r\nRCPT TO:<v@a.b>\r\n', {},
                    {**OPEN, 'policy': 'a.b:e,v:E(<>)\n'})
    tap.equal([line[:3] for line in lines], ['250', '550', '250'], '  bounces')
    tap.equal(ask(['u@ok.example'], {}, {'policy': True})[0], '', '  unreadable: nobody is served')
    tap.equal(talk(START, {}, {'policy': True})[0], [], '  not even greeted')
    tap.equal(ask(['u@ok.example'], {}, {'policy': 'x\n', 'strictpatterns': '1\n'})[0], '',
              '  strictpatterns')


def test_rcptcheck():
    rows = [('exit 0', '250'), ('exit 100', '550 sorry, no mailbox here by that name. (#5.1.1)'),
            ('echo "553 mine (#5.1.1)" >&4; exit 100', '553 mine (#5.1.1)'),
            ('printf "553 a\\001\\r\\n250 b" >&4; exit 100', '553 a?'),
            ('echo "250 yes" >&4; exit 100', '550 sorry, no mailbox'),
            ('exit 111', '421 unable to verify recipient (#4.3.0)'), ('exit 112', '250'),
            ('exit 113', '421 you have exceeded your messaging limits (#4.3.0)'),
            ('exit 120', '421 unable to execute recipient check (#4.3.0)'), ('kill -9 $$', '421 unable to verify'),
            ('yes 553 no | head -c 300000 >&4; exit 100', '553 no'), ('exit 7', '250'),
            ('[ "$SENDER$RECIPIENT$HELO$USE_FD4$RCPTHOSTS" = a@b.exampleu@ok.examplex11 ] || exit 100', '250'),
            ('echo to the log; [ ! -t 0 ] && read x; [ -z "$x" ] || exit 100', '250')]
    for text, want in rows:
        path = program('check', text)
        lines, _ = talk(START + 'RCPT TO:<u@ok.example>\r\n', {'RCPTCHECK': path})
        tap.ok(lines[2].startswith(want), 'RCPTCHECK: ' + text, lines)
    lines, _ = talk(START + 'RCPT TO:<u@ok.example>\r\n', {'RCPTCHECK': QUEUE + '/no', 'RELAYCLIENT': ''})
    tap.ok(lines[2].startswith('250'), 'not for relaying clients')


# ---- the rest ----

def test_senders():
    dns = Dns({'mx.example MX': ['10 m.example'], 'a.example A': ['192.0.2.1'], 'null.example MX': ['0 .'],
               'none.example': 'NXDOMAIN', 'broken.example': 'SERVFAIL'})
    for domain, code in (('mx.example', '250'), ('a.example', '250'), ('null.example', '553'),
                         ('none.example', '553'), ('broken.example', '451'), ('[192.0.2.1]', '250')):
        lines, log = talk('MAIL FROM:<a@%s>\r\n' % domain, {'MFCHECK': '3'})
        tap.equal(lines[0][:3], code, 'mfcheck: ' + domain)
        word = {'250': 'pass', '553': 'fail'}.get(code)
        if word and domain[0] != '[':
            tap.ok('MFCHECK %s [192.0.2.7] %s\n' % (word, domain) in log, word + ' in the log', log)
    for sender in ('', '#@[]', 'joe'):
        tap.equal(talk('MAIL FROM:<%s>\r\n' % sender, {'MFCHECK': '1'})[0], ['250 ok'], 'not of <%s>' % sender)
    tap.equal(talk('MAIL FROM:<a@none.example>\r\n', {'MFCHECK': '1', 'RELAYCLIENT': ''})[0], ['250 ok'],
              'not of relaying clients')
    dns.stop()
    rows = [('a@b.example', '553'), ('x@sub.b.example', '250'), ('a@b.example.org', '250'), ('A@B.EXAMPLE', '553'),
            ('', '250')]
    for sender, code in rows:
        lines, _ = talk('MAIL FROM:<%s>\r\nRCPT TO:<u@ok.example>\r\n' % sender, None, {'badmailfrom': '@b.example\n'})
        tap.equal(lines[1][:3], code, 'a plain line and <%s>' % sender)
        if code == '553':
            tap.ok('badmailfrom list' in lines[1], 'in plain words', lines)
    lines, log = talk(RCPT, {'RELAYCLIENT': ''}, {'badmailfromnorelay': 'b.ex', 'badhelonorelay': 'x', 'badrcpttonorelay': 'u'})
    tap.equal(lines[2], '250 ok', 'norelay: not for relaying clients')
    lines, log = talk(RCPT, None, {'badhelo': '!^y$'})
    tap.ok(lines[2].startswith('553'), 'a negated line hits what does not match')
    lines, log = talk(RCPT, None, {'badhelo': '!(\n'})
    tap.equal(lines[2], '250 ok', 'a negated line that is malformed hits nothing')
    lines, _ = talk('RCPT TO:<u@ok.example>\r\n'.join(['', 'MAIL FROM:<>\r\n', '']), None, {'badhelo': '!^y$'})
    tap.ok('250 ok' in lines, 'no HELO, no name', lines)


def test_foreign_senders():
    """No name that another could be made of exists: the list has that one alone."""
    dns = Dns({'bad.example A': ['192.0.2.1'], 'xn--bcher-kva.example A': ['192.0.2.1'],
               'xn--tda.xn--f1a A': ['192.0.2.1']})
    for domain, codes in (
            ('bad.example', ['250', '553']), ('\uff42ad.example', ['553', '503']),
            ('b\u00adad.example', ['553', '503']), ('bad\u3002example', ['553', '503']),
            ('b\u00fccher.example', ['250', '553']), ('B\u00fcCHER.Example', ['250', '553']),
            ('xn--bcher-kva.example', ['250', '553']), ('B\u00dcCHER.example', ['553', '503']),
            ('bu\u0308cher.example', ['553', '503']), ('\u00fc.\u0436', ['250', '250']),
            ('\u00fc.xn--f1a', ['553', '503']), ('xn--tda.xn--f1a', ['250', '250'])):
        script = 'MAIL FROM:<a@%s>\r\nRCPT TO:<u@ok.example>\r\n' % domain
        lines, _ = talk(script.encode().decode('latin-1'), {'MFCHECK': '3'},
                        {'badmailfrom': '@bad.example\n@b\u00fccher.example\n'.encode()})
        tap.equal([line[:3] for line in lines], codes, 'badmailfrom and mfcheck: %a' % domain)
    dns.stop()


def test_helo():
    dns = Dns({'c.example A': ['192.0.2.7'], 'o.example A': ['192.0.2.8'], 'me.example A': ['127.0.0.1'],
               'none.example': 'NXDOMAIN', 'broken.example': 'SERVFAIL'})
    rows = [('G', 'a_b.example', ''), ('G', 'nodot', 'no host name'), ('G', '', 'no host name'), ('G', '[192.0.2.7]', ''),
            ('G', '.a.b', 'no host name'), ('GA', 'c.example', ''), ('GA', 'none.example', 'no address'),
            ('GA', 'broken.example', ''), ('N', 'localhost', 'is mine'), ('N', 'me.example', 'is mine'), ('N', 'o.example', ''),
            ('N', '[127.0.0.1]', 'is mine'), ('B', 'c.example', ''), ('B', 'o.example', 'another address'),
            ('B', '[192.0.2.7]', ''), ('B', '[192.0.2.8]', 'another'), ('B', 'broken.example', ''), ('GP', 'nodot', ''),
            ('', 'nodot', 'no host name')]
    for asked, name, why in rows:
        lines, _ = talk('HELO %s\r\nNOOP\r\n' % name, {'HELO_DNS_CHECK': asked})
        tap.ok(len(lines) == 1 and why in lines[0] if why else lines == ['250 mx.example', '250 ok'],
               'HELO_DNS_CHECK=%s: HELO %s' % (asked, name), lines)
    for asked, code in (('GR', '250'), ('G', '553')):
        lines, _ = talk('HELO nodot\r\n', {'HELO_DNS_CHECK': asked, 'RELAYCLIENT': ''})
        tap.equal(lines[0][:3], code, 'relaying clients, ' + asked)
    talk(RCPT + DATA, {'HELO_DNS_CHECK': 'GHP'})
    tap.ok(b'\nX-Helo-Check: your HELO is no host name\n' in queued()[0][0], 'the field', queued())
    dns.stop()


def lists():
    """{file: its kind of lines, whom it is about}, by lists.c."""
    with open('src/smtp/lists.c', encoding='utf-8') as file:
        rows = re.findall(r'\{ ("[^}]*?)\}', file.read().partition('table[LISTS_COUNT]')[2].partition('\n};')[0])
    found = {}
    for row in rows:
        kind, about = re.search(r'PATTERNS_(\w+),\s+ABOUT_(\w+)', row).groups()
        found.update({name: (kind, about) for name in re.findall(r'"([a-z-]+)"', row)})
    return found


# A transaction that each list refuses, and an attempt to relay.
REFUSED = {'HELO': '^x$', 'SENDER': 'b[.]example$', 'RECIPIENT': '^u@ok'}
WILD = {'SENDER': '*@b.example', 'RECIPIENT': 'u@ok*'}
MALFORMED = {'EXPRESSION': ['(', '[a', 'a\\', '*a{', '!(', '(a)\\1'], 'WILDMAT': ['[a', 'a\\', '![', '*[z-'], 'PLAIN': []}
MALFORMED['MIXED'] = MALFORMED['EXPRESSION']


def test_malformed():
    """Each list: a malformed line is told once, at the start of the session, with file and number;
    it opens nothing, and the others count as before."""
    far = 'RCPT TO:<u@far.example>\r\n'
    found = lists()
    tap.ok(len(found) >= 12, 'all lists of lists.c', found)
    for name, (kind, about) in found.items():
        hit = '@b.example' if kind == 'PLAIN' else (WILD if kind == 'WILDMAT' else REFUSED)[about]
        for line in MALFORMED[kind] or ['(']:
            with tempfile.TemporaryFile() as err:
                server = netserver.Server('qmail-smtpd', err=err, env={'TCPREMOTEHOST': 'unknown'},
                                          control={**OPEN, name: '%s\n# comment\n\n%s\n' % (hit, line)})
                server.until(rb'\n')
                err.seek(0)
                first = err.read().decode()
                reply, _ = netserver.exchange(server, (RCPT + far) * 2)
                err.seek(0)
                log = err.read().decode()
            told = r'qmail-smtpd\[\d+\]: control/%s line 4: .*\n' % re.escape(name)
            if kind == 'PLAIN':
                tap.ok('control/' not in log, '%s: every line is plain' % name, log)
            else:
                tap.ok(re.fullmatch(told, first) and log.count('control/') == 1, '%s: %s: told once' % (name, line), log)
            codes = ' '.join(re.findall(r'^\d+', reply, re.M))
            tap.equal(codes, '250 250 553 553 250 250 553 553', '  and it opens nothing')
        lines, _ = talk(RCPT + far, None, {name: (MALFORMED[kind] or ['('])[0] + '\n'})
        tap.equal([text[:3] for text in lines], ['250', '250', '250', '553'], '%s: refuses nothing else' % name)


def test_patience():
    """Expressions and patterns that take exponential time elsewhere, with a client's longest names."""
    evil = ['(a*)*!', '(a|a)*!', '(a+)+!', '(.*)(.*)(.*)(.*)(.*)(.*)!', '^(([a-z])+.)+[A-Z]([a-z])+!', '((((a*)*)*)*)*!',
            '(a?){12}a{12}!', '(a|aa)+!', '(a|a|a|a|a?)*!', '(a+a+)+!', '((a{1,3}){1,3}){1,3}!', '!(a*)*']
    wild = ['*a' * 400 + '!', '*' * 400 + '!', '*[a-z]*[a-z]*[a-z]*[a-z]*!', '?*?*?*?*?*?*!']
    name, used = 'a' * 880, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    for file, (kind, _) in lists().items():
        text = '\n'.join(wild if kind == 'WILDMAT' else evil) + '\n'
        lines, log = talk('HELO %s\r\nMAIL FROM:<%s@x.example>\r\nRCPT TO:<%s@ok.example>\r\n' % (name, name, name), None,
                          {file: text})
        took = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used
        used += took
        tap.ok(lines[1:] == ['250 ok', '250 ok'] and 'line ' not in log and took < 10, '%s: expressions for patience, %.3f s of the processor' % (file, took),
               (lines, log[:300]))


def test_bounds():
    bad = {'(a)\\1': 'back-references', 'a{1,513}': 'repetitions', '(a{50}){50}': 'repetitions',
           'x' * 1025: 'too long', '(': r'\(', '[z-a]': r'\[z-a\]', 'a{2,1}': 'a'}
    for line, why in bad.items():
        lines, log = talk(RCPT, None, {'badhelo': '# comment\n' + line + '\n^never$\n'})
        tap.ok(lines[2] == '250 ok' and re.fullmatch(
            r'qmail-smtpd\[\d+\]: control/badhelo line 2: .*%s.*\n' % why, log), 'malformed: ' + line[:20], log)
    for line in ('x' * 1024, 'a{255}', 'a{2}b{3}'):
        tap.equal(talk(RCPT, None, {'badhelo': line + '\n'})[1], '', 'not malformed: ' + line[:20])
    long = 'y' * 999
    for extra, code in (('', '250'), ('x', '553'), ('yx', '250')):
        lines, _ = talk('HELO %s\r\nMAIL FROM:<>\r\nRCPT TO:<u@ok.example>\r\n' % (long + extra), None, {'badhelo': 'x'})
        tap.equal(lines[2][:3], code, '1000 bytes of a name are looked at: %d' % (999 + len(extra)))
    lines, _ = talk('NOOP\r\n', None, {'badhelo': 'a\n' * 10001})
    tap.equal(lines, [], 'too many lines: nobody is served')


def test_log():
    script = 'HELO a\x7fb c\r\nMAIL FROM:<"a\xe9 b"@b.example>\r\nRCPT TO:<u%0a@no.example>\r\n'
    _, log = talk(script, {'QMAILSMTPD_LOG': 'refusal qlog,sqmail session'})
    lines = log.splitlines()
    tap.equal(len(lines), 4, 'a line for each style')
    tap.ok(re.match(r'qmail-smtpd: rcpthosts \(553 .*\): a__b@b.example from 192.0.2.7 to u%0a@no.example helo a_b_c$',
                    lines[0]), 'refusal', lines[0])
    tap.ok(lines[1].startswith('qlogenvelope: result=rejected code=553 reason=rcpthosts detail=') and
           ' helo=a_b_c mailfrom=a__b@b.example rcptto=u%0a@no.example relay=no rcpthosts=no size= authuser= authtype= '
           'encrypted= sslverified=no localip=192.0.2.1 localport= remoteip=192.0.2.7 remoteport= '
           'remotehost=client.example qp= pid=' in lines[1], 'qlogenvelope', lines[1])
    tap.ok(re.match(r'qmail-smtpd: pid \d+ Reject::RCPT::rcpthosts P:SMTP S:192.0.2.7:client.example H:a_b_c '
                    r'F:a__b@b.example T:u%0a@no.example$', lines[2]), 'sqmail', lines[2])
    tap.ok(re.match(r'qmail-smtpd\[\d+\]: session: from 192.0.2.7 helo a_b_c auth - messages 0 refused 1 bytes 0 '
                    r'seconds \d+$', lines[3]), 'session', lines[3])
    _, log = talk(RCPT + 'RCPT TO:<v@ok.example>\r\n' + DATA, {'QMAILSMTPD_LOG': 'qlog'})
    tap.ok(re.search(r'^qlogreceived: result=accepted code=250 .* rcptto=u@ok.example,v@ok.example .* size=2 .* '
                     r'qp=\d+ pid=\d+$', log, re.M), 'qlogreceived', log)
    script = START.replace('>', '> SIZE=11') + START + 'RCPT TO:<u@ok.example>\r\nRCPT TO:<v@ok.example>\r\n' + DATA.replace(
        'x', 'x' * 20)
    for style, said in (({'QMAILSMTPD_LOG_MAIL': '1'}, True), ({'QMAILSMTPD_LOG': 'rcpt'}, True), ({}, False)):
        _, log = talk(script, {'DATABYTES': '10', 'MAXRCPT': '1', **style})
        found = re.findall(r'qmail-smtpd\[\d+\]: (DATABYTES exceeded|MAXRCPT fail) \[192\.0\.2\.7\]\n', log)
        tap.equal(found, ['DATABYTES exceeded', 'MAXRCPT fail', 'DATABYTES exceeded'] if said else [], 'limits: %s' % style)
    for env, said in (({}, 1), ({'RELAYCLIENT': ''}, 0)):
        lines, log = talk(START + 'RCPT TO:<u@no.example>\r\n' * 2, {'QMAILSMTPD_LOG_RCPT': '1', **env},
                          {**OPEN, 'morercpthosts.cdb': 'x'})
        tap.equal((lines[-1][:3], log.count('morercpthosts.cdb')), ('421' if said else '250', said),
                  'a damaged list: %s' % env)
    _, log = talk('HELO %s\r\nMAIL FROM:<%s@b.example>\r\nRCPT TO:<%s@no.example>\r\n' % ('h' * 2000, 'a' * 880, 'b' * 880),
                  {'QMAILSMTPD_LOG': 'refusal,qlog,sqmail'})
    tap.ok(max(len(line) for line in log.splitlines()) < 4096, 'lines are bounded')
    lines, _ = talk('RCPT TO:<u>\r\n', {'QMAILSMTPD_LOG': 'refusal'}, {'badhelo': '('})
    with tempfile.TemporaryFile():
        server = netserver.Server('qmail-smtpd', env={'QMAILSMTPD_LOG': 'refusal', 'LOGREGEX': ''},
                                  control={'badhelo': '('}, err=None)
        reply, _ = netserver.exchange(server, 'RCPT TO:<u>\r\n')
    tap.ok('control/' not in reply and 'qmail-smtpd' not in reply, 'nothing where the log is the client', reply)


def test_received():
    rows = [({'HIDEIP': '1'}, {}, b'from'), ({'HIDEIP': '', 'RELAYCLIENT': ''}, {}, b'(HELO x) ()'),
            ({'RELAYCLIENT': '', 'TCPREMOTEINFO': 'joe'}, {'hideip': '1'}, b'(HELO x) (joe)'),
            ({'RELAYCLIENT': '', 'TCPREMOTEINFO': 'joe'}, {'hideip': '2'}, b'(HELO x) ()'),
            ({'RELAYCLIENT': '', 'HIDEIP': '2', 'TCPREMOTEINFO': 'joe'}, {}, b'(HELO x) ()')]
    for env, control, want in rows:
        talk(RCPT + DATA, env, control)
        message = queued()[0][0]
        tap.ok(message.startswith(b'Received: ' + want), 'hideip: %r %r' % (env, control), message)
        tap.equal(b'192.0.2.7' in message, want == b'from', 'the address')
    script = 'EHLO x\r\nMAIL FROM:<\xc3\xbc@b.example> SMTPUTF8\r\nRCPT TO:<\xc3\xbc@ok.example>\r\n'
    lines, _ = talk(script + DATA, {'SMTPUTF8': '1'})
    tap.ok('250-SMTPUTF8' in lines and b' with UTF8SMTP; ' in queued()[0][0], 'SMTPUTF8', lines)
    talk(script.replace('\xc3\xbc', 'u') + DATA + script.replace(' SMTPUTF8', '').replace('\xc3\xbc', 'u') + DATA, {'SMTPUTF8': '1'})
    found = [re.search(rb' with (\w+);', message).group(1) for message, _ in queued()]
    tap.equal(sorted(found), [b'ESMTP', b'UTF8SMTP'], 'of one message only')
    for script, code in ((script.replace(' SMTPUTF8', ''), '553'), (script.replace('\xbc', ''), '553')):
        tap.equal(talk(script, {'SMTPUTF8': '1'})[0][-2][:3], code, 'not without it, not without UTF-8')
    lines, _ = talk('MAIL FROM:<>\r\nRCPT TO:<u@x>\r\n', {'CHKUSER_START': 'ALWAYS', 'CHKUSER_RCPT_FORMAT_NOCHECK': ''},
                    {'rcpthosts': 'x\n'})
    tap.ok('5.1.3' not in lines[1], 'CHKUSER_RCPT_FORMAT_NOCHECK', lines)


def test_cost():
    """What is switched off makes no system call."""
    trace = QUEUE + '/trace'
    os.chmod(QUEUE, 0o777)              # strace runs as qmaild
    server = netserver.Server('qmail-smtpd', before=['strace', '-qq', '-e', 'signal=none', '-o', trace])
    netserver.exchange(server, RCPT + DATA + 'QUIT\r\n')
    with open(trace) as file:
        calls = file.read().splitlines()
    opened = re.findall(r'"(control[^"]*)"', '\n'.join(calls))
    tap.equal(opened, ['control', 'control/me', 'control/rcpthosts'], 'control files that are opened')
    if not any('ld.so' in line for line in calls) and not os.environ.get('SAN'):
        tap.ok(len(calls) <= 64, 'system calls of a session: %d' % len(calls), '\n'.join(calls))


def main():
    set_up()
    test_plugins()
    test_slow()
    test_many_recipients()
    test_validrcptto()
    test_mailpolicy()
    test_barecr()
    test_rcptcheck()
    test_senders()
    test_foreign_senders()
    test_helo()
    test_malformed()
    test_patience()
    test_bounds()
    test_log()
    test_received()
    test_cost()
    tear_down()
    return tap.done()


sys.exit(main())
