#!/usr/bin/python3
"""qmail-qcheck.t - what qmail-qcheck finds in a queue, and what it makes of it."""
import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

TEXT = b'Received: (qmail 77 invoked by uid 1); 1 Jan 2020 00:00:00 -0000\nSubject: x\n\nbody\n'
TODO = b'u1\0p2\0Fs@x\0Tr@y\0'
BIRTH, DUE = 1000000000, 1000000100
KINDS = ('mess', 'intd', 'todo', 'info', 'local', 'remote', 'bounce')


def check(*options, queue=None, name='qmail-qcheck', answer=b''):
    """(exit code, list of lines, stderr)"""
    done = subprocess.run([name] + list(options) + ([queue] if queue else []), input=answer,
                          executable=q.program('qmail-qcheck'), capture_output=True,
                          timeout=q.PATIENCE, cwd='/', check=False)
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()


def found(*wanted, name, options=(), code=1):
    """Test point: exactly these lines (regular expressions), in any order."""
    got, lines, err = check(*options)
    rest = [line for line in lines if not any(re.fullmatch(one, line) for one in wanted)]
    missing = [one for one in wanted if not any(re.fullmatch(one, line) for line in lines)]
    tap.ok((got, rest, missing, len(lines), err) == (code, [], [], len(wanted), ''), name,
           'code %d\nnot wanted: %s\nmissing: %s\n%s' % (got, rest, missing, err))


def clean(name, *options):
    tap.equal(check(*options), (0, [], ''), name)


def place(kind, number, big=False):
    split = kind in ('mess', 'info', 'local', 'remote') or (big and kind in ('intd', 'todo'))
    return '%s/%d/%d' % (kind, number % q.SPLIT, number) if split else '%s/%d' % (kind, number)


def put(kind, number, data):
    owner = ('qmailq', 0o644) if kind in ('mess', 'intd', 'todo') else ('qmails', 0o600)
    path = q.put(place(kind, number), data, *owner)
    os.utime(path, (BIRTH, BIRTH) if kind == 'info' else (DUE, DUE))
    return path


def message(text=TEXT, **files):
    """A message whose number is its inode: kind=content."""
    path = q.put('pid/1.2.3', text)
    number = os.stat(path).st_ino
    os.rename(path, os.path.join(q.QUEUE, place('mess', number)))
    for kind, data in files.items():
        put(kind, number, data)
    if 'todo' in files and 'intd' in files:
        os.unlink(os.path.join(q.QUEUE, place('intd', number)))
        os.link(os.path.join(q.QUEUE, place('todo', number)),
                os.path.join(q.QUEUE, place('intd', number)))
    return number


def preprocessed():
    return message(info=b'Fs@x\0', local=b'Ta@b\0Dc@d\0', remote=b'Tr@y\0',
                   bounce=b'<c@d>:\nno\n\n')


def one_of_each():
    message()
    message(intd=b'u1\0p')
    message(intd=TODO, todo=TODO)
    message(todo=TODO)
    message(todo=TODO, info=b'F', local=b'Ta')
    message(info=b'F\0')
    preprocessed()


def legal():
    clean('a new queue')
    one_of_each()
    clean('every legal state')
    tap.equal(check('-v')[1], ['%s: split 23, flat todo; messages arriving or going: 1, with an '
                               'envelope arriving: 1, in todo: 3, preprocessed: 2, illegal: 0; '
                               'findings: 0, repaired: 0' % q.QUEUE], '-v counts them')
    clean('-r leaves it alone', '-r')
    for part in range(q.SPLIT):
        for kind in 'todo', 'intd':
            path = '%s/%s/%d' % (q.QUEUE, kind, part)
            os.mkdir(path)
            os.chown(path, *q.ids('qmailq'))
            os.chmod(path, 0o750 if kind == 'todo' else 0o700)
    found(*[r'(todo|intd)/\d+: is in the wrong directory; repair: \1/\d+/\d+'] * 5,
          name='flat files in a queue with the big-todo layout')
    code, lines, _ = check('-r')
    tap.ok(code == 0 and len(lines) == 5 and all('; repaired: ' in line for line in lines),
           'are put where they belong', lines)
    clean('the big-todo layout')
    q.wipe()
    for part in range(q.SPLIT):
        for kind in 'todo', 'intd':
            os.rmdir('%s/%s/%d' % (q.QUEUE, kind, part))


