#!/usr/bin/python3
"""Authentication-Results: what qmail-smtpd has found out, what qmail-queue makes of what anybody
says, and what strangers may not say."""
import base64
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver                        # noqa: E402
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402
from dnsserver import Dns               # noqa: E402
from netserver import QUEUE             # noqa: E402

CHECKER = QUEUE + '/checker'
ON = {'authservid': 'id.example\n'}
ZONE = {'pass.example TXT': ['v=spf1 ip4:192.0.2.7 -all'], 'none.example': 'NXDOMAIN',
        'fail.example TXT': ['v=spf1 -all'], 'helo.example TXT': ['v=spf1 -all'],
        'client.test': 'NXDOMAIN', 'odd.example TXT': ['v=spf1 foo:bar(x) -all']}
BODY = 'Subject: x\r\n\r\nAuthentication-Results: id.example; in the text\r\n'
STORED = BODY.replace('\r', '')


def fields(text):
    """The results that are the second field of a message, without the name; None: there are none."""
    found = re.match(r'Received: \(qmail .*\n((?:Authentication-Results:.*\n(?:\t.*\n)*)?)', text)
    return found.group(1).removeprefix('Authentication-Results: ') or None


def stored():
    """The texts of the messages in the queue, in order of their arrival, which is emptied."""
    paths = sorted(q.files('mess'), key=lambda path: os.stat(q.QUEUE + '/' + path).st_mtime_ns)
    found = [q.read(path).decode('latin-1') for path in paths]
    q.wipe()
    return found


# ---- qmail-queue ----

def queue(results, control=None, want=0):
    """The results in the message, or None; the exit code is the one that is wanted."""
    netserver.controls(control or {})
    code = q.Queue(env={} if results is None else {'QMAILAUTHENTICATED': results}).send()
    found = stored()
    tap.equal((code, len(found)), (want, int(want == 0)), '%.60r: %d' % (results, want))
    return fields(found[0]) if found else None


def test_queue():
    tap.equal(queue(None), None, 'no variable')
    tap.equal(queue(None, ON), None, '  whatever the file says')
    tap.equal(queue('', ON), None, 'an empty one')
    tap.equal(queue('spf=pass (x) y=z'), 'mx.example;\n\tspf=pass (x) y=z\n', 'one result: me')
    tap.equal(queue('a=b; c=d', ON), 'id.example;\n\ta=b;\n\tc=d\n', 'two, and authservid')
    tap.equal(queue('a=b', {'authservid': '\n'}), 'mx.example;\n\ta=b\n', 'an empty authservid')
    for bad in ('a=b\nBcc: x@y.example', 'a=b\r\n\r\nbody', 'a=b;\n\nx', 'a\tb\x7f\x01\xff'):
        text = queue(bad, ON)
        tap.ok(re.fullmatch(r'id\.example;\n(\t[ -~]+\n)+', text), '  one field', text)
    tap.equal(queue('x' * 2000, ON), 'id.example;\n\t' + 'x' * 2000 + '\n', '2000 bytes')
    tap.equal(queue('x' * 2001, ON), None, 'QMAILAUTHENTICATED: too long')
    tap.equal(queue('x' * 100000, ON), None, '  much too long')
    for what, control in (('a directory', {'authservid': True}), ('secret', {'authservid': 'a b\n'}),
                          ('nowhere', {'authservid': netserver.NOWHERE}), ('no me', {'me': None})):
        queue('a=b', control, want=55)
        tap.equal(queue(None, control), None, '  only if there are results: ' + what)


