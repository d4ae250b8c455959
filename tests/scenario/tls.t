#!/usr/bin/python3
"""tls.t - a host with its six services and a certificate: programs of others log in, send and read
mail through STARTTLS, STLS and TLS from the first byte; what scanners find; many at once.
Usage: tls.t [NAME...]       only these functions; tls.t testssl is not among them by default
"""
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
# That many connections to port 465 begin at once; how many say 220 and 221.
CROWD = '''
import socket, ssl, sys, threading
served, context = [], ssl.create_default_context()
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
            served.append(text.startswith(b"220 ") and b"\\n221 " in text)
all = [threading.Thread(target=one) for _ in range(int(sys.argv[1]))]
for thread in all: thread.start()
for thread in all: thread.join()
print(sum(served))
'''


def settle(host):
    """What `make up` does, and a user of qmail-newpw."""
    host.sh('%s/bin/qmail-cert make' % home())
    host.sh("printf 'ann@%s:%%s:5002:5002:/home/ann:Maildir\\n' "
            "\"$(openssl passwd -6 ann-secret)\" >%s/users/poppasswd; chmod 600 %s/users/poppasswd; "
            '%s/bin/qmail-newpw' % (NAME, home(), home(), home()))
    host.sh('sh %s/bin/services --dir /service add %s'
            % (BUILD, ' '.join(name for name, _ in TLS_SERVICES)))
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
    return host.call(['swaks', '--server', '127.0.0.1', '--from', 'ann@' + NAME, '--to', 'joe@' + NAME,
                      '--auth-user', 'ann@' + NAME, '--auth-password', 'ann-secret', *args])


def clients(host):
    """swaks with each mechanism, msmtp, mutt."""
    for mechanism in ('PLAIN', 'LOGIN'):
        sent(host, 'swaks 587 ' + mechanism, lambda: swaks(host, '--port', '587', '--tls', '--auth',
                                                          mechanism))
        sent(host, 'swaks 465 ' + mechanism, lambda: swaks(host, '--port', '465', '--tlsc', '--auth',
                                                          mechanism))
    for name, args in (('no login', ['--tls', '--auth-user', 'x', '--auth-password', 'y']),
                       ('no TLS', [])):
        code, out, _ = swaks(host, '--port', '587', '--auth', 'PLAIN', *args)
        tap.ok(code != 0 and b'250 ok qp' not in out, 'swaks 587: ' + name, out)
    for port, starttls in (('587', 'on'), ('465', 'off')):
        host.write('/home/joe/.msmtprc', 'defaults\nauth on\ntls on\ntls_certcheck off\n'
                   'account default\nhost 127.0.0.1\nport %s\ntls_starttls %s\nfrom ann@%s\n'
                   'user ann@%s\npassword ann-secret\n' % (port, starttls, NAME, NAME), 'joe', 0o600)
        sent(host, 'msmtp ' + port, lambda: host.call(
            ['msmtp', 'joe@' + NAME], b'Subject: x\n\ntext\n', user=hosts.USERS['joe'],
            env={'HOME': '/home/joe', 'USER': 'joe'}))


def readers(host):
    """fetchmail, getmail, openssl against 110 with STLS and 995."""
    for port, proto in (('110', 'tls1.2+'), ('995', '')):
        host.clear_mail('joe')
        host.deliver('ann@' + NAME, ['joe@' + NAME], b'Subject: to be fetched\n\ntext\n')
        host.wait_mail('joe', 1)
        ssl_word = 'ssl' if port == '995' else 'sslproto "tls1.2+"'
        host.write('/home/joe/.fetchmailrc', 'poll 127.0.0.1 service %s protocol pop3 username "joe" '
                   'password "joe-secret" %s no sslcertck mda "cat >/home/joe/fetched"\n'
                   % (port, ssl_word), 'joe', 0o600)
        host.sh('rm -f /home/joe/fetched')
        wait_for(lambda: host.call(['fetchmail', '--nosyslog'], user=hosts.USERS['joe'],
                                   env={'HOME': '/home/joe', 'USER': 'joe', 'LOGNAME': 'joe'})[0] == 0,
                 'fetchmail', 20)
        tap.ok('Subject: to be fetched' in host.sh('cat /home/joe/fetched'), 'fetchmail ' + port)
    by_hand(host, 'openssl s_client 110', 110, '-starttls', 'pop3')
    by_hand(host, 'openssl s_client 995', 995)


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
           re.match(rb'\+OK \d+ \d+\r?\n', answers[-2]) and client.wait(PATIENCE) == 0, name, answers)


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


