#!/usr/bin/python3
"""qmail-remote-tls.t - qmail-remote and TLS: where it is used, where it must be, what is said when
it fails, and servers that mean no good.  Scripted servers on loopback, real qmail-tls."""
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings

sys.path.insert(0, 'tests')
import tap
import tlsworld
from remoteserver import ACCEPTED, HOME, OK, OUTSIDE, REMOTE, SILENCE, Smtp, control, \
    outside_addresses, remote, stop
from tlspart import hang
from tlsworld import DIR, issue, openssl, resign, server_context

warnings.simplefilter('ignore', DeprecationWarning)     # old servers are wanted

LOOP = '127.0.0.2'
HELLO = ['220 hi', '250-mx\n250 STARTTLS']
DONE = ['250 s', '250 r', '354 go', '250 done']
SENT = ['r', ACCEPTED % LOOP]
CLEAR_TALK = ['EHLO me.example', 'MAIL FROM:<s@x.example>', 'RCPT TO:<r@y.example>', 'DATA', 'QUIT']


def tls(context, before=b''):
    """A reply that is the server's side of a handshake."""
    def wrap(connection):
        if before:
            connection.sendall(before)
        try:
            return context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            return None
    return wrap


def starttls(context, inside=None, reply=b'220 go ahead\r\n', before=HELLO):
    return list(before) + [tls(context, reply)] + (['250-mx\n250 SIZE'] + DONE if inside is None
                                                   else inside)


def send(replies, host='y.example', message=b'hi\n', port=25, **files):
    """One message through LOOP; report, what was said, server."""
    server = Smtp(LOOP, replies, port)
    control(**{'smtproutes': ':' + LOOP + (':%d' % port if port != 25 else ''), **files})
    report = remote(host, message=message)
    stop(server)
    return report, server.seen, server


def policy(directory, **files):
    """Files of control/tlshosts or notlshosts; control() comes first."""
    path = HOME + '/control/' + directory
    os.makedirs(path, exist_ok=True)
    for name, text in files.items():
        with open(path + '/' + name, 'w') as file:
            file.write(text)


def pem(name):
    with open('%s/%s' % (DIR, name)) as file:
        return file.read()


def with_policy(replies, pems=(), no_tls=(), exhaustive=False, owner=None, **files):
    """As send(), with files in the two directories; pems: certificates of DIR for LOOP."""
    server = Smtp(LOOP, replies)
    control(**{'smtproutes': ':' + LOOP, **files})
    policy('tlshosts', **{LOOP + '.pem': pem(name) for name in pems})
    if exhaustive:
        policy('tlshosts', exhaustivelist='')
    policy('notlshosts', **{name: '' for name in no_tls})
    if owner:
        os.chown(HOME + '/control/notlshosts', owner, -1)
    report = remote('y.example')
    stop(server)
    return report, server


def test_opportunistic(context):
    report, seen, server = send(starttls(context))
    tap.equal(report, SENT, 'STARTTLS that is offered is used')
    tap.equal(seen, ['EHLO me.example', 'STARTTLS', 'EHLO me.example',
                     'MAIL FROM:<s@x.example> SIZE=4', 'RCPT TO:<r@y.example>', 'DATA', 'QUIT'],
              'EHLO again; what was offered before TLS counts for nothing')
    tap.equal((bytes(server.text), server.sessions), (b'hi\r\n.\r\n', 1), 'the text, once')
    big = b'0123456789abcdef' * 4 + b'\n'
    big *= 60000
    report, _, server = send(starttls(context), message=big)
    tap.ok(report == SENT and bytes(server.text) == big.replace(b'\n', b'\r\n') + b'.\r\n',
           'four megabytes', report)
    for name, replies in (('refused', HELLO + ['454 no'] + DONE),
                          ('refused for good', HELLO + ['502 no'] + DONE),
                          ('answered oddly', HELLO + ['250 what'] + DONE)):
        report, seen, server = send(replies)
        tap.equal((report, seen[1], server.sessions), (SENT, 'STARTTLS', 1),
                  'STARTTLS %s: the message goes in clear' % name)
    report, seen, server = send(OK)
    tap.equal((report, seen), (SENT, CLEAR_TALK), 'not offered, not tried')


