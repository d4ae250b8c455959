"""layers - directories made once and stacked below, or copied into, many worlds.

All live in build/world/ of the source tree and are made again when what they are made from
changes.  A lock makes sure that test programs running side by side make them only once.
"""
import fcntl
import hashlib
import os
import shutil
import subprocess

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
CACHE = os.path.join(TOP, 'build', 'world')
INSTALLED = ('build/bin', 'boot', 'man', 'control-defaults', 'conf-qmail')


def exit_code(status):
    """Exit code of a wait status as a shell gives it."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def home():
    """The mail system's home directory, as built in."""
    with open(os.path.join(TOP, 'conf-qmail')) as file:
        return file.readline().strip()


def _made(name, key, make):
    """The directory CACHE/name, made by make(directory) unless it is there for the same key."""
    place, stamp = os.path.join(CACHE, name), os.path.join(CACHE, name + '.key')
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, name + '.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with open(stamp) as file:
                if file.read() == key:
                    return place
        except FileNotFoundError:
            pass
        shutil.rmtree(place, ignore_errors=True)
        fresh = place + '.new'
        shutil.rmtree(fresh, ignore_errors=True)
        os.makedirs(fresh)
        make(fresh)
        os.rename(fresh, place)
        with open(stamp, 'w') as file:
            file.write(key)
    return place


def _fingerprint(paths):
    """Changes when any file below the paths is changed, added or removed."""
    seen = hashlib.sha256()
    for path in paths:
        path = os.path.join(TOP, path)
        files = [path] if os.path.isfile(path) else sorted(
            os.path.join(where, name) for where, _, names in os.walk(path) for name in names)
        for name in files:
            info = os.stat(name)
            seen.update(('%s %d %d\n' % (name, info.st_size, info.st_mtime_ns)).encode())
    return seen.hexdigest()


def suite_layer():
    """The installed tree: what is copied to the home directory of every world."""
    import suite
    return _made('suite', _fingerprint(INSTALLED), suite.install)
