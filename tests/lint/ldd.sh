#!/bin/sh
# ldd - shared libraries of every program: libc alone but for what stands here; none for what runs
# once for each message.
# Usage: ldd.sh BUILD
cd "$(dirname "$0")/../.." || exit 1
bad=0
for program in "$1"/bin/*; do
	head -c 4 "$program" | grep -q ELF || continue
	case "${program##*/}" in
	qmail-dnsask | qmail-spf | spfquery | tcp-env | dns* | ipmeprint)
		may='libc.so.6 libresolv.so.2' ;;
	qmail-tls) may='libc.so.6 libcrypto.so.3 libssl.so.3' ;;
	checkpassword*) may='libc.so.6 libcrypt.so.1' ;;
	qmail-queue | qmail-smtpd | qmail-qmtpd | qmail-qmqpd | qmail-local | qmail-pop3d | \
	    sendmail | qmail-remote) may= ;;
	*) may='libc.so.6' ;;
	esac
	for library in $(objdump -p "$program" | awk '$1 == "NEEDED" { print $2 }'); do
		case " $may " in
		*" $library "*) ;;
		*) echo "${program##*/} needs $library"; bad=1 ;;
		esac
	done
done
exit $bad