def behind_stunnel(host):
    """qmail-popup in stunnel's inetd mode under tcpserver, as scripts of others have it."""
    host.write('/etc/stunnel/pop3s.conf', 'cert = %s/control/servercert.pem\nexec = %s/bin/qmail-popup\n'
               'execargs = qmail-popup %s %s/bin/checkpassword %s/bin/qmail-pop3d Maildir\n'
               % (home(), home(), NAME, home(), home()))
    service = host.popen(['tcpserver', '-R', '-H', '-l', NAME, '127.0.0.1', '1995', 'stunnel4',
                          '/etc/stunnel/pop3s.conf'])
    wait_for(lambda: host.listening(1995), 'stunnel')
    by_hand(host, 'stunnel in front of qmail-popup', 1995)
    service.terminate()


def postfix(host):
    """What postfix makes of our certificate, as a client that looks closely."""
    code, out, err = host.call(['posttls-finger', '-c', '-l', 'may', '-L', 'summary,ssl-debug',
                                '[127.0.0.1]:25'], timeout=PATIENCE)
    tap.ok(code == 0 and b'TLS connection established' in out + err and b'TLSv1.3' in out + err,
           'posttls-finger', out + err)
    code, out, err = host.call(['posttls-finger', '-c', '-w', '-l', 'may', '[127.0.0.1]:465'],
                               timeout=PATIENCE)
    tap.ok(b'TLS connection established' in out + err, 'posttls-finger 465', out + err)


def at_once(host, count=int(os.environ.get('TEST_COUNT', '400'))):
    """Many handshakes at the same time: as many as the service takes, the others later."""
    code, out, err = host.call(['python3', '-c', CROWD, str(count)], timeout=240)
    tap.equal(out.decode().split(), [str(count)], '%d handshakes at once: all are served' % count)
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
    for where in ('-t smtp 127.0.0.1:25', '-t smtp 127.0.0.1:587', '127.0.0.1:465', '127.0.0.1:995'):
        _, out, err = host.call(['sh', '-c', 'testssl --quiet --color 0 --warnings off --ip one '
                                 '--severity MEDIUM --jsonfile /tmp/found.json %s; '
                                 'cat /tmp/found.json; rm -f /tmp/found.json' % where], timeout=900)
        found = [row for row in re.findall(
            r'"id" *: "(\w+)".*?"severity" *: "(\w+)",\s*"finding" *: "([^"]*)"',
            out.decode('latin-1'), re.S) if row[1] in ('MEDIUM', 'HIGH', 'CRITICAL')]
        # What it says of a certificate that is self-signed is true.
        tap.equal([row for row in found if not row[0].startswith('cert_')], [],
                  'testssl ' + where)


PARTS = (clients, readers, scanned, behind_stunnel, postfix, reloaded, at_once)


def main():
    wanted = sys.argv[1:]
    with hosts.single(stack=('tls', 'postfix')) as host:
        host.start()
        settle(host)
        for part in PARTS + ((testssl,) if 'testssl' in wanted else ()):
            if not wanted or part.__name__ in wanted:
                part(host)
        tap.equal(host.queue_faults(), '', 'the queue is well')
    return tap.done()


sys.exit(main())
