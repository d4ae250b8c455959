/* syncset - each file has its own result, with threads and without. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/syncset.h"
#include "tap.h"

#define MOST 100
#define NOBODY 65534

/* n files, of which every every_bad-th (0: none) is not open: how many have the right result. */
static size_t
right(const char *dir, size_t n, size_t every_bad)
{
	struct syncset_item items[MOST];
	size_t good = 0, bad = 0;
	char path[64];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "%s/%zu", dir, i);
		items[i].fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		items[i].error = -1;
		if (items[i].fd == -1 || write(items[i].fd, "x", 1) != 1 || unlink(path) == -1)
			return MOST + 1;
	}
	for (size_t i = 0; every_bad && i < n; i += every_bad, bad++)
		(void)close(items[i].fd);
	if (syncset_run(items, n) != bad)
		return MOST + 2;
	for (size_t i = 0; i < n; i++) {
		int want = every_bad && i % every_bad == 0 ? EBADF : 0;

		good += items[i].error == want;
		if (want == 0)
			(void)close(items[i].fd);
	}
	return good;
}

/* The same where no thread may be started; root is not bound by that limit.  In a process of its
 * own, because what a sanitizer does at the end of one needs threads, too. */
static size_t
without_threads(const char *dir)
{
	const struct rlimit none = { 0, 0 };
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if ((geteuid() == 0 && setuid(NOBODY) == -1) ||
		    setrlimit(RLIMIT_NPROC, &none) == -1)
			_exit(MOST + 1);
		_exit((int)right(dir, MOST, 7));
	}
	return pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	    (size_t)WEXITSTATUS(status) : 0;
}

int
main(void)
{
	static const size_t sizes[] = { 0, 1, 2, 15, 16, 17, 31, 32, 33, MOST };
	char dir[] = "/tmp/syncset.XXXXXX";
	struct tap t = { 0 };

	ok(&t, mkdtemp(dir) != NULL, "a directory");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		ok(&t, right(dir, sizes[i], 0) == sizes[i], "%zu files", sizes[i]);
		ok(&t, right(dir, sizes[i], 1) == sizes[i], "%zu files, none is open", sizes[i]);
		ok(&t, right(dir, sizes[i], 7) == sizes[i], "%zu files, some are not", sizes[i]);
	}
	ok(&t, chmod(dir, 0777) == 0, "a directory for everybody");
	ok(&t, without_threads(dir) == MOST, "without threads");
	(void)!rmdir(dir);
	return done(&t);
}
