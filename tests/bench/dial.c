/* dial - SMTP connections that send nothing.
 *	dial HOST COUNT PARALLEL	connect, EHLO, QUIT; prints the seconds it took
 *	dial HOST COUNT hold	COUNT connections at once, each after its EHLO; prints a line
 *					when all are there, and ends with its standard input */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Reads one reply, which must begin with this digit. */
static void
expect(int fd, char first)
{
	char in[4096];
	size_t n = 0, line = 0;
	ssize_t r;

	for (;;) {
		r = read(fd, in + n, sizeof in - n);
		if (r <= 0 || in[0] != first) {
			fprintf(stderr, "dial: unexpected reply %.*s\n", (int)n, in);
			exit(1);
		}
		n += (size_t)r;
		for (size_t i = line; i < n; i++) {
			if (in[i] != '\n')
				continue;
			if (in[line + 3] != '-')
				return;
			line = i + 1;
		}
	}
}

static void
say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
}

static int
dial(const char *name)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(25) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, name, &sin.sin_addr);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sin, sizeof sin) == -1) {
		perror("dial");
		exit(1);
	}
	expect(fd, '2');
	say(fd, "EHLO load.test\r\n");
	expect(fd, '2');
	return fd;
}

static int
hold(const char *name, int count)
{
	char c;

	while (count-- > 0)
		dial(name);
	say(1, "ready\n");
	return read(0, &c, 1) == 0 ? 0 : 1;
}

static void
hang_up(int fd)
{
	say(fd, "QUIT\r\n");
	expect(fd, '2');
	close(fd);
}

int
main(int argc, char **argv)
{
	struct timespec began, ended;
	int count, parallel, status, bad = 0;

	if (argc != 4)
		return 100;
	count = atoi(argv[2]);
	if (strcmp(argv[3], "hold") == 0)
		return hold(argv[1], count);
	parallel = atoi(argv[3]);
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < parallel; i++) {
		if (fork() != 0)
			continue;
		for (int n = 0; n < count / parallel; n++)
			hang_up(dial(argv[1]));
		return 0;
	}
	while (wait(&status) != -1)
		bad |= status;
	clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("%.6f\n", (double)(ended.tv_sec - began.tv_sec) +
	    (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
	return bad != 0;
}
