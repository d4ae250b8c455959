#!/usr/bin/python3
"""tls.t - a host with its six services and a certificate: programs of others log in, send and read
mail through STARTTLS, STLS and TLS from the first byte; what scanners find; many at once.
Usage: tls.t [NAME...]       only these functions; testssl is not among them unless DEPTH=full
"""
import base64
import os
import re
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import BUILD, home            # noqa: E402

NAME = 'hosta.test'
TLS_SERVICES = (('qmail-submission', 587), ('qmail-smtps', 465), ('qmail-pop3s', 995))
PATIENCE = 60
FULL = os.environ.get('DEPTH') == 'full'       # `make test-full`
# That many connections to port 465 begin at once; how many say 220 and 221, and what the
# others meet.
CROWD = '''
import collections, socket, ssl, sys, threading
ends, context = collections.Counter(), ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
def one():
    with socket.create_connection(("127.0.0.1", 465), 200) as sock:
        with context.wrap_socket(sock) as tls:
            tls.sendall(b"QUIT\\r\\n")
            text = b""
            while True:
                piece = tls.recv(1000)
                if not piece:
                    break
                text += piece
            return "served" if text.startswith(b"220 ") and b"\\n221 " in text else repr(text)
def count():
    try:
        end = one()
    except OSError as error:
        end = repr(error)
    ends[end] += 1
all = [threading.Thread(target=count) for _ in range(int(sys.argv[1]))]
for thread in all: thread.start()
for thread in all: thread.join()
print(dict(ends))
'''
# Python's libraries, verifying the certificate: send four messages, or read twice how
# many there are.
LIBRARIES = '''
import poplib, smtplib, ssl, sys
name, context = "hosta.test", ssl.create_default_context(cafile="/tmp/certificate")
def send(client, method):
    client.ehlo()
    client.user, client.password = "ann@" + name, "ann-secret"
    client.auth(method, getattr(client, "auth_" + method.lower()))
    client.sendmail("ann@" + name, ["joe@" + name], "Subject: by smtplib\\r\\n\\r\\ntext\\r\\n")
    client.quit()
def read(client):
    client.user("joe")
    client.pass_("joe-secret")
    print(client.stat()[0])
    client.quit()
if sys.argv[1] == "send":
    for method in ("PLAIN", "LOGIN"):
        client = smtplib.SMTP(name, 587)
        client.starttls(context=context)
        send(client, method)
        send(smtplib.SMTP_SSL(name, 465, context=context), method)
else:
    client = poplib.POP3(name)
    client.stls(context)
    read(client)
    read(poplib.POP3_SSL(name, context=context))
'''
GETMAILRC = '''[retriever]
type = SimplePOP3SSLRetriever
server = hosta.test
username = joe
password = joe-secret
timeout = 5
ca_certs = /tmp/certificate
[destination]
type = Maildir
path = /home/joe/got/
[options]
delete = true
'''


def settle(host):
    """What `make up` does, and a user of qmail-newpw."""
    host.sh('%s/bin/qmail-cert make' % home())
    host.pop_user('ann@' + NAME, 'ann-secret', 'ann')
    host.sh('sh %s/bin/services --dir /service add %s'
            % (BUILD, ' '.join(name for name, _ in TLS_SERVICES)))
    host.sh('openssl x509 <%s/control/servercert.pem >/tmp/certificate' % home())
    for name, port in TLS_SERVICES:
        wait_for(lambda port=port: host.listening(port), name)


def sent(host, name, run):
    """Test points: run() succeeds, and one message to joe has arrived, by TLS and AUTH."""
    host.clear_mail('joe')
    code, out, err = run()
    if tap.equal(code, 0, name + ': sent'):
        text = host.wait_mail('joe', 1)[0].decode('latin-1')
        tap.ok(re.search(r'with ESMTPSA \(TLS\S+ encrypted, authenticated\)', text),
               name + ': Received', text[:400])
    else:
        tap.note(out + err)


