#!/bin/sh
# config-fast - first configuration from the host's full name, without asking DNS.
# Usage: config-fast [--names] FQDN          Run by: root, once; again does no harm.  `config`.
# Writes control/me, defaultdomain, plusdomain; adds to locals and rcpthosts, not with --names.
# Exit: 0; 100 called wrongly; 111 a file could not be written.
home=@HOME@
only_names=
[ "${1-}" != --names ] || { only_names=1; shift; }
name=${1-}

case "$name" in
'' | *[!A-Za-z0-9._-]* | [.-]* | *. | *..*)
	echo "usage: config-fast FQDN   (the full name of this host, e.g. mail.example.com)" >&2
	exit 100
	;;
esac
[ ${#name} -le 253 ] || {
	echo "config-fast: fatal: a host's name has at most 253 bytes" >&2
	exit 100
}

# Nobody need be told.
say() {
	echo "$*" 2>/dev/null || :
}

fail() {
	echo "config-fast: fatal: unable to write $home/control/$1" >&2
	exit 111
}

# Replaces a file in one step, so that no program ever reads half of it.
replace() {
	say "Putting $2 into control/$1..."
	umask 022
	[ ! -d "$home/control/$1" ] &&
	    { echo "$2" >"$home/control/$1.tmp" &&
	    mv -f "$home/control/$1.tmp" "$home/control/$1"; } 2>/dev/null || fail "$1"
}

append() {
	say "Putting $2 into control/$1..."
	umask 022
	grep -qixF -- "$2" "$home/control/$1" 2>/dev/null && return
	# A last line without its newline would swallow ours.
	[ -z "$(tail -c 1 "$home/control/$1" 2>/dev/null)" ] || echo >>"$home/control/$1"
	echo "$2" 2>/dev/null >>"$home/control/$1" && chmod 644 "$home/control/$1" || fail "$1"
}

domain=$name
plus=$name
case "$name" in
*.*.*)
	domain=${name#*.}
	last=${name##*.}
	rest=${name%.*}
	plus=${rest##*.}.$last
	;;
esac

[ -n "$only_names" ] || say "Your fully qualified host name is $name."
replace me "$name"
replace defaultdomain "$domain"
replace plusdomain "$plus"
[ -z "$only_names" ] || exit 0
append locals "$name"
append rcpthosts "$name"
say "Now qmail will refuse to accept SMTP messages except to $name."
say "Make sure to change rcpthosts if you add hosts to locals or virtualdomains!"
