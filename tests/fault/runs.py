"""runs - the representative runs: what a message goes through while one program is disturbed.

Each run is a class: `programs` are the ones that are disturbed in it, as (name, instance);
`go(system, message)` lets it happen and fills in the message's verdict and what is expected.

A message has a token of its own in its body, sender and recipients.  Where its copies may be:
    md mbox prog    joe's Maildir, mbox, program (joe-md-TOKEN ...)
    fwd             joe's Maildir, sent there by .qmail-fwd-default
    sink, sink2     at the next host (r-TOKEN@sink.test, again-TOKEN@sink.test)
    bounce          in the sender's Maildir (ann-s-TOKEN)
"""
import contextlib
import os
import signal
import socket

from system import HOME, LONG, QUEUE, Stuck, content, memory, pack_netstring, processes

HOST = 'hosta.test'
ADDRESS = {'md': 'joe-md-%s@' + HOST, 'mbox': 'joe-mbox-%s@' + HOST, 'prog': 'joe-prog-%s@' + HOST,
           'fwd': 'joe-fwd-%s@' + HOST, 'sink': 'r-%s@sink.test', 'sink2': 'again-%s@sink.test',
           'bounce': 'nobody-%s@' + HOST}
SETUIDGID = '/usr/bin/setuidgid'
SMTP_ENV = ['/usr/bin/env', 'RELAYCLIENT=', 'TCPREMOTEIP=127.0.0.1', 'PROTO=TCP',
            'TCPLOCALIP=127.0.0.1', 'TCPLOCALHOST=hosta.test', 'TCPREMOTEHOST=client.test']
LINES = 20


class Message:
    """One message and what has become of it."""

    def __init__(self, token):
        self.token = token
        self.body = b''.join(b'%s line %d\n' % (token.encode(), i) for i in range(LINES))
        self.text = b'Subject: %s\nMessage-ID: <%s@test>\n\n%s' % (
            token.encode(), token.encode(), self.body)
        self.sender = 'ann-s-%s@%s' % (token, HOST)
        self.verdict = 'none'           # of the client: ok, fail, perm (a lasting error)
        self.expected = set()           # where it must be if the verdict is ok
        self.copies_max = 1             # in each place
        self.already = None             # places where it was before anything was tried again
        self.must_succeed = True
        self.killed = False             # by the case: it may have left half of a copy
        self.faults = []

    def address(self, place):
        return ADDRESS[place] % self.token

    def to(self, *places):
        self.expected = set(places)
        return [self.address(place) for place in places]

    def envelope_at(self, place):
        """As a copy there shows it: ([sender], [recipient, earlier recipient ...])."""
        if place == 'bounce':
            return [''], [self.sender]
        via = ['joe-md-again@' + HOST] if place == 'fwd' else []
        return [self.sender], via + [self.address(place)]

    def envelope(self, *places):
        return (b'F%s\0' % self.sender.encode() +
                b''.join(b'T%s\0' % one.encode() for one in self.to(*places)) + b'\0')

    def submit(self, *places, within=None):
        """By qmail-queue as it is; within: by a command in front of it."""
        envelope = memory(self.envelope(*places))
        text = memory(self.text)
        pid = os.posix_spawn(HOME + '/bin/qmail-queue', ['qmail-queue'], {}, file_actions=[
            (os.POSIX_SPAWN_DUP2, text, 0), (os.POSIX_SPAWN_DUP2, envelope, 1)])
        self.verdict = 'ok' if os.waitpid(pid, 0)[1] == 0 else 'fail'
        os.close(text)
        os.close(envelope)


def verdict_of_code(code, lasting):
    """Of an exit code; lasting: those that say never."""
    return 'ok' if code == 0 else 'perm' if code in lasting else 'fail'


class Run:
    programs = ()
    daemons = False         # the program is a daemon, or runs below one
    restarts = False        # the daemons are started for each case
    twice = ()              # programs whose trouble may bring a second copy
    warm_up = 0             # times that it goes another way


# ---- clients ----

class Client(Run):
    """The disturbed program is started for the case."""
    environment = SMTP_ENV

    def run(self, system, argv, data, user='qmaild'):
        """Exit code and answer of a server program that gets this input."""
        ours, theirs = socket.socketpair()
        ours.sendall(data)
        ours.shutdown(socket.SHUT_WR)
        pid = system.client([SETUIDGID, user] + self.environment + argv, theirs.fileno(),
                            theirs.fileno())
        theirs.close()
        code = system.wait_client(pid)
        answer = b''
        ours.setblocking(False)
        try:
            while True:
                part = ours.recv(65536)
                if not part:
                    break
                answer += part
        except (BlockingIOError, ConnectionResetError):
            pass
        ours.close()
        return code, answer


