/* maildir - mailboxes of one file per message (maildir(5)): delivering and listing. */
#ifndef MAIL_MAILDIR_H
#define MAIL_MAILDIR_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

/* Appends a name nobody else uses: `SEC.M<usec>P<pid>Q<n>.<host>`; host: this machine's name with
 * / and : written \057 and \072, at most 64 bytes, `localhost` if empty.  n counts the caller's
 * attempts.  At most 200 bytes. */
void maildir_add_name(struct buf *to, unsigned n);

enum maildir_status {
	MAILDIR_OK,
	MAILDIR_NODIR,		/* the directory is not there (or not permitted) */
	MAILDIR_READ,		/* the message could not be read */
	MAILDIR_TEMPORARY	/* anything else; errno */
};

/* Delivers head followed by the rest of descriptor fd into the Maildir that is the current
 * directory: tmp/ file, fsync, link into new/, fsync of new/, unlink of tmp/.  Only MAILDIR_OK
 * means that the message is on disk; on every other result no file is left. 
 */
MUST_CHECK enum maildir_status maildir_deliver(int fd, struct span head);

struct maildir_message {
	char *path;		/* `new/NAME` or `cur/NAME`, malloc'd */
	int64_t mtime;
	off_t size;		/* as stored */
};

struct maildir_list {
	struct maildir_message *messages;
	size_t n, size;
};

/* Lists new/ and cur/ of the current directory: regular files whose name does not begin with a
 * dot, sorted by time, then name; those whose mtime is the current second are left for later.
 * -1 with errno if a directory cannot be read. */
MUST_CHECK int maildir_scan(struct maildir_list *list, int64_t now);
void maildir_list_free(struct maildir_list *list);
/* Removes files in tmp/ that were not touched for 36 hours. */
void maildir_clean_tmp(int64_t now);

#endif
