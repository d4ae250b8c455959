#!/bin/sh
# firstconfig - what a new mail host needs before it starts, without questions.
# Usage: firstconfig FQDN         Run by: make up, the Debian package; again does no harm.
# Control files by config-fast unless control/me is there; the three aliases that every host must
# have, and the Maildir they lead to.  Existing files are left as they are.
# Exit: 0; else the code of config-fast, or 1.
set -eu
home=@HOME@

if [ -s "$home/control/me" ]; then
	echo "$home/control/me is there already: $(head -n 1 "$home/control/me")"
else
	"$home/configure/config-fast" "$1"
fi
for name in postmaster mailer-daemon root; do
	file=$home/alias/.qmail-$name
	[ -e "$file" ] && continue
	: >"$file"
	chown @USER_ALIAS@:@GROUP_QMAIL@ "$file"
	chmod 644 "$file"
done
if [ ! -d "$home/alias/Maildir" ]; then
	"$home/bin/maildirmake" "$home/alias/Maildir"
	chown -R @USER_ALIAS@:@GROUP_NOFILES@ "$home/alias/Maildir"
fi
