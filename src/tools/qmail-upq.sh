#!/bin/sh
# qmail-upq - move the messages of a queue to the directories in which this build looks for them:
# message N of mess, info, local and remote to directory N mod @SPLIT@, and of todo and intd, if
# they have such directories (big-todo).  For a queue that was made without split directories, or
# with another number of them, which `make setup` refuses.
# Usage: qmail-upq     Run by: root, from the build tree, mail system stopped; then `make setup`.
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

# prepare DIR MODE: makes the directories that are missing, as DIR itself is.
prepare() {
	owner=$(ls -ld "$1" | awk '{ print $3 ":" $4 }')
	sub=0
	while [ $sub -lt $split ]; do
		if [ ! -d "$1/$sub" ]; then
			mkdir -m "$2" "$1/$sub" && chown "$owner" "$1/$sub" ||
			    die "unable to make $queue/$1/$sub"
		fi
		sub=$((sub + 1))
	done
}

# tidy DIR: removes directories of another split that are empty now.
tidy() {
	for old in "$1"/*; do
		case ${old##*/} in
		*[!0-9]* | 0?* | ???????*) continue ;;
		esac
		[ -d "$old" ] && [ "${old##*/}" -ge $split ] || continue
		rmdir "$old" || leave "$old" 'it is not empty'
	done
}

# is_split DIR
is_split() {
	for sub in "$1"/*; do
		case ${sub##*/} in
		*[!0-9]*) continue ;;
		esac
		[ -d "$sub" ] && return 0
	done
	return 1
}

cd "$queue" || die "unable to chdir to $queue"
if command -v flock >/dev/null; then
	exec 9<>lock/sendmutex || die "unable to open $queue/lock/sendmutex"
	flock -n 9 || die 'qmail-send is running'
fi
prepare mess 0750
prepare info 0700
prepare local 0700
prepare remote 0700
dirs='mess info local remote'
if is_split todo; then
	prepare todo 0750
	dirs="$dirs todo"
fi
if is_split intd; then
	prepare intd 0700
	dirs="$dirs intd"
fi
list=$(mktemp) || die 'unable to make a temporary file'
trap 'rm -f "$list"' EXIT
# shellcheck disable=SC2086
find $dirs -type f >"$list" || die "unable to read $queue"
while IFS= read -r file; do
	place "$file"
done <"$list"
for dir in $dirs; do
	tidy "$dir"
done
sync
[ $left = 0 ] || exit 111
