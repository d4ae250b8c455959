#!/usr/bin/python3
"""qmail-popup as a black box: the dialogue before the login, and what the checker gets."""
import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import procmem
import tap

PROGRAM = '/var/qmail/bin/qmail-popup'
DIR = tempfile.mkdtemp(prefix='popup.')
CHECKER = DIR + '/checker'
GREETING = re.compile(rb'\+OK (<[0-9]+\.[0-9]+\.[0-9a-f]{32}@pop\.example>)\r\n')
CAPA = ['+OK ', 'TOP', 'UIDL', 'USER', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING',
        'EXPIRE NEVER', 'SASL PLAIN', 'UTF8 USER', '.']


def checker(text):
    with open(CHECKER, 'w') as file:
        file.write('#!/bin/sh\n' + text)
    os.chmod(CHECKER, 0o755)


def start(args=None, **options):
    ours, theirs = socket.socketpair()
    ours.settimeout(30)
    if args is None:
        args = ['pop.example', CHECKER, 'one', 'two words']
    process = subprocess.Popen([PROGRAM] + args, stdin=theirs, stdout=theirs, cwd='/',
                               stderr=options.pop('stderr', subprocess.DEVNULL), **options)
    theirs.close()
    return ours, process


def read_all(ours):
    got = b''
    while True:
        try:
            piece = ours.recv(65536)
        except ConnectionResetError:
            piece = b''
        if not piece:
            return got
        got += piece


def talk(script, **options):
    """Sends it all at once.  Returns the lines after the greeting, and the exit code."""
    ours, process = start(**options)
    try:
        ours.sendall(script.encode('latin-1'))
        ours.shutdown(socket.SHUT_WR)
    except BrokenPipeError:
        pass
    got = read_all(ours)
    lines = got.decode('latin-1').split('\r\n')[:-1]
    ours.close()
    return lines[1:], process.wait(30)


def test_dialogue():
    checker('exit 1\n')
    greetings = set()
    for _ in range(3):
        ours, process = start()
        ours.shutdown(socket.SHUT_WR)
        got = read_all(ours)
        match = GREETING.fullmatch(got)
        tap.ok(match, 'greeting', got)
        greetings.add(match and match.group(1))
        tap.equal(process.wait(30), 1, 'exit code when the client goes away')
    tap.equal(len(greetings), 3, 'no greeting comes twice')
    rows = [('NOOP', '+OK '), ('noop x', '+OK '), ('PASS x', '-ERR '), ('USER', '-ERR '),
            ('USER ', '-ERR '), ('PASS x', '-ERR '), ('APOP', '-ERR '), ('APOP joe', '-ERR '),
            ('STAT', '-ERR '), ('RETR 1', '-ERR '), ('', '-ERR '), (' NOOP', '-ERR '),
            ('\xff\0', '-ERR '), ('USER joe', '+OK '), ('USER ann', '+OK '), ('PASS', '-ERR '),
            ('x' * 3000, '-ERR '), ('NOOP', '+OK '), ('QUIT', '+OK ')]
    lines, code = talk(''.join(row[0] + '\r\n' for row in rows))
    for (command, want), line in zip(rows, lines + [''] * len(rows)):
        tap.ok(line == want if want == '+OK ' else line.startswith(want), 'command %r'
               % command[:30],
               line)
    tap.equal((len(lines), code), (len(rows), 1), 'one line for each; exit code after QUIT')
    lines, _ = talk('CAPA\r\nQUIT\r\n')
    tap.equal(lines[:-1], CAPA, 'CAPA')
    lines, code = talk('NOOP\nQUIT\n')
    tap.equal(lines, ['+OK ', '+OK '], 'LF ends a command, too')
    for size, want in ((2048, '+OK '), (2049, '-ERR ')):
        lines, _ = talk('NOOP ' + 'x' * (size - 7) + '\r\nNOOP\r\n')
        tap.ok(lines[0].startswith(want) and lines[1] == '+OK ', 'a line of %d bytes' % size, lines)
    for args in ([], ['pop.example']):
        ours, process = start(args=args)
        got = read_all(ours)
        tap.ok(got.startswith(b'-ERR ') and got.count(b'\r\n') == 1 and process.wait(30) == 1,
               'usage with %d arguments' % len(args), got)


