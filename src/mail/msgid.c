/* msgid - Message-IDs that no other message has. */
#include "mail/msgid.h"

#include <string.h>
#include <time.h>

#include "lib/ascii.h"
#include "lib/date.h"
#include "lib/sys.h"

/* Without random numbers the clock must do; together with the process id it still is rare. */
static uint64_t
random_number(void)
{
	struct timespec now = { 0, 0 };
	uint64_t number;

	if (sys_random(&number, sizeof number) == 0)
		return number;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec << 32 ^ (uint64_t)now.tv_nsec;
}

/* Process ids repeat between containers, so they cannot be all there is. */
void
msgid_add(struct buf *to, int64_t time, pid_t pid, struct span host)
{
	uint64_t number = random_number();
	char date[DATE_SIZE];

	buf_addc(to, '<');
	buf_add(to, date, date_compact(date, time));
	buf_addc(to, '.');
	buf_addnum(to, (uint64_t)pid);
	buf_addc(to, '.');
	for (int shift = 60; shift >= 0; shift -= 4)
		buf_addc(to, "0123456789abcdef"[number >> shift & 15]);
	buf_adds(to, ".qmail@");
	buf_addspan(to, host);
	buf_addc(to, '>');
}

bool
msgid_is_host(struct span host)
{
	for (size_t i = 0; i < host.n; i++)
		if (ascii_iscntrl(host.p[i]) || strchr(" <>", host.p[i]))
			return false;
	return true;
}
