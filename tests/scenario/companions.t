#!/usr/bin/python3
"""companions.t - programs of others, unmodified from Debian, work with this mail system.

Delivery programs in .qmail files, front ends on our queue, clients of our servers, readers of our
mailboxes, programs in front of qmail-smtpd, monitors.  Each claim is checked by what arrives.
Usage: companions.t [NAME...]       only these functions
"""
import base64
import glob
import imaplib
import os
import re
import socket
import subprocess
import sys
import textwrap

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import netstr                           # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import TOP, home              # noqa: E402

JOE, ANN = hosts.USERS['joe'], hosts.USERS['ann']
GTUBE = b'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n'
HEADER = (b'From: Ann <ann@hosta.test>\nTo: Joe <joe@hosta.test>\n'
          b'Date: Sat, 21 Nov 2026 04:00:00 +0000\nMessage-ID: <1@hosta.test>\nMIME-Version: 1.0\n'
          b'Content-Type: text/plain; charset=latin1\nContent-Transfer-Encoding: 8bit\n')
DOVECOT = 'mail_location = maildir:~/Maildir\nssl = no\nlog_path = /dev/stderr\n'


def advice(first):
    """The block of INSTALL that begins with this text."""
    with open(os.path.join(TOP, 'INSTALL')) as file:
        blocks = re.findall(r'(?:^    .*\n)+', file.read(), re.M)
    block, = [block for block in blocks if block.strip().startswith(first)]
    return textwrap.dedent(block).replace('/var/qmail', home())


class Mail:
    """Numbered messages to joe of one host."""

    def __init__(self, host):
        self.host, self.serial = host, 0

    def text(self, extra=b''):
        self.serial += 1
        return b'Subject: number %d\n' % self.serial + extra + b'\n.\nFrom here\nbody %d \xe9\n' \
            % self.serial

    def send(self, to='joe@hosta.test', extra=b''):
        """Queues a message and waits until all is done; returns its text."""
        text = self.text(extra)
        tap.equal(self.host.deliver('ann@hosta.test', [to], text), 0, 'a message to ' + to)
        self.host.wait_empty()
        return text

    def got(self, name, text, user='joe', box='Maildir'):
        """Test point: this text, below fields of delivery, is the only one in the Maildir."""
        found = self.host.mail(user, box)
        tap.ok(len(found) == 1 and found[0].endswith(b'\n' + text), name, found)
        self.host.sh('rm -f /home/%s/%s/new/* /home/%s/%s/cur/*' % (user, box, user, box))
        return found[0] if found else b''


def serve(host, port, *command, user='qmaild', env=None):
    """tcpserver on a port of the host, with this command for each connection."""
    host.popen(['tcpserver', '-RHl0', '-u', host.sh('id -u ' + user).strip(),
                '-g', host.sh('id -g ' + user).strip(), '127.0.0.1', str(port)] + list(command),
               env={'PATH': home() + '/bin:/usr/bin:/bin:/usr/sbin', **(env or {})})
    wait_for(lambda: host.listening(port), 'port %d' % port)


def smtp_text(text):
    return text.replace(b'\n', b'\r\n')


def pop3_count(host):
    client = host.pop3('joe')
    try:
        return client.stat()[0]
    finally:
        client.quit()


# ---- delivery ----

def maildrop(mail):
    mail.host.maildir('joe', '/home/joe/Dropped')
    mail.host.write('/home/joe/.mailfilter',
                    'if (/^Subject: number/)\n\tto "Dropped/"\n', 'joe', 0o600)
    mail.host.dotqmail('joe', 'drop', '|preline maildrop\n')
    mail.got('maildrop sorts into a Maildir', mail.send('joe-drop@hosta.test'), box='Dropped')


