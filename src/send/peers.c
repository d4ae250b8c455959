/* peers - the descriptors that qmail-start gave us. */
#include "send/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io.h"

int
peers_take(int *peers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		peers[i] = fcntl((int)i, F_DUPFD_CLOEXEC, (int)n);
		if (peers[i] == -1 && errno != EBADF)
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		(void)close((int)i);
	return io_open_standard();
}

bool
peers_is_pipe(int fd)
{
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

void
peers_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);	/* fewer descriptors only mean smaller batches */
}
