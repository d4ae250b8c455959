"""liar - a name server for a host of hosts.py, which may say whatever a stranger's would.

    with liar.asked_by(host, answer):
        ...                     the host asks nobody else

answer(query, tcp) gives what is sent back, a list of packets, by TCP with their lengths; none, and
there is no answer.  HOLD at the end of it: the connection stays open, and nothing more is said.
"""
import contextlib
import socket
import struct
import threading

import peer
from host import read

ADDRESS = ('127.0.0.2', 53)
RESOLVER = '/etc/resolv.conf'
A, CNAME, PTR, MX, TXT = 1, 5, 12, 15, 16
TRUNCATED = 0x200
ASKED = b'\xc0\x0c'                     # as an owner: the name in the question
UDP_MAX = 512
HOLD = None


# ---- what is said ------------------------------------------------------------------------------

def name(text):
    return b''.join(bytes([len(part)]) + part.encode() for part in text.split('.')) + b'\0'


def record(owner, kind, data):
    return owner + struct.pack('!HHIH', kind, 1, 1, len(data)) + data


def text(data):
    """The data of a TXT record."""
    strings = [data[at:at + 255] for at in range(0, len(data), 255)]
    return b''.join(bytes([len(one)]) + one for one in strings)


def question(query):
    """The labels of the queried name, its type, the whole question as it stands in the query."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode('latin-1').lower())
        at += 1 + query[at]
    return labels, struct.unpack('!H', query[at + 1:at + 3])[0], query[12:at + 5]


def message(query, records, count=None, flags=0, number=None):
    """An answer with these records, or `count` of them; number: another one than the query has."""
    head = number or query[:2]
    return head + struct.pack('!HHHHH', 0x8580 | flags, 1, len(records) if count is None else count,
                              0, 0) + question(query)[2] + b''.join(records)


def framed(packet):
    return struct.pack('!H', len(packet)) + packet


def packets(query, records, tcp):
    """An honest answer, which may have to be asked for again by TCP."""
    whole = message(query, records)
    if tcp:
        return [framed(whole)]
    return [whole if len(whole) <= UDP_MAX else message(query, [], flags=TRUNCATED)]


# ---- who says it -------------------------------------------------------------------------------

@contextlib.contextmanager
def asked_by(host, answer, patience=1):
    """In this block the host asks that server, each question once, for so many seconds."""
    with host.network():
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(ADDRESS)
    troubles = []

    def serve():
        query, client = udp.recvfrom(65536)
        while query:                    # the empty one is ours
            try:
                for packet in answer(query, False):
                    udp.sendto(packet, client)
            except Exception as trouble:
                troubles.append(trouble)
            query, client = udp.recvfrom(65536)

    def talk(connection):
        stream = connection.makefile('rb')
        size = stream.read(2)
        for packet in answer(stream.read(struct.unpack('!H', size)[0]), True) if size else ():
            if packet is HOLD:
                stream.read()
            else:
                connection.sendall(packet)
    thread = threading.Thread(target=serve)
    thread.start()
    old = read(host.path(RESOLVER))
    host.write(RESOLVER, 'nameserver %s\noptions timeout:%d attempts:1\n'
               % (ADDRESS[0], patience))
    try:
        with peer.serving(host, ADDRESS, talk):
            yield
    finally:
        host.write(RESOLVER, old)
        udp.sendto(b'', ADDRESS)
        thread.join()
        udp.close()
    for trouble in troubles:            # or it would look like silence
        raise trouble
