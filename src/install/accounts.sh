#!/bin/sh
# accounts - create the groups and accounts of the mail system where they are missing.
# Usage: accounts [-n]        -n: only print the commands
# Run by: make up, the Debian package, or by hand as root before `make setup`.  Existing ones are
# left as they are.
# Exit: 0; 1 with the command that failed.
home=@HOME@
dry=
[ "${1-}" = -n ] && dry=1

run() {
	if [ "$dry" ]; then
		echo "$*"
	else
		"$@" || { echo "accounts: failed: $*" >&2; exit 1; }
	fi
}

# Debian's tool keeps to the ranges of ids that the host has set aside; elsewhere a program of this
# name is another one.
debian() {
	[ -e /etc/debian_version ] && command -v adduser >/dev/null
}

group() {
	if command -v getent >/dev/null; then
		getent group "$1" >/dev/null && return
	else
		grep -q "^$1:" /etc/group && return
	fi
	if command -v pw >/dev/null; then
		run pw groupadd "$1"
	elif debian; then
		run addgroup --quiet --system "$1"
	else
		run groupadd --system "$1"
	fi
}

# account NAME GROUP HOME
account() {
	id "$1" >/dev/null 2>&1 && return
	if command -v pw >/dev/null; then
		run pw useradd "$1" -g "$2" -d "$3" -s /usr/sbin/nologin
	elif debian; then
		run adduser --quiet --system --no-create-home --ingroup "$2" --home "$3" \
		    --shell /usr/sbin/nologin "$1"
	else
		run useradd --system --no-create-home --gid "$2" --home-dir "$3" \
		    --shell /usr/sbin/nologin "$1"
	fi
}

group @GROUP_NOFILES@
group @GROUP_QMAIL@
account @USER_ALIAS@ @GROUP_NOFILES@ "$home/alias"
for name in @USER_DAEMON@ @USER_LOG@ @USER_PASSWD@ @USER_TLS@; do
	account "$name" @GROUP_NOFILES@ "$home"
done
for name in @USER_QUEUE@ @USER_REMOTE@ @USER_SEND@; do
	account "$name" @GROUP_QMAIL@ "$home"
done