def swaks(host, *args):
    return host.call(['swaks', '--server', '127.0.0.1', '--from', 'ann@' + NAME, '--to',
                      'joe@' + NAME,
                      '--auth-user', 'ann@' + NAME, '--auth-password', 'ann-secret', *args])


def clients(host):
    """swaks with each mechanism, msmtp, mutt."""
    for mechanism in ('PLAIN', 'LOGIN'):
        sent(host, 'swaks 587 ' + mechanism, lambda: swaks(host, '--port', '587', '--tls', '--auth',
                                                          mechanism))
        sent(host, 'swaks 465 ' + mechanism, lambda: swaks(host, '--port', '465', '--tlsc',
                                                           '--auth',
                                                          mechanism))
    for name, args in (('no login', ['--tls', '--auth-user', 'x', '--auth-password', 'y']),
                       ('no TLS', [])):
        code, out, _ = swaks(host, '--port', '587', '--auth', 'PLAIN', *args)
        tap.ok(code != 0 and b'250 ok qp' not in out, 'swaks 587: ' + name, out)
    for port, starttls in (('587', 'on'), ('465', 'off')):
        host.write('/home/joe/.msmtprc', 'defaults\nauth on\ntls on\ntls_certcheck off\n'
                   'account default\nhost 127.0.0.1\nport %s\ntls_starttls %s\nfrom ann@%s\n'
                   'user ann@%s\npassword ann-secret\n' % (port, starttls, NAME, NAME), 'joe',
                   0o600)
        sent(host, 'msmtp ' + port, lambda: host.call(
            ['msmtp', 'joe@' + NAME], b'Subject: x\n\ntext\n', user=hosts.USERS['joe'],
            env={'HOME': '/home/joe', 'USER': 'joe'}))


MUTTRC = '''set from=ann@%(name)s use_from=yes use_envelope_from=yes copy=no
set certificate_file=/tmp/certificate ssl_starttls=yes ssl_force_tls=yes
set smtp_pass=ann-secret smtp_authenticators=%(way)s smtp_url=%(smtp)s
set pop_pass=joe-secret pop_authenticators=%(way)s pop_delete=yes
set folder=/home/joe confirmappend=no confirmcreate=no delete=yes quit=yes wait_key=no
'''


def mutt(host):
    """mutt sends through 587 and 465, and reads a mailbox by 110 with STLS and by 995."""
    user = {'user': hosts.USERS['joe'],
            'env': {'HOME': '/home/joe', 'USER': 'joe', 'TERM': 'vt100', 'PATH': '/usr/bin:/bin'}}
    login = 'ann%%40%s@%s' % (NAME, NAME)
    for way, smtp, pop in (('plain', 'smtp://%s:587' % login, 'pop://joe@%s' % NAME),
                           ('login', 'smtps://%s:465' % login, 'pops://joe@%s' % NAME)):
        host.write('/home/joe/.muttrc', MUTTRC % {'name': NAME, 'way': way, 'smtp': smtp}, 'joe',
                   0o600)
        sent(host, 'mutt ' + smtp.split(':')[0],
             lambda: host.call(['mutt', '-s', 'from mutt', 'joe@' + NAME],
                                                          b'text\n', **user))
        host.sh('rm -f /home/joe/got')
        if way == 'login':                  # which qmail-popup has not
            host.sh('sed -i "s/^\\(set pop.*\\)=login/\\1=user/" /home/joe/.muttrc')
        keys = 'push "<save-message>/home/joe/got<enter><quit>"'
        wait_for(lambda: host.call(['script', '-qec', "mutt -f %s -e '%s'" % (pop, keys),
                                    '/dev/null'],
                                   timeout=PATIENCE, **user)[0] == 0 and
                 'Subject: from mutt\n' in host.sh('cat /home/joe/got 2>/dev/null || :'), 'mutt')
        tap.equal(host.mail('joe'), [], 'mutt reads ' + pop.split(':')[0])


