#!/usr/bin/python3
"""qmail-remote-auth.t - qmail-remote logs in: smtproutes, authsenders, AUTH, and where a login is
never sent; the addresses it comes from.  Scripted servers on addresses of the world's own."""
import base64
import hashlib
import hmac
import os
import subprocess
import sys
import time

sys.path.insert(0, 'tests')
import procmem
import tap
from remoteserver import ACCEPTED, HOME, OUTSIDE, REMOTE, SILENCE, Smtp, control, \
    outside_addresses, remote, stop

HELLO = ['220 hi', '250-mx\n250-AUTH %s\n250 X']
DONE = ['250 s', '250 r', '354 go', '250 done']
LOOP = '127.0.0.2'


def b64(text):
    return base64.b64encode(text.encode('latin-1')).decode()


def login(replies, methods='PLAIN', route='|joe|pass word', sender='s@x.example', **files):
    """One message through LOOP with these replies after EHLO; the report and what was said."""
    server = Smtp(LOOP, [HELLO[0], HELLO[1] % methods] + replies)
    control(smtproutes=':' + LOOP + route, **files)
    report = remote('y.example', sender)
    stop(server)
    return report, server.seen


def mail(user):
    return ['MAIL FROM:<s@x.example> AUTH=' + user, 'RCPT TO:<r@y.example>', 'DATA']


def test_methods():
    sent = ['r', ACCEPTED % LOOP]
    plain = ['EHLO me.example', 'AUTH PLAIN', b64('joe\0joe\0pass word')]
    report, seen = login(['334 ', '235 in'] + DONE)
    tap.equal(report, sent, 'PLAIN')
    tap.equal(seen[:6], plain + mail('joe'), 'what PLAIN says')
    report, seen = login(['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', '235 in'] + DONE, 'LOGIN PLAIN')
    tap.equal(report, sent, 'LOGIN, because the server has it first')
    tap.equal(seen[:7], ['EHLO me.example', 'AUTH LOGIN', b64('joe'), b64('pass word')] +
              mail('joe'), 'what LOGIN says')
    challenge = '<1896.697170952@postoffice.example.net>'
    report, seen = login(['334 ' + b64(challenge), '235 in'] + DONE, 'DIGEST-MD5 CRAM-MD5 PLAIN')
    digest = hmac.new(b'pass word', challenge.encode(), hashlib.md5).hexdigest()
    tap.equal(report, sent, 'CRAM-MD5, the first that is known')
    tap.equal(seen[:6], ['EHLO me.example', 'AUTH CRAM-MD5', b64('joe ' + digest)] + mail('joe'),
              'what CRAM-MD5 says')
    for name, methods in (('in lower case', 'plain'), ('again', 'PLAIN\n250-AUTH LOGIN'),
                          ('old form', 'X\n250-AUTH=PLAIN')):
        report, seen = login(['334 ', '235 in'] + DONE, methods)
        tap.equal((report, seen[:3]), (sent, plain), 'AUTH ' + name)
    report, seen = login(['334 ', '235 in'] + DONE, route='|j+e=%c\xe9|p' % 1)
    tap.equal(seen[3], mail('j+2Be+3D+01+E9')[0], 'AUTH= in xtext')
    report, seen = login(['334 ', '235 in'] + DONE, 'PLAIN\n250-SIZE')
    tap.equal(seen[3], 'MAIL FROM:<s@x.example> SIZE=4 AUTH=joe', 'with SIZE')
    report, seen = login(['334 ', '235 in'] + DONE, sender='')
    tap.equal(seen[3], 'MAIL FROM:<> AUTH=joe', 'null sender')


