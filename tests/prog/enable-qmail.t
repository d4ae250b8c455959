#!/bin/sh
# enable-qmail.t - FreeBSD's switch, on files in the shape of FreeBSD's.
. tests/lib.sh
enable=/var/qmail/scripts/enable-qmail
bin=/var/qmail/bin
for path in /usr/sbin/sendmail /usr/bin/mailq /usr/bin/newaliases; do
	rm -f $path $path.OFF
done
mkdir -p /etc/mail
rm -f /etc/mail/mailer.conf*
printf 'sendmail\t/usr/libexec/sendmail/sendmail\n' >/etc/mail/mailer.conf
cp /etc/mail/mailer.conf "$T/before"
printf 'hostname="a"\nsendmail_enable="YES"' >/etc/rc.conf
want() { printf 'sendmail\t%s\nsend-mail\t%s\nmailq\t\t%s\nnewaliases\t%s\n' \
    $bin/sendmail $bin/sendmail $bin/qmail-qread "$1"; }

code "no other argument" 100 $enable --now
is "  and nothing has happened" "$(tail -n 1 /etc/rc.conf)" 'sendmail_enable="YES"'
code "an account that is not root" 1 setpriv --reuid 5001 --clear-groups $enable
is "  and nothing has happened" "$(cat /etc/mail/mailer.conf)" "$(cat "$T/before")"
code "the switch" 0 $enable
is "  first line" "$(head -n 1 "$T/out")" '===> I hope you know what you are doing:'
is "  last line" "$(tail -n 1 "$T/out")" \
    '===> For example, "cp /var/qmail/boot/proc+df /var/qmail/rc"'
is "  rc.conf" "$(cat /etc/rc.conf)" "$(printf '%s\n' 'hostname="a"' 'sendmail_enable="YES"' \
    'sendmail_enable="NONE"')"
is "  mailer.conf" "$(cat /etc/mail/mailer.conf)" "$(want $bin/sendmail)"
same "  the old one is kept" "$T/before" /etc/mail/mailer.conf.bak
touch $bin/newaliases
chmod 755 $bin/newaliases /etc/mail/mailer.conf
cp /var/qmail/boot/home /var/qmail/rc
code "once more, with an add-on's newaliases and an rc" 0 $enable
is "  rc.conf is as it was" "$(grep -c sendmail_enable /etc/rc.conf)" 2
is "  mailer.conf has the add-on" "$(cat /etc/mail/mailer.conf)" "$(want $bin/newaliases)"
same "  the first one is still kept" "$T/before" /etc/mail/mailer.conf.bak
is "  no advice" "$(grep -c example "$T/out")" 0
is "  programs are untouched" "$(ls -d /usr/sbin/sendmail 2>/dev/null)" ''
echo program >/usr/sbin/sendmail
ln -s /usr/sbin/mailwrapper /usr/bin/mailq
echo wrapper >/usr/sbin/mailwrapper
chmod 755 /usr/sbin/sendmail /usr/sbin/mailwrapper
code "by force" 0 $enable --force
is "  links" "$(readlink /usr/sbin/sendmail /usr/bin/mailq /usr/bin/newaliases)" \
    "$(printf '%s\n' $bin/sendmail $bin/qmail-qread $bin/newaliases)"
is "  the program cannot be run" "$(stat -c %a /usr/sbin/sendmail.OFF)" 0
is "  what a link led to can" "$(stat -c %a /usr/sbin/mailwrapper)" 755
is "  the link is kept" "$(readlink /usr/bin/mailq.OFF)" /usr/sbin/mailwrapper
code "by force again" 0 $enable --force
rm /usr/sbin/sendmail
echo other >/usr/sbin/sendmail
code "nothing that was put aside is lost" 1 $enable --force
is "  it says so" "$(cat "$T/err")" 'enable-qmail: /usr/sbin/sendmail.OFF is in the way'
done_testing
