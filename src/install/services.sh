#!/bin/sh
# services - create the svscan service directories and link them where svscan looks.
# Usage: services [--dir SCANDIR] [--wait SECONDS] add|remove|restart|list [NAME...]
# Run by: make up, make down, the Debian package, root by hand.  NAMEs: qmail-send qmail-smtpd
# qmail-pop3d; qmail-submission qmail-smtps qmail-pop3s, which need control/servercert.pem.  Without
# NAMEs the first three are added; all are removed and listed.
# add: HOME/service/NAME, each with log/ under multilog into /var/log/NAME; /etc/tcp.smtp and its
# cdb.  Existing files are never overwritten.
# remove: takes the links away, stops what they ran and waits for it; the directories stay.
# restart: qmail-send, if a program it runs was replaced; it ends its deliveries first.  Nothing
# else needs it: the others start their programs anew for every connection.
# list: the names of the services that are linked.
# Exit: 0; 1 with the cause; 1 also if something goes on for more than SECONDS (20).
set -eu
home=@HOME@
scan=/service
[ -d /etc/service ] && scan=/etc/service
patience=20
while [ $# -gt 1 ]; do
	case "$1" in
	--dir) scan=$2 ;;
	--wait) patience=$2 ;;
	*) break ;;
	esac
	shift 2
