#!/bin/sh
# qmail-newmvrt: what it writes, what it warns about, and that a failure changes nothing.
. tests/lib.sh
control=/var/qmail/control
newmvrt=/var/qmail/bin/qmail-newmvrt
list=$control/morevalidrcptto
cdb=$list.cdb

code 'no source' 111 "$newmvrt"
like 'and says so' "$T/err" '^qmail-newmvrt: fatal: unable to read control/morevalidrcptto: '
is 'in one line' "$(wc -l <"$T/err")" 1
ok 'and makes nothing' test ! -e $list.tmp -a ! -e "$cdb"

printf 'U@One.Example \t\r\n#x@two\n\n-@THREE.example\n@four.example\n-a+b@four.example' >"$list"
umask 077
ok 'a list' "$newmvrt"
is 'without warnings' "$(cat "$T/err")" ''
is 'entries in lower case' "$(cdb -l -m "$cdb" | LC_ALL=C sort | tr '\n' '|')" \
	'-@three.example|-a+b@four.example|@four.example|u@one.example|'
is 'mode' "$(stat -c %a "$cdb")" 644
ok 'the temporary file is gone' test ! -e $list.tmp

printf 'u@x.example\nx.example\n*@x.example\n@*\nu@\nu v@x.example\nu@x.example.\n' >"$list"
ok 'lines that match nothing are compiled' "$newmvrt"
is 'with their numbers and the reason' "$(cat "$T/err")" \
"qmail-newmvrt: warning: control/morevalidrcptto line 2: no @ in it: u@x, @x, -u@x or -@x is wanted
qmail-newmvrt: warning: control/morevalidrcptto line 3: \`*' stands for itself; \`@x' is every recipient at x
qmail-newmvrt: warning: control/morevalidrcptto line 4: \`*' stands for itself; \`@x' is every recipient at x
qmail-newmvrt: warning: control/morevalidrcptto line 5: nothing after the @
qmail-newmvrt: warning: control/morevalidrcptto line 6: a blank or control character in it
qmail-newmvrt: warning: control/morevalidrcptto line 7: it ends with a dot"
is 'all are there' "$(cdb -s "$cdb" | sed -n 's/^number of records: //p')" 7

cp "$cdb" "$T/before"
rm "$list"
mkdir "$list"
code 'an unreadable source' 111 "$newmvrt"
same 'leaves the old file' "$cdb" "$T/before"
ok 'and nothing else' test ! -e $list.tmp
rmdir "$list"

# What it makes is what qmail-smtpd asks.
echo me.example >$control/me
printf 'ok.example\n' >$control/rcpthosts
printf 'u@ok.example\n-@ok.example\n' >"$list"
ok 'a list of one' "$newmvrt"
printf 'MAIL FROM:<>\r\nRCPT TO:<U@ok.example>\r\nRCPT TO:<v@ok.example>\r\nQUIT\r\n' |
	TCPREMOTEIP=192.0.2.7 /var/qmail/bin/qmail-smtpd 2>/dev/null | cut -c1-3 | tr '\n' ' ' >"$T/said"
is 'qmail-smtpd knows it' "$(cat "$T/said")" '220 250 250 553 221 '
done_testing
