#!/bin/sh
# world.t - the command `world`: exit codes, descriptors, what it refuses; nothing comes out.
. tests/lib.sh

code "exit code of the command" 7 tests/world/world --no-suite -- sh -c 'touch /usr/inside; exit 7'
ok "nothing comes out" test ! -e /usr/inside
ok "no descriptor but 0 to 2" tests/world/world --no-suite -- \
	sh -c 'for n in 3 4 5 6 7 8 9; do test ! -e /proc/$$/fd/$n || exit 1; done' 7</dev/null
code "killed by a signal" 137 tests/world/world --no-suite -- sh -c 'kill -9 $$'
code "no such command" 127 tests/world/world --no-suite -- /nonexistent
cp -R tests/world "$T/world"		# the tree may be where only root can go
code "not root" 111 setpriv --reuid 5001 --regid 5001 --clear-groups "$T/world/world" -- true
like "it says so" "$T/err" 'world: needs root'
ok "WORLD=skip" env WORLD=skip tests/world/world -- false
like "is a skipped test" "$T/out" '^1\.\.0 # SKIP'
done_testing
