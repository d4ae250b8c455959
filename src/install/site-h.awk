# Writes site.h from the conf-* files named on the command line; only leading lines count.
# Values that a C compiler could misread are refused here, ranges in lib/conf.h.

function fail(why) {
	print FILENAME ": " why > "/dev/stderr"
	failed = 1
	exit 1
}

function text(name, value) {
	if (value !~ /^[A-Za-z0-9_.\/+-]+$/)
		fail("\"" value "\" holds bytes that are not allowed")
	printf "#define %s \"%s\"\n", name, value
}

function number(name, value, pattern) {
	if (value !~ pattern)
		fail("\"" value "\" is not a number")
	printf "#define %s %s\n", name, value
}

BEGIN {
	n = split("ALIAS DAEMON LOG OWNER PASSWD QUEUE REMOTE SEND TLS", user)
	split("alias qmaild qmaill root qmailp qmailq qmailr qmails qmailt", user_default)
	split("QMAIL NOFILES", group)
	split("qmail nofiles", group_default)
	print "/* Written by make from the conf-* files; edit those. */"
	print "#ifndef SITE_H"
	print "#define SITE_H"
}

FNR == 1 { sub(/.*\//, "", FILENAME); seen[FILENAME] = 1 }

FILENAME == "conf-qmail" && FNR == 1 {
	if ($0 !~ /^\/./ || $0 ~ /\/$/)
		fail("the directory must be absolute, with no slash at the end")
	text("SITE_HOME", $0)
}
FILENAME == "conf-spawn" && FNR == 1 { number("SITE_SPAWN", $1, "^[1-9][0-9]*$") }
FILENAME == "conf-split" && FNR == 1 { number("SITE_SPLIT", $1, "^[1-9][0-9]*$") }
FILENAME == "conf-patrn" && FNR == 1 { number("SITE_PATRN", "0" $1, "^[0-7]+$") }
FILENAME == "conf-break" && FNR == 1 {
	if ($0 !~ /^[!-~]/ || $0 ~ /^['\\]/)
		fail("the first byte must be visible, and neither ' nor \\")
	printf "#define SITE_BREAK '%s'\n", substr($0, 1, 1)
}
FILENAME == "conf-users" && FNR <= n { text("SITE_USER_" user[FNR], $1); named = FNR }
FILENAME == "conf-groups" && FNR <= 2 { text("SITE_GROUP_" group[FNR], $1) }

END {
	if (failed)
		exit 1
	if (!("conf-split" in seen))
		print "#define SITE_SPLIT 23"
	if (!("conf-patrn" in seen))
		print "#define SITE_PATRN 002"
	if (!("conf-break" in seen))
		print "#define SITE_BREAK '-'"
	# The last one came later than files of older builds.
	for (i = named + 1; (i == n || !("conf-users" in seen)) && i <= n; i++)
		text("SITE_USER_" user[i], user_default[i])
	for (i = 1; !("conf-groups" in seen) && i <= 2; i++)
		text("SITE_GROUP_" group[i], group_default[i])
	print "#endif"
}