def test_login():
    checker('cat <&3 >%s/got; printf "%%s|" "$@"\nread -r line; echo "$line"\n' % DIR)
    for script, want in (('USER joe smith\r\nPASS  secret word \r\n', b'joe smith\0secret word \0'),
                         ('USER a\r\nUSER b\r\nPASS x\r\n', b'b\0x\0'),
                         ('USER joe\r\nAPOP ann 0123 abc\r\n', b'ann\x000123 abc\0'),
                         ('USER joe\r\nUSER\r\nPASS x\r\n', b'joe\0x\0'),
                         ('USER joe\nPASS x\n', b'joe\0x\0'),
                         ('USER joe\r\nPASS \xe9"\\%\r\n', b'joe\0\xe9"\\%\0')):
        ours, process = start()
        greeting = GREETING.match(ours.recv(4096)).group(1)
        ours.sendall(script.encode('latin-1') + b'and more\nstays')
        got = read_all(ours)
        ours.close()
        with open(DIR + '/got', 'rb') as file:
            tap.equal(file.read(), want + greeting + b'\0', 'descriptor 3 after %r' % script)
        tap.ok(got.endswith(b'one|two words|and more\n'),
               'arguments; the next line is left to the checker', got)
        tap.equal(process.wait(30), 1, 'exit code after a login')


def b64(text):
    return base64.b64encode(text.encode('latin-1')).decode()


