#!/usr/bin/python3
"""length - functions of at most 60 lines, .c files of at most 500, lines of at most 100 columns.

Tables of constants do not count as functions.  Prints every offender; exit 1 if there is one.
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


for path in sorted(glob.glob('src/*/*.[ch]') + glob.glob('tests/**/*.[ch]', recursive=True)):
    lines = open(path, encoding='utf-8').read().split('\n')
    if path.endswith('.c') and len(lines) > FILE + 1:
        complain('%s: %d lines' % (path, len(lines) - 1))
    start = name = None
    for number, line in enumerate(lines, 1):
        width = len(line.expandtabs(8))
        if width > COLUMNS:
            complain('%s:%d: %d columns' % (path, number, width))
        if not path.startswith('src/'):
            continue
        head = re.match(r'([a-z_][a-zA-Z0-9_]*)\(', line)
        if head:
            name = head.group(1)
        if line == '{' and name:
            start = number
        if line == '}' and start:
            if number - start - 1 > FUNCTION:
                complain('%s:%d: %s has %d lines' % (path, start, name, number - start - 1))
            start = name = None
sys.exit(bad)