def attributes():
    number = preprocessed()
    for kind, owner, mode in (('mess', 'qmailq', '0644'), ('info', 'qmails', '0600'),
                              ('bounce', 'qmails', '0600')):
        path = os.path.join(q.QUEUE, place(kind, number))
        before = os.stat(path)
        os.chown(path, 0, -1)
        line = r'%s: has owner 0 instead of %s; %%s: chown %s:qmail, chmod %s' % (
            place(kind, number), owner, owner, mode)
        found(line % 'repair', name='owner in ' + kind)
        found(line % 'repair', name='-rn does nothing', options=['-rn'])
        found(line % 'repaired', name='-r repairs it', options=['-r'], code=0)
        os.chmod(path, 0o666)
        line = r'%s: has mode 0666 instead of %s; %%s: .*' % (place(kind, number), mode)
        found(line % 'repair', name='mode in ' + kind)
        found(line % 'repaired', name='-r repairs it', options=['-r'], code=0)
        tap.equal(os.stat(path).st_mtime_ns, before.st_mtime_ns, 'and keeps its mtime')
    os.chown(os.path.join(q.QUEUE, place('info', number)), -1, 0)
    found(r'info/.*: has group 0 instead of qmail; repaired: .*', name='group', options=['-r'],
          code=0)
    os.chown(os.path.join(q.QUEUE, place('mess', number)), -1, 5001)
    clean('the group of a text is that of who sent it')
    for name, mode in (('', 0o750), ('/bounce', 0o700), ('/info/3', 0o700), ('/lock', 0o750)):
        os.chmod(q.QUEUE + name, 0o777)
        found(r'.*%s: has mode 0777 instead of %04o; repaired: .*' % (name[1:] or r'\.', mode),
              name='mode of the directory ' + (name or 'itself'), options=['-r'], code=0)
    clean('all is well')
    os.link(os.path.join(q.QUEUE, place('bounce', number)), q.QUEUE + '/pid/a')
    os.link(q.QUEUE + '/pid/a', q.QUEUE + '/pid/b')
    os.chown(q.QUEUE + '/pid/a', 0, 0)
    code, lines, _ = check('-r')
    tap.ok(code == 1 and any(re.match(r'bounce/\d+: has owner 0 .* not repaired: ', line)
                             for line in lines) and os.stat(q.QUEUE + '/pid/b').st_uid == 0,
           'a file with more names keeps its owner: it may be somebody else\'s', lines)
    q.wipe()


def special():
    for name, missing in (('sendmutex', 0), ('tcpto', 1024), ('trigger', None)):
        path = '%s/lock/%s' % (q.QUEUE, name)
        os.unlink(path)
        line = r'lock/%s: is missing; %%s: create it' % name
        found(line % 'repair', name=name + ' is missing')
        found(line % 'repaired', name='-r makes it', options=['-r'], code=0)
        clean('and gives it to its owner')
        info = os.stat(path)
        tap.ok(stat.S_ISFIFO(info.st_mode) if missing is None else info.st_size == missing,
               'as it should be', info)
    os.truncate(q.QUEUE + '/lock/tcpto', 160)
    found(r'lock/tcpto: has 160 bytes instead of 1024; repaired: .*', name='short tcpto',
          options=['-r'], code=0)
    os.truncate(q.QUEUE + '/lock/tcpto', 1025)
    found(r'lock/tcpto: has 1025 bytes instead of 1024; by hand: .*', name='long tcpto',
          options=['-r'])
    os.truncate(q.QUEUE + '/lock/tcpto', 1024)
    os.unlink(q.QUEUE + '/lock/tcpto6')
    clean('a queue of qmail-1.03 has no tcpto6')
    os.unlink(q.QUEUE + '/lock/trigger')
    q.put('lock/trigger', b'', 'qmails', 0o622)
    found(r'lock/trigger: is a file, not a FIFO; by hand: .*', name='trigger is a file',
          options=['-r'])
    os.unlink(q.QUEUE + '/lock/trigger')
    check('-r')
    shutil.rmtree(q.QUEUE + '/info/7')
    shutil.rmtree(q.QUEUE + '/bounce')
    found(r'(info/7|bounce): is missing; repair: .*', r'bounce: .*', name='directories')
    tap.equal(check('-r')[0], 0, '-r makes them')
    clean('all is well')


