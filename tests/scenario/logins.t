#!/usr/bin/python3
"""logins.t - clients and checkers of others, unmodified from Debian, log in: AUTH by SMTP with
every mechanism, APOP, PASS and AUTH PLAIN by POP3, for the users of users/poppasswd and of checkpw;
dovecot asks our checker.  Each claim is checked by what arrives or is read.
Usage: logins.t [NAME...]       only these functions
"""
import os
import re
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import home                   # noqa: E402

JOE = hosts.USERS['joe']
LOGIN, SECRET = 'joe@hosta.test', 'Joe-secret 1'
SUBMISSION, POP3, CHECKPW, CHECKAPOPPW, HIDDEN = 5587, 5110, 5111, 5112, 5588
DOVECOT = '''passdb {
  driver = checkpassword
  # It becomes the user, which dovecot wants to be told.
  args = /usr/bin/env INSECURE_SETUID=yes %s/bin/checkpassword-cdb
}
userdb {
  driver = prefetch
}
protocols =
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
auth_verbose = yes
service auth {
  user = root
}
ssl = no
log_path = /dev/stderr
'''


def prepare(host):
    """One user who is no account, with a password and a secret; checkpw has another."""
    host.pop_user(LOGIN, SECRET, 'joe', SECRET)
    host.write('/home/ann/Maildir/.password', 'ann-word', 'ann', 0o600)
    host.serve(SUBMISSION, 'qmail-smtpd', 'checkpassword-smtp', 'true', user='qmaild',
               env={'SMTPAUTH': '!+cram'}, log='/tmp/smtp-log')
    for port, checker in ((POP3, 'checkpassword-cdb'), (CHECKPW, 'checkpw'),
                          (CHECKAPOPPW, 'checkapoppw')):
        host.serve(port, 'qmail-popup', 'hosta.test', checker, 'qmail-pop3d', 'Maildir',
                   env={'QMAILPOPUP_LOG': 'auth'}, log='/tmp/pop-log')


# ---- SMTP ----

def arrived(host, name, word='ESMTPA'):
    """The message has come through, from the one who has logged in."""
    text = host.wait_mail('ann', 1)[0].decode('latin-1')
    tap.ok(re.search(r'^Received: from .*\(joe@hosta\.test@127\.0\.0\.1\)\n  by \S+ with %s[ ;]'
                     % word, text, re.M) and
           re.search(r'^Date: ', text, re.M) and re.search(r'^Message-ID: ', text, re.M | re.I),
           name, text)
    host.clear_mail('ann')


def swaks(host):
    def run(*more, port=SUBMISSION):
        return host.call(['swaks', '--server', '127.0.0.1:%d' % port, '--from', LOGIN, '--to',
                          'ann@hosta.test', '--silent', '2', *more])
    for method in ('PLAIN', 'LOGIN', 'CRAM-MD5'):
        code, out, err = run('--auth', method, '--auth-user', LOGIN, '--auth-password', SECRET)
        tap.equal((code, out, err), (0, b'', b''), 'swaks: ' + method)
        arrived(host, 'swaks: %s: the message' % method)
    code, out, _ = run('--auth', 'PLAIN', '--auth-user', LOGIN, '--auth-password', 'joe')
    tap.ok(code == 28, 'swaks: wrong password', (code, out))
    code, out, _ = run()
    tap.ok(code == 23 and b'530 Authorization required' in out, 'swaks: no password', (code, out))
    log = host.sh('cat /tmp/smtp-log')
    tap.ok(re.search(r'^qmail-smtpd\[\d+\]: AUTH successful \[127\.0\.0\.1\] joe@hosta\.test$', log,
                     re.M) and
           re.search(r'^qmail-smtpd\[\d+\]: AUTH failed \[127\.0\.0\.1\] joe@hosta\.test$', log,
                     re.M) and
           SECRET not in log, 'the log', log)


def curl(host):
    host.write('/tmp/mail', 'Subject: from curl\r\n\r\nhello\r\n')
    for method in ('PLAIN', 'LOGIN', 'CRAM-MD5'):
        code, _, err = host.call(['curl', '-sS', 'smtp://127.0.0.1:%d' % SUBMISSION, '--mail-from',
                                  LOGIN,
                                  '--mail-rcpt', 'ann@hosta.test', '-T', '/tmp/mail', '-u',
                                  LOGIN + ':' + SECRET,
                                  '--login-options', 'AUTH=' + method])
        tap.equal((code, err), (0, b''), 'curl: ' + method)
        arrived(host, 'curl: %s: the message' % method)


