#!/bin/sh
# symbols - no two files define a function of the same name, so that any two can be linked together.
# Usage: symbols.sh BUILD
cd "$(dirname "$0")/../.." || exit 1
twice=$(nm --defined-only "$1"/obj/*.a 2>/dev/null |
    awk '$(NF - 1) == "T" { print $NF }' | sort | uniq -d)
[ -z "$twice" ] && exit
echo "defined more than once: $twice"
exit 1
