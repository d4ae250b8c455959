#!/bin/sh
# qmail-newu.t - users/assign becomes users/cdb, beyond the recorded vectors: failures, two at once.
. tests/lib.sh
newu=/var/qmail/bin/qmail-newu
cd /var/qmail/users || exit 111

# failing CALL ERROR WHEN: run it while that call fails.
failing() { strace -f -qq -o "$T/trace" -e "inject=$1:error=$2:when=$3" "$newu"; }
# unchanged NAME: users/cdb is the old one, and nothing else is there.
unchanged() { is "  $1: users/cdb is as it was" "$(cat cdb; ls)" "old
assign
cdb"; }

rm -f ./*
printf '=a:b:1:2:/x:::\n.\n' >assign
code "the first time" 0 "$newu"
is "  without a word" "$(cat "$T/out" "$T/err")" ""
is "  mode and owner" "$(stat -c '%a %U' cdb)" "644 root"
is "  nothing else is left" "$(ls)" "assign
cdb"
cp cdb "$T/good"

echo "a stale file" >cdb.tmp
code "a stale temporary file" 0 "$newu"
same "  does no harm" cdb "$T/good"
ln -s /etc/passwd cdb.tmp
code "a link in its place" 111 "$newu"
is "  is not followed" "$(cat "$T/err")" "qmail-newu: fatal: unable to open users/cdb.tmp"
rm cdb.tmp

echo old >cdb
printf '=a:b:1:2:/x:::\n+c\n.\n' >assign
code "a bad line" 111 "$newu"
is "  is named" "$(cat "$T/err")" "qmail-newu: fatal: bad format in users/assign
qmail-newu: it is line 2: it has fewer than seven colons"
unchanged "bad line"
printf '=a:b:1:2:/x:::\n=a\0:b:1:2:/x:::\n.\n' >assign
code "a NUL" 111 "$newu"
is "  is named" "$(tail -n 1 "$T/err")" "qmail-newu: it is line 2: it has a NUL"
printf '=a:b:0:x:/x:::\n.\n' >assign
code "odd ids" 0 "$newu"
is "  are warned about" "$(cat "$T/err")" \
	"qmail-newu: warning: users/assign line 1: uid is 0: nothing will be delivered
qmail-newu: warning: users/assign line 1: gid is not a number"

printf '=a:b:1:2:/x:::\n.\n' >assign
if [ -z "${SAN-}" ]; then
	strace -f -qq -o "$T/trace" "$newu"
	is "file, name, directory: in the safe order" \
		"$(grep -oE '^[0-9]+ +(fsync|rename)\(' "$T/trace" | tr -dc 'a-z\n' | tr '\n' ' ')" \
		"fsync rename fsync "
	echo old >cdb
	code "disk full" 111 failing write ENOSPC 1+
	unchanged "disk full"
	code "fsync fails" 111 failing fsync EIO 1
	is "  text" "$(cat "$T/err")" "qmail-newu: fatal: unable to write users/cdb.tmp"
	unchanged "fsync"
	code "rename fails" 111 failing rename EROFS 1
	is "  text" "$(cat "$T/err")" "qmail-newu: fatal: unable to move users/cdb.tmp to users/cdb"
	unchanged "rename"
fi

# Many at once while the list changes: each run leaves a whole database, the last one the newest.
pids=
for i in 1 2 3 4 5 6 7 8 9 10; do
	seq 2000 | sed "s/.*/=u&:r$i:1:2:\/x:::/; \$a." >"assign.$i"
	mv "assign.$i" assign
	"$newu" 2>"$T/err.$i" & pids="$pids $!"
done
failed=0
for pid in $pids; do wait "$pid" || failed=$((failed + 1)); done
is "ten at once: all succeed" "$failed" 0
is "  without a word" "$(cat "$T"/err.*)" ""
is "  the newest list is there" "$(cdb -d cdb | tr '\0' : | grep -c ">r10:1:2:/x::")" 2000
is "  nothing else is left" "$(ls)" "assign
cdb"
rm assign
mv /var/qmail/users /var/qmail/gone
code "no directory" 111 "$newu"
is "  text" "$(cat "$T/err")" "qmail-newu: fatal: unable to open users/assign"
done_testing
