#!/bin/sh
# children.t - programs that start others know how those ended, even when they are started by a
# daemon that ignores SIGCHLD, so that the kernel would forget its children.
. tests/lib.sh

B=/var/qmail/bin
export HOST=h USER=u LOCAL=l RECIPIENT=r SENDER=s@x.example NEWSENDER=s@x.example DTLINE='Delivered-To: d@x.example
' RPLINE='Return-Path: <s@x.example>
' UFLINE='From s@x.example Thu Nov 20 21:36:00 2025
'
echo mx.example >/var/qmail/control/me
echo mx.example >/var/qmail/control/locals
chmod 755 "$T"
printf 'Subject: s\n\nhello\n' >"$T/mail"
printf 'HELO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<joe@mx.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n' \
	>"$T/smtp"
printf '3:\nx\n,11:a@x.example,18:14:joe@mx.example,,' >"$T/qmtp"
printf '38:2:x\n,11:a@x.example,14:joe@mx.example,,' >"$T/qmqp"
printf 'Subject: s\nNotice-Requested-Upon-Delivery-To: <joe@mx.example>\n\nx\n' >"$T/wanted"
printf 'Fa@x.example\0Tjoe@mx.example\0\0' >"$T/envelope"
printf 'u@y.example\n' >"$T/list"

queued() { find /var/qmail/queue/todo -type f | wc -l; }

# child NAME CODE QUEUED INPUT COMMAND...: it exits with that code, and so many messages are queued.
child() {
	name=$1 want=$2 more=$3 input=$4; shift 4
	before=$(queued)
	code "$name" "$want" env --ignore-signal=CHLD "$@" <"$input"
	is "  messages queued" $(($(queued) - before)) "$more"
}

child sendmail 0 1 "$T/mail" $B/sendmail joe@mx.example
child qmail-inject 0 1 "$T/mail" $B/qmail-inject joe@mx.example
child datemail 0 1 "$T/mail" $B/datemail joe@mx.example
child predate 7 0 "$T/mail" $B/predate sh -c 'cat; exit 7'
child qsmhook 7 0 "$T/mail" $B/qsmhook sh -c 'cat; exit 7'
child preline 7 0 "$T/mail" $B/preline sh -c 'cat; exit 7'
child 'condredirect: yes' 99 1 "$T/mail" $B/condredirect u@y.example true
child 'condredirect: no' 0 0 "$T/mail" $B/condredirect u@y.example false
child forward 0 1 "$T/mail" $B/forward u@y.example
child except 100 0 "$T/mail" $B/except true
child bouncesaying 100 0 "$T/mail" $B/bouncesaying no true
child qreceipt 0 1 "$T/wanted" $B/qreceipt joe@mx.example
child qmail-qfilter 0 1 "$T/mail" sh -c 'exec "$@" 1<"$0"' "$T/envelope" $B/qmail-qfilter cat
child qmail-smtpd 0 1 "$T/smtp" $B/qmail-smtpd
like '  it says so' "$T/out" '^250 ok [0-9]+ qp '
child qmail-qmtpd 0 1 "$T/qmtp" $B/qmail-qmtpd
like '  it says so' "$T/out" 'Kok '
child qmail-qmqpd 0 1 "$T/qmqp" $B/qmail-qmqpd
like '  it says so' "$T/out" 'Kok '
child 'qmail-local: a program' 100 0 "$T/mail" $B/qmail-local -- joe "$T" joe '' '' mx.example s@x \
	'|exit 100'
child 'qmail-local: a forward' 0 1 "$T/mail" $B/qmail-local -- joe "$T" joe '' '' mx.example \
	s@x.example '&u@y.example'
done_testing
