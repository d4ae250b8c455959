"""injected - for tests of qmail-inject and sendmail: run a program as joe and see what it would
have queued.

A stub in the place of qmail-queue (QMAILQUEUE) keeps what it is given:
    r = run(['sendmail', '-t'], b'To: ann\\n\\nhello\\n')
    r.code, r.err, r.out    bytes, but for the code
    r.message               None: nothing was queued (the stub did not see the end of an envelope)
    r.sender, r.to          of the envelope
"""
import os
import re
import resource
import subprocess
import tempfile

BIN = '/var/qmail/bin/'
CONTROL = '/var/qmail/control/'
JOE = 5001
DIR = tempfile.mkdtemp(prefix='injected.', dir='/tmp')
os.chmod(DIR, 0o755)
KEEP = DIR + '/keep'
STUB = DIR + '/queue'

with open(STUB, 'w') as stub:
    stub.write('#!/bin/sh\ncat >%s/message; cat <&1 >%s/envelope; exit ${QQ:-0}\n' % (KEEP, KEEP))
os.chmod(STUB, 0o755)


class Result:
    """What one run gave."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.message, self.sender, self.to = None, None, []
        self.started = os.path.exists(KEEP + '/message')
        envelope = read(KEEP + '/envelope')
        if envelope.endswith(b'\0\0'):
            self.message = read(KEEP + '/message')
            records = envelope[:-2].split(b'\0')
            self.sender = records[0][1:].decode('latin-1')
            self.to = [r[1:].decode('latin-1') for r in records[1:]]

    def field(self, name):
        """The first field of that name, unfolded; None: there is none."""
        head = (self.message or self.out).split(b'\n\n')[0]
        match = re.search(rb'(?m)^%s: ?(.*(?:\n[ \t].*)*)' % name.encode(), head)
        return match.group(1).decode('latin-1') if match else None

    def body(self):
        """What follows the header."""
        return (self.message or self.out).split(b'\n\n', 1)[1]

    def __repr__(self):
        return 'code %r\nerr %r\nout %r\nsender %r to %r\nmessage %r' % (
            self.code, self.err, self.out[:2000], self.sender, self.to[:20],
            self.message and self.message[:2000])


def read(path):
    try:
        with open(path, 'rb') as file:
            return file.read()
    except FileNotFoundError:
        return b''


def clean():
    """Forgets what was kept."""
    subprocess.run(['rm', '-rf', KEEP], check=True)
    os.mkdir(KEEP)
    os.chown(KEEP, JOE, JOE)


def become_joe():
    os.setgroups([])
    os.setgid(JOE)
    os.setuid(JOE)


def environment(env=None):
    """A small environment, with what env adds or (None) takes away."""
    all_of_it = {'PATH': '/usr/bin:/bin', 'USER': 'joe', 'QMAILQUEUE': STUB}
    all_of_it.update(env or {})
    return {k: v for k, v in all_of_it.items() if v is not None}


def start(args, env=None, before=None, limits=(), **more):
    """Popen of a program of the suite, as joe.  `before` runs in the child first; limits: pairs
    for setrlimit."""
    def prepare():
        if before:
            before()
        become_joe()
        for what, most in limits:
            resource.setrlimit(what, (most, most))
    clean()
    more.setdefault('stdin', subprocess.PIPE)
    more.setdefault('stdout', subprocess.PIPE)
    return subprocess.Popen(args, executable=more.pop('program', BIN + args[0]), cwd='/tmp',
                            env=environment(env), stderr=subprocess.PIPE, preexec_fn=prepare,
                            **more)


def run(args, stdin=b'', **more):
    """Runs it to its end."""
    process = start(args, **more)
    out, err = process.communicate(stdin)
    return Result(process.returncode, out or b'', err)


def control(name, text):
    """Writes a control file; None removes it."""
    if text is None:
        if os.path.exists(CONTROL + name):
            os.unlink(CONTROL + name)
    else:
        with open(CONTROL + name, 'w') as file:
            file.write(text)


def setup():
    """The control files that all tests count on."""
    control('me', 'h.x\n')
    for name in ('defaultdomain', 'defaulthost', 'plusdomain', 'idhost'):
        control(name, None)
