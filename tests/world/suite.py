"""suite - the installed tree that worlds copy, put together by hand from build/bin."""
import os
import shutil

import accounts
from tree import BUILD

SPLIT = 23
SETUID = {'qmail-queue': ('qmailq', 0o4711)}
PRIVATE = {'qmail-lspawn', 'qmail-start', 'qmail-newu', 'qmail-newmrh', 'checkpassword'}
EXECUTE = {'qmail-getpw', 'qmail-local', 'qmail-remote', 'qmail-rspawn', 'qmail-clean', 'qmail-send',
           'qmail-todo', 'qmail-pw2u', 'qmail-popup', 'splogger'}
DIRECTORIES = [('.', 'root', 0o755), ('control', 'root', 0o755), ('users', 'root', 0o755),
               ('bin', 'root', 0o755), ('boot', 'root', 0o755), ('alias', 'alias', 0o2755),
               ('queue', 'qmailq', 0o750), ('queue/pid', 'qmailq', 0o700),
               ('queue/intd', 'qmailq', 0o700), ('queue/todo', 'qmailq', 0o750),
               ('queue/bounce', 'qmails', 0o700), ('queue/mess', 'qmailq', 0o750),
               ('queue/info', 'qmails', 0o700), ('queue/local', 'qmails', 0o700),
               ('queue/remote', 'qmails', 0o700), ('queue/lock', 'qmailq', 0o750)]
UIDS = {'root': 0, **{row[0]: row[1] for row in accounts.SYSTEM}}
QMAIL = dict(accounts.GROUPS)['qmail']


def own(path, owner, mode):
    os.chown(path, UIDS[owner], QMAIL)
    os.chmod(path, mode)


def install(place):
    for name, owner, mode in DIRECTORIES:
        path = os.path.join(place, name)
        os.makedirs(path, exist_ok=True)
        own(path, owner, mode)
        for part in range(SPLIT) if name[6:] in ('mess', 'info', 'local', 'remote') else ():
            os.mkdir('%s/%d' % (path, part))
            own('%s/%d' % (path, part), owner, mode)
    for name, owner, mode, size in (('tcpto', 'qmailr', 0o644, 1024),
                                    ('sendmutex', 'qmails', 0o600, 0)):
        path = os.path.join(place, 'queue/lock', name)
        with open(path, 'wb') as file:
            file.write(b'\0' * size)
        own(path, owner, mode)
    trigger = os.path.join(place, 'queue/lock/trigger')
    os.mkfifo(trigger)
    own(trigger, 'qmails', 0o622)
    built = os.path.join(BUILD, 'bin')
    for name in os.listdir(built) if os.path.isdir(built) else ():
        path = os.path.join(place, 'bin', name)
        shutil.copyfile(os.path.join(built, name), path)
        mode = 0o700 if name in PRIVATE else 0o711 if name in EXECUTE else 0o755
        own(path, *SETUID.get(name, ('root', mode)))