def msmtp(host):
    for method in ('plain', 'login', 'cram-md5'):
        host.write('/tmp/msmtprc',
                   'account default\nhost 127.0.0.1\nport %d\nfrom %s\nauth %s\nuser %s\n'
                   'password "%s"\ntls off\n' % (SUBMISSION, LOGIN, method, LOGIN, SECRET),
                   mode=0o600)
        code, _, err = host.call(['msmtp', '-C', '/tmp/msmtprc', 'ann@hosta.test'],
                                 b'Subject: from msmtp\n\nhello\n')
        tap.equal((code, err), (0, b''), 'msmtp: ' + method)
        arrived(host, 'msmtp: %s: the message' % method)


def inside_tls(host):
    """With a certificate there is no AUTH on a clear connection; behind STARTTLS there is.  The
    host itself is trusted on its own wires, so the client has another address."""
    host.sh(home() + '/bin/qmail-cert make hosta.test')
    host.serve(HIDDEN, 'env', 'TCPREMOTEIP=192.0.2.7', 'qmail-smtpd', 'checkpassword-smtp', 'true',
               user='qmaild', env={'SMTPAUTH': '!+cram'}, log='/tmp/smtp-log')
    login = ['swaks', '--server', '127.0.0.1:%d' % HIDDEN, '--from', LOGIN, '--to',
             'ann@hosta.test', '--silent',
             '2', '--auth-user', LOGIN, '--auth-password', SECRET]
    for method in ('PLAIN', 'LOGIN', 'CRAM-MD5'):
        code, out, _ = host.call(login + ['--auth', method])
        tap.ok(code == 28, 'swaks: no AUTH %s without TLS' % method, (code, out))
        code, out, _ = host.call(login + ['--auth', method, '--tls'])
        tap.ok(code == 0, 'swaks: %s behind STARTTLS' % method, (code, out))
        text = host.wait_mail('ann', 1)[0].decode('latin-1')
        tap.ok(re.search(r' with ESMTPSA \(TLS\S+ encrypted, authenticated\); ', text),
               'and Received says so', text)
        host.clear_mail('ann')


# ---- POP3 ----

def put(host, user, name):
    """The only message of a mailbox."""
    host.sh('rm -f /home/%s/Maildir/new/* /home/%s/Maildir/cur/*' % (user, user))
    host.deliver('ann@hosta.test', [user + '@hosta.test'],
                 b'Subject: for %s\n\nhello\n' % name.encode())
    host.wait_mail(user, 1)


def mailbox(host):
    return host.sh('cd /home/joe/Maildir; ls new cur | grep -c hosta || :')


def curl_pop3(host):
    put(host, 'joe', 'curl')
    for method in ('*', 'PLAIN', '+APOP'):
        def fetched():
            return host.call(['curl', '-sS', 'pop3://127.0.0.1:%d/1' % POP3, '-u',
                              LOGIN + ':' + SECRET,
                              '--login-options', 'AUTH=' + method])
        wait_for(lambda: b'Subject: for curl' in fetched()[1], 'curl with AUTH=' + method)
        tap.ok(True, 'curl: POP3 with AUTH=' + method)
    code, _, err = host.call(['curl', '-sS', 'pop3://127.0.0.1:%d/1' % POP3, '-u',
                              LOGIN + ':wrong'])
    tap.ok(code == 67, 'curl: wrong password', (code, err))
    log = host.sh('cat /tmp/pop-log')
    tap.ok(re.fullmatch(r'(qmail-popup\[\d+\]: login failed \[127\.0\.0\.1\] -\n)+', log),
           'the log', log)
    host.clear_mail('joe')


def fetchmail(host):
    for protocol in ('pop3', 'apop'):
        put(host, 'joe', 'fetchmail')
        host.write('/home/joe/.fetchmailrc',
                   'poll 127.0.0.1 port %d protocol %s username "%s" password "%s" '
                   'mda "cat >/home/joe/fetched"\n' % (POP3, protocol, LOGIN, SECRET), 'joe', 0o600)
        wait_for(lambda: host.call(['fetchmail', '--nosyslog', '--sslproto', ''], user=JOE,
                                   env={'HOME': '/home/joe', 'USER': 'joe', 'LOGNAME': 'joe'})[0]
                                   == 0, 'fetchmail')
        tap.ok('Subject: for fetchmail\n' in host.sh('cat /home/joe/fetched')
               and mailbox(host) == '0\n',
               'fetchmail: ' + protocol,
               (host.sh('cat /home/joe/fetched'), host.sh('ls /home/joe/Maildir/*')))


