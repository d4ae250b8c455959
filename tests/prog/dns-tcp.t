#!/usr/bin/python3
"""Questions by TCP (net/dnstcp.h): when they are asked, which name server answers them, for how
long it may keep silent.  dnsip asks for A and AAAA; each needs an answer."""
import os
import socket
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), part)
                for part in ('..', '../world')]
from dnsserver import Dns
import tap
from tree import BUILD

ZONE = {'a.example A': ['192.0.2.1'], 'many.example A': ['192.0.2.7'] * 200}
CUT_OFF, NO_SUCH_NAME = 0x02, 0x03      # in the third and fourth byte
FIRST, GOOD = '127.0.0.2', '127.0.0.1'


def dnsip(name='a.example', options='', servers=(GOOD,)):
    """What it says, each line once."""
    with open('/etc/resolv.conf', 'w') as file:
        file.write(''.join('nameserver %s\n' % server for server in servers))
    done = subprocess.run([BUILD + '/bin/dnsip', name], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60,
                          env={'RES_OPTIONS': 'timeout:2 attempts:1 ' + options})
    return sorted(set(done.stdout.decode().splitlines()))


def altered(answer, cut_off=False, code=0, number=0):
    return bytes([answer[0], answer[1] ^ number, answer[2] | (CUT_OFF if cut_off else 0),
                  answer[3] | code]) + answer[4:]


def test_when():
    dns = Dns(ZONE)
    tap.equal((dnsip(), dns.tcp_asked), (['192.0.2.1'], 0), 'not for an answer that fits')
    tap.equal((dnsip('many.example'), dns.tcp_asked), (['192.0.2.7'], 1),
              'for one that is cut off')
    dns.lie = lambda _, answer, tcp: answer if tcp else altered(answer, True, NO_SUCH_NAME)
    tap.equal((dnsip(), dns.tcp_asked), (['192.0.2.1'], 3),
              'for one that is cut off and denies the name')
    dns.lie = lambda _, answer, tcp: answer if tcp else None
    for options in ('use-vc', 'use-vc timeout:0', 'use-vc timeout:-1', 'use-vc attempts:0'):
        tap.equal(dnsip(options=options), ['192.0.2.1'], 'at once: ' + options)
    dns.lie = lambda _, answer, tcp: altered(answer, True)
    tap.equal(dnsip(), ['soft error'], 'one that is cut off by TCP, too, is none')
    dns.lie = lambda _, answer, tcp: None if tcp else altered(answer, True)
    tap.equal(dnsip(), ['soft error'], 'nor is silence, which is not waited for without end')
    dns.stop()


def test_next_server():
    """Where the first one has no answer, the second one is asked."""
    good, first = Dns(ZONE), Dns(ZONE, address=(FIRST, 53))
    for what, lie in {
            'keeps silent': lambda *_: None,
            'ends the connection': lambda *_: b'',
            'refuses': lambda query, answer, tcp: altered(answer, code=5),
            'fails': lambda query, answer, tcp: altered(answer, code=2),
            'answers another question': lambda query, answer, tcp: altered(answer, number=1),
            'cuts off': lambda query, answer, tcp: altered(answer, True),
            'says half of it': lambda query, answer, tcp: answer[:11]}.items():
        first.lie = lie
        before = first.tcp_asked, good.tcp_asked
        tap.equal((dnsip(options='use-vc', servers=(FIRST, GOOD)), first.tcp_asked - before[0],
                   good.tcp_asked - before[1]), (['192.0.2.1'], 2, 2), 'the first one ' + what)
    before = good.tcp_asked
    tap.equal((dnsip(options='use-vc', servers=('127.0.0.9', GOOD)), good.tcp_asked - before),
              (['192.0.2.1'], 2), 'the first one is not there')
    first.lie = lambda query, answer, tcp: altered(answer, code=NO_SUCH_NAME)
    before = good.tcp_asked
    tap.equal((dnsip(options='use-vc', servers=(FIRST, GOOD)), good.tcp_asked - before),
              (['hard error'], 0), 'the first one knows that there is no such name')
    good.stop()
    first.stop()


def test_ipv6():
    subprocess.run('ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up; '
                   'ip addr add fe80::53/64 dev d0 nodad', shell=True, check=True)
    for address, server in ((('::1', 53), '::1'),
                            (('fe80::53', 53, 0, socket.if_nametoindex('d0')), 'fe80::53%d0')):
        dns = Dns(ZONE, address=address)
        tap.equal((dnsip(options='use-vc', servers=(server,)), dns.tcp_asked),
                  (['192.0.2.1'], 2), 'a name server with the address ' + server)
        dns.stop()


tap.run((test_when, test_next_server, test_ipv6), OSError)