class Queue(Client):
    programs = (('qmail-queue', 1),)

    def go(self, system, message):
        envelope, text = memory(message.envelope('md', 'sink')), memory(message.text)
        pid = system.client([SETUIDGID, 'joe', HOME + '/bin/qmail-queue'], text, envelope)
        code = system.wait_client(pid)
        message.verdict = verdict_of_code(code, range(11, 41))
        os.close(envelope)
        os.close(text)


class Smtp(Client):
    programs = (('qmail-smtpd', 1), ('qmail-smtpd+', 1), ('qmail-queue', 1))

    def go(self, system, message):
        to = message.to('md', 'sink')
        lines = ['EHLO client.test', 'MAIL FROM:<%s>' % message.sender]
        lines += ['RCPT TO:<%s>' % one for one in to] + ['DATA']
        data = ''.join(line + '\r\n' for line in lines).encode()
        data += message.text.replace(b'\n', b'\r\n') + b'.\r\nQUIT\r\n'
        _, answer = self.run(system, [HOME + '/bin/qmail-smtpd'], data)
        codes = [line[:3].decode('latin-1') for line in answer.splitlines(True)
                 if line[3:4] != b'-' and line.endswith(b'\n')]
        message.expected = {place for place, code in zip(('md', 'sink'), codes[3:5])
                            if code == '250'}
        message.verdict = verdict_of_session(codes)


def verdict_of_session(codes):
    """Of the answers to: greeting, EHLO, MAIL, RCPT, RCPT, DATA, the message.  `perm` if one says
    never; those to commands that an earlier answer had made pointless do not count."""
    asked = codes[:3]
    if all(code[0] == '2' for code in asked):
        asked += codes[3:5]
        if '250' in codes[3:5]:
            asked += codes[5:7] if codes[5:6] == ['354'] else codes[5:6]
    if any(code[0] == '5' for code in asked):
        return 'perm'
    return 'ok' if asked[6:7] == ['250'] else 'fail'


class Mx(Smtp):
    """From a stranger, to domains in rcpthosts and in morercpthosts.cdb."""
    programs = (('qmail-smtpd', 1),)
    environment = [setting for setting in SMTP_ENV if setting != 'RELAYCLIENT=']


class Inject(Client):
    programs = (('sendmail', 1), ('qmail-inject', 1), ('qmail-inject+', 1), ('qmail-queue', 1))

    def go(self, system, message):
        text = memory(message.text)
        pid = system.client([SETUIDGID, 'joe', HOME + '/bin/sendmail', '-f', message.sender, '--'] +
                            message.to('md', 'sink'), text, system.null)
        message.verdict = verdict_of_code(system.wait_client(pid), (100,))
        os.close(text)


class Qmtp(Client):
    programs = (('qmail-qmtpd', 1), ('qmail-qmtpd+', 1), ('qmail-queue', 1))

    def go(self, system, message):
        to = message.to('md', 'sink')
        data = pack_netstring(b'\n' + message.text) + pack_netstring(message.sender.encode())
        data += pack_netstring(b''.join(pack_netstring(one.encode()) for one in to))
        _, answer = self.run(system, [HOME + '/bin/qmail-qmtpd'], data)
        letters = answers(answer)
        message.verdict = 'perm' if 'D' in letters else 'ok' if 'K' in letters else 'fail'
        message.expected = {place for place, letter in zip(('md', 'sink'), letters)
                            if letter == 'K'}


def answers(data):
    """First letters of netstrings."""
    letters = []
    while True:
        length, found, data = data.partition(b':')
        if not found or len(data) <= int(length):
            return letters
        letters.append(data[:1].decode('latin-1'))
        data = data[int(length) + 1:]


class Qmqp(Client):
    programs = (('qmail-qmqpd', 1), ('qmail-qmqpd+', 1), ('qmail-queue', 1))

    def go(self, system, message):
        to = message.to('md', 'sink')
        data = pack_netstring(message.text) + pack_netstring(message.sender.encode())
        data += b''.join(pack_netstring(one.encode()) for one in to)
        _, answer = self.run(system, [HOME + '/bin/qmail-qmqpd'], pack_netstring(data))
        letters = answers(answer)
        message.verdict = 'perm' if 'D' in letters else 'ok' if letters == ['K'] else 'fail'