def procmail(mail):
    mail.host.maildir('joe', '/home/joe/Sorted')
    mail.host.write('/home/joe/.procmailrc', ':0\n* ^Subject: number\nSorted/\n', 'joe', 0o600)
    mail.host.dotqmail('joe', 'proc', '|preline procmail\n')
    text = mail.got('procmail sorts into a Maildir', mail.send('joe-proc@hosta.test'), box='Sorted')
    tap.ok(text.startswith(b'From ann@hosta.test ') or b'Return-Path: <ann@hosta.test>' in text,
           'and knows the sender', text)
    mail.host.write('/home/joe/.procmailrc', 'EXITCODE=75\nHOST\n', 'joe', 0o600)
    code = mail.host.deliver('ann@hosta.test', ['joe-proc@hosta.test'], mail.text())
    tap.equal(code, 0, 'a message that procmail cannot deliver now')
    mail.host.wait_log('^delivery .*: deferral: ')
    mail.host.write('/home/joe/.procmailrc', None)
    mail.host.dotqmail('joe', 'proc', '#\n')
    mail.host.svc('-a')
    mail.host.wait_empty()
    mail.host.sh('rm -f /home/joe/Maildir/new/*')


def default_delivery(mail):
    """procmail for every user: boot/proc's default delivery, with the log on its usual way."""
    host = mail.host
    before = host.sh('cat %s/rc' % home())
    booted = host.sh('sed "s/ splogger qmail$//" %s/boot/proc' % home())
    host.write(home() + '/rc', booted, mode=0o755)
    host.restart()
    host.maildir('ann', '/home/ann/Sorted')
    host.write('/home/ann/.procmailrc', ':0\nSorted/\n', 'ann', 0o600)
    mail.got('procmail as default delivery', mail.send('ann@hosta.test'), 'ann', 'Sorted')
    tap.equal(host.mail('ann'), [], 'in place of the Maildir')
    host.write('/home/ann/.procmailrc', None)
    host.write(home() + '/rc', before, mode=0o755)
    host.restart()


def aliases(mail):
    """fastforward as the catch-all of ~alias, on /etc/aliases."""
    mail.host.write('/etc/aliases', 'sales: joe, ann\nnobody: "|exit 99"\n')
    mail.host.dotqmail('alias', 'default', '|fastforward -d /etc/aliases.cdb\n')
    tap.equal(mail.host.call(['qmail-newaliases'])[0], 0, 'qmail-newaliases')
    text = mail.send('Sales@hosta.test')
    mail.got('fastforward: one member', text)
    mail.got('fastforward: the other', text, 'ann')
    _, out, _ = mail.host.call(['sh', '-c', 'printforward </etc/aliases.cdb'])
    tap.ok(b'joe' in out and b'sales' in out, 'printforward', out)
    host = mail.host
    host.write('/tmp/forwards', 'support@hosta.test: ann;\n')
    host.sh('cd /tmp && setforward forwards.cdb forwards.tmp <forwards')
    out = host.sh('printforward </tmp/forwards.cdb')
    tap.ok(re.search(r'support@hosta\.test', out) and 'ann' in out, 'setforward', out)
    host.dotqmail('alias', 'support', '|fastforward -d /tmp/forwards.cdb\n')
    mail.got('fastforward on what setforward has made', mail.send('support@hosta.test'), 'ann')
    host.dotqmail('alias', 'support', None)
    mail.send('no-such@hosta.test')
    found = mail.host.wait_mail('ann', 1)
    tap.ok(b'#5.1.1' in found[0] and b'no-such@hosta.test' in found[0], 'an unknown name bounces',
           found)
    mail.host.clear_mail()
    mail.host.dotqmail('alias', 'default', None)


def dot_forward(mail):
    mail.host.write('/home/joe/.forward', 'ann\n', 'joe')
    mail.host.dotqmail('joe', 'forward', '|dot-forward .forward\n./Maildir/\n')
    mail.got('dot-forward sends on', mail.send('joe-forward@hosta.test'), 'ann')
    tap.equal(mail.host.mail('joe'), [], 'and ends the delivery')
    mail.host.write('/home/joe/.forward', None)
    mail.got('without .forward the next line counts', mail.send('joe-forward@hosta.test'))


