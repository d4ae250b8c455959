#!/bin/sh
# layers - every #include "x/y.h" of a folder goes to a folder it may use.  Exit 1 with the lines.
cd "$(dirname "$0")/../.." || exit 1
allowed() {
	case "$1" in
	lib) echo 'lib' ;;
	mail | net | tls) echo "$1 lib" ;;
	spf) echo 'spf lib net' ;;
	install) echo "$1 lib" ;;
	queue) echo "$1 lib mail" ;;
	send | spawn | local | inject | qmtp | users) echo "$1 lib mail queue" ;;
	remote) echo "$1 lib mail net tls queue" ;;
	smtp) echo "$1 lib mail net tls spf queue" ;;
	pop3) echo "$1 lib mail tls" ;;
	tools) echo "$1 lib mail net queue" ;;
	*) echo '' ;;
	esac
}
bad=0
for file in src/*/*.[ch]; do
	folder=${file#src/}
	folder=${folder%%/*}
	for used in $(sed -n 's,^#[ ]*include "\([a-z0-9_]*\)/.*,\1,p' "$file" | sort -u); do
		case " $(allowed "$folder") " in
		*" $used "*) ;;
		*) echo "$file includes from $used/"; bad=1 ;;
		esac
	done
	if grep -n '^#[ ]*include "[^/"]*"' "$file" | grep -v '"site.h"'; then
		echo "$file: include by folder, from src/"
		bad=1
	fi
	case "$file" in
	src/lib/sys.c | src/lib/sys_*.c) ;;
	*) grep -n '_GNU_SOURCE\|_DEFAULT_SOURCE' "$file" &&
	    { echo "$file: only lib/sys.c"; bad=1; } ;;
	esac
	case "$file" in
	src/lib/cdbmap.c) ;;
	*) grep -n 'include <cdb.h>' "$file" && { echo "$file: only lib/cdbmap.c"; bad=1; } ;;
	esac
	if grep -n 'include <openssl' "$file" && [ "$folder" != tls ]; then
		echo "$file: only tls/"
		bad=1
	fi
done
exit $bad
