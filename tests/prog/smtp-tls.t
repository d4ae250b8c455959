#!/usr/bin/python3
"""smtp-tls.t - qmail-smtpd and qmail-popup with STARTTLS, STLS and their switches, against Python's
ssl: when it is offered, what is refused, what is forgotten, what Received says, certificates of
clients, and the same behind a TLS process of somebody else."""
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import netserver
import tap
import tlsworld as world

CERT = '/var/qmail/control/servercert.pem'
SMTP = {'TCPLOCALPORT': '25'}
EHLO = b'EHLO client.example\r\n'
MEMORY = 24 << 20               # bytes of address space that a session with TLS needs
REFUSAL = ("553 sorry, that domain isn't in my list of allowed rcpthosts; "
           'no valid cert for gatewaying%s (#5.7.1)\r\n')
MESSAGE = b'MAIL FROM:<joe@x.example>\r\nRCPT TO:<ann@ok.example>\r\nDATA\r\n'


class Smtp(netserver.Server):
    """qmail-smtpd with a certificate; `control` as in netserver, and what goes below it."""

    def __init__(self, env=None, control=None, pem='mx.example', **options):
        self.pem = pem
        self.log = open(world.DIR + '/log', 'w+', encoding='latin-1')
        super().__init__('qmail-smtpd', {**SMTP, **(env or {})}, control, err=self.log, **options)

    def greet(self):
        """The greeting, EHLO and its answer."""
        first = self.until(rb'\r\n')
        self.send(EHLO)
        return first, self.until(rb'(?m)^250 .*\r\n')

    def encrypt(self, context=None, name='mx.example', words=b'STARTTLS\r\n'):
        """STARTTLS, from here on self.socket is the inside."""
        self.send(words)
        answer = self.until(rb'\r\n')
        if answer.startswith('220'):
            self.socket = (context or world.client_context()).wrap_socket(
                self.socket, server_hostname=name)
        return answer

    def say(self, line):
        self.send(line + b'\r\n')
        return self.until(rb'\r\n')

    def logged(self):
        self.log.seek(0)
        return self.log.read()


def install(name='mx.example', directory=None):
    """The certificate into control/; netserver makes that directory anew for each server."""
    def write(real):
        def controls(extra):
            real(extra)
            if name:
                world.write(CERT, world.read(name + '.pem'), 'qmailt', 0o600)
            for sni in directory or ():
                at = '/var/qmail/control/servercerts/' + sni
                os.makedirs(at)
                world.write(at + '/servercert.pem', world.read(sni + '.pem'), 'qmailt', 0o600)
        return controls
    netserver.controls = write(REAL_CONTROLS)


REAL_CONTROLS = netserver.controls


def offered(env=None, control=None):
    server = Smtp(env, control)
    answer = server.greet()[1]
    server.end()
    return '250-STARTTLS\r\n' in answer


def when_offered():
    for name, wanted, env in (
            ('with a certificate', True, {}), ('UCSPITLS', True, {'UCSPITLS': ''}),
            ('UCSPITLS=-', False, {'UCSPITLS': '-'}), ('DISABLETLS=1', False, {'DISABLETLS': '1'}),
            ('DISABLETLS=0', True, {'DISABLETLS': '0'}), ('DENY_TLS=1', False, {'DENY_TLS': '1'}),
            ('DENY_TLS=0', True, {'DENY_TLS': '0'}), ('SSL=1', False, {'SSL': '1'}),
            ('SSL=0', True, {'SSL': '0'}), ('port 465', False, {'TCPLOCALPORT': '465'}),
            ('SSL_PROTOCOL', False, {'SSL_PROTOCOL': 'TLSv1.3'})):
        tap.equal(offered(env), wanted, 'offered: ' + name)
    install(None)
    tap.equal(offered(), False, 'offered: without a certificate')
    tap.equal(offered({'UCSPITLS': ''}), False, 'offered: UCSPITLS without a certificate')
    server = Smtp()
    server.greet()
    tap.equal(server.say(b'STARTTLS'), '502 unimplemented (#5.5.1)\r\n', 'not offered: refused')
    server.end()
    install()


