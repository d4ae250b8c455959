#!/usr/bin/python3
"""The order of checks in qmail-smtpd: of two neighbours that both refuse, the first one's reply is
given.  Each check has a row, by the tables of checks.c and qmail-policy(5)."""
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from dnsserver import Dns
import netserver
from netserver import HOME, QUEUE, set_up, tear_down
import tap

ZONE = {'b_.down': 'SERVFAIL', 'b.example': 'NXDOMAIN', 'x': 'NXDOMAIN'}
STORE = HOME + '/greylist'
LOGIN = 'AUTH PLAIN AGpvZQBvcGVu\r\n'


class Check:
    """One that refuses: by variables, control files (None: without the domain), parts of the
    script, arguments, the queue program's exit code.  With `waits` it only makes clients wait."""

    def __init__(self, name, reply, env=None, control=None, code=0, **parts):
        self.name, self.reply, self.env, self.control = name, reply, env or {}, control or {}
        self.code, self.parts = code, parts
        self.waits = reply == 'waits'


def plugin(section, condition=''):
    text = '%s echo "R553 plug-in"' % condition
    return Check('plug-ins', '553 plug-in', {'ENABLE_SPP': ''},
                 {'smtpplugins': '[%s]\n:%s' % (section, text)})


RCPT_PLUGIN = 'case $SMTPRCPTTO in bad*) echo "E553 plug-in" ;; esac'
STAGES = {  # name: the table of checks.c, the script with its parts as they are, the checks
    'Connection': ('connect', '', {}, [
        Check('controls', '421 unable to read', control={'badhelo': True}),
        Check('greetdelay', '554 SMTP', {'GREETDELAY': '-1'}),
        plugin('connection'),
    ]),
    'HELO': ('helo', 'HELO nodot\r\n', {}, [
        plugin('helo'),
        Check('helodnscheck', '553 sorry, your HELO is no', {'HELO_DNS_CHECK': 'G'}),
    ]),
    'AUTH': ('auth', LOGIN, {'args': 'auth'}, [
        Check('TLS', '538 ', {'UCSPITLS': ''}),
        Check('login', '454 oops, problem with child', args='busy'),
        plugin('auth'),
    ]),
    'MAIL': ('mail', '%(login)sMAIL %(path)s%(parameters)s\r\n',
             {'login': '', 'path': 'FROM:<a@b_.down>', 'parameters': '', 'args': 'auth'}, [
        Check('TLS', '503 STARTTLS first', {'FORCE_TLS': '1'}),
        Check('AUTH', '530 ', {'REQUIRE_AUTH': '1'}),
        Check('address', '555 syntax error (', path='FROM <a@b_.down>'),
        Check('parameters', '555 parameter', parameters=' NONSENSE'),
        Check('databytes', '552 ', {'DATABYTES': '10'}, parameters=' SIZE=11'),
        Check('submitsenders', '503 from and auth', {'FORCEAUTHMAILFROM': '1'}, login=LOGIN),
        Check('rejectnullsenders', '421 null', {'REJECTNULLSENDERS': '1'}, path='FROM:<>'),
        plugin('mail'),
        Check('chkuser', '553 5.1.7', {'CHKUSER_START': 'ALWAYS', 'CHKUSER_SENDER_MX_NOCHECK': ''}),
        Check('mfcheck', '451 DNS', {'MFCHECK': '1'}),
        Check('spf', '451 SPF', {'SPFBEHAVIOR': '2'}),
    ]),
    'RCPT': ('rcpt', 'HELO x\r\n%(mail)sRCPT TO:<r0@ok.example>\r\nRCPT %(path)s%(parameters)s\r\n',
             {'mail': 'MAIL FROM:<a@b.example>\r\n', 'path': 'TO:<bad%x@a.b>', 'parameters': ''}, [
        Check('MAIL', '503 MAIL first', mail=''),
        Check('address', '555 syntax error (', path='TO <bad%x@a.b>'),
        Check('parameters', '555 parameter', parameters=' NONSENSE'),
        Check('rejectrelaytest', "553 we don't relay", {'RELAYREJ': '1'}),
        Check('badhelo', '553 sorry, your HELO', control={'badhelo': '^x$'}),
        Check('badmailfrom', '553 sorry, your envelope sender',
              control={'badmailfromnorelay': 'b[.]example'}),
        # Whoever relays is spared by badmailfromnorelay: the first recipient is taken.
        Check('maxrcpt', '452 max rcpt', {'MAXRCPT': '1', 'ENABLE_SPP': '', 'RELAYCLIENT': ''},
              {'smtpplugins': '[rcpt]\n:case $SMTPRCPTTO in r0*) echo URELAYCLIENT ;; esac'}),
        Check('plug-ins', '553 plug-in', {'ENABLE_SPP': ''},
              {'smtpplugins': '[rcpt]\n:' + RCPT_PLUGIN}),
        Check('brtlimit', '421 too many invalid', {'BRTLIMIT': '1'}, {'badrcptto': '^r0'}),
        Check('badrcptto', '553 sorry, your envelope recipient', control={'badrcptto': '^bad'}),
        Check('rcpthosts', '553 not relayed', control={'rcpthosts': None}),
        Check('spf', '550 ', {'SPFBEHAVIOR': '6'}),
        Check('dnsbl', '553 listed', {'RBLSMTPD': '-listed'}, {'dnsbllist': 'bl.test'}),
        Check('s25r', '450 your name is that of',
              {'S25R': '', 'TCPREMOTEHOST': 'dsl-1-2.x.example'}),
        Check('validrcptto', '553 sorry, this recipient', control={'validrcptto': '-@a.b'}),
        Check('chkuser', '553 5.1.3', {'CHKUSER_START': 'ALWAYS', 'CHKUSER_SENDER_MX_NOCHECK': ''}),
        Check('rcptcheck', '550 sorry, no mailbox', {'RCPTCHECK': QUEUE + '/no'}),
        Check('plug-ins', '553 plug-in', {'ENABLE_SPP': ''},
              {'smtpplugins': '[pass]\n:' + RCPT_PLUGIN}),
        Check('policy', '550 cannot message bad%x@a.b (#5.0.0 denied by policy)',
              control={'policy': 'a.b:e'}),
        Check('greylist', '450 greylisted', {'GREYLIST': ''}),
        Check('tarpit', 'waits', {'TARPITCOUNT': '1', 'TARPITDELAY': '1'}),
    ]),
    'DATA': ('data', '%(mail)s%(rcpt)sDATA\r\n%(text)s',
             {'mail': 'MAIL FROM:<>\r\n', 'rcpt': 'RCPT TO:<r0@ok.example>\r\n',
             'text': ''}, [
        Check('MAIL', '503 MAIL first', mail=''),
        Check('RCPT', '503 RCPT first', rcpt=''),
        plugin('data'),
        Check('hops', '554 too many hops', code=71,
              text='Received: x\r\n' * 101 + '\r\nlong enough\r\n.\r\n'),
        Check('databytes', '552 ', {'DATABYTES': '10'}, code=71, text='\r\nlong enough\r\n.\r\n'),
        Check('queue', '451 mail server temp', code=71, text='\r\nx\r\n.\r\n'),
    ]),
}