def getmail(host):
    host.sh('mkdir -p /home/joe/.getmail; %s/bin/maildirmake /home/joe/got; chmod 700 '
            '/home/joe/.getmail; '
            'chown -R joe:joe /home/joe/.getmail /home/joe/got' % home())
    for apop in ('false', 'true'):
        put(host, 'joe', 'getmail')
        host.write('/home/joe/.getmail/getmailrc',
                   '[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\n'
                   'port = %d\nusername = %s\npassword = %s\ntimeout = 5\nuse_apop = '
                   '%s\n[destination]\ntype = Maildir\n'
                   'path = /home/joe/got/\n[options]\ndelete = true\n'
                   % (POP3, LOGIN, SECRET, apop), 'joe', 0o600)
        wait_for(lambda: hosts.getmail(host, 'joe') == 0 and
                 os.listdir(host.path('/home/joe/got/new')), 'getmail', 200)
        tap.ok(mailbox(host) == '0\n', 'getmail: use_apop = ' + apop)
        host.sh('rm /home/joe/got/new/*')


def mpop(host):
    for method in ('user', 'plain', 'apop'):
        put(host, 'joe', 'mpop')
        host.sh('rm -f /tmp/got')
        host.write('/tmp/mpoprc',
                   'account default\nhost 127.0.0.1\nport %d\nauth %s\nuser %s\npassword "%s"\ntls '
                   'off\n'
                   'delivery mbox /tmp/got\nuidls_file /tmp/uidls\nkeep off\n'
                   % (POP3, method, LOGIN, SECRET),
                   mode=0o600)
        wait_for(lambda: host.call(['mpop', '-C', '/tmp/mpoprc', '-Q'])[0] == 0 and
                 os.path.exists(host.path('/tmp/got')), 'mpop')
        tap.ok('Subject: for mpop\n' in host.sh('cat /tmp/got') and mailbox(host) == '0\n',
               'mpop: ' + method)


# ---- checkers ----

def checkpw(host):
    """Debian's checkpw and checkapoppw behind qmail-popup."""
    put(host, 'ann', 'checkpw')
    for port, method in ((CHECKPW, '*'), (CHECKPW, 'PLAIN'), (CHECKAPOPPW, '+APOP')):
        def fetched():
            return host.call(['curl', '-sS', 'pop3://127.0.0.1:%d/1' % port, '-u', 'ann:ann-word',
                              '--login-options', 'AUTH=' + method])[1]
        wait_for(lambda: b'Subject: for checkpw' in fetched(), 'checkpw with ' + method)
        tap.ok(True, 'checkpw: AUTH=' + method)
        code, _, _ = host.call(['curl', '-sS', 'pop3://127.0.0.1:%d/1' % port, '-u', 'ann:wrong',
                                '--login-options', 'AUTH=' + method])
        tap.equal(code, 67, 'checkpw: wrong password, AUTH=' + method)
    host.clear_mail('ann')


def dovecot(host):
    """Its passdb asks checkpassword-cdb, and takes the answer from the program that this runs."""
    host.write('/etc/dovecot/dovecot.conf', DOVECOT % home())
    host.popen(['dovecot', '-F'])
    wait_for(lambda: host.call(['doveadm', 'auth', 'test', LOGIN, SECRET])[0] == 0, 'dovecot')
    code, out, _ = host.call(['doveadm', 'auth', 'login', LOGIN, SECRET])
    tap.ok(code == 0 and b'/home/joe' in out and b'5001' in out,
           'dovecot: our checker says who it is', out)
    code, out, _ = host.call(['doveadm', 'auth', 'test', LOGIN, 'wrong'])
    tap.ok(code == 77 and b'auth failed' in out, 'dovecot: wrong password', (code, out))
    host.sh('doveadm stop')


ALL = (swaks, curl, msmtp, curl_pop3, fetchmail, getmail, mpop, checkpw, dovecot, inside_tls)


def main():
    chosen = [part for part in ALL if part.__name__ in sys.argv[1:] or not sys.argv[1:]]
    with hosts.single(stack=('companions', 'clients', 'logins')) as host:
        host.start()
        prepare(host)
        for part in chosen:
            tap.note(part.__name__)
            tap.attempt(part.__name__ + ' has been through', part, host)
        tap.equal(host.queue_faults(), '', 'the queue is in order')
    return tap.done()


sys.exit(main())
