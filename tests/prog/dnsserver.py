"""dnsserver - a name server for tests, which can also misbehave.

    dns = Dns({'a.example A': ['192.0.2.1'], 'a.example MX': ['10 a.example'],
               'a.example TXT': [['two ', 'strings'], 'one'], 'b.example': 'SERVFAIL'})
    dns.asked               questions so far, in lower case: ['a.example MX', ...]
    dns.tcp_asked           how many of them came by TCP
    dns.lie                 function of (question, answer, tcp): what is sent, or None
    dns.stop()

A name with records of another type gives no data, any other NXDOMAIN or what `other` says.
"""
import contextlib
import socket
import struct
import threading

TYPES = {1: 'A', 5: 'CNAME', 12: 'PTR', 15: 'MX', 16: 'TXT', 28: 'AAAA'}
CODES = {'NXDOMAIN': 3, 'SERVFAIL': 2, 'REFUSED': 5, 'FORMERR': 1, 'NOTIMP': 4}


def encode(name):
    labels = [part for part in name.encode('latin-1').split(b'.') if part]
    return b''.join(bytes([len(label)]) + label for label in labels) + b'\0'


def data_of(kind, value):
    if kind == 'A':
        return socket.inet_aton(value)
    if kind == 'AAAA':
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == 'MX':
        preference, exchanger = value.split(' ')
        return struct.pack('>H', int(preference)) + encode(exchanger)
    if kind != 'TXT':
        return encode(value)
    if isinstance(value, str):
        value = [value[at:at + 255] for at in range(0, len(value), 255)] or ['']
    elif isinstance(value, bytes):
        value = [value]
    strings = [s.encode('latin-1') if isinstance(s, str) else s for s in value]
    return b''.join(bytes([len(s)]) + s for s in strings)


def record(kind, value):
    if isinstance(value, str) and value.startswith('CNAME '):
        kind, value = 'CNAME', value[6:]
    number, = [key for key, text in TYPES.items() if text == kind]
    data = data_of(kind, value)
    return b'\xc0\x0c' + struct.pack('>HHIH', number, 1, 60, len(data)) + data


class Dns(threading.Thread):
    """A name server, UDP and TCP.  zone: `name TYPE` -> values, or a code for all
    types of `name`; `SILENT`; `HOLD` (cut off by UDP, silence by TCP); `GARBAGE` (by UDP only),
    `NOISE` (by both); `NO-EDNS` as a value in front: FORMERR to questions with EDNS0.  UDP
    answers over 512 bytes (with EDNS0: 1232) are truncated."""

    def __init__(self, zone, other='NXDOMAIN', address=('127.0.0.1', 53)):
        super().__init__(daemon=True)
        self.zone, self.other, self.lie = zone, other, None
        self.asked, self.tcp_asked = [], 0
        family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        self.udp = socket.socket(family, socket.SOCK_DGRAM)
        self.udp.bind(address)
        self.tcp = socket.socket(family)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(address)
        self.tcp.listen(512)
        self.start()
        threading.Thread(target=self.run_tcp, daemon=True).start()

    def run(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            answer = query and self.answer(query, False)
            if query and self.lie:
                answer = self.lie(query, answer, False)
            if answer:
                self.udp.sendto(answer, peer)

    def run_tcp(self):
        while True:
            try:
                connection = self.tcp.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        """One question by TCP; the client may have given up."""
        with connection, contextlib.suppress(ConnectionError):
            size = connection.recv(2, socket.MSG_WAITALL)
            if not size:
                return
            query = connection.recv(struct.unpack('>H', size)[0], socket.MSG_WAITALL)
            self.tcp_asked += 1
            answer = self.answer(query, True)
            if self.lie:
                answer = self.lie(query, answer, True)
            if answer is None:
                connection.recv(1)      # until it has gone
            else:
                connection.sendall(struct.pack('>H', len(answer)) + answer)

    def answer(self, query, tcp):
        at, parts = 12, []
        while query[at]:
            parts.append(query[at + 1:at + 1 + query[at]].decode('latin-1').lower())
            at += 1 + query[at]
        name, kind = '.'.join(parts), TYPES.get(struct.unpack('>H', query[at + 1:at + 3])[0])
        edns = query[11] == 1
        question = query[12:at + 5]
        self.asked.append('%s %s' % (name, kind))
        known = any(key.split(' ')[0] == name for key in self.zone)
        values = self.zone.get('%s %s' % (name, kind),
                               self.zone.get(name, [] if known else self.other))
        if values == 'SILENT' or values == 'HOLD' and tcp:
            return None
        if values == 'HOLD':
            return query[:2] + struct.pack('>HHHHH', 0x8380, 1, 0, 0, 0) + question
        if values == 'NOISE' or values == 'GARBAGE' and not tcp:
            return query[:2] + b'\x81\x80\0\1\0\5\0\0\0\0' + question
        if values == 'GARBAGE':
            values = ['192.0.2.1'] if kind == 'A' else []
        if isinstance(values, list) and values[:1] == ['NO-EDNS']:
            if edns:
                return query[:2] + b'\x81\x81' + b'\0' * 8
            values = values[1:]
        code = 0
        if isinstance(values, str):
            code, values = CODES[values], []
        full = query[:2] + struct.pack('>HHHHH', 0x8180 | code, 1, len(values), 0, 0) + question + \
            b''.join(record(kind, value) for value in values)
        if not tcp and len(full) > (1232 if edns else 512):
            return query[:2] + struct.pack('>HHHHH', 0x8380, 1, 0, 0, 0) + question
        return full

    def stop(self):
        for one in (self.udp, self.tcp):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        self.join(5)
