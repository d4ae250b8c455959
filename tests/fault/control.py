"""control - programs that are broken on purpose: the suite must see what each of them does.

Each is a script that takes the place of a program for one undisturbed message of a run.
"""
import contextlib
import os
import signal

from system import HOME, processes

# name: (run, program, what it does, what the suite must say)
BROKEN = {
    'drops': ('queue', 'qmail-queue', 'cat >/dev/null; exit 0', 'LOST: '),
    'queues-twice': ('queue', 'qmail-queue', '''cat >/tmp/text; cat <&1 >/tmp/envelope
"$real" </tmp/text 1</tmp/envelope; exec "$real" </tmp/text 1</tmp/envelope''', '2 copies at '),
    'mixes-up': ('queue', 'qmail-queue', '(echo t0z; cat) | "$real"', 'mixed or unknown'),
    'shortens': ('queue', 'qmail-queue', 'head -c 200 | "$real"', 'not whole'),
    'refuses-for-good': ('queue', 'qmail-queue', 'exit 31', 'was told: never'),
    'loses-at-delivery': ('maildir', 'qmail-local', 'exit 0', 'LOST: '),
    'bounces': ('maildir', 'qmail-local', 
                'case "$*" in *joe-md-*) exit 100 ;; esac; exec "$real" "$@"', 'bounced'),
    'says-never': ('remote', 'qmail-remote', r'printf "r\0Dno\n\0"', 'bounced'),
    'stays': ('maildir', 'qmail-local', 'sleep 999 >/dev/null 2>&1 & exec "$real" "$@"',
              'sleep: 1'),
    'leaves-a-file': ('daemons', 'qmail-clean', 'echo x >%s/queue/mess/7/7; exec "$real"' % HOME,
                      'qmail-qcheck: '),
}


@contextlib.contextmanager
def in_place(name):
    _, program, script, _ = BROKEN[name]
    path = '%s/bin/%s' % (HOME, program)
    os.rename(path, path + '.real')
    with open(path, 'w') as file:
        file.write('#!/bin/sh\nreal=%s.real\n%s\n' % (path, script))
    os.chmod(path, 0o755)
    try:
        yield
    finally:
        os.rename(path + '.real', path)
        for pid in processes().get('sleep', []):
            os.kill(pid, signal.SIGKILL)
