#!/usr/bin/python3
"""client-checks.t - what qmail-smtpd does about clients: dnsbllist, whitelist/, S25R, greylisting; and
rblsmtpd in front.  Replies, log lines, what is asked of the name system, bad files, trouble."""
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from dnsserver import Dns               # noqa: E402
import netserver                        # noqa: E402
from netserver import HOME              # noqa: E402
import tap                              # noqa: E402

IP = '192.0.2.7'
REVERSED = '7.2.0.192.'
ZONE = {
    REVERSED + 'txt.test TXT': [['listed, ', 'see http://x'], 'other'],
    REVERSED + 'one.test TXT': ['one record'], REVERSED + 'a.test A': ['127.0.0.2'], REVERSED + 'white.test A': ['127.0.0.9'],
    REVERSED + 'white.test TXT': ['good'], REVERSED + 'wide.test A': ['192.0.2.99'],
    REVERSED + 'wide.test TXT': ['wildcard'], REVERSED + 'error.test A': ['127.255.255.254'],
    REVERSED + 'error.test TXT': ['no open resolvers'], REVERSED + 'down.test': 'SERVFAIL',
    REVERSED + 'evil.test TXT': [b'a\r\nb\0\xff'], REVERSED + 'long.test TXT': [['y' * 250] * 3],
    '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.txt.test TXT': ['six'],
    REVERSED + 'in-addr.arpa PTR': ['mail.client.test'],
    '8.2.0.192.in-addr.arpa PTR': ['dsl-192-0-2-8.client.test'], '6.2.0.192.in-addr.arpa': 'SERVFAIL',
}
FROM, RCPT = 'MAIL FROM:<s@far.test>', 'RCPT TO:<u@ok.example>'
names = None


def talk(commands=(FROM, RCPT), control=None, **env):
    """Replies after HELO, log lines without pid, exit code; and names.asked."""
    names.asked.clear()
    with tempfile.TemporaryFile() as err:
        server = netserver.Server('qmail-smtpd', env=env, control=control, err=err)
        script = 'HELO h\r\n' + ''.join(line + '\r\n' for line in commands) + 'QUIT\r\n'
        reply, code = netserver.exchange(server, script.encode('latin-1'))
        err.seek(0)
        log = err.read().decode('latin-1').splitlines()
    own = [re.sub(r'^qmail-smtpd\[%d\]: ' % server.process.pid, '', line) for line in log]
    replies = [line for line in reply.split('\r\n')[2:-1] if not line.startswith('221 ')]
    return replies, own, code


def rbl(query, result, message=''):
    return "rbl: ip=%s query=%s result=%s message='%s'" % (IP, REVERSED + query, result, message)


