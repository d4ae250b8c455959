#!/usr/bin/python3
"""checkpassword as a black box: who may log in, and as whom the program runs."""
import os
import resource
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap

PROGRAM = '/var/qmail/bin/checkpassword'
DAY = int(time.time()) // 86400


def run(data, *argv, fd3=True, **options):
    """Returns the exit code and the output."""
    read, write = os.pipe()
    if not os.fork():
        os.close(read)
        try:
            os.write(write, data)
        except BrokenPipeError:
            pass                            # more than it wants to read
        os._exit(0)
    os.close(write)
    command = 'exec "$0" "$@" 3<&%d' % read if fd3 else 'exec "$0" "$@" 3<&-'
    done = subprocess.run(['sh', '-c', command, PROGRAM] + list(argv), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, pass_fds=(read,), **options)
    os.close(read)
    os.wait()
    return done.returncode, done.stdout.decode()


def code(data, **options):
    return run(data, 'true', **options)[0]


def hash_of(name):
    with open('/etc/shadow') as file:
        for line in file:
            if line.startswith(name + ':'):
                return line.split(':')[1]
    raise KeyError(name)


def shadow(name, fields):
    """Replaces the line of this account."""
    with open('/etc/shadow') as file:
        lines = [line for line in file if not line.startswith(name + ':')]
    if fields is not None:
        lines.append(name + ':' + fields + '\n')
    with open('/etc/shadow', 'w') as file:
        file.writelines(lines)


def test_interface():
    good = b'joe\0joe-secret\0<1.2@h>\0'
    tap.equal(code(good), 0, 'right password')
    tap.equal(code(b'joe\0joe-secret\0'), 0, 'no timestamp')
    tap.equal(code(b'joe\0joe-secret\0<1.2'), 0, 'timestamp without an end')
    tap.equal(code(good + b'more\0and\0more'), 0, 'further bytes')
    for size, want in ((512, 0), (513, 1), (100000, 1)):
        tap.equal(code(good + b'x' * (size - len(good))), want, '%d bytes' % size)
    for data in (b'', b'joe', b'joe\0', b'joe\0joe-secret', b'joe joe-secret'):
        tap.equal(code(data), 2, 'incomplete: %r' % data)
    tap.equal(run(good)[0], 2, 'no program')
    tap.equal(code(good, fd3=False), 2, 'descriptor 3 is closed')
    tap.equal(run(good, '/nowhere/x')[0], 111, 'the program does not exist')
    tap.equal(run(good, 'sh', '-c', 'exit 7')[0], 7, 'exit code of the program')
    tap.equal(code(good, user='ann', stderr=subprocess.DEVNULL), 126, 'installed for root alone')


def test_account():
    env = dict(os.environ, USER='x', HOME='/x', SHELL='/x', KEPT='yes')
    want = {'id -u': '5001', 'id -g': '5001', 'id -G': '5001', 'pwd': '/home/joe',
            'echo "$USER"': 'joe', 'echo "$HOME"': '/home/joe', 'echo "$SHELL"': '/bin/sh',
            'echo "$KEPT"': 'yes', 'ls -d /proc/self/fd/3 2>&-': '',
            'grep -c "^.*[UG]id:.5001.5001.5001.5001$" /proc/self/status': '2'}
    for command, output in want.items():
        got = run(b'joe\0joe-secret\0\0', 'sh', '-c', command, env=env,
                  extra_groups=[0, 4, 24])
        tap.equal(got[1].strip(), output, command)
    os.rename('/home/joe', '/home/moved')
    tap.equal(code(b'joe\0joe-secret\0\0'), 111, 'no home directory')
    os.rename('/home/moved', '/home/joe')


