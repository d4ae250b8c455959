#!/usr/bin/python3
"""golden.t - the recorded behaviour vectors, one test point each; usage: golden.t [PATTERN...]

A vector that differs for a reason stands in tests/golden-known as `id<TAB>reason`; it is then
expected to fail, and it is an error when it passes after all or when no vector has that id.
The vectors are dealt out to as many runners as there are processors.
"""
import os
import re
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUN = os.path.join(TESTS, 'golden', 'run')
KNOWN = os.path.join(TESTS, 'golden-known')
POINT = re.compile(r'(not )?ok \d+ - (\S+)')


def known():
    """id -> reason of the listed differences."""
    rows = {}
    if os.path.exists(KNOWN):
        with open(KNOWN) as file:
            for line in file:
                if line.strip() and not line.startswith('#'):
                    name, reason = line.rstrip('\n').split('\t', 1)
                    rows[name] = reason
    return rows


class Points:
    """Numbers and prints the test points."""

    def __init__(self, differences):
        self.differences, self.count, self.bad, self.seen = differences, 0, 0, set()

    def add(self, passed, name):
        self.count += 1
        self.seen.add(name)
        reason = self.differences.get(name)
        remark = ''
        if reason and passed:
            passed, remark = False, ' (passes, but stands in golden-known)'
        elif reason:
            remark = ' # TODO ' + reason
        if not passed and '# TODO' not in remark:
            self.bad += 1
        print('%s %d - %s%s' % ('ok' if passed else 'not ok', self.count, name, remark), flush=True)

    def read(self, text):
        for line in text.splitlines():
            point = POINT.match(line)
            if point:
                self.add(not point.group(1), point.group(2))
            elif line.startswith('#') and self.count and not line.endswith(' passed'):
                print(line)


def start(names):
    """A runner for exactly these vectors: quoted, since an id alone also means every longer one."""
    exact = ['[%s]%s' % (name[0], re.sub(r'([*?[])', r'[\1]', name[1:])) for name in names]
    return subprocess.Popen([RUN] + exact, stdout=subprocess.PIPE, text=True, errors='replace')


def main():
    listed = subprocess.run([RUN, '--list'] + sys.argv[1:], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.split()
    differences = known()
    points = Points(differences)
    share = max(1, os.cpu_count() or 1)
    print('1..%d' % (len(listed) + (0 if sys.argv[1:] else 1)), flush=True)
    runners = [start(listed[part::share]) for part in range(share) if listed[part::share]]
    for runner in runners:
        points.read(runner.communicate()[0])
    missing = set(listed) - points.seen
    for name in sorted(missing):
        points.add(False, name + ' (no result)')
    if not sys.argv[1:]:
        unknown = sorted(set(differences) - set(listed))
        points.add(not unknown, 'golden-known-lists-vectors-only')
        for name in unknown:
            print('# no such vector: ' + name)
    return 1 if points.bad else 0


if __name__ == '__main__':
    sys.exit(main())