def foreign():
    number = preprocessed()
    q.put('README')
    q.put('mess/3/note.txt')
    q.put('mess/3/007')
    q.put('lock/x')
    q.put('pid/odd')
    q.put('pid/12.34.5')
    os.mkdir(q.QUEUE + '/yanked')
    os.symlink('/etc/passwd', '%s/info/5/5' % q.QUEUE)
    os.symlink('/nowhere', '%s/local/6/6' % q.QUEUE)
    os.mkdir('%s/bounce/8' % q.QUEUE)
    os.mkfifo('%s/remote/9/9' % q.QUEUE)
    wanted = [r'(README|mess/3/note.txt|mess/3/007|lock/x): is not part of a queue; it does no '
              r'harm; by hand: .*'] * 4 + [
        r'pid/odd: has a name that .*', r'info/5/5: is a symbolic link, not a file; by hand: .*',
        r'local/6/6: is a symbolic link, not a file; by hand: .*',
        r'bounce/8: is a directory, not a file; by hand: .*',
        r'remote/9/9: is a FIFO, not a file; by hand: .*']
    found(*wanted, name='foreign files, links, directories')
    found(*wanted, name='-r leaves them all alone', options=['-r'])
    q.put('mess/3/a\nb\x7f')
    tap.ok('mess/3/a_b_: ' in '\n'.join(check()[1]), 'strange names are shown harmlessly')
    for name in ('README', 'lock/x', 'mess/3/a\nb\x7f', 'info/5/5', 'local/6/6', 'remote/9/9'):
        os.unlink('%s/%s' % (q.QUEUE, name))
    os.rmdir(q.QUEUE + '/yanked')
    os.rmdir(q.QUEUE + '/bounce/8')
    q.wipe()
    clean('all is well after message %d' % number)


def states():
    number = message(todo=TODO, bounce=b'<x>:\nno\n\n')
    line = (r'bounce/%d: is of an earlier message: this one is still in todo; %%s: remove it'
            % number)
    found(line % 'repair', name='bounce beside todo')
    found(line % 'repaired', name='-r removes it', options=['-r'], code=0)
    clean('S4 is left')
    number = message(info=b'Fs@x\0', intd=TODO)
    line = r'intd/%d: is left over: the message is preprocessed; %%s: remove it' % number
    found(line % 'repair', name='intd beside info')
    found(line % 'repaired', name='-r removes it', options=['-r'], code=0)
    number = message(todo=TODO)
    put('intd', number, b'u1\0')
    found(r'intd/%d: is another file than the one in todo; repaired: remove it' % number,
          name='intd is not todo', options=['-r'], code=0)
    number = message(local=b'Ta@b\0', bounce=b'<x>:\nno\n\n')
    found(*[r'(local|bounce)/.*%d: has no info and no todo: the sender is lost; by hand: .*'
            % number] * 2, name='no info', options=['-r'])
    tap.ok(os.path.exists(os.path.join(q.QUEUE, place('local', number))), 'its files stay')
    q.wipe()
    for kind in KINDS[1:]:
        put(kind, 4600, b'x')
    found(*[r'.*/4600: belongs to no message: there is no text with this number; repair: remove it'
            ] * 6, name='files without text')
    found(*[r'.*/4600: belongs to no message: .*; repaired: remove it'] * 6, name='-r removes them',
          options=['-r'], code=0)
    clean('nothing is left')


LEGAL = {'intd': TODO, 'todo': TODO, 'info': b'Fs@x\0', 'local': b'Ta@b\0', 'remote': b'Tr@y\0',
         'bounce': b'<c@d>:\nno\n\n'}


def is_legal(kinds):
    """By the states S1 to S5 of a message in INTERNALS.md: may it have these files?"""
    if 'mess' not in kinds or 'todo' in kinds:
        return not kinds or ('mess' in kinds and 'bounce' not in kinds)
    return kinds == {'mess', 'intd'} or (
        'intd' not in kinds and ('info' in kinds or kinds == {'mess'}))


