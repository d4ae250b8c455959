#!/bin/sh
# config - first configuration, with the names that DNS has for this host.
# Usage: config          Run by: root, once.  config-fast does the same without DNS.
# Writes control/me, defaultdomain, plusdomain, locals and rcpthosts.
# Exit: 0, also when DNS did not tell the name (then it says so); 111 a file could not be written;
# 100 DNS gives a name that none can be.
home=@HOME@
tools=$(dirname "$0")
umask 022

fail() {
	echo "config: fatal: unable to write $home/control/$1" >&2
	exit 111
}

give_up() {
	say "Sorry, I couldn't find your host$1"
	say "You will have to set up control/me yourself."
	exit 0
}

# Nobody need be told.
say() {
	echo "$*" 2>/dev/null || :
}

# Each file is replaced in one step, so that no program reads half of it.
finish() {
	[ ! -d "$home/control/$1" ] &&
	    mv -f "$home/control/$1.tmp" "$home/control/$1" 2>/dev/null || fail "$1"
}

host=$("$tools/hostname" | tr '[:upper:]' '[:lower:]')
[ -n "$host" ] || give_up "name."
say "Your hostname is $host."
name=$("$tools/dnsfq" "$host" | tr '[:upper:]' '[:lower:]')
[ -n "$name" ] || give_up "'s canonical name in DNS."
say "Your host's fully qualified name in DNS is $name."

"$tools/config-fast" --names "$name" || exit

say ' '
say 'Checking local IP addresses:'
{ true >"$home/control/locals.tmp"; } 2>/dev/null || fail locals
for address in $({ "$tools/dnsip" "$name"; "$tools/ipmeprint"; } 2>/dev/null |
    awk '!seen[$0]++'); do
	printf '%s: ' "$address" 2>/dev/null
	if found=$("$tools/dnsptr" "$address" 2>/dev/null); then
		say "Adding $found to control/locals..."
		grep -qixF -- "$found" "$home/control/locals.tmp" ||
		    echo "$found" 2>/dev/null >>"$home/control/locals.tmp" || fail locals
	else
		say 'PTR lookup failed. I assume this address has no DNS name.'
	fi
done
finish locals

say ' '
say 'If there are any other domain names that point to you,'
say "you will have to add them to $home/control/locals."
say "You don't have to worry about aliases, i.e., domains with CNAME records."
say ' '
say "Copying $home/control/locals to $home/control/rcpthosts..."
cp "$home/control/locals" "$home/control/rcpthosts.tmp" 2>/dev/null || fail rcpthosts
finish rcpthosts
say 'Now qmail will refuse to accept SMTP messages except to those hosts.'
say 'Make sure to change rcpthosts if you add hosts to locals or virtualdomains!'