done
action=${1-}
[ $# = 0 ] || shift
plain='qmail-send qmail-smtpd qmail-pop3d'
tls='qmail-submission qmail-smtps qmail-pop3s'
if [ "$action" = add ]; then
	services=${*:-$plain}
else
	services=${*:-$plain $tls}
fi

# script PATH < text: an executable file, made once.
script() {
	if [ -e "$1" ]; then
		cat >/dev/null
	else
		cat >"$1.new"
		chmod 755 "$1.new"
		mv "$1.new" "$1"
	fi
}

run_qmail_send() {
	script "$1" <<-EOF
	#!/bin/sh
	# The queue: $home/rc chooses the default delivery.
	PATH=$home/bin:/usr/local/bin:/usr/bin:/bin
	export PATH
	exec $home/rc
	EOF
}

run_qmail_smtpd() {
	script "$1" <<-EOF
	#!/bin/sh
	# Mail from the network.  control/concurrencyincoming: connections at a time (20).
	PATH=$home/bin:/usr/local/bin:/usr/bin:/bin
	export PATH
	exec 2>&1
	cd $home
	if [ ! -e control/rcpthosts ]; then
		echo "qmail-smtpd: not started:" \
		    "without control/rcpthosts this host would relay for everybody"
		exec svc -d "\$OLDPWD"
	fi
	if [ ! -s control/me ]; then
		echo "qmail-smtpd: not started: control/me does not say the name of this host"
		exec svc -d "\$OLDPWD"
	fi
	if [ -e control/servercert.pem ]; then
	    $(ticket_keys | tail -n 1)
	fi
	$(connection_counts)
	limit=\$(head -n 1 control/concurrencyincoming 2>/dev/null)
	exec softlimit -m 30000000 \\
	tcpserver -v -R -H -l "\$(head -n 1 control/me)" -x /etc/tcp.smtp.cdb -c "\${limit:-20}" \\
	    -u "\$(id -u @USER_DAEMON@)" -g "\$(id -g @USER_DAEMON@)" 0 25 qmail-smtpd
	EOF
}

run_qmail_pop3d() {
	script "$1" <<-EOF
	#!/bin/sh
	# Mailboxes for POP3 clients: ~/Maildir of the system's accounts.
	PATH=$home/bin:/usr/local/bin:/usr/bin:/bin
	export PATH
	exec 2>&1
	cd $home
	exec softlimit -m 30000000 \\
	tcpserver -v -R -H -l "\$(head -n 1 control/me)" -c 40 0 110 \\
	    qmail-popup "\$(head -n 1 control/me)" checkpassword qmail-pop3d Maildir
	EOF
}

connection_counts() {
	cat <<-EOF
	# Where qmail-climit, if it is put in front of the server, counts; gone after each boot.
	[ -d /run/qmail-climit ] ||
	    install -d -o @USER_DAEMON@ -g @GROUP_NOFILES@ -m 700 /run/qmail-climit
	EOF
}

# Lines of a run script that needs a certificate, from the home directory.
need_certificate() {
	cat <<-EOF
	if [ ! -e control/servercert.pem ]; then
	    echo "$1: not started: there is no control/servercert.pem, see qmail-cert(8)"
	    exec svc -d "\$OLDPWD"
	fi
	$(ticket_keys)
	EOF
}

ticket_keys() {
	cat <<-EOF
	# Where keys of TLS session tickets are; gone after each boot.
	[ -d /run/qmail-tls ] || install -d -o @USER_TLS@ -g @GROUP_QMAIL@ -m 700 /run/qmail-tls
	EOF
}

run_qmail_submission() {
	script "$1" <<-EOF
	#!/bin/sh
	# Mail from users of this host, wherever they are: first STARTTLS, then a login.  Users
	# are those of qmail-newpw(8).
	PATH=$home/bin:/usr/local/bin:/usr/bin:/bin
	export PATH
	exec 2>&1
	cd $home
	$(need_certificate qmail-submission)
	$(connection_counts)
	SMTPAUTH=! FORCE_TLS=1
	export SMTPAUTH FORCE_TLS
	exec softlimit -m 30000000 \\
	tcpserver -v -R -H -l "\$(head -n 1 control/me)" -c 40 \\
	    -u "\$(id -u @USER_DAEMON@)" -g "\$(id -g @USER_DAEMON@)" 0 587 \\
	    qmail-smtpd checkpassword-smtp true
	EOF
}

run_qmail_smtps() {
	script "$1" <<-EOF
	#!/bin/sh
	# As qmail-submission, with TLS from the first byte.
	PATH=$home/bin:/usr/local/bin:/usr/bin:/bin
	export PATH
	exec 2>&1
	cd $home
	$(need_certificate qmail-smtps)
	$(connection_counts)
	SMTPAUTH=!
	export SMTPAUTH
	exec softlimit -m 30000000 \\
	tcpserver -v -R -H -l "\$(head -n 1 control/me)" -c 40 \\
	    -u "\$(id -u @USER_DAEMON@)" -g "\$(id -g @USER_DAEMON@)" 0 465 \\
	    qmail-tls -s -e qmail-smtpd checkpassword-smtp true
	EOF
}

run_qmail_pop3s() {
	script "$1" <<-EOF
	#!/bin/sh
	# As qmail-pop3d, with TLS from the first byte.
	PATH=$home/bin:/usr/local/bin:/usr/bin:/bin
	export PATH
	exec 2>&1
	cd $home
	$(need_certificate qmail-pop3s)
	exec softlimit -m 30000000 \\
	tcpserver -v -R -H -l "\$(head -n 1 control/me)" -c 40 0 995 qmail-tls -s -e \\
	    qmail-popup "\$(head -n 1 control/me)" checkpassword qmail-pop3d Maildir
	EOF
}

run_log() {
	script "$1" <<-EOF
	#!/bin/sh
	exec setuidgid @USER_LOG@ multilog t /var/log/$2
	EOF
}

log_directory() {
	[ -d "/var/log/$1" ] || install -d -o @USER_LOG@ -g @GROUP_NOFILES@ -m 750 "/var/log/$1"
}

# The sticky bit keeps svscan away until the directory is complete.
build_service() {
	dir=$home/service/$1
	fresh=
	[ -d "$dir" ] || fresh=1
	mkdir -p "$dir/log"
	[ -z "$fresh" ] || chmod +t "$dir"
	"run_$(echo "$1" | tr - _)" "$dir/run"
	run_log "$dir/log/run" "$1"
	log_directory "$1"
	chmod 755 "$dir" "$dir/log"
	chmod -t "$dir"
}

linked() {
	[ "$(readlink "$scan/$1")" = "$home/service/$1" ]
}

link_service() {
	if [ -e "$scan/$1" ] || [ -L "$scan/$1" ]; then
		return
	elif [ "$scan" = /etc/service ] && command -v update-service >/dev/null; then
		update-service --add "$home/service/$1" "$1" >/dev/null
	else
		mkdir -p "$scan"
		ln -s "$home/service/$1" "$scan/$1"
	fi
}

# Not by update-service, which stops the logger at once.
unlink_service() {
	for link in "$scan/$1" "/etc/service/$1" "/service/$1"; do
		[ "$(readlink "$link")" != "$home/service/$1" ] || rm "$link"
	done
	svc -dx "$home/service/$1" 2>/dev/null || :
}

# within COMMAND...: asks five times a second, up to $patience.
within() {
	tries=$((patience * 5))
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.2
	done
}

up() {
	svstat "$home/service/$1" 2>/dev/null | grep -q ': up '
}

is_down() {
	! up "$1"
}

# After the program, so that its last lines are in the log.  Deliveries may take their time.
stop_logger() {
	[ -d "$home/service/$1" ] || return 0
	within is_down "$1" || { echo "$1 is still finishing its work" >&2; exit 1; }
	sleep 0.2	# for what is in the pipe
	svc -dx "$home/service/$1/log" 2>/dev/null || :
	echo "$1 stopped"
}

# Does qmail-send or a child of it run a program that is no longer the installed one?
outdated() {
	pid=$(svstat "$home/service/qmail-send" | sed -n 's/.*(pid \([0-9]*\)).*/\1/p')
	[ -n "$pid" ] || return 1
	for process in $pid $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
		program=$(readlink "/proc/$process/exe") || continue
		program=${program% (deleted)}
		installed=$home/bin/${program##*/}
		[ -e "$installed" ] && ! cmp -s "/proc/$process/exe" "$installed" && return 0
	done
	return 1
}

renewed() {
	up qmail-send && ! outdated
}

restart() {
	up qmail-send && outdated || return 0
	echo "restarting qmail-send, which ends its deliveries first"
	svc -t "$home/service/qmail-send"
	within renewed || { echo "qmail-send is still at work on deliveries" >&2; exit 1; }
}

relay_rules() {
	if [ ! -e /etc/tcp.smtp ]; then
		cat >/etc/tcp.smtp <<-'EOF'
		127.:allow,RELAYCLIENT=""
		:allow
		EOF
	fi
	if [ ! -e /etc/tcp.smtp.cdb ] || [ /etc/tcp.smtp -nt /etc/tcp.smtp.cdb ]; then
		tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp
		chmod 644 /etc/tcp.smtp.cdb
	fi
}

case "$action" in
add)
	relay_rules
	mkdir -p "$home/service"
	[ -e "$home/rc" ] || { cp "$home/boot/maildir" "$home/rc" && chmod 755 "$home/rc"; }
	for name in $services; do
		build_service "$name"
	done
	for name in $services; do
		link_service "$name"
	done
	;;
remove)
	for name in $services; do
		unlink_service "$name"
	done
	for name in $services; do
		stop_logger "$name"
	done
	;;
restart)
	restart
	;;
list)
	for name in $services; do
		if linked "$name"; then
			echo "$name"
		fi
	done
	;;
*)
	echo "usage: services [--dir SCANDIR] [--wait SECONDS]" \
	    "add|remove|restart|list [NAME...]" >&2 || :
	exit 1
	;;
esac
