#!/usr/bin/python3
"""spawn-filter.t - filters at delivery, behind qmail-lspawn and qmail-rspawn: which one is run, what
becomes of the message, how each end is reported."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import queuedir as q                    # noqa: E402
import tap                              # noqa: E402

FILTER = q.program('spawn-filter')
CONTROL = q.home() + '/control/'
REMOTE = "#!/bin/sh\nprintf 'r\\0K%s %s: ' \"$1\" \"$3\"; tr '\\n' '/'; printf '\\0'\n"
LOCAL = "#!/bin/sh\necho \"$(id -u) $4 $7 $#: $(tr '\\n' '/')\"\n"


def control(**files):
    for name in ('filterargs', 'filtertimeout', 'nofilterargs'):
        path, text = CONTROL + name, files.get(name)
        if os.path.isdir(path):
            os.rmdir(path)
        elif os.path.exists(path):
            os.unlink(path)
        if text is True:
            os.mkdir(path)
        elif text is not None:
            with open(path, 'w') as file:
                file.write(text)


def remote(recipient=b'ann@b.example', **env):
    daemon = q.Spawn('qmail-rspawn', user='qmailr', env={
        'PATH': q.home() + '/bin:/usr/bin:/bin', 'QMAILREMOTE': FILTER, **env})
    text = daemon.one(recipient)
    daemon.close()
    return text


def local(recipient=b'joe@a.example', **env):
    daemon = q.Spawn('qmail-lspawn', '#', env={
        'PATH': '/usr/bin:/bin', 'QMAILLOCAL': FILTER, **env})
    text = daemon.one(recipient)
    daemon.close()
    return text


def plain():
    tap.equal(remote(), b'Kb.example ann@b.example: Received: x//hello/', 'remote, no filter')
    tap.equal(local(), b'K5001 joe a.example 9: Received: x//hello/\n', 'local, no filter')


def choice():
    rows = [
        ('*:remote:sed s/hello/bye/\n', b'bye', b'hello'),
        ('*:local:sed s/hello/bye/\n', b'hello', b'bye'),
        ('B.Example:remote:sed s/hello/bye/\n', b'bye', b'hello'),
        ('other.example:remote:sed s/hello/bye/\n', b'hello', b'hello'),
        ('a.example:local:sed s/hello/1/\n*:remote:sed s/hello/2/\n*:local:sed s/hello/3/\n', b'2',
         b'1'),
        ('*:remote:sed "s/hello/$V$W/":V=one,W=two\n', b'onetwo', b'hello'),
        ('*:remote:true\n', b'hello', b'hello'),
        ('# none\n', b'hello', b'hello'),
    ]
    for text, far, near in rows:
        control(filterargs=text)
        tap.equal((remote(), local()),
                  (b'Kb.example ann@b.example: Received: x//%s/' % far,
                   b'K5001 joe a.example 9: Received: x//%s/\n' % near), '%r' % text)
    control(filterargs='*:remote:sed s/hello/bye/\n', nofilterargs='b.example\n')
    tap.ok(b'hello' in remote(), 'nofilterargs')
    tap.ok(b'bye' in remote(b'ann@c.example'), 'not for others')
    tap.ok(b'bye' in remote(b'ann@c.example', FILTERARGS='sed s/hello/bye/'), 'FILTERARGS')
    tap.ok(b'one' in remote(b'ann@c.example', FILTERARGS='sed s/hello/one/'), 'wins over the file')
    tap.ok(b'hello' in remote(FILTERARGS='sed s/hello/one/'), 'nofilterargs wins over it')


FAILED = b'ZThe filter has failed for now. (#4.3.0)'


def both(**env):
    return remote(**env), local(**env)


def switches():
    """Off, on, the report, which is what qmail-send logs, and a bad value."""
    def changed(reports):
        return [b'bye' in text for text in reports]
    refuse = 'cat >/dev/null; exit 100'
    lines = '*:remote:%s\n*:local:%s\n'
    control()
    tap.equal((changed(both()), changed(both(FILTERARGS='sed s/hello/bye/'))), ([False] * 2, [True] * 2),
              'FILTERARGS: off and on')
    tap.equal(remote(FILTERARGS=refuse), b'DThe filter has refused the message. (#5.7.1)', 'FILTERARGS: report')
    tap.equal((remote(FILTERARGS='"'), local(FILTERARGS='"')[:1]), (FAILED, b'Z'), 'FILTERARGS: malformed')
    off = changed(both())
    control(filterargs=lines % (('sed s/hello/bye/',) * 2))
    tap.equal((off, changed(both())), ([False] * 2, [True] * 2), 'filterargs: off and on')
    control(nofilterargs='b.example\na.example\n', filterargs=lines % (('sed s/hello/bye/',) * 2))
    tap.equal(changed(both()), [False] * 2, 'nofilterargs: off and on')
    tap.ok(both()[0].startswith(b'Kb.example ann@b.example: '), 'nofilterargs: the report is that of no filter')
    control(nofilterargs='@b.example\n*\n', filterargs=lines % (('sed s/hello/bye/',) * 2))
    tap.equal(changed(both()), [True] * 2, 'nofilterargs: lines that are no domain spare nobody')
    control(filterargs=lines % (refuse, refuse))
    tap.equal(remote(), b'DThe filter has refused the message. (#5.7.1)', 'filterargs: report')
    control(filterargs='*:remote\n*:local\n')
    tap.equal((remote(), local()[:1]), (FAILED, b'Z'), 'filterargs: malformed')
    control()


def ends():
    refused, later = b'DThe filter has refused the message. (#5.7.1)', FAILED
    dropped = b'KThe filter has dropped the message.'
    q.stub('dropper', '#!/bin/sh\ncat; exit $1\n')
    dropper = q.program('dropper')
    for command, far, near in (
            (dropper + ' 2', dropped, b'K'), (dropper + ' 100', refused, b'D'),
            (dropper + ' 2 | cat; exit 2', later, b'Z'), ('cat </nowhere', later, b'Z'),
            ('if then', later, b'Z'), ('"', later, b'Z'), (dropper + ' 3', later, b'Z')):
        control(filterargs='*:remote:%s\n*:local:%s\n' % (command, command))
        got = (remote(), local())
        # What a shell complains of is told to the sender of local mail.
        tap.ok(got[0] == far and got[1].startswith(near) and (near == b'Z' or got[1] == near),
               command, got)
    rows = [('exit 2', later, b'Z'), ('exit 100', refused, b'D'),
            ('exit 111', later, b'Z'), ('exit 1', later, b'Z'), ('kill -9 $$', later, b'Z'),
            ('/nowhere 2>/dev/null', later, b'Z'),
            ('echo noise >&2; exit 100', refused, b'Dnoise\n')]
    for command, far, near in rows:
        control(filterargs='*:remote:cat; %s\n*:local:cat; %s\n' % (command, command))
        tap.equal((remote(), local()), (far, near), command)
    for text in ('nonsense\n', '*:remote\n*:local\n', '*:remote:cat:V\n*:local:cat:=x\n', True):
        control(filterargs=text)
        tap.equal((remote(), local()), (later, b'Z'), 'filterargs: %r' % text)
    control(nofilterargs=True)
    tap.equal((remote(), local()), (later, b'Z'), 'nofilterargs is a directory')
    control()
    tap.equal(q.subprocess.run([FILTER], check=False).returncode, 100, 'no arguments')


def no_shell():
    """A shell that runs out of memory says 2, as a filter that drops the message: what needs no
    shell has none."""
    shell, real, false = os.path.realpath('/bin/sh'), '/usr/local/real-shell', '/usr/local/short-of-memory'
    shutil.copy(shell, real)
    with open(false, 'w') as file:
        file.write('#!/usr/bin/python3\nimport os, sys\n'
                   'if "-c" in sys.argv:\n    sys.exit(2)\n'
                   'os.execv("%s", ["sh"] + sys.argv[1:])\n' % real)
    os.chmod(false, 0o755)
    subprocess.run(['mount', '--bind', false, shell], check=True)
    control(filterargs='*:remote: sed \ts/hello/bye/ \n*:local:sed s/hello/bye/:V=one\n')
    tap.equal([b'bye' in text for text in both()], [True] * 2,
              'a program and its arguments need no shell')
    control(filterargs='*:remote:cat | cat\n*:local:cat | cat\n')
    tap.equal((remote(), local()[:1]), (FAILED, b'Z'), 'and a shell drops nothing')
    subprocess.run(['umount', shell], check=True)


def time_limit():
    late = b'ZThe filter took too long and was stopped. (#4.3.0)'
    control(filterargs='*:remote:sleep 600\n*:local:sleep 600\n', filtertimeout='1\n')
    tap.equal(remote(), late, 'remote: a filter that hangs')
    tap.equal(local(), late + b'\n', 'local: a filter that hangs')
    control(filterargs='*:remote:sleep 600 | cat\n*:local:cat | sleep 600\n', filtertimeout='1\n')
    tap.equal((remote(), local()), (late, late + b'\n'), 'several processes')
    control(filterargs='*:remote:sed s/hello/bye/\n', filtertimeout='60\n')
    tap.ok(b'bye' in remote(), 'one that does not')
    control(filterargs='*:remote:cat\n*:local:cat\n', filtertimeout=True)
    tap.equal((remote(), local()), (b'ZThe filter has failed for now. (#4.3.0)', b'Z'),
              'filtertimeout is a directory')
    control(filtertimeout=True)
    tap.ok(b'hello' in remote(), 'which no one reads who has no filter')
    control()


q.put('mess/0/23', b'Received: x\n\nhello\n')
q.stub('qmail-remote', REMOTE)
q.stub('qmail-local', LOCAL)
plain()
choice()
switches()
ends()
no_shell()
time_limit()
q.unstub('qmail-remote')
q.unstub('qmail-local')
q.wipe()
sys.exit(tap.done())
