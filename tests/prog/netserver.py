"""netserver - for tests of network servers: one of them on a socket, controls, and a stub in the
place of qmail-queue.

    set_up()
    server = Server(PROGRAM, env={'RELAYCLIENT': ''}, control={'databytes': '100\\n'}, code=31)
    server.send(...); server.until(...); server.end()
    queued()                what the stub was given, [(message, envelope)]
    tear_down()
    sys.exit(run((test, ...)))      set_up, the tests, tear_down

A server runs as qmaild with our socket as descriptors 0 and 1.  Runs as root in a world.
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading

import netstr
import tap

HOME = '/var/qmail'
PEER = {'PROTO': 'TCP', 'TCPREMOTEIP': '192.0.2.7', 'TCPREMOTEHOST': 'client.example',
        'TCPLOCALHOST': 'mx.example', 'TCPLOCALIP': '192.0.2.1'}
CONTROL = {'me': 'mx.example\n', 'rcpthosts': 'ok.example\n'}
QUEUE = tempfile.mkdtemp(prefix='netserver.')
STUB = QUEUE + '/queue'
NOWHERE = object()


def set_up():
    os.chmod(QUEUE, 0o755)
    os.mkdir(QUEUE + '/out')
    os.chmod(QUEUE + '/out', 0o777)
    with open(STUB, 'w') as file:
        file.write('#!/bin/sh\ncd %s/out || exit 120\n'
                   'for n in 3 5 7 8 9; do [ ! -e /proc/$$/fd/$n ] || echo $n; done >fds\n'
                   'cat >message.$$; cat <&1 >envelope.$$\n'
                   '[ ! -f ../said ] || cat ../said >&6\n'
                   'exit "$(cat ../code)"\n' % QUEUE)
    os.chmod(STUB, 0o755)


def tear_down():
    shutil.rmtree(QUEUE)


def controls(extra):
    """Exactly these control files; None removes.  What cannot be read: True is a directory, False
    a file for root only, NOWHERE a symbolic link that leads there."""
    shutil.rmtree(HOME + '/control')
    os.mkdir(HOME + '/control')
    for name, text in {**CONTROL, **extra}.items():
        path = HOME + '/control/' + name
        if text is True:
            os.mkdir(path)
        elif text is NOWHERE:
            os.symlink('nonesuch', path)
        elif text is False:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0))
        elif text is not None:
            with open(path, 'wb') as file:
                file.write(text if isinstance(text, bytes) else text.encode('latin-1'))


def stub_says(code=0, said=None):
    """The stub forgets what it was given; its next exit code, and its text."""
    for name in os.listdir(QUEUE + '/out'):
        os.unlink(QUEUE + '/out/' + name)
    with open(QUEUE + '/code', 'w') as file:
        file.write(str(code))
    if os.path.exists(QUEUE + '/said'):
        os.unlink(QUEUE + '/said')
    if said is not None:
        with open(QUEUE + '/said', 'wb') as file:
            file.write(said)


class Server:
    """One server with our end of its socket."""

    def __init__(self, program, env=None, control=None, code=0, said=None, kind=socket.SOCK_STREAM,
                 err=subprocess.DEVNULL, small=False, memory=None, files=None,
                 before=(), args=()):
        controls(control or {})
        stub_says(code, said)
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.socket.settimeout(30)
        if small:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        environment = {'PATH': '/usr/bin:/bin', 'QMAILQUEUE': STUB, **PEER, **(env or {})}
        for name in [n for n in os.environ if n.endswith('SAN_OPTIONS')]:
            environment[name] = os.environ[name]
        environment = {k: v for k, v in environment.items() if v is not None}
        limits = (['--as=%d' % memory] if memory else []) + \
            (['--nofile=%d' % files] if files else [])
        limit = ['prlimit'] + limits if limits else []
        self.process = subprocess.Popen(
            [*before, *limit, HOME + '/bin/' + program, *args], stdin=theirs, stdout=theirs,
            stderr=theirs if err is None else err, env=environment, cwd='/', user='qmaild',
            group='nofiles', extra_groups=[])
        theirs.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode('latin-1'))

    def send_some(self, data):
        """A server that has gone away is fine."""
        try:
            self.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_all(self, data):
        """And no more; a server that goes away before is fine."""
        try:
            self.send(data)
            self.socket.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def receive(self):
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b''

    def until(self, pattern):
        """Reads until the pattern (or the end) has come."""
        got = b''
        while not re.search(pattern, got):
            piece = self.receive()
            if not piece:
                break
            got += piece
        return got.decode('latin-1')

    def rest(self):
        return self.until(rb'(?!)')

    def end(self):
        self.socket.close()
        return self.process.wait(30)


def queued():
    """[(message, envelope)] of submissions whose envelope is complete."""
    found = []
    names = os.listdir(QUEUE + '/out')
    for name in sorted(n for n in names if n.startswith('envelope.')):
        with open(QUEUE + '/out/' + name, 'rb') as file:
            envelope = file.read()
        with open(QUEUE + '/out/message.' + name.split('.')[1], 'rb') as file:
            message = file.read()
        if envelope.endswith(b'\0\0'):
            found.append((message, envelope))
    return found


def exchange(server, data):
    """Sends it all at once.  Returns what the server says, and its exit code."""
    sender = threading.Thread(target=server.send_all, args=(data,))
    sender.start()
    reply = server.rest()
    sender.join()
    return reply, server.end()


# ---- netstrings ----

def talk(server, data):
    """Kinds of the answers, and the exit code."""
    reply, code = exchange(server, data)
    return kinds(reply), code


def answers(reply):
    """The texts of the netstrings; something else than netstrings is a ValueError."""
    return [text.decode('latin-1') for text in netstr.split(reply.encode('latin-1'))]


def kinds(reply):
    """K D5.7.1 Z4.3.0 ..."""
    out = []
    for text in answers(reply):
        code = re.search(r'\(#(\d\.\d\.\d+)\)$', text)
        queued_as = re.fullmatch(r'Kok \d+ qp \d+', text)
        out.append('K' if queued_as else text[0] + code.group(1) if code else text)
    return ' '.join(out)


def envelope(sender, *to):
    """The second half of what is queued."""
    return ('F%s\0' % sender + ''.join('T%s\0' % t for t in to) + '\0').encode('latin-1')


# ---- all of it ----

def run(tests, names=None):
    """These functions, with the stub; names: their name server, which ends with them.  The exit
    code."""
    set_up()
    try:
        for test in tests:
            test()
    finally:
        if names:
            names.stop()
        tear_down()
    return tap.done()
