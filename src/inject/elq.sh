#!/bin/sh
# elq - read mail of a Maildir with elm, which knows mboxes only.
# Usage: elq ARGUMENTS OF elm
# Run by: users, with MAILDIR, MAIL and MAILTMP set: see maildir2mbox.
# Exit: 111 if mail could not be moved, else that of elm.
@HOME@/bin/maildir2mbox && exec elm "$@"
