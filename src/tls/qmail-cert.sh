#!/bin/sh
# qmail-cert - key and certificate for TLS: make one, take one from elsewhere, look at it.
# Usage: qmail-cert make [NAME]               self-signed, unless there is a certificate already
#        qmail-cert install KEY CHAIN         files of an ACME client, say
#        qmail-cert install PEM               both in one file
#        qmail-cert check                     could the servers use it?  until when?
# NAME: the host's, from control/me, by default.  With --for NAME in front of these the certificate
# is that of control/servercerts/NAME.
# Run by: root, make up, hooks of ACME clients.  Servers see a new certificate at once.
# Exit: 0; 1 with the cause; 100 called wrongly.
set -u
home=@HOME@
umask 077

fail() {
	echo "qmail-cert: $*" >&2
	exit 1
}

usage() {
	echo "usage: qmail-cert [--for NAME]" \
	    "make [NAME] | install KEY CHAIN | install PEM | check" >&2
	exit 100
}

is_name() {
	case "$1" in
	'' | .* | *[!a-z0-9.-]*) return 1 ;;
	esac
}

file=$home/control/servercert.pem
if [ "${1-}" = --for ]; then
	[ $# -ge 3 ] || usage
	is_name "$2" || fail "\"$2\" is no host name in lower case"
	file=$home/control/servercerts/$2/servercert.pem
	shift 2
fi

# Sets $why.
is_usable() {
	why=$("$home/bin/qmail-tls" -t -n 9 2>&1 9<"$1") && return
	why=${why#*fatal: }
	return 1
}

# The new file takes the place of the old one at once, if it is of use: `check` reads the new one.
put() {
	new=$file.new
	(umask 022 && mkdir -p "${file%/*}") || exit 1
	cat >"$new" && chmod 600 "$new" && chown @USER_TLS@:@GROUP_QMAIL@ "$new" ||
	    fail "cannot write $new"
	is_usable "$new" || {
		rm -f "$new"
		fail "$why; what was there is left as it is"
	}
	sync "$new" 2>/dev/null
	mv "$new" "$file" || exit 1
	echo "$file is installed"
}

make_one() {
	name=${1-$(head -n 1 "$home/control/me" 2>/dev/null)}
	[ -n "$name" ] || fail "control/me does not say the name of this host; give one"
	if [ -e "$file" ]; then
		echo "$file is there already"
		return
	fi
	command -v openssl >/dev/null || fail "needs openssl"
	work=$(mktemp -d) || exit 1
	trap 'rm -rf "$work"' EXIT
	openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 3650 \
	    -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
	    -keyout "$work/key" -out "$work/cert" 2>"$work/why" || fail "$(tail -n 1 "$work/why")"
	cat "$work/key" "$work/cert" | put
	cat <<-END
	It is self-signed: mail servers take it, people's mail programs ask.  For a certificate that
	they know, have your ACME client run, when it has a new one:
	    qmail-cert install /etc/letsencrypt/live/$name/privkey.pem \\
	        /etc/letsencrypt/live/$name/fullchain.pem
	END
}

check() {
	[ -e "$file" ] || fail "there is no $file"
	is_usable "$file" || fail "$file: $why"
	command -v openssl >/dev/null || return 0
	openssl x509 -in "$file" -noout -subject -enddate 2>/dev/null
	openssl x509 -in "$file" -noout -checkend 604800 >/dev/null 2>&1 ||
	    fail "$file expires within a week"
}

action=${1-}
[ $# = 0 ] || shift
case "$action-$#" in
make-0 | make-1) make_one "$@" ;;
install-1 | install-2)
	for path; do
		[ -r "$path" ] || fail "cannot read $path"
	done
	cat "$@" | put ;;
check-0) check ;;
*) usage ;;
esac