def spamc(mail):
    daemon = mail.host.popen(['spamd', '-L', '-s', 'null', '-m', '1', '--min-children=1',
                              '-p', '783'])
    wait_for(lambda: mail.host.listening(783), 'spamd', 60)
    mail.host.dotqmail('joe', 'spam', '|spamc -c >/dev/null || exit 99\n./Maildir/\n')
    text = mail.send('joe-spam@hosta.test', HEADER)
    mail.got('spamc lets mail pass', text)
    code = mail.host.deliver('ann@hosta.test', ['joe-spam@hosta.test'], mail.text() + GTUBE)
    tap.equal(code, 0, 'spam is queued')
    mail.host.wait_empty()
    tap.equal(mail.host.mail('joe'), [], 'spamc stops it')
    daemon.terminate()


def dovecot(mail):
    """dovecot-lda in .qmail, and IMAP over a Maildir that we fill, too."""
    mail.host.write('/etc/dovecot/ours.conf', DOVECOT)
    mail.host.dotqmail('joe', 'lda', '|/usr/lib/dovecot/dovecot-lda -c /etc/dovecot/ours.conf '
                       '-f "$SENDER"\n')
    text = mail.send('joe-lda@hosta.test')
    mail.got('dovecot-lda', text)
    texts = [mail.send(), mail.send('joe-lda@hosta.test')]
    host = mail.host

    class Imap(imaplib.IMAP4):
        """IMAP with dovecot as joe, over its standard input and output."""

        def open(self, *_, **__):
            self.sock, theirs = socket.socketpair()
            self.file = self.sock.makefile('rb')
            self.child = host.popen(['/usr/lib/dovecot/imap', '-c', '/etc/dovecot/ours.conf'],
                                    user=JOE, cwd='/home/joe', stdin=theirs, stdout=theirs,
                                    env={'USER': 'joe', 'HOME': '/home/joe'})
            theirs.close()

    client = Imap()
    count = client.select('INBOX')[1]
    tap.equal(count, [b'2'], 'IMAP sees both messages')
    bodies = sorted(client.fetch(n, '(BODY.PEEK[TEXT])')[1][0][1] for n in ('1', '2'))
    tap.equal(bodies, sorted(smtp_text(text.split(b'\n\n', 1)[1]) for text in texts),
              'and shows what was sent')
    client.store('1', '+FLAGS', r'\Deleted')
    client.expunge()
    client.logout()
    # A message of this second is not shown, because it may still be written.
    wait_for(lambda: pop3_count(host) == 1, 'POP3 to see what IMAP has left')
    host.sh('rm -rf /home/joe/Maildir')
    host.maildir('joe', '/home/joe/Maildir')


# ---- front ends on our queue ----

def mailfront(mail):
    rules = {'RELAYCLIENT': '', 'QMAILHOME': home()}
    serve(mail.host, 2625, 'smtpfront-qmail', env=rules)
    client = mail.host.smtp(port=2625)
    text = mail.text()
    client.sendmail('ann@hosta.test', ['joe@hosta.test'], smtp_text(text), ['BODY=8BITMIME'])
    client.quit()
    mail.host.wait_mail()
    mail.got('SMTP by mailfront', text)
    serve(mail.host, 2209, 'qmtpfront-qmail', env=rules)
    text = mail.text()
    packet = b''.join(b'%d:%s,' % (len(part), part) for part in (
        b'\n' + text, b'ann@hosta.test', b'14:joe@hosta.test,'))
    with mail.host.connect('127.0.0.1', 2209) as connection:
        connection.sendall(packet)
        answer = connection.recv(1000)
    tap.ok(re.match(rb'\d+:K', answer), 'QMTP by mailfront', answer)
    mail.host.wait_mail()
    mail.got('and its message arrives', text)
    text = mail.send()
    serve(mail.host, 2110, 'pop3front-maildir', '/home/joe/Maildir', user='joe')
    with mail.host.connect('127.0.0.1', 2110) as connection:
        connection.sendall(b'RETR 1\r\nDELE 1\r\nQUIT\r\n')
        answer = b''.join(iter(lambda: connection.recv(65536), b''))
    tap.ok(smtp_text(text.split(b'\n\n', 1)[1]).lstrip(b'.') in answer, 'POP3 by mailfront', answer)
    tap.equal(glob.glob(mail.host.path('/home/joe/Maildir/*/*')), [], 'which deletes it')


