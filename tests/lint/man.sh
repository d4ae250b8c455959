#!/bin/sh
# man.sh - the manuals, as they are written and as they are installed.
# usage: tests/lint/man.sh, in the top of the tree.  Prints what is wrong; exit 1 if anything is.
#
# mandoc must find nothing, down to style.  Cross references are looked up among our own pages and
# the foreign ones listed here, not in what this machine happens to have installed.
set -u

foreign='true.1 regex.7 fixcrio.1 rblsmtpd.1 tcprules.1 tcpserver.1
	fcntl.2 flock.2 fsync.2 crypt.3 getspnam.3 syslog.3 crypt.5
	cdb.5 nsswitch.conf.5 shadow.5
	inetd.8 multilog.8 supervise.8'

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=$work/bad
: > "$bad"
complain() { printf '%s\n' "$*" >> "$bad"; }

command -v mandoc > /dev/null || { echo 'man.sh: mandoc is not installed'; exit 1; }

# A manual path of our pages as installed, and empty files for the foreign ones.
man/render "$work/pages" || exit 1
for section in 1 2 3 5 7 8; do
	mkdir "$work/man$section"
done
for page in $foreign; do
	: > "$work/man${page##*.}/$page"
done
for path in "$work"/pages/*; do
	page=${path##*/}
	ln -s "$path" "$work/man${page##*.}/$page"
done

# "outdated mandoc.db" is about this machine; the directory has no such file and needs none.
lint() {
	MANPATH=$work mandoc -T lint -W style "$@" 2>&1 |
	    grep -v ': outdated mandoc.db lacks ' >> "$bad"
}
lint man/*.[1-8]
(cd "$work/pages" && lint ./*)

# has PAGE SECTION... - each section is there.
has() {
	page=$1
	shift
	for heading in "$@"; do
		grep -qx "\.Sh $heading" "$page" || complain "$page: no section $heading"
	done
}
for page in man/*.[1-8]; do
	has "$page" NAME DESCRIPTION EXAMPLES COMPATIBILITY 'SEE ALSO' HISTORY
	case $page in
	man/qmail-command.8) has "$page" SYNOPSIS ENVIRONMENT 'EXIT STATUS' ;;
	*.1 | *.8) has "$page" SYNOPSIS FILES 'EXIT STATUS' ;;
	esac
	grep -q '^\.Xr' "$page" || complain "$page: refers to no other page"
done
grep -n '@[A-Z]*@' "$work"/pages/* >> "$bad" # placeholders nobody filled in

cat "$bad"
[ ! -s "$bad" ]
