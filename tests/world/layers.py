"""layers - directories made once and stacked below, or copied into, many worlds.

All live in build/world/ of the source tree and are made again when what they are made from
changes.  A lock makes sure that test programs running side by side make them only once.
"""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

import host
from tree import BUILD, CACHE, TOP, Trouble, home, packages

INSTALLED = [os.path.join(BUILD, part) for part in ('bin', 'boot', 'doc', 'man')]
APT_STATE = ('/var/lib/apt/lists', '/var/cache/apt/archives')   # shared by all layers
RELEASE = 'bookworm'
INSTALL = '''
export DEBIAN_FRONTEND=noninteractive
[ -e /usr/sbin/policy-rc.d ] || {
	printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}
mkdir -p /var/cache/apt/archives/partial /var/lib/apt/lists/partial
apt-get -q update
apt-get -q -y --no-install-recommends -o APT::Keep-Downloaded-Packages=true install "$@"
'''


def _made(name, key, make):
    """The directory CACHE/name, made by make(directory) unless it is there for the same key."""
    place, stamp = os.path.join(CACHE, name), os.path.join(CACHE, name + '.key')
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, name + '.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if host.read(stamp) == key:
            return place
        if os.path.exists(stamp):
            os.unlink(stamp)
        shutil.rmtree(place, ignore_errors=True)
        fresh = place + '.new'
        shutil.rmtree(fresh, ignore_errors=True)
        os.makedirs(fresh)
        make(fresh)
        shutil.rmtree(fresh + '.work', ignore_errors=True)      # overlayfs's own
        os.rename(fresh, place)
        host.write(stamp, key)
    return place


def _fingerprint(paths):
    """Changes when any file below the paths is changed, added or removed."""
    seen = hashlib.sha256()
    for path in paths:
        files = [path] if os.path.isfile(path) else sorted(
            os.path.join(where, name) for where, _, names in os.walk(path) for name in names)
        for name in files:
            info = os.stat(name)
            seen.update(('%s %d %d\n' % (name, info.st_size, info.st_mtime_ns)).encode())
    return seen.hexdigest()


def suite_layer():
    """The installed tree: what is copied to the home directory of every world."""
    def make(directory):
        installer = host.Host(shares=[(directory, '/mnt')])
        _logged('setup', 'installing the suite', lambda log: installer.run(
            ['sh', '-ec', '%s/bin/setup %s; cp -a %s/. /mnt' % (BUILD, BUILD, home())],
            cwd=TOP, out=log))
    return _made(os.path.basename(BUILD) + '-suite', _fingerprint(INSTALLED), make)


def _logged(name, doing, call):
    """Run a long step, call(log), with its output in CACHE/name.log; Trouble shows its end."""
    print('# world: %s ...' % doing, file=sys.stderr, flush=True)
    path = os.path.join(CACHE, name + '.log')
    with open(path, 'w') as log, open(os.path.join(CACHE, 'network.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)        # apt's shared state is for one at a time
        code = call(log)
    if code != 0:
        tail = ''.join(open(path, errors='replace').readlines()[-5:])
        raise Trouble('%s failed.  Last lines of %s:\n%s' % (doing, path, tail))


def shared_apt(clean):
    """Host shares with which apt keeps its lists and packages from one world to the next."""
    shares = []
    for place in APT_STATE:
        directory = os.path.join(CACHE, ('clean' if clean else 'machine') + place.replace('/', '-'))
        os.makedirs(directory, exist_ok=True)
        shares.append((directory, place))
    return shares


def package_layer(name, clean=False):
    """The files that installing the packages of layer `name` adds to the machine's own (or, with
    clean, to the clean Debian's) root.  "a+b" is one layer with the packages of both: layers that
    are stacked do not know of each other's packages."""
    wanted = [package for part in name.split('+') for package in packages(part)]
    lower = [clean_layer()] if clean else ['/']
    base = host.read(os.path.join(CACHE, 'clean.key')) if clean else _fingerprint(
        ['/var/lib/dpkg/status'])

    def make(directory):
        maker = host.Host(lower=lower, upper=directory, network=False, shares=shared_apt(clean))
        _logged('apt-' + name, 'installing package layer "%s" from the network' % name,
                lambda log: maker.run(['sh', '-c', INSTALL, 'sh'] + wanted, cwd='/', out=log))
    return _made(('clean-' if clean else 'layer-') + name, base + ' '.join(wanted), make)


def _sources():
    """The machine's own sources for Debian: list of (uri, suite, component)."""
    listed = subprocess.run(['apt-get', 'indextargets', '--format',
                             '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'],
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [tuple(line.split()) for line in listed.splitlines()]
    return [row for row in rows if len(row) == 3 and row[1].split('-')[0] == RELEASE
            and row[2] == 'main' and 'debian' in row[0]]


def _proxy():
    return subprocess.run(['apt-config', 'dump', 'Acquire::http::Proxy', 'Acquire::https::Proxy'],
                          stdout=subprocess.PIPE, text=True, check=True).stdout


def clean_layer():
    """A Debian 12 of base packages only, from the package source this machine uses."""
    def make(directory):
        sources = _sources()
        mirror = next((uri for uri, release, _ in sources if release == RELEASE), None)
        if mirror is None:
            raise Trouble('apt on this machine has no source for Debian "%s"' % RELEASE)
        if shutil.which('debootstrap') is None:
            raise Trouble('debootstrap is not installed (tests/run installs it)')
        cache = shared_apt(True)[1][0]
        _logged('debootstrap', 'making a clean Debian from the network', lambda log: subprocess.run(
            ['debootstrap', '--variant=minbase', '--cache-dir=' + cache, RELEASE, directory,
             mirror],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode)
        host.write(directory + '/etc/apt/sources.list',
                   ''.join('deb %s %s %s\n' % row for row in sources))
        host.write(directory + '/etc/apt/apt.conf.d/90proxy', _proxy())
    return _made('clean', RELEASE, make)


def build(name='world.test', stack=(), clean=False, with_suite=True, **more):
    """A host.Host whose layers are there: `stack` are layers of tests/packages, lowest first."""
    host.requirements()
    lower = [package_layer(layer, clean) for layer in reversed(stack)]
    lower.append(clean_layer() if clean else '/')
    return host.Host(name=name, lower=lower, accounts=with_suite or not clean,
                     home_from=suite_layer() if with_suite else None, **more)