# ---- clients of ours ----

def msmtp(mail):
    text = mail.text()
    code, _, err = mail.host.call(['msmtp', '--host=127.0.0.1', '--port=25', '-f', 'ann@hosta.test',
                                   'joe@hosta.test'], text)
    tap.equal((code, err), (0, b''), 'msmtp')
    mail.host.wait_mail()
    mail.got('msmtp: the message', text)


def mutt(mail):
    """Sends through our sendmail; reads a Maildir and an mbox that we have filled."""
    code, _, err = mail.host.call(
        ['mutt', '-n', '-e', 'set sendmail=%s/bin/sendmail' % home(), '-e', 'set copy=no',
         '-s', 'by mutt', '--', 'joe@hosta.test'], b'hello\n.\nend\n', user=ANN,
        env={'USER': 'ann', 'HOME': '/home/ann', 'TERM': 'dumb'})
    tap.equal((code, err), (0, b''), 'mutt sends')
    found = mail.host.wait_mail()
    tap.ok(found[0].endswith(b'\n\nhello\n.\nend\n') and b'Subject: by mutt\n' in found[0],
           'mutt: the message', found)
    mail.host.clear_mail()
    mail.host.dotqmail('joe', 'mbox', './Mbox\n')
    for box, to in (('Maildir', 'joe'), ('Mbox', 'joe-mbox')):
        text = mail.send(to + '@hosta.test')
        mail.host.write('/tmp/muttrc', 'set folder=/tmp\n'
                        'push <pipe-message>cat>/tmp/%s<enter><exit>\n' % box)
        mail.host.sh('script -qec "mutt -n -R -F /tmp/muttrc -f /home/joe/%s" /dev/null </dev/null '
                     '>/dev/null' % box, env={'TERM': 'xterm'}, timeout=30)
        with open(mail.host.path('/tmp/' + box), 'rb') as file:
            seen = file.read()
        tap.ok(b'\nbody %d ' % mail.serial in seen and re.search(rb'\n>?From here\n', seen),
               'mutt reads a message in ' + box, (seen, text))
    mail.host.sh('rm -f /home/joe/Maildir/*/* /home/joe/Mbox')


def nullmailer(mail):
    """A host without a queue of its own hands its mail to our QMQP server."""
    serve(mail.host, 628, 'qmail-qmqpd')
    mail.host.write('/etc/nullmailer/remotes', '127.0.0.1 qmqp\n')
    text = mail.text()
    code, _, err = mail.host.call(['nullmailer-inject', '-f', 'ann@hosta.test', 'joe@hosta.test'],
                                  b'From: ann@hosta.test\n' + text, user=ANN)
    tap.equal((code, err), (0, b''), 'nullmailer-inject')
    mail.host.popen(['setpriv', '--reuid', 'mail', '--regid', 'mail', '--clear-groups',
                     'nullmailer-send'])
    found = mail.host.wait_mail()
    tap.ok(len(found) == 1 and found[0].endswith(text.split(b'\n\n', 1)[1]),
           'nullmailer: the message', found)
    mail.host.clear_mail()


