#!/usr/bin/python3
"""Users of users/poppasswd as black boxes: qmail-newpw, checkpassword-cdb, checkpassword-smtp."""
import hashlib
import hmac
import os
import pwd
import shutil
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
import tap

BIN = '/var/qmail/bin/'
USERS = '/var/qmail/users/'
STAMP = '<1.2@mx.example>'
KINDS = {'yescrypt': '$y$j9T$abcdefgh', 'sha512': '$6$saltsalt',
         'sha512 rounds': '$6$rounds=2000$salt',
         'sha256': '$5$saltsalt', 'bcrypt': '$2b$05$' + 'a' * 22, 'md5': '$1$saltsalt',
         'scrypt': '$7$BU..../....abcdefgh', 'sunmd5': '$md5$abcdefgh', 'gost': '$gy$j9T$abcdefgh',
         'bsdi': '_J9..abcd', 'des': 'ab'}


def crypt(word, setting):
    return subprocess.run(['perl', '-e', 'print crypt($ARGV[0], $ARGV[1])', word, setting],
                          stdout=subprocess.PIPE, check=True).stdout.decode()


def write(name, text, mode=0o600):
    with open(USERS + name, 'w', encoding='latin-1') as file:
        file.write(text)
    os.chmod(USERS + name, mode)


