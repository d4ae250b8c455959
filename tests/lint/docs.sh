#!/bin/sh
# docs.sh - the manuals and control-defaults against the code.
# usage: tests/lint/docs.sh, in the top of the tree.  Prints what is wrong; exit 1 if anything is.
set -u

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=$work/bad
: > "$bad"
complain() { printf '%s\n' "$*" >> "$bad"; }

# says PAGE CODE - PAGE's EXIT STATUS has the number.
says() { sed -n '/^\.Sh EXIT STATUS/,/^\.Sh [D-Z]*$/p' "$1" | grep -qw -e "$2"; }

# 1. A page for each installed program, a program for each page.
programs=$(sed -n 's/.*PROGRAM("\([^"]*\)".*/\1/p; s/.*HELPER("\(config[^"]*\)".*/\1/p' \
    src/install/hier.c)
man/render "$work/man" || exit 1
for program in $programs; do
	ls "$work/man/$program".[18] > /dev/null 2>&1 || complain "$program has no manual"
done
for page in man/*.[18]; do
	name=${page##*/}
	name=${name%.*}
	[ "$name" = qmail-command ] && continue # an interface, not a program
	echo "$programs" | grep -qx -e "$name" || complain "$page describes no installed program"
done

# 2. Exit codes.  qmail-queue's are one enum; the general ones show in a program's own file.
sed -n 's/^[[:space:]]QQ_[A-Z_]* = \([0-9]*\),*.*/\1/p' src/queue/qqcode.h > "$work/qq"
[ -s "$work/qq" ] || complain 'src/queue/qqcode.h: no codes found'
while read -r code; do
	says man/qmail-queue.8 "$code" || complain "qmail-queue(8): exit code $code is missing"
done < "$work/qq"
for program in $programs; do
	source=$(find src -name "$program.c")
	page=$(ls "man/$program".[18] 2> /dev/null)
	[ -n "$source" ] && [ -n "$page" ] || continue
	for pair in CODE_STOP:99 CODE_PERM:100 CODE_TEMP:111; do
		grep -q -w -e "${pair%:*}" "$source" && ! says "$page" "${pair#*:}" &&
		    complain "$page: exit code ${pair#*:} is missing"
	done
done
sed -n 's/^[[:space:]]*\(SPAWN\|LSPAWN\|EXIT\)_[A-Z_]* = \([0-9]*\),*.*/\2/p' src/spawn/*.[ch] \
    2> /dev/null > "$work/spawn"
while read -r code; do
	says man/qmail-lspawn.8 "$code" || complain "qmail-lspawn(8): exit code $code is missing"
done < "$work/spawn"

# 3. Control files: each one that the code reads is described, and has a default or a reason.
cat src/*/*.[ch] | tr '\n' ' ' | grep -oE 'ctl_[a-z_]+\([[:space:]]*"[^"]+"' |
    sed 's/.*"\(.*\)"/\1/' | sort -u > "$work/ctl"
while read -r name; do
	grep -qxF ".It Pa $name" man/qmail-control.5 ||
	    complain "qmail-control(5): $name is missing"
	[ -f "control-defaults/$name" ] ||
	    sed -n '/^No default/,$p' control-defaults/README | grep -qw -e "$name" ||
	    complain "control-defaults: $name is neither a file nor in README"
done < "$work/ctl"
for path in control-defaults/*; do
	name=${path##*/}
	[ "$name" = README ] && continue
	grep -qxF ".It Pa $name" man/qmail-control.5 ||
	    complain "qmail-control(5): $name of control-defaults is missing"
	grep -q -w -e "$name" control-defaults/README || complain "$path is not in README"
	form=$(sed -n "/^\.It Pa $name\$/{n;p;}" man/qmail-control.5)
	case $form in
	List*) ! grep -q '^[^#]' "$path" || complain "$path: the default of a list is not empty" ;;
	*) [ "$(wc -l < "$path")" = 1 ] || complain "$path: one line and nothing else" ;;
	esac
done

# 4. Limits: a comment `limit: NAME VALUE` in qmail-limits(7) for each constant that ends in _MAX
# or _LIMIT or has _MAX_ inside, and for each that ends in _S or
# _MS: a time.  Those in the list are no matter for users.
internal='SUBMIT_ERROR_FD_MAX SPAWNPROTO_ID_MAX ENVELOPE_RECORD_MAX TCPTO_COUNT_MAX DOMAIN_MAX TABLE_MAX RECORD_MAX PROC_MAX_FDS
	SKIP_UNIT_S QUIET_S AGE_PER_TIMEOUT_S CLEANUP_REQUEST_MAX SWEEP_INTD_EVERY_S TIMEOUT_MAX_S
	LAST_WORDS_MS LATE_REPLY_MS FIRST_PAUSE_MS LAST_PAUSE_MS SLOW_PEER_MS NO_LIMIT SECONDS_MAX
	GENERATED_MAX HOST_MAX POINTERS_MAX DNSMSG_MAX DNSMSG_NAME_MAX DNSMSG_LABEL_MAX ID_MAX
	LCHILD_USER_MAX FACILITY_MAX TIMEOUT_MAX REPORT_REMOTE_MAX'
sed -nE 's/^#define ([A-Z][A-Z0-9_]*(_MAX|_LIMIT|_M?S|_MAX_[A-Z]+)) +([^[:space:]].*)/\1 \3/p' \
    src/*/*.[ch] | sed 's,/\*.*,,; s/([a-z0-9_]*_t)//g; s/INT64_C//g; s/\([0-9]\)[UL]*/\1/g' > "$work/limits"
while read -r name value; do
	case " $(echo $internal) " in *" $name "*) continue ;; esac
	said=$(sed -n "s/^\.\\\\\" limit: $name //p" man/qmail-limits.7)
	if [ -z "$said" ]; then
		complain "qmail-limits(7): $name ($value) is missing"
	elif echo "$value" | grep -qE '^[-0-9 ()<*+]+$' && [ "$(($value))" != "$said" ]; then
		complain "qmail-limits(7): $name is $value, not $said"
	fi
done < "$work/limits"
sed -n 's/^\.\\" limit: \([^ ]*\) .*/\1/p' man/qmail-limits.7 | while read -r name; do
	grep -q "^$name " "$work/limits" || complain "qmail-limits(7): there is no $name"
done

# 5. Environment: each variable that the code asks for is in some manual.
find src -name "*.c" ! -path "src/install/*" -exec cat {} + | tr '\n' ' ' | grep -oE 'getenv\([[:space:]]*"[^"]+"' | sed 's/.*"\(.*\)"/\1/' |
    sort -u > "$work/env"
while read -r name; do
	grep -qE "^\.(It )?Ev .*\b$name\b" man/*.[1-8] || complain "no manual has the variable $name"
done < "$work/env"

cat "$bad"
[ ! -s "$bad" ]
