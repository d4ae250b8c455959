#!/usr/bin/python3
"""length - functions of at most 60 lines, .c files of at most 500, lines of at most 100 columns.

Tables of constants do not count as functions.  Lines count in C and in scripts, which are known by
.py, .sh or their first two bytes; not in tests, .t, where a case of a table is a line.  Prints
every offender; exit 1 if there is one.
"""
import glob
import os
import re
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
FUNCTION, FILE, COLUMNS = 60, 500, 100
bad = False


def complain(text):
    global bad
    bad = True
    print(text)


def check_columns(path, lines):
    for number, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > COLUMNS:
            complain('%s:%d: %d columns' % (path, number, width))


def is_script(path):
    if not os.path.isfile(path) or '/golden/' in path or path.endswith('.t'):
        return False
    if path.endswith(('.py', '.sh')):
        return True
    with open(path, 'rb') as file:
        return file.read(2) == b'#!'


for path in sorted(glob.glob('src/*/*.[ch]') + glob.glob('tests/**/*.[ch]', recursive=True)):
    lines = open(path, encoding='utf-8').read().split('\n')
    if path.endswith('.c') and len(lines) > FILE + 1:
        complain('%s: %d lines' % (path, len(lines) - 1))
    check_columns(path, lines)
    if not path.startswith('src/'):
        continue
    start = name = None
    for number, line in enumerate(lines, 1):
        head = re.match(r'([a-z_][a-zA-Z0-9_]*)\(', line)
        if head:
            name = head.group(1)
        if line == '{' and name:
            start = number
        if line == '}' and start:
            if number - start - 1 > FUNCTION:
                complain('%s:%d: %s has %d lines' % (path, start, name, number - start - 1))
            start = name = None
for top in 'src', 'boot', 'man', 'tests', '.ci':
    for path in filter(is_script, sorted(glob.glob(top + '/**', recursive=True))):
        with open(path, encoding='utf-8') as file:
            check_columns(path, file.read().split('\n'))
sys.exit(bad)