OK = ['250 ok', '250 ok']
LISTED = 'listed, see http://x'
LISTS = [  # dnsbllist, variables, replies, log lines
    ('txt.test\n', {}, ['250 ok', '421 ' + LISTED], [rbl('txt.test', 'delay', LISTED)]),
    ('-txt.test\n', {}, ['250 ok', '553 ' + LISTED], [rbl('txt.test', 'reject', LISTED)]),
    ('=txt.test\n', {}, OK, [rbl('txt.test', 'ignore', LISTED)]),
    ('=txt.test\n-a.test:no\n', {}, ['250 ok', '553 no'],
     [rbl('txt.test', 'ignore', LISTED), rbl('a.test', 'reject', 'no')]),
    ('+white.test\n-txt.test\n', {}, OK, [rbl('white.test', 'accept', 'good')]),
    ('none.test\n-txt.test\n', {}, ['250 ok', '553 ' + LISTED],
     [rbl('none.test', 'pass'), rbl('txt.test', 'reject', LISTED)]),
    ('a.test:%IP% is bad: %IP%\n', {}, ['250 ok', '421 %s is bad: %s' % (IP, IP)],
     [rbl('a.test', 'delay', '%s is bad: %s' % (IP, IP))]),
    ('a.test:-never\n', {}, ['250 ok', '553 never'], [rbl('a.test', 'reject', 'never')]),
    ('txt.test:text\n', {}, OK, [rbl('txt.test', 'pass')]),
    ('a.test\n', {}, OK, [rbl('a.test', 'pass')]),
    ('wide.test\nwide.test:x\n', {}, OK, [rbl('wide.test', 'pass')] * 2),
    ('error.test\nerror.test:x\n', {}, OK, [rbl('error.test', 'pass')] * 2),
    ('-evil.test\n', {}, ['250 ok', '553 a??b??'], [rbl('evil.test', 'reject', 'a??b??')]),
    ('down.test\n', {}, OK, [rbl('down.test', 'dnserr', 'temporary RBL lookup error')]),
    ('down.test\n-txt.test\n', {}, ['250 ok', '421 ' + LISTED],
     [rbl('down.test', 'dnserr', 'temporary RBL lookup error'), rbl('txt.test', 'delay', LISTED)]),
    ('down.test\n', {'DNSBLFAILCLOSED': '1'}, ['250 ok', '421 temporary RBL lookup error'],
     [rbl('down.test', 'dnserr', 'temporary RBL lookup error')]),
    ('=down.test\n+down.test\n', {'DNSBLFAILCLOSED': '1'}, OK,
     [rbl('down.test', 'dnserr', 'temporary RBL lookup error')] * 2),
    ('-txt.test\n', {'DNSBLSKIP': ''}, OK, []), ('-txt.test\n', {'RELAYCLIENT': ''}, OK, []),
    ('-txt.test\n', {'RBLSMTPD': ''}, OK, []),
    ('none.test\n', {'RBLSMTPD': 'halt thy spam!'}, ['250 ok', '421 halt thy spam!'], []),
    ('none.test\n', {'RBLSMTPD': '-go away'}, ['250 ok', '553 go away'], []),
    (None, {'RBLSMTPD': '-go away'}, OK, []), (None, {}, OK, []), ('', {}, OK, []),
    ('# none\n\n', {}, OK, []),
    (':text\n-txt.test\n', {}, ['250 ok', '553 ' + LISTED],
     ['rbl: dnsbllist: no zone in: :text', rbl('txt.test', 'reject', LISTED)]),
    ('none.test\n', {'DNSBLLIST': 'control/other'}, ['250 ok', '553 no'], [rbl('a.test', 'reject', 'no')]),
    ('none.test\n', {'DNSBLLIST': 'control/nonesuch'}, ['250 ok', '421 unable to read controls (#4.3.0)'],
     ['unable to read control/nonesuch: file does not exist']),
    (True, {}, ['250 ok', '421 unable to read controls (#4.3.0)'], ['unable to read control/dnsbllist: is a directory']),
    ('none.test\n' * 64, {}, OK, [rbl('none.test', 'pass')] * 64),
    ('none.test\n' * 65, {}, ['250 ok', '421 unable to read controls (#4.3.0)'],
     [rbl('none.test', 'pass')] * 64 + ['unable to read control/dnsbllist: file too big']),
    ('none.test\n', {'TCPREMOTEIP': None}, OK, []),
]


def test_dnsbl():
    for text, env, replies, log in LISTS:
        got, lines, _ = talk(control={'dnsbllist': text, 'other': '-a.test:no\n'}, **env)
        name = '%r %s' % (text if text is True or text is None else text[:30], env or '')
        tap.equal((got, lines), (replies, log), 'dnsbllist ' + name)
    got, _, code = talk([FROM, RCPT, RCPT, 'RSET', FROM, RCPT], control={'dnsbllist': '-txt.test\n'})
    tap.equal((got, code), (['250 ok'] + ['553 ' + LISTED] * 2 + ['250 ok'] * 2 + ['553 ' + LISTED], 0),
              'each RCPT, one lookup')
    tap.equal(names.asked, [REVERSED + 'txt.test TXT', REVERSED + 'txt.test A'], '  asked once')
    got, _, code = talk([FROM, RCPT, RCPT], control={'dnsbllist': 'txt.test\n'})
    tap.equal((got, code), (['250 ok', '421 ' + LISTED], 1), '421 ends the connection')
    got, _, _ = talk([FROM, 'RCPT TO:<u@no.example>', 'RCPT TO:<PostMaster@ok.example>'],
                     control={'dnsbllist': 'txt.test\n'})
    tap.equal((got[1][:3], got[2], names.asked), ('553', '250 ok', []), 'not ours, postmaster: no lookup')
    got, log, _ = talk(control={'dnsbllist': '-txt.test\n'}, TCPREMOTEIP='2001:db8::1')
    tap.equal(got[1], '553 six', 'IPv6')
    got, log, _ = talk(control={'dnsbllist': '-long.test\n'})
    tap.equal((len(got[1]), len(log[0]) < 700), (500, True), 'a long text is cut')
    with open(netserver.STUB, encoding='ascii') as file:
        stub = file.read()
    with open(netserver.STUB, 'w', encoding='ascii') as file:
        file.write(stub.replace('cat >message', 'echo "$RBLRESULT" >result; cat >message'))
    for text, word in (('none.test\n', 'pass'), ('=a.test:x\n', 'ignore'), ('+a.test:x\n', 'accept')):
        talk([FROM, RCPT, 'DATA', 'x', '.'], control={'dnsbllist': text})
        with open(netserver.QUEUE + '/out/result', encoding='ascii') as file:
            tap.equal(file.read(), word + '\n', 'RBLRESULT for what runs later: ' + word)