def test_auth():
    """AUTH PLAIN (RFC 5034), UTF8, and POP3AUTH."""
    checker('cat <&3 >%s/got; exit 1\n' % DIR)
    good = b64('\0joe\0secret word')
    failed, malformed = '-ERR [AUTH] authorization failed', '-ERR malformed AUTH PLAIN'
    for script, want, user in (
            ('AUTH PLAIN %s\r\n' % good, [failed], b'joe'),
            ('auth plain\r\n%s\r\n' % good, ['+ ', failed], b'joe'),
            ('AUTH PLAIN %s\r\n' % b64('joe\0joe\0secret word'), [failed], b'joe'),
            ('USER ann\r\nAUTH PLAIN %s\r\n' % good, ['+OK ', failed], b'joe'),
            ('AUTH PLAIN %s\r\n' % b64('ann\0joe\0x'), [malformed], None),
            ('AUTH\r\n', ['+OK ', 'PLAIN', '.'], None), ('AUTH X\r\n', ['-ERR no such mechanism'],
                                                         None),
            ('AUTH PLAIN\r\n*\r\n', ['+ ', '-ERR cancelled'], None),
            ('AUTH PLAIN *\r\n', [malformed], None), ('AUTH PLAIN =\r\n', [malformed], None),
            ('AUTH PLAIN\r\n\r\n', ['+ ', malformed], None), ('AUTH PLAIN\r\n', ['+ '], None),
            ('AUTH PLAIN\r\nQUIT\r\n', ['+ ', malformed], None),
            ('AUTH PLAIN x' + good + '\r\n', [malformed], None),
            ('AUTH PLAIN %s\0\r\n' % good, [failed], b'joe'),
            ('AUTH PLAIN\r\n%s\r\nNOOP\r\n' % ('A' * 2047), ['+ ', '-ERR command line too long',
                                                             '+OK '], None),
            ('AUTH PLAIN\r\n%s\r\nNOOP\r\n' % ('A' * 2044), ['+ ', malformed, '+OK '], None)):
        if os.path.exists(DIR + '/got'):
            os.unlink(DIR + '/got')
        lines, _ = talk(script)
        tap.equal(lines, want, 'AUTH: %r' % script[:40])
        if user:
            with open(DIR + '/got', 'rb') as file:
                tap.ok(file.read().startswith(user + b'\0secret word\0<'), 'the checker')
        else:
            tap.ok(not os.path.exists(DIR + '/got'), 'no checker')
    for name in ('joe', 'anne', 'frank'):
        token = b64('\0%s\0secret word' % name)
        for bad in [token[:-1], token + 'A', token + '=', token[1:], token[:3] + '=' + token[4:],
                    token[:2] + '*' + token[3:], token + '====', token[:4] + ' ' + token[4:]] + \
                ([token.rstrip('=')] if '=' in token else []):
            lines, _ = talk('AUTH PLAIN %s\r\nAUTH PLAIN\r\n%s\r\nNOOP\r\n' % (bad, bad))
            tap.equal(lines, [malformed, '+ ', malformed, '+OK '], 'AUTH: %r' % bad)
        tap.equal(talk('AUTH PLAIN\r\n%s\r\n' % token)[0], ['+ ', failed], 'AUTH: %r' % token)
    for answer, want in (('* ', malformed), ('**', malformed), (' *', malformed),
                         ('*\0x', '-ERR cancelled'),
                         ('=', malformed), ('*' * 3000, '-ERR command line too long')):
        tap.equal(talk('AUTH PLAIN\r\n%s\r\nNOOP\r\n' % answer)[0], ['+ ', want, '+OK '],
                  'AUTH: %r' % answer[:9])
    test_edges(failed)
    for fields in ('', '\0', 'joe', '\0joe', '\0joe\0', '\0\0x', '\0joe\0x\0'):
        tap.equal(talk('AUTH PLAIN %s\r\n' % (b64(fields) or '='))[0], [malformed], 'AUTH: %r'
                  % fields)
    tap.equal(talk('UTF8\r\nUTF8 USER\r\nUTF8 x\r\n')[0],
              ['+OK ', '+OK ', '-ERR syntax error, UTF8 [USER]'], 'UTF8')
    only = dict(os.environ, POP3AUTH='apop')
    lines, _ = talk('CAPA\r\nUSER joe\r\nPASS x\r\nAUTH PLAIN %s\r\nAPOP joe x\r\n' % good,
                    env=only)
    tap.equal(lines[:-4], [line for line in CAPA if line not in ('USER', 'SASL PLAIN')],
              'POP3AUTH=apop: CAPA')
    tap.equal(lines[-4:], ['-ERR [AUTH] APOP only', '-ERR USER first', '-ERR [AUTH] APOP only',
                           failed],
              'POP3AUTH=apop: APOP only')
    both = dict(os.environ, POP3AUTH='+apop')
    tap.equal(talk('AUTH PLAIN %s\r\n' % good, env=both)[0], [failed], 'POP3AUTH=+apop: both')
    for words, ip, want in (('auth', '192.0.2.7',
                             r'qmail-popup\[\d+\]: login failed \[192\.0\.2\.7\] -\n'),
                            ('x, auth', 'x\n y',
                             r'qmail-popup\[\d+\]: login failed \[x\?\?y\] -\n'),
                            ('authx', '192.0.2.7', ''), (None, '192.0.2.7', '')):
        with tempfile.TemporaryFile() as log:
            env = dict(os.environ, TCPREMOTEIP=ip)
            env.update({'QMAILPOPUP_LOG': words} if words else {})
            talk('USER joe\r\nPASS x\r\n', env=env, stderr=log)
            log.seek(0)
            tap.ok(re.fullmatch(want.encode(), log.read()), 'QMAILPOPUP_LOG=%s' % words)