def qmqp(mail):
    """Postfix's tools for QMQP against both of our ends."""
    host = mail.host
    serve(host, 2628, 'qmail-qmqpd')
    code, _, err = host.call(['qmqp-source', '-m', '3', '-s', '2', '-f', 'ann@hosta.test',
                              '-t', 'joe@hosta.test', '-l', '3000', '127.0.0.1:2628'])
    tap.equal((code, err), (0, b''), 'qmqp-source')
    host.wait_mail(count=3)
    host.wait_empty()
    sent = [text[text.index(b'\nFrom: ') + 1:] for text in host.mail()]
    tap.equal([(len(text), set(text.split(b'\n\n', 1)[1])) for text in sent],
              [(3000, set(b'X\n'))] * 3, 'its messages arrive once, whole')
    host.clear_mail()
    host.popen(['qmqp-sink', '-c', '127.0.0.2:628', '10'], stdout=-3)
    wait_for(lambda: ':0274 ' in host.sh('grep " 0A " /proc/net/tcp; grep -o "200007F:0274 " '
                                         '/proc/net/tcp || :'), 'qmqp-sink')
    host.control('qmqpservers', '127.0.0.3\n')
    with host.network():
        between, sink = socket.create_server(('127.0.0.3', 628)), socket.socket()
    text = mail.text()
    inject = host.popen([home() + '/bin/qmail-inject', '-fann@hosta.test', 'far@x.test',
                         'd@y.test'], stdin=subprocess.PIPE,
                        env={'QMAILQUEUE': home() + '/bin/qmail-qmqpc'})
    inject.stdin.write(text)
    inject.stdin.close()
    request, answer = relay(between, sink)
    tap.equal(inject.wait(60), 0, 'qmail-qmqpc to qmqp-sink')
    parts = netstr.split(*netstr.split(request))
    tap.ok(parts[0].endswith(b'\n' + text), 'the message was sent as it is', parts)
    tap.equal(parts[1:], [b'ann@hosta.test', b'far@x.test', b'd@y.test'], 'and its envelope')
    tap.ok(netstr.split(answer)[0].startswith(b'K'), 'qmqp-sink has understood it', answer)


def relay(between, sink):
    """One connection to `between`, handed on to the sink of Postfix; what each has said."""
    sink.settimeout(60)
    sink.connect(('127.0.0.2', 628))
    between.settimeout(60)
    client = between.accept()[0]
    client.settimeout(60)
    with between, sink, client:
        stream = client.makefile('rb')
        length = stream.read(1)
        while not length.endswith(b':'):
            length += stream.read(1)
        request = length + stream.read(int(length[:-1]) + 1)
        sink.sendall(request)
        answer = b''.join(iter(lambda: sink.recv(4096), b''))
        client.sendall(answer)
    return request, answer


# ---- in front of qmail-smtpd ----

def in_front(mail):
    host = mail.host
    host.write('/tmp/listed', '#!/bin/sh\nexec 2>>/tmp/refused; '
               'exec rblsmtpd -r rbl.test qmail-smtpd\n', mode=0o755)
    host.sh('install -m 666 /dev/null /tmp/refused')
    serve(host, 2725, '/tmp/listed')
    with host.network():
        listed = socket.create_connection(('127.0.0.1', 2725), 30, ('127.0.0.7', 0))
        other = socket.create_connection(('127.0.0.1', 2725), 30, ('127.0.0.8', 0))
    with listed, other:
        listed.sendall(b'MAIL FROM:<a@b.test>\r\nRCPT TO:<joe@hosta.test>\r\nQUIT\r\n')
        answer = b''.join(iter(lambda: listed.recv(4096), b''))
        tap.ok(b'451 Listed here' in answer, 'rblsmtpd refuses who is listed', answer)
        tap.ok(other.recv(4096).startswith(b'220 hosta.test ESMTP'), 'and lets others in')
    banned(host)
    host.sh('printf "#!/bin/sh\\nexec 2>>/tmp/record; exec recordio qmail-smtpd\\n" >/tmp/run; '
            'chmod 755 /tmp/run; install -m 666 /dev/null /tmp/record')
    serve(host, 2825, '/tmp/run')
    client = host.smtp(port=2825)
    text = mail.text()
    client.sendmail('ann@hosta.test', ['joe@hosta.test'], smtp_text(text), ['BODY=8BITMIME'])
    client.quit()
    host.wait_mail()
    mail.got('a message through recordio', text)
    record = host.sh('cat /tmp/record')
    tap.ok(re.search(r'< RCPT TO:<joe@hosta\.test>', record, re.I) and '> 354 ' in record,
           'recordio has seen the dialogue', record)
    serve(host, 2925, 'fixcrio', 'qmail-smtpd')
    text = mail.text()
    with host.connect('127.0.0.1', 2925) as bare:
        bare.sendall(b'HELO x\nMAIL FROM:<ann@hosta.test>\nRCPT TO:<joe@hosta.test>\nDATA\n' +
                     text.replace(b'\n.', b'\n..') + b'.\nQUIT\n')
        answer = b''.join(iter(lambda: bare.recv(4096), b''))
    tap.ok(b'\r\n250 ok ' in answer, 'fixcrio mends bare line feeds', answer)
    host.wait_mail()
    mail.got('the message through fixcrio', text)


