/* mailbox - the messages of a maildir as POP3 numbers them: the list stays the same during a
 * session, messages are marked, and the maildir changes only at the end. */
#ifndef POP3_MAILBOX_H
#define POP3_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/io.h"
#include "mail/maildir.h"

#define MAILBOX_UIDL_MAX ((size_t)70)	/* RFC 1939, 7 */

struct mailbox_mark {
	uint64_t octets;	/* as sent, if known */
	bool octets_known;
	bool deleted;
};

struct mailbox {
	struct maildir_list list;
	struct mailbox_mark *marks;	/* one for each of the list */
	size_t last;			/* highest number that was deleted; 0 = none */
};

/* Lists the maildir that is the current directory.  -1 with errno. */
MUST_CHECK int mailbox_open(struct mailbox *m);
void mailbox_close(struct mailbox *m);

/* Messages are numbered from 0 here, from 1 in POP3.  i must be below m->list.n. */

/* Octets that mailbox_send sends, doubled dots not counted; 0 if the file is gone.  Taken from
 * `,W=` in the file's name, else from reading it, once. */
uint64_t mailbox_octets(struct mailbox *m, size_t i);
/* Appends the unique id: the file name up to its colon if POP3 can have it, else a digest. */
void mailbox_add_uidl(const struct mailbox *m, size_t i, struct buf *to);
/* Opens the message.  -1 with errno. */
MUST_CHECK int mailbox_open_message(const struct mailbox *m, size_t i);
/* Sends the text open at fd without the final dot: all of it, or its header, the empty line and
 * body_lines more.  -1 if it cannot be read; what was sent then is not all. */
MUST_CHECK int mailbox_send(int fd, struct io_out *out, bool all, uint64_t body_lines);

void mailbox_delete(struct mailbox *m, size_t i);
void mailbox_undelete_all(struct mailbox *m);
/* Removes what is deleted and moves the rest from new/ to cur/.  -1: a message is still there that
 * should not be. */
MUST_CHECK int mailbox_update(struct mailbox *m);

#endif