def together(first, *others):
    """Variables, control files and parts of all; what the first one says stands."""
    env, control, parts = {}, {'rcpthosts': ['ok.example', 'a.b']}, {}
    for check in (first, *others):
        env = {**check.env, **env}
        parts = {**check.parts, **parts}
        for name, text in check.control.items():
            if text is None:
                control[name].remove('a.b')
            else:
                control.setdefault(name, []).append(text)
    files = {name: True if text == [True] else '\n'.join(text) + '\n'
             for name, text in control.items()}
    return env, files, parts


def ask(stage, *checks):
    """The last reply, `waits` in front if a client had to wait."""
    _, script, usual, _ = STAGES[stage]
    env, control, parts = together(*checks)
    shutil.rmtree(STORE, ignore_errors=True)
    os.mkdir(STORE, 0o700)
    shutil.chown(STORE, 'qmaild', 'nofiles')
    parts = {**usual, **parts}
    trace, before, args = QUEUE + '/out/trace', [], ()
    if 'args' in parts:
        args = ('%s/%s' % (QUEUE, parts['args']), 'true')
    if any(check.waits for check in checks):
        before = ['strace', '-qq', '-o', trace, '-e', 'signal=none',
                  '-e', 'nanosleep,clock_nanosleep']
        env['ASAN_OPTIONS'] = 'detect_leaks=0'          # which cannot be traced as well
    server = netserver.Server('qmail-smtpd', env=env, control=control, args=args, before=before,
                              code=max(check.code for check in checks))
    reply, _ = netserver.exchange(server, script % parts if parts else script or 'NOOP\r\n')
    lines = reply.split('\r\n')[:-1]
    waited = before and 'nanosleep(' in open(trace, encoding='ascii').read()
    return ('waits ' if waited else '') + (lines[0] if stage == 'Connection' else lines[-1])