def test_refusals():
    rejected = 'ZConnected to %s but authentication was rejected (%s).\nRemote host said: %s\n'
    words = ['334 VXNlcm5hbWU6']
    cram = '334 ' + b64('<x@y>')
    for name, methods, replies, what in (
            ('method, PLAIN', 'PLAIN', ['504 no'], 'AUTH PLAIN'),
            ('method, LOGIN', 'LOGIN', ['535 no'], 'AUTH LOGIN'),
            ('method, CRAM-MD5', 'CRAM-MD5', ['454 no'], 'AUTH CRAM-MD5'),
            ('method accepted too early', 'PLAIN', ['235 what'], 'AUTH PLAIN'),
            ('plain', 'PLAIN', ['334 ', '535 5.7.8 no'], 'plain'),
            ('username', 'LOGIN', words + ['535 no'], 'username'),
            ('password', 'LOGIN', words + ['334 UGFzc3dvcmQ6', '535 no'], 'password'),
            ('digest', 'CRAM-MD5', [cram, '535 no'], 'username+digest'),
            ('for now', 'PLAIN', ['334 ', '454 later'], 'plain'),
            ('another code of success', 'PLAIN', ['334 ', '250 ok'], 'plain')):
        report, seen = login(replies, methods)
        tap.equal(report, [rejected % (LOOP, what, replies[-1])], 'refused: ' + name)
        tap.ok(not any(line.startswith('MAIL') for line in seen), 'no mail', seen)
    for name, methods, replies, what in (
            ('a challenge that is none', 'CRAM-MD5', ['334 !!'], 'AUTH CRAM-MD5'),
            ('an empty challenge', 'CRAM-MD5', ['334 '], 'AUTH CRAM-MD5'),
            ('one more question', 'PLAIN', ['334 ', '334 more'], 'plain')):
        report, seen = login(replies + ['501 cancelled'], methods)
        tap.equal(report, [rejected % (LOOP, what, replies[-1])], name)
        tap.equal(seen[-2:], ['*', 'QUIT'], 'is answered by *')
    report, _ = login(['334 ', '432 change it'])
    tap.equal(report, ['ZConnected to %s but password expired.\nRemote host said: 432 change it\n' %
                       LOOP], '432')
    start = time.monotonic()
    report, _ = login(['334 ', '535 no', SILENCE, SILENCE])
    tap.ok(time.monotonic() - start < 5, 'one reply is read where one command was sent')
    none = ('ZConnected to %s but it offers no AUTH method known here.\nRemote host said: 250-mx\n'
            '250-AUTH %s\n250 X\n')
    report, seen = login(DONE, 'GSSAPI NTLM')
    tap.equal(report, [none % (LOOP, 'GSSAPI NTLM')], 'no known method: Z, and nothing in front')
    tap.equal(seen, ['EHLO me.example', 'QUIT'], 'and no mail')
    server = Smtp(LOOP, ['220 hi', '500 what', '250 mx'] + DONE)
    control(smtproutes=':%s|joe|pass' % LOOP)
    tap.equal(remote('y.example'), ['ZConnected to %s but it offers no AUTH method known here.\n'
                                    'Remote host said: 250 mx\n' % LOOP], 'a server without EHLO')
    stop(server)
    report, _ = login([None])
    tap.equal(report, ['ZConnected to %s but connection died. (#4.4.2)\n' % LOOP], 'hangs up')


def test_routes():
    """Every form of a login in smtproutes; which sender has which of authsenders."""
    plain = b64('joe\0joe\0pass')
    for route, secret in (
            ('|joe|pass', plain), (' joe pass', plain), ('\tjoe  \tpass ', plain),
            (':25 joe pass', plain), (':25|joe|pass', plain), (';25|joe|pass', plain),
            (';25 joe pass', plain), ('|joe|p:a|s s', b64('joe\0joe\0p:a|s s')),
            ('|j:o e|pass', b64('j:o e\0j:o e\0pass')), (' joe p|ss', b64('joe\0joe\0p|ss')),
            ('|-joe|pass', plain), (' -joe pass', plain),
            ('|%s|%s' % ('u' * 512, 'p' * 512), b64('u' * 512 + '\0' + 'u' * 512 + '\0' +
                                                    'p' * 512))):
        report, seen = login(['334 ', '235 in'] + DONE, route=route)
        tap.equal((report[0], seen[2:3]), ('r', [secret]), 'route %r' % route[:30])
    for route in ('|joe|', '||pass', '|joe', ' joe', '|-|pass'):
        report, seen = login(DONE, route=route)
        tap.equal((report[0], seen[1]), ('r', 'MAIL FROM:<s@x.example>'), 'no login: %r' % route)
    bad = ['ZThe login for this route is too long, or has more than two words. (#4.3.0)\n']
    for route in (' joe pass word', '|%s|p' % ('u' * 513), '|u|' + 'p' * 513):
        report, seen = login(DONE, route=route)
        tap.equal((report, seen), (bad, []), 'refused: %r' % route[:30])
    senders = '\n'.join((
        'ann@corp.example:%s|whole|p' % LOOP, '@corp.example:%s|domain|p' % LOOP,
        '.example:%s|suffix|p' % LOOP, 'none@corp.example:', ':%s|all|p' % LOOP))
    for sender, user in (('ann@corp.example', 'whole'), ('ANN@Corp.Example', 'whole'),
                         ('bob@corp.example', 'domain'), ('bob@sub.corp.example', 'suffix'),
                         ('bob@other.test', 'all'), ('', 'all'), ('none@corp.example', 'route')):
        report, seen = login(['334 ', '235 in'] + DONE, route='|route|p', sender=sender,
                             authsenders=senders)
        tap.equal((report[0], seen[2]), ('r', b64('%s\0%s\0p' % (user, user))),
                  'authsenders: %r' % sender)