def readers(host):
    """fetchmail, getmail, openssl against 110 with STLS and 995."""
    for port, proto in (('110', 'tls1.2+'), ('995', '')):
        host.clear_mail('joe')
        host.deliver('ann@' + NAME, ['joe@' + NAME], b'Subject: to be fetched\n\ntext\n')
        host.wait_mail('joe', 1)
        ssl_word = 'ssl' if port == '995' else 'sslproto "tls1.2+"'
        host.write('/home/joe/.fetchmailrc',
                   'poll 127.0.0.1 service %s protocol pop3 username "joe" '
                   'password "joe-secret" %s no sslcertck mda "cat >/home/joe/fetched"\n'
                   % (port, ssl_word), 'joe', 0o600)
        host.sh('rm -f /home/joe/fetched')
        wait_for(lambda: host.call(['fetchmail', '--nosyslog'], user=hosts.USERS['joe'],
                                   env={'HOME': '/home/joe', 'USER': 'joe',
                                        'LOGNAME': 'joe'})[0] == 0,
                 'fetchmail', 20)
        tap.ok('Subject: to be fetched' in host.sh('cat /home/joe/fetched'), 'fetchmail ' + port)
    by_hand(host, 'openssl s_client 110', 110, '-starttls', 'pop3')
    by_hand(host, 'openssl s_client 995', 995)


def libraries(host):
    """smtplib and poplib, through STARTTLS, STLS and from the first byte; getmail, which can only
    do the latter: getmail6 6.18 has SimplePOP3SSLRetriever and no STLS anywhere."""
    host.clear_mail('joe')
    code, _, err = host.call(['python3', '-c', LIBRARIES, 'send'], timeout=PATIENCE)
    tap.equal((code, err), (0, b''), 'smtplib: 587 and 465, PLAIN and LOGIN')
    found = host.wait_mail('joe', 4)
    tap.ok(all(b'ESMTPSA (TLS' in text and b'by smtplib' in text for text in found),
           'smtplib: Received', found[:1])
    # What has come in this very second qmail-pop3d does not show yet.
    wait_for(lambda: host.call(['python3', '-c', LIBRARIES, 'read'],
                               timeout=PATIENCE) == (0, b'4\n4\n', b''), 'poplib')
    tap.ok(True, 'poplib: STLS and 995')
    host.sh('rm -f /home/joe/got; mkdir -p /home/joe/.getmail; %s/bin/maildirmake /home/joe/got; '
            'chmod 700 /home/joe/.getmail; '
            'chown -R joe:joe /home/joe/.getmail /home/joe/got' % home())
    host.write('/home/joe/.getmail/getmailrc', GETMAILRC, 'joe', 0o600)
    wait_for(lambda: hosts.getmail(host, 'joe') == 0 and
             len(os.listdir(host.path('/home/joe/got/new'))) >= 4,
             'getmail', 200)
    tap.equal(host.sh('ls /home/joe/Maildir/new /home/joe/Maildir/cur | grep -c hosta || :'), '0\n',
              'getmail 995')
    host.sh('rm -r /home/joe/got')


