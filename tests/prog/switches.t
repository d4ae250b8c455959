#!/usr/bin/python3
"""Every switch of qmail-smtpd: off, on, in the log, with a bad value; by the table switches.tsv.

Its columns, by tabs: the switch, a control file or a variable; where it comes from; then either
`= FILE` and three test points of that file, which lint/switches.py looks for (on and off; the log,
or `-` where nothing is logged; a bad value), or
    setting     what turns it on, and what it needs, by `;`: the value; `+NAME=value`, another
                control file or variable; `+args=words` for qmail-smtpd; `+watch=call`, a system
                call to watch.  A control file is written (`file:PATH`: copied), a variable set;
                %s is our directory
    dialogue    commands, by ` | `; `then`: the next one is said when all have been answered,
                `wait`: and the server has said more, which need not be long if it is to say nothing
    off         codes of the replies without the value, with all that it needs
    on          codes of the replies with it; behind ` ~ ` a regular expression that is found in
                what the server said, queued and logged, and not without the value; with `!` in
                front the other way round
    log         such an expression about the log alone; - the log is the same
    refused     what refuses the commands that get 4xx and 5xx with it, by the lines of
                QMAILSMTPD_LOG=refusal, one for each; - there is no such line
    bad         a value that is none, or `dir`, a control file that cannot be read
    with bad    codes of the replies with that; ` ~ ` as above
Besides, a control file that is a directory, that only root may read, or that is a symbolic link to
nowhere, and likewise a file that a variable names, never leads to a `yes` at the end.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from dnsserver import Dns
import netserver
from netserver import HOME, QUEUE, queued, set_up, tear_down
import tap

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'switches.tsv')
UNREADABLE = {'dir': True, 'root': False, 'link': netserver.NOWHERE}     # see there
NO_FILE, ROOTS = '/nonesuch', '/unreadable'
STORE = HOME + '/greylist'
TODO = HOME + '/queue/todo'
ZONE = {'none.example': 'NXDOMAIN', 'down.example': 'SERVFAIL', 'b.example': 'SERVFAIL',
        'fail.example TXT': ['v=spf1 -all'], 'good.example A': ['192.0.2.1'],
        '7.2.0.192.listed.example TXT': ['listed'], '7.2.0.192.listed.example A': ['127.0.0.2'],
        '7.2.0.192.down.example': 'SERVFAIL'}


def rows():
    """The lines of the table, without comments."""
    with open(TABLE, encoding='utf-8') as file:
        for line in file:
            if line.strip() and not line.startswith('#'):
                yield line.rstrip('\n').split('\t')


class Setting:
    """What a column says; without the value of the switch, with it, or with another one."""

    def __init__(self, switch, text, value):
        self.env, self.control, self.args, self.watched = {}, {}, (), None
        for part in text.split(';'):
            part = part.replace('%s', QUEUE)
            name, _, words = part.partition('=')
            if name == '+args':
                self.args = words.split(' ')
            elif name == '+watch':
                self.watched = words
            elif part.startswith('+'):
                self.put(name[1:], words)
            elif value is not None:
                self.put(switch, part if value is True else value.replace('%s', QUEUE))
        if switch == 'QMAILQUEUE' and value is None:
            self.env['QMAILQUEUE'] = None

    def put(self, name, value):
        if is_variable(name):
            self.env[name] = value
        elif value in UNREADABLE:
            self.control[name] = UNREADABLE[value]
        elif value.startswith('file:'):
            with open(value[5:], 'rb') as file:
                self.control[name] = file.read()
        else:
            self.control[name] = value.replace('\\n', '\n').encode('utf-8') + b'\n'


def is_variable(name):
    return name.upper() == name


def exchange(server, dialogue, patient):
    """All at once, but for what is behind `then` and `wait`."""
    said = ''
    *parts, last = re.split(r'(?:^|(?<= ))(then|wait)(?: \| |$)', dialogue)
    for commands, pause in zip(parts[::2], parts[1::2]):
        lines = commands.removesuffix(' | ').split(' | ')
        server.send_some(''.join(line + '\r\n' for line in lines))
        said += server.until(rb'(?:(?:\d\d\d-.*\n)*\d\d\d .*\n){%d}' % (len(lines) + (not said)))
        if pause == 'wait':
            said += await_more(server, 30 if patient else 1.5)
    script = ''.join(line + '\r\n' for line in last.split(' | ') if line)
    return said + netserver.exchange(server, script.encode('utf-8'))[0]


def await_more(server, seconds):
    server.socket.settimeout(seconds)
    try:
        return server.until(rb'\n')
    except TimeoutError:
        return ''
    finally:
        server.socket.settimeout(30)


def submitted():
    """Text of what the stub and qmail-queue have got."""
    found = b''.join(envelope + message for message, envelope in queued())
    for directory, _, names in os.walk(TODO):
        for name in names:
            with open(directory + '/' + name, 'rb') as file:
                found += file.read()
            os.unlink(directory + '/' + name)
    return found.decode('latin-1')


def codes_of(reply):
    """Those at the beginning of lines that end a reply; with the enhanced code: 553#5.7.1."""
    found = []
    for line in reply.split('\r\n'):
        if re.match(r'\d\d\d ', line):
            code = re.search(r'\(#(\d\.\d\.\d+)\) ?$', line)
            found.append(line[:3] + ('#' + code.group(1) if code and line[0] > '3' else ''))
    return ' '.join(found)


