#!/bin/sh
# datemail - sendmail for programs that leave out the Date field: it is put in, in local time.
# Usage: datemail ARGUMENTS OF SENDMAIL     Run by: users and their programs.
# Exit: that of sendmail; 111 if it cannot be run.
exec @HOME@/bin/predate @HOME@/bin/sendmail "$@"
