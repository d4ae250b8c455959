/* spare - one descriptor kept for the moment when there is no other. */
#include "send/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void
spare_claim(struct spare *s)
{
	if (s->fd == -1)
		s->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool
spare_yield(struct spare *s)
{
	if ((errno != EMFILE && errno != ENFILE) || s->fd == -1)
		return false;
	(void)close(s->fd);
	s->fd = -1;
	return true;
}
