#!/bin/sh
# qmail-pw2u.t - users/assign from accounts, beyond the recorded vectors: options, files that are
# damaged, failures; and qmail-newu takes what it prints.
. tests/lib.sh
pw2u=/var/qmail/bin/qmail-pw2u
cd /var/qmail/users || exit 111

alias='alias:x:70:80::/var/qmail/alias:/bin/false'
joe='joe:x:5001:5001::/home/joe:/bin/sh'
printf '%s\n' "$alias" "$joe" >"$T/both"
# feed OPTION...: these two through it.
feed() { "$pw2u" "$@" <"$T/both"; }
both='+:alias:70:80:/var/qmail/alias:-::
=alias:alias:70:80:/var/qmail/alias:::
+alias-:alias:70:80:/var/qmail/alias:-::
=joe:joe:5001:5001:/home/joe:::
+joe-:joe:5001:5001:/home/joe:-::'

code "usual accounts" 0 feed -H
is "  their lines" "$(cat "$T/out" "$T/err")" "$both
."
cp "$T/out" assign
code "  please qmail-newu" 0 /var/qmail/bin/qmail-newu
rm assign cdb
code "options in one" 0 feed -uHC/
is "  no extensions" "$(cat "$T/out")" "+:alias:70:80:/var/qmail/alias:-/::
=alias:alias:70:80:/var/qmail/alias:::
=joe:joe:5001:5001:/home/joe:::
."
code "the last option counts" 0 feed -h -o -H -C -c =
like "  break" "$T/out" '^\+joe=:joe:'
code "-o leaves out homes of others" 111 feed
is "  alias, too" "$(cat "$T/err")" "qmail-pw2u: fatal: unable to find alias user"

# refused TEXT OPTION...
refused() {
	text=$1; shift
	code "refused: $*" 100 feed "$@"
	is "  in words" "$(cat "$T/out" "$T/err")" "qmail-pw2u: $text"
}
refused 'illegal option -- x' -x
refused 'option requires an argument -- c' -c
refused 'option requires an argument -- c' -c ''
refused 'option requires an argument -- c' -c++
refused 'option requires an argument -- c' -c:
refused 'option requires an argument -- c' -c '
'

# failed TEXT COMMAND...: exit 111, no dot.
failed() {
	text=$1; shift
	code "$text" 111 "$@"
	is "  in words" "$(cat "$T/err")" "qmail-pw2u: fatal: $text"
	ok "  no dot at the end" sh -c '! grep -qx "\." "$1"' sh "$T/out"
}
input_is_directory() { "$pw2u" -H </; }
output_is_full() { feed -H >/dev/full; }
failed 'unable to read input' input_is_directory
failed 'unable to write output' output_is_full
failed 'unable to find alias user' "$pw2u" -H
printf 'info:nobody:x:\n' >subusers
failed 'unable to find nobody user for subuser' feed -H
rm subusers
printf '%s\n' "$joe" | sed s,/home/joe,/home/none, >"$T/none"
no_home() { "$pw2u" -h <"$T/none"; }
failed 'unable to stat /home/none' no_home
printf '%s\n' "$joe" | sed s,/home/joe,/etc/passwd/x, >"$T/none"
odd_home() { "$pw2u" <"$T/none"; }
failed 'unable to stat /etc/passwd/x' odd_home
for file in include exclude mailnames subusers append; do
	mkdir $file
	failed 'unable to read controls' feed -H
	rmdir $file
done

# each of the files with something damaged in it
printf '# no\n\nALIAS \t\njoe\r\n' >include
code "include with blanks and another case" 0 feed -H
is "  both are in" "$(cat "$T/out")" "$both
."
: >include
code "an empty include" 111 feed -H
rm include
printf '=x:y:1:2:/z:::' >append
code "append without LF" 0 feed -H
is "  the dot has its line" "$(tail -n 2 "$T/out")" "=x:y:1:2:/z:::
."
rm append
printf 'joe:\n' >mailnames
code "no names at all" 0 feed -H
ok "  joe has no address" sh -c '! grep -q joe "$1"' sh "$T/out"
rm mailnames
{ echo "$alias"; printf 'a\0b:x:5:6::/a:\n'; } >"$T/nul"
with_nul() { "$pw2u" -H <"$T/nul"; }
code "a NUL in a line" 0 with_nul
is "  it is no account" "$(wc -l <"$T/out")" 4
ok "accounts of this host" sh -c 'getent passwd | "$1" -o >"$2/all"' sh "$pw2u" "$T"
done_testing
