"""nameserver - a name server on 127.0.0.1:53 (UDP) for tests of what asks short questions.

    server = NameServer({'a.test A': ['192.0.2.1'], 'l.test TXT': [['one ', 'string'], 'another'],
                         'm.test MX': ['10 a.test'], 'broken.test': 'SERVFAIL', 'mute.test': 'SILENT'})
    server.asked            ['a.test A', ...] in lower case
    server.zone[...] = ...  takes effect at once
    server.stop()

A name with records of another type gives no data, any other NXDOMAIN.
"""
import socket
import struct
import threading

TYPES = {1: 'A', 15: 'MX', 16: 'TXT', 28: 'AAAA', 12: 'PTR', 99: 'SPF'}
CODES = {'SERVFAIL': 2, 'NXDOMAIN': 3, 'REFUSED': 5}


def encode(name):
    return b''.join(bytes([len(part)]) + part.encode() for part in name.split('.') if part) + b'\0'


def data_of(kind, value):
    if kind == 'A':
        return socket.inet_aton(value)
    if kind == 'AAAA':
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == 'MX':
        preference, exchanger = value.split(' ')
        return struct.pack('>H', int(preference)) + encode(exchanger)
    if kind == 'TXT':
        strings = [value] if isinstance(value, (str, bytes)) else value
        strings = [s.encode('latin-1') if isinstance(s, str) else s for s in strings]
        return b''.join(bytes([len(s)]) + s for s in strings)
    return encode(value)


class NameServer(threading.Thread):
    def __init__(self, zone, address='127.0.0.1'):
        super().__init__(daemon=True)
        self.zone, self.asked = dict(zone), []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.start()

    def run(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            answer = query and self.answer(query)
            if answer:
                self.socket.sendto(answer, peer)

    def answer(self, query):
        at, parts = 12, []
        while query[at]:
            parts.append(query[at + 1:at + 1 + query[at]].decode('latin-1').lower())
            at += 1 + query[at]
        number = struct.unpack('>H', query[at + 1:at + 3])[0]
        name, kind = '.'.join(parts), TYPES.get(number)
        self.asked.append('%s %s' % (name, kind))
        values = self.zone.get('%s %s' % (name, kind), self.zone.get(name))
        code = 0
        if values == 'SILENT':
            return None
        if isinstance(values, str):
            code, values = CODES[values], []
        elif values is None:
            known = any(key.split(' ')[0] == name for key in self.zone)
            code, values = (0 if known else 3), []
        text = b''
        for value in values:
            data = data_of(kind, value)
            text += b'\xc0\x0c' + struct.pack('>HHIH', number, 1, 1, len(data)) + data
        return query[:2] + struct.pack('>HHHHH', 0x8180 | code, 1, len(values), 0, 0) + \
            query[12:at + 5] + text

    def stop(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        self.join(5)
