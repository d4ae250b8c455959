"""control - programs that are broken on purpose: the suite must see what each of them does.

Each is a script that takes the place of a program for one undisturbed message of a run.
"""
import contextlib
import os
import signal

from system import HOME, processes

# The seventh argument of qmail-local is the sender.
FORGE = 'a="$1 $2 $3 $4 $5 $6 $7"; shift 8; exec "$real" $a x@y "$@"'

# name: (run, program, what it does, what the suite must say)
BROKEN = {
    # clients
    'drops': ('queue', 'qmail-queue', 'cat >/dev/null; exit 0', 'LOST: '),
    'queues-twice': ('queue', 'qmail-queue', '''cat >/tmp/text; cat <&1 >/tmp/envelope
"$real" </tmp/text 1</tmp/envelope; exec "$real" </tmp/text 1</tmp/envelope''', '2 copies at '),
    'mixes-up': ('queue', 'qmail-queue', '(echo t0z; cat) | "$real"', 'mixed or unknown'),
    'shortens': ('queue', 'qmail-queue', 'head -c 200 | "$real"', 'not whole'),
    'refuses-for-good': ('queue', 'qmail-queue', 'exit 31', 'was told: never'),
    'refuses-one-for-good': ('smtp', 'qmail-smtpd',
                             r'"$real" | awk "/^250 ok/ && ++n == 3 { sub(/250/, 550) } { print }"',
                             'was told: never'),
    'gives-up': ('queue', 'qmail-queue', 'cat >/dev/null; exit 53', 'should have been overcome'),
    'never-ends': ('queue', 'qmail-queue', 'exec sleep 999', 'was told nothing'),
    'loses-at-pop': ('pop3', 'qmail-pop3d', 'rm "$1"/new/1000000002.*; exec "$real" "$@"',
                     'is lost or changed'),
    'adds-at-pop': ('pop3', 'qmail-pop3d', 'echo >"$1"/new/1.x; exec "$real" "$@"',
                    'strange files'),
    'litters-at-pop': ('pop3', 'qmail-pop3d', 'echo >"$1"/tmp/1.x; exec "$real" "$@"',
                       'files in tmp'),
    # deliveries
    'loses-at-delivery': ('maildir', 'qmail-local', 'exit 0', 'LOST: '),
    'makes-up-for-it': ('maildir', 'qmail-local', """case "$*" in *joe-md-*)
mkdir /tmp/tried && exit 111; "$real" "$@" >/dev/null; esac; exec "$real" "$@\"""",
                        '2 copies at md'),
    'puts-off': ('maildir', 'qmail-local', 'exit 111', 'stuck: '),
    'bounces': ('maildir', 'qmail-local',
                'case "$*" in *joe-md-*) exit 100 ;; esac; exec "$real" "$@"', 'bounced'),
    'says-never': ('remote', 'qmail-remote', r'printf "r\0Dno\n\0"', 'bounced'),
    'strays': ('maildir', 'qmail-local',
               'shift 6; exec "$real" -- joe /home/joe joe-x - md-x "$@"', 'strange place'),
    'forges-for-maildir': ('maildir', 'qmail-local', FORGE, 'wrong envelope, at md'),
    'forges-for-mbox': ('mbox', 'qmail-local', FORGE, 'wrong envelope, at mbox'),
    'forges-for-others': ('remote', 'qmail-remote',
                          'h=$1; shift 2; exec "$real" "$h" x@y "$@"', 'wrong envelope, at sink'),
    'blames-others': ('bounce', 'qmail-queue', 'sed "s/^<nobody/<body/" | "$real"',
                      'the notice is about others'),
    'leaves-half': ('mbox', 'qmail-local',
                    '"$real" "$@"; r=$?; truncate -s -99 /home/joe/Mailbox; exit $r',
                    'not whole, at mbox'),
    'stays': ('maildir', 'qmail-local', 'sleep 999 >/dev/null 2>&1 & exec "$real" "$@"',
              'sleep: 1'),
    # daemons
    'leaves-a-file': ('daemons', 'qmail-clean', 'echo x >%s/queue/mess/7/7; exec "$real"' % HOME,
                      'qmail-qcheck: '),
    'forgets': ('daemons', 'qmail-todo', r'''"$real" | perl -e '$| = 1; $/ = "\0";
while (<STDIN>) { print unless /^D/ && !$n++ }' ''', 'forgotten: messages'),
    'leaks': ('daemons', 'qmail-lspawn', 'exec 9</etc/passwd; "$real" "$@"; exit $?',
              'leaked: /etc/passwd'),
}


@contextlib.contextmanager
def in_place(name):
    _, program, script, _ = BROKEN[name]
    path, real = '%s/bin/%s' % (HOME, program), '%s/real/%s' % (HOME, program)
    os.makedirs(os.path.dirname(real), exist_ok=True)
    os.rename(path, real)
    with open(path, 'w') as file:
        file.write('#!/bin/sh\nreal=%s\n%s\n' % (real, script))
    os.chmod(path, 0o755)
    try:
        yield
    finally:
        os.rename(real, path)
        for pid in processes().get('sleep', []):
            os.kill(pid, signal.SIGKILL)