def test_whitelist():
    lists = {'dnsbllist': '-txt.test\n'}
    os.makedirs(HOME + '/whitelist')
    tap.equal(talk(control=lists)[0][1][:3], '553', 'an empty whitelist')
    with open(HOME + '/whitelist/' + IP, 'w', encoding='ascii'):
        pass
    tap.equal((talk(control=lists)[0], names.asked), (OK, []), 'a file for the address')
    tap.equal(talk(control=lists, RBLSMTPD='-no')[0], OK, '  also against RBLSMTPD')
    tap.equal(talk(S25R='', TCPREMOTEHOST='dsl-1-2.client.test')[0], OK, '  and S25R')
    tap.equal(talk(GREYLIST='')[0], OK, '  and greylisting')
    with open(HOME + '/whitelist/x', 'w', encoding='ascii'):
        pass
    tap.equal(talk(S25R='', TCPREMOTEIP='x', TCPREMOTEHOST='dsl-1-2.client.test')[0][1][:3], '450',
              'only for addresses')
    os.chmod(HOME + '/whitelist', 0o700)
    for name, env, lists in (('lists', {}, {'dnsbllist': '-none.test\n'}), ('S25R', {'S25R': ''}, None),
                             ('GREYLIST', {'GREYLIST': ''}, None)):
        got, log, code = talk(control=lists, **env)
        tap.equal((got[1], log, code), ('421 unable to read controls (#4.3.0)',
                                        ['whitelist/%s: access denied' % IP], 1), 'one that is hidden: ' + name)
    shutil.rmtree(HOME + '/whitelist')


NO_NAME = '450 your address has no name, try again later (#4.7.1)'
DIALUP = '450 your name is that of a dial-up line, try again later (#4.7.1)'


def test_s25r():
    rows = [  # variables, reply, log, questions
        ({'TCPREMOTEHOST': 'mail.client.test'}, '250 ok', [], []),
        ({'TCPREMOTEHOST': 'DSL-192-0.client.test'}, DIALUP, ['s25r: ip=%s name=dsl-192-0.client.test rule=1' % IP], []),
        ({'TCPREMOTEHOST': None}, '250 ok', [], [REVERSED + 'in-addr.arpa PTR']),
        ({'TCPREMOTEHOST': None, 'TCPREMOTEIP': '192.0.2.8'}, DIALUP,
         ['s25r: ip=192.0.2.8 name=dsl-192-0-2-8.client.test rule=1'], ['8.2.0.192.in-addr.arpa PTR']),
        ({'TCPREMOTEHOST': None, 'TCPREMOTEIP': '192.0.2.9'}, NO_NAME, ['s25r: ip=192.0.2.9 name= rule=0'],
         ['9.2.0.192.in-addr.arpa PTR']),
        ({'TCPREMOTEHOST': None, 'TCPREMOTEIP': '192.0.2.6'}, '250 ok', [], None),
    ]
    for env, reply, log, asked in rows:
        got, lines, _ = talk([FROM, RCPT, RCPT], S25R='', **env)
        tap.equal((got, lines), (['250 ok', reply, reply], log), 'S25R %s' % env)
        if asked is not None:
            tap.equal(names.asked, asked, '  asked')
    bad = {'TCPREMOTEHOST': 'dsl-1-2.client.test', 'S25R': 'reject'}
    for text, reply in (('.client.test\n', '250 ok'), ('dsl-1-2.client.TEST\n', '250 ok'), (IP + '\n', '250 ok'),
                        ('client.test\n192.0.2.\n', DIALUP), ('', DIALUP), (None, DIALUP),
                        (True, '421 unable to read controls (#4.3.0)')):
        tap.equal(talk(control={'s25rwhite': text}, **bad)[0][1], reply, 's25rwhite %r' % text)
    tap.equal(talk(RELAYCLIENT='', **bad)[0], OK, 'not for relay clients')
    tap.equal(talk(TCPREMOTEHOST='dsl-1-2.client.test')[0], OK, 'not without S25R')


GREY = '450 greylisted, try again later (#4.7.1)'
STORE = HOME + '/greylist'