def test_never_in_clear():
    """To an address that is not this host a login goes with TLS only, unless `-` allows it."""
    address = OUTSIDE[0]
    hello = [HELLO[0], HELLO[1] % 'PLAIN CRAM-MD5 LOGIN']
    for route in ('|joe|pass', ' joe pass'):
        server = Smtp(address, hello + ['334 ', '235 in'] + DONE)
        control(smtproutes=':' + address + route)
        tap.equal(remote('y.example'), ['ZNo TLS achieved while a login must not be sent in clear; '
                                        'connecting to %s.\n' % address], 'no TLS: %r' % route)
        stop(server)
        tap.equal(server.seen, ['EHLO me.example', 'QUIT'], 'nothing is said')
    server = Smtp(address, hello + ['334 ', '235 in'] + DONE)
    control(smtproutes=':%s|-joe|pass' % address)
    tap.equal(remote('y.example'), ['r', ACCEPTED % address], '`-`: in clear')
    stop(server)
    tap.equal(server.seen[2], b64('joe\0joe\0pass'), 'without the `-`')
    server = Smtp(address, [HELLO[0], '250-mx\n250-STARTTLS\n250 AUTH PLAIN', '454 no'] + DONE)
    control(smtproutes=':%s|joe|pass' % address)
    tap.equal(remote('y.example'), ['ZSTARTTLS rejected while a login must not be sent in clear; '
                                    'connecting to %s.\nRemote host said: 454 no\n' % address],
              'STARTTLS refused')
    stop(server)
    tap.equal(server.seen, ['EHLO me.example', 'STARTTLS', 'QUIT'], 'nothing is said')


def test_secrets_stay():
    """While it runs nobody can see the password: not in arguments, not in the environment."""
    server = Smtp(LOOP, [HELLO[0], HELLO[1] % 'PLAIN', '334 ', SILENCE])
    control(smtproutes=':%s|joe|very-secret' % LOOP)
    process = subprocess.Popen([REMOTE, 'y.example', 's@x', 'r@y'], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, user='qmailr', group='qmail')
    server.wait_for('AUTH PLAIN')
    seen = b''
    for name in ('cmdline', 'environ'):
        with open('/proc/%d/%s' % (process.pid, name), 'rb') as file:
            seen += file.read()
    tap.ok(b'y.example' in seen and b'secret' not in seen, 'no password in /proc', seen)
    tap.equal(procmem.shown(b'very-secret', b64('joe\0very-secret')[8:].encode()), [],
              'nor that of another process')
    tap.equal(os.stat('/proc/%d/mem' % process.pid).st_uid, 0,
              'others of the same account cannot look into its memory')
    process.kill()
    process.communicate()
    stop(server)
    shown = subprocess.run([HOME + '/bin/qmail-showctl'], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False).stdout.decode()
    tap.ok('SMTP route: :%s|***|***' % LOOP in shown and 'secret' not in shown and
           'joe' not in shown, 'qmail-showctl shows ***', shown)
    control(authsenders='a@b:relay:587|joe|very|secret\n@c:relay joe secret\nd:relay;465\ne:',
            smtproutes='x:relay joe\ny:[::1]:25|u|secret')
    shown = subprocess.run([HOME + '/bin/qmail-showctl'], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False).stdout.decode()
    for line in ('Sender route: a@b:relay:587|***|***', 'Sender route: @c:relay *** ***',
                 'Sender route: d:relay;465', 'Sender route: e:', 'SMTP route: x:relay ***',
                 'SMTP route: y:[::1]:25|***|***'):
        tap.ok(line + '\n' in shown, 'shown: ' + line, shown)
    tap.ok('secret' not in shown and 'joe' not in shown, 'and no secret')


def in_memory(pid, texts):
    """How often each of them is in the memory of a process."""
    seen = procmem.count(pid, [text.encode() for text in texts])
    return {text: seen[text.encode()] for text in texts}


