"""mailhost - the mail system on the disk under test, what comes to it, and what it does with it.

A message is known by its token, which stands in its text, in its sender and in every recipient, so
that a text that meets another message's envelope is seen."""
import collections
import os
import random
import re
import select
import shutil
import smtplib
import socket
import subprocess
import threading

from disk import unmount
from shell import sh

HERE, AWAY = 'here.example', 'away.example'
MOUNT = '/mnt'
QUEUE = '/var/qmail/queue'
JOE, ANN = '/home/joe/Maildir', '/home/ann/Mailbox'
CONTROL = {'me': HERE, 'rcpthosts': HERE + '\n' + AWAY, 'smtproutes': AWAY + ':127.0.0.1:2525',
           'queuelifetime': '86400'}
DOTQMAIL = {'joe': './Maildir/', 'ann': './Mailbox', 'alias': '|forward "joe-fwd-$EXT2"'}
PLACES = {'queue': QUEUE, 'joe': '/home/joe', 'ann': '/home/ann', 'alias': '/var/qmail/alias'}
START = '/var/qmail/bin/qmail-start'
SMTPD = ['tcpserver', '-RHl', HERE, '127.0.0.1', '25', '/var/qmail/bin/qmail-smtpd']
IDLE_LIMIT = 30                 # seconds after which a system that is not idle counts as stuck
# What becomes of a recipient, by the first part of its address.
KINDS = {'joe': 'Maildir', 'ann': 'mbox', 'fwd': 'Maildir', 'nobody': 'bounce',
         'away': 'sink', 'refused': 'bounce'}
BROKEN = ('nobody-', 'refused-')         # nobody can be reached there
BOX = {'joe': 'joe', 'fwd': 'alias', 'ann': 'ann'}

FIRST = 'Subject: x\n'          # what every message begins with, as it is sent

Message = collections.namedtuple('Message', 'token recipients text')


