#!/bin/sh
# qmail-newmrh: what it writes, and that a failure changes nothing.
. tests/lib.sh
control=/var/qmail/control
newmrh=/var/qmail/bin/qmail-newmrh
cdb=$control/morercpthosts.cdb

dump() { cdb -d -m "$cdb" 2>/dev/null | sort | tr '\n' ' '; }

code 'no source' 111 "$newmrh"
like 'and says so' "$T/err" '^qmail-newmrh: fatal: unable to read control/morercpthosts: '
is 'in one line' "$(wc -l <"$T/err")" 1

printf 'One.Example \t\r\n#two\n\n.THREE\n four\nfive' >$control/morercpthosts
umask 077
ok 'a list' "$newmrh"
is 'entries in lower case without trailing blanks' "$(cdb -l -m "$cdb" | LC_ALL=C sort | tr '\n' '|')" \
	' four|.three|five|one.example|'
is 'mode' "$(stat -c %a "$cdb")" 644
ok 'the temporary file is gone' test ! -e $control/morercpthosts.tmp
is 'data is empty' "$(cdb -q "$cdb" one.example | wc -c)" 0

: >$control/morercpthosts
ok 'an empty list' "$newmrh"
is 'has no entries' "$(cdb -l -m "$cdb")" ''
is 'and 2048 bytes' "$(stat -c %s "$cdb")" 2048

seq -f 'host%.0f.example' 50000 >$control/morercpthosts
ok '50000 entries' "$newmrh"
ok 'the last is found' cdb -q "$cdb" host50000.example
is 'all are there' "$(cdb -s "$cdb" | sed -n 's/^number of records: //p')" 50000

printf 'good.example\n#x@y\n\na@bad.example\n*.bad.example\ntwo words\n.ok.example \t\r\nend.\ntab\there' \
    >$control/morercpthosts
ok 'lines that match nothing are compiled' "$newmrh"
is 'with their numbers and the reason' "$(cat "$T/err")" \
"qmail-newmrh: warning: control/morercpthosts line 4: an address, not a domain
qmail-newmrh: warning: control/morercpthosts line 5: \`*' stands for itself; \`.x' is every name below x
qmail-newmrh: warning: control/morercpthosts line 6: a blank or control character in it
qmail-newmrh: warning: control/morercpthosts line 8: it ends with a dot
qmail-newmrh: warning: control/morercpthosts line 9: a blank or control character in it"
printf 'a\000b\n' >$control/morercpthosts
ok 'a NUL' "$newmrh"
is 'is told, too' "$(cat "$T/err")" \
    'qmail-newmrh: warning: control/morercpthosts line 1: a blank or control character in it'
seq -f 'x@host%.0f' 100 >$control/morercpthosts
ok 'many such lines' "$newmrh"
is 'are not all told' "$(wc -l <"$T/err")" 20

seq -f 'host%.0f.example' 50000 >$control/morercpthosts
"$newmrh"
cp "$cdb" "$T/before"
rm $control/morercpthosts
mkdir $control/morercpthosts
code 'an unreadable source' 111 "$newmrh"
same 'leaves the old file' "$cdb" "$T/before"
rmdir $control/morercpthosts
echo x.example >$control/morercpthosts
mkdir $control/morercpthosts.tmp
code 'no temporary file' 111 "$newmrh"
like 'and says so' "$T/err" '^qmail-newmrh: fatal: unable to create control/morercpthosts.tmp: '
same 'leaves the old file' "$cdb" "$T/before"
rmdir $control/morercpthosts.tmp
# A file system that is full: a limit on the size of files does the same.
seq -f 'host%.0f.example' 50000 >$control/morercpthosts
code 'no room' 111 sh -c "trap '' XFSZ; ulimit -f 100; exec $newmrh"
like 'and says so' "$T/err" '^qmail-newmrh: fatal: unable to write control/morercpthosts.tmp: '
same 'leaves the old file' "$cdb" "$T/before"
ok 'and nothing else' test ! -e $control/morercpthosts.tmp

# U-labels, for those who compare bytes, and A-labels.
printf 'B\303\274cher.example\n.xn--tda.example\nl\374.example\n' >$control/morercpthosts
ok 'labels in UTF-8' "$newmrh"
is 'are there in both forms' "$(cdb -l -m "$cdb" | LC_ALL=C sort | tr '\n' '|')" \
	"$(printf '.xn--tda.example|b\303\274cher.example|l\374.example|xn--bcher-kva.example|')"

# Somebody else is making it: wait, and read the list afterwards.
echo old.example >$control/morercpthosts
exec 9>>$control/morercpthosts.tmp
flock 9
cp "$cdb" "$T/before"
code 'the file is being made by another' 124 timeout 1 "$newmrh" 9>&-
same 'nothing has changed' "$cdb" "$T/before"
"$newmrh" 9>&- &
waiting=$!
echo new.example >$control/morercpthosts
exec 9>&-
wait $waiting
is 'in its turn it reads the list' "$(cdb -l -m "$cdb")" new.example

# Many at once: all succeed, the result is whole.
seq -f 'host%.0f.example' 5000 >$control/morercpthosts
running=
for i in 1 2 3 4 5 6 7 8; do
	"$newmrh" &
	running="$running $!"
done
failed=
for pid in $running; do
	wait "$pid" || failed="$failed $pid"
done
is 'eight at once' "$failed" ''
is 'all entries are there' "$(cdb -s "$cdb" | sed -n 's/^number of records: //p')" 5000
ok 'the temporary file is gone' test ! -e $control/morercpthosts.tmp
done_testing