def test_one_secret():
    """Once it has logged in, it has the one password, once, and no other."""
    fill = ''.join('r%d.example:%s|u%d|Other-Secret-%d\n' % (n, LOOP, n, n) for n in range(500))
    senders = ''.join('s%d@x.example:%s|u|Other-Secret-s%d\n' % (n, LOOP, n) for n in range(300))
    for method, answers in (('PLAIN', ['334 ', '235 ok']), ('LOGIN', ['334 a', '334 b', '235 ok']),
                            ('CRAM-MD5', ['334 ' + b64('<x@y>'), '235 ok'])):
        server = Smtp(LOOP, [HELLO[0], HELLO[1] % method] + answers + [SILENCE])
        control(smtproutes=fill + ':%s|joe|My-Own-Secret\n' % LOOP, authsenders=senders)
        process = subprocess.Popen([REMOTE, 'y.example', 's@x', 'r@y'], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, user='qmailr', group='qmail')
        server.wait_for('MAIL FROM:<s@x> AUTH=joe')
        coded = [b64('\0joe\0My-Own-Secret')[8:-4], b64('My-Own-Secret')[:-4]]
        found = in_memory(process.pid, ['Other-Secret', 'My-Own-Secret', *coded])
        tap.equal(list(found.values()), [0, 1, 0, 0], 'one password in memory: ' + method)
        process.kill()
        process.communicate()
        stop(server)


def came_from(host='y.example', sender='s@x.example', **files):
    server = Smtp('0.0.0.0', ['220 hi', '250 mx'] + DONE)
    control(smtproutes=':' + OUTSIDE[0], **files)
    report = remote(host, sender)
    peer, seen = server.peer, server.seen
    stop(server)
    return report[0], peer, seen[:1]


def test_origin():
    first, second = OUTSIDE[0], OUTSIDE[1]
    hello = ['EHLO me.example']
    tap.equal(came_from(outgoingip=second), ('r', second, hello), 'outgoingip')
    tap.equal(came_from(outgoingip='0.0.0.0'), ('r', first, hello), 'outgoingip 0.0.0.0: any')
    tap.equal(came_from(outgoingip=second + '\n2001:db8::1'), ('r', second, hello), 'both families')
    own = 'x.example:' + second
    tap.equal(came_from(outgoingip=own), ('r', second, hello), 'outgoingip for a domain')
    tap.equal(came_from(outgoingip=own, sender='s@other.example'), ('r', first, hello),
              'not for another')
    tap.equal(came_from(outgoingip=own + '\n' + first), ('r', second, hello),
              'a domain counts more than all')
    tap.equal(came_from(domainips='*:%s|a.example\nx.example:%s%%eth0|b.example' % (first, second)),
              ('r', second, ['EHLO b.example']), 'domainips: address and name')
    tap.equal(came_from(domainips='*:%s|a.example' % second, sender=''),
              ('r', second, ['EHLO a.example']), 'domainips: * for the null sender')
    tap.equal(came_from(domainips='x.example:|b.example'), ('r', first, ['EHLO b.example']),
              'domainips: a name alone')
    tap.equal(came_from(domainips='x.example:' + second, outgoingip=first), ('r', second, hello),
              'domainips before outgoingip')
    for text in ('nonsense', '1.2.3', '1.2.3.256', 'x.example:nonsense'):
        control(smtproutes=':' + first, outgoingip=text)
        tap.equal(remote('y.example'), ['Zinvalid ipaddr in control/outgoingip (#4.3.0)\n'],
                  'outgoingip %r' % text)
    for text in ('x.example:nonsense', '*:', 'x.example:%s|a b' % first):
        control(smtproutes=':' + first, domainips=text)
        tap.equal(remote('y.example'), ['Zinvalid entry in control/domainips (#4.3.0)\n'],
                  'domainips %r' % text)
    control(smtproutes=':' + first, outgoingip='198.51.100.1')
    tap.equal(remote('y.example'), ['ZThis host has not the address of control/outgoingip or '
                                    'domainips. (#4.3.0)\n'], 'an address of somebody else')


def test_unreadable():
    for name in ('authsenders', 'outgoingip', 'domainips', 'tlsclientciphers', 'notlshosts_auto'):
        control(smtproutes=':' + LOOP, **{name: 'x'})
        os.chmod(HOME + '/control/' + name, 0)
        tap.equal(remote('y.example'), ['ZUnable to read control files. (#4.3.0)\n'],
                  name + ' unreadable')


def main():
    outside_addresses()
    test_methods()
    test_refusals()
    test_routes()
    test_never_in_clear()
    test_secrets_stay()
    test_one_secret()
    test_origin()
    test_unreadable()
    return tap.done()


sys.exit(main())
