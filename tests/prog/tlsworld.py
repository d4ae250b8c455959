"""tlsworld - for tests of TLS: certificates made by openssl, contexts, the client relay.

    set_up()                        a directory DIR with an authority `ca.pem` and certificates
    issue('name', 'ec', ...)        one more: DIR/name.pem has key, certificate and authority
    Relay(['-h', 'mx.example'], peer)    qmail-tls -c on a socket; .verdict, .say(), .hear()
    relays()                        processes that are qmail-tls
    wait_until(condition, 'name')   polls for what comes by itself; its value
    tear_down()

Runs as root in a world.
"""
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

PROGRAM = '/var/qmail/bin/qmail-tls'
PATIENCE = 60
DIR = tempfile.mkdtemp(prefix='tls.')
KEYS = {'rsa': ['-newkey', 'rsa:2048'], 'ed25519': ['-newkey', 'ed25519'],
        'ec': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']}


def openssl(*args, data=None):
    done = subprocess.run(['openssl', *args], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=PATIENCE)
    if done.returncode:
        raise RuntimeError('openssl %s: %s' % (' '.join(args), done.stderr.decode()))
    return done.stdout


def read(name):
    with open(os.path.join(DIR, name), 'rb') as file:
        return file.read()


def write(path, data, owner=None, mode=0o644):
    with open(os.path.join(DIR, path), 'wb') as file:
        file.write(data)
    if owner:
        shutil.chown(os.path.join(DIR, path), owner)
    os.chmod(os.path.join(DIR, path), mode)


def issue(name, kind='ec', subject=None, names=None, days='30', signer='ca', extra=()):
    """DIR/name.pem: key, certificate, certificate of the authority; .key and .crt apart."""
    at = os.path.join(DIR, name)
    openssl('req', '-new', '-nodes', *KEYS[kind], '-keyout', at + '.key', '-out', at + '.csr',
            '-subj', subject if subject is not None else '/CN=' + name)
    names = ['DNS:' + name] if names is None else names
    lines = (['subjectAltName=' + ','.join(names)] if names else []) + list(extra)
    write(name + '.ext', '\n'.join(lines).encode() + b'\n')
    openssl('x509', '-req', '-in', at + '.csr', '-CA', DIR + '/%s.pem' % signer, '-CAkey',
            DIR + '/%s.key' % signer, '-days', days, '-extfile', at + '.ext', '-out', at + '.crt',
            '-set_serial', str(int.from_bytes(os.urandom(8), 'big')))
    write(name + '.pem', read(name + '.key') + read(name + '.crt') + read(signer + '.pem'),
          mode=0o600)
    return at + '.pem'


def der_part(der, at):
    """Where the contents of the element there begin and end."""
    size, at = der[at + 1], at + 2
    if size > 127:
        at, size = at + size - 128, int.from_bytes(der[at:at + size - 128], 'big')
    return at, at + size


def der_element(tag, contents):
    size = len(contents)
    length = [0x83, size >> 16, size >> 8 & 255, size & 255] if size > 127 else [size]
    return bytes([tag] + length) + contents


def resign(name, old, new):
    """Puts these bytes, as many, in the place of others in a certificate; the authority signs
    it."""
    der = openssl('x509', '-in', DIR + '/%s.crt' % name, '-outform', 'DER')
    begin = der_part(der, 0)[0]
    end = der_part(der, begin)[1]
    algorithm = der[end:der_part(der, end)[1]]
    if der[begin:end].count(old) != 1:
        raise ValueError('%s: not once in it: %r' % (name, old))
    signed = der[begin:end].replace(old, new)
    signature = openssl('dgst', '-sha256', '-sign', DIR + '/ca.key', data=signed)
    der = der_element(0x30, signed + algorithm + der_element(3, b'\0' + signature))
    write(name + '.crt', openssl('x509', '-inform', 'DER', data=der))
    write(name + '.pem', read(name + '.key') + read(name + '.crt') + read('ca.pem'), mode=0o600)


def revoke(name):
    """DIR/crl.pem: the authority's list, with this certificate."""
    write('index', b'')
    write('ca.cnf', b'[ca]\ndefault_ca = own\n[own]\ndatabase = %s/index\ndefault_md = sha256\n'
          b'default_crl_days = 9\n' % DIR.encode())
    by = ['ca', '-config', DIR + '/ca.cnf', '-cert', DIR + '/ca.pem', '-keyfile', DIR + '/ca.key']
    openssl(*by, '-revoke', DIR + '/%s.crt' % name)
    openssl(*by, '-gencrl', '-out', DIR + '/crl.pem')


def set_up():
    os.chmod(DIR, 0o755)
    openssl('req', '-x509', '-nodes', *KEYS['ec'], '-keyout', DIR + '/ca.key', '-out',
            DIR + '/ca.pem', '-days', '30', '-subj', '/CN=test authority')
    issue('mx.example')


def tear_down():
    shutil.rmtree(DIR)


def server_context(name='mx.example', version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain('%s/%s.pem' % (DIR, name))
    if version:
        context.maximum_version = version
    return context


def starttls():
    """What a server of remoteserver does at STARTTLS."""
    context = server_context()

    def handshake(connection):
        connection.sendall(b'220 go on\r\n')
        return context.wrap_socket(connection, server_side=True)
    return handshake


def client_context(verify=True, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(DIR + '/ca.pem')
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def wait_until(what, name):
    """Polls for a condition that comes by itself."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(name)


def relays():
    """Processes that are qmail-tls."""
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                exe = os.readlink('/proc/%s/exe' % name)
            except OSError:
                continue
            if exe == PROGRAM:
                found.append(int(name))
    return found


class Relay:
    """qmail-tls -c; `theirs` is our end of its network."""

    def __init__(self, args, user='qmailr', group='qmail', cwd='/var/qmail', theirs=None,
                 before=()):
        if theirs is None:
            self.net, theirs = socket.socketpair()
            self.net.settimeout(PATIENCE)
        there, self.to = os.pipe()
        self.back, here = os.pipe()
        self.verdict_fd, verdict = os.pipe()
        numbers = {0: there, 1: here, 3: verdict, 6: theirs.fileno()}

        def arrange():
            held = {n: os.dup2(fd, 100 + n, inheritable=False) for n, fd in numbers.items()}
            for number, fd in held.items():
                os.dup2(fd, number)
        self.process = subprocess.Popen([*before, PROGRAM, '-c', *args], preexec_fn=arrange,
                                        close_fds=False, user=user, group=group, extra_groups=[],
                                        cwd=cwd, stderr=subprocess.DEVNULL)
        for fd in (there, here, verdict):
            os.close(fd)
        theirs.close()

    @property
    def verdict(self):
        """{name: value} of the lines; read once."""
        with os.fdopen(self.verdict_fd) as file:
            text = file.read()
        if not text.endswith('\n\n'):
            return {}
        return dict(line.split('=', 1) for line in text.splitlines() if line)

    def say(self, data, last=False):
        while data:
            data = data[os.write(self.to, data):]
        if last:
            os.close(self.to)
            self.to = -1

    def hear(self, n=None):
        """n bytes, or all until the end."""
        got = b''
        while n is None or len(got) < n:
            piece = os.read(self.back, 65536 if n is None else n - len(got))
            if not piece:
                break
            got += piece
        return got

    def end(self):
        """Closes what is ours; the exit code."""
        for fd in (self.to, self.back):
            if fd != -1:
                os.close(fd)
        return self.process.wait(PATIENCE)