def newpw():
    done = subprocess.run([BIN + 'qmail-newpw'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd='/')
    return done.returncode, done.stderr.decode() + done.stdout.decode()


def check(data, *argv, program='checkpassword-cdb', **options):
    """Returns exit code, output."""
    read, write_end = os.pipe()
    os.write(write_end, data)
    os.close(write_end)
    done = subprocess.run(['sh', '-c', 'exec "$0" "$@" 3<&%d' % read, BIN + program] + list(argv),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          pass_fds=(read,), **options)
    os.close(read)
    return done.returncode, done.stdout.decode()


def fields(*texts):
    return b''.join(text.encode('latin-1') + b'\0' for text in texts)


def code(name, word, third='', **options):
    return check(fields(name, word, third), 'true', **options)[0]


def test_newpw():
    tap.equal(newpw(), (111, 'qmail-newpw: fatal: unable to read users/poppasswd: '
                        'file does not exist\n'), 'no source')
    tap.equal(os.listdir(USERS), [], 'nothing is left')
    good = 'joe:%s:5001:5001:/home/joe:Maildir\n' % crypt('pw', '$6$salt')
    write('poppasswd', '# comment\n\n' + good)
    tap.equal(newpw(), (0, ''), 'good')
    status = os.stat(USERS + 'poppasswd.cdb')
    tap.equal((status.st_mode & 0o7777, pwd.getpwuid(status.st_uid).pw_name), (0o400, 'qmailp'),
              'who may read it')
    tap.equal(sorted(os.listdir(USERS)), ['poppasswd', 'poppasswd.cdb'], 'nothing else is there')
    with open(USERS + 'poppasswd.cdb', 'rb') as file:
        before = file.read()
    for text, line, why in (('joe\n', 1, 'it has no colon'),
                            (good + ':x:y:/z\n', 2, 'the name is empty'),
                            (good + 'x:y:z\n', 2, 'it has neither four fields nor six'),
                            ('\n\nx:h:0:1:/x:y\n', 3, 'an id is 0'),
                            ('x:h:1:g:/x:y\n', 1, 'an id is no number'),
                            ('x:h:p:home\n', 1, 'the directory is not absolute'),
                            ('x:h::/home\n', 1, 'the account is empty'),
                            ('x:h\x01:p:/home\n', 1, 'it has a control character')):
        write('poppasswd', text)
        tap.equal(newpw(), (111, 'qmail-newpw: fatal: bad format in users/poppasswd\n'
                            'qmail-newpw: it is line %d: %s\n' % (line, why)),
                            'bad line: %r' % text[-20:])
        with open(USERS + 'poppasswd.cdb', 'rb') as file:
            tap.equal(file.read() == before, True, 'the database is as it was')
    write('poppasswd', good, 0o644)
    tap.equal(newpw(), (0, 'qmail-newpw: warning: everybody can read or write users/poppasswd\n'),
              'mode')
    write('poppasswd', good)
    write('popsecrets', 'joe:a secret: with colon\n')
    tap.equal(newpw(), (0, ''), 'secrets')
    tap.equal(os.stat(USERS + 'popsecrets.cdb').st_mode & 0o7777, 0o400, 'who may read them')
    write('popsecrets', 'joe\n')
    tap.equal(newpw()[0], 111, 'bad secrets')
    os.unlink(USERS + 'popsecrets')
    tap.equal((newpw()[0], os.path.exists(USERS + 'popsecrets.cdb')), (0, False),
              'secrets that are gone are gone')
    os.symlink('/etc/passwd', USERS + 'poppasswd.tmp')
    tap.equal(newpw()[0], 111, 'a link in the place of the temporary file')
    os.unlink(USERS + 'poppasswd.tmp')
    os.mkdir(USERS + 'popsecrets')
    tap.equal(newpw()[0], 111, 'an unreadable source')
    os.rmdir(USERS + 'popsecrets')
    results = []
    threads = [threading.Thread(target=lambda: results.append(newpw())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.equal(results, [(0, '')] * 8, 'eight at once')
    for call in ('write', 'fsync', 'rename', 'fchown', 'fchmod'):
        if os.environ.get('SAN'):
            break
        done = subprocess.run(['strace', '-qq', '-o', '/dev/null', '-e',
                               'inject=%s:error=EIO:when=1' % call,
                               BIN + 'qmail-newpw'], stderr=subprocess.DEVNULL)
        tap.equal((done.returncode, sorted(os.listdir(USERS))),
                  (111, ['poppasswd', 'poppasswd.cdb']),
                  call + ' fails')


def users():
    lines = ['%s:%s:5001:5001:/home/joe:Maildir' % (name, crypt('right ' + name, setting))
             for name, setting in KINDS.items()]
    good = crypt('pw', '$6$rounds=1000$salt')
    lines += ['plesk:%s:joe:/home/ann' % good, 'joe@a.example:%s:5002:5001:/home/joe:./Mail' % good,
              'locked:!%s:5001:5001:/home/joe:M' % good, 'star:*:5001:5001:/home/joe:M',
              'empty::5001:5001:/home/joe:M', 'clear:pw:5001:5001:/home/joe:M',
              'noaccount:%s:nobody-here:/home/joe' % good, 'isroot:%s:root:/root' % good,
              'nohome:%s:5001:5001:/nowhere:M' % good, 'twice:%s:5001:5001:/home/joe:M' % good,
              'twice:*:5001:5001:/home/joe:M']
    write('poppasswd', ''.join(line + '\n' for line in lines))
    write('popsecrets', 'plesk:tanstaaf\nstar:only: a digest\nlocked:x\nghost:x\n')
    tap.equal(newpw()[0], 0, 'database')


def test_passwords():
    for name in KINDS:
        tap.equal((code(name, 'right ' + name), code(name, 'wrong ' + name)), (0, 1),
                  'crypt: ' + name)
    rows = [('plesk', 'pw', 0), ('Plesk', 'pw', 1), ('plesk', 'PW', 1), ('plesk', '', 1),
            ('', '', 1),
            ('', 'pw', 1), ('nobody-here', 'pw', 1), ('locked', 'pw', 1), ('star', 'pw', 1),
            ('star', '*', 1),
            ('empty', '', 1), ('clear', 'pw', 1), ('noaccount', 'pw', 111), ('noaccount', 'x', 1),
            ('isroot', 'pw', 1), ('nohome', 'pw', 111), ('twice', 'pw', 0),
            ('plesk', 'tanstaaf', 1),
            ('joe', 'joe-secret', 1)]
    for name, word, want in rows:
        tap.equal(code(name, word), want, 'login %r %r' % (name, word))
    for data, want in ((b'', 2), (b'plesk\0', 2), (b'plesk\0pw', 2), (b'plesk\0pw\0', 0),
                       (b'plesk\0pw\0x', 0), (b'plesk\0pw\0x\0more', 0),
                       (b'plesk\0pw\0' + b'x' * 503, 0),
                       (b'plesk\0pw\0' + b'x' * 504, 1)):
        tap.equal(check(data, 'true')[0], want, 'input of %d bytes' % len(data))
    tap.equal(check(fields('plesk', 'pw', ''))[0], 2, 'no program')
    tap.equal(check(fields('plesk', 'pw', ''), '/nowhere/x')[0], 111, 'no such program')
    tap.equal(check(fields('plesk', 'pw', ''), 'sh', '-c', 'exit 7')[0], 7,
              "the program's exit code")


def apop(secret):
    return hashlib.md5((STAMP + secret).encode()).hexdigest()


def cram(secret):
    return hmac.new(secret.encode(), STAMP.encode(), 'md5').hexdigest()


def test_digests():
    for program in ('checkpassword-cdb', 'checkpassword-smtp'):
        for digest in (apop, cram):
            rows = [('plesk', 'tanstaaf', 0), ('star', 'only: a digest', 0), ('plesk', 'x', 1),
                    ('locked', 'x', 1), ('ghost', 'x', 1), ('plesk', '', 1), ('twice', '', 1),
                    ('nobody-here', '', 1)]
            for name, secret, want in rows:
                tap.equal(code(name, digest(secret), STAMP, program=program), want,
                          '%s, %s: %s' % (program, digest.__name__, name))
        tap.equal(code('plesk', hashlib.md5(b'tanstaaf').hexdigest(), '', program=program), 1,
                  'no challenge, no digest')
        tap.equal(code('plesk', 'pw', STAMP, program=program), 0, 'a password beside a challenge')


def test_become():
    env = dict(os.environ, USER='x', HOME='/x', SHELL='/x', KEPT='yes', MAILDIR='old')
    script = ('id -u; id -g; id -G; pwd; echo "$USER $HOME $SHELL $KEPT $MAILDIR"; '
              'ls -d /proc/self/fd/3 2>&-')
    for name, want in (
            ('plesk', ['5001', '5001', '5001', '/home/ann', 'plesk /home/ann /bin/false yes old']),
            ('joe@a.example', ['5002', '5001', '5001', '/home/joe',
                               'joe@a.example /home/joe /bin/false yes ./Mail'])):
        got = check(fields(name, 'pw', ''), 'sh', '-c', script, env=env, extra_groups=[0, 4])
        tap.equal(got[1].split('\n')[:-1], want, 'becomes ' + name)


def test_smtp():
    def run(*argv, data=fields('plesk', 'pw', ''), **options):
        return check(data, *argv, program='checkpassword-smtp', **options)
    daemon = {'user': 'qmaild', 'group': 'nofiles', 'extra_groups': []}
    tap.equal(run('true', **daemon)[0], 0, 'qmaild: right')
    tap.equal(run('true', data=fields('plesk', 'x', ''), **daemon)[0], 1, 'qmaild: wrong')
    tap.equal(run('true', data=fields('isroot', 'pw', ''), **daemon)[0], 0, 'nobody is become')
    tap.equal(run('true', user='joe', group='joe', extra_groups=[])[0], 111, 'joe is not served')
    tap.equal(run('true', user='qmailp', group='nofiles', extra_groups=[])[0], 111, 'nor is qmailp')
    tap.equal(run(**daemon)[0], 2, 'no program')
    tap.equal(run('/nowhere/x', **daemon)[0], 111, 'no such program')
    uid = str(pwd.getpwnam('qmaild').pw_uid)
    script = ('grep -c "^[UG]id:.\\([0-9]*\\).\\1.\\1.\\1$" /proc/self/status; '
              'id -u; pwd; ls /proc/self/fd | wc -l')
    tap.equal(run('sh', '-c', script, cwd='/tmp', **daemon)[1].split('\n')[:-1],
              ['2', uid, '/tmp', '4'],
              'the program runs as the caller, where the caller is')
    evil = {'PATH': '/usr/bin:/bin', 'LD_PRELOAD': '/tmp/evil.so', 'MALLOC_CHECK_': '3',
            'TZ': '/etc/shadow'}
    tap.equal(run('true', env=evil, **daemon)[0], 0, 'a hostile environment')
    limits = ['--nofile=4', '--fsize=0', '--nproc=1']
    # A sanitizer wants more memory than that.
    for limit in limits + ([] if os.environ.get('SAN') else ['--as=100000000']):
        read, end = os.pipe()
        os.write(end, fields('plesk', 'wrong', ''))
        os.close(end)
        done = subprocess.run(['sh', '-c',
                               'exec prlimit %s %scheckpassword-smtp true 3<&%d'
                               % (limit, BIN, read)],
                              pass_fds=(read,), stderr=subprocess.DEVNULL, **daemon)
        os.close(read)
        tap.ok(done.returncode in (1, 111, 127), 'under %s never a yes' % limit, done.returncode)
    done = subprocess.run(['sh', '-c', 'exec %scheckpassword-smtp true 0<&- 1>&- 2>&- 3<&-' % BIN],
                          **daemon)
    tap.equal(done.returncode, 2, 'no descriptors at all')
    reader, writer = os.pipe()
    process = subprocess.Popen(['sh', '-c', 'exec %scheckpassword-smtp true 3<&%d' % (BIN, reader)],
                               pass_fds=(reader,), **daemon)
    while 'checkpassword' not in open('/proc/%d/comm' % process.pid).read():
        time.sleep(0.01)
    tap.equal(subprocess.run(['cat', '/proc/%d/mem' % process.pid,
                              '/proc/%d/environ' % process.pid],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             **daemon).returncode, 1,
              'its memory is not for the caller')
    os.close(writer)
    process.wait(30)
    os.close(reader)


def test_store():
    keep = USERS + 'poppasswd.cdb'
    shutil.move(keep, '/tmp/keep')
    for program in ('checkpassword-cdb', 'checkpassword-smtp'):
        tap.equal(code('plesk', 'pw', program=program), 111, program + ': no database')
        for text in ('', 'x', 'x' * 5000):
            write('poppasswd.cdb', text, 0o644)
            tap.equal(code('plesk', 'pw', program=program), 111, 'damaged: %d bytes' % len(text))
        os.unlink(keep)
        os.mkdir(keep)
        tap.equal(code('plesk', 'pw', program=program), 111, 'unreadable')
        os.rmdir(keep)
    shutil.move('/tmp/keep', keep)
    os.chown(keep, pwd.getpwnam('qmailp').pw_uid, -1)
    write('popsecrets.cdb', 'x', 0o644)
    tap.equal(code('plesk', 'pw'), 111, 'damaged secrets')
    os.unlink(USERS + 'popsecrets.cdb')
    tap.equal(code('plesk', 'pw'), 0, 'no secrets')


def test_time():
    """Who does not exist costs what a wrong password costs.  Instructions are counted, if the
    machine can; else the processor time of many logins is compared, generously."""
    def cost(name):
        spent = []
        for _ in range(9):
            before = os.times()
            code(name, 'wrong')
            after = os.times()
            spent.append(after.children_user + after.children_system -
                         before.children_user - before.children_system)
        return statistics.median(spent)
    write('poppasswd', 'joe:%s:5001:5001:/home/joe:M\nlocked:*:5001:5001:/home/joe:M\n' %
          crypt('pw', '$6$rounds=300000$salt'))
    newpw()
    known = cost('joe')
    for name in ('nobody-here', 'locked', ''):
        other = cost(name)
        tap.ok(0.5 * known <= other <= 2 * known, 'as much work for %r' % name, (known, other))


def test_servers():
    """Behind qmail-smtpd, as qmaild, by SMTPAUTH alone; and behind qmail-popup, as root."""
    import base64
    netserver.set_up()
    login = base64.b64encode(b'\0plesk\0pw').decode()
    server = netserver.Server('qmail-smtpd', env={'SMTPAUTH': ''})
    reply, _ = netserver.exchange(server, 'EHLO x\r\nAUTH PLAIN %s\r\n' % login)
    tap.ok('250-AUTH LOGIN PLAIN\r\n' in reply and '235 ok' in reply, 'qmail-smtpd', reply)
    netserver.tear_down()
    done = subprocess.run([BIN + 'qmail-popup', 'mx.example', BIN + 'checkpassword-cdb', 'sh', '-c',
                           'id -u; pwd'], input=b'USER plesk\r\nPASS pw\r\n',
                           stdout=subprocess.PIPE)
    tap.ok(done.stdout.endswith(b'+OK \r\n5001\n/home/ann\n'), 'qmail-popup', done.stdout)


def main():
    test_newpw()
    users()
    test_passwords()
    test_digests()
    test_become()
    test_smtp()
    test_servers()
    test_store()
    if not os.environ.get('SAN'):
        test_time()
    return tap.done()


sys.exit(main())
