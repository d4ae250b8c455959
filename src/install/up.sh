#!/bin/sh
# up - a whole mail host on this machine, from the source tree, without questions.
# Usage: make up [HOST=fqdn] [SENDMAIL=replace]     Run by: root, in the top directory.
# Looks for obstacles first and stops with one line before anything was changed.  Run again it
# brings the host up to date; control files that exist are never overwritten.
# Exit: 0; 1 with one line that says what to do.
set -u
home=$(head -n 1 conf-qmail)
scan=/service
services='qmail-send qmail-smtpd qmail-pop3d qmail-submission qmail-smtps qmail-pop3s'
HOST=''
SENDMAIL=''
for word; do
	case "$word" in
	HOST=*) HOST=${word#*=} ;;
	SENDMAIL=*) SENDMAIL=${word#*=} ;;
	esac
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "make up: $*" >&2
	exit 1
}

step() {
	echo "==> $*"
}

# Output is shown only if it fails.
quietly() {
	"$@" >"$work/out" 2>&1 && return
	tail -n 20 "$work/out" >&2
	fail "failed: $*"
}

# ---- obstacles ----

# Is a TCP port of this host listening?  From the kernel's own tables: state 0A.
listening() {
	port=$(printf ':%04X' "$1")
	awk -v port="$port" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 }
	    END { exit !found }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

ours_runs() {
	[ -p "$home/service/$1/supervise/ok" ] && command -v svstat >/dev/null &&
	    svstat "$home/service/$1" 2>/dev/null | grep -q ': up '
}

check_port() {
	if listening "$1" && ! ours_runs "$2"; then
		fail "port $1 is taken by another program;" \
		    "stop that service, then run make up again"
	fi
}

is_ours() {
	[ "$(readlink "$1" 2>/dev/null)" = "$home/bin/sendmail" ]
}

check_sendmail() {
	[ "$SENDMAIL" = replace ] && return
	for path in /usr/sbin/sendmail /usr/lib/sendmail; do
		[ -e "$path" ] || continue
		is_ours "$path" && continue
		[ "$path" = /usr/lib/sendmail ] && is_ours /usr/sbin/sendmail && continue
		fail "another mail system owns $path; remove it, or put it aside with:" \
		    "make up SENDMAIL=replace"
	done
}

# A service of that name which is not ours would be left as it is, and ours not be started.
check_service() {
	for link in "/etc/service/$1" "/service/$1"; do
		[ -e "$link" ] || [ -L "$link" ] || continue
		[ "$(readlink "$link")" = "$home/service/$1" ] ||
		    fail "$link belongs to another installation; to renew its programs see" \
			"README.md, else stop that service and remove it"
	done
}

# Two qmail-send never share a queue: the second would not start.
check_queue() {
	mutex=$home/queue/lock/sendmutex
	[ -e "$mutex" ] && command -v flock >/dev/null || return 0
	ours_runs qmail-send || flock -n "$mutex" true ||
	    fail "another qmail-send works on $home/queue; stop it, then run make up again"
}

packages='gcc libc6-dev musl-tools make libcdb-dev libcrypt-dev libssl-dev libidn2-dev
    libunistring-dev openssl tinycdb ucspi-tcp daemontools'
[ -d /run/systemd/system ] && packages="$packages daemontools-run"

missing_packages() {
	if command -v dpkg-query >/dev/null; then
		for name in $packages; do
			dpkg-query -W -f '${Status}\n' "$name" 2>/dev/null |
			    grep -q 'ok installed$' || printf '%s ' "$name"
		done
		return
	fi
	for tool in cc make tcpserver tcprules svscan multilog setuidgid softlimit; do
		command -v "$tool" >/dev/null || printf '%s ' "$tool"
	done
	[ -e /usr/include/cdb.h ] || [ -e /usr/local/include/cdb.h ] || printf 'tinycdb '
}

check_host_name() {
	[ -n "$HOST" ] || HOST=$(hostname -f 2>/dev/null) || HOST=$(hostname)
	case "$HOST" in
	'' | *[!A-Za-z0-9._-]* | [.-]* | *. | *..*)
		fail "\"$HOST\" is no host name; give one with: make up HOST=mail.example.com" ;;
	esac
}

