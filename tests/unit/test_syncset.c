/* syncset - each file has its own result, with threads and without. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
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

int
main(void)
{
	static const size_t sizes[] = { 0, 1, 2, 15, 16, 17, 31, 32, 33, MOST };
	const struct rlimit none = { 0, 0 };
	char dir[] = "/tmp/syncset.XXXXXX";
	struct tap t = { 0 };

	ok(&t, mkdtemp(dir) != NULL, "a directory");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		ok(&t, right(dir, sizes[i], 0) == sizes[i], "%zu files", sizes[i]);
		ok(&t, right(dir, sizes[i], 1) == sizes[i], "%zu files, none is open", sizes[i]);
		ok(&t, right(dir, sizes[i], 7) == sizes[i], "%zu files, some are not", sizes[i]);
	}
	/* Root is not bound by the limit; the directory is removed by its new owner's parent. */
	if (geteuid() == 0)
		ok(&t, chown(dir, NOBODY, NOBODY) == 0 && setuid(NOBODY) == 0, "not as root");
	ok(&t, setrlimit(RLIMIT_NPROC, &none) == 0, "no thread may be started");
	ok(&t, right(dir, MOST, 7) == MOST, "without threads");
	(void)!rmdir(dir);
	return done(&t);
}
