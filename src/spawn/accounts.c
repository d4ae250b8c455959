/* accounts - asks a qmail-getpw that stays, where it can. */
#include "spawn/accounts.h"

#include <string.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "queue/accountproto.h"

#define SECOND_MS 1000

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

static bool
has_waited_enough(struct accounts *a, int64_t now)
{
	if (now - a->second >= SECOND_MS) {
		a->second = now;
		a->waited_ms = 0;
	}
	return a->waited_ms >= ACCOUNTS_SHARE_MS;
}

bool
accounts_ask(struct accounts *a, const char *local, struct buf *answer, int *code)
{
	const int64_t begun = deadline_now();
	int64_t took_ms;
	bool answered;

	if (strlen(local) > ACCOUNTPROTO_LOCAL_MAX || has_waited_enough(a, begun) ||
	    !resident_ready(&a->getpw))
		return false;
	answered = exchange(a->getpw.fd, local, answer, code);
	if ((took_ms = deadline_now() - begun) >= ACCOUNTS_SLOW_MS)
		a->waited_ms += took_ms;
	if (answered)
		resident_answered(&a->getpw);
	else
		resident_leave(&a->getpw);
	return answered;
}

void
accounts_reaped(struct accounts *a, pid_t pid)
{
	const enum resident_state state = a->getpw.state;

	if ((state == RESIDENT_STARTED || state == RESIDENT_READY) && a->getpw.pid == pid)
		resident_leave(&a->getpw);
}
