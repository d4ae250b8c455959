#!/bin/sh
# config - first configuration, with the names that DNS has for this host.
# Usage: config          Run by: root, once.  config-fast does the same without DNS.
# Writes control/me, defaultdomain, plusdomain, locals and rcpthosts.
# Exit: 0, also when DNS did not tell the name (then it says so); 111 a file could not be written.
home=@HOME@
tools=$(dirname "$0")
umask 022

fail() {
	echo "config: fatal: unable to write $home/control/$1" >&2
	exit 111
}

give_up() {
	echo "Sorry, I couldn't find your host$1"
	echo "You will have to set up control/me yourself."
	exit 0
}

replace() {
	echo "Putting $2 into control/$1..."
	{ echo "$2" >"$home/control/$1.tmp" && mv -f "$home/control/$1.tmp" "$home/control/$1"; } \
	    2>/dev/null || fail "$1"
}

host=$("$tools/hostname" | tr '[:upper:]' '[:lower:]')
[ -n "$host" ] || give_up "name."
echo "Your hostname is $host."
name=$("$tools/dnsfq" "$host" | tr '[:upper:]' '[:lower:]')
[ -n "$name" ] || give_up "'s canonical name in DNS."
echo "Your host's fully qualified name in DNS is $name."

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
replace me "$name"
replace defaultdomain "$domain"
replace plusdomain "$plus"

echo ' '
echo 'Checking local IP addresses:'
: >"$home/control/locals" || fail locals
for address in $({ "$tools/dnsip" "$name"; "$tools/ipmeprint"; } 2>/dev/null | awk '!seen[$0]++'); do
	printf '%s: ' "$address"
	if found=$("$tools/dnsptr" "$address" 2>/dev/null); then
		echo "Adding $found to control/locals..."
		grep -qixF -- "$found" "$home/control/locals" ||
		    echo "$found" >>"$home/control/locals" || fail locals
	else
		echo 'PTR lookup failed. I assume this address has no DNS name.'
	fi
done

echo ' '
echo 'If there are any other domain names that point to you,'
echo "you will have to add them to $home/control/locals."
echo "You don't have to worry about aliases, i.e., domains with CNAME records."
echo ' '
echo "Copying $home/control/locals to $home/control/rcpthosts..."
cp "$home/control/locals" "$home/control/rcpthosts" || fail rcpthosts
echo 'Now qmail will refuse to accept SMTP messages except to those hosts.'
echo 'Make sure to change rcpthosts if you add hosts to locals or virtualdomains!'
