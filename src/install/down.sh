#!/bin/sh
# down - stop what `make up` started.  Usage: make down [SENDMAIL=restore]     Run by: root.
# The installed tree, the queue and the accounts stay; make up starts them again.
# SENDMAIL=restore: gives /usr/sbin/sendmail and the like back to the mail system they were
# taken from.
# Exit: 0; 1 with one line.
set -u
home=$(head -n 1 conf-qmail)

fail() {
	echo "make down: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || fail "must be run as root; try: sudo make down"
[ -r build/bin/services ] || fail "build/bin/services is missing; use make down, which makes it"
sh build/bin/services remove || fail "not everything has stopped; run make down again later"

# Only the svscanboot that make up started, and only if the number is still its own.
pid=$(cat /run/pneumail-svscanboot.pid 2>/dev/null)
if [ -n "$pid" ]; then
	if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q svscanboot; then
		# With -s: dash takes no -TERM before the number of a group.
		kill -s TERM -- "-$pid" 2>/dev/null || kill -s TERM "$pid"
	fi
	rm -f /run/pneumail-svscanboot.pid
fi

[ "${1-}" = SENDMAIL=restore ] || exit 0
for path in /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases; do
	[ "$(readlink "$path" 2>/dev/null)" = "$home/bin/sendmail" ] || continue
	rm "$path"
	if command -v dpkg-divert >/dev/null && [ -n "$(dpkg-divert --list "$path")" ]; then
		dpkg-divert --local --rename --remove "$path" >/dev/null
	elif [ -e "$path.other-mta" ]; then
		mv "$path.other-mta" "$path"
	fi
	echo "$path restored"
done