def texts():
    server = Smtp()
    answer = server.greet()[1]
    tap.equal(answer.splitlines()[:2], ['250-mx.example', '250-STARTTLS'], 'EHLO: second line')
    tap.equal(server.say(b'STARTTLS now'),
              '501 Syntax error (no parameters allowed) (#5.5.4)\r\n', 'an argument')
    tap.equal(server.encrypt(), '220 ready for tls\r\n', '220')
    server.send(EHLO)
    tap.equal(server.until(rb'(?m)^250 .*\r\n').count('STARTTLS'), 0, 'EHLO inside: not again')
    tap.equal(server.say(b'STARTTLS'), '502 unimplemented (#5.5.1)\r\n', 'not twice')
    tap.equal(server.say(b'QUIT'), '221 mx.example\r\n', 'QUIT')
    tap.equal((server.rest(), server.end()), ('', 0), 'exit')
    tap.ok(re.search(r'^tls: %d TLSv1\.3 TLS_AES_256_GCM_SHA384 - 256$' % server.process.pid,
                     server.logged(), re.M), 'the log says so', server.logged())
    server = Smtp({'UCSPITLS': ''})
    server.greet()
    tap.equal(server.encrypt(), '220 Ready to start TLS (#5.7.0)\r\n', '220 with UCSPITLS')
    server.end()
    for name, env, wanted in (
            ('FORCE_TLS=1', {'FORCE_TLS': '1'}, '503 STARTTLS first (#5.5.1)\r\n'),
            ('FORCE_TLS=', {'FORCE_TLS': ''}, '530 must issue STARTTLS first (#5.7.0)\r\n'),
            ('FORCE_TLS=0', {'FORCE_TLS': '0'}, '250 ok\r\n'),
            ('UCSPITLS=!', {'UCSPITLS': '!'}, '535 STARTTLS required (#5.7.1)\r\n'),
            ('UCSPITLS=@', {'UCSPITLS': '@'}, '535 STARTTLS required (#5.7.1)\r\n')):
        server = Smtp(env)
        server.greet()
        tap.equal(server.say(b'MAIL FROM:<>'), wanted, 'required: ' + name)
        server.encrypt()
        tap.equal(server.say(b'MAIL FROM:<>'), '250 ok\r\n', 'then not any more: ' + name)
        server.end()


def message(server, hello=EHLO):
    """One message through a session; its first lines as queued."""
    server.send(hello)
    server.until(rb'(?m)^250 .*\r\n')
    server.send(MESSAGE)
    server.until(rb'354.*\r\n')
    answer = server.say(b'Subject: x\r\n\r\ntext\r\n.')
    server.say(b'QUIT')
    server.end()
    found = netserver.queued()
    return answer, found[0][0].decode() if found else ''


def received():
    for version, cipher in ((ssl.TLSVersion.TLSv1_3, r'TLS_AES_256_GCM_SHA384'),
                            (ssl.TLSVersion.TLSv1_2, r'ECDHE-ECDSA-AES256-GCM-SHA384')):
        server = Smtp()
        server.greet()
        server.encrypt(world.client_context(version=version))
        answer, text = message(server)
        tap.ok(answer.startswith('250 ok'), 'a message', answer)
        tap.ok(re.match(r'Received: .*\n  by mx\.example with ESMTPS \(%s encrypted\); ' % cipher,
                        text), 'Received with ' + cipher, text[:200])
    server = Smtp({'TCPLOCALPORT': '465'})
    _, text = message(server)
    tap.ok(' with ESMTPS; ' in text, 'Received behind a wrapper', text[:200])


def forgotten():
    server = Smtp({'TCPREMOTEHOST': 'peer.example'})
    server.greet()
    server.send(b'MAIL FROM:<early@x.example>\r\nRCPT TO:<early@ok.example>\r\n')
    server.until(rb'250 ok\r\n250 ok\r\n')
    server.encrypt()
    tap.equal(server.say(b'RCPT TO:<ann@ok.example>'), '503 MAIL first (#5.5.1)\r\n',
              'the transaction is forgotten')
    server.send(MESSAGE)
    server.until(rb'354.*\r\n')
    server.say(b'Subject: x\r\n\r\ntext\r\n.')
    server.end()
    queued = netserver.queued()
    tap.equal([envelope for _, envelope in queued], [b'Fjoe@x.example\0Tann@ok.example\0\0'],
              'its recipients, too')
    tap.ok(queued and b'HELO' not in queued[0][0].split(b'\n')[0], 'the name in EHLO, too')


