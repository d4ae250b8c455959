#!/bin/sh
# qmail-getpw.t - who controls an address, beyond the recorded vectors: trouble and bounds.
. tests/lib.sh
getpw=/var/qmail/bin/qmail-getpw

# answer ADDRESS: its output with | for NUL.
answer() { "$getpw" "$1" | tr '\0' '|'; }

# failing CALL PATH ERROR ADDRESS: run it while that call on that path fails.
failing() {
	strace -f -qq -o "$T/trace" -P "$2" -e "inject=$1:error=$3" "$getpw" "$4"
}

alias=$(getent passwd alias | awk -F: '{ print $1 "|" $3 "|" $4 "|" $6 "|-|" }')
is "a user" "$(answer joe)" "joe|5001|5001|/home/joe|||"
is "an empty extension" "$(answer joe-)" "joe|5001|5001|/home/joe|-||"
is "two hyphens" "$(answer Joe--X)" "joe|5001|5001|/home/joe|-|-X|"
is "no name before the hyphen" "$(answer -joe)" "$alias-joe|"
is "the empty address" "$(answer '')" "$alias|"
is "a name with other bytes" "$(answer 'joe:x')" "${alias}joe:x|"

long=a234567890123456789012345678901234567890
echo "$long:x:5005:5005::/home/long:/bin/sh" >>/etc/passwd
mkdir /home/long
chown 5005 /home/long
is "a name of 40 bytes" "$(answer $long-x)" "$long|5005|5005|/home/long|-|x|"

# An address made of hyphens must not become hundreds of lookups.
many=$(printf '%1000s' '' | tr ' ' -)
strace -f -qq -o "$T/trace" -P /etc/passwd -e trace=openat "$getpw" "$many" >"$T/answer"
ok "a thousand hyphens: at most 33 lookups" test "$(grep -c passwd "$T/trace")" -le 33
ok "  but some" test "$(grep -c passwd "$T/trace")" -ge 2
is "  and an answer" "$(tr '\0' '|' <"$T/answer")" "$alias$many|"

if [ -z "${SAN-}" ]; then
	for error in EMFILE EIO ENFILE ENOMEM; do
		code "accounts cannot be read: $error" 118 failing openat /etc/passwd $error joe
		is "  nothing is printed" "$(cat "$T/out")" ""
	done
	code "home cannot be looked at: EIO" 115 failing newfstatat /home/joe EIO joe-x
	is "  nothing is printed" "$(cat "$T/out")" ""
	code "home is not there" 0 failing newfstatat /home/joe EACCES joe
	is "  so it is alias's mail" "$(tr '\0' '|' <"$T/out")" "${alias}joe|"
fi
code "nobody reads the answer" 118 sh -c "$getpw joe >/dev/full"
sed -i '/^alias:/d' /etc/passwd
code "no alias account" 116 "$getpw" nobody-here-q
is "  nothing is printed" "$(cat "$T/out")" ""
echo kept >"$T/in"
is "descriptor 0 is not read" "$({ "$getpw" joe >"$T/out"; cat; } <"$T/in")" kept
done_testing