def test_stage(stage):
    checks = STAGES[stage][3]
    alone = [ask(stage, check) for check in checks]
    for check, reply in zip(checks, alone):
        tap.ok(reply.startswith(check.reply), '%s: %s refuses' % (stage, check.name), reply)
    for first, second in zip(checks, checks[1:]):
        if first.reply != second.reply:
            reply = ask(stage, first, second)
            tap.ok(reply.startswith(first.reply),
                   '%s: %s before %s' % (stage, first.name, second.name), reply)
        else:
            tap.ok(False, '%s: %s, %s: the same words' % (stage, first.name, second.name))


# Whom relaying clients do not meet.  The row of badmailfrom is one of badmailfromnorelay.
SPARED = {'Connection': ['greetdelay'], 'MAIL': ['chkuser', 'mfcheck', 'spf'],
          'RCPT': ['badmailfrom', 'rcpthosts', 'spf', 'dnsbl', 's25r', 'validrcptto', 'chkuser',
                   'rcptcheck',
                   'greylist', 'tarpit']}


def test_relaying():
    relays = Check('', '', {'RELAYCLIENT': ''})
    for stage, (_, _, _, checks) in STAGES.items():
        for check in checks:
            reply, spared = ask(stage, check, relays), check.name in SPARED.get(stage, ())
            tap.ok(reply.startswith(check.reply) != spared,
                   '%s: %s %s relaying clients' % (
                       stage, check.name, 'spares' if spared else 'is for'), reply)


# What is found out by one command, and refuses a later one.
REMEMBERED = {'HELO': ['badhelo'], 'MAIL': ['badmailfrom']}


def test_tables():
    """checks.c and the manual have these checks, in this order."""
    with open('src/smtp/checks.c', encoding='utf-8') as file:
        source = file.read()
    with open('man/qmail-policy.5', encoding='utf-8') as file:
        manual = file.read()
    for stage, (table, _, _, checks) in STAGES.items():
        block = re.search(r'\b%s_checks\[\] = \{(.*?)\n\};' % table, source, re.S).group(1)
        names = [name for name in re.findall(r'\{ "([\w-]+)"', block)
                 if name not in REMEMBERED.get(stage, ())]
        ours = [check.name for check in checks]
        tap.equal([name for name in ours if name in names], names, stage + ': checks.c')
        item = r'^\.It(?: Em)? %s\b.*\n((?:.*\n)*?)\.(?:It|El)' % stage
        words = re.search(item, manual, re.M).group(1)
        told = [name for name in re.findall(r'^\.Sy ([\w-]+)', words, re.M)
                if name not in REMEMBERED.get(stage, ())]
        tap.equal([name for name in ours if name in told], told, stage + ': qmail-policy(5)')
        tap.equal(told, names, stage + ': both have the same')


# ---- what is remembered ----

START, RCPT = 'HELO x\r\nMAIL FROM:<a@b_.down>\r\n', 'RCPT TO:<r0@ok.example>\r\n'
BADHELO, BADSENDER = {'badhelo': '^x$'}, {'badmailfrom': 'b_[.]down'}
HELO_PLUGIN = {'smtpplugins': '[helo]\n:case $SMTPHELOHOST in y) echo "E550 plug-in" ;; '
                              'z) echo Cx ;; esac\n'}