def forgotten_login():
    checker = world.DIR + '/yes'
    world.write(checker, b'#!/bin/sh\ncat <&3 >/dev/null; exec "$@"\n', mode=0o755)
    server = Smtp({'AUTH_SET_DATABYTES': '77', 'AUTH_UNSET_QMAILLOCAL': '', 'ALLOW_INSECURE_AUTH': '1'},
                  args=(checker, 'true'))
    server.greet()
    server.say(b'AUTH PLAIN AGpvZQBvcGVu')
    server.send(EHLO)
    tap.ok('250-SIZE 77\r\n' in server.until(rb'(?m)^250 .*\r\n'), 'what AUTH has set')
    server.encrypt()
    server.send(EHLO)
    tap.ok('250-SIZE 0\r\n' in server.until(rb'(?m)^250 .*\r\n'), '  is forgotten')
    server.send(b'MAIL FROM:<joe@x.example>\r\n')
    tap.equal([server.until(rb'\r\n'), server.say(b'RCPT TO:<u@far.example>')[:3]],
              ['250 ok\r\n', '553'], '  and the right to relay')
    server.end()


def injected():
    """CVE-2011-0411: what comes in the clear behind STARTTLS is not taken for encrypted."""
    server = Smtp()
    server.greet()
    server.send(b'STARTTLS\r\nMAIL FROM:<evil@x.example>\r\n')
    tap.equal((server.rest(), server.end()),
              ('501 nothing may follow STARTTLS before its reply (#5.5.1)\r\n', 1),
              'pipelined: refused and closed')
    server = Smtp()
    server.greet()
    server.send(b'STARTTLS\r\n')
    server.until(rb'220.*\r\n')
    server.send(b'MAIL FROM:<evil@x.example>\r\nRCPT TO:<ann@ok.example>\r\nDATA\r\n')
    rest = server.rest()
    tap.ok('250' not in rest and '354' not in rest and server.end() == 1,
           'instead of a handshake: closed', rest)
    tap.ok(re.search(r'^tls: \d+ failed: ', server.logged(), re.M), 'and logged', server.logged())


def broken():
    world.write('half.pem', world.read('mx.example.crt'))
    for name, pem in (('no key', 'half'), ('another key', 'other')):
        if pem == 'other':
            world.issue('else.example')
            world.write('other.pem', world.read('else.example.key') + world.read('mx.example.crt'))
        install(pem)
        server = Smtp()
        server.greet()
        tap.equal(server.say(b'STARTTLS'), '454 TLS not available: see the log (#4.3.0)\r\n',
                  'certificate: ' + name)
        tap.equal(server.say(b'NOOP'), '250 ok\r\n', 'and on in the clear: ' + name)
        server.end()
        tap.ok(' not started: control/servercert.pem: ' in server.logged(), 'logged: ' + name,
               server.logged())
    server = Smtp({'UCSPITLS': ''})
    server.greet()
    server.send(b'STARTTLS\r\n')
    tap.equal((server.rest(), server.end()),
              ('454 TLS not available due to temporary reason (#5.7.3)\r\n', 1), 'with UCSPITLS')
    install()


def at_once():
    server = Smtp({'SMTPS': '1'})
    server.socket = world.client_context().wrap_socket(server.socket, server_hostname='mx.example')
    tap.equal(server.until(rb'\r\n'), '220 mx.example ESMTP\r\n', 'SMTPS: before the greeting')
    _, text = message(server)
    tap.ok(' with ESMTPS (TLS_AES_256_GCM_SHA384 encrypted); ' in text, 'SMTPS: Received', text)
    server = Smtp({'SMTPS': '1'})
    server.send(b'EHLO x\r\n')
    rest = server.rest()
    tap.ok('220' not in rest and server.end() == 1, 'SMTPS: nothing in the clear', rest)
    server = Smtp({'SMTPS': ''})
    tap.ok(server.until(rb'\r\n').startswith('220'), 'SMTPS empty: as usual')
    server.end()


