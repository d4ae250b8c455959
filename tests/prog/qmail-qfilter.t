#!/usr/bin/python3
"""qmail-qfilter.t - filters between who submits and the queue: what they see, what they may change,
how they end; behind qmail-smtpd as well."""
import os
import select
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
from netserver import HOME, QUEUE, STUB, queued, set_up, stub_says, tear_down
import tap

FILTER = QUEUE + '/filter'
MESSAGE = b'From: ann\n\nbody\n'
ENVELOPE = b'Fann@a.example\0Tjoe@b.example\0Tbob@c.example\0\0'


def script(name, text):
    path = QUEUE + '/' + name
    with open(path, 'w') as file:
        file.write('#!/bin/sh\n' + text + '\n')
    os.chmod(path, 0o755)
    return path


def run(*args, message=MESSAGE, envelope=ENVELOPE, code=0, said=None, env=None, user='qmaild'):
    """Exit code, what was queued, and what was written to descriptor 6."""
    stub_says(code, said)
    with open(QUEUE + '/message', 'wb') as file:
        file.write(message)
    with open(QUEUE + '/envelope', 'wb') as file:
        file.write(envelope)
    environment = {'PATH': '/usr/bin:/bin', 'QQF_QMAILQUEUE': STUB, 'QMAILQUEUE': '/nowhere',
                   **(env or {})}
    for name in [n for n in os.environ if n.endswith('SAN_OPTIONS')]:
        environment[name] = os.environ[name]
    open(QUEUE + '/words', 'w').close()
    os.chmod(QUEUE + '/words', 0o666)
    done = subprocess.run(
        ['sh', '-c', 'exec "$0" "$@" <%s 1<%s 4>>%s 6>&4' %
         (QUEUE + '/message', QUEUE + '/envelope', QUEUE + '/words'),
         HOME + '/bin/qmail-qfilter', *args],
        env=environment, cwd='/', user=user, group='nofiles', extra_groups=[], timeout=60,
        stderr=subprocess.PIPE)
    run.log = done.stderr.decode()
    with open(QUEUE + '/words') as file:
        return done.returncode, queued(), file.read()


def test_plain():
    tap.equal(run(), (0, [(MESSAGE, ENVELOPE)], ''), 'no filter: all as it came')
    for code in (11, 31, 53, 71, 82, 88, 111):
        tap.equal(run(code=code)[0], code, 'exit %d of the queue' % code)
    tap.equal(run(code=82, said=b'Dno')[::2], (82, 'Dno'), 'and its words')
    big = b'x' * 3000000
    tap.equal(run(message=big)[1], [(big, ENVELOPE)], 'three megabytes')
    tap.equal(run(message=b'')[1], [(b'', ENVELOPE)], 'an empty message')
    tap.equal(run(env={'QQF_QMAILQUEUE': '/nowhere'})[0], 120, 'no such queue program')
    tap.equal(run(env={'QQF_QMAILQUEUE': ''})[0], 120, 'a queue program with an empty name')
    tap.equal(run(env={'QQF_QMAILQUEUE': '../..' + STUB})[1], [(MESSAGE, ENVELOPE)],
              'relative to the home directory')
    for cut in (b'', b'F', b'Fann@a.example\0Tjoe@b', ENVELOPE[:-1]):
        tap.equal(run(envelope=cut)[:2], (54, []), 'envelope cut: %r' % cut)
    tap.equal(run(envelope=b'Xann\0\0')[:2], (91, []), 'no envelope')


