#!/usr/bin/python3
"""Every switch of qmail-smtpd: off, on, in the log, with a bad value; by the table switches.tsv.

Its columns, by tabs: the switch, a control file or a variable; where it comes from; then either
`= NAME`, the test that has the rest, or
    setting     what turns it on: `value`, or `+NAME=value`s, with `;` between; a control file is
                written, a variable set; %s is our directory
    dialogue    commands, with ` | ` between
    off         codes of the replies without it
    on          codes of the replies with it
    log         a regular expression that the log has with it, and not without it; - nothing
    bad         a value that is none, or `dir`, a control file that cannot be read
    with bad    codes of the replies with that
"""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import netserver
from netserver import QUEUE, set_up, tear_down
import tap

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'switches.tsv')


def rows():
    """The lines of the table, without comments."""
    with open(TABLE, encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                yield line.rstrip('\n').split('\t')


def is_variable(name):
    return name.upper() == name


def put(name, value, env, control):
    if is_variable(name):
        env[name] = value
    elif value == 'dir':
        control[name] = True
    else:
        control[name] = value.replace('\\n', '\n').encode('utf-8') + b'\n'


def settings(switch, text):
    """(environment, control files) of a setting; `-` is none."""
    env, control = {}, {}
    for part in [] if text == '-' else text.split(';'):
        part = part.replace('%s', QUEUE)
        if part.startswith('+'):
            put(*part[1:].split('=', 1), env, control)
        else:
            put(switch, part, env, control)
    return env, control


def talk(dialogue, env, control):
    """Codes of the replies, and the log.  The codes are those at the beginning of lines that end a
    reply; an enhanced code is kept: 553#5.7.1."""
    with tempfile.TemporaryFile() as err:
        server = netserver.Server('qmail-smtpd', env=env, control=control, err=err)
        script = ''.join(line + '\r\n' for line in dialogue.split(' | '))
        reply, _ = netserver.exchange(server, script.encode('utf-8'))
        err.seek(0)
        log = err.read().decode('latin-1')
    found = []
    for line in reply.split('\r\n'):
        if re.match(r'\d\d\d ', line):
            code = re.search(r'\(#(\d\.\d\.\d+)\)$', line)
            found.append(line[:3] + ('#' + code.group(1) if code and line[0] > '3' else ''))
    return ' '.join(found), log


def write_programs():
    """Plug-ins and a checker: what they do is in their name."""
    programs = {
        'plugin': 'case $SMTPRCPTTO in bad*) echo "E553 by plug-in (#5.7.1)" ;; esac',
        'slow': 'exec sleep 60',
        'checker': '[ "$RECIPIENT" != bad@ok.example ] || { echo "550 none (#5.1.1)" >&4; exit 100; }',
        'echo': 'env >%s/env' % QUEUE,
    }
    for name, text in programs.items():
        with open('%s/%s' % (QUEUE, name), 'w') as file:
            file.write('#!/bin/sh\n%s\n' % text)
        os.chmod('%s/%s' % (QUEUE, name), 0o755)
    for name, text in (('spp', '[rcpt]\n%s/plugin\n' % QUEUE),
                       ('valid', 'u@ok.example\n-@ok.example\n')):
        with open('%s/%s' % (QUEUE, name), 'w') as file:
            file.write(text)


def test_row(row):
    switch, _, setting, dialogue, off, on, log, bad, with_bad = row
    codes, quiet = talk(dialogue, *settings(switch, '-'))
    tap.equal(codes, off, switch + ' off')
    codes, loud = talk(dialogue, *settings(switch, setting))
    tap.equal(codes, on, switch + ' on')
    if log == '-':
        tap.equal(loud, quiet, switch + ': nothing in the log')
    else:
        tap.ok(re.search(log, loud) and not re.search(log, quiet), switch + ': log', loud)
    env, control = settings(switch, setting)
    put(switch, bad.replace('%s', QUEUE), env, control)
    tap.equal(talk(dialogue, env, control)[0], with_bad, switch + ': ' + bad)


def test_elsewhere(row):
    switch, path = row[0], row[2][2:]
    with open('tests/' + path, encoding='utf-8') as file:
        tap.ok(re.search(r'(?<!\w)%s(?!\w)' % re.escape(switch), file.read()),
               '%s is in %s' % (switch, path))


def main():
    set_up()
    write_programs()
    for row in rows():
        if row[2].startswith('= '):
            test_elsewhere(row)
        else:
            test_row(row)
    tear_down()
    return tap.done()


sys.exit(main())
