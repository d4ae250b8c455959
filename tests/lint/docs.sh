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
	case $name in
	qmail-command) continue ;; # an interface, not a program
	qmail-upq) continue ;; # runs in the source tree
	esac
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
sed -n 's/^[[:space:]]LS_[A-Z_]* = \([0-9]*\),*.*/\1/p' src/queue/lscode.h > "$work/ls"
[ -s "$work/ls" ] || complain 'src/queue/lscode.h: no codes found'
while read -r code; do
	says man/qmail-lspawn.8 "$code" || complain "qmail-lspawn(8): exit code $code is missing"
done < "$work/ls"

# 3. Control files: each one that the code reads is described, and has a default or a reason.
cat src/*/*.[ch] | tr '\n' ' ' | grep -oE 'ctl_[a-z_]+\([[:space:]]*"[^"]+"' |
    sed 's/.*"\(.*\)"/\1/' | sort -u > "$work/ctl"
while read -r name; do
	grep -qxF ".It Pa $name" man/qmail-control.5 ||
	    complain "qmail-control(5): $name is missing"
	grep -qF "\"$name\"" src/tools/showctl_text.c ||
	    complain "qmail-showctl does not show $name"
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

# 4. Limits: a comment `limit: NAME VALUE` in qmail-limits(7) for each constant whose name says that
# it is a maximum or how long somebody may take; other constants may have one.  Those in the list
# are no matter for users.
internal='ALABEL_LABEL_MAX ALABEL_NAME_MAX AGE_MAX_S AGE_PER_TIMEOUT_S CLEANER_MAX
	CONTROLS_LIFETIME_MAX_S CTLNAMES_MAX
	ACCOUNTPROTO_ANSWER_MAX ACCOUNTPROTO_LOCAL_MAX DNS_ALIASES_MAX DNSMSG_LABEL_MAX DNSMSG_MAX
	DNSMSG_NAME_MAX DOMAIN_MAX ENVELOPE_RECORD_MAX FACILITY_MAX GENERATED_MAX HOST_MAX ID_MAX
	LCHILD_USER_MAX RESIDENT_REST_MAX_MS
	PACKET_FDS_MAX PACKET_GREETING_MAX STAYPROTO_END_MAX STAYPROTO_REQUEST_MAX
	NO_LIMIT OUT_MAX OWNER_NAME_MAX POINTERS_MAX PROC_MAX_FDS RECORD_MAX REPORT_REMOTE_MAX
	SECONDS_MAX STEP_MAX SUBMIT_ERROR_FD_MAX TABLE_MAX TCPTO_COUNT_MAX TIMEOUT_MAX TIMEOUT_MAX_S
	TIMEOUT_MS WAITSET_MAX WALL_MAX_S CLEANUP_REQUEST_MAX SPAWNPROTO_ID_MAX TODOLINK_RECORD_MAX
	VERDICT_MAX VERDICT_VALUE_MAX TLSPEM_KEYS_MAX FD_MAX HOSTKEYS_NAME_MAX
	SERVER_EMAILS_MAX UCSPI_DETAILS_MAX VALUE_MAX
	DAY_FILES_MAX GREYFILE_LOG_MAX'
sed -nE 's/^#define ([A-Z][A-Z0-9_]*)[[:space:]]+([^[:space:]].*)/\1 \2/p' src/*/*.[ch] |
    sed 's,/\*.*,,; s/([a-z0-9_]*_t)//g; s/INT64_C//g; s/\([0-9]\)[UL]*\>/\1/g' |
    sort -u > "$work/constants"
while read -r name value; do
	said=$(sed -n "s/^\.\\\\\" limit: $name //p" man/qmail-limits.7)
	if [ -n "$said" ]; then
		echo "$value" | grep -qE '^[-0-9 ()<*+]+$' && [ "$(($value))" != "$said" ] &&
		    complain "qmail-limits(7): $name is $value, not $said"
	elif echo "$name" | grep -qE '(_MAX|_LIMIT)(_|$)|(TIMEOUT|WAIT|LOGIN|LINGER)_M?S$'; then
		case " $(echo $internal) " in
		*" $name "*) ;;
		*) complain "qmail-limits(7): $name ($value) is missing" ;;
		esac
	fi
done < "$work/constants"
sed -n 's/^\.\\" limit: \([^ ]*\) .*/\1/p' man/qmail-limits.7 > "$work/said"
sort "$work/said" | uniq -d | sed 's/^/qmail-limits(7): twice: /' >> "$bad"
while read -r name; do
	grep -q "^$name " "$work/constants" || complain "qmail-limits(7): there is no $name"
done < "$work/said"

# 5. Environment: each variable that the code asks for is in some manual.
find src -name "*.c" ! -path "src/install/*" -exec cat {} + | tr '\n' ' ' |
    grep -oE 'getenv\([[:space:]]*"[^"]+"' | sed 's/.*"\(.*\)"/\1/' | sort -u > "$work/env"
while read -r name; do
	grep -qE "^\.(It )?Ev .*\b$name\b" man/*.[1-8] ||
	    complain "no manual has the variable $name"
done < "$work/env"

# 6. The log: what calls for somebody is in qmail-log(5).
cat src/send/*.c | tr '\n' ' ' | grep -oE '(activity_alert\([^"]*|cannot_start\(s, )"[^"]*"' |
    sed 's/[^"]*"\(.*\)"/\1/; s/\.\.\.$//' > "$work/alerts"
sed 's/\\&//' man/qmail-log.5 | tr '\n' ' ' > "$work/log"
while read -r text; do
	grep -qF -e "$text" "$work/log" || complain "qmail-log(5): \"$text\" is missing"
done < "$work/alerts"

cat "$bad"
[ ! -s "$bad" ]
