#!/usr/bin/python3
"""smarthosts.t - mail leaves with TLS and a login: from one host of ours to another, and through
Exim (GnuTLS), OpenSMTPD, Postfix.  What arrives there is whole, and their logs say how it came.
Then they send to us: to port 25 by STARTTLS, to 587 and 465 with a login, with our certificate
verified.
Usage: smarthosts.t [NAME...]       only these functions
"""
import contextlib
import os
import re
import signal
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import host as worlds                   # noqa: E402
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402

RELAY = '192.0.2.9'
ZONE = hosts.ZONE + 'host-record=relay.test,%s\n' % RELAY
AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
KEY = '/etc/relay.key'
CERT = '/etc/relay.crt'
OUR_CERT = '/etc/ours.crt'
TEXT = b'Subject: x\n\n.\n..\nbody %d \xe9\n' + b'x' * 900 + b'\n' * 3

MAKE_CERTIFICATE = '''
    cd /etc
    new='openssl req -nodes -newkey rsa:2048'
    $new -x509 -keyout ca.key -out ca.crt -days 30 -subj /CN=authority
    $new -keyout relay.key -out relay.csr -subj /CN=relay.test
    echo subjectAltName=DNS:relay.test >relay.ext
    openssl x509 -req -in relay.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 \\
        -extfile relay.ext -out relay.crt
    chmod 644 relay.key'''

EXIM = '''
primary_hostname = relay.test
local_interfaces = %(relay)s
daemon_smtp_ports = 25 : 465 : 2501 : 2502 : 2503
tls_on_connect_ports = 465
tls_certificate = %(cert)s
tls_privatekey = %(key)s
tls_advertise_hosts = *
acl_smtp_rcpt = rcpt
acl_smtp_data = all
never_users = root
host_lookup =
rfc1413_query_timeout = 0s
log_selector = +tls_cipher
begin acl
all:
  accept
rcpt:
  accept authenticated = *
  deny message = log in first
begin routers
all:
  driver = accept
  transport = file
begin transports
file:
  driver = appendfile
  directory = /home/ann/Maildir
  maildir_format
  user = ann
  message_prefix =
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{joe}}{eq{$auth3}{a secret}}}}
  server_set_id = $auth2
  server_advertise_condition = ${if or{{eq{$received_port}{2501}}{eq{$received_port}{465}}}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{joe}}{eq{$auth2}{a secret}}}}
  server_set_id = $auth1
  server_advertise_condition = ${if eq{$received_port}{2502}}
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{joe}{a secret}fail}
  server_set_id = $auth1
  server_advertise_condition = ${if eq{$received_port}{2503}}
''' % {'relay': RELAY, 'cert': CERT, 'key': KEY}

OPENSMTPD = '''
pki relay.test cert "%s"
pki relay.test key "%s"
listen on %s port 587 tls pki relay.test
action "out" mda "cat >>/home/ann/got" user ann
match from any for any action "out"
''' % (CERT, KEY, RELAY)


EXIM_OUT = '''
primary_hostname = relay.test
never_users = root
log_selector = +tls_cipher
begin routers
all:
  driver = manualroute
  route_list = * hosta.test
  self = send
  transport = out
begin transports
out:
  driver = smtp
  port = %(port)d
  protocol = %(protocol)s
  hosts_require_tls = *
  tls_verify_certificates = /etc/ours.crt
  tls_verify_hosts = *
  %(login)s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  client_send = ^joe^joe-secret
'''

OPENSMTPD_OUT = '''
table secrets file:/etc/relay.secrets
listen on socket
action "out" relay host "%s" auth <secrets>
match from local for any action "out"
'''