def refuse_client(context):
    """Wants a certificate; with TLS 1.3 that it got none is told after the handshake."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(DIR + '/ca.pem')
    return context


def test_retry():
    """A handshake that fails leads to one more connection, in clear, in the same run."""
    def garbage(connection):
        connection.sendall(b'220 go\r\n')
        connection.recv(100)
        connection.sendall(b'500 what is this?\r\n' * 100)
        return connection
    def close(connection):
        connection.sendall(b'220 go\r\n')
    def quiet_close(_):
        return None
    def half(connection):
        connection.sendall(b'220 go\r\n\x16\x03\x03\x40\x00')
        connection.recv(100)
    def alert(connection):
        connection.sendall(b'220 go\r\n\x15\x03\x03\x00\x02\x02\x28')
        connection.recv(100)
    old = server_context(version=ssl.TLSVersion.TLSv1_1)
    old.minimum_version = old.maximum_version
    old.set_ciphers('DEFAULT@SECLEVEL=0')
    wants = refuse_client(server_context())
    wants12 = refuse_client(server_context(version=ssl.TLSVersion.TLSv1_2))
    for name, step in (('garbage', garbage), ('early close', close), ('half a record', half),
                       ('alert', alert), ('no reply at all', quiet_close),
                       ('TLS 1.1 only', tls(old, b'220 go\r\n')),
                       ('a client certificate is wanted, 1.3', tls(wants, b'220 go\r\n')),
                       ('a client certificate is wanted, 1.2', tls(wants12, b'220 go\r\n'))):
        report, seen, server = send([HELLO + [step, SILENCE, SILENCE], HELLO + DONE])
        tap.equal((report, server.sessions), (SENT, 2), 'in clear after: ' + name)
        tap.equal(seen[-5:], CLEAR_TALK, 'what is said then')
    report, _, server = send([HELLO + [close], [None]])
    tap.equal((report, server.sessions),
              (['ZConnected to %s but connection died. (#4.4.2)\n' % LOOP], 2),
              'the second fails, too: for now')
    os.rename(HOME + '/bin/qmail-tls', HOME + '/bin/qmail-tls.away')
    report, _, server = send([HELLO + ['220 go'], HELLO + DONE])
    tap.equal((report, server.sessions), (SENT, 2), 'without qmail-tls')
    os.rename(HOME + '/bin/qmail-tls.away', HOME + '/bin/qmail-tls')


def test_after_the_dot(context):
    """Possible duplicate or not is the same with TLS."""
    died = 'ZConnected to %s but connection died. (#4.4.2)\n' % LOOP
    maybe = 'ZConnected to %s but connection died. Possible duplicate! (#4.4.2)\n' % LOOP
    for name, inside, wanted in (
            ('before MAIL is answered', ['250 mx', None], [died]),
            ('before DATA is answered', ['250 mx', '250 s', '250 r', None], ['r', died]),
            ('after the dot', ['250 mx', '250 s', '250 r', '354 go', None], ['r', maybe]),
            ('garbage after the dot', ['250 mx', '250 s', '250 r', '354 go', 'x'], ['r', maybe])):
        report, _, server = send(starttls(context, inside))
        tap.equal((report, server.sessions), (wanted, 1), 'hangs up ' + name)
    def early(connection):
        connection.sendall(b'354 go\r\n')
        connection.recv(1000)
        connection.sendall(b'552 too big\r\n')
    report, _, _ = send(starttls(context, ['250 mx', '250 s', '250 r', early]),
                        message=b'x\n' * 4000000)
    tap.equal(report, ['r', 'D%s failed after I sent the message.\nRemote host said: 552 too big\n'
                       % LOOP], 'an early refusal is heard')


def test_injection(context):
    """What stands in clear behind the 220 is no reply."""
    replies = starttls(context, reply=b'220 go\r\n250-mx\r\n250 PIPELINING\r\n')
    report, seen, _ = send(replies)
    tap.equal((report, seen[-4:-1]), (SENT, ['MAIL FROM:<s@x.example> SIZE=4',
                                             'RCPT TO:<r@y.example>', 'DATA']),
              'injected replies are dropped')
    def inject_late(connection):
        connection.sendall(b'220 go\r\n')
        connection.recv(1, socket.MSG_PEEK)
        connection.sendall(b'250 done\r\n')
        return None
    report, _, _ = send([HELLO + [inject_late], HELLO + DONE])
    tap.equal(report, SENT, 'later ones end the handshake')


def test_verified():
    exists = 'control/tlshosts/%s.pem exists' % LOOP
    file = 'control/tlshosts/%s.pem' % LOOP
    issue('this', subject='/CN=x', names=['IP:' + LOOP])
    issue('old', subject='/CN=x', names=['IP:' + LOOP], days='-1')
    issue('cn-only', subject='/CN=other.example', names=[])
    issue('nobody', subject='/O=nobody', names=[])
    openssl('req', '-x509', '-nodes', '-newkey', 'ed25519', '-keyout', DIR + '/own.key', '-out',
            DIR + '/own.crt', '-days', '30', '-subj', '/CN=x', '-addext',
            'subjectAltName=IP:' + LOOP)
    tlsworld.write('own.pem', tlsworld.read('own.key') + tlsworld.read('own.crt'))
    tlsworld.write('empty', b'')
    issue('many', subject='/CN=x', names=['DNS:n%d.example' % i for i in range(1000)])
    issue('huge', subject='/CN=x', names=['IP:' + LOOP] + ['DNS:host-%d.of.many.example' % i
                                                           for i in range(41000)])
    tlsworld.revoke('this')
    tlsworld.write('revoked.pem', tlsworld.read('ca.pem') + tlsworld.read('crl.pem'))
    unverified = 'ZTLS unable to verify server ' + LOOP
    at = '; connected to %s.\n' % LOOP
    for name, certificate, authority, wanted in (
            ('verified', 'this', 'ca.pem', None),
            ('self-signed, pinned', 'own', 'own.crt', None),
            ('self-signed', 'own', 'ca.pem', 'ZTLS unable to verify server with %s: '
             'self-signed certificate' % file + at),
            ('expired', 'old', 'ca.pem', 'ZTLS unable to verify server with %s: '
             'certificate has expired' % file + at),
            ('another name', 'mx.example', 'ca.pem',
             unverified + ': certificate contains no matching dNSNnames' + at),
            ('another common name', 'cn-only', 'ca.pem',
             unverified + ': received certificate for other.example' + at),
            ('no name', 'nobody', 'ca.pem',
             unverified + ': certificate contains no valid commonName' + at),
            ('a thousand other names', 'many', 'ca.pem',
             unverified + ': certificate contains no matching dNSNnames' + at),
            ('revoked', 'this', 'revoked.pem', 'ZTLS unable to verify server with %s: '
             'certificate revoked' % file + at),
            ('more than a megabyte', 'huge', 'ca.pem',
             'ZTLS connect failed: excessive message size' + at),
            ('no authority', 'this', 'empty', 'ZTLS unable to load %s: no certificate in it; '
             'connecting to %s.\n' % (file, LOOP))):
        report, server = with_policy([starttls(server_context(certificate)), OK], [authority])
        tap.equal((report, server.sessions), (SENT if wanted is None else [wanted], 1),
                  '.pem: ' + name)
        if wanted:
            tap.ok(not server.text, 'no mail', server.seen)
    report, server = with_policy(OK, ['ca.pem'])
    tap.equal(report, ['ZNo TLS achieved while %s; connecting to %s.\n' % (exists, LOOP)],
              '.pem: not offered')
    tap.equal(server.seen, ['EHLO me.example', 'QUIT'], 'no mail')
    report, _ = with_policy(HELLO + ['454 no'] + DONE, ['ca.pem'])
    tap.equal(report, ['ZSTARTTLS rejected while %s; connecting to %s.\nRemote host said: 454 no\n'
                       % (exists, LOOP)], '.pem: refused')
    def alert(connection):
        connection.sendall(b'220 go\r\n')
        connection.recv(1000)
        connection.sendall(b'\x15\x03\x03\0\2\2\x28')
    report, server = with_policy([HELLO + [alert], OK], ['ca.pem'])
    tap.ok(len(report) == 1 and report[0].startswith('ZTLS connect failed: ') and
           report[0].endswith(at) and server.sessions == 1, '.pem: no handshake', report)
    os.rename(HOME + '/bin/qmail-tls', HOME + '/bin/qmail-tls.away')
    report, server = with_policy([HELLO + ['220 go'], OK], ['ca.pem'])
    tap.equal((report, server.sessions), (['ZTLS connect failed: qmail-tls cannot be started' + at],
                                          1), '.pem: without qmail-tls')
    os.rename(HOME + '/bin/qmail-tls.away', HOME + '/bin/qmail-tls')
    report, _ = with_policy(starttls(server_context('own')))
    tap.equal(report, SENT, 'without .pem anybody will do')
    report, server = with_policy([starttls(server_context('huge')), HELLO + DONE])
    tap.equal((report, server.sessions), (SENT, 2), 'more than a megabyte of certificate: in clear')
    server = Smtp(LOOP, OK)
    control(smtproutes=':' + LOOP)
    policy('tlshosts', **{LOOP + '.pem': pem('ca.pem')})
    os.chmod(HOME + '/control/tlshosts', 0o600)
    tap.ok(remote('y.example')[0].startswith('ZNo TLS achieved'),
           'a directory that cannot be searched might demand it')
    stop(server)


def test_names():
    """The name of the server is that of its MX record, or of the route."""
    names = ['MX.Y.Example', 'mx.y.example', '*.y.example']
    for certificate in names[1:]:
        issue(certificate)
    issue('nul', subject='/CN=x', names=['DNS:mx.y.example~.evil.example'])
    resign('nul', b'mx.y.example~', b'mx.y.example\0')
    with open('/etc/resolv.conf', 'w') as file:
        file.write('nameserver 127.0.0.1\n')
    with open('/tmp/zone.conf', 'w') as file:
        file.write('no-resolv\nno-hosts\nlisten-address=127.0.0.1\nbind-interfaces\nno-daemon\n'
                   'mx-host=y.example,MX.Y.Example,10\nhost-record=mx.y.example,%s\n'
                   'mx-host=z.example,other.z.example,10\nhost-record=other.z.example,%s\n'
                   % (LOOP, LOOP))
    dns = subprocess.Popen(['dnsmasq', '-k', '-C', '/tmp/zone.conf'], stderr=subprocess.DEVNULL)
    wait_for_port(('127.0.0.1', 53))
    for files, host, certificate, wanted in (
            ({}, 'y.example', 'mx.y.example', 'r'),
            ({}, 'y.example', '*.y.example', 'r'),
            ({}, 'y.example', 'mx.example', 'Z'),
            ({}, 'y.example', 'nul', 'Z'),
            ({'smtproutes': ':mx.y.example'}, 'any.example', 'mx.y.example', 'r'),
            ({'smtproutes': ':mx.y.example'}, 'any.example', 'mx.example', 'Z'),
            ({}, 'z.example', 'mx.example', 'r')):
        server = Smtp(LOOP, [starttls(server_context(certificate)), OK])
        server.sni = None
        control(**files)
        policy('tlshosts', **{'mx.y.example.pem': pem('ca.pem')})
        report = remote(host)
        stop(server)
        tap.equal(report[0][0], wanted, '%s %r with the certificate of %s' % (host, files,
                                                                            certificate))
    context = server_context('mx.y.example')
    seen = []
    context.sni_callback = lambda sock, name, _: seen.append(name)
    server = Smtp(LOOP, starttls(context))
    control()
    tap.equal(remote('y.example'), SENT, 'a name in capitals')
    tap.equal([str(name).lower() for name in seen], ['mx.y.example'], 'SNI')
    stop(server)
    dns.terminate()
    dns.wait()


def wait_for_port(address):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as one:
            if one.connect_ex(address) == 0:
                return
        time.sleep(0.05)


def test_never():
    context = server_context()
    offers = [HELLO + DONE]
    for name, options in (('notlshosts', {'no_tls': [LOOP]}),
                          ('exhaustivelist', {'exhaustive': True})):
        report, server = with_policy(offers, **options)
        tap.equal((report, server.seen), (SENT, CLEAR_TALK), name + ': in clear')
    report, server = with_policy(starttls(context), no_tls=['127.0.0.3', 'x'])
    tap.equal((report, server.seen[1]), (SENT, 'STARTTLS'), 'notlshosts: others')
    report, server = with_policy(starttls(server_context('this')), ['ca.pem'], [LOOP], True)
    tap.equal((report, server.seen[1]), (SENT, 'STARTTLS'), 'a .pem counts more than both')


def test_note():
    """notlshosts_auto: remembered for a day, by a file of our own."""
    uid = pwd.getpwnam('qmailr').pw_uid
    note = HOME + '/control/notlshosts/' + LOOP
    def close(connection):
        connection.sendall(b'220 go\r\n')
    fails = [HELLO + [close], HELLO + DONE]
    with_policy(fails, owner=uid)
    tap.ok(not os.path.exists(note), 'nothing is noted without notlshosts_auto')
    report, server = with_policy(fails, owner=uid, notlshosts_auto='1')
    tap.ok(report == SENT and os.path.exists(note), 'noted', report)
    server = Smtp(LOOP, HELLO + DONE)
    tap.equal(remote('y.example'), SENT, 'in clear')
    stop(server)
    tap.equal((server.seen, server.sessions), (CLEAR_TALK, 1), 'at once')
    os.utime(note, (time.time() - 86401,) * 2)
    server = Smtp(LOOP, starttls(server_context()))
    tap.equal(remote('y.example'), SENT, 'a day later')
    stop(server)
    tap.equal(server.seen[1], 'STARTTLS', 'TLS is tried again')
    tap.ok(not os.path.exists(note), 'and the note is gone')
    with open(note, 'w'):
        pass
    os.utime(note, (0, 0))
    server = Smtp(LOOP, HELLO + DONE)
    report = remote('y.example')
    stop(server)
    tap.equal((report, server.seen), (SENT, CLEAR_TALK), 'a file of the operator lasts for ever')
    report, _ = with_policy(fails, notlshosts_auto='1')
    tap.equal(report, SENT, 'a directory that is not ours is left alone')
    program, mode = HOME + '/bin/qmail-tls', os.stat(HOME + '/bin/qmail-tls').st_mode & 0o7777
    for name, bits, bad in (('no client certificate in its file', mode, {'clientcert.pem': 'x'}),
                            ('no cipher in the list', mode, {'tlsclientciphers': 'NONSENSE'}),
                            ('no qmail-tls', 0, {}), ('it does nothing', None, {})):
        if bits is None:
            shutil.copy(program, program + '.old')
            with open(program, 'wb') as file:
                file.write(b'#!/bin/sh\n')
        os.chmod(program, 0o755 if bits is None else bits)
        report, server = with_policy(fails, owner=uid, notlshosts_auto='1', **bad)
        tap.equal((report, server.sessions, os.path.exists(note)), (SENT, 2, False),
                  'trouble of our own is not noted: ' + name)
    shutil.copy(program + '.old', program)
    os.chown(program, pwd.getpwnam('qmailt').pw_uid, -1)
    os.chmod(program, mode)


def test_port_465():
    context = server_context('this')
    inside = ['250-mx\n250 SIZE'] + DONE

    def greet(connection):
        connection = tls(context)(connection)
        if connection:
            connection.sendall(b'220 hi\r\n')
        return connection
    for route in (':465', ';465'):
        server = Smtp(LOOP, [greet] + inside, 465)
        control(smtproutes=':' + LOOP + route)
        tap.equal(remote('y.example'), SENT, 'TLS before the greeting: ' + route)
        stop(server)
        tap.equal(server.seen[:2], ['EHLO me.example', 'MAIL FROM:<s@x.example> SIZE=4'],
                  'no STARTTLS')
    report, _, server = send(['220 in clear'], port=465)
    tap.ok(len(report) == 1 and report[0].startswith('ZTLS connect failed: ') and
           server.sessions == 1, 'a server without TLS: no other try', report)
    server = Smtp(LOOP, [greet] + inside, 465)
    control(smtproutes=':%s:465' % LOOP)
    policy('tlshosts', **{LOOP + '.pem': pem('own.crt')})
    report = remote('y.example')
    tap.ok(report[0].startswith('ZTLS unable to verify server with control/tlshosts/'),
           'port 465 and a .pem', report)
    policy('tlshosts', **{LOOP + '.pem': pem('ca.pem')})
    tap.equal(remote('y.example'), SENT, 'the right .pem')
    stop(server)


def test_login(authority):
    """A login goes to a verified server only, by STARTTLS or port 465."""
    address = OUTSIDE[0]
    issue('relay', subject='/CN=x', names=['IP:' + address])
    login = ['250-mx\n250 AUTH PLAIN', '334 ', '235 in'] + DONE
    sent = ['r', ACCEPTED % address]
    tlsworld.write(authority, tlsworld.read('ca.pem'))
    for name, certificate, user, good in (('the right server', 'relay', 'joe', True),
                                          ('another name', 'mx.example', 'joe', False),
                                          ('self-signed', 'own', 'joe', False),
                                          ('`-`, self-signed', 'own', '-joe', True)):
        for port in (25, 465):
            context = server_context(certificate)
            if port == 465:
                def greet(connection, context=context):
                    connection = tls(context)(connection)
                    if connection:
                        connection.sendall(b'220 hi\r\n')
                    return connection
                server = Smtp(address, [greet] + login, 465)
            else:
                server = Smtp(address, [starttls(context, login), OK])
            control(smtproutes=':%s:%d|%s|secret' % (address, port, user))
            report = remote('y.example')
            stop(server)
            said = 'AUTH PLAIN' in server.seen
            tap.equal((report == sent, said, server.sessions), (good, good, 1),
                      'login, %s, port %d' % (name, port))
            if not good:
                tap.ok(report[0].startswith('ZTLS unable to verify server'), 'is said', report)
    server = Smtp(address, [starttls(server_context('relay'), login), OK])
    control(smtproutes=':%s|joe|secret' % address)
    policy('notlshosts', **{address: ''})
    policy('tlshosts', exhaustivelist='')
    tap.equal(remote('y.example'), sent, 'a login needs TLS whatever the lists say')
    stop(server)
    server = Smtp(address, [starttls(server_context('own'), login), OK])
    control(smtproutes=':%s|joe|secret' % address)
    policy('tlshosts', **{address + '.pem': pem('empty')})
    tap.ok(remote('y.example')[0].startswith('ZTLS unable to load control/tlshosts/'),
           'its own .pem counts')
    stop(server)
    os.unlink(authority)
    server = Smtp(address, [starttls(server_context('relay'), login), OK])
    control(smtproutes=':%s|joe|secret' % address)
    tap.equal(remote('y.example'), ['ZTLS unable to load %s: No such file or directory; connecting '
                                    'to %s.\n' % (authority, address)], 'no authorities here')
    stop(server)


def test_client_certificate():
    issue('client.example')
    context = server_context()
    refuse_client(context)
    subject = []

    def wrap(connection):
        connection = tls(context, b'220 go\r\n')(connection)
        if connection:
            subject.append(connection.getpeercert()['subject'])
        return connection
    server = Smtp(LOOP, [HELLO + [wrap, '250 mx'] + DONE, OK])
    control(smtproutes=':' + LOOP)
    tlsworld.write(HOME + '/control/clientcert.pem', tlsworld.read('client.example.pem'), 'qmailt',
                   0o600)
    tap.equal(remote('y.example'), SENT, 'a client certificate')
    stop(server)
    tap.equal((subject, server.sessions), ([((('commonName', 'client.example'),),)], 1),
              'the server has seen it')


def test_ciphers():
    context = server_context()
    used = []

    def wrap(connection):
        connection = tls(context, b'220 go\r\n')(connection)
        if connection:
            used.append(connection.cipher()[0])
        return connection
    for ciphers in ('TLS_CHACHA20_POLY1305_SHA256', 'NONE\nTLS_AES_128_GCM_SHA256'):
        server = Smtp(LOOP, [HELLO + [wrap, '250 mx'] + DONE, OK])
        control(smtproutes=':' + LOOP, tlsclientciphers=ciphers)
        tap.equal((remote('y.example'), used[-1:]), (SENT, [ciphers.split('\n')[-1]]),
                  'tlsclientciphers %r' % ciphers)
        stop(server)


def stall(version, flight, part):
    """A reply that is the beginning of a handshake, and silence."""
    def begin(connection):
        connection.sendall(b'220 go\r\n')
        if version:
            hang(connection, server_context(version=version), flight, part, True)
        while connection.recv(1000):
            pass
    return begin


def test_stall():
    """A server that says nothing more, in any state of the handshake, the first reply inside
    included: the message goes in clear.  After that it does not."""
    old, new = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    states = [('nothing', None, 0, 0), ('half a hello, 1.2', old, 0, 0.02), ('no certificate, 1.2',
                                                                             old, 0, 0.15),
              ('half of it, 1.2', old, 0, 0.5), ('no end, 1.2', old, 0, 1),
              ('half the end, 1.2', old, 1, 0.9),
              ('half a hello, 1.3', new, 0, 0.02), ('no certificate, 1.3', new, 0, 0.2),
              ('half the end, 1.3', new, 0, 0.98)]
    servers = [Smtp('127.0.1.%d' % (n + 1), [HELLO + [stall(*state[1:])], HELLO + DONE])
               for n, state in enumerate(states)]
    states.append(('no reply inside', None, 0, 0))
    servers.append(Smtp('127.0.1.%d' % len(states), [starttls(server_context(), [SILENCE, SILENCE]),
                                                     HELLO + DONE]))
    silent = Smtp('127.0.2.1', [starttls(server_context(), ['250 mx', SILENCE, SILENCE]),
                                HELLO + DONE])
    control(timeoutremote='1', smtproutes='silent.example:127.0.2.1\n' + '\n'.join(
        'd%d.example:127.0.1.%d' % (n + 1, n + 1) for n in range(len(states))))
    reports = {}
    hosts = ['silent.example'] + ['d%d.example' % (n + 1) for n in range(len(states))]
    threads = [threading.Thread(target=lambda host=host: reports.update({host: remote(host)}))
               for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, (state, server) in enumerate(zip(states, servers)):
        tap.equal((reports['d%d.example' % (n + 1)], server.sessions),
                  (['r', ACCEPTED % ('127.0.1.%d' % (n + 1))], 2), 'a stalled handshake: '
                  + state[0])
    tap.equal((reports['silent.example'], silent.sessions),
              (['ZConnected to 127.0.2.1 but connection died. (#4.4.2)\n'], 1), 'silence inside')
    stop(silent, *servers)
    end = time.monotonic() + 20
    while running('qmail-tls') and time.monotonic() < end:
        time.sleep(0.05)
    tap.ok(not running('qmail-tls'), 'nobody goes on waiting')


def running(name):
    return subprocess.run(['pgrep', '-x', name], stdout=subprocess.DEVNULL, check=False
                          ).returncode == 0


def test_liar():
    """A qmail-tls that does not keep its word: nothing is believed, nobody waits for ever."""
    path = HOME + '/bin/qmail-tls'
    os.rename(path, path + '.away')
    for name, script in (
            ('a flood', 'while :; do echo name=value; done >&3'),
            ('an endless line', 'while :; do printf xxxxxxxxxxxxxxxx; done >&3'),
            ('no verdict', 'exit 0'), ('garbage', 'echo what >&3; echo >&3'),
            ('killed', 'kill -9 $$'),
            ('unverified', r'printf "result=ok\nverified=no\n\n" >&3')):
        with open(path, 'w') as file:
            file.write('#!/bin/sh\n%s\n' % script)
        os.chmod(path, 0o755)
        # The sandbox has no shell; with a client certificate there is none.
        server = Smtp(LOOP, [HELLO + ['220 go'], OK])
        control(smtproutes=':' + LOOP, **{'clientcert.pem': 'x'})
        policy('tlshosts', **{LOOP + '.pem': 'x'})
        tap.equal(remote('y.example'), ['ZTLS connect failed: qmail-tls gave no answer; connected '
                                        'to %s.\n' % LOOP], 'verdict: ' + name)
        stop(server)
    os.unlink(path)
    os.rename(path + '.away', path)


def calls(**files):
    """How many system calls one delivery to a plain server makes; the trace."""
    server = Smtp(LOOP, OK)
    control(smtproutes=':' + LOOP, **files)
    with open('/tmp/message', 'w') as file:
        file.write('Subject: x\n\nhi\n')
    with open('/tmp/message') as file:
        subprocess.run(['strace', '-f', '-u', 'qmailr', '-o', '/tmp/trace', REMOTE, 'y.example',
                        's@x', 'r@y'], stdin=file, stdout=subprocess.DEVNULL, check=True)
    stop(server)
    with open('/tmp/trace') as file:
        return [line for line in file if line.split(None, 1)[1].startswith(tuple('abcdefghijklmn'
                                                                                  'opqrstuvwxyz'))]


def mapped_openssl(replies, last):
    """What of OpenSSL is in its memory once it has said that line."""
    server = Smtp(LOOP, replies)
    control(smtproutes=':' + LOOP)
    process = subprocess.Popen([REMOTE, 'y.example', 's@x.example', 'r@y.example'],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, user='qmailr', group='qmail')
    server.wait_for(last)
    with open('/proc/%d/maps' % process.pid, encoding='latin-1') as file:
        maps = file.read()
    process.kill()
    process.wait()
    stop(server)
    return [line for line in maps.splitlines() if 'ssl' in line or 'libcrypto' in line or
            'qmail-tls' in line
            ] if 'qmail-remote' in maps else ['nothing']


def test_cost():
    """Without STARTTLS nothing is started, mapped or looked for."""
    trace = calls()
    text = ''.join(trace)
    tap.ok(text.count('execve(') == 1 and 'fork' not in text and 'clone' not in text,
           'one process', text)
    tap.ok('ssl' not in text.lower().replace('/etc/ssl', '') and 'tlshosts' not in text and
           'authsenders' not in text and 'outgoingip' not in text,
           'no file of TLS, login or source is looked for', text)
    for last, replies in (('EHLO me.example', ['220 hi', SILENCE]),
                          ('MAIL FROM:<s@x.example>', starttls(server_context(),
                                                               ['250 mx', SILENCE]))):
        tap.equal(mapped_openssl(replies, last), [], 'no OpenSSL is mapped at ' + last)
    for files, most in MOST_CALLS:
        text = ''.join(calls(**files))
        inside = text[text.index('chdir('):]
        # A sanitizer makes calls of its own.
        tap.ok(os.environ.get('SAN') or inside.count('\n') <= most,
               'no more system calls than before there was TLS: %r' % files,
               '%d\n%s' % (inside.count('\n'), inside))


# From chdir(2) to the end, for a plain server, before there was TLS: with me, smtproutes and both
# timeouts, and these files.
MOST_CALLS = (({}, 106), ({'helohost': 'x'}, 105))


def main():
    tlsworld.set_up()
    try:
        outside_addresses()
        context = server_context()
        test_opportunistic(context)
        test_retry()
        test_after_the_dot(context)
        test_injection(context)
        test_verified()
        test_names()
        test_never()
        test_note()
        test_port_465()
        test_login('/etc/ssl/certs/ca-certificates.crt')
        test_client_certificate()
        test_ciphers()
        test_liar()
        test_stall()
        test_cost()
    finally:
        tlsworld.tear_down()
    return tap.done()


sys.exit(main())