def test_changes():
    add = script('add', 'echo "X-Filter: $1"; cat')
    tap.equal(run(add, '1')[1], [(b'X-Filter: 1\n' + MESSAGE, ENVELOPE)], 'a new message')
    tap.equal(run(add, '1', '--', add, '2')[1],
              [(b'X-Filter: 2\nX-Filter: 1\n' + MESSAGE, ENVELOPE)],
              'two filters')
    tap.equal(run('--', '--', add, '1', '--')[1], [(b'X-Filter: 1\n' + MESSAGE, ENVELOPE)],
              'empty places between')
    tap.equal(run('true')[1], [(MESSAGE, ENVELOPE)], 'nothing written, and not all read')
    tap.equal(run('cat')[1], [(MESSAGE, ENVELOPE)], 'found in PATH')
    other = b'Fother@x\0Tto@y\0\0'
    to = script('to', 'printf "Fother@x\\0Tto@y\\0\\0" >&4')
    tap.equal(run(to)[1], [(MESSAGE, other)], 'a new envelope')
    seen = script('seen',
                  '{ tr "\\0" " " <&3; echo; echo "$QMAILUSER $QMAILHOST $NUMRCPTS $MSGSIZE '
                  '$ENVSIZE"; printf %s "$QMAILRCPTS"; }')
    tap.equal(run(seen)[1][0][0], b'Fann@a.example Tjoe@b.example Tbob@c.example  \n'
              b'ann a.example 2 16 46\njoe@b.example\nbob@c.example\n', 'what it is told')
    tap.equal(run(to, '--', seen)[1][0][0], b'Fother@x Tto@y  \nother x 1 16 16\nto@y\n',
              'and told anew')
    many = b'Fann@a.example\0' + b'Tjoe@b.example\0' * 20000 + b'\0'
    tap.equal(run(seen, envelope=many)[1][0][0].split(b'\n')[1:],
              [b'ann a.example 20000 16 300016', b''], 'too many recipients for the environment')
    tap.equal(run(script('bad', 'printf "Fother@x" >&4'))[:2], (0, [])[:1] + ([],),
              'an unfinished envelope is for the queue to refuse')
    tap.equal(run(script('bad', 'printf "Fother@x" >&4'), '--', 'true')[:2], (54, []),
              'or for the next filter')
    program = script('other', 'cat >/dev/null; exit 33')
    choose = script('choose', 'printf "%s\\0" "$1" >&5')
    tap.equal(run(choose, program)[0], 33, 'another queue program')
    tap.equal(run(choose, STUB, env={'QQF_QMAILQUEUE': '/nowhere'})[0], 0,
              'it wins over QQF_QMAILQUEUE')
    tap.equal(run(script('half', 'printf /bin/true >&5'))[0], 55, 'a name without NUL')
    tap.equal(run(script('long', 'head -c 2000 /dev/zero | tr "\\0" x >&5; printf "\\0" >&5'))[0],
              51, 'a name that is too long')


def test_ends():
    for code in (1, 11, 31, 71, 82, 88, 98, 100, 111):
        tap.equal(run(script('exit', 'cat; exit %d' % code))[:2], (code, []), 'exit %d' % code)
    tap.equal(run('sh', '-c', 'exit 99', '--', 'sh', '-c', 'exit 31')[:2], (0, []),
              'exit 99: success, nothing queued')
    tap.equal(run('sh', '-c', 'kill -9 $$')[:2], (71, []), 'killed')
    tap.equal(run('/nowhere')[:2], (120, []), 'no such filter')
    tap.equal(run('sh', '-c', 'printf "Dbad (#5.7.1)" >&6; exit 82'), (82, [], 'Dbad (#5.7.1)'),
              'words on descriptor 6')
    fds = 'cd /proc/$$/fd && for n in *; do [ "$n" -le 9 ] && printf "$n "; done >&1'
    tap.equal(run('sh', '-c', fds)[1][0][0], b'0 1 2 3 4 5 6 7 ',
              'descriptors of a filter (7: the directory that it reads)')


