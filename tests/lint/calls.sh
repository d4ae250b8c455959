#!/bin/sh
# calls - functions that only some modules may call.  Exit 1 with the lines.
cd "$(dirname "$0")/../.." || exit 1
bad=0
# only PATTERN WHY FILE...: nobody but these files matches.
only() {
	pattern=$1
	why=$2
	shift 2
	found=$(grep -nE "(^|[^a-zA-Z0-9_>.\"])($pattern)\(" src/*/*.c |
	    grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)')
	for file; do
		found=$(echo "$found" | grep -v "^src/$file:")
	done
	[ -z "$found" ] && return
	echo "$found"
	echo "^ $why"
	bad=1
}
only 'read|write|pread|pwrite|readv|writev' 'use lib/io' lib/io.c lib/fsops.c lib/proc.c lib/sig.c
only 'fsync|fdatasync' 'use lib/fsops' lib/fsops.c
only 'fork|vfork' 'use lib/proc' lib/proc.c
only 'strcpy|strcat|sprintf|gets|alloca|strtok|atoi|atol|strtol|strtoul|system|popen' 'forbidden'
only 'getpwnam|getgrnam|getpwuid' 'use lib/uids'
exit $bad