class Pop3(Client):
    """Three messages in a Maildir of its own; the first is read and deleted."""
    programs = (('qmail-popup', 1), ('qmail-popup+', 1), ('checkpassword', 1), ('qmail-pop3d', 1))
    box = '/home/joe/pop-'

    def go(self, system, message):
        place = self.box + message.token
        files = self.fill(place, message)
        ours, theirs = socket.socketpair()
        pid = system.client([HOME + '/bin/qmail-popup', HOST, HOME + '/bin/checkpassword',
                             HOME + '/bin/qmail-pop3d', os.path.basename(place)],
                            theirs.fileno(), theirs.fileno())
        theirs.close()
        said = self.talk(system, ours)
        system.wait_client(pid)
        ours.close()
        self.look(place, files, said, message)

    def fill(self, place, message):
        """name -> content"""
        for sub in ('', '/tmp', '/new', '/cur'):
            os.mkdir(place + sub, 0o700)
            os.chown(place + sub, 5001, 5001)
        files = {}
        for i in range(3):
            name = '%d.%s.hosta' % (1000000000 + i, message.token)
            files[name] = message.text + b'%d\n' % i
            with open('%s/new/%s' % (place, name), 'wb') as file:
                file.write(files[name])
            os.chown(file.name, 5001, 5001)
        return files

    def talk(self, system, ours):
        """The answers to the commands of a session."""
        got = [b'']

        def come(fd):
            try:
                data = os.read(fd, 65536)
            except ConnectionResetError:
                data = b''
            got[0] += data
            if not data:
                gone.append(True)
                system.loop.selector.unregister(fd)
        gone, said = [], []
        system.loop.add(ours.fileno(), come)
        for command, end in ((b'', b'\r\n'), (b'USER joe', b'\r\n'), (b'PASS joe-secret', b'\r\n'),
                             (b'STAT', b'\r\n'), (b'RETR 1', b'\r\n.\r\n'), (b'DELE 1', b'\r\n'),
                             (b'QUIT', b'\r\n')):
            got[0] = b''
            if command and not gone:
                try:
                    ours.sendall(command + b'\r\n')
                except OSError:
                    break
            system.loop.until(lambda end=end: gone or got[0].endswith(end) or
                              (got[0].startswith(b'-') and got[0].endswith(b'\n')), 'an answer')
            said.append(got[0])
        if not gone:
            ours.shutdown(socket.SHUT_WR)
            system.loop.until(lambda: gone, 'the end of a POP3 session')
        return said

    @staticmethod
    def look(place, files, said, message):
        """Only what was shown as the first may be gone, and that only after DELE; the others are as
        they were.  One that cannot be looked at is not shown."""
        shown = [name for name, text in files.items()
                 if len(said) > 4 and text.replace(b'\n', b'\r\n') in said[4]]
        first = shown[0] if shown else min(files)
        found = {}
        for sub in ('new', 'cur'):
            for name in os.listdir(place + '/' + sub):
                with open('%s/%s/%s' % (place, sub, name), 'rb') as file:
                    found.setdefault(name.partition(':')[0], []).append(file.read())
        if os.listdir(place + '/tmp'):
            message.faults.append('files in tmp')
        deleted = len(said) > 5 and said[5].startswith(b'+OK')
        for name, text in files.items():
            if name == first and deleted and name not in found:
                continue
            if found.pop(name, None) != [text]:
                message.faults.append('POP3: %s is lost or changed; session %r' % (name, said))
        found.pop(first, None)
        if found:
            message.faults.append('POP3: strange files %r' % sorted(found))
        message.verdict = 'pop'


# ---- deliveries, by daemons that go on ----

class Delivery(Run):
    daemons = True
    place = 'md'
    # Delivered, or queued anew, but not yet reported.  What they fork has done neither before it
    # runs another program.
    twice = ('qmail-local', 'qmail-remote', 'qmail-queue')
    warm_up = 2             # deliveries, until all of them are made in the same way
    lives = {}              # name of those that stay -> (the daemons, how many deliveries)

    def go(self, system, message):
        self.end_residents(system)
        message.submit(self.place)
        system.quiet(lambda: system.plan.ended)

    def end_residents(self, system):
        """Or one that stays from the message before would make the delivery, and the program that
        is to be disturbed would not be started.  First there are those that only show that they
        can stay: without them there would be none."""
        name = 'remote-stay' if self.place == 'sink' else 'local-stay'
        daemons, deliveries = self.lives.get(name, (0, 0))
        deliveries = deliveries + 1 if daemons == system.pid else 1
        self.lives[name] = system.pid, deliveries
        if deliveries <= Delivery.warm_up:
            return
        for pid in processes().get(name, []):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        system.quiet(lambda: name not in processes())


