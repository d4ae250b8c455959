"""tree - where things are in the source tree, and the one error a world can give."""
import os

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BUILD = os.path.join(TOP, 'build-san' if os.environ.get('SAN') else 'build')    # as the Makefile
CACHE = os.path.join(TOP, 'build', 'world')     # layers; no test result is kept here
PACKAGES = os.path.join(TOP, 'tests', 'packages')


class Trouble(Exception):
    """The world cannot be made; the text says why and what to do."""


def home():
    """The mail system's home directory, as built in."""
    with open(os.path.join(TOP, 'conf-qmail')) as file:
        return file.readline().strip()


def exit_code(status):
    """Exit code of a wait status as a shell gives it."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def packages(layer):
    """The packages of one layer in tests/packages."""
    found = []
    with open(PACKAGES) as file:
        for line in file:
            words = line.split('#')[0].split()
            if words and words[0] == layer:
                found += words[1:]
    if not found:
        raise Trouble('tests/packages has no layer "%s"' % layer)
    return found
