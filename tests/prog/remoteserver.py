"""remoteserver - for tests of qmail-remote: its control files, a run of it, servers it talks to.

    control(smtproutes=':127.0.0.2')
    server = Smtp('127.0.0.2', ['220 hi', '250 mx', ...])
    remote('y.example')     the records of its report
    server.seen             what it said

Runs as root in a world.
"""
import os
import pwd
import shutil
import socket
import subprocess
import threading

import tap

HOME = '/var/qmail'
REMOTE = HOME + '/bin/qmail-remote'
ACCEPTED = 'K%s accepted message.\nRemote host said: 250 done\n'
OUTSIDE = ('192.0.2.10', '192.0.2.11')        # of this host, but not loopback
OK = ['220 hi', '250 mx', '250 s', '250 r', '354 go', '250 done']


def control(**files):
    """Exactly these control files besides me, timeoutremote and timeoutconnect."""
    base = {'me': 'me.example', 'timeoutremote': '10', 'timeoutconnect': '5'}
    base.update(files)
    shutil.rmtree(HOME + '/control')
    os.mkdir(HOME + '/control')
    for name, text in base.items():
        if text is not None:
            with open(HOME + '/control/' + name, 'w', encoding='latin-1') as file:
                file.write(text + '\n')


def remote(host, sender='s@x.example', recipients=('r@y.example',), message=b'hi\n', timeout=60,
           stderr=subprocess.PIPE):
    """Runs it as qmailr; returns the records of its report.  message: bytes for a pipe, or a
    file."""
    user = pwd.getpwnam('qmailr')
    piped = isinstance(message, bytes)
    process = subprocess.Popen([REMOTE, host, sender] + list(recipients),
                               stdin=subprocess.PIPE if piped else message,
                               stdout=subprocess.PIPE, stderr=stderr, user=user.pw_uid,
                               group=user.pw_gid, extra_groups=[], cwd='/')
    out, err = process.communicate(message if piped else None, timeout)
    if process.returncode or err:
        tap.ok(False, 'exit code 0 and nothing on descriptor 2',
               '%s %r' % (process.returncode, err))
    if not out.endswith(b'\0'):
        return ['!not ended', out]
    return [record.decode('latin-1') for record in out[:-1].split(b'\0')]


SILENCE = b''


class Smtp(threading.Thread):
    """An SMTP server on ADDRESS:PORT.  replies: sent one after each line received, the first at
    once; None hangs up; bytes are sent as they are; SILENCE says nothing; a function is called with
    the connection, and goes on with the one it returns, None: hangs up.  After a 354 the text is
    read.  A list of lists: one for each connection, the last for all that follow."""

    def __init__(self, address, replies, port=25):
        super().__init__(daemon=True)
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(5)
        self.replies, self.seen, self.text, self.sessions = replies, [], bytearray(), 0
        self.peer = None
        self.news = threading.Condition()
        self.start()

    def run(self):
        while True:
            try:
                connection, peer = self.socket.accept()
            except OSError:
                return
            self.sessions += 1
            self.peer = peer[0]
            try:
                connection = self.serve(connection) or connection
            except OSError:
                pass
            connection.close()

    def script(self):
        if isinstance(self.replies[0], list):
            return self.replies[min(self.sessions, len(self.replies)) - 1]
        return self.replies

    def serve(self, connection):
        connection.settimeout(30)
        stream = connection.makefile('rb')
        for reply in self.script():
            if reply is None:
                break
            if callable(reply):
                before, connection = connection, reply(connection)
                if connection is None:
                    before.close()
                    break
                stream = connection.makefile('rb')
                reply = SILENCE
            if isinstance(reply, str):
                reply = reply.replace('\n', '\r\n').encode('latin-1') + b'\r\n'
            connection.sendall(reply)
            if reply.startswith(b'354'):
                self.read_text(stream)
                continue
            line = stream.readline()
            if not line:
                break
            with self.news:
                self.seen.append(line.decode('latin-1').rstrip('\r\n'))
                self.news.notify()
        return connection

    def wait_for(self, line):
        """Until the client has said this."""
        with self.news:
            tap.ok(self.news.wait_for(lambda: line in self.seen, 30), 'it says ' + line)

    def read_text(self, stream):
        while True:
            line = stream.readline()
            self.text += line
            if line in (b'', b'.\r\n'):
                return

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.join(5)


def stop(*servers):
    for server in servers:
        server.stop()


def outside_addresses():
    """Addresses of this host to which it talks as to others."""
    for address in OUTSIDE:
        subprocess.run(['ip', 'addr', 'add', address + '/32', 'dev', 'lo'], check=True)
