#!/usr/bin/python3
"""installed.t - every path of an installed tree: type, owner, group, mode.

The tables are written down here, apart from the installer's own.  First the tree that the world
has, made from nothing; then one that was qmail-1.03's, with other modes and owners and with files
of the administrator and of add-ons, upgraded in place.
"""
import os
import pwd
import grp
import re
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap

HOME = '/var/qmail'
BUILD = os.path.join(os.getcwd(), 'build-san' if os.environ.get('SAN') else 'build')
SPLIT = 23

# Of qmail-1.03: mode, owner, names.
PROGRAMS = [
    (0o4711, 'qmailq', 'qmail-queue'),
    (0o4711, 'qmailt', 'qmail-tls'),
    (0o4711, 'qmailp', 'qmail-chkuser'),
    (0o700, 'root', 'qmail-lspawn qmail-start qmail-newu qmail-newmrh'),
    (0o711, 'root', 'qmail-getpw qmail-local qmail-remote qmail-rspawn qmail-clean qmail-send '
     'qmail-pw2u qmail-popup splogger'),
    (0o755, 'root', 'qmail-inject predate datemail mailsubj qmail-showctl qmail-qread qmail-qstat '
     'qmail-tcpto qmail-tcpok qmail-pop3d qmail-qmqpc qmail-qmqpd qmail-qmtpd qmail-smtpd sendmail '
     'tcp-env qreceipt qsmhook qbiff forward preline condredirect bouncesaying except maildirmake '
     'maildir2mbox maildirwatch qail elq pinq'),
    # The suite's own.
    (0o700, 'root', 'checkpassword checkpassword-cdb qmail-newpw qmail-newmvrt'),
    (0o4711, 'qmailp', 'checkpassword-smtp'),
    (0o711, 'root', 'qmail-todo'),
    (0o755, 'root', 'qmail-qcheck qmail-dnsask qmail-climit qmail-proxy tcpserver-ssl qmail-cert'),
    (0o755, 'root', 'rcptcheck-overlimit'),
    (0o755, 'root', 'qmail-spf spfquery ipmetest qmail-qfilter spawn-filter'),
]
DIRECTORIES = [
    (0o755, 'root', '. control users bin boot doc man man/cat1 man/cat5 man/cat7 man/cat8 man/man1 '
     'man/man5 man/man7 man/man8'),
    (0o2755, 'alias', 'alias'),
    (0o750, 'qmailq', 'queue queue/todo queue/mess queue/lock'),
    (0o700, 'qmailq', 'queue/pid queue/intd'),
    (0o700, 'qmails', 'queue/bounce queue/info queue/local queue/remote'),
    # FreeBSD's.
    (0o755, 'root', 'configure scripts'),
]
CONFIGURE = 'config config-fast dnsfq hostname dnsip ipmeprint dnsptr'
BOOT = 'home home+df proc proc+df binm1 binm1+df binm2 binm2+df binm3 binm3+df maildir'
PAGES = {
    '1': 'forward condredirect bouncesaying except maildirmake maildir2mbox maildirwatch mailsubj '
         'qreceipt qbiff preline tcp-env',
    '5': 'addresses envelopes maildir mbox dot-qmail qmail-control qmail-header qmail-log '
         'qmail-users tcp-environ',
    '7': 'forgeries qmail-limits qmail',
    '8': 'qmail-local qmail-lspawn qmail-getpw qmail-remote qmail-rspawn qmail-clean qmail-send '
         'qmail-start splogger qmail-queue qmail-tls qmail-inject qmail-showctl qmail-newmrh '
         'qmail-newu '
         'qmail-pw2u qmail-qread qmail-qstat qmail-tcpok qmail-tcpto qmail-pop3d qmail-popup '
         'qmail-qmqpc qmail-qmqpd qmail-qmtpd qmail-smtpd qmail-command',
}


def wanted():
    """{path: (type, owner, mode, size or None)}"""
    table = {}
    for mode, owner, names in PROGRAMS:
        table.update({'bin/' + name: ('f', owner, mode, None) for name in names.split()})
    for mode, owner, names in DIRECTORIES:
        table.update({name: ('d', owner, mode, None) for name in names.split()})
    for kind in ('mess', 'info', 'local', 'remote'):
        kind = 'queue/' + kind
        table.update({'%s/%d' % (kind, n): table[kind] for n in range(SPLIT)})
    table.update({'configure/' + name: ('f', 'root', 0o755, None) for name in CONFIGURE.split()})
    table['scripts/enable-qmail'] = ('f', 'root', 0o755, None)
    table.update({'boot/' + name: ('f', 'root', 0o755, None) for name in BOOT.split()})
    for section, names in PAGES.items():
        table.update({'man/man%s/%s.%s' % (section, name, section): ('f', 'root', 0o644, None)
                      for name in names.split()})
    table['queue/lock/tcpto'] = ('f', 'qmailr', 0o644, 1024)
    table['queue/lock/tcpto6'] = ('f', 'qmailr', 0o644, 2048)
    table['queue/lock/sendmutex'] = ('f', 'qmails', 0o600, 0)
    table['queue/lock/trigger'] = ('p', 'qmails', 0o622, None)
    return table


