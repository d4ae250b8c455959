#!/usr/bin/python3
"""misuse.t - every program in conditions it was not made for: the installed ones and those that
are run in the tree, except what starts a whole mail system (qmail-start, make up) or a build.

Without arguments, with very many, with a very long one; input that is a directory, or a megabyte
of noise with NULs; output to a full disk; descriptors 0, 1 and 2 closed, alone and together; no
environment.  Each must end by itself, within seconds, with an exit code that its manual has (or
0), must not crash, and must leave the files of accounts and control as they were.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import tap

HOME = '/var/qmail'
BUILD = os.path.join(os.getcwd(), 'build-san' if os.environ.get('SAN') else 'build')
LEFT_OUT = {'qmail-start'}              # its descriptors are in qmail-start.t
PLACES = {
    HOME + '/bin': None, HOME + '/configure': None, HOME + '/scripts': None,
    BUILD + '/bin': 'accounts dnscname dnsmxip firstconfig instcheck qmail-upq services setup',
}
# For what has no manual, what its first comment says.
WITHOUT_PAGE = dict.fromkeys('hostname dnscname dnsfq dnsip dnsmxip dnsptr ipmeprint setup '
                             'instcheck'.split(), {100, 111})
WITHOUT_PAGE.update(dict.fromkeys(('accounts', 'services'), {1}), firstconfig={1, 100, 111})
WITHOUT_PAGE['enable-qmail'] = {1, 100}
NOISE = bytes(range(256)) * 4096
CONDITIONS = [
    # name, arguments, standard input, redirections of a shell
    ('no arguments', [], b'', ''),
    ('a thousand arguments', ['x'] * 1000, b'', ''),
    ('an argument of 100,000 bytes', ['a' * 100000], b'', ''),
    ('unknown options', ['-\x01', '--', '-', '\xff\n'], b'', ''),
    ('noise', ['x'], NOISE, ''),
    ('a directory as input', ['x'], None, '</tmp'),
    ('a full disk', ['x'], b'x\n', '>/dev/full 2>/dev/full'),
    ('descriptor 0 closed', ['x'], None, '<&-'),
    ('descriptor 1 closed', ['x'], b'x\n', '>&-'),
    ('descriptor 2 closed', ['x'], b'x\n', '2>&-'),
    ('all three closed', ['x'], None, '<&- >&- 2>&-'),
]


def documented(name):
    """The exit codes in the EXIT STATUS section of a program's manual."""
    for section in '18':
        path = '%s/man/man%s/%s.%s' % (HOME, section, name, section)
        if os.path.exists(path):
            with open(path, encoding='utf-8') as file:
                part = re.search(r'(?ms)^\.Sh EXIT STATUS\n(.*?)^\.Sh ', file.read())
            return {int(n) for n in re.findall(r'\b\d{1,3}\b', part.group(1) if part else '')}
    return WITHOUT_PAGE.get(name)


def kept():
    """Files that no misuse may change."""
    return subprocess.run('cd /; find etc/passwd etc/group var/qmail/control var/qmail/users '
                          'var/qmail/bin -type f -printf "%p %s %T@ %m %U\\n" | sort',
                          shell=True, stdout=subprocess.PIPE, check=True).stdout


def once(path, arguments, stdin, shell):
    """The exit code; negative for a signal, None if it did not end."""
    env = {'PATH': '/usr/bin:/bin'}
    env.update((k, v) for k, v in os.environ.items() if k.endswith('SAN_OPTIONS'))
    process = subprocess.Popen(['sh', '-c', 'exec "$0" "$@" ' + shell, path, *arguments], env=env,
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, cwd='/tmp', start_new_session=True)
    try:
        process.communicate(stdin, 20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None
    return process.returncode


def main():
    before = kept()
    for folder, names in PLACES.items():
        for name in sorted(set(names.split() if names else os.listdir(folder)) - LEFT_OUT):
            codes = documented(name)
            if not tap.ok(codes, name + ' says its exit codes'):
                continue
            wrong = []
            for what, arguments, stdin, shell in CONDITIONS:
                code = once(os.path.join(folder, name), arguments, stdin, shell)
                if code not in codes | {0}:
                    wrong.append('%s: %s' % (what, 'it does not end' if code is None else code))
            tap.equal(wrong, [], '  and no other')
        if folder == HOME + '/bin':     # the others write control files
            tap.equal(kept().decode(), before.decode(), 'files are as they were')
    return tap.done()


sys.exit(main())