class Scene:
    """Our host, and another mail system at RELAY in the same world."""

    def __init__(self, a):
        self.host, self.serial = a, 0
        a.sh('ip addr add %s/32 dev lo' % RELAY)
        a.sh(MAKE_CERTIFICATE + ' >/dev/null 2>&1; mkdir -p /etc/ssl/certs')
        a.write(AUTHORITIES, worlds.read(a.path('/etc/ca.crt')))
        a.control('me', 'hosta.test')
        a.start(['qmail-send'])

    def send(self, route):
        """Queues a message for far.test; its text."""
        self.serial += 1
        self.host.control('smtproutes', ':' + route + '\n')
        text = TEXT % self.serial
        tap.equal(self.host.deliver('joe@hosta.test', ['ann@far.test'], text), 0, 'queued')
        return text

    def failure(self, route, words):
        """It waits, for this reason."""
        count = self.host.count_log('^delivery .*: deferral')
        self.send(route)
        line = self.host.wait_log('^delivery .*: deferral', count + 1)[-1]
        tap.ok(words in line and 'a_secret' not in line, 'deferred: ' + words, line)


    def serve(self):
        """Our side of the other direction: a certificate that they trust, ports 25, 587, 465."""
        a = self.host
        a.sh("""cd %s/users; umask 077
            ../bin/qmail-cert make hosta.test
            echo "joe:$(openssl passwd -6 joe-secret):joe:/home/joe" >poppasswd
            ../bin/qmail-newpw
            openssl x509 <../control/servercert.pem >%s
            chmod 644 %s
            mkdir -p %s/service/qmail-smtpd/log
            sh %s/bin/services --dir /service add qmail-smtpd qmail-submission qmail-smtps
            cd ../service
            for name in qmail-smtpd qmail-submission qmail-smtps; do
                sed -i 's/ 0 \\([0-9][0-9]*\\) / %s \\1 /' $name/run
            done"""
             % (hosts.home(), OUR_CERT, OUR_CERT, hosts.home(), hosts.BUILD,
                hosts.ADDRESS['hosta.test']))
        for port in (25, 587, 465):
            wait_for(lambda port=port: self.answers(port), 'our port %d' % port)

    def answers(self, port):
        try:
            self.host.connect(hosts.ADDRESS['hosta.test'], port).close()
        except OSError:
            return False
        return True

    def take(self, name, sendmail, port):
        """They send to us.  Test points: it has come by TLS, whole."""
        self.host.clear_mail('joe')
        self.serial += 1
        text = b'Subject: to us\n\nbody %d\n' % self.serial
        code, out, err = self.host.call([*sendmail, 'joe@hosta.test'], text)
        tap.ok(code == 0, '%s takes a message for us' % name, out + err)
        found = self.host.wait_mail('joe', 1)[0].decode('latin-1')
        word = (r'ESMTPS \(TLS_\S+ encrypted\)' if port == 25 else
                r'ESMTPSA \(TLS_\S+ encrypted, authenticated\)')
        tap.ok(re.search(r'^Received: from .*\n  by hosta\.test with %s; ' % word, found, re.M) and
               'body %d' % self.serial in found, '%s sends to port %d' % (name, port), found[:600])


def body(text):
    """What no mail system changes."""
    return text[text.index(b'\n\n'):].rstrip(b'\n')


def read_bytes(path):
    if not os.path.exists(path):
        return b''
    with open(path, 'rb') as file:
        return file.read()


def arrived(scene, name, text, count):
    found = scene.host.wait_mail('ann', count)
    tap.ok(sum(body(text) in one for one in found) == 1, name + ': it is whole', found[-1])


def exim():
    with hosts.single(stack=('exim',), zone=ZONE) as a:
        scene = Scene(a)
        a.write('/etc/exim4/exim4.conf', EXIM)
        a.sh('mkdir -p /run/exim4; chown Debian-exim:Debian-exim /run/exim4')
        a.popen(['exim4', '-bdf'], stdin=subprocess.DEVNULL)
        wait_for(lambda: a.listening(2503) and a.listening(465), 'exim')
        count = 0
        for name, route, method in (('PLAIN', 'relay.test:2501|joe|a secret', 'plain'),
                                    ('LOGIN', 'relay.test:2502|joe|a secret', 'login'),
                                    ('CRAM-MD5', 'relay.test:2503|joe|a secret', 'cram'),
                                    ('port 465', 'relay.test;465|joe|a secret', 'plain')):
            text = scene.send(route)
            count += 1
            arrived(scene, name, text, count)
            line = [line for line in worlds.read(a.path('/var/log/exim4/mainlog')).splitlines()
                    if ' <= ' in line][-1]
            tap.ok(' A=%s:joe' % method in line and 'X=TLS1.3' in line and 'P=esmtpsa' in line,
                   name + ': Exim says so, too', line)
        scene.failure('relay.test:2501|joe|wrong', 'authentication_was_rejected_(plain)')
        scene.failure('relay.test:2502|joe|wrong', 'authentication_was_rejected_(password)')
        scene.failure('relay.test:2503|joe|wrong',
                      'authentication_was_rejected_(username+digest)')
        scene.failure('%s:2501|joe|a secret' % RELAY,
                      'certificate_contains_no_matching_dNSNnames')
        scene.failure('relay.test|joe|a secret', 'offers_no_AUTH_method_known_here')
        scene.serve()
        for port, protocol, login in ((25, 'smtp', ''), (587, 'smtp', 'hosts_require_auth = *'),
                                      (465, 'smtps', 'hosts_require_auth = *')):
            a.write('/etc/exim4/out.conf', EXIM_OUT % {'port': port, 'protocol': protocol,
                                                       'login': login})
            scene.take('Exim', ['exim4', '-C', '/etc/exim4/out.conf', '-f', 'ann@far.test', '-odf'],
                       port)