def talk(dialogue, setting, patient=False, style=None):
    """Codes of the replies, the log, and all that was seen."""
    env, trace = dict(setting.env), QUEUE + '/out/trace'
    before = []
    if setting.watched:
        before = ['strace', '-qq', '-o', trace, '-e', 'signal=none', '-e', setting.watched]
        # It cannot be traced twice.
        env['ASAN_OPTIONS'] = 'detect_leaks=0'
    if style:
        env.setdefault('QMAILSMTPD_LOG', style)
    shutil.rmtree(STORE, ignore_errors=True)
    os.mkdir(STORE, 0o700)
    shutil.chown(STORE, 'qmaild', 'nofiles')
    with tempfile.TemporaryFile() as err:
        server = netserver.Server('qmail-smtpd', env=env, control=setting.control, err=err,
                                  args=setting.args, before=before)
        reply = exchange(server, dialogue, patient)
        err.seek(0)
        log = err.read().decode('latin-1')
    seen = reply + submitted() + log
    if before:
        with open(trace, encoding='latin-1') as file:
            seen += file.read()
    return codes_of(reply), log, seen


# ---- what settings name ----

PROGRAMS = {                            # what they do is in their name
    'plugin': 'case $SMTPRCPTTO in bad*) echo "E553 by plug-in (#5.7.1)" ;; esac',
    # Outlives a limit of 1 s however late that is, and is more than 1 s without it.
    'slow': '[ "$(cat %s/control/*timeout 2>/dev/null)" != 1 ] || exec sleep 1000; exec sleep 2' % HOME,
    'checker': '[ "$RECIPIENT" != bad@ok.example ] || { echo "550 none (#5.1.1)" >&4; exit 100; }',
    'auth': 'cat <&3 >/dev/null; exec "$@"',
    'cram': 'case $(tr "\\0" " " <&3) in "joe <"*) exec "$@" ;; esac; exit 111',
    'yes': 'exit 0',
    'refuser': 'cat >/dev/null; exit 31',
    'says5': 'cat >/dev/null; echo "Dno thanks (#5.7.1)" >&5; exit 82',
    'filters': 'exec %s/bin/qmail-qfilter' % HOME,
}
FILES = {'spp': '[rcpt]\n%s/plugin\n' % QUEUE, 'valid': 'u@ok.example\n-@ok.example\n',
         'lists': '-listed.example\n',
         'spamdyke/ok.example/u/b.example/a@b.example': ''}
CDBS = {'more.cdb': {'u@ok.example': '', '-@ok.example': ''}, 'all.cdb': {'u@ok.example': ''}}


def make_files():
    for name, text in PROGRAMS.items():
        with open('%s/%s' % (QUEUE, name), 'w') as file:
            file.write('#!/bin/sh\n%s\n' % text)
        os.chmod('%s/%s' % (QUEUE, name), 0o755)
    for name, text in FILES.items():
        path = '%s/%s' % (QUEUE, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as file:
            file.write(text)
    os.utime(path, (1, os.stat(path).st_mtime - 1000))      # spamdyke's: long enough ago
    for name, items in CDBS.items():
        text = ''.join('+%d,%d:%s->%s\n' % (len(k), len(v), k, v) for k, v in items.items()) + '\n'
        subprocess.run(['cdb', '-c', QUEUE + '/' + name], input=text.encode(), check=True)
        os.chmod(QUEUE + '/' + name, 0o644)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes',
                    '-subj', '/CN=mx.example', '-keyout', QUEUE + '/key', '-out', QUEUE + '/crt'],
                   check=True, stderr=subprocess.DEVNULL)
    with open(QUEUE + '/cert.pem', 'w') as cert:
        for part in 'key', 'crt':
            with open(QUEUE + '/' + part) as file:
                cert.write(file.read())
    os.mkdir(QUEUE + NO_FILE)           # what cannot be read
    with open(QUEUE + ROOTS, 'w') as file:
        os.fchmod(file.fileno(), 0)


