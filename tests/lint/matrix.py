#!/usr/bin/python3
"""matrix.py - the table of programs in tests/README.md is complete and true.

usage: tests/lint/matrix.py, in the top of the tree.  Prints what is wrong; exit 1 if anything is.
Every program that the Makefile builds, every script, every start script in boot/ and every name
that man/MLINKS has in section 8 or 1 has a row.  A cell has names of tests, or `-` and a name in
parentheses: the test that plays that part.  What a cell names is there, and:
unit: tests/unit/test_NAME.c tests a module that the program includes, itself or by another;
golden: tests/golden/NAME.json has a vector that runs the program;
scenario: tests/scenario/NAME.t is there;
bad input: tests/prog/NAME.t (or scenario/NAME.t) has the program's name in it, or is misuse.t
and runs it.
"""
import functools
import glob
import json
import os
import re
import sys

HEADING = '## Programs and their tests'
INCLUDE = re.compile(r'^#include "(\w+/[\w.]+)"', re.M)
# Included nearly everywhere, by tests for their own needs.
NOT_TESTED = {'lib/' + name for name in ('attr', 'buf', 'conf', 'errtext', 'io', 'num', 'span')}
COLUMNS = ('unit', 'golden', 'scenario', 'bad input')


@functools.lru_cache(None)
def text(path):
    """What is in a file; '' if there is none."""
    if not os.path.isfile(path):
        return ''
    with open(path, encoding='utf-8') as file:
        return file.read()


def headers(path):
    """All project headers that a file includes, and their modules, by whatever way."""
    seen, waiting = set(), [path]
    while waiting:
        for name in INCLUDE.findall(text(waiting.pop())):
            if name not in seen:
                seen.add(name)
                waiting += ['src/' + name, 'src/' + name[:-2] + '.c']
    return seen


def programs():
    """{name: its source}; links have the source of what they lead to."""
    found = {name: 'src/%s/%s.c' % (folder, name) for name, folder in
             re.findall(r'^\$B/([a-z0-9-]+): \$[OS]/(\w+)/', text('src/programs.mk'), re.M)}
    for path in glob.glob('src/*/*.sh'):
        found[os.path.basename(path)[:-3]] = path
    for path in glob.glob('boot/*'):
        found['boot/' + os.path.basename(path)] = path
    for page, link in re.findall(r'^([\w-]+)\.[18] ([\w-]+)\.[18]$', text('man/MLINKS'), re.M):
        found.setdefault(link, found.get(page))
    return found


def rows():
    """The lines of the table: [name, cell, ...]"""
    part = text('tests/README.md').partition(HEADING)[2].partition('\n## ')[0]
    lines = [line.strip().strip('|').split('|') for line in part.splitlines()
             if line.startswith('| `')]
    return [[cell.strip() for cell in line] for line in lines]


@functools.lru_cache(None)
def runs(name):
    """All names of programs in the vectors of a golden file."""
    return set(re.findall(r'"(?:prog|argv0)": "([^"]*)"', text('tests/golden/%s.json' % name)))


def misused(program):
    """Whether misuse.t runs it: all that is installed, and a list."""
    test, hier = text('tests/prog/misuse.t'), text('src/install/hier.c')
    left_out = re.search(r'^LEFT_OUT = (.*?})', test, re.M).group(1)
    listed = ' '.join(re.findall(r"BUILD \+ '/bin': '([^']*)'", test)).split()
    return ('"%s"' % program in hier or 'bin/%s"' % program in hier or program in listed) and \
        "'%s'" % program not in left_out


def wrong(program, source, column, name):
    """What is wrong with a name in a cell; None if it is right."""
    if column == 'unit':
        test = text('tests/unit/test_%s.c' % name)
        if not test:
            return 'there is no such unit test'
        tested = {one[:-2] for one in INCLUDE.findall(test)}
        tested = {one for one in tested if one.endswith('/' + name)} or tested - NOT_TESTED
        if not tested & {one[:-2] for one in headers(source or '')}:
            return 'the test and the program share no module'
    elif column == 'golden':
        if program not in runs(name):
            return 'no vector of golden/%s.json runs it' % name
    else:
        found = [text('tests/%s/%s.t' % (folder, name)) for folder in
                 (('scenario',) if column == 'scenario' else ('prog', 'scenario'))]
        if not any(found):
            return 'there is no such test'
        if column == 'bad input' and name == 'misuse':
            return None if misused(program) else 'misuse.t does not run it'
        word = os.path.basename(program) if column == 'bad input' else ''
        if not any(re.search(r'(?<![\w-])%s(?![\w-])' % re.escape(word), one) for one in found):
            return 'the test does not name the program'
    return None


def check():
    """All complaints."""
    known, seen = programs(), set()
    for row in rows():
        program = row[0].strip('`')
        if program not in known:
            yield '%s: there is no such program' % program
            continue
        if program in seen or len(row) != 1 + len(COLUMNS):
            yield '%s: two rows, or not %d cells' % (program, len(COLUMNS))
            continue
        seen.add(program)
        for column, cell in zip(COLUMNS, row[1:]):
            instead = re.fullmatch(r'- \((\w+)/([\w.-]+)\)', cell)
            if instead:
                if not glob.glob('tests/%s/%s.*' % instead.groups()):
                    yield '%s, %s: there is no %s/%s' % ((program, column) + instead.groups())
            elif not re.fullmatch(r'[\w-]+( [\w-]+)*', cell):
                yield '%s, %s: the cell is empty, or not names' % (program, column)
            else:
                for name in cell.split():
                    if problem := wrong(program, known[program], column, name):
                        yield '%s, %s, %s: %s' % (program, column, name, problem)
    for program in sorted(set(known) - seen):
        yield '%s: has no row' % program


def main():
    for path in glob.glob('tests/golden/*.json'):
        json.loads(text(path))
    complaints = ['tests/README.md: ' + line for line in check()]
    print('\n'.join(complaints), end='\n' if complaints else '')
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main())
