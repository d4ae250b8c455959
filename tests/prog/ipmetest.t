#!/bin/sh
# ipmetest: which addresses are this host; and that qmail-remote and spfquery see it the same way.
. tests/lib.sh
control=/var/qmail/control
ipmetest=/var/qmail/bin/ipmetest

say() { "$ipmetest" "$1" 2>>"$T/said"; }

is 'an interface' "$(say 127.0.0.1)" me
is 'as IPv6' "$(say ::ffff:127.0.0.1)" me
is '0.0.0.0' "$(say 0.0.0.0)" me
is '::' "$(say ::)" me
is 'another' "$(say 192.0.2.9)" 'not me'
is 'another, IPv6' "$(say 2001:db8::9)" 'not me'

printf '192.0.2.0/255.255.255.0\n#x\n2001:db8::/32\n198.51.100.7' >$control/moreipme
is 'in a network' "$(say 192.0.2.9)" me
is 'above it' "$(say 192.0.3.0)" 'not me'
is 'IPv6' "$(say 2001:db8::9)" me
is 'a last line without newline' "$(say 198.51.100.7)" me
is 'nothing is complained about' "$(cat "$T/said")" ''
printf '192.0.2.9\n192.0.2.128/25\n2001:db8::/32\n127.0.0.1\n' >$control/notipme
is 'a longer one in notipme' "$(say 192.0.2.9)" 'not me'
is 'likewise' "$(say 192.0.2.200)" 'not me'
is 'the others' "$(say 192.0.2.10)" me
is 'equal ones' "$(say 2001:db8::9)" 'not me'
is 'an interface in notipme' "$(say 127.0.0.1)" 'not me'
printf 'x\n192.0.2.0/33\n192.0.2.0/255.0.255.0\n\n192.0.2.7/\n' >$control/moreipme
is 'malformed lines do not count' "$(say 192.0.2.7)" 'not me'
is 'and are told' "$(cut -d: -f3 "$T/said" | tr '\n' '|')" \
	' control/moreipme line 1| control/moreipme line 2| control/moreipme line 3| control/moreipme line 5|'

code 'no argument' 100 "$ipmetest"
code 'no address' 100 "$ipmetest" x
code 'two' 100 "$ipmetest" 192.0.2.1 192.0.2.2
rm $control/moreipme
mkdir $control/moreipme
code 'an unreadable file' 111 "$ipmetest" 127.0.0.1
like 'is told' "$T/err" '^ipmetest: fatal: unable to find my addresses: '

# The same for those who deliver: no server is there, so a host that is not we cannot be reached.
echo me.example >$control/me
printf 'x\n' | setpriv --reuid qmailr --regid nofiles --clear-groups /var/qmail/bin/qmail-remote \
	'[192.0.2.9]' s@x.example r@y.example | tr '\0' '\n' >"$T/report"
like 'qmail-remote cannot read it' "$T/report" '^ZUnable to read control files'
rmdir $control/moreipme
rm $control/notipme
echo 192.0.2.9 >$control/moreipme
printf 'x\n' | setpriv --reuid qmailr --regid nofiles --clear-groups /var/qmail/bin/qmail-remote \
	'[192.0.2.9]' s@x.example r@y.example | tr '\0' '\n' >"$T/report"
like 'qmail-remote does not deliver to itself' "$T/report" "^DSorry. Although I'm listed"
like 'spfquery lets it pass' "$(/var/qmail/bin/spfquery 192.0.2.9 h s@x.example >"$T/spf"; echo "$T/spf")" \
	'^result=pass'
done_testing