# ---- rows ----

REFUSAL = re.compile(r'^qmail-smtpd: (\S+) \((\d\d\d)[ -].*\): \S* from 192\.0\.2\.7 '
                     r'to \S* helo \S*\n', re.M)


def differ(pattern, off, on, name):
    """It is found in one of them only; with `!` in front in that without the switch."""
    with_it, without = (off, on) if pattern.startswith('!') else (on, off)
    expression = re.compile(pattern.removeprefix('!'))
    tap.ok(expression.search(with_it) and not expression.search(without), name,
           'off: %s\non: %s' % (off, on))


def test_log(switch, wanted, quiet, loud):
    if wanted != '-':
        differ(wanted, quiet, loud, switch + ': log')
        return
    pid = re.compile(r'\[\d+\]')
    tap.equal(pid.sub('', loud), pid.sub('', quiet), switch + ': nothing in the log')


def test_on(switch, text, dialogue, on, style):
    """The log without the lines of that style; what was refused by whom; what was seen."""
    codes, log, seen = talk(dialogue, Setting(switch, text, True), patient=True, style=style)
    tap.equal(codes, on, switch + ' on')
    lines = REFUSAL.findall(log)
    if style:
        log = REFUSAL.sub('', log)
        tap.equal([code for _, code in lines], [code[:3] for code in on.split() if code[0] in '45'],
                  switch + ': a line for each refusal')
    return log, ' '.join(name for name, _ in lines), seen


def test_row(row):
    switch, _, text, dialogue, off, on, log, refused, bad, with_bad = row
    on, _, visible = on.partition(' ~ ')
    with_bad, _, bad_visible = with_bad.partition(' ~ ')
    codes, quiet, before = talk(dialogue, Setting(switch, text, None))
    tap.equal(codes, off, switch + ' off')
    loud, names, seen = test_on(switch, text, dialogue, on, 'refusal' if refused != '-' else None)
    tap.ok(on != off or visible or log != '-', switch + ' makes a difference')
    if visible:
        differ(visible, before, seen, '  ' + visible)
    test_log(switch, log, quiet, loud)
    if refused != '-':
        tap.equal(names, refused, switch + ': who refuses')
    elif switch not in ('QMAILSMTPD_LOG', 'timeoutsmtpd'):      # the style itself; no command
        tap.ok(not re.search('(^| )[45]', on), switch + ': no refusals', on)
    codes, _, seen = talk(dialogue, Setting(switch, text, bad))
    tap.equal(codes, with_bad, switch + ': ' + bad)
    if bad_visible:
        tap.ok(re.search(bad_visible, seen), '  ' + bad_visible, seen)


def test_unreadable(row):
    """A policy that cannot be read is not off."""
    switch, text, dialogue, bad = row[0], row[2], row[3], row[8]
    if is_variable(switch) and bad != NO_FILE:
        return
    values = ('%s' + NO_FILE, '%s' + ROOTS) if is_variable(switch) else UNREADABLE
    for value, what in zip(values, ('is a directory', 'is for root only', 'leads nowhere')):
        codes, log, seen = talk(dialogue, Setting(switch, text, value))
        tap.ok(codes.split()[-1][0] == '4', '%s %s' % (switch, what), codes)
        if '\n421 unable to read controls' in '\n' + seen:
            name = value % QUEUE if is_variable(switch) else 'control/' + switch
            tap.ok(re.search(r'^qmail-.*[: ]%s: (is a directory|access denied|'
                             r'file does not exist|input/output error)$' % re.escape(name), log, re.M),
                   '  the log names it, and why', log)


def main():
    set_up()
    make_files()
    names = Dns(ZONE)
    wanted = sys.argv[1:]
    for row in rows():
        if row[2].startswith('= ') or wanted and row[0] not in wanted:
            continue
        test_row(row)
        test_unreadable(row)
    names.stop()
    tear_down()
    return tap.done()


sys.exit(main())
