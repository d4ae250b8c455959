#!/bin/sh
# setup.t - what the installer makes and keeps, what the checker finds.
. tests/lib.sh
home=$(head -n 1 conf-qmail)
build=build${SAN:+-san}
queue=$home/queue

setup() {
	"$build/bin/setup" "$@"
}

check() {
	"$build/bin/instcheck" "$@" "$build"
}

warned() {
	ok "instcheck after: $1" check
	is "instcheck says: $1" "$(cat "$T/err")" "instcheck: warning: $2"
	code "instcheck -w after: $1" 1 check -w
}

ok '`make it`, as documents for qmail-1.03 have it' make -n -W boot/home it
like 'boot scripts are part of it' "$T/out" '/boot/home\b'
ok 'over an installed tree' setup "$build"
ok 'the checker is silent' check -w
is 'the checker is silent: output' "$(cat "$T/out" "$T/err")" ''

# ---- who checks passwords ----

mkdir "$T/path"
printf '#!/bin/sh\nexit 1\n' >"$T/path/checkpassword"
chmod 755 "$T/path/checkpassword"
ok 'another checkpassword, after ours was installed' env PATH="$T/path:$PATH" \
    "$build/bin/setup" "$build"
is 'no word of it' "$(cat "$T/err")" ''
rm "$home/bin/checkpassword"
ok 'another checkpassword, and none of ours yet' env PATH="$T/path:$PATH" \
    "$build/bin/setup" "$build"
like 'a warning' "$T/err" "^install: warning: $T/path/checkpassword is this host's checkpassword; "
rm "$home/bin/checkpassword"
ok 'none' setup "$build"
is 'no warning' "$(cat "$T/err")" ''

# ---- what a live queue has ----

