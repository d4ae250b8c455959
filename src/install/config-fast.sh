#!/bin/sh
# config-fast - first configuration from the host's full name, without asking DNS.
# Usage: config-fast FQDN          Run by: root, once; again does no harm.
# Writes control/me, defaultdomain, plusdomain; adds to locals and rcpthosts.
# Exit: 0; 100 called wrongly; 111 a file could not be written.
home=@HOME@
name=${1-}

case "$name" in
'' | *[!A-Za-z0-9._-]* | [.-]* | *. | *..*)
	echo "usage: config-fast FQDN   (the full name of this host, e.g. mail.example.com)" >&2
	exit 100
	;;
esac

fail() {
	echo "config-fast: fatal: unable to write $home/control/$1" >&2
	exit 111
}

# Replaces a file in one step, so that no program ever reads half of it.
replace() {
	echo "Putting $2 into control/$1..."
	umask 022
	{ echo "$2" >"$home/control/$1.tmp" && mv -f "$home/control/$1.tmp" "$home/control/$1"; } \
	    2>/dev/null || fail "$1"
}

append() {
	echo "Putting $2 into control/$1..."
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

echo "Your fully qualified host name is $name."
replace me "$name"
replace defaultdomain "$domain"
replace plusdomain "$plus"
append locals "$name"
append rcpthosts "$name"
echo "Now qmail will refuse to accept SMTP messages except to $name."
echo "Make sure to change rcpthosts if you add hosts to locals or virtualdomains!"
