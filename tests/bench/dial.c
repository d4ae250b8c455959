/* dial - SMTP connections that send nothing.
 *	dial HOST COUNT PARALLEL [TLS]	connect, EHLO, QUIT; prints the seconds it took, and how
 *					many of the sessions were resumed
 *	dial HOST COUNT hold [TLS]	COUNT connections at once, each after its last EHLO; prints
 *					a line when all are there, and ends with its standard input
 * TLS: 1.2 or 1.3, and STARTTLS, a handshake and another EHLO come after the first; with a `+`, as
 * 1.3+, each connection resumes the session of the one before if the server lets it.  No
 * certificate is verified. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

struct caller {
	struct sockaddr_in server;
	SSL_CTX *ctx;		/* NULL: no TLS */
	int resumes;
	SSL_SESSION *session;	/* the last one that the server gave */
	long reused;
};

struct line {
	int fd;
	SSL *ssl;		/* NULL: in clear */
};

static void
die(const char *why)
{
	fprintf(stderr, "dial: %s\n", why);
	exit(1);
}

/* ---- talk ---- */

/* Reads one reply, which must begin with this digit. */
static void
expect(const struct line *l, char first)
{
	char in[4096];
	size_t n = 0, line = 0;
	ssize_t r;

	for (;;) {
		r = l->ssl ? SSL_read(l->ssl, in + n, (int)(sizeof in - n)) :
		    read(l->fd, in + n, sizeof in - n);
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
say(const struct line *l, const char *text)
{
	size_t n = strlen(text);
	ssize_t r = l->ssl ? SSL_write(l->ssl, text, (int)n) : write(l->fd, text, n);

	if (r != (ssize_t)n)
		die("connection lost");
}

static void
encrypt(struct line *l, struct caller *c)
{
	say(l, "STARTTLS\r\n");
	expect(l, '2');
	l->ssl = SSL_new(c->ctx);
	if (l->ssl == NULL || SSL_set_fd(l->ssl, l->fd) != 1)
		die("out of memory");
	(void)SSL_set_app_data(l->ssl, c);
	if (c->resumes && c->session != NULL)
		(void)SSL_set_session(l->ssl, c->session);
	if (SSL_connect(l->ssl) != 1)
		die("handshake failed");
	c->reused += SSL_session_reused(l->ssl);
	say(l, "EHLO load.test\r\n");
	expect(l, '2');
}

static struct line
dial(struct caller *c)
{
	const int on = 1;
	struct line l = { socket(AF_INET, SOCK_STREAM, 0), NULL };

	if (l.fd == -1 || connect(l.fd, (struct sockaddr *)&c->server, sizeof c->server) == -1) {
		perror("dial");
		exit(1);
	}
	(void)setsockopt(l.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	expect(&l, '2');
	say(&l, "EHLO load.test\r\n");
	expect(&l, '2');
	if (c->ctx != NULL)
		encrypt(&l, c);
	return l;
}

static void
hang_up(struct line l)
{
	say(&l, "QUIT\r\n");
	expect(&l, '2');
	if (l.ssl != NULL)
		(void)SSL_shutdown(l.ssl);
	SSL_free(l.ssl);
	close(l.fd);
}

/* ---- TLS ---- */

/* The server has sent a ticket, or the handshake of TLS 1.2 is over. */
static int
keep(SSL *ssl, SSL_SESSION *session)
{
	struct caller *c = SSL_get_app_data(ssl);

	SSL_SESSION_free(c->session);
	c->session = session;
	return 1;
}

static void
use_tls(struct caller *c, const char *how)
{
	int version = strncmp(how, "1.2", 3) == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;

	c->resumes = strchr(how, '+') != NULL;
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (c->ctx == NULL || SSL_CTX_set_min_proto_version(c->ctx, version) != 1 ||
	    SSL_CTX_set_max_proto_version(c->ctx, version) != 1)
		die("no TLS");
	SSL_CTX_set_session_cache_mode(c->ctx,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(c->ctx, keep);
}

/* ---- runs ---- */

static int
hold(struct caller *c, int count)
{
	char byte;

	while (count-- > 0)
		(void)dial(c);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	return read(0, &byte, 1) == 0 ? 0 : 1;
}

/* `count` connections, one after the other; how many were resumed. */
static long
repeat(struct caller *c, int count)
{
	while (count-- > 0)
		hang_up(dial(c));
	return c->reused;
}

static int
run(struct caller *c, int count, int parallel)
{
	const size_t size = (size_t)parallel * sizeof(long);
	long *reused = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec began, ended;
	int status, bad = 0;
	long sum = 0;

	if (reused == MAP_FAILED)
		die("out of memory");
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (int i = 0; i < parallel; i++) {
		if (fork() != 0)
			continue;
		reused[i] = repeat(c, count / parallel);
		_exit(0);
	}
	while (wait(&status) != -1)
		bad |= status;
	clock_gettime(CLOCK_MONOTONIC, &ended);
	for (int i = 0; i < parallel; i++)
		sum += reused[i];
	printf("%.6f %ld\n", (double)(ended.tv_sec - began.tv_sec) +
	    (double)(ended.tv_nsec - began.tv_nsec) / 1e9, sum);
	return bad != 0;
}

int
main(int argc, char **argv)
{
	struct caller c = { .server = { .sin_family = AF_INET, .sin_port = htons(25) } };
	int count;

	if (argc < 4 || argc > 5 || inet_pton(AF_INET, argv[1], &c.server.sin_addr) != 1)
		return 100;
	count = atoi(argv[2]);
	if (argc == 5)
		use_tls(&c, argv[4]);
	if (strcmp(argv[3], "hold") == 0)
		return hold(&c, count);
	return run(&c, count, atoi(argv[3]));
}