def clear(mode=0o700):
    shutil.rmtree(STORE, ignore_errors=True)
    os.mkdir(STORE, mode)
    shutil.chown(STORE, 'qmaild', 'nofiles')


def age_records(seconds):
    """As if everything in the store had happened so much earlier."""
    for name in os.listdir(STORE):
        if name.endswith('.log'):
            with open(STORE + '/' + name, 'rb') as file:
                text = file.read()
            with open(STORE + '/' + name, 'wb') as file:
                for at in range(0, len(text), 32):
                    first, passed = (int.from_bytes(text[at + n:at + n + 8], 'little') for n in (16, 24))
                    file.write(text[at:at + 16] + max(first - seconds, 1).to_bytes(8, 'little') +
                               max(passed - seconds, 0).to_bytes(8, 'little'))


def grey(**more):
    return talk(**{'GREYLIST': '', **more})[0][1]


def test_greylist():
    clear()
    got, log, code = talk([FROM, RCPT, RCPT], GREYLIST='')
    tap.equal((got, code), (['250 ok', GREY, GREY], 0), 'a new triple')
    tap.equal(log, ['DENIED_GRAYLISTED from: s@far.test to: u@ok.example origin_ip: %s origin_rdns: '
                    'client.example auth: (unknown) encryption: (none)' % IP] * 2, '  log lines')
    tap.equal(grey(), GREY, 'too early')
    age_records(200)                    # a slow machine has 100 s; test_greystore has the edge
    tap.equal(grey(), GREY, 'still too early')
    age_records(101)
    tap.equal(grey(), '250 ok', 'after 300 seconds')
    tap.equal(grey(), '250 ok', 'and from then on')
    tap.equal(grey(TCPREMOTEIP='192.0.2.200'), '250 ok', 'from the same /24')
    tap.equal(grey(TCPREMOTEIP='192.0.3.7'), GREY, 'from another one')
    tap.equal(talk(['MAIL FROM:<S@FAR.test>', 'RCPT TO:<U@ok.example>'], GREYLIST='')[0][1], '250 ok', 'any case')
    tap.equal(talk([FROM, 'RCPT TO:<v@ok.example>'], GREYLIST='')[0][1], GREY, 'another recipient')
    tap.equal(talk(['MAIL FROM:<>', RCPT], GREYLIST='')[0][1], '250 ok', 'the empty sender does not wait')
    tap.equal(talk([FROM, 'RCPT TO:<v@no.example>'], GREYLIST='')[0][1][:3], '553', 'nor who is refused anyway')
    tap.equal(grey(RELAYCLIENT='', TCPREMOTEIP='192.0.9.1'), '250 ok', 'nor relay clients')
    tap.equal(grey(GREYLIST=None, TCPREMOTEIP='192.0.9.1'), '250 ok', 'nor without GREYLIST')
    age_records(20000)
    tap.equal(grey(TCPREMOTEIP='192.0.3.7'), GREY, 'an attempt too late is a new one')
    tap.equal(grey(GREYLIST='0'), '250 ok', 'own times: wait for nothing')
    clear()
    tap.equal((grey(GREYLIST='0', TCPREMOTEIP='192.0.5.1'), grey(GREYLIST='0', TCPREMOTEIP='192.0.5.1')),
              (GREY, '250 ok'), 'own times: the second attempt')
    s25r = {'S25R': 'greylist', 'TCPREMOTEIP': '192.0.6.1'}
    tap.equal(grey(TCPREMOTEHOST='mail.client.test', **s25r), '250 ok', 'S25R=greylist spares mail servers')
    tap.equal(grey(TCPREMOTEHOST='dsl-1-2.client.test', **s25r), GREY, 'not others')
    tap.equal(talk(TCPREMOTEHOST='dsl-1-2.client.test', S25R='greylist')[0], OK, 'and refuses nobody itself')
    for name in ('mail.client.test', 'dsl-1-2.client.test'):
        tap.equal(talk([FROM, RCPT], control={'s25rwhite': True}, GREYLIST='', TCPREMOTEHOST=name, **s25r)[0][1],
                  '421 unable to read controls (#4.3.0)', 's25rwhite cannot be read: ' + name)
    tap.equal(sorted(name.split('.')[-1] for name in os.listdir(STORE)), ['lock', 'log'], 'two files')