[ "$(id -u)" = 0 ] || fail "must be run as root; try: sudo make up"
[ "$SENDMAIL" = '' ] || [ "$SENDMAIL" = replace ] || fail "SENDMAIL=replace is the only choice"
check_host_name
check_port 25 qmail-smtpd
check_port 110 qmail-pop3d
check_port 465 qmail-smtps
check_port 587 qmail-submission
check_port 995 qmail-pop3s
check_sendmail
for name in $services; do
	check_service "$name"
done
check_queue
missing=$(missing_packages)
[ -z "$missing" ] || command -v apt-get >/dev/null ||
    fail "no apt-get on this host; install these first, then run make up again: $missing"

# ---- installing ----

if [ -n "$missing" ]; then
	step "installing packages: $missing"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	apt-get install -y --no-install-recommends $missing >"$work/out" 2>&1 || {
		quietly apt-get update
		# shellcheck disable=SC2086
		quietly apt-get install -y --no-install-recommends $missing
	}
fi

step "building"
quietly make -s -j"$(nproc 2>/dev/null || echo 2)" programs
step "accounts"
quietly sh build/bin/accounts
step "installing into $home"
quietly make -s setup
quietly make -s check
grep . "$work/out"

step "configuring $HOST"
quietly sh build/bin/firstconfig "$HOST"
sed -n -e 's/.*there already.*/    &/p' -e 's/^made .*/    &/p' "$work/out"

# divert PATH: puts another mail system's file aside, so that its package does not take it back.
divert() {
	if command -v dpkg-divert >/dev/null; then
		quietly dpkg-divert --local --rename --divert "$1.other-mta" --add "$1"
	else
		quietly mv "$1" "$1.other-mta"
	fi
}

system_command() {
	if is_ours "$1"; then
		return
	elif [ -e "$1" ] || [ -L "$1" ]; then
		[ "$SENDMAIL" = replace ] || return
		divert "$1"
	fi
	mkdir -p "${1%/*}"
	ln -s "$home/bin/sendmail" "$1"
}

step "certificate for TLS"
quietly sh build/bin/qmail-cert make
sed 's/^/    /' "$work/out"

step "system commands"
for path in /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases; do
	system_command "$path"
done

# ---- starting ----

svscan_runs() {
	for comm in /proc/[0-9]*/comm; do
		[ "$(cat "$comm" 2>/dev/null)" = svscan ] && return 0
	done
	return 1
}

# A svscan that we start looks where its boot script says.
svscan_runs || boots=$(sed -n 's,.* svscan \(/[a-z/]*\).*,\1,p' "$(command -v svscanboot)")
if [ -n "${boots-}" ]; then
	scan=$boots
elif [ -d /etc/service ]; then
	scan=/etc/service
fi
mkdir -p "$scan"
step "services in $scan"
# shellcheck disable=SC2086
quietly sh build/bin/services --dir "$scan" add $services

if ! svscan_runs; then
	if [ -d /run/systemd/system ]; then
		quietly systemctl enable --now daemontools-run.service
	else
		setsid svscanboot >/dev/null 2>&1 </dev/null &
		echo $! >/run/pneumail-svscanboot.pid
	fi
fi

# until_true SECONDS COMMAND...: asks five times a second.
until_true() {
	tries=$(($1 * 5))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.2
	done
}

for name in $services; do
	until_true 30 [ -p "$home/service/$name/supervise/ok" ] ||
	    fail "svscan does not start $scan/$name; is a svscan running on $scan?"
	svc -u "$home/service/$name" "$home/service/$name/log"
done
sh build/bin/services --wait 300 restart || fail "run make up again later"
until_true 30 listening 25 ||
    fail "qmail-smtpd does not start; look at /var/log/qmail-smtpd/current"
until_true 30 listening 110 ||
    fail "qmail-pop3d does not start; look at /var/log/qmail-pop3d/current"
until_true 30 listening 465 ||
    fail "qmail-smtps does not start; look at /var/log/qmail-smtps/current"
until_true 30 listening 587 ||
    fail "qmail-submission does not start; look at /var/log/qmail-submission/current"
until_true 30 listening 995 ||
    fail "qmail-pop3s does not start; look at /var/log/qmail-pop3s/current"

step "sending two messages through it"
sh build/bin/selftest ||
    fail "the test message did not come through; look at /var/log/qmail-send/current"

step "status"
for name in $services; do
	svstat "$home/service/$name"
done
"$home/bin/qmail-qstat"
echo "This is $(head -n 1 "$home/control/me"). Mail for its accounts goes to ~/Maildir/."