def test_controls():
    write = 'echo X %s; cat'
    show = '"[$V]"'
    rows = [
        ('*:' + write % 'all', b'X all\n'), ('a.example:' + write % 'a', b'X a\n'),
        ('A.EXAMPLE:' + write % 'a', b'X a\n'), ('b.example:' + write % 'b', b''),
        ('# comment\n*:' + write % '1' + '\n*:' + write % '2', b'X 2\nX 1\n'),
        ('*:' + write % '$V$W' + ':V=one,W=two\n*:' + write % show, b'X []\nX onetwo\n'),
        ('*:cat:HOME=/x,HOME=/y\n*:' + write % '$HOME', b'X /h\n'),
        ('*:' + write % show + ':V', b'X []\n'),
    ]
    for text, want in rows:
        netserver.controls({'qfilters': text + '\n'})
        tap.equal(run(env={'HOME': '/h'})[:2], (0, [(want + MESSAGE, ENVELOPE)]),
                  'qfilters: %r' % text)
    tap.equal(run('sh', '-c', 'echo A; cat')[1][0][0][:7], b'X []\nA\n', 'behind the arguments')
    for text in ('*\n', '*:\n', 'nonsense\n', '*:cat:=x\n', True):
        netserver.controls({'qfilters': text})
        tap.equal(run()[:2], (55, []), 'qfilters: %r' % text)
    netserver.controls({'qfilters': '*:exit 31\n'})
    tap.equal(run()[:2], (31, []), 'a refusal')
    netserver.controls({})


def ends(pid):
    """Within a time that is too long for any machine."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(process, select.POLLIN)
    ended = poll.poll(30000) != []
    os.close(process)
    return ended


def test_time():
    """A filter that hangs, and what it has started, end with the time that all filters have."""
    netserver.controls({'filtertimeout': '2\n'})
    hang = script('hang', 'sleep 600 & echo "$$\n$!" >%s/hung; wait' % QUEUE)
    open(QUEUE + '/hung', 'w').close()
    os.chmod(QUEUE + '/hung', 0o666)
    for args in ((hang,), ('sh', '-c', 'sleep 1; cat', '--', hang)):
        begun = time.monotonic()
        got = run(*args)
        took = time.monotonic() - begun
        tap.equal(got[:2], (52, []), 'exit 52')
        tap.ok(2 <= took < 20, 'after two seconds', took)
        tap.equal(run.log, 'qmail-qfilter: %s: still running at the time limit, stopped\n' % hang,
                  'a line in the log')
        with open(QUEUE + '/hung') as file:
            pids = [int(line) for line in file]
        tap.ok(len(pids) == 2 and all(ends(pid) for pid in pids), 'nothing is left of it', pids)
    netserver.controls({'filtertimeout': '2\n', 'qfilters': '*:exec %s\n' % hang})
    tap.equal((run()[:2], run.log), ((52, []), 'qmail-qfilter: exec %s: still running at the time '
                                     'limit, stopped\n' % hang), 'a command of control/qfilters')
    netserver.controls({'filtertimeout': True})
    tap.equal(run('cat')[:2], (55, []), 'filtertimeout is a directory')
    for text in ('0\n', 'x\n', '99999999999999999999\n'):
        netserver.controls({'filtertimeout': text})
        tap.equal(run('cat')[:2], (0, [(MESSAGE, ENVELOPE)]), 'filtertimeout %r' % text)
    netserver.controls({})


def test_behind_smtpd():
    """As an administrator uses it: a script that QMAILQUEUE names."""
    run_it = script('wrapper', 'exec %s/bin/qmail-qfilter "%s" -- %s' % (HOME, FILTER, 'cat'))
    script('filter',
           'if grep -q bad; then printf "Zcome back >&;(#4.7.1)\\r\\n250 ok" >&6; exit 82; fi')
    for body, want in (('good', '250 ok'), ('bad', '451 come back >&;(#4.7.1)??250 ok')):
        server = netserver.Server('qmail-smtpd', env={'QMAILQUEUE': run_it, 'QQF_QMAILQUEUE': STUB})
        reply, _ = netserver.exchange(
            server,
            'MAIL FROM:<a@b>\r\nRCPT TO:<c@ok.example>\r\nDATA\r\n%s\r\n.\r\nQUIT\r\n' % body)
        got = reply.split('\r\n')[-3]
        tap.equal(got[:len(want)], want, 'SMTP: ' + body)
        tap.equal(len(queued()), 1 if body == 'good' else 0, 'queued: ' + body)


def main():
    set_up()
    netserver.controls({})
    test_plain()
    test_changes()
    test_ends()
    test_controls()
    test_time()
    test_behind_smtpd()
    tear_down()
    return tap.done()


sys.exit(main())
