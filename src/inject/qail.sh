#!/bin/sh
# qail - read mail of a Maildir with Mail, which knows mboxes only.
# Usage: qail ARGUMENTS OF Mail
# Run by: users, with MAILDIR, MAIL and MAILTMP set: see maildir2mbox.
# Exit: 111 if mail could not be moved, else that of Mail.
@HOME@/bin/maildir2mbox && exec Mail "$@"