def names():
    world.issue('two.example', 'rsa')
    install(directory=['two.example'])
    for wanted, asked in (('two.example', 'two.example'), ('two.example', 'TWO.example'),
                          ('mx.example', 'mx.example')):
        server = Smtp()
        server.greet()
        server.encrypt(name=asked)
        names_shown = [v for _, v in server.socket.getpeercert()['subjectAltName']]
        server.send(EHLO)
        greeting = server.until(rb'(?m)^250 .*\r\n').splitlines()[0]
        tap.equal((names_shown, greeting), ([wanted], '250-' + wanted), 'SNI: ' + asked)
        server.end()
    for asked in ('unknown.example', 'a_b.example', 'a' * 60 + '.example', '192.0.2.1'):
        server = Smtp()
        server.greet()
        answer = server.encrypt(world.client_context(verify=False), name=asked)
        tap.ok(answer.startswith('220'), 'SNI: ' + asked[:20], answer)
        server.end()
    world.write('both.pem', world.read('mx.example.pem') + world.read('two.example.pem'))
    install('both')
    for cipher, name in (('ECDHE-ECDSA-AES256-GCM-SHA384', 'mx.example'),
                         ('ECDHE-RSA-AES256-GCM-SHA384', 'two.example')):
        context = world.client_context(version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(cipher)
        server = Smtp()
        server.greet()
        server.encrypt(context, name=name)
        tap.equal(server.socket.cipher()[0], cipher, 'RSA and EC in one file: ' + cipher)
        server.end()
    install()


def clients():
    """Relaying by certificate."""
    world.issue('client', subject='/CN=c/emailAddress=joe@client.example', names=[])
    world.issue('san', subject='/CN=c', names=['email:Ann@client.example'])
    world.issue('unlisted', subject='/CN=c/emailAddress=eve@client.example', names=[])
    world.openssl('req', '-x509', '-nodes', '-newkey', 'ed25519', '-keyout',
                  world.DIR + '/fake.key',
                  '-out', world.DIR + '/fake.crt', '-days', '9', '-subj',
                  '/CN=c/emailAddress=joe@client.example')
    world.write('fake.pem', world.read('fake.key') + world.read('fake.crt'))
    control = {'tlsclients': 'joe@client.example\nann@client.example\n',
               'clientca.pem': world.read('ca.pem')}
    for name, cert, wanted in (
            ('listed', 'client', '250 ok\r\n'), ('other name, case', 'san', '250 ok\r\n'),
            ('unlisted', 'unlisted', REFUSAL % ''), ('none', None, REFUSAL % ''),
            ('self-signed', 'fake', REFUSAL % ': self-signed certificate')):
        server = Smtp({'QMAILQUEUE': relay_filter()}, control)
        server.greet()
        context = world.client_context()
        if cert:
            context.load_cert_chain('%s/%s.pem' % (world.DIR, cert))
        server.encrypt(context)
        server.say(b'MAIL FROM:<x@x.example>')
        tap.equal(server.say(b'RCPT TO:<you@elsewhere.example>'), wanted, 'client: ' + name)
        if name != 'listed':
            server.end()
            continue
        server.say(b'RSET')
        _, text = message(server)
        tap.ok(re.search(r'encrypted\)\n  \(cert joe@client\.example\); ', text),
               'client: Received', text[:200])
        tap.ok(os.path.exists(netserver.QUEUE + '/out/relays'), 'client: filters see RELAYCLIENT')
    server = Smtp(control=control)
    server.greet()
    server.say(b'MAIL FROM:<x@x.example>')
    tap.ok(server.say(b'RCPT TO:<you@elsewhere.example>').startswith('553 not relayed'),
           'client: in the clear as usual')
    server.end()
    list_of_clients(control)
    server = Smtp({'UCSPITLS': '?'}, control)
    server.greet()
    context = world.client_context()
    context.load_cert_chain(world.DIR + '/unlisted.pem')
    server.encrypt(context)
    server.say(b'MAIL FROM:<x@x.example>')
    tap.equal(server.say(b'RCPT TO:<you@elsewhere.example>'), '250 ok\r\n', 'client: UCSPITLS=?')
    server.end()


def relay_filter():
    """A program in place of qmail-queue that notes whether it is a relay client's."""
    path = netserver.QUEUE + '/relay-filter'
    with open(path, 'w') as file:
        file.write('#!/bin/sh\n[ -z "${RELAYCLIENT+set}" ] || : >%s/out/relays\nexec %s\n'
                   % (netserver.QUEUE, netserver.STUB))
    os.chmod(path, 0o755)
    return path


def list_of_clients(control):
    """The file tlsclients: off, on, refusals in the log, trouble."""
    def ask(text):
        server = Smtp({'QMAILSMTPD_LOG': 'refusal'}, {**control, 'tlsclients': text})
        server.greet()
        context = world.client_context()
        context.load_cert_chain(world.DIR + '/client.pem')
        answer = server.encrypt(context)
        if answer.startswith('220'):
            server.say(b'MAIL FROM:<x@x.example>')
            answer = server.say(b'RCPT TO:<you@elsewhere.example>')
        server.end()
        return answer[:3], server.logged()
    yes, no = ask('joe@client.example\n'), ask('other@client.example\n')
    tap.equal((ask(None)[0], yes[0], no[0]), ('553', '250', '553'), 'tlsclients: off and on')
    tap.ok("rcpthosts (553 sorry, that domain isn't in my list of allowed rcpthosts; "
           'no valid cert' in no[1] and
           'rcpthosts (' not in yes[1], 'tlsclients: log', no[1])
    hidden = ask(True)
    tap.equal((hidden[0], ask(False)[0], ask('*\n@client.example\n')[0]), ('454', '454', '553'),
              'tlsclients: cannot be read, malformed')
    tap.ok(re.search(r'not started: \S.* \(control/tlsclients\)\n', hidden[1]),
           '  and the log says so', hidden[1])


def resume(version, certificate, control):
    """Two sessions of one client, the second with what the first has given it; between them the
    certificate is revoked.  The answers to RCPT, and was the second one resumed?"""
    context, session, answers = world.client_context(version=version), None, []
    if certificate:
        context.load_cert_chain(world.DIR + '/client.pem')
    for step in (control, {**control, 'clientcrl.pem': world.read('crl.pem')}):
        server = Smtp(control=step if certificate else None)
        server.greet()
        server.say(b'STARTTLS')
        server.socket = context.wrap_socket(server.socket, server_hostname='mx.example',
                                            session=session)
        server.say(b'MAIL FROM:<x@x.example>')
        answers.append(server.say(b'RCPT TO:<you@elsewhere.example>')[:3])
        session, resumed = server.socket.session, server.socket.session_reused
        server.end()
    return answers, resumed


def changed(version, control, other='mx.example'):
    """Two sessions, the second with what the first has been given, of a service with other control
    files or another certificate: was it resumed?"""
    context, session = world.client_context(version=version), None
    context.check_hostname = False
    for files, name in (({}, 'mx.example'), (control, other)):
        install(name)
        server = Smtp(control=files)
        server.greet()
        server.say(b'STARTTLS')
        server.socket = context.wrap_socket(server.socket, server_hostname='mx.example',
                                            session=session)
        server.say(b'NOOP')
        session, resumed = server.socket.session, server.socket.session_reused
        server.end()
    install()
    return resumed


def services():
    """A ticket is good only for what has the same certificate and ciphers."""
    world.issue('elsewhere.example')
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        tap.equal([changed(version, {}), changed(version, {'tlsserverciphers': 'ECDHE+AESGCM\n'}),
                   changed(version, {}, 'elsewhere.example')], [True, False, False],
                  'the same, other ciphers, another certificate: %s' % version.name)


def revoked():
    """A revoked certificate does not count, nor does a session of the time before."""
    world.revoke('client')
    os.makedirs('/run/qmail-tls', 0o700, exist_ok=True)
    shutil.chown('/run/qmail-tls', 'qmailt')
    control = {'tlsclients': 'joe@client.example\n', 'clientca.pem': world.read('ca.pem')}
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        tap.equal(resume(version, True, control), (['250', '553'], False), 'revoked: %s'
                  % version.name)
        tap.equal(resume(version, False, control), (['553', '553'], True),
                  'sessions are resumed where nobody is asked: %s' % version.name)
    services()
    server = Smtp(control={**control, 'clientcrl.pem': world.read('crl.pem')})
    server.greet()
    context = world.client_context()
    context.load_cert_chain(world.DIR + '/client.pem')
    server.encrypt(context)
    server.say(b'MAIL FROM:<x@x.example>')
    tap.equal(server.say(b'RCPT TO:<you@elsewhere.example>'), REFUSAL % ': certificate revoked',
              'revoked: the words')
    server.end()


def inherited(server, numbers):
    """Which of these descriptors would programs inherit that the server starts?"""
    found = []
    for name, number in numbers.items():
        with open('/proc/%d/fdinfo/%s' % (server.process.pid, number), encoding='ascii') as file:
            flags = int(re.search(r'^flags:\s*([0-7]+)', file.read(), re.M).group(1), 8)
        found += [name] if not flags & os.O_CLOEXEC else []
    return found


def somebody_else():
    """The interface of sslserver -n, played by us."""
    install(None)
    ours, control = socket.socketpair()
    to_program, from_relay = socket.socketpair()
    to_relay, from_program = socket.socketpair()
    fds = {'SSLCTLFD': control, 'SSLREADFD': to_program, 'SSLWRITEFD': from_program}
    real = subprocess.Popen

    def start(*args, **options):
        return real(*args, pass_fds=[s.fileno() for s in fds.values()], **options)
    subprocess.Popen = start
    numbers = {name: str(s.fileno()) for name, s in fds.items()}
    server = Smtp({'UCSPITLS': '', **numbers})
    subprocess.Popen = real
    for sock in fds.values():
        sock.close()
    for sock in (ours, from_relay, to_relay):
        sock.settimeout(world.PATIENCE)
    tap.ok('STARTTLS' in server.greet()[1], 'sslserver: offered')
    tap.equal(inherited(server, numbers), [], 'sslserver: nobody else gets its descriptors')
    tap.equal(server.say(b'STARTTLS'), '220 Ready to start TLS (#5.7.0)\r\n', 'sslserver: 220')
    tap.equal(ours.recv(10), b'Y', 'sslserver: it is told')
    ours.sendall(b'SSL_PROTOCOL=TLSv9\0SSL_CIPHER=ROT13\0RELAYCLIENT=\0PATH=/evil\0\0')
    from_relay.sendall(b'EHLO x\r\nMAIL FROM:<joe@x.example>\r\nRCPT TO:<x@not-ours.example>\r\n'
                       b'RCPT TO:<ann@ok.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n')
    said = b''
    while True:
        piece = to_relay.recv(65536)
        if not piece:
            break
        said += piece
    tap.ok(b'553 not relayed' in said and said.count(b'250 ok') == 3,
           'sslserver: details are not believed beyond SSL', said)
    tap.equal(server.end(), 0, 'sslserver: exit')
    queued = netserver.queued()
    tap.ok(queued and b' with ESMTPS (ROT13 encrypted);' in queued[0][0], 'sslserver: Received',
           queued)
    for name, env in (('not numbers', {'SSLCTLFD': 'x', 'SSLREADFD': '4', 'SSLWRITEFD': '5'}),
                      ('not open', {'SSLCTLFD': '70', 'SSLREADFD': '71', 'SSLWRITEFD': '72'}),
                      ('the client', {'SSLCTLFD': '0', 'SSLREADFD': '1', 'SSLWRITEFD': '2'})):
        server = Smtp({'UCSPITLS': '', **env})
        server.greet()
        tap.ok(server.say(b'STARTTLS').startswith('454'), 'descriptors: ' + name)
        server.end()
    install()


def inetd():
    """Descriptor 2 is the client: nothing may be logged there."""
    server = netserver.Server('qmail-smtpd', SMTP, err=None)
    server.until(rb'\r\n')
    server.send(b'STARTTLS\r\n')
    server.until(rb'\r\n')
    server.socket = world.client_context().wrap_socket(server.socket, server_hostname='mx.example')
    server.send(b'QUIT\r\n')
    tap.equal(server.rest(), '221 mx.example\r\n', 'under inetd: no log in the connection')
    server.end()


def big():
    text = b''.join(b'line %d of a long message\r\n' % n for n in range(120000))
    server = Smtp()
    server.greet()
    server.encrypt()
    server.send(EHLO + MESSAGE)
    server.until(rb'354.*\r\n')
    server.send(text + b'.\r\n')
    tap.ok(server.until(rb'\r\n').startswith('250 ok'), '%d bytes: taken' % len(text))
    server.send(b'QUIT\r\n')
    server.rest()
    server.end()
    body = netserver.queued()[0][0].split(b'\n', 2)[2]
    tap.ok(body == text.replace(b'\r\n', b'\n'), '%d bytes: all of them' % len(text), len(body))


# From chdir(2) to the end: one message in the clear, counted before there was TLS (56), and the look
# at what SIGCHLD does before a child is started.
MOST_CALLS = 57


def cost():
    """Without a certificate nothing is looked for; with one, and inside, no OpenSSL is mapped."""
    install(None)
    trace = world.DIR + '/trace'
    os.chmod(world.DIR, 0o777)
    server = Smtp(before=('strace', '-qq', '-e', 'signal=none', '-o', trace))
    netserver.exchange(server, EHLO + MESSAGE + b'Subject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n')
    calls = world.read('trace').decode()
    inside = calls[calls.index('chdir('):]
    tap.ok(os.environ.get('SAN') or inside.count('\n') <= MOST_CALLS and 'cert' not in calls,
           'no more system calls than before there was TLS', '%d\n%s' % (inside.count('\n'),
                                                                         inside))
    os.chmod(world.DIR, 0o755)
    server = Smtp()
    server.greet()
    tap.equal(openssl_in(server), [], 'no OpenSSL without a certificate')
    server.end()
    install()
    server = Smtp()
    server.greet()
    server.encrypt()
    server.say(b'NOOP')
    tap.equal(openssl_in(server), [], 'nor inside TLS')
    server.end()


def openssl_in(server):
    with open('/proc/%d/maps' % server.process.pid, encoding='latin-1') as file:
        maps = file.read()
    tap.ok('qmail-smtpd' in maps, 'it is the server')
    return re.findall(r'\S*lib(?:ssl|crypto)\S*|\S*qmail-tls\S*', maps)


# ---- what takes its time, or is too large ----

def idle():
    """The limits of the session hold inside, and its last words are encrypted."""
    for name, env in (('STARTTLS', {}), ('SMTPS', {'SMTPS': '1'})):
        server = Smtp(env, {'timeoutsmtpd': '1'})
        if env:
            server.socket = world.client_context().wrap_socket(server.socket,
                                                               server_hostname='mx.example')
            server.until(rb'\r\n')
        else:
            server.greet()
            server.encrypt()
        server.send(b'NO')
        tap.equal((server.rest(), server.process.wait(world.PATIENCE)), ('451 timeout (#4.4.2)\r\n',
                                                                         1),
                  'timeoutsmtpd counts inside ' + name)
        server.end()


def large_clients():
    """Certificates of clients that are larger than any need, or have a NUL where a name ends."""
    issue = world.issue
    address = 'joe@client.example'
    issue('thousand', subject='/CN=c', names=['email:u%d@client.example' % n for n in range(999)] +
          ['email:' + address])
    issue('first', subject='/CN=c', names=['email:' + address]
          + ['DNS:n%d' % n for n in range(999)])
    issue('megabyte', subject='/CN=c', names=['email:%d.%s@client.example' % (n, 'u' * 60)
                                              for n in range(12500)])
    issue('nul-san', subject='/CN=c', names=['email:' + address + '~.evil.example'])
    issue('nul-subject', subject='/CN=c/emailAddress=%s~.evil.example' % address, names=[])
    for name in ('nul-san', 'nul-subject'):
        world.resign(name, (address + '~').encode(), (address + '\0').encode())
    tap.ok(len(world.read('megabyte.crt')) > 1 << 20, 'more than 1 MB',
           len(world.read('megabyte.crt')))
    control = {'tlsclients': address + '\n', 'clientca.pem': world.read('ca.pem')}
    for name, wanted in (('first', '250 ok\r\n'), ('thousand', REFUSAL % ''),
                         ('nul-san', REFUSAL % ''),
                         ('nul-subject', REFUSAL % '')):
        server = Smtp(control=control)
        server.greet()
        context = world.client_context()
        context.load_cert_chain('%s/%s.pem' % (world.DIR, name))
        server.encrypt(context)
        server.say(b'MAIL FROM:<x@x.example>')
        tap.equal(server.say(b'RCPT TO:<you@elsewhere.example>'), wanted, 'client: %s' % name)
        server.end()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        # What it may map is what a small certificate needs.
        server = Smtp(control=control, memory=None if os.environ.get('SAN') else MEMORY)
        server.greet()
        context = world.client_context(version=version)
        context.load_cert_chain(world.DIR + '/megabyte.pem')
        rest = ''
        try:
            server.encrypt(context)
            rest = server.rest()
        except OSError:
            pass
        tap.equal((rest, server.end()), ('', 1), 'client: a megabyte, %s: closed' % version.name)
        tap.ok(re.search(r'^tls: \d+ failed: excess\w* message size$', server.logged(), re.M),
               'and logged',
               server.logged())


# ---- POP3 ----

class Pop:
    def __init__(self, env=None, before=()):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(world.PATIENCE)
        checker = world.DIR + '/checker'
        world.write(checker, b'#!/bin/sh\ntr "\\0" / <&3 | sed s/'b'$/:/ >%s/login\ncat\n'
                    % world.DIR.encode(), mode=0o755)
        self.process = subprocess.Popen(
            [*before, '/var/qmail/bin/qmail-popup', 'pop.example', checker], stdin=theirs, stdout=theirs,
            env={'PATH': '/usr/bin:/bin', **(env or {})}, stderr=subprocess.DEVNULL)
        theirs.close()
        self.line()

    def line(self):
        got = b''
        while not got.endswith(b'\r\n'):
            try:
                piece = self.socket.recv(1)
            except ConnectionResetError:    # it closed without having read everything
                piece = b''
            if not piece:
                break
            got += piece
        return got.decode()

    def say(self, text):
        self.socket.sendall(text.encode() + b'\r\n')
        return self.line()

    def capa(self):
        answer = [self.say('CAPA')]
        while answer[-1] not in ('.\r\n', ''):
            answer.append(self.line())
        return answer

    def stls(self):
        answer = self.say('STLS')
        if answer.startswith('+OK'):
            self.socket = world.client_context().wrap_socket(self.socket,
                                                             server_hostname='mx.example')
        return answer

    def end(self):
        self.socket.close()
        return self.process.wait(world.PATIENCE)


def pop3():
    pop = Pop()
    tap.ok('STLS\r\n' in pop.capa(), 'POP3: CAPA')
    pop.say('USER early')
    tap.equal(pop.stls(), '+OK starting TLS negotiation\r\n', 'POP3: STLS')
    tap.ok('STLS\r\n' not in pop.capa(), 'POP3: CAPA inside')
    tap.equal(pop.say('STLS'), '-ERR STLS not available\r\n', 'POP3: not twice')
    tap.equal(pop.say('PASS x'), '-ERR USER first\r\n', 'POP3: USER is forgotten')
    pop.say('USER joe')
    pop.socket.sendall(b'PASS secret\r\nfor the next program\r\n')
    tap.equal(pop.line(), 'for the next program\r\n', 'POP3: the checker talks inside')
    pop.end()
    tap.ok(world.read('login').startswith(b'joe/secret/<'), 'POP3: the checker is told')
    for name, env, wanted in (('UCSPITLS=!', {'UCSPITLS': '!'}, '-ERR STLS first\r\n'),
                              ('otherwise', {}, '+OK \r\n'),
                              ('port 995', {'UCSPITLS': '!', 'TCPLOCALPORT': '995'}, '+OK \r\n')):
        pop = Pop(env)
        tap.equal([line for line in pop.capa() if line in ('USER\r\n', 'SASL PLAIN\r\n')],
                  ['USER\r\n', 'SASL PLAIN\r\n'] if wanted == '+OK \r\n' else [],
                  'POP3: CAPA offers passwords in the clear: ' + name)
        tap.equal(pop.say('USER joe'), wanted, 'POP3: USER in the clear: ' + name)
        pop.end()
    for env in ({'UCSPITLS': '-'}, {'TCPLOCALPORT': '995'}):
        pop = Pop(env)
        tap.ok('STLS\r\n' not in pop.capa() and
               pop.stls() == '-ERR STLS not available\r\n', 'POP3: not offered: %r' % env)
        pop.end()
    pop = Pop()
    pop.socket.sendall(b'STLS\r\nUSER evil\r\n')
    tap.equal((pop.line(), pop.line()), ('-ERR nothing may follow STLS before its answer\r\n', ''),
              'POP3: pipelined')
    pop.end()
    os.unlink(world.DIR + '/login')
    pop = Pop()
    pop.say('STLS')
    pop.socket.sendall(b'USER evil\r\nPASS evil\r\n')
    rest = pop.line()
    tap.ok('+OK' not in rest and pop.end() == 1, 'POP3: instead of a handshake: closed', rest)
    tap.ok(not os.path.exists(world.DIR + '/login'), 'POP3: no checker')


def pop3_cost():
    """The certificate is looked for once, by who asks what there is in the clear."""
    trace = world.DIR + '/trace'
    for name, env, commands, wanted in (
            ('CAPA', {}, 3, 1), ('no CAPA', {}, 0, 0), ('UCSPITLS=-', {'UCSPITLS': '-'}, 1, 0),
            ('inside', {'TCPLOCALPORT': '995'}, 1, 0)):
        pop = Pop(env, ('strace', '-qq', '-e', 'signal=none', '-o', trace))
        for _ in range(commands):
            pop.capa()
        pop.say('QUIT')
        pop.end()
        calls = world.read('trace').decode()
        tap.ok(calls.count('servercert.pem') == wanted and 'exit' in calls,
               'POP3: looks for a certificate: %s: %d' % (name, wanted), calls)


def main():
    world.set_up()
    netserver.set_up()
    install()
    try:
        for part in (when_offered, texts, received, forgotten, forgotten_login, injected, broken, at_once, names,
                     clients, revoked, somebody_else, inetd, big, cost, idle,
                     large_clients, pop3, pop3_cost):
            part()
    finally:
        world.tear_down()
        netserver.tear_down()
    return tap.done()


sys.exit(main())
