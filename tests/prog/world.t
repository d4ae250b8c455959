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
done_testing