def opensmtpd():
    """As a server Debian's (6.8.0p2-4+b4, OpenSSL 3.0) fails every handshake, also those of openssl
    s_client, with RSA and ECDSA, TLS 1.2 and 1.3: its keys are in another process, which it asks
    through RSA_METHOD and EC_KEY_METHOD; providers of OpenSSL 3 make new keys from its public
    halves without these, and `smtpd -dv -T all` says "rsa routines::missing private key" after
    rsae_priv_enc, or "elliptic curve routines::missing private key".  So our message goes in
    clear, at once; with an OpenSMTPD that can do it, by TLS."""
    with hosts.single(stack=('opensmtpd',), zone=ZONE) as a:
        scene = Scene(a)
        a.write('/etc/smtpd.conf', OPENSMTPD)
        a.sh('chmod 600 ' + KEY)
        a.popen(['smtpd', '-d'], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL)
        wait_for(lambda: a.listening(587), 'smtpd')
        works = a.call(['openssl', 's_client', '-starttls', 'smtp', '-connect', RELAY + ':587',
                        '-quiet'], b'QUIT\r\n', timeout=60)[0] == 0
        text = scene.send('relay.test:587')
        a.wait_empty()
        tap.equal(a.count_log('^delivery .*: success: 192.0.2.9_accepted_message'), 1,
                  'OpenSMTPD: at the first attempt')
        wait_for(lambda: body(text) in read_bytes(a.path('/home/ann/got')), 'the message')
        tap.equal(b' with ESMTPS ' in read_bytes(a.path('/home/ann/got')), works,
                  'OpenSMTPD: by TLS if openssl can, too: %s' % works)
        scene.serve()
        a.write('/etc/relay.secrets', 'ours joe:joe-secret\n', mode=0o640)
        a.sh('chown root:opensmtpd /etc/relay.secrets; cat %s >>%s' % (OUR_CERT, AUTHORITIES))
        for port, url in ((25, 'smtp+tls://hosta.test'), (587, 'smtp+tls://ours@hosta.test:587'),
                          (465, 'smtps://ours@hosta.test:465')):
            for pid in a.processes('smtpd'):
                with contextlib.suppress(ProcessLookupError):   # it ends with its parent
                    os.kill(pid, signal.SIGTERM)
            wait_for(lambda: not a.processes('smtpd'), 'the end of smtpd')
            a.write('/etc/smtpd.conf', OPENSMTPD_OUT % url)
            a.popen(['smtpd', '-d'], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL)
            wait_for(lambda: a.call(['smtpctl', 'show', 'status'])[0] == 0, 'smtpd')
            scene.take('OpenSMTPD', ['/usr/sbin/sendmail', '-f', 'ann@far.test'], port)


