#!/bin/sh
# dns-tools.t - dnsmxip, dnscname, dnsip, dnsptr, dnsfq against a name server with a small zone.
. tests/lib.sh
bin=$PWD/build${SAN:+-san}/bin

cat >"$T/zone" <<'END'
no-resolv
no-hosts
local=/example/
local=/127.in-addr.arpa/
host-record=a.example,127.0.0.2
host-record=b.example,127.0.0.3,::3
host-record=c.example,127.0.0.4
cname=one.example,two.example
cname=two.example,a.example
mx-host=mail.example,b.example,20
mx-host=mail.example,a.example,10
mx-host=mail.example,none.example,5
mx-host=dead.example,none.example,5
mx-host=null.example,.,0
host-record=null.example,127.0.0.8
ptr-record=4.0.0.127.in-addr.arpa,Long.Name.EXAMPLE
END
# c1 -> c2 -> ... -> c12
for n in 1 2 3 4 5 6 7 8 9 10 11; do
	echo "cname=c$n.example,c$((n + 1)).example"
done >>"$T/zone"
echo host-record=c12.example,127.0.0.5 >>"$T/zone"
dnsmasq --keep-in-foreground --conf-file="$T/zone" --listen-address=127.0.0.1 --bind-interfaces \
    --user=root --pid-file="$T/pid" 2>"$T/dnsmasq.log" &
server=$!
wait_for 10 "$bin/dnsip" a.example || note "$(cat "$T/dnsmasq.log")"

# says NAME WANT PROGRAM ARG...: exit 0, with that output.
says() {
	want=$2
	name=$1; shift 2
	code "$name" 0 "$bin/$@"
	is "  output" "$(cat "$T/out" "$T/err")" "$want"
}
# fails CODE WORDS PROGRAM ARG...
fails() {
	want=$1 words=$2; shift 2
	code "$*" "$want" "$bin/$@"
	is "  $words" "$(cat "$T/out" "$T/err")" "$words"
}

says 'dnsmxip: best first' '127.0.0.2 10
127.0.0.3 20
::3 20' dnsmxip mail.example
says 'dnsmxip: no MX' '127.0.0.4 0' dnsmxip c.example
fails 100 'hard error' dnsmxip none.example
fails 100 'hard error' dnsmxip dead.example
fails 100 'usage: dnsmxip NAME' dnsmxip
says 'dnscname: a chain' a.example dnscname one.example
says 'dnscname: no alias' a.example dnscname a.example
says 'dnscname: nine steps' c12.example dnscname c3.example
says 'dnscname: ten' c12.example dnscname c2.example
fails 111 'soft error' dnscname c1.example
fails 100 'usage: dnscname NAME' dnscname a b
fails 100 'hard error' dnsmxip null.example
says 'dnsip' '127.0.0.3
::3' dnsip b.example
fails 100 'hard error' dnsip none.example
says 'dnsptr' long.name.example dnsptr 127.0.0.4
fails 100 'hard error' dnsptr 127.0.0.9
says 'dnsfq' long.name.example dnsfq c.example

kill "$server" && wait "$server"
for program in dnsmxip dnscname dnsip dnsfq; do
	fails 111 'soft error' $program a.example
done
done_testing
