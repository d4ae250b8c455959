/* maildir - mailboxes of one file per message (maildir(5)): delivering and listing. */
#ifndef MAIL_MAILDIR_H
#define MAIL_MAILDIR_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define MAILDIR_NAME_MAX ((size_t)200)		/* bytes of a name we make */
#define MAILDIR_TIMEOUT_MS ((int64_t)86400 * 1000)	/* one delivery */
#define MAILDIR_STALE_S 129600			/* untouched so long, a file in tmp/ is rubbish */
#define MAILDIR_MAX_MESSAGES ((size_t)1000000)	/* that a listing shows */

/* Appends a name nobody else uses: `SEC.M<usec>P<pid>Q<n>.<host>`; host: this machine's name, at
 * most 64 bytes, with / and : and what is not visible written \057, \072, ...; `localhost` if
 * empty.  n counts the caller's attempts.  At most MAILDIR_NAME_MAX bytes. */
void maildir_add_name(struct buf *to, unsigned n);
/* The same for a given host; what maildir_add_name is made of. */
void maildir_add_name_of(struct buf *to, unsigned n, struct span host);

enum maildir_status {
	MAILDIR_OK,
	MAILDIR_NODIR,		/* the directory is not there (or not permitted) */
	MAILDIR_READ,		/* the message could not be read */
	MAILDIR_TIMEOUT,	/* it took longer than MAILDIR_TIMEOUT_MS */
	MAILDIR_TEMPORARY	/* anything else; errno */
};

/* Delivers head followed by the rest of descriptor fd into the Maildir dir (relative to the
 * current directory; "" is that directory itself): tmp/ file (0644 less the umask), fsync or what
 * journal_settle does instead, link into new/, fsops_sync_entry, unlink of tmp/.  Only MAILDIR_OK
 * means that the message is on disk; on every other result no file is left.  No process is
 * started, no signal used. */
MUST_CHECK enum maildir_status maildir_deliver(const char *dir, int fd, struct span head);

struct maildir_message {
	char *path;		/* `new/NAME` or `cur/NAME`, malloc'd */
	int64_t mtime;
	off_t size;		/* as stored */
	bool is_link;		/* to a file elsewhere, as bulletins may be */
};

struct maildir_list {
	struct maildir_message *messages;
	size_t n, size;
};

/* Lists new/ and cur/ of the current directory: regular files, or links to such, whose name does
 * not begin with a dot, sorted by time, then name; those whose mtime is not before `now` are left
 * for later, as is what exceeds MAILDIR_MAX_MESSAGES.  -1 with errno if a directory cannot be read
 * or memory is out; the list is to be freed all the same. */
MUST_CHECK int maildir_scan(struct maildir_list *list, int64_t now);
/* The same for new/ alone. */
MUST_CHECK int maildir_scan_new(struct maildir_list *list, int64_t now);
void maildir_list_free(struct maildir_list *list);
/* Takes the message at index i off the list; the order of the others stays. */
void maildir_list_drop(struct maildir_list *list, size_t i);
/* Removes files in tmp/ of the current directory that were neither read nor written for
 * MAILDIR_STALE_S.  Trouble is ignored: the next one will try again. */
void maildir_clean_tmp(int64_t now);

#endif
