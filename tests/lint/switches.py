#!/usr/bin/python3
"""switches.py - tests/switches.tsv against the code.  Run in the top of the tree; prints what is
wrong, exit 1 if anything is.  A control file or variable that qmail-smtpd reads, or what checks and
filters for it, has a row, each row is read, is described in a manual, and a control file is shown
by qmail-showctl.  Where a row names test points of a file, that has them; where it names checks or
commands that refuse, there are such, and each check of checks.c refuses in some row.
"""
import ast
import glob
import re
import sys

SOURCES = sorted(glob.glob('src/smtp/*.c')) + ['src/mail/intake.c', 'src/mail/relay.c',
                                               'src/queue/submit.c', 'src/net/ipme.c']
# What checks and filters for it, at its side or behind it.
SOURCES += ['src/spf/controls.c', 'src/queue/taps.c', 'src/queue/qfilter.c',
            'src/queue/qmail-qfilter.c', 'src/spawn/spawn-filter.c', 'src/spawn/qmail-lspawn.c']
# Read by helpers that get them as an argument, and what describes the connection.
CONNECTION = re.compile(r'TCP6?(LOCAL|REMOTE)\w+|PROTO|PATH|SMTPAUTH(METHOD|USER)|SSLCTLFD')
FIRST_ARGUMENT = re.compile(r'\b(?:getenv|is_on|ctl_\w+|starttls_\w+|read_either)\(\s*"([^"]+)"')
CALLS = re.compile(
    r'\b(?:smtpconf_number|ctlnames_may_have|line_or_me|read_either)\(([^;{]*?)\)', re.S)
WORD = re.compile(r'"([A-Za-z][\w.-]+)"')


def text(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def read_by(source):
    """Names of control files and variables that the text of a source asks for."""
    found = set(FIRST_ARGUMENT.findall(source))
    for call in CALLS.findall(source):
        found.update(WORD.findall(call))
    found.update(re.findall(r'"control/(\w[\w.-]*)"', source))
    found.update(re.findall(r'#define FILE_NAME "(\w+)"', source))
    for block in re.findall(r'table\[LISTS_COUNT\] = \{(.*?)\n\};', source, re.S):
        found.update(WORD.findall(block))
    return {name for name in found if not CONNECTION.fullmatch(name)}


# Upper-case words in the sources that are set for other programs or said to clients, not read.
NOT_READ = set("""
    ALWAYS AONERD AUTH BASH_ENV BODY DATA DOMAIN ENV ENVSIZE ESMTP FROM GNLR HELO IFS LD_ MRD
    MSGSIZE NUMRCPTS ORIG QMAILHOST QMAILRCPTS QMAILUSER RBLRESULT RCPT RCPTHOSTS RECIPIENT SENDER
    SHELLOPTS SIZE SMTP SMTPAUTHUSER SMTPHELOHOST SMTPMAILFROM SMTPRCPTCOUNT SMTPRCPTCOUNTALL
    SMTPRCPTHOSTSOK SMTPRCPTTO SMTP_AUTH_USER SNDR SPFRESULT SSL_CLIENT_EMAIL_0 SSL_CLIENT_S_DN
    SSL_CLIENT_VERIFY SSL_TLS_SNI SUCCESS TLS USE_FD4 UTF8SMTP""".split())


def other_words(source):
    """Those that read_by has not seen, as it does not know every way to read a variable."""
    code = re.sub(r'/\*.*?\*/', '', source, flags=re.S)
    words = set(re.findall(r'"([A-Z][A-Z0-9_]{2,})"', code))
    return {word for word in words - NOT_READ if not CONNECTION.fullmatch(word)}


def points(path):
    """Names of the test points of a Python program: those that its calls give as they are."""
    place = {'ok': 1, 'equal': 2}
    calls = [node for node in ast.walk(ast.parse(text(path)))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    names = [call.args[place[call.func.attr]] for call in calls
             if len(call.args) > place.get(call.func.attr, len(call.args))]
    return {name.value for name in names if isinstance(name, ast.Constant)}


def check_points(line):
    """The test points of a row that another test has."""
    try:
        known = points('tests/' + line[2][2:])
    except (OSError, SyntaxError) as error:
        yield '%s: %s' % (line[0], error)
        return
    for point in line[3:]:
        if point not in known:
            yield '%s: %s has no test point: %s' % (line[0], line[2][2:], point)


def check_refusers(lines):
    """The column `refused`, against the tables of checks and commands."""
    checks = set(re.findall(r'^\t\{ "([\w-]+)", \w+, [\w| ]+ \},', text('src/smtp/checks.c'), re.M))
    verbs = set(re.findall(r'^\t\{ "(\w+)", command_', text('src/smtp/dialog.c'), re.M)) | {
        'auth', 'starttls', 'unknown', 'controls'}
    named = {name for line in lines if len(line) == 10 for name in line[7].split(' ')} - {'-'}
    for name in sorted(named - checks - verbs):
        yield 'there is no check or command %s' % name
    # What never refuses: it waits, or remembers.
    for name in sorted(checks - named - {'tarpit'}):
        yield 'no row is refused by the check %s' % name


def check():
    """All complaints."""
    asked = set()
    for path in SOURCES:
        asked |= read_by(text(path)) | other_words(text(path))
    lines = [line.split('\t') for line in text('tests/switches.tsv').splitlines()
             if line.strip() and not line.startswith('#')]
    rows = [line[0] for line in lines]
    manuals = '\n'.join(text(path) for path in glob.glob('man/*.[1-8]'))
    shown = text('src/tools/showctl_text.c')
    for line in lines:
        elsewhere = len(line) > 2 and line[2].startswith('= ')
        if len(line) != (6 if elsewhere else 10):
            yield '%s: %d columns' % (line[0], len(line))
        if elsewhere:
            yield from check_points(line)
    yield from check_refusers(lines)
    for name in sorted(asked - set(rows)):
        yield '%s is read and has no row' % name
    for name in sorted(set(rows) - asked):
        yield '%s has a row and nobody reads it' % name
    for name in sorted({name for name in rows if rows.count(name) > 1}):
        yield '%s has two rows' % name
    policy = text('man/qmail-policy.5')
    for line in lines:
        row = r'^\.It \w\w %s Ta .* Ta %s Ta ' % (re.escape(line[0]), re.escape(line[1]))
        if not re.search(row, policy, re.M):
            yield '%s is not in the table of qmail-policy(5)' % line[0]
    for name in rows:
        kind = 'Ev' if name.upper() == name else 'Pa'
        if not re.search(r'^\.(It )?.*\b%s .*(?<![\w/])%s\b' % (kind, re.escape(name)), manuals,
                         re.M) and 'control/' + name not in manuals:
            yield '%s is in no manual' % name
        if kind == 'Pa' and '"%s"' % name not in shown and not name.endswith('.pem'):
            yield 'qmail-showctl does not show %s' % name


def main():
    complaints = ['tests/switches.tsv: ' + line for line in check()]
    print('\n'.join(complaints), end='\n' if complaints else '')
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main())
