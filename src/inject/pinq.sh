#!/bin/sh
# pinq - read mail of a Maildir with pine, which knows mboxes only.
# Usage: pinq ARGUMENTS OF pine
# Run by: users, with MAILDIR, MAIL and MAILTMP set: see maildir2mbox.
# Exit: 111 if mail could not be moved, else that of pine.
@HOME@/bin/maildir2mbox && exec pine "$@"
