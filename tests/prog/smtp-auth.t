#!/usr/bin/python3
"""AUTH of qmail-smtpd as a black box: mechanisms, argument styles, checkers of every kind."""
import base64
import hmac
import os
import pwd
import re
import smtplib
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
from netserver import QUEUE, queued, set_up, tear_down
import procmem
import tap

CHECKER = QUEUE + '/checker'
SECRET = 'Correct horse!'
GIVEN = QUEUE + '/given'
LOGS = []


def write_checker():
    """Says yes to SECRET by running its arguments, and obeys `exit N` and `kill N`; keeps what it
    was given.  The digest of CRAM-MD5 it believes."""
    os.mkdir(GIVEN)
    os.chmod(GIVEN, 0o777)
    with open(CHECKER, 'w') as file:
        file.write('#!/bin/bash\nf=%s/$$; cat <&3 >$f.part; mv $f.part $f\n'
                   'secret=$(tr "\\0" "\\n" <$f | sed -n 2p)\n'
                   'readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 >$f.fds\n'
                   '(cd /proc/$$/fd && ls) | tr "\\n" " " >>$f.fds\n'
                   'case $secret in\n'
                   '"%s"|"<"*|[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]*) exec "$@" ;;\n'
                   'exit*) exit "${secret#exit }" ;;\n'
                   'kill*) kill -"${secret#kill }" $$ ;;\n'
                   'busy*) exit 111 ;;\n'
                   'hold*) cat %s/fifo; exit 0 ;;\n'
                   'noise*) echo garbage; echo 250 ok; echo garbage >&2; exit 0 ;;\n'
                   'esac\nexit 1\n' % (GIVEN, SECRET, QUEUE))
    os.chmod(CHECKER, 0o755)


def given():
    """What checkers were given since the last call."""
    found = []
    for name in sorted(os.listdir(GIVEN)):
        with open(GIVEN + '/' + name, 'rb') as file:
            found += [file.read()] if '.' not in name else []
        os.unlink(GIVEN + '/' + name)
    return found


class Server(netserver.Server):
    def __init__(self, args=(CHECKER, 'true'), env=None, **options):
        self.log = tempfile.TemporaryFile()
        super().__init__('qmail-smtpd', args=args, err=options.pop('err', self.log), env=env,
                         **options)

    def logged(self):
        self.log.seek(0)
        text = self.log.read().decode('latin-1')
        LOGS.append(text)
        return text


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode('latin-1')).decode()


def plain(user, secret, act_as=''):
    return b64('%s\0%s\0%s' % (act_as, user, secret))


GOOD = 'AUTH PLAIN %s\r\n' % plain('joe', SECRET)


def talk(script, **options):
    """Sends it all at once.  Returns the lines after the greeting, without what EHLO says."""
    server = Server(**options)
    reply, code = netserver.exchange(server, script)
    server.logged()
    return reply.split('\r\n')[1:-1], code


def ehlo(**options):
    lines, _ = talk('EHLO x\r\nQUIT\r\n', **options)
    return [line for line in lines if 'AUTH' in line]


