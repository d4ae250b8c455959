#!/usr/bin/python3
"""qmail-chkuser answers, and qmail-smtpd's replies and log lines with it: every kind of local
recipient, every switch, and what happens when the checker cannot see, cannot start or says nothing."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver                        # noqa: E402
from dnsserver import Dns               # noqa: E402
from netserver import HOME              # noqa: E402
import tap                              # noqa: E402

PROGRAM = HOME + '/bin/qmail-chkuser'
DOMAIN = '/home/vpopmail/domains/v.example'
USERS = {                               # data of vpasswd.cdb
    'fred': 'x:1:0:Fred F:%s/fred:NOQUOTA' % DOMAIN,
    'full': 'x:1:0:Full:%s/full:1000S,10C:secret' % DOMAIN,
    'closed': 'x:1:16:Closed:%s/closed:NOQUOTA' % DOMAIN,
    'short': 'x:1:0',
}
CONTROL = {
    'me': 'mx.example\n', 'locals': 'mx.example\nl.example\n',
    'rcpthosts': ''.join(name + '\n' for name in (
        'mx.example', 'l.example', 'v.example', 'c.example', 'n.example', 'h.example', 'far.example', 'localhost')),
    'virtualdomains': 'v.example:v.example\nc.example:c.example\nn.example:joe-n\n'
                      'h.example:h.example\none@far.example:joe-one\n',
}


def write(path, text='', owner=None, mode=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='latin-1') as file:
        file.write(text)
    if owner:
        shutil.chown(path, owner)
    if mode is not None:
        os.chmod(path, mode)


def make_cdb(path, rows):
    text = ''.join('+%d,%d:%s->%s\n' % (len(k), len(v), k, v) for k, v in rows.items()) + '\n'
    subprocess.run(['cdb', '-c', path], input=text.encode('latin-1'), check=True)


def prepare():
    for name, default in (('v.example', "| /bin/vdelivermail '' bounce-no-mailbox\n"),
                          ('c.example', "| /bin/vdelivermail '' /var/catch\n"),
                          ('h.example', "| /bin/vdelivermail '' bounce-no-mailbox\n")):
        directory = os.path.dirname(DOMAIN) + '/' + name
        write(directory + '/.qmail-default', default)
        make_cdb(directory + '/vpasswd.cdb', USERS)
        os.chmod(directory + '/vpasswd.cdb', 0o644)
    write(DOMAIN + '/.qmail-info', '&x@y.example\n')
    write(DOMAIN + '/.qmail-a:b', '&x@y.example\n')
    write(DOMAIN + '/.qmail-news-default', '&x@y.example\n')
    write(DOMAIN + '/list/editor')
    write(DOMAIN + '/full/Maildir/maildirsize', '1000S,10C\n600 3\n350 2\n')
    os.chmod(os.path.dirname(DOMAIN) + '/h.example', 0)
    lines = ['+%s-:vpopmail:257:202:%s:-::' % (name, os.path.dirname(DOMAIN) + '/' + name)
             for name in ('v.example', 'c.example', 'h.example')]
    lines += ['=boss:joe:5001:5001:/home/joe:::', '=gone:joe:5001:5001:/home/gone:-:x:']
    write(HOME + '/users/assign', '\n'.join(lines) + '\n.\n')
    subprocess.run([HOME + '/bin/qmail-newu'], check=True)
    os.chmod('/home/joe', 0o755)
    os.chmod('/home/ann', 0o700)
    write('/home/joe/.qmail-list', '&x@y.example\n', 'joe')
    write('/home/joe/.qmail-n-sales', '&x@y.example\n', 'joe')
    write(HOME + '/alias/.qmail-postmaster', '&joe\n')
    netserver.controls(CONTROL)


ANSWERS = [  # address, percent; answers in modes A and D
    ('fred@v.example', 90, 'E', 'E'),
    ('FRED@V.Example', 90, 'E', 'E'),
    ('fred-ext@v.example', 90, 'E', 'E'),
    ('nobody@v.example', 90, 'N', 'N'),
    ('nobody-fred@v.example', 90, 'N', 'N'),
    ('short@v.example', 90, 'N', 'N'),
    ('closed@v.example', 90, 'N', 'N'),
    ('full@v.example', 0, 'E', 'E'),
    ('full@v.example', 94, 'F', 'F'),
    ('full@v.example', 95, 'F', 'F'),
    ('full@v.example', 96, 'E', 'E'),
    ('info@v.example', 90, 'E', 'E'),
    ('a.b@v.example', 90, 'E', 'E'),
    ('news-today@v.example', 90, 'E', 'E'),
    ('list@v.example', 90, 'E', 'E'),
    ('../v.example/list@v.example', 90, 'N', 'N'),
    ('.qmail-default@v.example', 90, 'N', 'N'),
    ('default@v.example', 90, 'N', 'N'),
    ('@v.example', 90, 'N', 'N'),
    ('anybody@c.example', 90, 'A', 'A'),
    ('anybody@h.example', 90, 'E', 'E'),        # its directory cannot be entered
    ('joe@mx.example', 90, 'E', 'A'),
    ('Joe@l.example', 90, 'E', 'A'),
    ('joe', 90, 'N', 'A'),                      # envnoathost is me, which is not in locals by itself
    ('joe-list@l.example', 90, 'E', 'E'),
    ('joe-none@l.example', 90, 'N', 'A'),
    ('ann-x@l.example', 90, 'E', 'E'),          # her home cannot be entered
    ('boss@l.example', 90, 'E', 'A'),
    ('gone@l.example', 90, 'E', 'E'),           # deliveries wait for the directory
    ('postmaster@l.example', 90, 'E', 'E'),
    ('nonesuch@l.example', 90, 'N', 'A'),
    ('root@l.example', 90, 'N', 'A'),
    ('sales@n.example', 90, 'E', 'E'),
    ('other@n.example', 90, 'N', 'A'),
    ('one@far.example', 90, 'N', 'A'),
    ('two@far.example', 90, 'A', 'A'),          # another host's
    ('x@elsewhere.example', 90, 'A', 'A'),
]
ANSWERS[23] = ('joe', 90, 'E', 'A')             # ... but locals has it here


def ask(text, user='qmaild'):
    """What the program answers, NULs taken out, and its exit code."""
    done = subprocess.run([PROGRAM], input=text.encode('latin-1'), stdout=subprocess.PIPE, user=user,
                          group='nofiles', extra_groups=[], env={}, cwd='/', timeout=30, check=False)
    return done.stdout.replace(b'\0', b'').decode('latin-1'), done.returncode


def test_answers():
    for column, mode in ((2, 'A'), (3, 'D')):
        got, code = ask(''.join('%s%d %s\0' % (mode, row[1], row[0]) for row in ANSWERS))
        tap.equal((len(got), code), (len(ANSWERS), 0), 'mode %s: all are answered' % mode)
        for row, answer in zip(ANSWERS, got):
            tap.equal(answer, row[column], 'mode %s: %s at %d %%' % (mode, row[0], row[1]))


def test_questions():
    long = 'x' * 889 + '@v.example'             # 899 bytes
    tap.equal(ask(''), ('', 0), 'no question')
    tap.equal(ask('A0 ' + long + '\0'), ('N', 0), 'the longest address')
    for name, text in (('longer address', 'A0 x' + long + '\0'), ('unknown mode', 'X0 a@b\0'),
                       ('no percentage', 'A a@b\0'), ('negative', 'A-1 a@b\0'),
                       ('too large', 'A1001 a@b\0'), ('no address', 'A0 \0'), ('empty', '\0'),
                       ('no end', 'A0 a@b'), ('endless', 'A0 ' + 'x' * 5000000)):
        tap.equal(ask(text), ('', 100), name + ': no question')
    tap.equal(ask('A1000 two@far.example\0'), ('A', 0), 'largest percentage')


def test_failures():
    for name in ('me', 'locals', 'virtualdomains', 'percenthack', 'envnoathost'):
        netserver.controls({**CONTROL, name: True})
        tap.equal(ask('A0 fred@v.example\0'), ('', 111), 'unreadable control/' + name)
    netserver.controls(CONTROL)
    os.rename(HOME + '/users/cdb', HOME + '/users/kept')
    for text in ('', 'x' * 3000):
        write(HOME + '/users/cdb', text)
        tap.equal(ask('A0 fred@v.example\0')[0], 'T', 'damaged users/cdb of %d bytes' % len(text))
    os.rename(HOME + '/users/kept', HOME + '/users/cdb')
    cdb = DOMAIN + '/vpasswd.cdb'
    os.rename(cdb, cdb + '.kept')
    tap.equal(ask('A0 nobody@v.example\0')[0], 'E', 'no vpasswd.cdb: nobody is refused')
    write(cdb, 'x' * 3000)
    tap.equal(ask('A0 fred@v.example\0')[0], 'T', 'damaged vpasswd.cdb')
    os.chmod(cdb, 0)
    tap.equal(ask('A0 nobody@v.example\0')[0], 'E', 'unreadable vpasswd.cdb')
    os.unlink(cdb)
    for name, make in (('a link', lambda: os.symlink(cdb + '.kept', cdb)),
                       ('a FIFO', lambda: os.mkfifo(cdb, 0o644))):
        make()
        tap.equal(ask('A90 nobody@v.example\0')[0], 'E', '%s in place of vpasswd.cdb' % name)
        os.unlink(cdb)
    os.rename(cdb + '.kept', cdb)
    sizes = DOMAIN + '/full/Maildir/maildirsize'
    for text, answer in (('', 'E'), ('x\n' * 5, 'E'), ('1000S\n-5 -1\n900 1\n', 'E'), ('1000S\n950 1', 'F'),
                         ('1000S\n' + '9' * 30 + ' 1\n' + '9' * 30 + ' 1\n', 'F'),
                         ('1000S\n-' + '9' * 30 + ' 1\n-' + '9' * 30 + ' 1\n', 'E'),
                         ('1000S\n1 10\n', 'F'), ('1000S\n' + '950 1\n' * 3000, 'E')):
        write(sizes, text)
        tap.equal(ask('A90 full@v.example\0')[0], answer, 'maildirsize %r' % text[:20])
    os.unlink(sizes)
    os.mkfifo(sizes, 0o644)
    held = os.open(sizes, os.O_RDWR)    # whoever reads waits for more
    tap.equal(ask('A90 full@v.example\0')[0], 'E', 'a FIFO in place of maildirsize')
    os.close(held)
    os.unlink(sizes)
    write(sizes + '.other', '1000S,10C\n600 3\n350 2\n')
    os.symlink(sizes + '.other', sizes)
    tap.equal(ask('A90 full@v.example\0')[0], 'E', 'a link in place of it')
    os.unlink(sizes)
    write(sizes, '1000S,10C\n600 3\n350 2\n')
    write('/home/joe/.qmail-big', '#' * 1100000, 'joe')
    tap.equal(ask('A90 joe-big@l.example\0')[0], 'E', 'a huge .qmail file')
    write('/home/joe/.qmail-open', '', 'joe', 0o666)
    tap.equal(ask('A90 joe-open@l.example\0')[0], 'E', 'a .qmail file that others may write')


def test_privileges():
    """It serves servers, as qmailp for good."""
    for user, users, code in (('joe', None, 111), ('joe', 'ann\n', 111), ('joe', 'ann\njoe\n', 0),
                              ('qmaild', None, 0), ('qmaild', 'ann\n', 0)):
        netserver.controls({**CONTROL, 'tlsusers': users} if users else CONTROL)
        run = subprocess.run([PROGRAM], input=b'A0 joe@l.example\0', stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, user=user, group='joe', extra_groups=[])
        tap.equal((run.returncode, run.stdout), (code, b'' if code else b'E\0'),
                  '%s, tlsusers %r' % (user, users))
        tap.ok((b'tlsusers' in run.stderr) == (code > 0), '  and why', run.stderr)
    netserver.controls(CONTROL)
    process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               user='qmaild', group='joe', extra_groups=[],
                               env={'LD_PRELOAD': '/nonesuch.so'})
    process.stdin.write(b'A0 joe@l.example\0')
    process.stdin.flush()
    tap.equal(process.stdout.read(1), b'E', 'qmaild asks')
    with open('/proc/%d/status' % process.pid, encoding='ascii') as file:
        status = dict(line.split(':', 1) for line in file)
    tap.equal(status['Uid'].split(), ['253'] * 4, 'all uids are those of qmailp')
    tap.equal(status['NoNewPrivs'].strip(), '1', 'nothing it could run has more rights')
    process.stdin.close()
    tap.equal(process.wait(30), 0, 'it ends with its input')
    process.stdout.close()


# ---- qmail-smtpd ----

def log_tail(text):
    return [line.rstrip('\n') for line in text.decode('latin-1').splitlines()]


def talk(commands, **env):
    """Replies after the greeting and HELO, log lines, exit code."""
    helo = env.pop('helo', 'client.test')
    with tempfile.TemporaryFile() as err:
        server = netserver.Server('qmail-smtpd', env=env, control=CONTROL, err=err)
        script = 'HELO %s\r\n' % helo + ''.join(line + '\r\n' for line in commands) + 'QUIT\r\n'
        reply, code = netserver.exchange(server, script.encode('latin-1'))
        err.seek(0)
        return reply.split('\r\n')[2:-2], log_tail(err.read()), code


FROM = 'MAIL FROM:<a@b.example>'
START = {'CHKUSER_START': 'ALWAYS', 'CHKUSER_SENDER_MX_NOCHECK': '', 'CHKUSER_RCPT_MX_NOCHECK': ''}
PREFIX = 'from <a@b.example::> remote <client.test:client.example:192.0.2.7> '
NO_MAILBOX = '550 5.1.1 sorry, no mailbox here by that name (chkuser)'


def line(what, rcpt, detail, prefix=PREFIX):
    return 'CHKUSER %s: %srcpt <%s> : %s' % (what, prefix, rcpt, detail)


def test_off():
    for start in (None, '', 'NONE', 'x'):
        replies, log, _ = talk([FROM, 'RCPT TO:<nobody@v.example>'], CHKUSER_START=start)
        tap.equal((replies, log), (['250 ok', '250 ok'], []), 'CHKUSER_START %r: nothing' % start)


RECIPIENTS = [  # recipient, reply, what, detail
    ('fred@v.example', '250 ok', 'accepted rcpt', 'found existing recipient'),
    ('nobody@v.example', NO_MAILBOX, 'rejected rcpt', 'not existing recipient'),
    ('any@c.example', '250 ok', 'accepted any rcpt', 'accepted any recipient for this domain'),
    ('full@v.example', '552 5.2.2 sorry, recipient mailbox is full (chkuser)', 'mbx overquota',
     'rcpt mailbox is overquota'),
    ('x@no.example', "553 5.7.1 sorry, that domain isn't in my list of allowed rcpthosts (chkuser)",
     'rejected relaying', 'client not allowed to relay'),
    ('joe', '550 5.1.2 sorry, you must specify a domain (chkuser)', 'rejected rcpt',
     'invalid rcpt address format'),
    ('PostMaster', '250 ok', 'accepted rcpt', 'found existing recipient'),
    ('x@localhost', '553 5.1.3 sorry, rcpt syntax not allowed (chkuser)', 'rejected rcpt',
     'invalid rcpt address format'),
]


def test_recipients():
    for rcpt, reply, what, detail in RECIPIENTS:
        replies, log, code = talk([FROM, 'RCPT TO:<%s>' % rcpt], CHKUSER_MBXQUOTA='90', **START)
        tap.equal(replies, ['250 ok', reply], rcpt)
        tap.equal(log, [line('accepted sender', '', 'sender accepted'), line(what, rcpt, detail)],
                  '  its log line')
        tap.equal(code, 0, '  and the session goes on')
    replies, log, _ = talk([FROM, 'RCPT TO:<x@localhost>'], CHKUSER_RCPT_FORMAT_NOCHECK='', **START)
    tap.equal(replies, ['250 ok', '250 ok'], 'any form of recipients with CHKUSER_RCPT_FORMAT_NOCHECK')
    replies, log, _ = talk([FROM, 'RCPT TO:<nobody@l.example>', 'RCPT TO:<nobody@v.example>'],
                           **{**START, 'CHKUSER_START': 'domain'})
    tap.equal(replies, ['250 ok', '250 ok', NO_MAILBOX], 'DOMAIN: only domains that bounce')


def test_quota():
    """CHKUSER_MBXQUOTA: the mailbox of full is filled to 95 percent."""
    ask = [FROM, 'RCPT TO:<full@v.example>']
    off, on = talk(ask, **START), talk(ask, CHKUSER_MBXQUOTA='90', **START)
    full = '552 5.2.2 sorry, recipient mailbox is full (chkuser)'
    tap.equal((off[0][1], on[0][1]), ('250 ok', full), 'CHKUSER_MBXQUOTA: off and on')
    tap.equal((off[1][1], on[1][1]), (line('accepted rcpt', 'full@v.example', 'found existing recipient'),
                                      line('mbx overquota', 'full@v.example', 'rcpt mailbox is overquota')),
              'CHKUSER_MBXQUOTA: log')
    got = [talk(ask, CHKUSER_MBXQUOTA=value, **START)[0][1] for value in ('x', '', '0', '-1', '9' * 30)]
    tap.equal(got, ['250 ok'] * 5, 'CHKUSER_MBXQUOTA: no percentage')


def test_line():
    replies, log, _ = talk(['MAIL FROM:<"a:b<c> d"@e.example>', 'RCPT TO:<"f:g"@v.example>'],
                           helo='[IPv6:::1]', TCPREMOTEHOST=None, TCPREMOTEINFO='who: am<i',
                           CHKUSER_IDENTIFY='id 1', TCPREMOTEIP='2001:db8::1', **START)
    prefix = 'from <a?b?c??d@e.example:who??am?i:id?1> remote <[IPv6???1]:unknown:2001:db8::1> '
    tap.equal(log, [line('accepted sender', '', 'sender accepted', prefix),
                    line('rejected rcpt', 'f?g@v.example', 'not existing recipient', prefix)],
              'what strangers say cannot break the line')
    replies, log, _ = talk([FROM], helo='client.example', **START)
    tap.equal(log, [line('accepted sender', '', 'sender accepted',
                         'from <a@b.example::> remote <:client.example:192.0.2.7> ')],
              'HELO that is the name: left out')
    long = 'MAIL FROM:<%s@b.example>' % ('x' * 880)
    replies, log, _ = talk([long, 'RCPT TO:<%s@v.example>' % ('y' * 880)], helo='h' * 2000, **START)
    tap.equal([len(log), max(map(len, log)) <= 4096], [2, True], 'the longest lines are whole')
    with tempfile.TemporaryFile():
        server = netserver.Server('qmail-smtpd', env=START, control=CONTROL, err=None)
        reply, _ = netserver.exchange(server, (FROM + '\r\nQUIT\r\n').encode())
        tap.equal(len(reply.split('\r\n')), 4, 'no line where descriptor 2 is the client')


SENDERS = [  # sender, variables, reply, what, detail
    ('', {}, '250 ok', 'accepted sender', 'accepted null sender always'),
    ('a@b', {}, '553 5.1.7 sorry, sender syntax not allowed (chkuser)', 'rejected sender',
     'invalid sender address format'),
    ('a@b', {'CHKUSER_SENDER_FORMAT_NOCHECK': ''}, '250 ok', 'accepted sender', 'sender accepted'),
    ('a@b', {'RELAYCLIENT': ''}, '250 ok', 'accepted sender', 'accepted any sender always'),
    ('a@b', {'RELAYCLIENT': '', 'CHKUSER_SENDER_NOCHECK_VARIABLE': ''},
     '553 5.1.7 sorry, sender syntax not allowed (chkuser)', 'rejected sender',
     'invalid sender address format'),
    ('a@b', {'TRUSTED': '', 'CHKUSER_SENDER_NOCHECK_VARIABLE': 'TRUSTED'}, '250 ok', 'accepted sender',
     'accepted any sender always'),
    ('#@[]', {}, '553 5.1.7 sorry, sender syntax not allowed (chkuser)', 'rejected sender',
     'invalid sender address format'),
    ('#@[]', {'CHKUSER_DOUBLEBOUNCE': ''}, '250 ok', 'accepted doublebounce',
     'accepted qmail doublebounce #@[]'),
    ('a@b.example', {'CHKUSER_MUSTAUTH': ''}, '530 5.7.0 Authentication required (chkuser)', 'must auth',
     'sender not authenticated/authorized'),
    ('a@[192.0.2.1]', {}, '250 ok', 'accepted sender', 'sender accepted'),
    ("!#$%&'*+-/=?^_`{|}~.x@b.example", {}, '250 ok', 'accepted sender', 'sender accepted'),
    ('a@b.example', {'CHKUSER_SENDER_MX_NOCHECK': None}, '550 5.1.8 sorry, can\'t find a valid MX for '
     'sender domain (chkuser)', 'rejected sender', 'invalid sender MX domain'),
    ('a@mail.test', {'CHKUSER_SENDER_MX_NOCHECK': None}, '250 ok', 'accepted sender', 'sender accepted'),
    ('a@host.test', {'CHKUSER_SENDER_MX_NOCHECK': None}, '250 ok', 'accepted sender', 'sender accepted'),
    ('a@null.test', {'CHKUSER_SENDER_MX_NOCHECK': None}, '550 5.1.8 sorry, can\'t find a valid MX for '
     'sender domain (chkuser)', 'rejected sender', 'invalid sender MX domain'),
    ('a@broken.test', {'CHKUSER_SENDER_MX_NOCHECK': None}, '451 4.4.0 DNS temporary failure (chkuser)',
     'rejected sender', 'temporary DNS problem'),
]


def test_senders():
    for sender, env, reply, what, detail in SENDERS:
        replies, log, _ = talk(['MAIL FROM:<%s>' % sender], **{**START, **env})
        prefix = 'from <%s::> remote <client.test:client.example:192.0.2.7> ' % sender
        tap.equal((replies, log), ([reply], [line(what, '', detail, prefix)]), 'sender <%s> %r' % (sender, env))
    replies, log, _ = talk(['MAIL FROM:<a@b>', 'RCPT TO:<fred@v.example>'], **START)
    tap.equal(replies[1][:3], '503', 'a sender that is refused opens no transaction')


def test_relaying():
    rcpts = ['RCPT TO:<nobody@v.example>', 'RCPT TO:<x@mail.test>', 'RCPT TO:<x@null.test>']
    replies, log, _ = talk([FROM] + rcpts, RELAYCLIENT='', **{**START, 'CHKUSER_RCPT_MX_NOCHECK': None})
    tap.equal(replies, ['250 ok'] * 4, 'a relay client is not checked')
    tap.equal(log[1:], [line('accepted any rcpt', 'nobody@v.example',
                             'accepted any recipient for any rcpt domain'),
                        line('relaying rcpt', 'x@mail.test', 'client allowed to relay'),
                        line('relaying rcpt', 'x@null.test', 'client allowed to relay')], '  log lines')
    replies, log, _ = talk([FROM] + rcpts + ['RCPT TO:<x@broken.test>'], RELAYCLIENT='',
                           CHKUSER_DISABLE_VARIABLE='', **{**START, 'CHKUSER_RCPT_MX_NOCHECK': None})
    tap.equal(replies, ['250 ok', NO_MAILBOX, '250 ok',
                        "550 5.1.2 sorry, can't find a valid MX for rcpt domain (chkuser)",
                        '451 4.4.0 DNS temporary failure (chkuser)'], 'unless somebody wants that')
    tap.equal(log[3:], [line('rejected rcpt', 'x@null.test', 'invalid rcpt MX domain'),
                        line('rejected rcpt', 'x@broken.test', 'temporary DNS problem')], '  log lines')


def test_limits():
    good, bad = 'RCPT TO:<fred@v.example>', 'RCPT TO:<nobody@v.example>'
    many = '550 5.5.3 sorry, reached maximum number of recipients allowed in one session (chkuser)'
    wrong = '550 5.5.3 sorry, you are violating our security policies (chkuser)'
    intruder = '550 5.7.1 sorry, you are violating our security policies (chkuser)'
    replies, log, _ = talk([FROM, good, good, 'RSET', FROM, good, good], CHKUSER_RCPTLIMIT='2', **START)
    tap.equal(replies[1:], ['250 ok'] * 4 + [many, intruder], 'two recipients in a session, RSET or not')
    tap.equal(log[-2:], [line('intrusion threshold', 'fred@v.example', 'max number of allowed rcpt'),
                         line('rejected intrusion', 'fred@v.example',
                              'rcpt ignored, session over intrusion threshold')], '  log lines')
    replies, log, _ = talk([FROM, bad, good, bad, good, good], CHKUSER_WRONGRCPTLIMIT='2', **START)
    tap.equal(replies[1:], [NO_MAILBOX, '250 ok', NO_MAILBOX, wrong, intruder], 'two wrong recipients')
    tap.equal(log[-2], line('intrusion threshold', 'fred@v.example', 'max number of allowed invalid rcpt'),
              '  log line')
    for value in ('0', '', 'x', '3'):
        replies, log, _ = talk([FROM, good, good, good], CHKUSER_RCPTLIMIT=value, **START)
        tap.equal(replies[1:], ['250 ok'] * 3, 'limit %r: not reached' % value)


def test_brtlimit():
    """What is refused for a while, or for its owner's mail, is nobody's guess at a name."""
    good, bad, full = ('RCPT TO:<%s@v.example>' % name for name in ('fred', 'nobody', 'full'))
    replies, _, code = talk([FROM, bad, good, bad, good], BRTLIMIT='2', **START)
    tap.equal(([r[:3] for r in replies], code), (['250', '550', '250', '550'], 1),
              'BRTLIMIT: two that do not exist, and it is over')
    replies, _, code = talk([FROM, bad, good, good, good], BRTLIMIT='3', CHKUSER_WRONGRCPTLIMIT='1', **START)
    tap.equal(([r[:7] for r in replies[1:]], code), (['550 5.1', '550 5.5', '550 5.7'], 1),
              '  as do those over CHKUSER_WRONGRCPTLIMIT')
    replies, _, code = talk([FROM, good, good, good, good], BRTLIMIT='2', CHKUSER_RCPTLIMIT='1', **START)
    tap.equal(([r[:7] for r in replies[2:]], code), (['550 5.5', '550 5.7'], 1), '  and CHKUSER_RCPTLIMIT')
    replies, _, _ = talk([FROM, full, full, good], BRTLIMIT='1', CHKUSER_MBXQUOTA='90', **START)
    tap.equal([r[:3] for r in replies], ['250', '552', '552', '250'], '  full mailboxes do not count')
    os.rename(PROGRAM, PROGRAM + '.kept')
    replies, _, _ = talk([FROM, good, bad, good], BRTLIMIT='1', **START)
    os.rename(PROGRAM + '.kept', PROGRAM)
    tap.equal([r[:3] for r in replies], ['250', '451', '451', '451'], '  nor do temporary refusals')


def test_no_checker():
    os.rename(PROGRAM, PROGRAM + '.kept')
    trouble = '451 4.3.0 system temporary unavailable, try again later (chkuser)'
    for name, script in (('missing', None), ('mute', 'exit 0'), ('lying', 'printf "X\\0"; cat'),
                         ('talkative', 'printf "EE\\0"; cat')):
        if script:
            write(PROGRAM, '#!/bin/sh\n%s\n' % script, mode=0o755)
        replies, log, code = talk([FROM, 'RCPT TO:<fred@v.example>'], **START)
        tap.equal((replies[1], code), (trouble, 0), 'checker %s: try later' % name)
        tap.equal(log[1], line('no auth resource', 'fred@v.example', 'no auth resource available'),
                  '  log line')
    os.rename(PROGRAM + '.kept', PROGRAM)


def main():
    names = Dns({'mail.test MX': ['10 mx.test'], 'host.test A': ['192.0.2.9'],
                        'null.test MX': ['0 .'], 'broken.test': 'SERVFAIL'})
    return netserver.run((prepare, test_answers, test_questions, test_failures, test_privileges,
                          test_off, test_recipients, test_quota, test_line, test_senders,
                          test_relaying, test_limits, test_brtlimit, test_no_checker), names)


if __name__ == '__main__':
    sys.exit(main())
