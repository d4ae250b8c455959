#!/bin/sh
# globals - no writable data at file scope but what is listed here.  Usage: globals.sh BUILD
# The list: flags of signal handlers (sig_atomic_t), which have no other way to tell.
# Constant tables of pointers stand in .data.rel.ro and are read-only once the program runs.
cd "$(dirname "$0")/../.." || exit 1
allowed='^(watch_read|watch_write|caught|ignored)$'
bad=$(find "$1/obj" -name '*.o' | while read -r object; do
	objdump -t "$object" | awk -v object="$object" -v allowed="$allowed" '
	    / O / { section = $0; sub(/^[^.*]*/, "", section); sub(/[ \t].*/, "", section)
		if (section ~ /^(\.data|\.bss|\*COM\*)/ && section !~ /^\.data\.rel\.ro/ &&
		    $NF !~ allowed) print object ": " $NF " in " section }'
done)
[ -z "$bad" ] && exit 0
echo "$bad"
exit 1
