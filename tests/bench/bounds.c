/* bounds - what this machine can do at most, with nothing of mail in it.
 *	bounds files DIRECTORY SECONDS PARALLEL [BYTES]	create, write, fsync, fsync the directory
 *	bounds append DIRECTORY SECONDS PARALLEL	write 4 kB and fdatasync, over and over
 *	bounds exec PROGRAM SECONDS PARALLEL		start a program and wait for its end
 * Prints how often in a second, all PARALLEL processes together. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BYTES_MAX = 1 << 24 };

extern char **environ;

struct bound {
	const char *kind, *where;
	size_t bytes;
	int directory, file;
	unsigned long serial;
};

static void
check(int failed, const char *what)
{
	if (!failed)
		return;
	perror(what);
	kill(0, SIGKILL);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
once(struct bound *b, const char *text)
{
	char name[64], *argv[] = { (char *)b->where, NULL };
	pid_t pid;
	int fd;

	if (strcmp(b->kind, "exec") == 0) {
		check(posix_spawn(&pid, b->where, NULL, NULL, argv, environ) != 0, b->where);
		waitpid(pid, NULL, 0);
	} else if (strcmp(b->kind, "append") == 0) {
		check(write(b->file, text, b->bytes) != (ssize_t)b->bytes, "write");
		check(fdatasync(b->file) == -1, "fdatasync");
	} else {
		snprintf(name, sizeof name, "%d.%lu", (int)getpid(), b->serial++);
		fd = openat(b->directory, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		check(fd == -1, name);
		check(write(fd, text, b->bytes) != (ssize_t)b->bytes, "write");
		check(fsync(fd) == -1, "fsync");
		check(fsync(b->directory) == -1, "fsync");
		close(fd);
	}
}

static void
work(struct bound *b, double seconds, uint64_t *count)
{
	char name[64], *text = malloc(BYTES_MAX);
	double end;

	check(text == NULL, "malloc");
	memset(text, 'x', BYTES_MAX);
	if (strcmp(b->kind, "exec") != 0) {
		b->directory = open(b->where, O_RDONLY | O_DIRECTORY);
		check(b->directory == -1, b->where);
		snprintf(name, sizeof name, "append.%d", (int)getpid());
		b->file = openat(b->directory, name, O_WRONLY | O_CREAT, 0600);
		check(b->file == -1, name);
	}
	end = now() + seconds;
	while (now() < end) {
		once(b, text);
		++*count;
	}
}

int
main(int argc, char **argv)
{
	uint64_t *counts, sum = 0;
	struct bound b = { 0 };
	int parallel;
	double began;

	if (argc != 5 && argc != 6) {
		fputs("bounds: usage: bounds KIND WHERE SECONDS PARALLEL [BYTES]\n", stderr);
		return 100;
	}
	b.kind = argv[1];
	b.where = argv[2];
	b.bytes = argc == 6 ? strtoul(argv[5], NULL, 10) : strcmp(b.kind, "append") ? 2000 : 4096;
	parallel = atoi(argv[4]);
	counts = mmap(NULL, sizeof *counts * (size_t)parallel, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(counts == MAP_FAILED || b.bytes > BYTES_MAX, "bounds");
	began = now();
	for (int i = 0; i < parallel; i++) {
		if (fork() != 0)
			continue;
		work(&b, atof(argv[3]), &counts[i]);
		_exit(0);
	}
	while (wait(NULL) != -1)
		;
	for (int i = 0; i < parallel; i++)
		sum += counts[i];
	printf("%.1f\n", (double)sum / (now() - began));
	return 0;
}