def test_refused():
    good = hash_of('joe')
    for name, password in (('joe', 'wrong'), ('joe', ''), ('joe', 'joe-secret '),
                           ('joe', 'joe-secre'),
                           ('JOE', 'joe-secret'), ('nobody-here', 'x'), ('', ''), ('', 'x'),
                           ('joe', good), ('ann', 'joe-secret'), ('qmaild', ''), ('qmaild', '*'),
                           ('joe:x', 'joe-secret'), ('../joe', 'x'), ('\n', 'x'),
                           ('joe', 'x' * 400)):
        tap.equal(code(name.encode() + b'\0' + password.encode() + b'\0\0'), 1,
                  'refused: %r %r' % (name, password[:20]))
    rows = [('no password', '', '', 1), ('no password, none given', '', None, 1),
            ('locked', '!' + good, None, 1), ('locked', '*', '*', 1), ('locked', '!', '!', 1),
            ('locked', '*0', '*0', 1), ('plain text', 'joe-secret', None, 1),
            ('unknown kind of hash', '$zz$x$y', None, 1)]
    for name, field, password, want in rows:
        shadow('joe', field + ':19000:0:99999:7:::')
        text = 'joe-secret' if password is None else password
        tap.equal(code(b'joe\0' + text.encode() + b'\0\0'), want, '%s: %s' % (name, field[:10]))
    for name, fields, want in (
            ('never expires', '19000:0:99999:7:::', 0), ('nothing set', '::::::', 0),
            ('expires tomorrow', '19000:::::%d:' % (DAY + 1), 0),
            ('expired today', '19000:::::%d:' % DAY, 1), ('expired', '19000:::::1:', 1),
            ('expired on day 0', '19000:::::0:', 1),
            ('password good for today', '%d:0:10:7:::' % (DAY - 10), 0),
            ('password too old', '%d:0:10:7:::' % (DAY - 11), 1),
            ('password must be changed', '0:0:99999:7:::', 1)):
        shadow('joe', good + ':' + fields)
        tap.equal(code(b'joe\0joe-secret\0\0'), want, name)
    shadow('joe', None)
    tap.equal(code(b'joe\0joe-secret\0\0'), 1, 'no shadow entry')
    shadow('joe', good + ':19000:0:99999:7:::')
    shadow('root', good + ':19000:0:99999:7:::')
    tap.equal(code(b'root\0joe-secret\0\0'), 1, 'root with the right password')
    with open('/etc/passwd', 'a') as file:
        file.write('toor:x:0:0::/root:/bin/sh\nold:%s:5003:5003::/home/joe:/bin/sh\n' % good)
    shadow('toor', good + ':19000:0:99999:7:::')
    tap.equal(code(b'toor\0joe-secret\0\0'), 1, 'another account with uid 0')
    tap.equal(run(b'old\0joe-secret\0\0', 'id', '-u'), (0, '5003\n'), 'the hash stands in passwd')


def test_kinds():
    for kind in ('$y$', '$6$', '$5$', '$2b$', '$1$', ''):
        made = subprocess.run(['perl', '-e', 'print crypt("pw-x", shift)',
                               {'$y$': '$y$j9T$abcdefgh', '$2b$': '$2b$05$' + 'a' * 22,
                                '': 'ab'}.get(kind, kind + 'saltsalt')],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        tap.ok(made.startswith(kind) and len(made) > 10, 'hash %s' % kind, made)
        shadow('joe', made + ':19000:0:99999:7:::')
        tap.equal((code(b'joe\0pw-x\0\0'), code(b'joe\0pw-y\0\0')), (0, 1), 'kind %r' % kind)


def test_memory():
    """This kind of hash wants 16 MB; without them nobody knows."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (16 << 20, 16 << 20))
    logins = (b'joe', b'pw-x'), (b'joe', b'wrong'), (b'nobody-here', b'x')
    # An unknown name is done the way new passwords are.
    for setting, wanted in (('$y$j9T$abcdefgh', [111, 111, 111]), ('$6$saltsalt', [0, 1, 111])):
        made = subprocess.run(['perl', '-e', 'print crypt("pw-x", shift)', setting],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        shadow('joe', made + ':19000:0:99999:7:::')
        tap.equal([code(name + b'\0' + word + b'\0\0', preexec_fn=limit)
                   for name, word in logins], wanted, 'in 16 MB: ' + setting)


def work(data):
    """Processor time of one run, the least of some.  User and system time apart are guesses of the
    kernel, their sum is not."""
    best = None
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code(data)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = spent if best is None else min(best, spent)
    return best


def test_time():
    """Unknown names cost what known ones cost; counted as work, since a clock would be noise."""
    made = subprocess.run(['perl', '-e', 'print crypt("pw-x", shift)', '$y$j9T$abcdefgh'],
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    shadow('joe', made + ':19000:0:99999:7:::')
    spent = {name: work(name + b'\0wrong\0\0') for name in (b'joe', b'nobody-here', b'qmaild')}
    least = work(b'joe\0')                  # incomplete: no password is looked at
    tap.ok(min(spent.values()) * 2 >= max(spent.values()),
           'the work of a hash is done for every name', spent)
    tap.ok(least < min(spent.values()) / 2, 'and is most of the work', (least, spent))


def main():
    test_interface()
    test_account()
    test_refused()
    test_kinds()
    if not os.environ.get('SAN'):       # which wants more memory
        test_memory()
    test_time()
    return tap.done()


sys.exit(main())