class Maildir(Delivery):
    programs = (('qmail-lspawn+', 1), ('qmail-local', 1))


class Mbox(Delivery):
    programs = (('qmail-local', 1),)
    place = 'mbox'
    warm_up = 5             # then qmail-lspawn knows that what stays declines


class Program(Delivery):
    programs = (('qmail-local', 1), ('qmail-local+', 1))
    place = 'prog'
    warm_up = 5


class Forward(Delivery):
    # The first declines; the Maildir behind it keeps qmail-lspawn from expecting that.
    programs = (('qmail-local', 1), ('qmail-local', 2), ('qmail-local+', 1), ('qmail-queue', 1))
    place = 'fwd'

    def go(self, system, message):
        """Also waits for the delivery of what was sent on, that it be not the next case's first."""
        super().go(system, message)
        system.quiet(lambda: not {'qmail-local', 'qmail-queue'} & set(processes()))
        system.quiet(lambda: False)


class Remote(Delivery):
    programs = (('qmail-remote', 1),)
    place = 'sink'


class Bounce(Delivery):
    programs = (('qmail-send+', 1), ('qmail-queue', 1))
    place = 'bounce'


# ---- the daemons themselves ----

class Daemons(Run):
    """One message is in the queue when they start, one comes then.  Who calls lets them end."""
    daemons = True
    restarts = True
    # delivered, but not yet marked
    twice = ('qmail-send', 'qmail-lspawn', 'qmail-rspawn', 'qmail-remote')
    programs = (('qmail-start', 1), ('qmail-start+', 1), ('qmail-start+', 2), ('qmail-start+', 3),
                ('qmail-start+', 4), ('qmail-start+', 5), ('qmail-send', 1), ('qmail-todo', 1),
                ('qmail-clean', 1), ('qmail-clean', 2), ('qmail-lspawn', 1), ('qmail-rspawn', 1),
                ('qmail-rspawn+', 1), ('qmail-rspawn+', 2),
                # The first of these stays, the second is started meanwhile for one delivery.
                ('qmail-getpw', 1), ('qmail-getpw', 2), ('qmail-remote', 1), ('qmail-remote', 2))

    def go(self, system, message):
        other, later = Message(message.token), ('bounce', 'prog', 'sink2')
        message.submit('md', 'sink')
        system.start()
        system.quiet(lambda: not system.pid or any('delivery' in line for line in system.log))
        other.submit(*later)
        message.expected.update(later)
        system.quiet(lambda: not system.pid or not os.listdir(QUEUE + 'todo') and
                     sum('end msg' in line for line in system.log) >= 3)


class Stays(Daemons):
    """One delivery after the other, so that the later ones are done, or declined, by a qmail-local
    and a qmail-remote that have stayed.  Of each the first may be one for its delivery alone,
    another one that only shows that it can stay; which is which is a matter of time."""
    twice = Daemons.twice + ('qmail-local',)
    programs = tuple(('qmail-local', n) for n in range(2, 6)) + (
        ('qmail-remote', 2), ('qmail-remote', 3))

    def go(self, system, message):
        system.start()
        for count, places in enumerate((('prog', 'sink'), ('mbox',), ('fwd',), ('md', 'sink2')), 1):
            one = Message(message.token)
            one.submit(*places)
            message.expected.update(places)
            message.verdict = one.verdict
            system.quiet(lambda count=count: not system.pid or
                         sum('end msg' in line for line in system.log) >= count)


class Aside(Daemons):
    """Both recipients are at one host that may have one place: one is put aside meanwhile."""
    programs = (('qmail-send', 1),)
    share = HOME + '/control/hostshare'

    def go(self, system, message):
        with open(self.share, 'w') as file:
            file.write('1\n')
        try:
            message.submit('sink', 'sink2')
            system.start()
            system.quiet(lambda: not system.pid or any('end msg' in line for line in system.log))
        finally:
            os.unlink(self.share)
        began = [line.split()[0] for line in system.log if 'delivery' in line]
        if not system.plan.fired and began != ['starting', 'delivery'] * 2:
            raise Stuck('nobody was put aside: %s' % system.log)


RUNS = {cls.__name__.lower(): cls for cls in (
    Queue, Smtp, Mx, Inject, Qmtp, Qmqp, Pop3, Maildir, Mbox, Program, Forward, Remote, Bounce,
    Daemons, Stays, Aside)}
__all__ = ['RUNS', 'Message', 'Stuck', 'content']
