#!/bin/sh
# qmail-upq.t - a queue that was made without split directories, or with others, is moved.
. tests/lib.sh
upq=$PWD/build${SAN:+-san}/bin/qmail-upq
cd /var/qmail/queue || exit 111

# files: every file of the queue's four directories with its inode number and time.
files() { find mess info local remote -type f -printf '%f %i %T@\n' | sort; }
places() { find mess info local remote -type f | sort; }

for dir in mess info local remote; do
	for id in 23 46 100 101 18446744073; do
		echo "$dir $id" >$dir/$id
		touch -d 2001-01-01 $dir/$id
	done
	mkdir $dir/95
	echo "$dir" >$dir/95/118	# of a split of 97 or so
	echo "$dir" >$dir/7/7		# at its place
done
files >"$T/before"
code "all kinds of queues" 0 "$upq"
is "  without a word" "$(cat "$T/out" "$T/err")" ""
files >"$T/after"
same "  the same files, with their times" "$T/before" "$T/after"
places >"$T/places"
for dir in info local mess remote; do
	for id in 100 101 118 18446744073 23 46 7; do
		echo "$dir/$((id % 23))/$id"
	done
done | sort >"$T/want"
same "  where they belong" "$T/places" "$T/want"
is "  directories of the other split are gone" "$(find . -name 95)" ""
code "once more" 0 "$upq"
places >"$T/again"
same "  changes nothing" "$T/again" "$T/want"

echo x >mess/24
echo y >mess/1/24
echo z >info/note
echo n >info/0123
code "what cannot be moved" 111 "$upq"
is "  is named" "$(sort "$T/err")" \
"qmail-upq: warning: /var/qmail/queue/info/0123 left alone: its name is no message number
qmail-upq: warning: /var/qmail/queue/info/note left alone: its name is no message number
qmail-upq: warning: /var/qmail/queue/mess/24 left alone: there is a mess/1/24"
is "  and stays" "$(cat mess/24 mess/1/24 info/note)" "x
y
z"
rm mess/24 mess/1/24 info/note info/0123

echo x >mess/24
flock lock/sendmutex -c "$upq" 2>"$T/err"
is "while qmail-send runs" "$(cat "$T/err")" "qmail-upq: fatal: qmail-send is running"
ok "  nothing is moved" test -f mess/24

for dir in mess info local remote; do
	rm $dir/7/7	# the name of a directory
	find $dir -mindepth 2 -type f -exec mv {} $dir/ \;
	rmdir $dir/[0-9] $dir/1[0-9] $dir/2[0-2] || note "$dir is not flat"
done
files >"$T/before"
code "a queue without directories" 0 "$upq"
files >"$T/after"
same "  the same files" "$T/before" "$T/after"
is "  owner and mode of directories" \
    "$(stat -c '%n %U:%G %a' mess/0 mess/22 info/22 local/0 remote/22)" \
"mess/0 qmailq:qmail 750
mess/22 qmailq:qmail 750
info/22 qmails:qmail 700
local/0 qmails:qmail 700
remote/22 qmails:qmail 700"
mkdir mess/99
mkdir mess/99/sub
code "a directory that is not empty" 111 "$upq"
like "  is named" "$T/err" 'warning: /var/qmail/queue/mess/99 left alone: it is not empty'
done_testing
