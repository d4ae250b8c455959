#!/bin/sh
# firstconfig - what a new mail host needs before it starts, without questions.
# Usage: firstconfig FQDN         Run by: make up, the Debian package; again does no harm.
# A host that has control/me is configured, and left as it is: an alias more would lead its mail
# elsewhere, unless there is none at all, so that failures of failures had no way to go.  Else the
# three aliases that every host must have, unless .qmail-default has the mail of all, with the
# Maildir they lead to; control files, by config-fast, come last.  Existing files are left as they
# are.
# Exit: 0; else the code of config-fast, or 1.
set -eu
home=@HOME@
host=${1-}

exists() {
	[ -e "$1" ] || [ -L "$1" ]
}

make_aliases() {
	made=
	for name in postmaster mailer-daemon root; do
		file=$home/alias/.qmail-$name
		exists "$file" && continue
		: >"$file"
		chown @USER_ALIAS@:@GROUP_QMAIL@ "$file"
		chmod 644 "$file"
		made="$made .qmail-$name"
	done
	[ -z "$made" ] || echo "made$made and Maildir in $home/alias"
	if ! exists "$home/alias/Maildir"; then
		"$home/bin/maildirmake" "$home/alias/Maildir"
		chown -R @USER_ALIAS@:@GROUP_NOFILES@ "$home/alias/Maildir"
	fi
}

has_aliases() {
	for file in "$home"/alias/.qmail*; do
		exists "$file" && return 0
	done
	return 1
}

if [ -s "$home/control/me" ]; then
	has_aliases || make_aliases
	echo "$home/control/me is there already: $(head -n 1 "$home/control/me")"
else
	exists "$home/alias/.qmail-default" || make_aliases
	"$home/configure/config-fast" "$host"
fi
