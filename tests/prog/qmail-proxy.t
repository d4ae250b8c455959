#!/usr/bin/python3
"""qmail-proxy: headers of both versions, whole, in pieces, malformed and late; the rules of the
real client count and nothing of the balancer's is left; not a byte of the client's is lost."""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part)
                for part in ('..', '../world')]
from dialogue import rest               # noqa: E402
import tap                              # noqa: E402

PROGRAM = '/var/qmail/bin/qmail-proxy'
BALANCER = {'PROTO': 'TCP', 'TCPREMOTEIP': '10.0.0.5', 'TCPREMOTEPORT': '1111',
            'TCPLOCALIP': '10.0.0.1',
            'TCPLOCALPORT': '2525', 'TCPLOCALHOST': 'mx.test', 'TCPREMOTEHOST': 'lb.test',
            'TCPREMOTEINFO': 'lb', 'TCP6REMOTEIP': 'fe80::5', 'RELAYCLIENT': '',
            'PROXYPROTOCOL': '',
            'LBONLY': '1'}
RULES = '''10.0.0.5:allow,PROXYPROTOCOL="",RELAYCLIENT="",LBONLY="1",DATABYTES="5"
192.0.2.7:allow,RELAYCLIENT="@x",DATABYTES="7"
192.0.2.8:deny
192.0.2.:allow,PROXYPROTOCOL="",NET="1",EMPTY=""
lb@192.0.2.7:allow,LBONLY="wrong"
:allow,ANY="1"
'''
SIGNATURE = b'\r\n\r\n\0\r\nQUIT\n'
TEXT = b'EHLO client\r\n'
PATIENCE = 30
WORK = tempfile.mkdtemp()
SHOW = ('sh', '-c', 'env -0 | tr "\\n\\0" "?\\n"; echo --; cat')


def version2(command=0x21, family=0x11, data=None, length=None):
    if data is None:
        data = socket.inet_aton('192.0.2.7') + socket.inet_aton('192.0.2.1') + struct.pack('>HH',
                                                                                           5555, 25)
    return SIGNATURE + bytes([command, family]) + \
        struct.pack('>H', len(data) if length is None else length) + data


def run(pieces, env=None, arguments=('-x', WORK + '/cdb'), program=SHOW, shut=True, unix=False):
    """Sends the pieces one after the other, each once the one before was read.  Environment and
    input of the program, or None; complaints; exit code."""
    ours, theirs = socket.socketpair() if unix else pair()
    ours.settimeout(PATIENCE)
    process = subprocess.Popen([PROGRAM, *arguments, *program], stdin=theirs,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               env={'PATH': '/usr/bin:/bin', **(env or BALANCER)})
    theirs.close()
    try:
        for piece in pieces:
            ours.sendall(piece)
            if len(pieces) > 1:
                time.sleep(0.002)       # so that most of them come alone; all else is as good
        if shut:
            ours.shutdown(socket.SHUT_WR)
    except OSError:
        pass                            # it has gone already
    out, err = process.communicate(timeout=PATIENCE)
    ours.close()
    if b'--\n' not in out:
        return None, err, process.returncode
    variables, _, rest = out.partition(b'--\n')
    found = dict(line.split('=', 1) for line in variables.decode().splitlines())
    return ({k: v for k, v in found.items() if k not in ('PATH', 'PWD', 'SHLVL', '_', 'OLDPWD')},
            rest), \
        err, process.returncode


def pair():
    server = socket.create_server(('127.0.0.1', 0))
    ours = socket.create_connection(server.getsockname())
    theirs, _ = server.accept()
    server.close()
    return ours, theirs


def client(**more):
    base = {'PROTO': 'TCP', 'TCPREMOTEIP': '192.0.2.7', 'TCPREMOTEPORT': '5555',
            'TCPLOCALIP': '192.0.2.1',
            'TCPLOCALPORT': '25', 'TCPLOCALHOST': 'mx.test', 'RELAYCLIENT': '@x', 'DATABYTES': '7'}
    base.update(more)
    return {k: v for k, v in base.items() if v is not None}


LINE = b'PROXY TCP4 192.0.2.7 192.0.2.1 5555 25\r\n'
NO_RULE = {'RELAYCLIENT': None, 'DATABYTES': None}
UNKNOWN = {**NO_RULE, 'TCPREMOTEIP': '10.0.0.5', 'TCPREMOTEPORT': '1111', 'TCPLOCALIP': '10.0.0.1',
           'TCPLOCALPORT': '2525'}