MAIL_PLUGIN = {'smtpplugins': '[mail]\n:echo Ca@b_.down\n'}
SPP, CHKUSER = {'ENABLE_SPP': ''}, {'CHKUSER_START': 'ALWAYS', 'CHKUSER_SENDER_MX_NOCHECK': ''}
LATER = [  # name, script, variables, control files, beginnings of the replies
    ('chkuser at MAIL, before badhelo', START + RCPT, CHKUSER, BADHELO,
     ['250', '553 5.1.7', '503']),
    ('mfcheck at MAIL, before badmailfrom', START + RCPT, {'MFCHECK': '1'}, BADSENDER,
     ['250', '451 DNS', '503']),
    ('spf at MAIL, before badmailfrom', START + RCPT, {'SPFBEHAVIOR': '2'}, BADSENDER,
     ['250', '451 SPF', '503']),
    ('helodnscheck before badhelo', START + RCPT, {'HELO_DNS_CHECK': 'G'}, BADHELO,
     ['553 sorry, your HELO is no']),
    ('helodnscheck that lets pass, and badhelo', START + RCPT, {'HELO_DNS_CHECK': 'GP'}, BADHELO,
     ['250', '250', '553 sorry, your HELO host']),
    ('badhelo: each RCPT', START + RCPT * 2, {}, BADHELO, ['250', '250', '553', '553']),
    ('badhelo: RSET does not help', 'HELO x\r\nRSET\r\nMAIL FROM:<>\r\n' + RCPT, {}, BADHELO,
     ['250', '250', '250', '553']),
    ('badhelo: another HELO does', 'HELO x\r\nHELO w\r\nMAIL FROM:<>\r\n' + RCPT, {}, BADHELO,
     ['250', '250', '250', '250']),
    ('badhelo: the one that counts is the last', 'HELO w\r\nHELO x\r\nMAIL FROM:<>\r\n' + RCPT, {},
     BADHELO,
     ['250', '250', '250', '553']),
    ('a HELO that a plug-in refuses is none', 'HELO x\r\nHELO y\r\nMAIL FROM:<>\r\n' + RCPT, SPP,
     {**BADHELO, **HELO_PLUGIN}, ['250', '550 plug-in', '250', '250']),
    ('plug-ins before badhelo', 'HELO z\r\nMAIL FROM:<>\r\n' + RCPT, SPP,
     {**BADHELO, **HELO_PLUGIN},
     ['250', '250', '553 sorry, your HELO host']),
    ('plug-ins before badmailfrom', 'MAIL FROM:<w@w.example>\r\n' + RCPT, SPP,
     {**BADSENDER, **MAIL_PLUGIN},
     ['250', '553 sorry, your envelope sender']),
    ('badmailfrom: RSET helps', START + 'RSET\r\nMAIL FROM:<w@w.example>\r\n' + RCPT, {}, BADSENDER,
     ['250'] * 5),
    ('badmailfrom: so does another MAIL', START + 'MAIL FROM:<w@w.example>\r\n' + RCPT, {},
     BADSENDER, ['250'] * 4),
    ('badmailfrom: until then all are refused', START + RCPT * 2, {}, BADSENDER,
     ['250', '250', '553', '553']),
    ('spf: of the last MAIL', START + RCPT + 'MAIL FROM:<>\r\n' + RCPT, {'SPFBEHAVIOR': '2'}, {},
     ['250', '451 SPF', '503', '250', '250']),
]


def test_later():
    for name, script, env, control, wanted in LATER:
        server = netserver.Server('qmail-smtpd', env=env, control=control)
        reply, _ = netserver.exchange(server, script)
        lines = reply.split('\r\n')[1:-1]
        tap.ok(len(lines) == len(wanted) and all(map(str.startswith, lines, wanted)), name, lines)


def main():
    set_up()
    for name, text in (('no', '[ "$RECIPIENT" = r0@ok.example ] || exit 100'),
                       ('auth', 'cat <&3 >/dev/null; exec "$@"'),
                       ('busy', 'cat <&3 >/dev/null; exit 111')):
        with open('%s/%s' % (QUEUE, name), 'w') as file:
            file.write('#!/bin/sh\n%s\n' % text)
        os.chmod('%s/%s' % (QUEUE, name), 0o755)
    names = Dns(ZONE)
    for stage in STAGES:
        test_stage(stage)
    test_later()
    test_relaying()
    names.stop()
    test_tables()
    tear_down()
    return tap.done()


sys.exit(main())
