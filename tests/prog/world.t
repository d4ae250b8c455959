#!/bin/sh
# world.t - the throw-away host is what other tests rely on; runs in one.
. tests/lib.sh

is "host name" "$(hostname)" world.test
like "process 1 is the world" /proc/1/cmdline "tests/world/world"
is "home directory is a real file system" "$(stat -f -c %T /var/qmail)" tmpfs
is "mailboxes are on a real file system" "$(stat -f -c %T /home)" tmpfs
ok "loopback is up" sh -c 'perl -MIO::Socket::INET -e "IO::Socket::INET->new(
	LocalAddr => q(127.0.0.1), LocalPort => 25, Listen => 1) or die"'
is "no other network" "$(sed 1,2d /proc/net/dev | grep -vc ' lo:')" 0
for name in alias qmaild qmaill qmailp qmailq qmailr qmails joe ann; do
	ok "account $name" id "$name"
done
is "joe has an empty Maildir of his own" \
	"$(stat -c '%U %a' /home/joe/Maildir/new) $(ls /home/joe/Maildir/new)" "joe 700 "
echo changed >conf-qmail
is "the tree can be written" "$(cat conf-qmail)" changed

# A world inside: as root, on this machine, what it changes does not come out.
code "exit code of the command" 7 tests/world/world --no-suite -- sh -c 'touch /inside; exit 7'
ok "nothing comes out" test ! -e /inside
ok "no descriptor but 0 to 2" tests/world/world --no-suite -- \
	sh -c 'for n in 3 4 5 6 7 8 9; do test ! -e /proc/$$/fd/$n || exit 1; done' 7</dev/null
code "killed by a signal" 137 tests/world/world --no-suite -- sh -c 'kill -9 $$'
code "no such command" 127 tests/world/world --no-suite -- /nonexistent
code "not root" 111 setpriv --reuid 5001 --regid 5001 --clear-groups tests/world/world -- true
like "it says so" "$T/err" 'world: needs root'
ok "WORLD=skip" env WORLD=skip tests/world/world -- false
like "is a skipped test" "$T/out" '^1\.\.0 # SKIP'
done_testing