def together(scripts):
    """{name: script}, each to a server of its own: refusals take their time, and may all take it at
    once.  {name: (lines, exit code, seconds, log)}"""
    servers, got = {}, {}
    for name in scripts:
        servers[name] = Server()
        servers[name].until(rb'\n')     # it has read its control files; the next one replaces them

    def one(name):
        begun = time.monotonic()
        reply, code = netserver.exchange(servers[name], scripts[name])
        got[name] = (reply.split('\r\n')[:-1], code, time.monotonic() - begun,
                     servers[name].logged())
    threads = [threading.Thread(target=one, args=(name,)) for name in scripts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_offer():
    both, cram, old = '250-AUTH LOGIN PLAIN', '250-AUTH CRAM-MD5', 'LOGIN CRAM-MD5 PLAIN'
    rows = [(None, [both], False), ('', [both], False), ('-', [], False), ('0', [], False),
            ('!', [both], True), ('cram', [cram], False), ('CRAM-md5', [cram], False),
            ('+cram', [both + ' CRAM-MD5'], False), ('!cram', [cram], True),
            ('!+cram', [both + ' CRAM-MD5'], True), ('1', [both], False), ('!x', [both], False)]
    for value, want, required in rows:
        tap.equal(ehlo(env={'SMTPAUTH': value}), want, 'SMTPAUTH=%s' % value)
        lines, _ = talk('MAIL FROM:<a@b>\r\n', env={'SMTPAUTH': value})
        tap.equal(lines, ['530 Authorization required (#5.7.1) ' if required else '250 ok'],
                  'MAIL without AUTH, SMTPAUTH=%s' % value)
    host = ('mx.example.org', CHECKER, 'true')
    tap.equal(ehlo(args=host), ['250-AUTH ' + old, '250-AUTH=' + old], 'host style')
    tap.equal(ehlo(args=host, env={'ALLOW_CRAM': '0'}), [both, '250-AUTH=LOGIN PLAIN'],
              'host style, ALLOW_CRAM=0')
    for name in ('REQUIRE_AUTH', 'REQUIREAUTH'):
        tap.equal(talk('MAIL FROM:<a@b>\r\n', env={name: '1'})[0][0][:3], '530', name + '=1')
        tap.equal(talk('MAIL FROM:<a@b>\r\n', env={name: '0'})[0][0][:3], '250', name + '=0')
    tap.equal(talk('MAIL FROM:<>\r\n', env={'SMTPAUTH': '!', 'RELAYCLIENT': ''})[0][0][:3], '530',
              'RELAYCLIENT does not make up for it')


def test_styles():
    """The command lines of old scripts; what would let everybody in lets nobody in."""
    good = 'EHLO x\r\n' + GOOD
    os.mkdir(QUEUE + '/bin')
    os.symlink(CHECKER, QUEUE + '/bin/vchkpw')
    path = QUEUE + '/bin:/usr/bin:/bin'
    rows = [  # arguments, environment, reply to a good login
        ((), {}, '502'), ((CHECKER,), {}, '502'),
        ((CHECKER, '/bin/true'), {}, '235'), (('vchkpw', '/bin/true'), {}, '235'),
        (('vchkpw', 'true'), {}, '235'), ((CHECKER, 'sh', '-c', 'exit 0'), {}, '235'),
        (('mx.example', CHECKER, 'true'), {}, '235'), (('mx.example', 'vchkpw', 'true'), {}, '235'),
        (('localhost', 'vchkpw', '/bin/true', 'x'), {}, '235'),
        # true(1) as the checker
        (('vchkpw', '/bin/true', 'x'), {}, '503'), (('mx.example', '/bin/true', 'x'), {}, '503'),
        (('true', 'x'), {}, '503'), (('/bin/true', 'x', 'y'), {}, '503'),
        (('vchkpw', 'sh', '-c', 'exit 0'), {}, '503'), (('vchkpw', 'vchkpw', 'true'), {}, '503'),
        (('vchkpw', 'true'), {'SMTPAUTHARGS': 'host'}, '502'),
        (('vchkpw', 'true', 'x'), {'SMTPAUTHARGS': 'host'}, '503'),
        # it says yes without reading
        ((QUEUE + '/bin/yes', 'x'), {}, '454'), (('sh', '-c', 'exit 0'), {'SMTPAUTHARGS': 'plain'},
                                                 '454'),
        # told which
        (('vchkpw', 'sh', '-c', 'exit 0'), {'SMTPAUTHARGS': 'plain'}, '235'),
        (('vchkpw', 'vchkpw', 'true'), {'SMTPAUTHARGS': 'host'}, '235'),
        (('vchkpw', 'true', '/nowhere', 'true'), {'SMTPAUTHARGS': 'pair'}, '235'),
        (('/nowhere/x', 'true', 'vchkpw', 'true'), {'SMTPAUTHARGS': 'pair'}, '454'),
        (('true', 'true', 'vchkpw', 'true'), {'SMTPAUTHARGS': 'pair'}, '503'),
    ]
    os.symlink('/bin/true', QUEUE + '/bin/yes')
    for args, env, want in rows:
        lines, _ = talk(good, args=args, env={'PATH': path, **env})
        tap.equal(lines[-1][:3], want, '%s %s' % (' '.join(args), env))
        if want in ('502', '503'):
            tap.ok('AUTH' not in ' '.join(lines[:-1]), 'and not offered', lines)
            tap.ok((want == '503') == ('qmail-smtpd: warning: no AUTH: ' in LOGS[-1]),
                   'and in the log' if want == '503' else 'nothing in the log', LOGS[-1])
    for args, env in (((), {'REQUIRE_AUTH': '1'}), ((), {'REQUIREAUTH': ''}),
                      ((CHECKER,), {'SMTPAUTH': '!'}),
                      ((CHECKER,), {'SMTPAUTH': '!CRAM'}), ((CHECKER,), {'SMTPAUTH': '!+cram'}),
                      ((), {'SMTPAUTH': '-', 'REQUIRE_AUTH': '1'}),
                      ((CHECKER,), {'REQUIRE_AUTH': '1'}),
                      (('/bin/true', 'x'), {'SMTPAUTH': '!'}), (('vchkpw', 'vchkpw', 'true'),
                                                                {'SMTPAUTH': '!'}),
                      ((CHECKER, 'true'), {'SMTPAUTHARGS': 'host', 'SMTPAUTH': '!'})):
        lines, _ = talk('%sMAIL FROM:<a@b>\r\nRCPT TO:<u@far.example>\r\n' % GOOD, args=args,
                        env={'PATH': path, 'RELAYCLIENT': '', **env})
        tap.equal(lines, ['503 auth not available (#5.3.3)', '530 Authorization required (#5.7.1) ',
                          '503 MAIL first (#5.5.1)'], 'required, and no checker: %s %s'
                          % (args, env))
        if env.get('SMTPAUTH') != '-':
            tap.ok('qmail-smtpd: warning: no AUTH: ' in LOGS[-1], 'in the log', LOGS[-1])
    for args, env in ((('vchkpw', 'true'), {'SMTPAUTH': '-'}), ((), {'SMTPAUTH': '0'})):
        tap.equal(talk(GOOD, args=args, env=env)[0], ['503 auth not available (#5.3.3)'],
                  'switched off')


def test_mechanisms():
    def login(*answers):
        return 'AUTH LOGIN\r\n' + ''.join(b64(answer) + '\r\n' for answer in answers)
    rows = [
        ('PLAIN', 'AUTH PLAIN\r\n%s\r\n' % plain('joe', SECRET), ['334 '], b'joe'),
        ('PLAIN at once', GOOD, [], b'joe'),
        ('any case, blanks', 'auth  plain  %s\r\n' % plain('joe', SECRET), [], b'joe'),
        ('for oneself', 'AUTH PLAIN %s\r\n' % plain('joe', SECRET, 'joe'), [], b'joe'),
        ('LOGIN', login('joe', SECRET), ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6'], b'joe'),
        ('LOGIN at once', 'AUTH LOGIN %s\r\n%s\r\n' % (b64('joe'), b64(SECRET)),
         ['334 UGFzc3dvcmQ6'], b'joe'),
        ('odd bytes', login('j e\xff', SECRET), ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6'],
         b'j e\xff'),
        ('LF ends lines', 'AUTH PLAIN\n%s\n' % plain('joe', SECRET), ['334 '], b'joe'),
    ]
    for name, script, asked, user in rows:
        given()
        lines, code = talk(script + 'QUIT\r\n')
        tap.equal((lines, code), (asked + ['235 ok, go ahead (#2.0.0)', '221 mx.example'], 0), name)
        tap.equal(given(), [user + b'\0' + SECRET.encode() + b'\0\0'], 'what the checker is given')
    for order in (None, 'challenge'):
        server = Server(env={'SMTPAUTH': 'cram', 'SMTPAUTH_CRAMORDER': order})
        server.until(rb'\n')
        server.send('AUTH CRAM-MD5\r\n')
        challenge = base64.b64decode(server.until(rb'\n')[4:])
        tap.ok(re.fullmatch(rb'<[0-9a-f]{32}\.\d+@mx\.example>', challenge), 'challenge', challenge)
        digest = hmac.new(b'x', challenge, 'md5').hexdigest().encode()
        server.send(b64(b'j x ' + digest) + '\r\n')
        tap.equal(server.until(rb'\n'), '235 ok, go ahead (#2.0.0)\r\n', 'CRAM-MD5')
        server.end()
        fields = [digest, challenge] if order is None else [challenge, digest]
        tap.equal(given(), [b'\0'.join([b'j x'] + fields) + b'\0'], 'order of fields: %s' % order)
    tap.ok('AUTH successful [192.0.2.7] joe\n' in ''.join(LOGS), 'logged', LOGS[-5:])


def test_cram_host():
    server = Server(args=('pop.example.org', CHECKER, 'true'))
    server.until(rb'\n')
    server.send('AUTH CRAM-MD5\r\n')
    tap.ok(base64.b64decode(server.until(rb'\n')[4:]).endswith(b'@pop.example.org>'),
           'the challenge has the host of the arguments')
    server.end()


def test_bad_input():
    malformed = '501 malformed auth input (#5.5.4)'
    cancelled = '501 auth exchange canceled (#5.0.0)'
    rows = [
        ('AUTH PLAIN\r\n*\r\n', ['334 ', cancelled]),
        ('AUTH LOGIN\r\n*\r\n', ['334 VXNlcm5hbWU6', cancelled]),
        ('AUTH LOGIN am9l\r\n*\r\n', ['334 UGFzc3dvcmQ6', cancelled]),
        ('AUTH PLAIN *\r\n', [malformed]), ('AUTH PLAIN =\r\n', [malformed]),
        ('AUTH LOGIN =\r\n\r\n', ['334 UGFzc3dvcmQ6', malformed]),
        ('AUTH LOGIN am9l\r\n\r\n', ['334 UGFzc3dvcmQ6', malformed]),
        ('AUTH PLAIN\r\n\r\n', ['334 ', malformed]),
        ('AUTH', ['504 auth type invalid (#5.5.1)']),
        ('AUTH ', ['504 auth type invalid (#5.5.1)']),
        ('AUTH GSSAPI\r\n', ['504 auth type invalid (#5.5.1)']),
        ('AUTH CRAM-MD5\r\n', ['504 auth type invalid (#5.5.1)']),
        ('AUTH PLAI\r\n', ['504 auth type invalid (#5.5.1)']),
        ('AUTH PLAIN\0\r\n', ['504 auth type invalid (#5.5.1)']),
        ('AUTH PLAIN am9l\0\r\n', [malformed]), ('AUTH PLAIN \xff\xff\xff\xff\r\n', [malformed]),
        ('AUTH PLAIN am9l am9l\r\n', [malformed]), ('AUTH PLAIN am9\r\n', [malformed]),
        ('AUTH PLAIN\r\nam9l\0\r\n', ['334 ', malformed]),
        ('MAIL FROM:<>\r\n' + GOOD, ['250 ok', '503 no auth during mail transaction (#5.5.0)']),
        (GOOD + GOOD, ['235 ok, go ahead (#2.0.0)', "503 you're already authenticated (#5.5.0)"]),
        ('MAIL FROM:<> REQUIRETLS\r\n', ['555 parameter not known or malformed (#5.5.4)']),
        ('MAIL FROM:<> AUTH=<>\r\n', ['250 ok']), ('MAIL FROM:<> AUTH=a+40b\r\n', ['250 ok']),
        ('MAIL FROM:<> AUTH=a=b\r\n', ['555 parameter not known or malformed (#5.5.4)']),
    ]
    for raw in (b'', b'\0', b'joe', b'\0joe', b'\0joe\0', b'\0\0x', b'joe\0x', b'\0joe\0x\0',
                b'joe\0' + SECRET.encode() + b'\0', b'\0\0\0\0'):
        rows.append(('AUTH PLAIN %s\r\n' % (b64(raw) or '='), [malformed]))
    for user, secret in (('', 'x'), ('a\0b', 'x'), ('a', 'x\0y')):
        rows.append(('AUTH LOGIN\r\n%s\r\n%s\r\n' % (b64(user), b64(secret)),
                     ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', malformed]))
    given()
    for script, want in rows:
        lines, _ = talk(script + ('\r\n' if not script.endswith('\r\n') else ''))
        tap.equal(lines, want, 'bad input: %r' % script[:40])
    tap.equal(len(given()), 1, 'the checker has seen the good one only')
    lines, _ = talk('MAIL FROM:<> AUTH=<>\r\n', args=())
    tap.equal(lines[0][:3], '555', 'no AUTH= without AUTH')
    for text in ('x' * 32, '0' * 31 + 'G', 'A' * 32, 'joe ' + '0' * 31, 'joe ' + '0' * 33,
                 ' ' + '0' * 32,
                 'joe\0 ' + '0' * 32, 'joe'):
        lines, _ = talk('AUTH CRAM-MD5\r\n%s\r\n' % b64(text), env={'SMTPAUTH': 'cram'})
        tap.equal(lines[1:], [malformed], 'CRAM-MD5: %r' % text)
    lines, _ = talk('AUTH CRAM-MD5 %s\r\n' % b64('x'), env={'SMTPAUTH': 'cram'})
    tap.equal(lines, [malformed], 'CRAM-MD5 with an initial response')


def test_sizes():
    def answer(size):
        return talk('AUTH PLAIN\r\n%s\r\nNOOP\r\n' % ('A' * (size - 2)))[0][1:]
    tap.equal(answer(12288), ['501 malformed auth input (#5.5.4)', '250 ok'],
              'a line of 12288 bytes')
    tap.equal(answer(12289), ['500 auth line too long (#5.5.6)', '250 ok'], 'of 12289')
    tap.equal(answer(5000000), ['500 auth line too long (#5.5.6)', '250 ok'], 'of 5 million')
    tap.equal(talk('AUTH PLAIN %s\r\nNOOP\r\n' % ('A' * 2035))[0],
              ['501 malformed auth input (#5.5.4)', '250 ok'], 'a command of 2048 bytes')
    tap.equal(talk('AUTH PLAIN %s\r\nNOOP\r\n' % ('A' * 2036))[0],
              ['500 command line too long (#5.5.2)', '250 ok'], 'of 2049')
    for size, want in ((512, '235'), (513, '501')):
        user = 'j' * (size - len(SECRET) - 3)
        given()
        lines, _ = talk('AUTH PLAIN %s\r\n' % plain(user, SECRET))
        tap.equal((lines[0][:3], len(given())), (want, int(want == '235')), 'a login of %d bytes'
                  % size)


def spoiled(text):
    """What is nearly this base64, and none."""
    return [text[:-1], text + 'A', text + '=', text[1:], text[:3] + '=' + text[4:], text[:2] + '*'
            + text[3:],
            text[:2] + '-' + text[3:], text + '====', text[:4] + ' ' + text[4:]] + \
        ([text.rstrip('=')] if '=' in text else [])


def test_base64():
    """Each step of each mechanism: texts with every padding, and what is spoiled about them."""
    malformed, good = '501 malformed auth input (#5.5.4)', '235 ok, go ahead (#2.0.0)'
    steps = [('PLAIN', 'AUTH PLAIN %s\r\n', '\0%s\0' + SECRET, ''),
             ('PLAIN, asked', 'AUTH PLAIN\r\n%s\r\n', '\0%s\0' + SECRET, ''),
             ('LOGIN', 'AUTH LOGIN %s\r\n', '%s', b64(SECRET) + '\r\n'),
             ('LOGIN, asked', 'AUTH LOGIN\r\n%s\r\n', '%s', b64(SECRET) + '\r\n'),
             ('LOGIN, password', 'AUTH LOGIN am9l\r\n%s\r\n', '<%s', ''),
             ('CRAM-MD5', 'AUTH CRAM-MD5\r\n%s\r\n', '%s ' + 'a' * 32, '')]
    for name, line, text, rest in steps:
        for user in ('joe', 'anne', 'frank'):
            token = b64(text % user)
            lines, _ = talk(line % token + rest, env={'SMTPAUTH': '+cram'})
            tap.equal(lines[-1], good, 'base64: %s: %s' % (name, token))
            script = ''.join(line % bad + 'NOOP\r\n' for bad in spoiled(token))
            lines, _ = talk(script, env={'SMTPAUTH': '+cram'})
            lines = [got for got in lines if not got.startswith('334')]
            tap.equal(lines, [malformed, '250 ok'] * len(spoiled(token)), 'spoiled')


def cram_answer(user, size):
    """An answer with which the checker is given so many bytes, in all; what comes of it."""
    server = Server(env={'SMTPAUTH': 'cram'})
    server.until(rb'\n')
    server.send('AUTH CRAM-MD5\r\n')
    challenge = base64.b64decode(server.until(rb'\n')[4:])
    name = user * (size - len(challenge) - 32 - 3)
    server.send(b64(name + ' ' + 'a' * 32) + '\r\n')
    answer = server.until(rb'\n')
    server.end()
    return answer[:3]


def test_edges():
    """At, below and above the limits of each mechanism, and `*` at each step."""
    for size, want in ((511, '235'), (512, '235'), (513, '501')):
        given()
        tap.equal((cram_answer('j', size), [len(one) for one in given()]),
                  (want, [size] if want == '235' else []), 'CRAM-MD5: a login of %d bytes' % size)
        user = 'j' * (size - len(SECRET) - 3)
        for script in ('AUTH LOGIN %s\r\n%s\r\n', 'AUTH LOGIN\r\n%s\r\n%s\r\n'):
            lines, _ = talk(script % (b64(user), b64(SECRET)))
            tap.equal((lines[-1][:3], [len(one) for one in given()]),
                      (want, [size] if want == '235' else []),
                      'LOGIN: a login of %d bytes' % size)
        lines, _ = talk('AUTH PLAIN\r\n%s\r\n' % plain(user, SECRET))
        tap.equal((lines[-1][:3], len(given())), (want, int(want == '235')), 'PLAIN: %d' % size)
    steps = [('LOGIN, name', 'AUTH LOGIN\r\n'), ('LOGIN, password', 'AUTH LOGIN am9l\r\n'),
             ('PLAIN', 'AUTH PLAIN\r\n'), ('CRAM-MD5', 'AUTH CRAM-MD5\r\n')]
    malformed = '501 malformed auth input (#5.5.4)'
    cancelled = '501 auth exchange canceled (#5.0.0)'
    long = '500 auth line too long (#5.5.6)'
    for name, script in steps:
        for answer, want in (('*', cancelled), ('**', malformed), ('* ', malformed),
                             (' *', malformed),
                             ('*\0', malformed), ('=', malformed), ('A' * 12287, malformed),
                             ('A' * 12288, long), ('*' * 20000, long)):
            lines, _ = talk(script + answer + '\nNOOP\r\n', env={'SMTPAUTH': '+cram'})
            tap.equal(lines[1:], [want, '250 ok'], '%s: %r' % (name, answer[:9]))
    # 12284 letters are 9213 bytes, which is more than a login may have
    lines, _ = talk('AUTH LOGIN\r\n%s\r\n%s\r\nNOOP\r\n' % (b64('j' * 9213), b64(SECRET)))
    tap.equal(lines[-2:], [malformed, '250 ok'], 'a name as long as a line may be')
    lines, _ = talk('AUTH LOGIN\r\n%s\r\n%s\r\nNOOP\r\n' % (b64('joe'), b64('j' * 9213)))
    tap.equal(lines[-2:], [malformed, '250 ok'], 'and a password')


def test_refusals():
    """What takes 5 seconds each time, at the same time."""
    verdicts = {name: 'AUTH PLAIN %s\r\n' % plain('joe', name) for name, _ in VERDICTS}
    limits = {name: script + 'NOOP\r\n' for name, script in failures().items()}
    crashes = 'AUTH PLAIN %s\r\n' % plain('joe', 'kill 9') * 3 + 'NOOP\r\n'
    busy = 'AUTH PLAIN %s\r\n' % plain('joe', 'exit 111') * 4 + 'NOOP\r\n'
    got = together({**verdicts, **limits, 'crashes': crashes, 'busy': busy})
    check_verdicts(got)
    tap.equal(([line[:3] for line in got['crashes'][0]], got['crashes'][1]), (['454'] * 3 + ['421'],
                                                                              1),
              'three crashes are enough')
    tap.equal([line[:3] for line in got['busy'][0]], ['454'] * 4 + ['250'],
              'a checker that says "not now" may be asked again')
    check_limit({name: got[name] for name in limits})


VERDICTS = [('exit 1', '535'), ('exit 2', '535'), ('exit 3', '535'), ('exit 100', '535'),
            ('exit 111', '454'), ('kill 9', '454'), ('kill 15', '454'), ('kill 11', '454'),
            ('noise!', '235')]


def check_verdicts(got):
    for secret, want in VERDICTS:
        lines, _, took, log = got[secret]
        tap.equal([line[:3] for line in lines], [want], 'checker: ' + secret)
        if want == '535':
            tap.ok(lines == ['535 authentication failed (#5.7.1)'] and took >= 4.9,
                   'its words, and 5 seconds', (lines, took))
            tap.ok(re.fullmatch(r'qmail-smtpd\[\d+\]: AUTH failed \[192\.0\.2\.7\] joe\n', log),
                   'its log', log)
        if want == '454':
            tap.ok(re.fullmatch(r'qmail-smtpd\[\d+\]: AUTH not possible \[192\.0\.2\.7\] -: .*\n',
                                log),
                   'its log', log)
    tap.ok('garbage' in got['noise!'][3], 'what a checker prints is in the log', got['noise!'])


def test_descriptors():
    given()
    server = Server()
    netserver.exchange(server, GOOD)
    name = [n for n in os.listdir(GIVEN) if n.endswith('.fds')][0]
    with open(GIVEN + '/' + name) as file:
        fds = file.read().split('\n')
    tap.ok(fds[0] == '/dev/null' and fds[1] == fds[2] and 'socket' not in ' '.join(fds[:3]),
           'the checker does not hold the connection', fds)
    given()
    server = Server(err=None)
    reply, _ = netserver.exchange(server, 'AUTH PLAIN %s\r\n' % plain('joe', 'noise!'))
    tap.ok('garbage' not in reply and 'qmail-smtpd' not in reply,
           'nothing but replies for the client', reply)


WORDS = ['first-Secret1', 'Second Secret', 'third#Secret']


def failures():
    return {
        'PLAIN': ''.join('AUTH PLAIN %s\r\n' % plain('joe', word) for word in WORDS),
        'for somebody else': ''.join('AUTH PLAIN %s\r\n' % plain('joe', SECRET, 'ann')
                                     for word in WORDS),
        'LOGIN': ''.join('AUTH LOGIN %s\r\n%s\r\n' % (b64('ann@ok.example'), b64(word))
                         for word in WORDS),
        'swapped': ''.join('AUTH LOGIN %s\r\n%s\r\n' % (b64(word), b64('joe@far.example'))
                           for word in WORDS),
        'hostile name': 'AUTH PLAIN %s\r\n' % plain('x\r\n@400 [1.2.3.4]\x1b', 'a b') * 3,
    }


def check_limit(got):
    """Three failed logins end it; what was said is in no log."""
    failed = '535 authentication failed (#5.7.1)'
    enough = '421 too many failed logins, closing (#4.7.0)'
    for name, (lines, code, _, log) in got.items():
        lines = [line for line in lines if not line.startswith('334')]
        tap.equal((lines, code), ([failed] * 3 + [enough], 1), name + ': three are enough')
        tap.equal(log.count('\n'), 3, 'three lines in the log')
        tap.ok(not any(word in log for word in WORDS + [SECRET]), 'no password in it', log)
    tap.ok(got['LOGIN'][3].count('AUTH failed [192.0.2.7] ann@ok.example\n') == 3,
           'a name in one of our domains is shown', got['LOGIN'][3])
    tap.ok('AUTH failed [192.0.2.7] joe\n' in got['PLAIN'][3], 'one that cannot be a password, too',
           got['PLAIN'][3])
    tap.ok('x??@400?[1.2.3.4]?' in got['hostile name'][3], 'strange bytes are replaced',
           got['hostile name'][3])


def test_relay():
    script = 'EHLO me\r\n%sRSET\r\nMAIL FROM:<a@b.example> AUTH=evil\r\n' \
        'RCPT TO:<u@far.example>\r\nDATA\r\nDate: x\r\nMessage-ID: <x>\r\n\r\nhi\r\n.\r\n'
    env_file = QUEUE + '/env'
    for secret, code in ((SECRET, '250'), ('exit 111', '553')):
        login = 'AUTH PLAIN %s\r\n' % plain('joe', secret)
        lines, _ = talk(script % login, env={'TCPREMOTEINFO': 'ident'})
        tap.ok(any(line.startswith(code) and 'ok 1' not in line for line in lines[5:]),
               'RCPT after %s' % secret, lines)
        messages = queued()
        if code == '250':
            tap.ok(re.match(rb'Received: from client.example \(HELO me\) \(joe@192.0.2.7\)\n'
                            rb'  by mx.example with ESMTPA; ', messages[0][0]), 'Received',
                            messages)
            tap.equal(messages[0][1], b'Fa@b.example\0Tu@far.example\0\0', 'envelope')
        else:
            tap.equal(messages, [], 'nothing is queued')
    filter_program = QUEUE + '/filter'
    with open(filter_program, 'w') as file:
        file.write('#!/bin/sh\nenv | sort >%s\nexec %s\n' % (env_file, netserver.STUB))
    os.chmod(filter_program, 0o755)
    os.chmod(QUEUE, 0o777)
    talk(script % GOOD, env={'QMAILQUEUE': filter_program, 'TCPREMOTEINFO': 'ident'})
    with open(env_file) as file:
        env = dict(line.rstrip('\n').split('=', 1) for line in file if '=' in line)
    tap.equal([env.get(name) for name in ('RELAYCLIENT', 'TCPREMOTEINFO', 'SMTP_AUTH_USER',
                                          'SMTPAUTHUSER',
                                          'SMTPAUTHMETHOD')], ['', 'joe', 'joe', 'joe', 'plain'],
              'the environment of what comes later')
    tap.ok(not any(SECRET in value or plain('joe', SECRET) in value for value in env.values()),
           'no password in it', env)
    lines, _ = talk('HELO me\r\n' + (script % GOOD).split('\r\n', 1)[1])
    tap.ok(b' with SMTP; ' in queued()[0][0], 'after HELO it is SMTP', queued())


def test_plugin():
    """Plug-ins of [auth] run when the login is right, and have the last word."""
    def login(words, more='MAIL FROM:<a@b>\r\nRCPT TO:<u@no.example>\r\n', before='true', **env):
        lines, _ = talk('EHLO x\r\n' + GOOD + more + 'QUIT\r\n', env={'ENABLE_SPP': '1', **env},
                        control={'smtpplugins': '[connection]\n:%s\n[auth]\n:%s\n' % (
                            before, words)})
        return [line for line in lines if not line.startswith(('250-', '250 8', '250 SIZE'))][:-1]
    tap.equal(login('true')[0][:3], '235', 'a plug-in that says nothing')
    got = login('echo E535 not $SMTPAUTHUSER by $SMTPAUTHMETHOD')
    tap.equal((got[0], got[-1][:3]), ('535 not joe by plain', '553'),
              'one that refuses: no relaying')
    got = login('test -z "$SMTPAUTHUSER" && echo E535 no name')
    tap.equal((got[0][:3], got[-1]), ('235', '250 ok'), 'accepted: relaying')
    for client, plug_in, want in (('', 'true', '250'), ('', 'echo URELAYCLIENT', '553'),
                                  (None, 'echo SRELAYCLIENT=', '250'), (None, 'true', '553')):
        got = login('echo E535 no', before=plug_in, RELAYCLIENT=client)
        tap.equal((got[0][:3], got[-1][:3]), ('535', want),
                  'one that refuses: relaying as before AUTH, %r, %s' % (client, plug_in))
    got, _ = talk('EHLO x\r\nAUTH PLAIN %s\r\nQUIT\r\n' % plain('joe', 'wrong'),
                  env={'ENABLE_SPP': '1'},
                  control={'smtpplugins': '[auth]\n:touch %s/ran; echo E535 plug-in\n' % QUEUE})
    tap.ok('535 plug-in' not in got and not os.path.exists(QUEUE + '/ran'),
           'a wrong login never gets there', got)


def test_submission():
    """Whom an authenticated client may say it is, and what is added to its mail."""
    def send(login, sender, **options):
        return talk('EHLO x\r\n%sMAIL FROM:<%s>\r\nRCPT TO:<u@far.example>\r\nDATA\r\nTo: u\r\n'
                    '\r\nhi\r\n.'
                    '\r\n' % ('AUTH PLAIN %s\r\n' % plain(login, SECRET) if login else '', sender),
                    **options)[0][-1]
    own = {'submitsenders': 'joe:joe@a.example\njoe:@b.example\n'}
    for login, sender, want in (('joe', 'joe@a.example', '250 ok'),
                                ('joe', 'x@b.example', '250 ok'),
                                ('joe', '', '250 ok'), ('ann', 'ann', '250 ok')):
        tap.equal(send(login, sender, control=own)[:6], want, '%s as %r' % (login, sender))
        tap.equal(len(queued()), 1, 'queued')
    refused = '553 this login may not use that sender address (#5.7.1)'
    lines, _ = talk('%sMAIL FROM:<ann@a.example>\r\nRCPT TO:<u@far.example>\r\n' % GOOD,
                    control=own)
    tap.equal(lines[1:], [refused, '503 MAIL first (#5.5.1)'], 'joe as ann')
    lines, _ = talk(GOOD + 'MAIL FROM:<joe@x>\r\n', env={'FORCEAUTHMAILFROM': '1'})
    tap.equal(lines[1:], ['503 from and auth not the same (#5.5.1)'], 'FORCEAUTHMAILFROM')
    lines, code = talk(GOOD + 'MAIL FROM:<joe@x>\r\n', control={'submitsenders': True})
    tap.equal((lines[1:], code), (['421 unable to read controls (#4.3.0)'], 1),
              'unreadable submitsenders')
    lines, _ = talk('MAIL FROM:<joe@x>\r\n', control={'submitsenders': True})
    tap.equal(lines, ['250 ok'], 'nobody else is asked')
    send('joe', 'joe@a.example')
    tap.ok(re.fullmatch(rb'Received: .*\n  by .*\nTo: u\nDate: \d+ \w+ \d+ [\d:]+ -0000\n'
                        rb'Message-ID: <[^ <>@]+@mx\.example>\n\nhi\n', queued()[0][0]),
                        'Date and Message-ID',
           queued())
    send('', 'joe@a.example', env={'RELAYCLIENT': ''})
    tap.ok(queued()[0][0].endswith(b'\nTo: u\n\nhi\n'), 'not for others', queued())
    reply = send('joe', 'x@x', control={'databytes': '11\n'})
    tap.equal(reply[:6], '250 ok', 'what is added does not count')


def test_clear_channel():
    want = '538 auth not available without TLS (#5.3.3)'
    certificate = {'servercert.pem': 'x'}
    for env, control, refused in (
            ({}, certificate, True), ({'FORCETLS': '1'}, certificate, True),
            ({'FORCETLS': '0'}, certificate, False), ({'ALLOW_INSECURE_AUTH': '1'}, certificate,
                                                      False),
            ({'ALLOW_INSECURE_AUTH': '0'}, certificate, True),
            ({'TCPREMOTEIP': '127.0.0.9'}, certificate, False),
            ({'TCPREMOTEIP': '::1'}, certificate, False),
            ({'TCPREMOTEIP': '::ffff:127.0.0.1'}, certificate, False),
            ({'TCPREMOTEIP': '128.0.0.1'}, certificate, True), ({}, {}, False),
            # the certificate is gone
            ({'FORCE_TLS': '1'}, {}, True), ({'FORCE_TLS': ''}, {}, True),
            ({'FORCE_TLS': '0'}, {}, False), ({'FORCE_TLS': '1', 'FORCETLS': '0'}, {}, False),
            ({'FORCE_TLS': '1', 'ALLOW_INSECURE_AUTH': '1'}, {}, False),
            ({'FORCE_TLS': '1', 'TCPREMOTEIP': '127.0.0.9'}, {}, False)):
        lines, _ = talk('EHLO x\r\n' + GOOD, env=env, control=control)
        offered = any(line.startswith('250-AUTH') for line in lines)
        tap.equal((lines[-1] == want, offered), (refused, not refused),
                  'clear channel: %s %s' % (env, list(control)))


def test_shown():
    """While the checker runs nobody can see a password: not in arguments, not in an environment."""
    os.mkfifo(QUEUE + '/fifo')
    for method, script in (('PLAIN', 'AUTH PLAIN %s\r\n' % plain('joe', 'hold Xyzzy-9')),
                           ('LOGIN', 'AUTH LOGIN am9l\r\n%s\r\n' % b64('hold Xyzzy-9'))):
        server = Server()
        server.until(rb'\n')
        server.send(script)
        with open(QUEUE + '/fifo', 'w'):        # once the checker reads it
            tap.equal(procmem.shown(b'Xyzzy-9', script.split()[-1].encode()[:-4]), [],
                      'shown to nobody: ' + method)
            tap.equal(procmem.shown(CHECKER.encode()) != [], True, 'though there is a checker')
        tap.ok('235' in server.until(rb'235'), 'its answer counts')
        tap.equal(procmem.shown(b'Xyzzy-9'), [], 'nor later')
        server.end()


def test_secret():
    """Once AUTH is over, what was said is nowhere in memory."""
    for script in ('AUTH PLAIN %s\r\n', 'AUTH PLAIN\r\n%s\r\n'):
        secret = 'Xyzzy %d secret' % time.time_ns()
        server = Server(args=(CHECKER, 'true'))
        server.until(rb'\n')
        token = plain('joe', 'busy ' + secret)
        server.send(script % token)
        server.until(rb'454')
        found = [line for line, data in procmem.parts(server.process.pid)
                 if secret.encode() in data or token[8:-4].encode() in data]
        tap.equal(found, [], 'wiped: %r' % script)
        server.end()


def test_smtplib():
    """A client of others, each mechanism."""
    for method in ('PLAIN', 'LOGIN', 'CRAM-MD5'):
        server = Server(env={'SMTPAUTH': '+cram'})
        client = smtplib.SMTP()
        client.sock = server.socket
        client.file = None
        client.getreply()
        client.ehlo('x')
        client.user, client.password = 'joe', SECRET
        tap.equal(client.auth(method, getattr(client, 'auth_'
                                              + method.lower().replace('-', '_')))[0], 235,
                  'smtplib: ' + method)
        client.quit()
        server.process.wait(30)


def test_log_styles():
    """A refusal in each style; what the client has said for a name is in the line of AUTH
    alone, and where s/qmail has it."""
    script = 'EHLO x y\r\nAUTH PLAIN %s\r\nAUTH NONE\r\n' % plain('joe\n', 'exit 1')
    server = Server(env={'QMAILSMTPD_LOG': 'refusal qlog sqmail'})
    netserver.exchange(server, script)
    lines = server.logged().splitlines()
    tap.equal(len(lines), 7, 'a line for each style, and one for the login')
    for got, code, words, name in ((lines[1:4], 535, 'authentication failed (#5.7.1)',
                                    " ?~ 'joe_'"),
                                   (lines[4:7], 504, 'auth type invalid (#5.5.1)', '')):
        tap.equal(got[0], 'qmail-smtpd: auth (%d %s):  from 192.0.2.7 to  helo x_y' % (code, words),
                  'refusal')
        tap.ok(re.fullmatch(
            re.escape('qlogenvelope: result=rejected code=%d reason=auth detail=%s helo=x_y '
                      'mailfrom= rcptto= relay=no rcpthosts=no size= authuser= authtype= '
                      'encrypted= sslverified=no localip=192.0.2.1 localport= '
                      'remoteip=192.0.2.7 remoteport= remotehost=client.example qp= pid='
                      % (code, words.replace(' ', '_'))) + r'\d+', got[1]), 'qlogenvelope', got[1])
        tap.ok(re.fullmatch(r'qmail-smtpd: pid \d+ Reject::AUTH::auth P:ESMTP '
                            r'S:192\.0\.2\.7:client\.example H:x_y F: T:' +
                            re.escape(name), got[2]), 'sqmail', got[2])
    server = Server(env={'QMAILSMTPD_LOG': 'sqmail'})
    netserver.exchange(server, 'AUTH PLAIN %s\r\nMAIL FROM:<a@b>\r\nRCPT TO:<u@far.example>\r\n'
                       '%sMAIL FROM:<a@b>\r\nRCPT TO:<u@far.example>\r\n' %
                       (plain('Secret1', 'joe'), 'RSET\r\n' + GOOD))
    ends = [line.split(' T:')[1] for line in server.logged().splitlines() if ' T:' in line]
    tap.equal(ends, [" ?~ '-'", 'u@far.example', "u@far.example ?~ 'joe'"],
              'sqmail: whose line it is')


def changed(*env, script='', **options):
    """Codes of the replies to AUTH, EHLO, and MAIL and RCPT of two recipients; all that was said;
    the log."""
    server = Server(env=dict(env), **options)
    said, _ = netserver.exchange(
        server, GOOD + 'EHLO x\r\nMAIL FROM:<joe@b.example>\r\nRCPT TO:<u@ok.example>\r\n'
        'RCPT TO:<v@far.example>\r\n' + script)
    return re.findall(r'(?m)^(\d\d\d) ', said)[1:], said, server.logged()


def test_variables():
    """AUTH_SET_ and AUTH_UNSET_, and what is read again because of them."""
    yes = ['235', '250', '250', '250', '250']
    two = ['235', '250', '250', '250', '452']
    tap.equal(changed()[0], yes, 'without')
    tap.equal(changed(('AUTH_SET_MAXRCPT', '1'))[0], two, 'AUTH_SET_: on')
    tap.equal(changed(('AUTH_SET_MAXRCPT', 'x'))[0], yes, 'AUTH_SET_: no number')
    tap.ok('session: ' in changed(('AUTH_SET_QMAILSMTPD_LOG', 'session'))[2], 'AUTH_SET_: log')
    tap.equal(changed(('MAXRCPT', '1'))[0], two, 'a limit')
    tap.equal(changed(('MAXRCPT', '1'), ('AUTH_UNSET_MAXRCPT', ''))[0], yes, 'AUTH_UNSET_: on')
    tap.ok('session: ' not in changed(('QMAILSMTPD_LOG', 'session'),
                                      ('AUTH_UNSET_QMAILSMTPD_LOG', ''))[2], 'AUTH_UNSET_: log')
    tap.equal(changed(('MAXRCPT', '1'), ('AUTH_UNSET_', ''))[0], two, 'AUTH_UNSET_: no name')
    tap.equal(changed(('MAXRCPT', '1'), ('AUTH_UNSET_MAXRCPT', ''), control={'maxrcpt': '1\n'})[0],
              two, 'then the file counts')
    tap.ok('250-SIZE 77\r\n' in changed(('DATABYTES', '5'), ('AUTH_SET_DATABYTES', '77'))[1],
           'DATABYTES')
    no_lists = changed(('AUTH_SET_NOBADHELO', ''), control={'badhelo': '^x$\n'})[0]
    tap.equal(no_lists, yes, 'a list that is off')
    tap.equal(changed(control={'badhelo': '^x$\n'})[0], yes[:3] + ['553', '553'], '  and on')
    said, _ = talk('HELO x\r\n' + GOOD + 'MAIL FROM:<>\r\nRCPT TO:<u@ok.example>\r\n',
                   env={'NOBADHELO': '', 'AUTH_UNSET_NOBADHELO': ''},
                   control={'badhelo': '^x$\n'})
    tap.equal(said[-1][:3], '553', 'a name that was said before')
    tap.equal(changed(('AUTH_UNSET_RELAYCLIENT', ''))[0], yes[:4] + ['553'], 'no right to relay')
    tap.equal(changed(('AUTH_SET_RCPTCHECK', '/nonesuch'), ('AUTH_SET_RCPTCHECKRELAYCLIENT', '1'))[0],
              yes[:3] + ['421'], 'RCPTCHECK')
    codes, said, log = changed(('AUTH_SET_VALIDRCPTTO', '/nonesuch'))
    tap.equal((codes, said.split('\r\n')[1]), (['421'], '421 unable to read controls (#4.3.0)'),
              'a file that cannot be read')
    tap.ok(': unable to read /nonesuch: file does not exist\n' in log, '  in the log', log)
    said, _ = talk('AUTH PLAIN %s\r\nEHLO x\r\n' % plain('joe', 'wrong'),
                   env={'AUTH_SET_DATABYTES': '77'})
    tap.equal([said[0][:3], '250-SIZE 0' in said], ['535', True], 'a login that is refused')
    log = changed(('AUTH_SET_MAXRCPT', '1'), control={'badmailfrom': '(x\n'})[2]
    tap.equal(log.count('badmailfrom line 1'), 1, 'a malformed line is in the log once')
    list_of = {'smtpplugins': '[connection]\n:echo SAUTH_SET_MAXRCPT=1\n'}
    for owner, codes in (('qmaild', yes), ('root', two)):
        real = netserver.controls

        def controls(extra, who=owner, write=real):
            write(extra)
            os.chown(netserver.HOME + '/control/smtpplugins', pwd.getpwnam(who).pw_uid, 0)
        netserver.controls = controls
        got = changed(('ENABLE_SPP', ''), control=list_of)[0]
        netserver.controls = real
        tap.equal(got, codes, 'by a plug-in of a list of ' + owner)


def main():
    set_up()
    try:
        write_checker()
        test_offer()
        test_styles()
        test_mechanisms()
        test_cram_host()
        test_bad_input()
        test_sizes()
        test_base64()
        test_edges()
        test_refusals()
        test_descriptors()
        test_relay()
        test_plugin()
        test_submission()
        test_clear_channel()
        test_shown()
        test_secret()
        test_smtplib()
        test_log_styles()
        test_variables()
    finally:
        tear_down()
    return tap.done()


sys.exit(main())
