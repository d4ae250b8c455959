#!/bin/sh
# selftest - one message through sendmail and one through SMTP to a local account, both found in
# its Maildir, one read back over POP3.
# Usage: selftest      Run by: make up, or root at any time on a running host.
# Uses an account of its own, `pneumail-test`, with a random password and a Maildir, whatever the
# default delivery is, and removes it again.
# Exit: 0; 1 with the step that failed.
set -u
home=@HOME@
user=pneumail-test
self=$0

fail() {
	echo "selftest: $*" >&2
	exit 1
}

# ---- the other end of tcpclient: descriptor 6 reads, 7 writes ----
if [ "${1-}" = --dialog ]; then
	cr=$(printf '\r')
	# say TEXT: one line out; hear PATTERN: one reply in, of the form the pattern wants.
	say() { printf '%s\r\n' "$1" >&7; }
	hear() {
		while IFS= read -r line <&6; do
			line=${line%"$cr"}
			case "$line" in
			[0-9][0-9][0-9]-*) continue ;;
			esac
			# shellcheck disable=SC2254
			case "$line" in
			$1) return 0 ;;
			esac
			echo "selftest: expected $1, got: $line" >&2
			exit 1
		done
		echo "selftest: connection closed, expected $1" >&2
		exit 1
	}
	case "$2" in
	smtp)
		hear '220 *'
		say "EHLO localhost"; hear '250 *'
		say "MAIL FROM:<$3>"; hear '250 *'
		say "RCPT TO:<$3>"; hear '250 *'
		say DATA; hear '354 *'
		say "From: <$3>"
		say "To: <$3>"
		say "Subject: $4"
		say ''
		say 'Sent through SMTP.'
		say .; hear '250 ok *'
		say QUIT; hear '221 *'
		;;
	pop3)
		IFS= read -r password || exit 1
		hear '+OK*'
		say "USER $3"; hear '+OK*'
		say "PASS $password"; hear '+OK*'
		say 'STAT'; hear '+OK 2 *'
		say 'RETR 1'; hear '+OK*'
		while IFS= read -r line <&6 && [ "${line%"$cr"}" != . ]; do
			case "$line" in
			Subject:*) echo "    POP3 shows: ${line%"$cr"}" ;;
			esac
		done
		say QUIT; hear '+OK*'
		;;
	esac
	exit 0
fi

client() {
	tcpclient -RHl0 127.0.0.1 "$1" sh "$self" --dialog "$2" "$3" "${4-}"
}

# The process that has delivered its mail may wait for more, for a second (qmail-lspawn(8)).
clean_up() {
	tries=9
	userdel -r "$user" >/dev/null 2>&1
	while [ $? -eq 8 ] && [ $((tries -= 1)) -gt 0 ]; do	# it is in use
		sleep 1
		userdel -r "$user" >/dev/null 2>&1
	done
}

me=$(head -n 1 "$home/control/me") || fail "$home/control/me is missing"
# Mail for this host has to be delivered here.
[ ! -e "$home/control/locals" ] ||
    sed 's/[[:space:]]*$//' "$home/control/locals" | grep -qixF -- "$me" ||
    fail "$me, as $home/control/me says, is not in $home/control/locals," \
	"so mail for $user@$me is not delivered on this host"
log=/var/log/qmail-send/current
! grep -qs splogger "$home/rc" || log="syslog, facility mail (splogger in $home/rc)"
id "$user" >/dev/null 2>&1 && clean_up
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
useradd --create-home --shell /usr/sbin/nologin "$user" || fail "cannot create the account $user"
directory=$(getent passwd "$user" | cut -d: -f6)
chmod 700 "$directory"
password=$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n')
printf '%s:%s\n' "$user" "$password" | chpasswd || fail "cannot set a password"
"$home/bin/maildirmake" "$directory/Maildir" || fail "maildirmake failed"
echo ./Maildir/ >"$directory/.qmail"
chown -R "$user" "$directory/Maildir" "$directory/.qmail"

"$home/bin/sendmail" -t <<EOF || fail "sendmail refused the message"
To: $user@$me
Subject: test through sendmail

Sent through sendmail.
EOF
client 25 smtp "$user@$me" 'test through SMTP' || fail "SMTP refused the message"

# Both must arrive; POP3 shows them from the next second on.
tries=150
while [ "$(find "$directory/Maildir/new" -type f | wc -l)" -lt 2 ]; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || fail "no delivery within 30 seconds; look at $log"
	sleep 0.2
done
for file in "$directory"/Maildir/new/*; do
	echo "    arrived: $file: $(sed -n 's/^Subject: //p' "$file")"
done
sleep 1.1
printf '%s\n' "$password" | client 110 pop3 "$user" || fail "POP3 did not give the message back"
