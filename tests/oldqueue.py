"""oldqueue - writes messages into a queue in every state in which qmail-1.03 may have left them.

    q = oldqueue.Queue('/var/qmail/queue', ids={'qmailq': 254, 'qmails': 256, 'qmail': 201})
    number = q.preprocessed(b'text', 's@x', local=['Ta@b', 'Dc@d'], birth=t, due=t)

Written from the description of the format alone: a message is a file called by its inode number in
mess/(number mod split), its envelope in intd and todo (one file, two names), and, once it is
preprocessed, its sender in info and its recipients in local and remote, where D instead of T marks
those that are done.  The mtime of info is when the message came, that of local and remote when it
is tried next.
"""
import os

SPLIT = 23
RECEIVED = b'Received: (qmail 77 invoked by uid 5001); 1 Jan 2020 00:00:00 -0000\n'
DIRECTORIES = ('mess', 'intd', 'todo', 'info', 'local', 'remote', 'bounce')


class Queue:
    """The queue at a path; `big` makes it one with the big-todo layout."""

    def __init__(self, place, ids, big=False):
        self.place, self.ids, self.big, self.serial = place, ids, big, 0
        for kind, mode in (('todo', 0o750), ('intd', 0o700)):
            for sub in range(SPLIT if big else 0):
                path = '%s/%s/%d' % (place, kind, sub)
                os.mkdir(path)
                os.chown(path, ids['qmailq'], ids['qmail'])
                os.chmod(path, mode)

    def path(self, kind, number):
        split = kind in ('mess', 'info', 'local', 'remote') or (self.big and kind != 'bounce')
        middle = '%d/' % (number % SPLIT) if split else ''
        return '%s/%s/%s%d' % (self.place, kind, middle, number)

    def _write(self, path, data, user, mode, mtime=None):
        with open(path, 'wb') as file:
            file.write(data)
        os.chown(path, self.ids[user], self.ids['qmail'])
        os.chmod(path, mode)
        if mtime is not None:
            os.utime(path, (mtime, mtime))

    def _channel(self, kind, number, records, due=None):
        self._write(self.path(kind, number), b''.join(r.encode() + b'\0' for r in records),
                    'qmails', 0o600, due)

    # -- the states --------------------------------------------------------------------------

    def arriving(self, text):
        """S2: the text is being received, or its sender has gone away."""
        self.serial += 1
        first = '%s/pid/%d.1577836800.1' % (self.place, self.serial)
        self._write(first, RECEIVED + text, 'qmailq', 0o644)
        number = os.stat(first).st_ino
        os.link(first, self.path('mess', number))
        os.unlink(first)
        return number

    def envelope_arriving(self, text):
        """S3: so is the envelope."""
        number = self.arriving(text)
        self._write(self.path('intd', number), b'u5001\0p77\0Fs@x', 'qmailq', 0o644)
        return number

    def queued(self, text, sender, recipients, intd=True):
        """S4: accepted.  intd=False: qmail-clean was stopped between its two steps."""
        number = self.arriving(text)
        envelope = ['u5001', 'p77', 'F' + sender] + ['T' + one for one in recipients]
        self._write(self.path('intd', number), b''.join(r.encode() + b'\0' for r in envelope),
                    'qmailq', 0o644)
        os.link(self.path('intd', number), self.path('todo', number))
        if not intd:
            os.unlink(self.path('intd', number))
        return number

    def half_preprocessed(self, text, sender, recipients, info=None, local=None, remote=None):
        """S4: qmail-send was stopped while it made these files."""
        number = self.queued(text, sender, recipients)
        if info is not None:
            self._write(self.path('info', number), info, 'qmails', 0o600)
        for kind, records in (('local', local), ('remote', remote)):
            if records is not None:
                self._channel(kind, number, records)
        return number

    def preprocessed(self, text, sender, birth, due=None, local=None, remote=None, bounce=None):
        """S5.  local, remote: records with their type; None: no file."""
        number = self.arriving(text)
        self._write(self.path('info', number), b'F' + sender.encode() + b'\0', 'qmails', 0o600,
                    birth)
        for kind, records in (('local', local), ('remote', remote)):
            if records is not None:
                self._channel(kind, number, records, birth if due is None else due)
        if bounce is not None:
            self._write(self.path('bounce', number), bounce, 'qmails', 0o600)
        return number

    # -- looking -----------------------------------------------------------------------------

    def files(self, kind):
        """number -> path, of everything with a number for a name."""
        return {int(name): os.path.join(where, name)
                for where, _, names in os.walk(os.path.join(self.place, kind))
                for name in names if name.isdigit()}
