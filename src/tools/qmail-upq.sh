#!/bin/sh
# qmail-upq - move the messages of a queue to the directories in which this build looks for them:
# message N of mess, info, local and remote to directory N mod @SPLIT@.  For a queue that was made
# without split directories, or with another number of them.
# Usage: qmail-upq     Run by: root, from the build tree, after `make setup`, mail system stopped.
# Renames only, so that inode numbers and times stay; may be interrupted and run again.
# Exit: 0 every file is where it belongs; 111 failure, or something was left alone (it says what).
queue=@HOME@/queue
split=@SPLIT@

die() {
	echo "qmail-upq: fatal: $*" >&2
	exit 111
}

left=0
leave() {
	echo "qmail-upq: warning: $queue/$1 left alone: $2" >&2
	left=1
}

# place FILE: FILE is DIR/.../N below the queue.
place() {
	id=${1##*/}
	case $id in
	*[!0-9]* | 0?* | '' | ???????????????????*)
		leave "$1" 'its name is no message number'
		return
		;;
	esac
	to=${1%%/*}/$((id % split))/$id
	[ "$1" = "$to" ] && return
	if [ -e "$to" ] || [ -L "$to" ]; then
		leave "$1" "there is a $to"
	else
		mv "$1" "$to" || die "unable to move $queue/$1"
	fi
}

cd "$queue" || die "unable to chdir to $queue"
if command -v flock >/dev/null; then
	exec 9<>lock/sendmutex || die "unable to open $queue/lock/sendmutex"
	flock -n 9 || die 'qmail-send is running'
fi
for dir in mess info local remote; do
	sub=0
	while [ $sub -lt $split ]; do
		[ -d $dir/$sub ] || die "no directory $queue/$dir/$sub: run make setup first"
		sub=$((sub + 1))
	done
done
list=$(mktemp) || die 'unable to make a temporary file'
trap 'rm -f "$list"' EXIT
find mess info local remote -type f >"$list" || die "unable to read $queue"
while IFS= read -r file; do
	place "$file"
done <"$list"
sync
[ $left = 0 ] || exit 111
