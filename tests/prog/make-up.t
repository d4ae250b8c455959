#!/bin/sh
# make-up.t - `make up` and `make down` on a host that has something already: other services,
# another qmail-send, another sendmail, an earlier version of the suite.
. tests/lib.sh
unset SAN	# it is the plain programs that are installed
home=$(head -n 1 conf-qmail)

up() {
	make -s up HOST=up.test "$@"
}

# refused NAME REGEX STARTED [WORD]: make up stops with one line that says so.
refused() {
	code "$1" 2 make -s up "HOST=${4-up.test}"
	like "$1: said" "$T/err" "^make up: .*$2"
	is "$1: nothing was started" "$(ls -d /etc/service "$home/service" 2>/dev/null)" "${3-}"
}

pid_of() {
	svstat "$home/service/$1" | sed -n 's/.*(pid \([0-9]*\)).*/\1/p'
}

named() {
	for comm in /proc/[0-9]*/comm; do
		if [ "$(cat "$comm" 2>/dev/null)" = "$1" ]; then
			echo "${comm%/comm}"
		fi
	done
}

# ---- obstacles ----

before=$(ls "$home/control" "$home/alias")
mkdir -p /service/qmail-smtpd
refused 'a service of another installation' '/service/qmail-smtpd'
rmdir /service/qmail-smtpd	# /service stays, where nothing looks
flock -o "$home/queue/lock/sendmutex" sleep 60 &
wait_for 10 sh -c "! flock -n $home/queue/lock/sendmutex true"
refused 'another qmail-send' 'another qmail-send'
kill "$!"
wait 2>/dev/null
for name in -x .x x. a..b 'a b'; do
	refused "the host name \"$name\"" "\"$name\" is no host name" '' "$name"
	is "the host name \"$name\": nothing was configured" \
	    "$(ls "$home/control" "$home/alias")" "$before"
done

# ---- the real thing, with what must be kept ----

printf '#!/bin/sh\necho other\n' >/usr/sbin/sendmail
chmod 755 /usr/sbin/sendmail
ln -s ../sbin/sendmail /usr/lib/sendmail
mkdir -p /var/log/qmail-smtpd
chmod 711 /var/log/qmail-smtpd
sed "\$s/^/# mine\n/" "$home/boot/maildir" >"$home/rc"
chmod 755 "$home/rc"
cp "$home/rc" "$T/rc"
echo up.test >"$home/control/me"
echo '|exit 0' >"$home/alias/.qmail-default"
echo up.test >"$home/control/locals"
echo only.test >"$home/control/rcpthosts"
chown qmaill "/var/log/qmail-smtpd"
refused 'another sendmail' '/usr/sbin/sendmail'
echo up.test >>"$home/control/rcpthosts"
ok 'make up SENDMAIL=replace' env HOST=from.environment SENDMAIL=/usr/sbin/sendmail \
    make -s up SENDMAIL=replace
like 'the environment does not name the host' "$T/out" '^This is up\.test\.'
same 'rc is kept' "$home/rc" "$T/rc"
is 'rcpthosts is kept' "$(cat "$home/control/rcpthosts")" "$(printf 'only.test\nup.test')"
is 'a host that is configured gets no alias' "$(ls -A "$home/alias")" .qmail-default
mv "$home/alias/.qmail-default" "$T/default"
ok 'firstconfig, configured but for aliases' build/bin/firstconfig up.test
is 'gets those that every host needs' "$(cd "$home/alias" && echo .qmail-*)" \
    '.qmail-mailer-daemon .qmail-postmaster .qmail-root'
rm -r "$home"/alias/.qmail-* "$home/alias/Maildir"
mv "$T/default" "$home/alias/.qmail-default"
is 'a log directory is kept as it is' "$(stat -c '%a %U' /var/log/qmail-smtpd)" '711 qmaill'
is 'a new one is private' "$(stat -c '%a %U %G' /var/log/qmail-pop3d)" '750 qmaill nofiles'
is 'sendmail is ours' "$(readlink /usr/sbin/sendmail /usr/lib/sendmail)" \
    "$(printf '%s\n%s' "$home/bin/sendmail" "$home/bin/sendmail")"

# ---- again, and after an upgrade ----

before=$(pid_of qmail-send)
ok 'make up again' up
is 'qmail-send is left alone' "$(pid_of qmail-send)" "$before"

# ---- its test ----

cp "$home/control/locals" "$T/locals"
echo other.test >"$home/control/locals"
code 'selftest: me is not in locals' 1 build/bin/selftest
like '  is said at once' "$T/err" '^selftest: up\.test, .* is not in .*/control/locals'
cp "$T/locals" "$home/control/locals"
sed 's,\./Maildir/,./Mailbox,' "$T/rc" >"$home/rc"
svc -t "$home/service/qmail-send"
wait_for 20 sh -c "svstat $home/service/qmail-send | grep ': up ' | grep -v 'pid $before)'"
ok 'selftest: another default delivery' build/bin/selftest
before=$(pid_of qmail-send)
cp "$T/rc" "$home/rc"

# The version before: same, but for a byte behind its end.
cp -p "$home/bin/qmail-todo" "$T/qmail-todo"
printf x >>"$T/qmail-todo"
mv "$T/qmail-todo" "$home/bin/qmail-todo"
svc -t "$home/service/qmail-send"
wait_for 20 sh -c "svstat $home/service/qmail-send | grep ': up ' | grep -v 'pid $before)'"
wait_for 20 sh -c '[ "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx qmail-todo)" = 1 ]'
before=$(pid_of qmail-send)
ok 'make up over an earlier version' up
like 'says that it restarts qmail-send' "$T/out" '^restarting qmail-send'
[ "$(pid_of qmail-send)" != "$before" ]
result 'and has done so' $?
ok 'qmail-todo is the new one' cmp "$(named qmail-todo)/exe" build/bin/qmail-todo

# ---- down ----

mv build/bin/services "$T/services"
code 'down.sh in a tree that was not built' 1 src/install/down.sh
like 'says so' "$T/err" '^make down: build/bin/services is missing'
ok 'make down, which makes what it needs' make -s down SENDMAIL=restore
same 'as it was' build/bin/services "$T/services"
like 'the log has the last line' /var/log/qmail-send/current ' status: exiting$'
is 'the services are gone' "$(ls /etc/service)" ''
is 'sendmail is the other again' "$(/usr/sbin/sendmail; readlink /usr/lib/sendmail)" \
    "$(printf 'other\n../sbin/sendmail')"
is 'our other commands are gone' "$(ls /usr/bin/mailq /usr/bin/newaliases 2>/dev/null)" ''
wait_for 10 sh -c '! cat /proc/[0-9]*/comm | grep -qx svscan'
result 'svscan has ended' $?
ok 'make down again' make -s down
ok 'make up after that' up SENDMAIL=replace
ok 'and down' make -s down SENDMAIL=restore
done_testing
