#!/usr/bin/python3
"""manual-examples.t - runs the examples of the manuals; usage: manual-examples.t [PAGE...]

An example that can be run is a literal block that looks like a terminal session and has a comment
`run: ACCOUNT` before it; tests/README.md describes the comments.  One test point for each session:
what the commands print and the last one's exit code must be what the page says.  Each starts with
the control files of CONTROL only, an empty queue, and an empty directory of its own.
"""
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONTROL = {'me': 'mail.example.org', 'defaultdomain': 'example.org', 'plusdomain': 'example.org'}
MARK = re.compile(r'\.\\" (run|setup|exit|gives|cleanup): ?(.*)$')
ESCAPES = {r'\e': '\\', r'\&': '', r'\-': '-', r'\~': ' ', r'\(dq': '"', r'\(aq': "'"}
TIMEOUT_S = 30
# Pages without an example that is run.
NOT_RUN = {
    'checkpassword-cdb.8': 'command lines of servers; qmail-newpw.8 has a whole login',
    'pneumail.7': 'needs running services; what make up sets up is seen in scenario/fresh-host.t',
    'qbiff.1': 'needs a terminal of somebody who is logged in; prog/user-tools.t',
    'qmail-policy.5': 'rules and files of a server; prog/policy.t and prog/switches.t',
    'qmail-send.8': 'needs running services; scenario/docs.t has the same from INSTALL',
    'qmail-start.8': 'a run file, as services writes it; prog/qmail-start.t',
    'qmail-upq.8': 'rebuilds the source tree; prog/qmail-upq.t',
}


class Session:
    """One example: its commands, and what they are to print."""

    def __init__(self, page, line, account):
        self.page, self.line, self.account = page, line, account
        self.setup, self.cleanup, self.gives, self.shown, self.commands = [], [], [], [], []
        self.code, self.typing = 0, False

    def mark(self, key, value):
        """A comment after `run`."""
        if key == 'exit':
            self.code = int(value)
        else:
            getattr(self, key).append(value)

    def add(self, text):
        """A line of the block."""
        if text[:2] in ('$ ', '# '):
            self.commands.append(text[2:])
            self.typing = True
        elif self.typing and text[:1] == '>':
            self.commands[-1] += '\n' + text[2:]
        else:
            self.shown.append(text)
            self.typing = False

    def expected(self):
        """Regular expressions, one for each line."""
        return self.gives or [re.escape(line.rstrip()) for line in self.shown]


def plain(text):
    """The text that a line of a literal block stands for; an unknown escape is a KeyError."""
    return re.sub(r'\\(?:\(..|.)', lambda match: ESCAPES[match.group()], text)


def sessions(path):
    """The sessions of one page."""
    found, current, inside = [], None, False
    page = os.path.basename(path)
    with open(path) as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip('\n')
            mark = MARK.match(line)
            if mark and mark.group(1) == 'run':
                current = Session(page, number, mark.group(2))
                found.append(current)
            elif mark and current:
                current.mark(*mark.groups())
            elif mark:
                raise SystemExit('%s:%d: comment outside of an example' % (page, number))
            elif line.startswith('.Bd') and current and not current.commands:
                inside = True
            elif line == '.Ed':
                inside = False
            elif inside:
                current.add(plain(line))
            elif line.startswith('.') and not line.startswith('.\\"'):
                current = None
    return found


def clean_home(home):
    """Control files as above, nothing in the queue."""
    control = os.path.join(home, 'control')
    for name in os.listdir(control):
        os.unlink(os.path.join(control, name))
    for name, value in CONTROL.items():
        with open(os.path.join(control, name), 'w') as file:
            file.write(value + '\n')
    for directory, _, names in os.walk(os.path.join(home, 'queue')):
        if os.path.basename(directory) != 'lock':
            for name in names:
                os.unlink(os.path.join(directory, name))


def shell(script, account, cwd, home):
    """Output and exit code of commands run by an account."""
    entry = pwd.getpwnam(account)
    env = {'PATH': home + '/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', 'LANG': 'C',
           'HOME': entry.pw_dir, 'USER': account, 'LOGNAME': account, 'SHELL': '/bin/sh'}
    done = subprocess.run(['/bin/sh', '-c', script], cwd=cwd, env=env, user=account,
                          group=entry.pw_gid, extra_groups=[entry.pw_gid], umask=0o22,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    return done.stdout.decode('latin-1'), done.returncode


def run(session, home):
    """'' if the session goes as printed, else what differs."""
    if not session.commands:
        return 'no commands in the block after this comment'
    clean_home(home)
    cwd = tempfile.mkdtemp()
    try:
        shutil.chown(cwd, session.account)
        for command in session.setup:
            text, code = shell(command, session.account, cwd, home)
            if code:
                return 'setup failed: ' + text
        text, code = shell('\n'.join(session.commands), session.account, cwd, home)
        for command in session.cleanup:
            left, failed = shell(command, session.account, cwd, home)
            if failed:
                return 'cleanup failed: ' + left
    except subprocess.TimeoutExpired:
        return 'not finished after %d s' % TIMEOUT_S
    finally:
        shutil.rmtree(cwd)
    got = [line.rstrip() for line in text.split('\n')]
    if got and not got[-1]:
        got.pop()
    want = session.expected()
    if len(got) == len(want) and all(re.fullmatch(w, g) for w, g in zip(want, got)):
        return '' if code == session.code else \
            'exit code %d, wanted %d' % (code, session.code)
    return 'wanted: %s\ngot:    %s' % ('\n        '.join(session.gives or session.shown),
                                      '\n        '.join(got))


def main():
    os.chdir(TOP)
    with open('conf-qmail') as file:
        home = file.readline().strip()
    if os.stat(home).st_dev == os.stat('/').st_dev:
        print('Bail out! not in a world: tests/world/world -- ' + sys.argv[0])
        return 1
    pages = tempfile.mkdtemp()
    bad = 0
    try:
        subprocess.run(['man/render', pages], check=True)
        links = [line.split()[1] for line in open('man/MLINKS')]
        names = sys.argv[1:] or sorted(set(os.listdir(pages)) - set(links))
        todo = [s for name in names for s in sessions(os.path.join(pages, name))]
        if not todo:
            print('Bail out! no examples: ' + ' '.join(names))
            return 1
        print('1..%d' % (len(todo) + 1), flush=True)
        for number, session in enumerate(todo, 1):
            problem = run(session, home)
            bad += bool(problem)
            print('%s %d - %s:%d %s' % ('not ok' if problem else 'ok', number, session.page,
                                        session.line, ''.join(session.commands[:1]).split('\n')[0]))
            for line in problem.split('\n') if problem else []:
                print('#   ' + line)
            sys.stdout.flush()
        silent = set(names) - {session.page for session in todo}
        wrong = silent ^ set(NOT_RUN) if not sys.argv[1:] else silent
        bad += bool(wrong)
        print('%s %d - others have a reason' % ('not ok' if wrong else 'ok', len(todo) + 1))
        for name in sorted(wrong):
            print('# ' + name)
    finally:
        shutil.rmtree(pages)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