def found(sized):
    """The same of what is there; sizes of the paths in `sized`.  Wrong groups are in the type."""
    table = {}
    for where, directories, files in os.walk(HOME):
        for name in ['.'] * (where == HOME) + directories + files:
            path = os.path.relpath(os.path.join(where, name), HOME)
            st = os.lstat(os.path.join(HOME, path))
            kind = {stat.S_IFREG: 'f', stat.S_IFDIR: 'd', stat.S_IFIFO: 'p'}.get(
                stat.S_IFMT(st.st_mode), '?')
            group = grp.getgrgid(st.st_gid).gr_name
            table[path] = (kind if group == 'qmail' else kind + ' of group ' + group,
                           pwd.getpwuid(st.st_uid).pw_name, stat.S_IMODE(st.st_mode),
                           st.st_size if path in sized else None)
    return table


def own_text(path, entry):
    """A page or text of the suite's own, beyond those of qmail-1.03."""
    return (re.fullmatch(r'man/man([1578])/[a-z0-9-]+\.\1|doc/[A-Za-z][A-Za-z.-]*', path) and
            entry == ('f', 'root', 0o644, None))


def compare(what, others=()):
    """Test points: nothing differs, nothing is missing, nothing else is there."""
    want = wanted()
    have = found({path for path, entry in want.items() if entry[3] is not None})
    tap.equal([(path, have.get(path), entry) for path, entry in sorted(want.items())
               if have.get(path) != entry], [], what + ': as in the table')
    tap.equal([(path, entry) for path, entry in sorted(have.items())
               if path not in want and path not in others and not own_text(path, entry)],
              [], what + ': nothing else')
    tap.equal([path for path in others if path not in have], [], what + ': files of others stay')


def setup():
    return subprocess.run([BUILD + '/bin/setup', BUILD], check=False).returncode


def check(what):
    done = subprocess.run([BUILD + '/bin/instcheck', '-w', BUILD], capture_output=True, check=False)
    tap.equal((done.returncode, done.stdout + done.stderr), (0, b''),
              what + ': instcheck is silent')


def write(path, text, mode=0o644, owner='root', group='qmail'):
    path = os.path.join(HOME, path)
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)
    shutil.chown(path, owner, group)
    os.chmod(path, mode)


OTHERS = {
    # path: text, mode, owner, group
    'control/me': ('old.example\n', 0o600, 'root', 'root'),
    'control/locals': ('old.example\n', 0o644, 'joe', 'joe'),
    'users/assign': ('=a:joe:5001:5001:/home/joe:::\n.\n', 0o640, 'root', 'qmail'),
    'alias/.qmail-root': ('&joe\n', 0o644, 'alias', 'nofiles'),
    'rc': ('#!/bin/sh\n# mine\n', 0o755, 'root', 'root'),
    'bin/dot-forward': ('#!/bin/sh\n', 0o755, 'root', 'staff'),
    'man/cat8/qmail-send.0': ('old\n', 0o644, 'root', 'qmail'),
    'doc/FAQ': ('old\n', 0o600, 'joe', 'joe'),
    'queue/mess/3/%d': ('Received: x\n\nbody\n', 0o644, 'qmailq', 'qmail'),
}


def older():
    """Make the tree what it may have been: nothing of ours alone, all else with other modes."""
    for path in ('bin/qmail-todo', 'bin/qmail-qcheck', 'bin/checkpassword', 'queue/lock/tcpto6'):
        os.unlink(os.path.join(HOME, path))
    for path in ('configure', 'scripts', 'man/cat1'):
        shutil.rmtree(os.path.join(HOME, path))
    for folder in ('bin', 'boot', 'man/man1', 'man/man8'):
        for name in os.listdir(os.path.join(HOME, folder)):
            write(os.path.join(folder, name), 'old\n', 0o555, 'joe', 'joe')
    for path in ('bin', 'control', 'alias', 'queue/todo', 'queue/bounce'):
        os.chmod(os.path.join(HOME, path), 0o711)
    os.chmod(HOME + '/queue/lock/trigger', 0o600)


def main():
    tap.ok(len(wanted()) > 200, 'the table is long')
    compare('a new tree')
    check('a new tree')
    older()
    others = {}
    for path, entry in OTHERS.items():
        if '%d' in path:
            write('queue/pid/x', entry[0])
            number = os.stat(HOME + '/queue/pid/x').st_ino
            os.rename(HOME + '/queue/pid/x', HOME + '/queue/mess/%d/%d' % (number % SPLIT, number))
            path = 'queue/mess/%d/%d' % (number % SPLIT, number)
        write(path, *entry)
        others[path] = os.stat(os.path.join(HOME, path))
    lock = os.stat(HOME + '/queue/lock/sendmutex').st_ino
    tap.equal(setup(), 0, 'setup over an older tree')
    compare('an older tree', others)
    check('an older tree')
    tap.equal(os.stat(HOME + '/queue/lock/sendmutex').st_ino, lock, 'the lock is the same file')
    fields = ('st_ino', 'st_mode', 'st_uid', 'st_gid', 'st_size', 'st_mtime')
    tap.equal([path for path, was in others.items() for now in [os.stat(os.path.join(HOME, path))]
               if any(getattr(was, name) != getattr(now, name) for name in fields)],
              [], 'files of others are as they were')
    return tap.done()


sys.exit(main())
