/* scratch - a directory of a test's own: made and entered at the start, removed at the end. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io.h"

struct scratch {
	char dir[64];
};

static inline void
scratch_enter(struct scratch *s)
{
	strcpy(s->dir, "/tmp/unit.XXXXXX");
	if (!mkdtemp(s->dir) || chdir(s->dir) == -1)
		abort();
}

/* The same, with an empty control/ in it. */
static inline void
scratch_enter_home(struct scratch *s)
{
	scratch_enter(s);
	if (mkdir("control", 0755) == -1)
		abort();
}

static inline void
scratch_remove_in(int at)
{
	DIR *d = fdopendir(at);
	const struct dirent *e;

	if (!d)
		abort();
	while ((e = readdir(d))) {
		int sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub == -1)
			abort();
		scratch_remove_in(sub);
		if (unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) == -1)
			abort();
	}
	closedir(d);
}

static inline void
scratch_leave(const struct scratch *s)
{
	int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		abort();
	scratch_remove_in(fd);
	if (chdir("/") == -1 || rmdir(s->dir) == -1)
		abort();
}

/* A new file (an old one is replaced) with this text; returns it open for reading and writing, at
 * its start. */
static inline int
scratch_file(const char *path, const char *text)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || io_write_all(fd, text, strlen(text)) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		abort();
	return fd;
}

#endif