SIX = socket.inet_pton(socket.AF_INET6, '2001:db9::2') + socket.inet_pton(socket.AF_INET6,
                                                                          '2001:db9::1')
GOOD = [  # name, header, environment
    ('version 1', LINE, client()),
    ('version 2', version2(), client()),
    ('version 2 with more',
     version2(data=socket.inet_aton('192.0.2.7') + socket.inet_aton('192.0.2.1') +
                                     struct.pack('>HH', 5555, 25) + b'x' * 4068), client()),
    ('another rule', LINE.replace(b'.7', b'.9'),
     client(TCPREMOTEIP='192.0.2.9', NET='1', EMPTY='', **NO_RULE)),
    ('the rule for all', LINE.replace(b'192.0.2.7', b'198.51.100.1'),
     client(TCPREMOTEIP='198.51.100.1', ANY='1', **NO_RULE)),
    ('the balancer through itself', LINE.replace(b'192.0.2.7', b'10.0.0.5'),
     client(TCPREMOTEIP='10.0.0.5', RELAYCLIENT='', LBONLY='1', DATABYTES='5')),
    ('IPv6, version 1', b'PROXY TCP6 2001:db8::1 2001:db8::2 5555 25\r\n',
     client(TCPREMOTEIP='2001:db8::1', TCPLOCALIP='2001:db8::2', SIX='1', **NO_RULE)),
    ('IPv6, version 2', version2(family=0x21, data=SIX + struct.pack('>HH', 65535, 0)),
     client(TCPREMOTEIP='2001:db9::2', TCPLOCALIP='2001:db9::1', TCPREMOTEPORT='65535',
            TCPLOCALPORT='0',
            SIX='net', **NO_RULE)),
    ('UNKNOWN', b'PROXY UNKNOWN\r\n', client(**UNKNOWN)),
    ('UNKNOWN with more', b'PROXY UNKNOWN ' + b'f' * 91 + b'\r\n', client(**UNKNOWN)),
    ('LOCAL', version2(command=0x20, family=0, data=b''), client(**UNKNOWN)),
    ('LOCAL with addresses', version2(command=0x20), client(**UNKNOWN)),
    ('UDP', version2(family=0x12), client(**UNKNOWN)),
    ('Unix socket', version2(family=0x31, data=b'x' * 216), client(**UNKNOWN)),
]
BAD = [
    ('no header', TEXT + TEXT), ('lower case', b'proxy TCP4 192.0.2.7 192.0.2.1 5555 25\r\n'),
    ('no CR', LINE.replace(b'\r', b'')), ('IPv6 as TCP4', LINE.replace(b'TCP4', b'TCP6')),
    ('TCP5', LINE.replace(b'TCP4', b'TCP5')), ('two spaces', LINE.replace(b' 5555', b'  5555')),
    ('port too large', LINE.replace(b'5555', b'65536')),
    ('negative port', LINE.replace(b'5555', b'-1')),
    ('no ports', b'PROXY TCP4 192.0.2.7 192.0.2.1\r\n'),
    ('one word too many', LINE.replace(b'\r', b' 1\r')),
    ('no address', b'PROXY TCP4 192.0.2 192.0.2.1 5555 25\r\n'),
    ('NUL', LINE.replace(b' 25', b' 25\0')),
    ('too long a line', b'PROXY UNKNOWN ' + b'f' * 92 + b'\r\n'),
    ('endless', b'PROXY ' + b'x' * 100000),
    ('short line', b'PROXY\r\n' + TEXT), ('version 3', version2(command=0x31)),
    ('unknown command', version2(command=0x22)), ('too short for IPv4', version2(data=b'x' * 11)),
    ('too short for IPv6', version2(family=0x21, data=b'x' * 35)),
    ('too much', version2(data=b'x' * 4081)), ('far too much', version2(length=65535, data=b'')),
    ('ends in the line', LINE[:20]), ('ends in the signature', SIGNATURE[:5]),
    ('ends in the addresses', version2()[:20]), ('nothing', b''),
]