def found_by(host, log, name):
    """Lines that fail2ban-regex matches and misses, and whom it finds."""
    code, out, _ = host.call(['fail2ban-regex', '-v', log, '/etc/fail2ban/filter.d/%s.conf' % name])
    lines = re.search(rb'Lines: \d+ lines, 0 ignored, (\d+) matched, (\d+) missed', out)
    return (code, tuple(int(n) for n in lines.groups()) if lines else out,
            sorted(set(re.findall(r'\n\|\s+([0-9a-f.:]+)  ', out.decode()))))


def banned(host):
    """fail2ban finds in our logs whom rblsmtpd and qmail-smtpd have refused, with the filters that
    are in doc, as multilog keeps them and as people read them."""
    host.sh(advice('cp /var/qmail/doc/rblsmtpd.conf'))
    host.sh('echo "tcpserver: ok 4712 0:192.0.2.1:25 :127.0.0.8::1" >>/tmp/refused')
    host.write('/tmp/auth-run', '#!/bin/sh\nexec 2>>/tmp/auth\nexec qmail-smtpd sh -c '
               '"cat <&3 >/dev/null; exit 1" x\n', mode=0o755)
    host.sh('install -m 666 /dev/null /tmp/auth')
    serve(host, 3025, '/tmp/auth-run', env={'SMTPAUTHARGS': 'plain'})
    client = host.smtp(port=3025)
    client.ehlo()
    for name in ('joe', 'x [192.0.2.66]\nqmail-smtpd[1]: AUTH failed [192.0.2.66] joe'):
        client.docmd('AUTH PLAIN ' + base64.b64encode(('\0%s\0a b' % name).encode()).decode())
    client.quit()
    host.sh('echo "qmail-smtpd[1]: AUTH successful [127.0.0.9] joe" >>/tmp/auth; '
            'echo "qmail-popup[1]: login failed [2001:db8::7] -" >>/tmp/auth')
    for kind, command in (('multilog', 'cat'), ('tai64nlocal', 'tai64nlocal'),
                          ('syslog',
                           "sed 's/^@[0-9a-f]*/Nov 21 04:00:00 hosta qmail: 1795233600.813485/'")):
        for name, matched in (('rblsmtpd', ((1, 1), ['127.0.0.7'])),
                              ('qmail-auth', ((3, 1), ['127.0.0.1', '2001:db8::7']))):
            source = '/tmp/refused' if name == 'rblsmtpd' else '/tmp/auth'
            host.sh('tai64n <%s | %s >/tmp/log' % (source, command))
            tap.equal(found_by(host, '/tmp/log', name), (0, *matched),
                      'fail2ban: %s, log of %s' % (name, kind))
    policies(host)
    host.sh('echo "Nov 21 04:00:00 h vpopmail[9]: vchkpw-pop3: password fail '
            'joe@a.example:192.0.2.9" >/tmp/log')
    tap.equal(found_by(host, '/tmp/log', 'qmail-auth'), (0, (1, 0), ['192.0.2.9']),
              'fail2ban: vchkpw')
    host.sh('touch /var/log/auth.log')     # for the jail that Debian has switched on
    code, out, err = host.call(['fail2ban-client', '-t'])
    tap.ok(code == 0 and b'OK' in out + err, 'fail2ban takes the jail of INSTALL', (out, err))


