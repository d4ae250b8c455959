"""dialogue - SMTP or POP3 with a server of a host of hosts.py, line by line; and what strangers do
instead."""
import contextlib
import socket
import struct


class Dialogue:
    """An SMTP or POP3 session, up to its greeting.  source: an address of the host; wrap: what
    makes TLS of a socket."""

    def __init__(self, host, port=25, source=None, wrap=None):
        self.socket = host.connect('127.0.0.1', port, source)
        if wrap:
            self.socket = wrap(self.socket)
        self.lines = self.socket.makefile('rb')
        self.greeting = self.reply()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def reply(self):
        """The last line of the next reply; empty at the end."""
        try:
            line = self.lines.readline()
            while line[3:4] == b'-' and line[:3].isdigit():
                line = self.lines.readline()
        except ConnectionResetError:
            return b''
        return line

    def send(self, line):
        """Send a command."""
        self.socket.sendall((line if isinstance(line, bytes) else line.encode()) + b'\r\n')

    def say(self, line):
        """Send a command; the reply."""
        self.send(line)
        return self.reply()

    def message(self, recipients, body, sender='ann@hosta.test'):
        """A whole transaction; the reply to its end.  The body has bare LF as its line ends."""
        self.say('MAIL FROM:<%s>' % sender)
        for rcpt in recipients:
            self.say('RCPT TO:<%s>' % rcpt)
        self.say('DATA')
        self.socket.sendall(body.replace(b'\n', b'\r\n') + b'.\r\n')
        return self.reply()


# ---- instead -----------------------------------------------------------------------------------

def rest(sock):
    """What else comes, to the end."""
    text = b''
    with contextlib.suppress(ConnectionResetError):
        while True:
            piece = sock.recv(65536)
            if not piece:
                break
            text += piece
    sock.close()
    return text


def send(sock, data):
    """All of it, and the end, or as much as is taken."""
    with contextlib.suppress(OSError):      # also ENOTCONN, for which Python has no class
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)


def drop(sock):
    """End a connection without a word."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()
