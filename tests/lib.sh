# lib.sh - TAP for test programs in sh; source it as `. tests/lib.sh` (tests run in the tree's top).
#
#   plan 3                          optional; else `done_testing` at the end
#   ok NAME COMMAND [ARG...]        passes if COMMAND exits 0
#   code NAME N COMMAND [ARG...]    passes if COMMAND exits N; its output is kept in $T/out, $T/err
#   is NAME GOT WANT                passes if the two strings are equal
#   same NAME FILE FILE             passes if the files are equal byte by byte
#   like NAME FILE REGEX            passes if a line of FILE matches the extended REGEX
#   wait_for SECONDS COMMAND...     tries COMMAND until it succeeds; 1 (and a note) at the deadline
#   note TEXT                       a remark in the output
#
# $T is a directory of its own, removed at the end.  The exit code is 1 if anything failed.

tap_n=0 tap_bad=0 tap_plan=
T=$(mktemp -d "${TMPDIR:-/tmp}/test.XXXXXX") || exit 111
chmod 755 "$T"
trap 'tap_exit $?' EXIT

plan() { tap_plan=$1; echo "1..$1"; }
done_testing() { plan "$tap_n"; }
note() { printf '%s\n' "$*" | sed 's/^/# /'; }

# result NAME STATUS: one test point.
result() {
	tap_n=$((tap_n + 1))
	if [ "$2" = 0 ]; then
		echo "ok $tap_n - $1"
	else
		tap_bad=$((tap_bad + 1))
		echo "not ok $tap_n - $1"
		return 1
	fi
}

ok() {
	tap_name=$1; shift
	"$@" >"$T/out" 2>"$T/err"
	result "$tap_name" $? || note "$(tail -n 20 "$T/out" "$T/err")"
}

code() {
	tap_name=$1 tap_want=$2; shift 2
	tap_got=0
	"$@" >"$T/out" 2>"$T/err" || tap_got=$?
	[ "$tap_got" = "$tap_want" ]
	result "$tap_name" $? ||
		note "exit code $tap_got, wanted $tap_want; $(tail -n 20 "$T/out" "$T/err")"
}

is() { [ "$2" = "$3" ]; result "$1" $? || note "got:    $2
wanted: $3"; }

same() { cmp "$2" "$3" >"$T/cmp" 2>&1; result "$1" $? || note "$(cat "$T/cmp")"; }

like() { grep -aEq -e "$3" "$2"; result "$1" $? || note "no line matches: $3
$(tail -n 20 "$2")"; }

wait_for() {
	tap_end=$(($(date +%s) + $1)); shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$tap_end" ] || { note "gave up waiting for: $*"; return 1; }
		sleep 0.05
	done
}

tap_exit() {
	trap - EXIT
	rm -rf "$T"
	[ "$1" = 0 ] || { note "ended with exit code $1"; exit "$1"; }
	[ -n "$tap_plan" ] || { note "no plan: the test stopped early"; exit 1; }
	[ "$tap_bad" = 0 ] && [ "$tap_plan" = "$tap_n" ] || exit 1
	exit 0
}