def combinations():
    wrong = []
    for bits in range(1 << len(KINDS)):
        kinds = {kind for i, kind in enumerate(KINDS) if bits >> i & 1}
        number = message(**{kind: LEGAL[kind] for kind in sorted(kinds - {'mess'})})
        if 'mess' not in kinds:
            os.unlink(os.path.join(q.QUEUE, place('mess', number)))
        if (check()[0] == 0) != is_legal(kinds):
            wrong.append(sorted(kinds))
        q.wipe()
    tap.equal(wrong, [], 'each of %d sets of files is legal or not as S1 to S5 say' % (bits + 1))


BAD = [('todo', b'u1\0p2\0Fs@x\0Tr@y\0Xz\0', 'has a record of unknown type'),
       ('todo', b'u1\0p2\0Fs@x\0Tr@y', 'ends within a record'),
       ('todo', b'u1\0p2\0Tr@y\0', 'has not exactly one sender'),
       ('todo', b'u1\0p2\0Fa\0Fb\0', 'has not exactly one sender'),
       ('todo', b'p2\0Fs@x\0', r'does not say once who queued the message \(u, p\)'),
       ('todo', b'u1\0px\0Fs@x\0', r'does not say once who queued the message \(u, p\)'),
       ('todo', b'\0', 'has a record of unknown type'),
       ('info', b'', 'has not exactly one sender'),
       ('info', b'Fs@x', 'ends within a record'),
       ('info', b'Ts@x\0', 'has a record of unknown type'),
       ('info', b'Fs@x\0Fy\0', 'has not exactly one sender'),
       ('local', b'', 'has no recipient'),
       ('local', b'Ta@b\0D', 'ends within a record'),
       ('remote', b'Ka@b\0', 'has a record of unknown type'),
       ('remote', b'T' + b'a' * 65537 + b'\0', 'has a record that is too long'),
       ('bounce', b'', 'is not a list of failures with a blank line after each'),
       ('bounce', b'x\n\n', 'is not a list of failures with a blank line after each'),
       ('bounce', b'<a@b>:\nno\n', 'is not a list of failures with a blank line after each')]


def records():
    for kind, data, what in BAD:
        rest = {} if kind == 'todo' else {'info': b'Fs@x\0'}
        number = message(**dict(rest, **{kind: data}))
        found(r'%s: %s; by hand: .*' % (place(kind, number), what), options=['-r'],
              name='%s %r' % (kind, data[:20]))
        q.wipe()
    for text in (b'', b'Received: (qmai', b'\0' * 500):
        number = message(text, todo=TODO)
        found(r'mess/.*: does not begin with the Received line of qmail-queue; by hand: .*',
              name='text %r' % text[:20])
        q.wipe()
    message(b'', intd=b'')
    clean('what is still arriving may be incomplete')
    q.wipe()
    message(remote=b'T' + b'a' * 65536 + b'\0', info=b'F' + b's' * 1002 + b'\0')
    clean('the longest records')
    q.wipe()


def contents():
    """mtime and bytes of each file by kind and message text."""
    seen = {}
    for kind in KINDS:
        for path in q.files(kind):
            info = os.stat(os.path.join(q.QUEUE, path))
            number = int(os.path.basename(path))
            text = q.read(place('mess', number))
            seen[kind, text] = (q.read(path), info.st_mtime_ns)
    return seen


def copied(n=40):
    """A queue whose inodes are all different now, and numbers in use by one another."""
    for i in range(n):
        text = TEXT + b'%d\n' % i
        if i % 3 == 0:
            message(text, intd=TODO + b'T%d\0' % i, todo=TODO + b'T%d\0' % i)
        else:
            message(text, info=b'F%d\0' % i, local=b'T%d@b\0' % i,
                    **({'bounce': b'<%d>:\nno\n\n' % i} if i % 2 else {}))
    before = contents()
    numbers = sorted(int(os.path.basename(path)) for path in q.files('mess'))
    names = dict(zip(numbers, numbers[1:] + numbers[:1]))       # all move by one
    for kind in KINDS:
        for path in q.files(kind):
            path = os.path.join(q.QUEUE, path)
            os.rename(path, path + '-')
    for kind in KINDS:
        for path in q.files(kind):
            number = int(os.path.basename(path)[:-1])
            os.rename(os.path.join(q.QUEUE, path),
                      os.path.join(q.QUEUE, place(kind, names[number])))
    return before


