#!/bin/sh
# enable-qmail - FreeBSD: the suite becomes what `sendmail`, `mailq` and `newaliases` run.
# Usage: enable-qmail [--force]       Run by: root; again does no harm.
# /etc/rc.conf: the sendmail of the base system is not started any more.  /etc/mail/mailer.conf: the
# names lead to the suite; the file as it was stays in mailer.conf.bak.
# --force: for hosts without mailer.conf: the programs themselves are put aside as NAME.OFF, and
# links take their place.
# Exit: 0; 1 with one line; 100 called wrongly.
home=@HOME@
rc_conf=/etc/rc.conf
mailer_conf=/etc/mail/mailer.conf

fail() {
	echo "enable-qmail: $*" >&2
	exit 1
}

# An add-on (fastforward) may have brought its own; ours does the right thing under that name.
newaliases() {
	if [ -x "$home/bin/newaliases" ]; then
		echo "$home/bin/newaliases"
	else
		echo "$home/bin/sendmail"
	fi
}

mailer_lines() {
	printf 'sendmail\t%s\n' "$home/bin/sendmail"
	printf 'send-mail\t%s\n' "$home/bin/sendmail"
	printf 'mailq\t\t%s\n' "$home/bin/qmail-qread"
	printf 'newaliases\t%s\n' "$(newaliases)"
}

switch_off_sendmail() {
	line='sendmail_enable="NONE"'
	# The last of several lines counts.
	[ "$(grep '^sendmail_enable=' "$rc_conf" 2>/dev/null | tail -n 1)" = "$line" ] && return
	# A last line without its newline would swallow ours.
	[ -z "$(tail -c 1 "$rc_conf" 2>/dev/null)" ] || echo >>"$rc_conf"
	echo "$line" >>"$rc_conf" || fail "unable to write $rc_conf"
}

# The first copy is the one worth keeping.
map_names() {
	mkdir -p "${mailer_conf%/*}" || fail "unable to make ${mailer_conf%/*}"
	mailer_lines >"$mailer_conf.new" || fail "unable to write $mailer_conf.new"
	if cmp -s "$mailer_conf.new" "$mailer_conf"; then
		rm "$mailer_conf.new"
		return
	fi
	if [ -e "$mailer_conf" ] && [ ! -e "$mailer_conf.bak" ]; then
		cp -p "$mailer_conf" "$mailer_conf.bak" || fail "unable to write $mailer_conf.bak"
	fi
	chmod 644 "$mailer_conf.new" && mv "$mailer_conf.new" "$mailer_conf" ||
	    fail "unable to write $mailer_conf"
}

# replace PATH PROGRAM.  A link is not disarmed: that would hit the program it leads to.
replace() {
	[ "$(readlink "$1" 2>/dev/null)" = "$2" ] && return
	if [ -e "$1" ] || [ -L "$1" ]; then
		[ ! -e "$1.OFF" ] || fail "$1.OFF is in the way"
		mv "$1" "$1.OFF" || fail "unable to rename $1"
		[ -L "$1.OFF" ] || chmod 0 "$1.OFF" || fail "unable to disarm $1.OFF"
	fi
	ln -s "$2" "$1" || fail "unable to link $1"
}

case "$#:${1-}" in
0: | 1:--force) ;;
*)
	echo "usage: enable-qmail [--force]" >&2
	exit 100
	;;
esac
[ "$(id -u)" = 0 ] || fail "must be run as root"
[ -x "$home/bin/sendmail" ] || fail "$home/bin/sendmail is not installed"

echo "===> I hope you know what you are doing:"
echo "===> from now on mail of this host goes through $home."
switch_off_sendmail
map_names
if [ "${1-}" = --force ]; then
	replace /usr/sbin/sendmail "$home/bin/sendmail"
	replace /usr/bin/mailq "$home/bin/qmail-qread"
	replace /usr/bin/newaliases "$(newaliases)"
fi
if [ ! -e "$home/rc" ]; then
	echo "===> Still to be done: choose the default delivery."
	echo "===> For example, \"cp $home/boot/proc+df $home/rc\""
fi