def test_cost():
    """Without results no further file is opened."""
    trace = QUEUE + '/trace'
    for results, want in ((None, []), ('', []), ('a=b', ['control/authservid', 'control/me'])):
        netserver.controls({})
        with open(QUEUE + '/text', 'wb') as file:
            file.write(b'x\n')
        with open(QUEUE + '/envelope', 'wb') as file:
            file.write(q.ENVELOPE)
        env = {'PATH': os.environ['PATH']}
        if results is not None:
            env['QMAILAUTHENTICATED'] = results
        with open(QUEUE + '/text', 'rb') as text, open(QUEUE + '/envelope', 'rb') as envelope:
            code = subprocess.run(['strace', '-qq', '-o', trace, '-e', 'trace=open,openat',
                                   q.program('qmail-queue')], stdin=text, stdout=envelope, env=env,
                                  check=False).returncode
        with open(trace, encoding='latin-1') as file:
            opened = re.findall(r'"(control/(?!taps)[^"]*)"', file.read())
        tap.equal((code, opened), (0, want), 'control files that are opened: %r' % results)
    q.wipe()


# ---- qmail-smtpd ----

class Session:
    """One session of qmail-smtpd with the real qmail-queue."""

    def __init__(self, script, env=None, control=None, args=()):
        with tempfile.TemporaryFile() as err:
            server = netserver.Server(
                'qmail-smtpd', control=control, err=err, args=args,
                env={'QMAILQUEUE': None, **(env or {})})
            said, _ = netserver.exchange(server, script + 'QUIT\r\n')
            err.seek(0)
            self.log = err.read().decode('latin-1')
        self.said = said.split('\r\n')
        self.messages = stored()
        self.results = [fields(text) for text in self.messages]


def mail(sender='u@pass.example', body=BODY):
    return 'MAIL FROM:<%s>\r\nRCPT TO:<u@ok.example>\r\nDATA\r\n%s.\r\n' % (sender, body)


def login(user='joe@a.example'):
    secret = base64.b64encode(b'\0' + user.encode('latin-1') + b'\0secret')
    return 'AUTH PLAIN %s\r\n' % secret.decode()


def first(*args, **options):
    found = Session(*args, **options).results
    return found[0] if len(found) == 1 else found


OURS = 'Authentication-Results: id.example; auth=pass\r\n'
OTHERS = 'Authentication-Results: other.example; auth=pass\r\n'


def test_stranger():
    """Without results: what is left out, and only if it is switched on."""
    for control, gone in ((None, ''), (ON, OURS)):
        got = Session(mail(body=OURS + OTHERS + BODY), control=control)
        want = (OURS + OTHERS + BODY).replace(gone, '').replace('\r', '')
        tap.ok(got.messages[0].endswith(' -0000\n' + want), 'fields of a stranger', got.messages)
        tap.equal(got.results, [None], '  none of ours')
    got = Session(mail(body='X: y\r' + OURS + BODY), control=ON)
    tap.ok(got.messages[0].endswith(' -0000\nX: y\r\n' + STORED), 'behind a bare CR', got.messages)
    many = {'site-note-%06d.bak' % i: '' for i in range(500)}
    got = Session(mail(body=OURS + BODY), control={**many, 'me': 'a b\n'})
    tap.ok(got.messages[0].endswith(' -0000\n' + OURS.replace('\r', '') + STORED),
           'a control directory of many names does not switch it on', got.said)
    got = Session(mail(body=OURS + BODY), control={**many, **ON})
    tap.ok(got.messages[0].endswith(' -0000\n' + STORED), '  authservid among them does', got.said)
    got = Session(mail(body='A: b\r\n' * 10000 + OURS.replace('id', '(\r\n x) ID') + BODY), control=ON)
    tap.ok(got.messages[0].endswith('A: b\n' * 10000 + STORED), 'far down, folded')
    got = Session(mail(body=OURS[:-2] + 'x' * 100000 + '\r\n' + BODY), control=ON)
    tap.ok(got.messages[0].endswith(' -0000\n' + STORED), 'a very long one')
    got = Session(mail(body=OTHERS + BODY), control={**ON, 'databytes': '%d\n' % len(OTHERS + BODY)})
    tap.equal(len(got.messages), 1, 'sizes are as they were')