def renumbered():
    before = copied()
    found(*[r'mess/\d+/(\d+): is inode (\d+); the next message with inode \1 cannot be queued; '
            r'repair: rename the files of \1 to \2'] * 40, name='numbers that are not inodes')
    code, lines, _ = check('-r')
    tap.ok(code == 0 and len(lines) == 40, 'all get their numbers', lines)
    clean('the queue is legal')
    tap.equal(contents(), before, 'every file is still with its text, mtimes and bytes kept')
    q.wipe()
    before = copied()
    tap.equal(check('-v', name='queue-fix', queue=q.QUEUE)[1][-1:], ['queue-fix finished...'],
              'queue-fix does the same')
    clean('with the same result')
    tap.equal(contents(), before, 'mtimes and bytes kept')
    q.wipe()
    number = preprocessed()
    put('info', number + 1, b'Fstale\0')
    for kind in ('mess', 'info', 'local', 'remote', 'bounce'):
        os.rename(os.path.join(q.QUEUE, place(kind, number)),
                  os.path.join(q.QUEUE, place(kind, number + q.SPLIT * 5)))
    put('info', number, b'Fstale\0')
    tap.equal(check('-r')[0], 0, 'stale files in the way of a new number')
    tap.equal(q.read(place('info', number)), b'Fs@x\0', 'are removed, not taken')
    clean('nothing else is left')
    q.wipe()


