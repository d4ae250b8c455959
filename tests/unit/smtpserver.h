/* smtpserver - a scripted SMTP server in a child process, for unit tests. */
#ifndef SMTPSERVER_H
#define SMTPSERVER_H

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/io.h"

/* A reply is sent after each line received, the first one at once.  `+` in front: together with
 * the next one.  After a 354 the text is read up to the final dot.  Special: */
#define CLOSE "!close"		/* hang up */
#define SILENT "!silent"	/* say nothing until the client goes */
#define EARLY "!early "		/* read some of the text, send what follows, hang up */
#define STOP "!stop"		/* read nothing more until the client goes */
#define ENDLESS "!endless"	/* a reply without end */

static void
log_line(FILE *seen, char *line)
{
	size_t n = strlen(line);

	if (n >= 2 && line[n - 2] == '\r')
		(void)fprintf(seen, "%.*s\n", (int)n - 2, line);
	else
		(void)fprintf(seen, "BAD LINE %s", line);
}

static void
read_text(FILE *in, FILE *seen)
{
	char line[4096];

	while (fgets(line, sizeof line, in)) {
		(void)fputs(line, seen);
		if (strcmp(line, ".\r\n") == 0)
			return;
	}
}

static void
serve_special(const char *reply, FILE *in, FILE *out)
{
	char some[1000];

	if (strcmp(reply, SILENT) == 0)
		while (fgets(some, sizeof some, in))
			;
	if (strcmp(reply, STOP) == 0) {
		struct pollfd gone = { .fd = fileno(out) };

		(void)poll(&gone, 1, -1);	/* no events: only a hang-up wakes it */
	}
	if (strncmp(reply, EARLY, strlen(EARLY)) == 0) {
		if (!fgets(some, sizeof some, in))
			return;
		(void)fputs(reply + strlen(EARLY), out);
		(void)fflush(out);
	}
	while (strcmp(reply, ENDLESS) == 0 && fputs("220-and so on\r\n", out) != EOF)
		;
}

static void
serve(int fd, const char *const *replies, FILE *seen)
{
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	char line[4096];

	for (; *replies; replies++) {
		bool held = **replies == '+';
		const char *reply = *replies + held;

		if (*reply == '!') {
			serve_special(reply, in, out);
			return;
		}
		(void)fputs(reply, out);
		if (!held)
			(void)fflush(out);
		if (strncmp(reply, "354 go", 6) == 0)
			read_text(in, seen);
		else if (!replies[1] || !fgets(line, sizeof line, in))
			break;
		else
			log_line(seen, line);
	}
	while (fgets(line, sizeof line, in))	/* QUIT */
		log_line(seen, line);
}

/* *fd: the client's end, which does not block.  seen: gets the lines and the text that arrived. */
static pid_t
start_server(const char *const *replies, FILE *seen, int *fd)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 || io_nonblock(pair[0], true) == -1)
		exit(1);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		serve(pair[1], replies, seen);
		(void)fflush(seen);
		_exit(0);
	}
	(void)close(pair[1]);
	*fd = pair[0];
	return pid;
}

#endif