def make_message(token, chance):
    """A message with one to three recipients and a text that only it has."""
    names = chance.sample(sorted(KINDS), chance.choice((1, 1, 2, 3)))
    recipients = []
    for name in names:
        recipients.append('%s-%s@%s' % (name, token, AWAY if name in ('away', 'refused') else HERE))
    size = chance.choice((0, 40, 400, 4000, 30000))
    body = ''.join('%s %s\n' % (token, chance.random()) for _ in range(1 + size // 30))
    return Message(token, recipients, FIRST + 'X-Token: %s\n\n%s' % (token, body))


def sender(token):
    """Where bounces of this message go: to joe."""
    return 'joe-b-%s@%s' % (token, HERE)


def settle_in():
    """Once: puts queue and mailboxes on the disk."""
    for name, path in PLACES.items():
        sh('cp -a %s %s/%s' % (path, MOUNT, name))
    for user, line in DOTQMAIL.items():
        for file in ('.qmail', '.qmail-default'):
            path = '%s/%s/%s' % (MOUNT, user, file)
            with open(path, 'w', encoding='ascii') as made:
                made.write(line + '\n')
            sh('chown %s %s' % (user, path))
    sh('rm %s/alias/.qmail %s/alias/.qmail-default' % (MOUNT, MOUNT))
    with open(MOUNT + '/alias/.qmail-fwd-default', 'w', encoding='ascii') as made:
        made.write(DOTQMAIL['alias'] + '\n')


def configure():
    """Writes the control files, which are not on the disk under test."""
    for name, text in CONTROL.items():
        with open('/var/qmail/control/' + name, 'w', encoding='ascii') as made:
            made.write(text + '\n')


def broken_programs(build):
    """Puts the programs of that build in place of the installed ones; owners and modes stay."""
    for name in os.listdir('build/powercut/' + build):
        if os.path.exists('/var/qmail/bin/' + name):
            shutil.copyfile('build/powercut/%s/%s' % (build, name), '/var/qmail/bin/' + name)


def move_in():
    """The disk is mounted: its parts are put where they belong."""
    for name, path in PLACES.items():
        sh('mount --bind %s/%s %s' % (MOUNT, name, path))


def move_out():
    """The reverse."""
    for path in PLACES.values():
        unmount(path)


class Sink:
    """The next host.  Tells `seen` of each message (sender, recipients, text) before it answers for
    it."""

    def __init__(self, seen):
        self.seen = seen
        self.listener = socket.create_server(('127.0.0.1', 2525), backlog=100)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        """One thread a connection."""
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        """SMTP, as little as it takes."""
        with connection, connection.makefile('rb') as lines:
            def say(text):
                connection.sendall(text.encode() + b'\r\n')
            recipients, who = [], ''
            try:
                say('220 sink ESMTP')
                for line in lines:
                    word = line[:4].upper()
                    if word == b'MAIL':
                        who, recipients = re.search(rb'<(.*?)>', line).group(1).decode(), []
                    if word == b'RCPT' and b'<refused-' in line:
                        say('550 no such mailbox')
                        continue
                    if word == b'RCPT':
                        recipients.append(re.search(rb'<(.*)>', line).group(1).decode())
                    if word == b'DATA':
                        say('354 go on')
                        text = b''
                        for part in lines:
                            if part == b'.\r\n':
                                self.seen(who, recipients, text.replace(b'\r\n', b'\n').decode())
                                break
                            text += part[part.startswith(b'.'):]
                    say('221 bye' if word == b'QUIT' else '250 ok')
            except OSError:
                pass            # the other side's business

    def close(self):
        """No more connections."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class System:
    """qmail-start and, if wanted, an SMTP server.  Tells `done` of each local delivery."""

    def __init__(self, done=lambda recipient: None, smtp=False):
        self.done, self.going, self.log = done, {}, []
        self.changed = threading.Event()
        self.smtpd = subprocess.Popen(SMTPD) if smtp else None
        self.main = subprocess.Popen(
            [START, './Maildir/'], stdout=subprocess.PIPE,
            env={'PATH': '/var/qmail/bin:/usr/local/bin:/usr/bin:/bin'})
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        """The log, line by line."""
        for line in self.main.stdout:
            text = line.decode(errors='replace').rstrip('\n')
            self.log.append(text)
            found = re.match(r'starting delivery (\d+): msg \d+ to local (\S+)', text)
            if found:
                self.going[found.group(1)] = found.group(2)
            found = re.match(r'delivery (\d+): success:', text)
            if found and found.group(1) in self.going:
                self.done(self.going[found.group(1)])
            self.changed.set()

    def wait_idle(self, limit=IDLE_LIMIT):
        """Until the queue has no message left to handle.  False: it was not to be."""
        def handled():
            return not any(files for part in ('todo', 'info', 'local', 'remote', 'bounce')
                           for _, _, files in os.walk('%s/%s' % (QUEUE, part)))
        for _ in range(limit * 20):
            # The second look sees the bounce which a message left in todo, where the first one had
            # already been, before it was gone from info.
            if handled() and handled():
                return True
            self.changed.wait(0.05)
            self.changed.clear()
        return False

    def close(self):
        """Ends it as supervise would; every process of it is gone."""
        if self.smtpd:
            self.smtpd.terminate()
            self.smtpd.wait()
        self.main.terminate()
        self.main.wait()
        self.reader.join()
        while (left := inhabitants()):
            for process in left:
                select.select([process], [], [])
                os.close(process)


def uses_disk(pid):
    """Does it work in the queue or in a mailbox, or have a file open there?"""
    try:
        links = ['/proc/%s/fd/%s' % (pid, fd) for fd in os.listdir('/proc/%s/fd' % pid)]
    except OSError:
        return False            # it has just ended
    for link in links + ['/proc/%s/cwd' % pid]:
        try:
            if os.readlink(link).startswith(tuple(PLACES.values())):
                return True
        except OSError:
            pass                # it has just been closed
    return False


def inhabitants():
    """Descriptors (pidfd) of the processes that use the disk."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            process = os.pidfd_open(int(pid))
        except OSError:
            continue            # it has just ended
        if uses_disk(pid):
            found.append(process)
        else:
            os.close(process)
    return found


class Load:
    """Messages by SMTP and by qmail-inject, several at once.  `accepted` is told of successes."""

    def __init__(self, seed, messages, accepted):
        chance = random.Random(seed)
        self.accepted, self.lock = accepted, threading.Lock()
        self.messages = [make_message('t%06x' % chance.getrandbits(24) + 'n%d' % n, chance)
                         for n in range(messages)]
        self.left = list(self.messages)

    def take(self):
        """The next message, or None."""
        with self.lock:
            return self.left.pop(0) if self.left else None

    def smtp(self):
        """A client that sends several messages in a session."""
        with smtplib.SMTP('127.0.0.1', 25) as client:
            while (message := self.take()) is not None:
                client.sendmail(sender(message.token), message.recipients,
                                message.text.replace('\n', '\r\n'))
                self.accepted(message)

    def inject(self):
        """A program that calls qmail-inject."""
        while (message := self.take()) is not None:
            subprocess.run(['/var/qmail/bin/qmail-inject', '-a', '-f', sender(message.token),
                            *message.recipients], input=message.text.encode(), check=True)
            self.accepted(message)

    def run(self):
        """All of it."""
        threads = [threading.Thread(target=work) for work in
                   [self.smtp] * 3 + [self.inject] * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def pending():
    """How often each address is still to get something, by what is in the queue; for a sender, how
    many bounces he may get: Counter."""
    files = collections.defaultdict(dict)
    for part in ('todo', 'info', 'local', 'remote'):
        for where, _, names in os.walk('%s/%s' % (QUEUE, part)):
            files[part].update((name, os.path.join(where, name)) for name in names)
    found = collections.Counter()
    for number in set(files['todo']) | set(files['info']):
        parts = ('todo',) if number in files['todo'] else ('info', 'local', 'remote')
        for path in [files[part][number] for part in parts if number in files[part]]:
            with open(path, encoding='latin-1') as file:
                found.update(record[1:] if '@' in record else '%s@%s' % (record[1:], HERE)
                             for record in file.read().split('\0') if record[:1] in ('T', 'F'))
    return found


def mbox_bytes():
    """All of ann's mbox."""
    try:
        with open(ANN, 'rb') as file:
            return file.read()
    except FileNotFoundError:
        return b''


def maildir():
    """Texts of joe's messages by their address: [(Delivered-To, text)]."""
    found = []
    for name in sorted(os.listdir(JOE + '/new')):
        with open(JOE + '/new/' + name, encoding='latin-1') as file:
            found.append(file.read())
    return [(address_of(text), text) for text in found]


def mailbox():
    """The same of ann's mbox.  A cut may leave NULs in place of the message that was being
    appended; they do not belong to the one before it."""
    if not os.path.exists(ANN):
        return []
    with open(ANN, encoding='latin-1') as file:
        parts = re.split('^From [^\n]*(?:\n|\Z)', file.read(), flags=re.M)[1:]
    parts = [re.sub('(?<=\n\n)\0+\n?\\Z', '', text) for text in parts]
    return [(address_of(text), text[:-1] if text.endswith('\n\n') else text) for text in parts]


def address_of(text):
    """The recipient of the last delivery."""
    found = re.search('^Delivered-To: (.*)$', text, re.M)
    return found.group(1) if found else ''