def test_greylist_trouble():
    warning = 'greylist: not working, mail is accepted: '
    shutil.rmtree(STORE)
    got, log, _ = talk(GREYLIST='')
    tap.equal((got, log), (OK, [warning + 'greylist/lock: file does not exist']), 'no directory')
    clear()
    os.chmod(STORE, 0o500)
    got, log, _ = talk(GREYLIST='')
    tap.ok(got == OK and log[0].startswith(warning), 'a directory that cannot be written', log)
    clear()
    day = int(time.time()) // 86400
    with open(STORE + '/%d.cdb' % day, 'w', encoding='ascii') as file:
        file.write('no database')
    os.chmod(STORE + '/%d.cdb' % day, 0o644)
    got, log, _ = talk(GREYLIST='')
    tap.equal((got[1], log[0], log[1][:18]),
              (GREY, 'greylist: what one file knows has to wait again: greylist/%d.cdb: damaged; it is called .bad '
                     'now, and can be removed' % day, 'DENIED_GRAYLISTED '), 'a damaged file: it alone does not count')
    got, log, _ = talk(GREYLIST='')
    tap.equal((got[1], len(log)), (GREY, 1), '  and is told once')
    clear()
    got, log, _ = talk(GREYLIST='', TCPREMOTEIP='x')
    tap.ok(got == OK and log[0].startswith(warning), 'no address', log)
    lock = os.open(STORE + '/lock', os.O_RDONLY | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.chmod(STORE, 0o777)
    os.chmod(STORE + '/lock', 0o666)
    got, log, _ = talk(GREYLIST='')
    tap.ok(got == OK and log[0].startswith(warning), 'somebody holds the lock', log)
    os.close(lock)


def test_spamdyke():
    clear()
    place = '/home/spamdyke/ok.example/u/far.test'
    os.makedirs(place)
    with open(place + '/s@far.test', 'w', encoding='ascii'):
        pass
    env = {'GREYLIST': '', 'GREYLIST_SPAMDYKE': '/home/spamdyke'}
    tap.equal(grey(**env), GREY, "spamdyke's file is too young")
    clear()
    old = time.time() - 400
    os.utime(place + '/s@far.test', (old, old))
    tap.equal(grey(**env), '250 ok', 'old enough')
    shutil.rmtree('/home/spamdyke')
    tap.equal(grey(**env), '250 ok', 'and known from then on')
    tap.equal(talk([FROM, 'RCPT TO:<../u@ok.example>'], **env)[0][1], GREY, 'paths lead nowhere else')


def test_many_at_once():
    clear()
    servers = []
    script = b'HELO h\r\n' + b''.join(b'MAIL FROM:<s%d@far.test>\r\nRCPT TO:<u@ok.example>\r\nRSET\r\n' % n
                                      for n in range(30)) + b'QUIT\r\n'
    for n in range(8):
        server = netserver.Server('qmail-smtpd', env={'GREYLIST': ''})
        server.send(script)
        servers.append(server)
    replies = [server.rest() for server in servers]
    for server in servers:
        server.end()
    tap.equal([text.count(GREY) for text in replies], [30] * 8, '8 at once: each triple waits')
    logs = [name for name in os.listdir(STORE) if name.endswith('.log')]
    tap.equal(sum(os.stat(STORE + '/' + name).st_size for name in logs), 30 * 32, 'and is kept once')


def test_rblsmtpd():
    """The program of ucspi-tcp decides before qmail-smtpd is started."""
    env = {'RBLSMTPD': None}
    for arguments, variables, want in (
            (['-r', 'one.test'], env, '451 one record'), (['-b', '-r', 'one.test'], env, '553 one record'),
            (['-r', 'none.test'], env, '250 ok'), (['-a', 'white.test', '-r', 'one.test'], env, '250 ok'),
            (['-r', 'one.test'], {'RBLSMTPD': ''}, '250 ok'), (['-r', 'none.test'], {'RBLSMTPD': '-no'}, '553 no')):
        with tempfile.TemporaryFile() as err:
            server = netserver.Server('qmail-smtpd', env=variables, err=err, before=['rblsmtpd', *arguments])
            reply, _ = netserver.exchange(server, ('HELO h\r\n%s\r\n%s\r\nQUIT\r\n' % (FROM, RCPT)).encode())
        tap.equal(reply.split('\r\n')[3], want, 'rblsmtpd %s %s' % (' '.join(arguments), variables))


def main():
    global names
    names = Dns(ZONE)
    return netserver.run((test_dnsbl, test_whitelist, test_s25r, test_greylist,
                          test_greylist_trouble, test_spamdyke, test_many_at_once, test_rblsmtpd),
                         names)


if __name__ == '__main__':
    sys.exit(main())