def by_hand(host, name, port, *options):
    """Test point: joe types POP3 into openssl, each command when the one before is answered."""
    client = host.popen(['timeout', str(PATIENCE), 'openssl', 's_client', '-quiet', '-crlf',
                         '-connect', '127.0.0.1:%d' % port, *options], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
    answers = []
    if not options:                     # else openssl has read the greeting
        answers.append(client.stdout.readline())
    for command in (b'USER joe', b'PASS joe-secret', b'STAT', b'QUIT'):
        client.stdin.write(command + b'\n')
        answers.append(client.stdout.readline())
    tap.ok(all(line.startswith(b'+OK') for line in answers) and
           re.match(rb'\+OK \d+ \d+\r?\n', answers[-2]) and client.wait(PATIENCE) == 0, name,
           answers)


def scanned(host):
    """sslscan on each port: nothing old, nothing weak."""
    for port, option in ((25, '--starttls-smtp'), (587, '--starttls-smtp'), (465, ''),
                         (110, '--starttls-pop3'), (995, '')):
        code, out, err = host.call(['sh', '-c', 'sslscan --no-colour %s 127.0.0.1:%d'
                                    % (option, port)], timeout=120)
        text = out.decode('latin-1')
        tap.ok(code == 0 and not re.search(r'(?m)^(SSLv2|SSLv3|TLSv1\.[01]) +enabled', text) and
               re.search(r'TLSv1.3 +enabled', text), 'sslscan %d: versions' % port, text)
        ciphers = re.findall(r'(?m)^(?:Preferred|Accepted) +(\S+) +(\d+) bits +(\S+)', text)
        weak = [row for row in ciphers if int(row[1]) < 128 or
                re.search(r'RC4|DES|NULL|EXP|MD5|anon', row[2])]
        tap.ok(ciphers and not weak, 'sslscan %d: ciphers' % port, weak or text)
        tap.ok('not vulnerable to heartbleed' in text and 'Compression enabled' not in text and
               'Session renegotiation not supported' in text, 'sslscan %d: old holes' % port, text)


def stunnel(host, port, program, args, more=''):
    """stunnel in inetd mode under tcpserver on this port, as scripts of others have it."""
    host.write('/etc/stunnel/%d.conf' % port,
               'cert = %s/control/servercert.pem\nexec = %s/bin/%s\nexecargs = %s %s\n%s'
               % (home(), home(), program, program, args, more))
    service = host.popen(['env', 'SSL=1', 'SMTPAUTH=!', 'tcpserver', '-R', '-H', '-l', NAME,
                          '127.0.0.1', str(port),
                          'stunnel4', '/etc/stunnel/%d.conf' % port],
                          env={'PATH': home() + '/bin:/usr/bin:/bin'})
    wait_for(lambda: host.listening(port), 'stunnel')
    return service


def behind_stunnel(host):
    """qmail-popup and qmail-smtpd, which then is told that it is inside TLS."""
    service = stunnel(host, 1995, 'qmail-popup',
                      '%s %s/bin/checkpassword %s/bin/qmail-pop3d Maildir'
                      % (NAME, home(), home()))
    by_hand(host, 'stunnel in front of qmail-popup', 1995)
    service.terminate()
    service = stunnel(host, 1465, 'qmail-smtpd', 'checkpassword-smtp true',
                      'setuid = qmaild\nsetgid = nofiles\n')
    host.clear_mail('joe')
    code, out, _ = swaks(host, '--port', '1465', '--tlsc', '--auth', 'PLAIN')
    tap.ok(code == 0 and b'STARTTLS' not in out, 'stunnel in front of qmail-smtpd', out)
    text = host.wait_mail('joe', 1)[0].decode('latin-1')
    tap.ok(re.search(r'(?m)^  by \S+ with ESMTPSA; ', text), 'stunnel: Received', text[:400])
    service.terminate()


def postfix(host):
    """What postfix makes of our certificate, as a client that looks closely."""
    for port in (25, 587):
        code, out, err = host.call(['posttls-finger', '-c', '-l', 'may', '-L', 'summary,ssl-debug',
                                    '[127.0.0.1]:%d' % port], timeout=PATIENCE)
        tap.ok(code == 0 and b'TLS connection established' in out + err and b'TLSv1.3' in out + err,
               'posttls-finger %d' % port, out + err)
    code, out, err = host.call(['posttls-finger', '-c', '-l', 'secure', '-F', '/tmp/certificate',
                                '-L', 'summary',
                                '[%s]:25' % NAME, NAME], timeout=PATIENCE)
    tap.ok(code == 0 and b'Verified TLS connection established' in out + err,
           'posttls-finger: verified', out + err)
    code, out, err = host.call(['posttls-finger', '-c', '-w', '-l', 'may', '[127.0.0.1]:465'],
                               timeout=PATIENCE)
    tap.ok(b'TLS connection established' in out + err, 'posttls-finger 465', out + err)


def at_once(host, count=int(os.environ.get('TEST_COUNT', '1000'))):
    """Many handshakes at the same time: as many as the service takes, the others later.  They all
    wait in its queue: those the kernel drops try again for a minute only."""
    host.sh("sed -i 's/tcpserver -v/tcpserver -b %d -v/' %s/service/qmail-smtps/run"
            % (count, home()))
    host.restart('qmail-smtps')
    wait_for(lambda: host.listening(465), 'port 465')
    code, out, err = host.call(['python3', '-c', CROWD, str(count)], timeout=240)
    tap.equal(out.decode(), "{'served': %d}\n" % count, '%d handshakes at once: all are served'
              % count)
    wait_for(lambda: not host.processes('qmail-tls'), 'the end of all relays', 30)
    tap.ok(True, 'no relay is left')


def reloaded(host):
    """A new certificate counts at once, without a restart."""
    def shown():
        return host.sh('openssl s_client -connect 127.0.0.1:465 </dev/null 2>/dev/null | '
                       'openssl x509 -noout -fingerprint')
    before = shown()
    pid = host.pid_of('qmail-smtps')
    host.sh('rm %s/control/servercert.pem; %s/bin/qmail-cert make' % (home(), home()))
    after = shown()
    tap.ok(before != after and 'ingerprint' in after and host.pid_of('qmail-smtps') == pid,
           'a new certificate counts at once', (before, after))


def testssl(host):
    """All that testssl.sh asks, for minutes; by name only."""
    for where in ('-t smtp 127.0.0.1:25', '-t smtp 127.0.0.1:587', '127.0.0.1:465',
                  '127.0.0.1:995'):
        _, out, err = host.call(['sh', '-c', 'testssl --quiet --color 0 --warnings off --ip one '
                                 '--severity MEDIUM --jsonfile /tmp/found.json %s; '
                                 'cat /tmp/found.json; rm -f /tmp/found.json' % where], timeout=900)
        found = [row for row in re.findall(
            r'"id" *: "(\w+)".*?"severity" *: "(\w+)",\s*"finding" *: "([^"]*)"',
            out.decode('latin-1'), re.S) if row[1] in ('MEDIUM', 'HIGH', 'CRITICAL')]
        # What it says of a certificate that is self-signed is true.
        tap.equal([row for row in found if not row[0].startswith('cert_')], [],
                  'testssl ' + where)


def kept_quiet(host):
    """No password is in a log."""
    secrets = [secret.encode() for secret in ('ann-secret', 'joe-secret')]
    secrets += [base64.b64encode(secret) for secret in secrets] + \
        [base64.b64encode(b'\0ann@%s\0ann-secret' % NAME.encode())]
    logs = '\n'.join(line for name in os.listdir(host.path('/var/log')) if name.startswith('qmail-')
                     for line in host.log(name)).encode()
    tap.ok(b'AUTH successful' in logs and b'ann@' in logs and
           not any(secret in logs for secret in secrets),
           'no password is in a log')


PARTS = (clients, mutt, libraries, readers, scanned, behind_stunnel, postfix, reloaded,
         at_once, kept_quiet)


def main():
    wanted = sys.argv[1:]
    with hosts.single(stack=('tls', 'postfix')) as host:
        host.start()
        settle(host)
        for part in PARTS + (testssl,):
            if part.__name__ in wanted or not wanted and (part is not testssl or FULL):
                part(host)
        tap.equal(host.queue_faults(), '', 'the queue is well')
    return tap.done()


sys.exit(main())
