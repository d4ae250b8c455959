/* sink - the SMTP server that contenders send to.
 *	sink COUNTERS ADDRESS [defer | MILLISECONDS]
 * Takes everything; with `defer` answers every RCPT with 451, with MILLISECONDS the end of DATA
 * that much later.  One thread.  COUNTERS is a file of four 64-bit numbers that it keeps up to
 * date: recipients of messages that were taken, messages, connections, recipients deferred.
 * (smtp-sink does not count recipients, and without that nobody knows when the last one of a long
 * list has been served.) */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 70000, LINE = 2048, EVENTS = 256 };

struct counters {
	uint64_t recipients, messages, connections, deferred;
};

struct client {
	size_t n;		/* bytes of in[] */
	uint64_t recipients;	/* of this transaction */
	int64_t due;		/* when the end of DATA is answered; 0: not waiting */
	int in_data;
	char in[LINE], tail[5];	/* tail: the last bytes of DATA */
};

struct sink {
	volatile struct counters *counters;
	struct client *clients[CLIENTS];
	int list[CLIENTS];	/* descriptors that wait for their answer, oldest first: a ring */
	unsigned first, waiting;
	int poll, listener, defer;
	int64_t delay;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) == -1 && errno != EPIPE &&
	    errno != ECONNRESET)
		perror("sink: send");
}

static void
hang_up(struct sink *s, int fd)
{
	free(s->clients[fd]);
	s->clients[fd] = NULL;
	close(fd);
}

static void
taken(struct sink *s, int fd, struct client *c)
{
	s->counters->messages++;
	s->counters->recipients += c->recipients;
	c->recipients = 0;
	say(fd, "250 2.0.0 ok\r\n");
}

/* The message is complete. */
static void
end_data(struct sink *s, int fd, struct client *c)
{
	c->in_data = 0;
	if (s->delay == 0) {
		taken(s, fd, c);
		return;
	}
	c->due = now_ms() + s->delay;
	s->list[(s->first + s->waiting++) % CLIENTS] = fd;
}

/* 0: the client has gone. */
static int
command(struct sink *s, int fd, struct client *c, const char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0) {
		say(fd, "250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
	} else if (strncasecmp(line, "RCPT", 4) == 0 && s->defer) {
		s->counters->deferred++;
		say(fd, "451 4.7.1 later\r\n");
	} else if (strncasecmp(line, "RCPT", 4) == 0) {
		c->recipients++;
		say(fd, "250 2.1.5 ok\r\n");
	} else if (strncasecmp(line, "DATA", 4) == 0 && c->recipients == 0) {
		say(fd, "554 5.5.1 no valid recipients\r\n");
	} else if (strncasecmp(line, "DATA", 4) == 0) {
		c->in_data = 1;
		memcpy(c->tail, "xxx\r\n", 5);
		say(fd, "354 go\r\n");
	} else if (strncasecmp(line, "QUIT", 4) == 0) {
		say(fd, "221 2.0.0 bye\r\n");
		hang_up(s, fd);
		return 0;
	} else {
		if (strncasecmp(line, "RSET", 4) == 0 || strncasecmp(line, "MAIL", 4) == 0)
			c->recipients = 0;
		say(fd, "250 2.0.0 ok\r\n");
	}
	return 1;
}

/* Bytes of in[] that belong to the message. */
static size_t
eat_data(struct sink *s, int fd, struct client *c)
{
	for (size_t i = 0; i < c->n; i++) {
		memmove(c->tail, c->tail + 1, 4);
		c->tail[4] = c->in[i];
		if (c->in[i] == '\n' && memcmp(c->tail, "\r\n.\r\n", 5) == 0) {
			end_data(s, fd, c);
			return i + 1;
		}
	}
	return c->n;
}

static int
eat_line(struct sink *s, int fd, struct client *c, size_t *used)
{
	char *end = memchr(c->in, '\n', c->n);

	*used = 0;
	if (end == NULL)
		return 1;
	*end = '\0';
	*used = (size_t)(end - c->in) + 1;
	return command(s, fd, c, c->in);
}

static void
serve(struct sink *s, int fd)
{
	struct client *c = s->clients[fd];
	ssize_t r;
	size_t used = 1;

	if (c == NULL)
		return;
	r = recv(fd, c->in + c->n, sizeof c->in - c->n, 0);
	if (r <= 0) {
		if (r == 0 || errno != EAGAIN)
			hang_up(s, fd);
		return;
	}
	c->n += (size_t)r;
	while (c->n > 0 && used > 0) {
		if (c->in_data)
			used = eat_data(s, fd, c);
		else if (!eat_line(s, fd, c, &used))
			return;
		c->n -= used;
		memmove(c->in, c->in + used, c->n);
	}
	if (c->n == sizeof c->in)
		hang_up(s, fd);
}

static void
welcome(struct sink *s)
{
	struct epoll_event e = { .events = EPOLLIN };
	int one = 1, fd;

	while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		s->clients[fd] = calloc(1, sizeof *s->clients[fd]);
		if (s->clients[fd] == NULL)
			abort();
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		e.data.fd = fd;
		epoll_ctl(s->poll, EPOLL_CTL_ADD, fd, &e);
		s->counters->connections++;
		say(fd, "220 sink.test ESMTP\r\n");
	}
}

/* Answers those whose time has come; milliseconds until the next one, -1 if there is none. */
static int
answer_late(struct sink *s)
{
	while (s->waiting > 0) {
		int fd = s->list[s->first % CLIENTS];
		struct client *c = s->clients[fd];

		if (c != NULL && c->due > now_ms())
			return (int)(c->due - now_ms()) + 1;
		if (c != NULL && c->due != 0) {
			c->due = 0;
			taken(s, fd, c);
		}
		s->first = (s->first + 1) % CLIENTS;
		s->waiting--;
	}
	return -1;
}

static void
open_all(struct sink *s, const char *counters, const char *address)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(25) };
	struct rlimit limit = { CLIENTS - 1, CLIENTS - 1 };
	struct epoll_event e = { .events = EPOLLIN };
	int one = 1, fd = open(counters, O_RDWR | O_CREAT | O_TRUNC, 0600);

	setrlimit(RLIMIT_NOFILE, &limit);
	s->poll = epoll_create1(0);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	inet_pton(AF_INET, address, &sin.sin_addr);
	e.data.fd = s->listener;
	if (fd == -1 || ftruncate(fd, sizeof *s->counters) == -1 ||
	    bind(s->listener, (struct sockaddr *)&sin, sizeof sin) == -1 ||
	    listen(s->listener, 4096) == -1 ||
	    epoll_ctl(s->poll, EPOLL_CTL_ADD, s->listener, &e) == -1) {
		perror("sink");
		exit(111);
	}
	s->counters = mmap(NULL, sizeof *s->counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

int
main(int argc, char **argv)
{
	static struct sink s;
	struct epoll_event events[EVENTS];

	if (argc != 3 && argc != 4) {
		fputs("sink: usage: sink COUNTERS ADDRESS [defer | MILLISECONDS]\n", stderr);
		return 100;
	}
	s.defer = argc == 4 && strcmp(argv[3], "defer") == 0;
	s.delay = argc == 4 && !s.defer ? atoi(argv[3]) : 0;
	open_all(&s, argv[1], argv[2]);
	for (;;) {
		int n = epoll_wait(s.poll, events, EVENTS, answer_late(&s));

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == s.listener)
				welcome(&s);
			else
				serve(&s, events[i].data.fd);
		}
	}
}