def test_login():
    with open(CHECKER, 'w') as file:
        file.write('#!/bin/sh\ncat <&3 >/dev/null; exec "$@"\n')
    os.chmod(CHECKER, 0o755)
    checker = {'args': (CHECKER, 'true')}
    tap.equal(first(login() + mail(), **checker), None, 'AUTH, off')
    tap.equal(first(login() + mail(), control=ON, **checker),
              'id.example;\n\tauth=pass (plain) smtp.auth=joe@a.example\n', 'authservid: on')
    tap.equal(first(login() + mail(), env={'QMAILAUTHENTICATED': ''}, **checker),
              'mx.example;\n\tauth=pass (plain) smtp.auth=joe@a.example\n', 'QMAILAUTHENTICATED: on')
    tap.equal(first(login() + mail(), env={'QMAILAUTHENTICATED': 'x=y'}, control=ON, **checker),
              'id.example;\n\tx=y;\n\tauth=pass (plain) smtp.auth=joe@a.example\n', '  to something')
    tap.equal(first(mail(), env={'QMAILAUTHENTICATED': 'x=y'}), 'mx.example;\n\tx=y\n', '  no AUTH')
    ours = 'auth=pass (plain) smtp.auth=joe@a.example'
    for size, before in ((2000 - len('; ' + ours), True), (2001 - len('; ' + ours), False)):
        want = '\tx=%s;\n' % ('y' * (size - 2)) if before else ''
        tap.equal(first(login() + mail(), env={'QMAILAUTHENTICATED': 'x=' + 'y' * (size - 2)},
                        control=ON, **checker), 'id.example;\n%s\t%s\n' % (want, ours),
                  '  what is too long leaves room for ours: %d' % size)
    for user, value in (('joe; spf=pass', ' smtp.auth="joe; spf=pass"'), ('a"b\\c', ' smtp.auth="a\\"b\\\\c"'),
                        ('a\r\nBcc: x', ''), ('\xe4', ''), ('x' * 257, ''), ('(', ' smtp.auth="("')):
        tap.equal(first(login(user) + mail(), control=ON, **checker),
                  'id.example;\n\tauth=pass (plain)%s\n' % value, 'a user %.20r' % user)
    tap.equal(first(login() + mail(), control={**ON, 'hideip': '2\n'}, **checker),
              'id.example;\n\tauth=pass (plain)\n', 'a user who is hidden')
    tap.equal(Session(login() + mail() + mail(), control=ON, **checker).results,
              ['id.example;\n\tauth=pass (plain) smtp.auth=joe@a.example\n'] * 2, 'two messages')


def test_spf():
    spf = {**ON, 'spfbehavior': '1\n'}
    tap.equal(first(mail(), control={'spfbehavior': '1\n'}), None, 'SPF, off')
    tap.equal(first(mail(), control=spf),
              'id.example;\n\tspf=pass (mx.example: SPF record at pass.example designates 192.0.2.7 '
              'as permitted sender) smtp.mailfrom=u@pass.example\n', 'SPF')
    got = first(mail('"a; (b\\" "@fail.example'), control=spf)
    tap.ok(re.fullmatch(r'id\.example;\n\tspf=fail \(mx\.example: [^()]*\) '
                        r'smtp\.mailfrom="a; \(b\\" @fail\.example"\n', got), '  a sender in quotes', got)
    got = first('HELO helo.example\r\n' + mail(''), control=spf)
    tap.ok(re.fullmatch(r'id\.example;\n\tspf=fail \([^()]*\) smtp\.helo=helo\.example\n', got),
           '  no sender', got)
    got = first('HELO helo.example\r\n' + mail(), control=spf)
    tap.ok(got.endswith(' smtp.helo=helo.example\n'), '  the name has failed', got)
    got = first('HELO x envelope-from="y\r\n' + mail(''), control=spf)
    tap.ok(re.fullmatch(r'id\.example;\n\tspf=\w+ \([^()]*\) smtp\.helo="x envelope-from=\\"y"\n', got),
           '  an odd name', got)
    got = first(mail('u@odd.example'), control=spf)
    tap.ok(re.fullmatch(r'id\.example;\n\tspf=permerror \([^()]*\) smtp\.mailfrom=u@odd\.example\n', got),
           '  a record that is wrong', got)
    got = Session(mail() + mail('u@fail.example') + mail('u@none.example'), control=spf).results
    tap.equal([re.search(r'spf=(\w+)', text).group(1) for text in got], ['pass', 'fail', 'none'],
              'each message its own')


