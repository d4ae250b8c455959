"""dnsserver - a name server for tests, which can also misbehave.

    dns = Dns({'a.example A': ['192.0.2.1'], 'a.example TXT': ['v=spf1 -all'], 'b.example': 'SERVFAIL'})
    dns.asked               questions so far: ['a.example MX', ...]
    dns.stop()
"""
import socket
import struct
import threading

TYPES = {1: 'A', 5: 'CNAME', 12: 'PTR', 15: 'MX', 16: 'TXT', 28: 'AAAA'}
CODES = {'NXDOMAIN': 3, 'SERVFAIL': 2, 'REFUSED': 5, 'FORMERR': 1, 'NOTIMP': 4}


def encode(name):
    return b''.join(bytes([len(part)]) + part.encode() for part in name.split('.') if part) + b'\0'


class Dns(threading.Thread):
    """A name server on 127.0.0.1:53, UDP and TCP.  zone: `name TYPE` -> values, or a code for all
    types of `name`; `SILENT`; `GARBAGE` (by UDP only); `NO-EDNS` as a value in front: FORMERR to
    questions with EDNS0.  UDP answers over 512 bytes (with EDNS0: 1232) are truncated."""

    def __init__(self, zone):
        super().__init__(daemon=True)
        self.zone = zone
        self.asked, self.tcp_asked = [], 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(('127.0.0.1', 53))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(('127.0.0.1', 53))
        self.tcp.listen(5)
        self.start()
        threading.Thread(target=self.run_tcp, daemon=True).start()

    def run(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
            except OSError:
                return
            answer = query and self.answer(query, False)
            if answer:
                self.udp.sendto(answer, peer)

    def run_tcp(self):
        while True:
            try:
                connection = self.tcp.accept()[0]
            except OSError:
                return
            size = connection.recv(2)
            query = connection.recv(struct.unpack('>H', size)[0])
            self.tcp_asked += 1
            answer = self.answer(query, True)
            connection.sendall(struct.pack('>H', len(answer)) + answer)
            connection.close()

    def answer(self, query, tcp):
        at, parts = 12, []
        while query[at]:
            parts.append(query[at + 1:at + 1 + query[at]].decode('latin-1'))
            at += 1 + query[at]
        name, kind = '.'.join(parts), TYPES.get(struct.unpack('>H', query[at + 1:at + 3])[0])
        edns = query[11] == 1
        question = query[12:at + 5]
        self.asked.append('%s %s' % (name, kind))
        values = self.zone.get('%s %s' % (name, kind), self.zone.get(name))
        if values == 'SILENT':
            return None
        if values == 'GARBAGE' and not tcp:
            return query[:2] + b'\x81\x80\0\1\0\5\0\0\0\0' + question
        if values == 'GARBAGE':
            values = ['192.0.2.1'] if kind == 'A' else []
        if isinstance(values, list) and values[:1] == ['NO-EDNS']:
            if edns:
                return query[:2] + b'\x81\x81' + b'\0' * 8
            values = values[1:]
        code, records = 0, b''
        if isinstance(values, str):
            code, values = CODES[values], []
        elif values is None:
            known = any(key.split(' ')[0] == name for key in self.zone)
            code, values = (0 if known else 3), []
        count = len(values)
        for value in values:
            records += self.record(kind, value)
        full = query[:2] + struct.pack('>HHHHH', 0x8180 | code, 1, count, 0, 0) + question + records
        if not tcp and len(full) > (1232 if edns else 512):
            return query[:2] + struct.pack('>HHHHH', 0x8380, 1, 0, 0, 0) + question
        return full

    @staticmethod
    def record(kind, value):
        if value.startswith('CNAME '):
            kind, value = 'CNAME', value[6:]
        if kind == 'A':
            data = socket.inet_aton(value)
        elif kind == 'AAAA':
            data = socket.inet_pton(socket.AF_INET6, value)
        elif kind == 'MX':
            preference, exchanger = value.split(' ')
            data = struct.pack('>H', int(preference)) + encode(exchanger)
        elif kind == 'TXT':
            text = value.encode('latin-1')
            parts = [text[at:at + 255] for at in range(0, len(text), 255)] or [b'']
            data = b''.join(bytes([len(part)]) + part for part in parts)
        else:
            data = encode(value)
        number = [key for key, text in TYPES.items() if text == kind][0]
        return b'\xc0\x0c' + struct.pack('>HHIH', number, 1, 60, len(data)) + data

    def stop(self):
        for one in (self.udp, self.tcp):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        self.join(5)