printf %01024d 7 >"$queue/lock/tcpto"
exec 9>>"$queue/lock/sendmutex"
flock 9
before=$(stat -c '%n %i %s' "$queue"/lock/*)
ok 'with a qmail-send that holds its lock' setup "$build"
is 'files in lock/ stay' "$(stat -c '%n %i %s' "$queue"/lock/*)" "$before"
is 'and what is in them' "$(head -c 3 "$queue/lock/tcpto")" 000
exec 9>&-

# ---- links of other accounts ----

echo precious >"$T/file"
mkdir -m 700 "$T/directory"
rm "$queue/lock/tcpto"
ln -s "$T/file" "$queue/lock/tcpto"
code 'a link in place of a file of the queue' 111 setup "$build"
is 'what it leads to is left alone' "$(cat "$T/file") $(stat -c %U "$T/file")" 'precious root'
rm "$queue/lock/tcpto"
rmdir "$queue/pid"
ln -s "$T/directory" "$queue/pid"
code 'a link in place of a directory of the queue' 111 setup "$build"
is 'that is left alone, too' "$(stat -c '%U %a' "$T/directory")" 'root 700'
rm "$queue/pid"
mv "$home/control" "$T/control"
ln -s "$T/control" "$home/control"
ok 'control may be a link' setup "$build"
ok 'the checker follows it' check -w

# ---- differences ----

chmod 700 "$home/bin/qmail-queue"
warned 'a mode' '.../bin/qmail-queue has wrong permissions'
rm "$home/bin/qmail-queue"
warned 'a missing file' '.../bin/qmail-queue does not exist'
setup "$build"
chown root "$queue/lock/trigger"
warned 'an owner' "$queue/lock/trigger has wrong owner"
setup "$build"
chgrp nofiles "$home"
warned 'a group' "$home has wrong group"
setup "$build"
rm "$queue/lock/trigger"
install -o qmails -g qmail -m 622 /dev/null "$queue/lock/trigger"
warned 'a type' "$queue/lock/trigger has wrong type"
rm "$queue/lock/trigger"
setup "$build"

# ---- another split ----

mkdir "$queue/mess/23"
code 'a larger split' 111 setup "$build"
like 'a larger split: said' "$T/err" 'mess has 24 directories, .*: put 24 into conf-split'
rmdir "$queue/mess/23" "$queue/mess/22"
code 'a smaller split' 111 setup "$build"
like 'a smaller split: said' "$T/err" 'mess has 22 directories, .*: put 22 into conf-split'
mkdir "$queue/mess/22"
ok 'the right one' setup "$build"

# ---- another layout, other owners ----

for n in $(seq 0 22); do mkdir "$queue/todo/$n"; done
code 'todo is split, intd is not' 111 setup "$build"
like 'the layout: said' "$T/err" 'todo has 23 directories and intd has 0: .* qmail-qcheck'
for n in $(seq 0 22); do mkdir "$queue/intd/$n"; done
ok 'the big-todo layout' setup "$build"
mkdir "$queue/todo/23"
code 'todo with another split' 111 setup "$build"
like 'the split of todo: said' "$T/err" 'todo has 24 directories, .*: put 24 into conf-split'
rmdir "$queue"/todo/* "$queue"/intd/*
for row in mess:qmailq:6 lock/tcpto:qmailr:7 info:qmails:8; do
	name=${row%%:*}
	account=${row#*:}
	chown joe "$queue/$name"
	code "another owner of $name" 111 setup "$build"
	want="$name belongs to uid 5001 \\(joe\\), .* ([0-9]*) \\(${account%:*}\\):"
	like 'the owner: said' "$T/err" "$want put .* line ${row##*:} of conf-users"
	chown "${account%:*}" "$queue/$name"
done
chgrp joe "$queue/info"
code 'another group' 111 setup "$build"
like 'the group: said' "$T/err" \
    'info belongs to gid 5001, .* 201 \(qmail\): put .* line 1 of conf-groups'
chown root:root "$queue/info"
ok 'what is root'"'"'s is given away' setup "$build"
chown joe "$queue/mess"
ok 'only owners: any owner will do' setup --owners "$build"
rm "$queue/lock/trigger"
rmdir "$queue/mess/22"
ok 'an installation that was cut short is completed' setup "$build"

# ---- accounts ----

cp /etc/passwd "$T/passwd"
sed -i '/^qmailr:/d' /etc/passwd
code 'an account is missing' 111 setup "$build"
like 'an account is missing: said' "$T/err" '^fatal: unable to find user qmailr$'
cp "$T/passwd" /etc/passwd
sed -i.before '/^nofiles:/d' /etc/group
code 'a group is missing' 111 setup "$build"
like 'a group is missing: said' "$T/err" '^fatal: unable to find group nofiles$'
mv /etc/group.before /etc/group

# ---- a build with other names ----

mkdir "$T/tree"
cp -R Makefile src boot conf-* "$T/tree"
printf '%s\n' mailalias maild maill root mailp mailq mailr mails >"$T/tree/conf-users"
printf '%s\n' mail-q mail-n >"$T/tree/conf-groups"
ok 'scripts are built with the names of conf-users and conf-groups' \
    make -s -C "$T/tree" SAN= build/bin/accounts build/bin/services build/bin/firstconfig
"$T/tree/build/bin/accounts" -n >"$T/out"
is 'accounts makes these' "$(sed 's/.* //' "$T/out" | sort | tr '\n' ' ')" \
    'mail-n mail-q mailalias maild maill mailp mailq mailr mails '
made=$T/tree/build/bin
is 'and nothing names the others' "$(grep -lE '\b(qmail[dlpqrs]|nofiles|alias:)' \
    "$made/accounts" "$made/services" "$made/firstconfig" | wc -l)" 0
is 'nor do the scripts of the Debian package' "$(sed -f "$T/tree/build/fill.sed" \
    src/install/debian/p[or]* | grep -E '(-g|chgrp -h) qmail |\b(qmail[dlpqrs]|nofiles)\b')" ''

# ---- for packages ----

DESTDIR=$T/package/image
export DESTDIR
# The tree may be where only root can go.
mkdir "$T/built"
cp -R "$build/bin" "$build/boot" "$build/doc" "$build/man" "$T/built"
ok 'files of a package, by anybody' su -s /bin/sh joe -c "umask 077; DESTDIR=/tmp/package/image \
    $T/built/bin/setup --files $T/built"
is 'directories above are for everybody' "$(stat -c %a /tmp/package /tmp/package/image/var)" \
    "$(printf '755\n755')"
is 'modes are there' "$(stat -c '%a %U' "/tmp/package/image$home/bin/qmail-queue")" '4711 joe'
DESTDIR=/tmp/package/image
ok 'owners later' setup --owners "$build"
is 'owners and modes' "$(stat -c '%a %U %G' "/tmp/package/image$home/bin/qmail-queue")" \
    '4711 qmailq qmail'
ok 'the package is complete' check -w
mv "/tmp/package/image$home/bin" "$T/bin"
ok 'queue-only' setup "$build" queue-only
ok 'makes nothing else' test ! -e "/tmp/package/image$home/bin"
code 'called wrongly' 100 setup
code 'called wrongly: a word' 100 setup "$build" queue
done_testing
