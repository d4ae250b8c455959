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

for dir in todo intd; do
	for id in 23 46 118; do
		echo "$dir $id" >$dir/$id
	done
done
code "todo and intd without directories" 0 "$upq"
is "  stay so" "$(find todo intd -type f | sort | tr '\n' ' ')" \
    "intd/118 intd/23 intd/46 todo/118 todo/23 todo/46 "
for dir in todo intd; do
	mkdir $dir/7 $dir/95
	mv $dir/118 $dir/95
	mv $dir/23 $dir/7
done
chown -R qmailq:qmail todo intd
find todo intd -type f -printf '%f %i %T@\n' | sort >"$T/before"
code "with those of another split" 0 "$upq"
find todo intd -type f -printf '%f %i %T@\n' | sort >"$T/after"
same "  the same files" "$T/before" "$T/after"
is "  where they belong" "$(find todo intd -type f | sort | tr '\n' ' ')" \
    "intd/0/23 intd/0/46 intd/3/118 todo/0/23 todo/0/46 todo/3/118 "
is "  all directories, no others" "$(ls todo intd | grep -c '^[0-9]') $(find . -name 95)" "46 "
is "  their owner and mode" "$(stat -c '%n %U:%G %a' todo/22 intd/22)" \
"todo/22 qmailq:qmail 750
intd/22 qmailq:qmail 700"
rm -r todo/* intd/*

mkdir mess/99
mkdir mess/99/sub
code "a directory that is not empty" 111 "$upq"
like "  is named" "$T/err" 'warning: /var/qmail/queue/mess/99 left alone: it is not empty'
done_testing
