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
rmdir remote/22
code "no split directories" 111 "$upq"
is "  it says what to do" "$(cat "$T/err")" \
"qmail-upq: fatal: no directory /var/qmail/queue/remote/22: run make setup first"
ok "  nothing is moved" test -f mess/24
done_testing
