/* accounts - asks a qmail-getpw that stays, where it can. */
#include "spawn/accounts.h"

#include <string.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "queue/accountproto.h"

static bool
exchange(int fd, const char *local, struct buf *answer, int *code)
{
	size_t length = strlen(local);
	ssize_t n;

	buf_reset(answer);
	answer->max = ACCOUNTPROTO_ANSWER_MAX + 1;
	if (!buf_room(answer, ACCOUNTPROTO_ANSWER_MAX + 1) ||
	    io_write(fd, local, length) != (ssize_t)length ||
	    io_wait_readable(fd, deadline_after(ACCOUNTS_ANSWER_MS)) != IO_OK)
		return false;
	n = io_read(fd, answer->p, ACCOUNTPROTO_ANSWER_MAX + 1);
	if (n <= 0)
		return false;
	*code = (unsigned char)answer->p[0];
	memmove(answer->p, answer->p + 1, (size_t)n - 1);
	answer->n = (size_t)n - 1;
	return true;
}

bool
accounts_ask(struct resident *getpw, const char *local, struct buf *answer, int *code)
{
	if (strlen(local) > ACCOUNTPROTO_LOCAL_MAX || !resident_ready(getpw))
		return false;
	if (exchange(getpw->fd, local, answer, code)) {
		resident_answered(getpw);
		return true;
	}
	resident_leave(getpw);
	return false;
}