def test_edges(failed):
    """Each way to log in with a line of 2045 to 2048 bytes, CRLF included, and one of 2049."""
    long, fits = '-ERR command line too long', 0
    for size in range(2045, 2050):
        for command, more in (('PASS ', ''), ('APOP joe ', ''), ('AUTH PLAIN ', 'joe'),
                              ('', 'joe')):
            room = size - len(command) - 2
            if more and room % 4:
                continue
            text = b64('\0%s\0%s'
                       % (more, 'x' * (room // 4 * 3 - len(more) - 2))) if more else 'x' * room
            before = {'PASS ': 'USER joe\r\n', '': 'AUTH PLAIN\r\n'}.get(command, '')
            lines, _ = talk('%s%s%s\r\nQUIT\r\n' % (before, command, text))
            lines = lines[1:] if before else lines
            tap.equal(lines[0], failed if size < 2049 else long, '%r: a line of %d bytes'
                      % (command, size))
            fits += size == 2048
    tap.ok(fits >= 2, 'some of them are as long as they may be')


def test_pipes():
    """Not a socket: recordio puts pipes in between."""
    checker('cat >/dev/null <&3; cat\n')
    done = subprocess.run([PROGRAM, 'pop.example', CHECKER], capture_output=True,
                          input=b'USER joe\r\nPASS x\r\nSTAT\r\nQUIT\r\n')
    tap.ok(done.stdout.endswith(b'+OK \r\nSTAT\r\nQUIT\r\n'), 'pipes: what follows is left', done)


def test_descriptors():
    checker('ls /proc/self/fd | tr "\\n" " "; cat <&3 >/dev/null; echo x >&4; echo y >&5; '
            'echo z >&2\n')
    with tempfile.TemporaryFile() as four, tempfile.TemporaryFile() as five, \
            tempfile.TemporaryFile() as two:
        os.dup2(four.fileno(), 14)
        os.dup2(five.fileno(), 15)
        script = 'exec 4>&14 5>&15 14>&- 15>&-; exec %s pop.example %s' % (PROGRAM, CHECKER)
        done = subprocess.run(['bash', '-c', script], stdout=subprocess.PIPE, stderr=two,
                              input=b'USER joe\r\nPASS x\r\n', pass_fds=(14, 15))
        os.close(14)
        os.close(15)
        got = []
        for file in (four, five, two):
            file.seek(0)
            got.append(file.read())
    tap.equal(got, [b'x\n', b'y\n', b'z\n'], 'descriptors 4, 5 and 2 reach the checker')
    tap.ok(b'0 1 2 3 4 5 ' in done.stdout, 'and 3', done.stdout)


def test_results():
    for text, want in (('exit 1', '-ERR [AUTH] authorization failed'),
                       ('exit 2', '-ERR [AUTH] authorization failed'),
                       ('exit 100', '-ERR [AUTH] authorization failed'),
                       ('exit 111', '-ERR [SYS/TEMP] '), ('kill -9 $$', '-ERR [SYS/TEMP] '),
                       ('exit 0', None)):
        checker(text + '\n')
        lines, code = talk('USER joe\r\nPASS x\r\nQUIT\r\n')
        tap.ok(len(lines) == (2 if want else 1) and code == 1 and
               (not want or lines[1].startswith(want)), 'checker: ' + text, lines)
    lines, code = talk('USER joe\r\nPASS x\r\n', args=['pop.example', '/nowhere/checker'])
    tap.ok(lines[1].startswith('-ERR [SYS/TEMP] ') and code == 1, 'no such checker', lines)
    shutil.copy(CHECKER, DIR + '/in-path')
    lines, code = talk('USER joe\r\nPASS x\r\n', args=['pop.example', 'in-path'],
                       env={'PATH': '/bin:' + DIR})
    tap.equal(lines, ['+OK '], 'the checker is found through PATH')
    checker('trap "" PIPE; exec 3<&-; exit 1\n')
    lines, code = talk('USER joe\r\nPASS %s\r\n' % ('x' * 2000))
    tap.equal(lines[1:], ['-ERR [AUTH] authorization failed'], 'a checker that does not read')
    checker('grep -q "^SigIgn:\t0*$" /proc/self/status && exit 0; exit 111\n')
    lines, _ = talk('USER joe\r\nPASS x\r\n')
    tap.equal(lines, ['+OK '], 'the checker starts with no signal ignored')


def test_secret():
    """While a session lasts, the password is nowhere in the memory of the process that waits."""
    checker('cat <&3 >/dev/null; echo ready; read -r line\n')
    for script in (lambda secret: b'USER joe\r\nPASS %s\r\n' % secret,
                   lambda secret: b'AUTH PLAIN\r\n%s\r\n' % base64.b64encode(b'\0joe\0' + secret)):
        search_memory(script)


def search_memory(script):
    ours, process = start()
    secret = b'Xyzzy-%d-secret' % time.time_ns()
    ours.sendall(script(secret))
    got = b''
    while b'ready' not in got:
        got += ours.recv(4096)
    found = [line for line, data in procmem.parts(process.pid) if secret in data]
    tap.equal(found, [], 'the password is wiped')
    tap.equal(procmem.shown(secret, base64.b64encode(b'\0joe\0' + secret)[8:-4]), [],
              'no process shows it')
    ours.close()
    process.wait(30)


def main():
    try:
        test_dialogue()
        test_login()
        test_auth()
        test_pipes()
        test_descriptors()
        test_results()
        test_secret()
    finally:
        shutil.rmtree(DIR)
    return tap.done()


sys.exit(main())