def test_headers():
    for name, header, env in GOOD:
        found, err, code = run([header + TEXT])
        tap.equal((found, err, code), ((env, TEXT), b'', 0), name)
    for header in (LINE, version2()):
        found, _, _ = run([bytes([b]) for b in header + TEXT])
        tap.equal(found, (client(), TEXT), 'byte by byte')
    found, _, _ = run([LINE], unix=True)
    tap.equal(found, (client(), b''), 'no byte from the client')
    for name, header in BAD:
        found, err, code = run([header])
        tap.equal((found, code), (None, 100), name)
        tap.ok(err.startswith(b'qmail-proxy: fatal: 10.0.0.5 pid ') and err.endswith(b'\n') and
               err.count(b'\n') == 1, '  one line in the log', err)
    start = time.monotonic()
    found, err, code = run([LINE[:20]], shut=False)
    tap.equal((found, code), (None, 100), 'half a header and then nothing')
    tap.ok(4.5 < time.monotonic() - start < PATIENCE and b'within 5 seconds' in err,
           '  for 5 seconds', err)


def test_rules():
    found, err, code = run([LINE.replace(b'.7', b'.8') + TEXT])
    tap.equal((found, code), (None, 100), 'a client that the rules deny')
    tap.ok(b'192.0.2.8 pid' in err and b'denied' in err, '  log line', err)
    env = {k: v for k, v in BALANCER.items() if k != 'PROXYPROTOCOL'}
    found, err, code = run([LINE + TEXT], env=env)
    tap.equal((found, err, code), ((env, LINE + TEXT), b'', 0),
              'who is no balancer cannot say who it is')
    for text in (None, b'', b'x' * 3000):
        path = WORK + '/bad'
        if text is not None:
            with open(path, 'wb') as file:
                file.write(text)
        found, err, code = run([LINE + TEXT], arguments=('-x', path))
        tap.equal((found, code), (None, 111), 'rules %r: nobody is served' % (text and text[:3]))


def test_usage():
    usage = b'usage: qmail-proxy -x rules.cdb program [arg...]\n'
    for arguments, program in (((), SHOW), (('-x', 'a'), ()), (('-x',), ()), (('-y',), SHOW)):
        tap.equal(run([], arguments=arguments, program=program), (None, usage, 100),
                  'wrong: %r' % (arguments,))
    found, err, code = run([LINE], program=('/nonesuch',))
    tap.ok((found, code) == (None, 111)
           and err.startswith(b'qmail-proxy: fatal: unable to run /nonesuch: '),
           'a program that is not there', err)


def test_smtp():
    """The open relay that must not be: the balancer may relay, its clients may not."""
    os.chmod(WORK, 0o755)
    with open('/var/qmail/control/me', 'w', encoding='ascii') as file:
        file.write('mx.test\n')
    with open('/var/qmail/control/rcpthosts', 'w', encoding='ascii') as file:
        file.write('ok.test\n')
    script = b'HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@far.test>\r\nQUIT\r\n'
    for ip, code in ((b'192.0.2.7', b'250 '), (b'192.0.2.9', b'553 ')):
        ours, theirs = pair()
        process = subprocess.Popen([PROGRAM, '-x', WORK + '/cdb', '/var/qmail/bin/qmail-smtpd'],
                                   stdin=theirs,
                                   stdout=theirs, stderr=subprocess.DEVNULL,
                                   env={'PATH': '/usr/bin:/bin', **BALANCER})
        theirs.close()
        ours.sendall(LINE.replace(b'192.0.2.7', ip) + script)
        reply = rest(ours)
        process.wait(PATIENCE)
        tap.equal(reply.split(b'\r\n')[3][:4], code, '%s through the balancer' % ip.decode())


def main():
    subprocess.run(['tcprules', WORK + '/cdb', WORK + '/tmp'], input=RULES.encode(), check=True)
    # Debian's tcprules knows no IPv6; others do.
    rows = subprocess.run(['cdb', '-d', WORK + '/cdb'], stdout=subprocess.PIPE,
                          check=True).stdout[:-1]
    rows += b'+11,7:2001:db8::1->+SIX=1\0\n+9,9:2001:db9:->+SIX=net\0\n\n'
    subprocess.run(['cdb', '-c', WORK + '/cdb'], input=rows, check=True)
    os.chmod(WORK + '/cdb', 0o644)
    for test in (test_headers, test_rules, test_usage, test_smtp):
        test()
    shutil.rmtree(WORK)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