def policies(host):
    """The same for what qmail-smtpd refuses by its policies: each form of line, by qmail-smtpd
    itself, with what a client may choose at its worst."""
    rows = [('badhelo', '-', 'x> at 192.0.2.66', 'a@b', 'u@hosta.test'),
            ('-', '-', 'x', 'a@b', 'u@no.example'),
            ('-', 'QMAILSMTPD_LOG=refusal', '): x from 192.0.2.66 to x helo x', 'a@b',
             'u@no.example'),
            ('-', 'QMAILSMTPD_LOG=sqmail', 'x S:192.0.2.66:x', 'a@b', 'u@no.example'),
            ('-', 'QMAILSMTPD_LOG=qlog', 'x remoteip=192.0.2.66', 'a@b', 'u@no.example'),
            ('badmailfrom', 'LOGREGEX=1', 'x', '"x at 192.0.2.66"@b', 'u@hosta.test'),
            ('badrcptto', '-', 'x', 'a@b', '"u> at 192.0.2.66"@hosta.test'),
            ('validrcptto', '-', 'x', 'a@b', 'z@hosta.test'),
            ('-', 'SMTPD_GREETDELAY=1 DROP_PRE_GREET=1', 'x', 'a@b', 'u@no.example'),
            ('-', 'CHKUSER_START=ALWAYS', 'x', 'a@x..y', 'u@no.example'),
            ('-', 'HELO_DNS_CHECK=GL', 'x]_192.0.2.66]_y:', 'a@b', 'u@hosta.test'),
            ('-', 'HELO_DNS_CHECK=AL', 'nonesuch.test', 'a@b', 'u@hosta.test'),
            ('-', 'MFCHECK=2', 'x', '"x [192.0.2.66] y"@nonesuch.test', 'u@hosta.test'),
            ('-', 'DNSBLLIST=/tmp/lists', 'x', 'a@b', 'u@hosta.test'),
            ('badrcptto', 'BRTLIMIT=1', 'x', 'a@b', 'u@hosta.test>\r\nRCPT TO:<v@hosta.test'),
            ('-', 'SMTPD_GREETDELAY=1 DROP_PRE_GREET=1 QMAILSMTPD_LOG=refusal', 'x', 'a@b',
             'u@no.example'),
            # Refused for a while, or for trouble of ours: nobody is banned for that.
            ('-', 'DNSBLLIST=/tmp/later', 'x', 'a@b', 'u@hosta.test'),
            ('-', 'MFCHECK=3', 'x', 'a@hosta.test', 'u@hosta.test'),
            ('-', 'S25R= TCPREMOTEHOST=dsl-1-2.example QMAILSMTPD_LOG=refusal', 'x', 'a@b',
             'u@hosta.test')]
    host.write('/tmp/lists', '-rbl.test\n')
    host.write('/tmp/later', 'rbl.test\n')
    patterns = {'badhelo': '^x', 'badmailfrom': '.@b$', 'badrcptto': '.',
                'validrcptto': '-@hosta.test'}
    wanted = []
    for name, variables, helo, sender, recipient in rows:
        if name in patterns:
            host.write(home() + '/control/' + name, patterns[name] + '\n')
        script = 'HELO %s\r\nMAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nQUIT\r\n' % (helo, sender, recipient)
        host.write('/tmp/script', script)
        host.sh('env TCPREMOTEIP=192.0.2.%d TCPREMOTEHOST=x.example %s setuidgid qmaild '
                '%s/bin/qmail-smtpd '
                '</tmp/script 2>>/tmp/policy >/dev/null || :' %
                (10 + len(wanted), '' if variables == '-' else variables, home()))
        wanted.append('192.0.2.%d' % (10 + len(wanted)))
        if name in patterns:
            host.sh('rm %s/control/%s' % (home(), name))
    spared = [wanted[1]] + wanted[-3:]  # rcpthosts without a style: nothing is said
    wanted = [address for address in wanted if address not in spared]
    for number, address in ((1, '2001:db8::25'), (2, '2001:db8:1:2:3:4:5:6'),
                            (3, '::ffff:192.0.2.99')):
        host.sh("echo 'CHKUSER rejected rcpt: from <a@b:1?2:x> remote <%s:%s:%s> rcpt <u@x> : not "
                "existing recipient' "
                '>>/tmp/policy'
                % ('h' * (number - 1), ('', 'unknown', 'x.example')[number - 1], address))
    wanted = sorted(wanted + ['2001:db8::25', '2001:db8:1:2:3:4:5:6', '192.0.2.99'])
    for command in ('cat', 'tai64nlocal'):
        host.sh('tai64n </tmp/policy | %s >/tmp/log' % command)
        code, _, found = found_by(host, '/tmp/log', 'qmail-policy')
        tap.equal((code, sorted(found)), (0, wanted), 'fail2ban: qmail-policy, %s' % command)
        missed = host.sh('fail2ban-regex --print-all-missed /tmp/log '
                         '/etc/fail2ban/filter.d/qmail-policy.conf')
        missed = [line for line in missed.splitlines()
                  if re.search('|'.join(map(re.escape, wanted)), line)]
        # What refuses is told in another line then.
        tap.equal([line for line in missed
                   if not re.search('CHKUSER accepted sender|result=delay', line)], [],
                  '  no line about them is missed')
        for kind in ('HELOCHECK fail', 'MFCHECK fail', 'rbl: .* result=reject', 'excessive rcptto',
                     'GREETDELAY from', 'qmail-smtpd: greetdelay '):
            tap.ok(re.search(kind, host.sh('cat /tmp/log')), '  there is one: ' + kind)


