#!/usr/bin/python3
"""qmail-dnsask: what it says to each kind of answer of a name server, and to nonsense."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from dnsserver import Dns               # noqa: E402
import tap                              # noqa: E402

PROGRAM = '/var/qmail/bin/qmail-dnsask'
ZONE = {
    'host.test A': ['192.0.2.1', '192.0.2.2'], 'six.test AAAA': ['2001:db8::1'],
    'mail.test MX': ['10 a.test'], 'null.test MX': ['0 .'], 'null.test A': ['192.0.2.1'],
    'both.test MX': ['0 .', '5 a.test'], 'text.test TXT': [['two ', 'strings'], 'another'],
    'bad.test TXT': [b'a\r\nb\0c\xff\x7f'], 'long.test TXT': [['x' * 250] * 3],
    'empty.test TXT': [''],
    'many.test A': ['192.0.2.%d' % n for n in range(40)],
    '9.2.0.192.in-addr.arpa PTR': ['Name.Test'], '7.2.0.192.in-addr.arpa': 'SERVFAIL',
    'xn--bcher-kva.test MX': ['10 a.test'], 'xn--bcher-kva.test A': ['192.0.2.3'],
    'broken.test': 'SERVFAIL', 'refused.test': 'REFUSED',
}
QUESTIONS = [
    ('A host.test', 'Y192.0.2.1 192.0.2.2'), ('A HOST.test', 'Y192.0.2.1 192.0.2.2'),
    ('A six.test', 'N'), ('A none.test', 'N'), ('A broken.test', 'T'), ('A refused.test', 'T'),
    ('A many.test', 'Y' + ' '.join('192.0.2.%d' % n for n in range(32))),
    ('A ', 'N'), ('A .', 'N'), ('A a..b', 'N'), ('A ' + 'x' * 64 + '.test', 'N'),
    ('A ' + 'x' * 2000, 'N'), ('T text.test', 'Ytwo strings'), ('T bad.test', 'Ya??b?c??'),
    ('T long.test', 'Y' + 'x' * 500), ('T empty.test', 'Y'), ('T host.test', 'N'),
    ('T none.test', 'N'),
    ('T broken.test', 'T'), ('M mail.test', 'Y'), ('M host.test', 'Y'), ('M six.test', 'Y'),
    ('M null.test', 'N'), ('M both.test', 'Y'), ('M none.test', 'N'), ('M broken.test', 'T'),
    ('M text.test', 'N'), ('P 192.0.2.9', 'Yname.test'), ('P 192.0.2.8', 'N'), ('P x', 'N'),
    ('M b\xc3\xbccher.test', 'Y'), ('A B\xc3\xbcCHER.test', 'Y192.0.2.3'),
    ('A B\xc3\x9cCHER.test', 'N'), ('A \xef\xbd\x88ost.test', 'N'), ('A host\xe3\x80\x82test', 'N'),
    ('A b\xfccher.test', 'N'),
    ('M \xc3\xbc.test', 'N'), ('P 2001:db8::1', 'N'), ('P 192.0.2.7', 'T'),
]


def ask(text, **options):
    done = subprocess.run([PROGRAM], input=text.encode('latin-1'), stdout=subprocess.PIPE,
                          user='qmaild',
                          group='nofiles', extra_groups=[], timeout=60, check=False, **options)
    return done.stdout.decode('latin-1'), done.returncode


def main():
    names = Dns(ZONE)
    for question, answer in QUESTIONS:
        tap.equal(ask(question + '\0'), (answer + '\0', 0), question[:40])
    got, code = ask(''.join(question + '\0' for question, _ in QUESTIONS))
    tap.equal((got.split('\0')[:-1], code), ([answer for _, answer in QUESTIONS], 0),
              'all in a row')
    for name, text in (('unknown kind', 'X host.test\0'), ('no space', 'Ahost.test\0'),
                       ('empty', '\0'),
                       ('one letter', 'A\0'), ('no end', 'A host.test'),
                       ('endless', 'A ' + 'x' * 3000000 + '\0')):
        tap.equal(ask(text), ('', 100), name + ': no question')
    tap.equal(ask(''), ('', 0), 'no question at all')
    process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b'A host.test\0')
    process.stdin.flush()
    process.stdout.read(1)
    with open('/proc/%d/status' % process.pid, encoding='ascii') as file:
        tap.ok('NoNewPrivs:\t1' in file.read(), 'it is in its sandbox')
    process.communicate()
    names.stop()
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