def postfix():
    with hosts.single(stack=('postfix',), zone=ZONE) as a:
        scene = Scene(a)
        a.sh('''postconf -e myhostname=relay.test mydestination=far.test inet_interfaces=%s \
            inet_protocols=ipv4 home_mailbox=Maildir/ alias_maps= alias_database= \
            maillog_file=/var/log/postfix.log smtpd_peername_lookup=no mynetworks=127.0.0.1 \
            smtpd_tls_security_level=may smtpd_tls_cert_file=%s smtpd_tls_key_file=%s \
            smtpd_tls_loglevel=1 local_recipient_maps=''' % (RELAY, CERT, KEY))
        a.popen(['postfix', 'start-fg'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for(lambda: a.listening(25), 'postfix')
        text = scene.send('relay.test')
        arrived(scene, 'Postfix, anybody', text, 1)
        a.sh('mkdir %s/control/tlshosts; cp /etc/ca.crt %s/control/tlshosts/relay.test.pem'
             % (hosts.home(), hosts.home()))
        text = scene.send('relay.test')
        arrived(scene, 'Postfix, verified', text, 2)
        log = worlds.read(a.path('/var/log/postfix.log'))
        tap.equal(log.count('Anonymous TLS connection established'), 2, 'Postfix has seen TLS')
        a.sh('postconf -e smtpd_tls_security_level=none; postfix reload')
        scene.failure('relay.test', 'No_TLS_achieved_while_control/tlshosts/relay.test.pem_exists')
        scene.serve()
        a.sh('echo "[hosta.test]:587 joe:joe-secret" >/etc/postfix/login; '
             'echo "[hosta.test]:465 joe:joe-secret" >>/etc/postfix/login; '
             'postmap hash:/etc/postfix/login')
        for port, more in ((25, ''), (587, 'smtp_sasl_auth_enable=yes'),
                           (465, 'smtp_sasl_auth_enable=yes smtp_tls_wrappermode=yes')):
            a.sh('postconf -e default_transport=smtp:[hosta.test]:%d smtp_tls_CAfile=%s '
                 'smtp_tls_security_level=secure smtp_tls_secure_cert_match=hosta.test '
                 'smtp_sasl_security_options= smtp_sasl_password_maps=hash:/etc/postfix/login '
                 'disable_dns_lookups=yes smtp_host_lookup=native '
                 'smtp_tls_loglevel=1 %s; postfix reload' % (port, OUR_CERT, more))
            scene.take('Postfix', ['/usr/sbin/sendmail', '-f', 'ann@far.test'], port)


def certificate(one):
    """What a host shows, without its key."""
    pem = worlds.read(one.path(hosts.home() + '/control/servercert.pem'))
    return pem[pem.index('-----BEGIN CERTIFICATE'):]


def own_pem(one, authority):
    """From now on it demands that hostb.test is certified by this host."""
    one.write(hosts.home() + '/control/tlshosts/hostb.test.pem', certificate(authority))


def ours():
    """Two hosts, each sends to the other by STARTTLS; then one logs into the other's submission."""
    with hosts.pair() as (a, b):
        for one, other in ((a, b), (b, a)):
            one.sh(hosts.home() + '/bin/qmail-cert make ' + one.name)
            one.control('rcpthosts', one.name)
            one.control('timeoutremote', '20')
            one.start(hosts.SERVICES[:2])
        b.sh('''cd %s/users; umask 077
            echo "joe:$(openssl passwd -6 joe-secret):joe:/home/joe" >poppasswd
            ../bin/qmail-newpw
            sh %s/bin/services --dir /service add qmail-submission qmail-smtps'''
             % (hosts.home(), hosts.BUILD))
        wait_for(lambda: b.listening(587) and b.listening(465), 'submission')
        for i in range(20):
            a.deliver('joe@hosta.test', ['ann@hostb.test'], TEXT % i)
            b.deliver('joe@hostb.test', ['ann@hosta.test'], TEXT % i)
        for name, one in (('there', b), ('back', a)):
            found = one.wait_mail('ann', 20)
            tap.ok(all(sum(body(TEXT % i) in mail for mail in found) == 1 for i in range(20)),
                   name + ': all of them, once')
            tap.ok(all(b' with ESMTPS (TLS_' in mail for mail in found), name + ': by TLS',
                   found[0][:600])
        b.clear_mail()
        a.sh('mkdir -p %s/control/tlshosts' % hosts.home())
        own_pem(a, a)
        a.deliver('joe@hosta.test', ['ann@hostb.test'], TEXT % 99)
        a.wait_log('^delivery .*: deferral: TLS_unable_to_verify_server_with_')
        own_pem(a, b)
        a.svc('-a')                     # it need not wait for its next attempt
        a.wait_empty()
        tap.ok(body(TEXT % 99) in b.wait_mail('ann', 1)[0],
               'tlshosts: first the wrong authority, then the right one')
        a.sh('rm -r %s/control/tlshosts; mkdir -p /etc/ssl/certs' % hosts.home())
        a.write(AUTHORITIES, certificate(b))
        for port in (587, 465):
            b.clear_mail()
            a.control('smtproutes', ':hostb.test:%d|joe|joe-secret\n' % port)
            a.deliver('joe@hosta.test', ['ann@hostb.test'], TEXT % port)
            found = b.wait_mail('ann', 1)
            tap.ok(body(TEXT % port) in found[0] and b'ESMTPSA' in found[0],
                   'a login to port %d' % port, found[0][:800])
        for one in (a, b):
            tap.equal(one.queue_faults(), '', 'the queue of ' + one.name)


ALL = (ours, exim, opensmtpd, postfix)


def main():
    for function in ALL:
        if not sys.argv[1:] or function.__name__ in sys.argv[1:]:
            tap.note(function.__name__)
            function()
    return tap.done()


sys.exit(main())