def interrupted():
    """Killed before each change to the queue in turn, the repair is completed by the next."""
    n = 0
    while True:
        n += 1
        before = copied(5)
        done = subprocess.run(['strace', '-qq', '-o', '/dev/null', '-e', 'trace=renameat2,unlink',
                               '-e', 'inject=renameat2:signal=KILL:when=%d' % n,
                               q.program('qmail-qcheck'), '-r'], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode == 0:
            break
        code, lines, err = check('-r')
        if (code, err) != (0, '') or check() != (0, [], '') or contents() != before:
            tap.ok(False, 'killed at rename %d' % n, (code, lines, err, q.files(*KINDS)))
            break
        q.wipe()
    tap.ok(n > 25, 'killed at each of %d renames, run again: all is there' % (n - 1), done.stderr)
    q.wipe()


def misplaced():
    before = {}
    for i in range(10):
        message(TEXT + b'%d\n' % i, info=b'Fs%d@x\0' % i, local=b'Ta@b\0')
    before = contents()
    for path in q.files('mess', 'info', 'local'):
        kind, sub, name = path.split('/')
        os.rename(os.path.join(q.QUEUE, path),
                  '%s/%s/%d/%s' % (q.QUEUE, kind, (int(sub) + 1) % q.SPLIT, name))
    found(*[r'(\w+)/\d+/(\d+): is in the wrong directory; repair: \1/\d+/\2'] * 30,
          name='files in wrong directories')
    tap.equal(check('-r')[0], 0, 'are put into the right ones')
    tap.equal(contents(), before, 'unchanged')
    number = int(os.path.basename(q.files('mess')[0]))
    twin = 'mess/%d/%d' % ((number + 1) % q.SPLIT, number)
    q.put(twin)
    found(twin + r': is in the wrong directory; not repaired: mess/.*: file already exists',
          name='two files with one number', options=['-r'])
    q.wipe()


def split():
    for i in range(30):
        message(TEXT + b'%d\n' % i, info=b'Fs%d@x\0' % i, remote=b'Ta@b\0', bounce=b'<c>:\nno\n\n')
    before = contents()
    code, lines, _ = check('-r', '-s', '7')
    tap.ok(code == 0, 'another split', lines)
    tap.equal(check('-s', '7'), (0, [], ''), 'is right with -s')
    found(r'mess: is split into 7 directories, programs expect 23; by hand: .*',
          name='wrong without')
    code, lines, err = check('-r')
    tap.ok(code == 111 and 'another split' in err and lines == [], '-r alone does not change it',
           err)
    tap.equal(check('-r', '-s', '23')[0], 0, 'back')
    clean('as it was')
    tap.equal(contents(), before, 'unchanged')
    shutil.rmtree(q.QUEUE + '/mess/7')
    lost = [path for path in q.files('info', 'remote') if '/7/' in path]
    put('info', 7, b'Fx\0')
    code, lines, _ = check('-r')
    tap.ok(code == 1 and sum('directories of mess were missing' in line for line in lines) >
           len(lost) and os.path.exists(q.QUEUE + '/info/7/7'),
           'nothing is removed from a queue with a hole', lines)
    tap.equal(check('-r')[0], 0, 'but next time')
    os.rename(q.QUEUE + '/mess', q.QUEUE + '/mess.away')
    code, lines, err = check('-r')
    tap.ok(code == 111 and lines == [] and 'unable to find a queue here' in err,
           'no mess: no queue', err)
    os.rename(q.QUEUE + '/mess.away', q.QUEUE + '/mess')
    q.wipe()


def running():
    number = preprocessed()
    os.chmod(os.path.join(q.QUEUE, place('info', number)), 0o644)
    with open(q.QUEUE + '/lock/sendmutex', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tap.equal(check('-r'),
                  (111, [], 'qmail-qcheck: fatal: unable to repair while qmail-send is '
                                'running; it holds lock/sendmutex\n'), 'no repair while running')
        tap.equal([check()[0], check('-rn')[0]], [1, 1], 'but it can look')
    tap.equal(check('-r')[0], 0, 'stopped: repaired')
    q.wipe()


def faces():
    number = preprocessed()
    info = os.path.join(q.QUEUE, place('info', number))
    os.chmod(info, 0o644)
    os.unlink(q.QUEUE + '/lock/tcpto')
    fix = dict(name='/some/where/queue-fix', queue=q.QUEUE)
    code, lines, _ = check('-N', **fix)
    tap.ok(code == 1 and len(lines) == 2, 'queue-fix -N says it', lines)
    code, lines, err = check('-i', answer=b'yes\nno\n', **fix)
    tap.ok(code == 1 and len(lines) == 1 and 'mode 0644' in lines[0] and
           err == 'create what is missing? (y/n) correct owners and modes? (y/n) ',
           'queue-fix -i asks for each kind', (lines, err))
    tap.equal(check(**fix), (1, [], ''), 'queue-fix repairs silently and exits 1')
    tap.equal(check(**fix), (0, [], ''), 'and 0 once there is nothing')
    q.put('pid/1.2.3')
    tap.ok('was left by qmail-queue' in check(**fix)[1][0], 'it tells about files in pid')
    clean('qmail-qcheck does not')
    os.unlink(q.QUEUE + '/pid/1.2.3')
    shutil.copytree(q.QUEUE, '/tmp/copy', ignore=lambda where, names: ['trigger'])
    tap.equal(check('-r', queue='/tmp/copy')[0], 0, 'a copy elsewhere is repaired')
    tap.equal(check(queue='/tmp/copy'), (0, [], ''), 'completely')
    os.symlink(q.program('qmail-qcheck'), '/tmp/queue-fix')
    done = subprocess.run(['/tmp/queue-fix', '-v', '/tmp/copy'], capture_output=True, check=False)
    tap.equal((done.returncode, done.stdout), (0, b'queue-fix finished...\n'), 'a link to it')
    shutil.rmtree('/tmp/copy')
    for wrong, name in ((['-x'], None), (['-s'], None), (['-s', '0'], None),
                        (['-s', '65001'], None), (['-s', '1x'], None), (['a', 'b'], None),
                        (['-i'], None), ([], 'queue-fix'), (['-iN', '/'], 'queue-fix'),
                        (['-r', '/'], 'queue-fix')):
        code, lines, err = check(*wrong, name=name or 'qmail-qcheck')
        tap.ok((code, lines) == (100, []) and 'usage: %s [' % (name or 'qmail-qcheck') in err,
               'usage: %s %s' % (name, wrong), err)
    tap.equal(check(queue='/nowhere'), (111, [], 'qmail-qcheck: fatal: unable to chdir to /nowhere:'
                                        ' file does not exist\n'), 'no such directory')
    tap.equal(check('-s', '65000')[0], 1, 'largest split')
    done = subprocess.run([q.program('qmail-qcheck')], capture_output=True, check=False,
                          preexec_fn=q.become('joe'))
    tap.equal(done.returncode, 111, 'not for everybody')
    q.wipe()


for step in (legal, attributes, special, foreign, states, combinations, records, renumbered,
             interrupted, misplaced, split, running, faces):
    tap.note(step.__name__)
    tap.attempt(step.__name__ + ' went through', step)
    q.wipe()
sys.exit(tap.done())
