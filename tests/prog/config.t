#!/bin/sh
# config.t - config-fast and config: what they write, what they refuse, what they leave.
# (With DNS: scenario/tools.t.)
. tests/lib.sh
home=$(head -n 1 conf-qmail)
cd "$home/control" || exit 111
fast=$home/configure/config-fast
rm -f ./*

# files: every control file and its lines.
files() { for name in *; do echo "$name: $(tr '\n' ' ' <"$name")"; done; }

for name in '' . .a a. a..b 'a b' 'a/b' '$(id)' -x "a
b" "$(printf %254s '' | tr ' ' a)"; do
	code "not a name: $(printf %.20s "$name" | tr '\n' '|')" 100 "$fast" "$name"
done
code 'no name' 100 "$fast"
is 'nothing is written' "$(ls)" ''
ok 'a name of 253 bytes' "$fast" "$(printf %249s '' | tr ' ' a).bcd"
is 'is written' "$(wc -c <me)" 254
rm -f ./*
ok 'three labels' "$fast" mail.sub.example.org
is 'the files' "$(files)" 'defaultdomain: sub.example.org 
locals: mail.sub.example.org 
me: mail.sub.example.org 
plusdomain: example.org 
rcpthosts: mail.sub.example.org '
printf '#mine\nother.example' >locals
ok 'again, another name' "$fast" b.example
is 'adds to lists, also after a line without its end' "$(files)" 'defaultdomain: b.example 
locals: #mine other.example b.example 
me: b.example 
plusdomain: b.example 
rcpthosts: mail.sub.example.org b.example '
ok 'in capitals' "$fast" B.EXAMPLE
is 'is the same name' "$(grep -ci b.example locals)" 1
is 'modes' "$(stat -c %a ./* | sort -u)" 644
for name in me locals; do
	mv $name "$T/kept"
	mkdir $name
	code "$name is a directory" 111 "$fast" c.example
	like '  it is said' "$T/err" "^config-fast: fatal: unable to write $home/control/$name\$"
	is '  and nothing is put into it' "$(ls $name)" ''
	rmdir $name
	mv "$T/kept" $name
done
for shell in '>/dev/full' '>&-' '<&- >&- 2>&-'; do
	rm -f ./*
	code "nobody listens: $shell" 0 sh -c "exec $fast d.example $shell"
	is '  all is written' "$(cat ./* | sort -u)" d.example
done

# ---- config: in this world DNS does not answer ----

before=$(files)
code 'config without DNS' 0 "$home/configure/config"
is '  says what it knows' "$(cat "$T/out")" "Your hostname is $(hostname | tr A-Z a-z).
Sorry, I couldn't find your host's canonical name in DNS.
You will have to set up control/me yourself."
is '  nothing is changed' "$(files)" "$before"
ok 'with DNS of our own' cp -R "$home/configure" "$T/tools"
answer='echo mail.example.org'
echo "$answer" >"$T/tools/dnsfq"
echo 'echo 192.0.2.1; echo 192.0.2.2' >"$T/tools/dnsip"
echo 'echo 192.0.2.2; echo ::1' >"$T/tools/ipmeprint"
cat >"$T/tools/dnsptr" <<'EOF'
case $1 in
192.0.2.1) echo mail.example.org;;
192.0.2.2) echo -n.example.org;;
*) exit 100
esac
EOF
ok 'with DNS' "$T/tools/config"
is '  the files' "$(files)" 'defaultdomain: example.org 
locals: mail.example.org -n.example.org 
me: mail.example.org 
plusdomain: example.org 
rcpthosts: mail.example.org -n.example.org '
is '  the last address' "$(grep '^::1' "$T/out")" \
    '::1: PTR lookup failed. I assume this address has no DNS name.'
before=$(files)
echo "echo '../x y'" >"$T/tools/dnsfq"
code 'a name that none can be' 100 "$T/tools/config"
is '  nothing is changed' "$(files)" "$before"
echo "$answer" >"$T/tools/dnsfq"
rm locals
mkdir locals
code 'locals is a directory' 111 "$T/tools/config"
like '  it is said' "$T/err" "^config: fatal: unable to write $home/control/locals\$"
rmdir locals
before=$(cat rcpthosts)
code 'no room for locals' 111 sh -c "trap '' XFSZ; ulimit -f 0; exec $T/tools/config"
is '  rcpthosts stays' "$(cat rcpthosts)" "$before"
is '  and so does me' "$(cat me)" mail.example.org

# ---- the tools of config ----

for program in hostname ipmeprint; do
	code "$program to a full disk" 111 sh -c "exec $home/configure/$program >/dev/full"
done
printf '\n' >/proc/sys/kernel/hostname || note 'the name cannot be changed'
code 'no name' 111 "$home/configure/hostname"
code 'config without a name' 0 "$home/configure/config"
like '  says so' "$T/out" "^Sorry, I couldn't find your hostname.\$"
done_testing