def test_plugin():
    """A plug-in's results: on from the message that has them."""
    spp = {'ENABLE_SPP': '1'}
    forged = 'Authentication-Results: mx.example; auth=pass\r\n'
    listed = {'smtpplugins': '[mail]\n:case $SMTPMAILFROM in p*) echo SQMAILAUTHENTICATED=x=y ;; '
                             'e*) echo SQMAILAUTHENTICATED= ;; q*) echo UQMAILAUTHENTICATED ;; esac\n'}
    body = forged + OTHERS + BODY
    got = Session(''.join(mail(who + '@pass.example', body) for who in 'upq'), env=spp, control=listed)
    tap.equal(got.results, [None, 'mx.example;\n\tx=y\n', None], "a plug-in's results")
    tap.equal([forged.replace('\r', '') in text for text in got.messages], [True, False, False],
              '  none of a stranger beside them')
    tap.equal([OTHERS.replace('\r', '') + STORED in text for text in got.messages], [True] * 3,
              '  all else stays')
    got = Session(mail('e@pass.example', body), env=spp, control=listed)
    tap.ok(len(got.messages) == 1 and forged.replace('\r', '') not in got.messages[0],
           '  set to nothing', got.messages)
    got = Session(mail('p@pass.example', body), env=spp,
                  control={**listed, 'me': 'a b\n', 'smtpgreeting': 'x\n'})
    tap.equal((got.said[-2], got.messages), ('421 unable to read controls (#4.3.0)', []), '  an odd me')
    tap.ok(']: unable to read control/me: invalid argument\n' in got.log, '  in the log', got.log)


def test_trouble():
    quiet, loud = Session(mail()).log, Session(mail(), env={'QMAILAUTHENTICATED': 'x=y'}).log
    tap.equal((quiet, loud), ('', ''), 'QMAILAUTHENTICATED: nothing in the log')
    for value, why in ((True, 'is a directory'), (False, 'access denied'), ('a b\n', 'invalid argument'),
                       (netserver.NOWHERE, 'file does not exist'), ('x' * 256, 'invalid argument')):
        got = Session(mail(), control={'authservid': value})
        tap.equal((got.said[0], got.messages), ('421 unable to read controls (#4.3.0)', []),
                  'authservid: unreadable')
        tap.ok(']: unable to read control/authservid: %s\n' % why in got.log, 'authservid: log', got.log)
    show = QUEUE + '/show'
    with open(show, 'w') as file:
        file.write('#!/bin/sh\necho "${QMAILAUTHENTICATED-unset}" >%s/out/seen; exit 31\n' % QUEUE)
    os.chmod(show, 0o755)
    for env, control, want in (({}, None, 'unset'), ({'QMAILAUTHENTICATED': 'x=y'}, None, 'x=y'),
                               ({}, ON, 'unset')):
        Session(mail(), env={'QMAILQUEUE': show, **env}, control=control)
        with open(QUEUE + '/out/seen', encoding='ascii') as file:
            tap.equal(file.read(), want + '\n', 'a filter sees it')


def main():
    names = Dns(ZONE)
    return netserver.run((test_queue, test_cost, test_stranger, test_login, test_spf, test_plugin,
                          test_trouble), names)


sys.exit(main())
