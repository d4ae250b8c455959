/* queuedir - an empty queue directory of our own, as the working directory of a test. */
#ifndef QUEUEDIR_H
#define QUEUEDIR_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"

static inline void
queuedir_die(const char *what)
{
	perror(what);
	exit(111);
}

static inline void
queuedir_split(const char *name)
{
	char path[64];

	for (int i = 0; i < QUEUE_SPLIT; i++) {
		(void)snprintf(path, sizeof path, "%s/%d", name, i);
		if (mkdir(path, 0700) == -1)
			queuedir_die(path);
	}
}

/* Makes it and enters it. */
static inline void
queuedir_enter(char *top, bool big_todo)
{
	static const char *const flat[] = { "pid", "intd", "todo", "bounce", "lock", "mess", "info",
		"local", "remote" };

	/* On tmpfs nobody else takes the inode numbers that a test expects to get. */
	(void)snprintf(top, 64, "%s/queuedir.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(top) || chdir(top) == -1)
		queuedir_die(top);
	for (size_t i = 0; i < sizeof flat / sizeof *flat; i++)
		if (mkdir(flat[i], 0700) == -1)
			queuedir_die(flat[i]);
	for (size_t i = 5; i < sizeof flat / sizeof *flat; i++)
		queuedir_split(flat[i]);
	if (big_todo) {
		queuedir_split("todo");
		queuedir_split("intd");
	}
	if (mkfifo("lock/trigger", 0600) == -1)
		queuedir_die("mkfifo");
}

static inline void
queuedir_leave(const char *top)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s", top);
	if (chdir("/") == -1 || system(command) != 0)
		queuedir_die(top);
}

static inline void
queuedir_put(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || io_write_all(fd, bytes, n) == -1 || close(fd) == -1)
		queuedir_die(path);
}

static inline bool
queuedir_has(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* How many entries a directory and its subdirectories have, besides directories. */
static inline int
queuedir_count(const char *dir)
{
	char command[128];
	int n = -1;
	FILE *p;

	(void)snprintf(command, sizeof command, "find %s ! -type d | wc -l", dir);
	if (!(p = popen(command, "r")) || fscanf(p, "%d", &n) != 1 || pclose(p) == -1)
		queuedir_die(command);
	return n;
}

/* The file as a descriptor for reading. */
static inline int
queuedir_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		queuedir_die(path);
	return fd;
}

#endif