# ---- watching ----

def monitors(mail):
    host = mail.host
    out = host.sh(advice('plugins='))
    tap.ok('OK: ' in out, 'check_mailq as INSTALL has it', out)
    command = ['/usr/lib/nagios/plugins/check_mailq', '-M', 'qmail', '-w', '2', '-c', '5']
    code, out, _ = host.call(command)
    tap.ok(code == 0 and b'queue is empty' in out, 'check_mailq: an empty queue', out)
    host.dotqmail('joe', 'later', '|exit 111\n')
    for _ in range(3):
        host.deliver('', ['joe-later@hosta.test'], b'\n')
    host.wait_log('^delivery .*: deferral: ', 3)
    code, out, _ = host.call(command)
    tap.ok(code == 1 and b'3' in out, 'check_mailq: three messages', (code, out))
    host.dotqmail('joe', 'later', '#\n')
    host.svc('-a')
    host.wait_empty()


ALL = (maildrop, procmail, default_delivery, aliases, dot_forward, spamc, dovecot, mailfront,
       msmtp, mutt, nullmailer, qmqp, in_front, monitors)


def main():
    chosen = [part for part in ALL if part.__name__ in sys.argv[1:] or not sys.argv[1:]]
    zone = hosts.ZONE + 'txt-record=7.0.0.127.rbl.test,Listed here\n' + ''.join(
        "txt-record=%d.2.0.192.rbl.test,no' at ip=192.0.2.66 result=reject message='x\n" % n
        for n in range(10, 40))
    with hosts.single(stack=('companions', 'postfix'), zone=zone) as host:
        host.sh(advice('for program in /var/lib/qmail'))
        host.start()
        mail = Mail(host)
        for part in chosen:
            tap.note(part.__name__)
            tap.attempt(part.__name__ + ' has been through', part, mail)
        tap.equal(host.queue_faults(), '', 'the queue is in order')
    return tap.done()


sys.exit(main())
