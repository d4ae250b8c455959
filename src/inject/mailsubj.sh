#!/bin/sh
# mailsubj - send standard input, under a subject.
# Usage: mailsubj SUBJECT RECIPIENT...     Run by: users and their scripts.
# Exit: that of qmail-inject; 100 called wrongly.
if [ $# -lt 2 ]; then
	echo 'mailsubj: usage: mailsubj subject recip ...' >&2
	exit 100
fi
# one_line TEXT: line ends would begin fields of their own, or end the header.
one_line() {
	printf '%s' "$1" | tr '\r\n' '  '
}
subject=$(one_line "$1")
shift
recipients=$(one_line "$*")
{
	printf 'Subject: %s\nTo: %s\n\n' "$subject" "$recipients"
	cat
} | @HOME@/bin/qmail-inject
