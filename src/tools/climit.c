/* climit - how many connections an address has, counted by locks. */
#include "tools/climit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/siphash.h"
#include "lib/sys.h"

#define FILE_NAME "locks"
#define PATH_SIZE 4096
#define SLOT_BITS 16
#define KIND_SHIFT 60
#define IPV6_BIT ((uint64_t)1 << 59)
#define HASH_MASK ((((uint64_t)1 << 59) - 1) & ~(((uint64_t)1 << SLOT_BITS) - 1))
#define BIRTH ((off_t)3 << KIND_SHIFT)	/* locked by who writes the key */
/* Out of the way of programs that expect something at a low number, like checkers at 3. */
#define HIGH_FD 60

static int
lock(int fd, int command, short type, off_t at)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
	int r;

	do
		r = fcntl(fd, command, &l);
	while (r == -1 && errno == EINTR);
	return r;
}

/* The key of the file, which we write if we are the first. */
static int
read_key(struct climit *c)
{
	size_t n = 0;
	ssize_t r;

	while (n < CLIMIT_KEY && (r = io_read(c->fd, c->key + n, CLIMIT_KEY - n)) > 0)
		n += (size_t)r;
	return n == CLIMIT_KEY;
}

static int
find_key(struct climit *c)
{
	int rc = -1;

	if (read_key(c))
		return 0;
	if (lock(c->fd, F_SETLKW, F_WRLCK, BIRTH) == -1 || lseek(c->fd, 0, SEEK_SET) == -1)
		return -1;
	if (read_key(c))
		rc = 0;
	else if (ftruncate(c->fd, 0) == 0 && lseek(c->fd, 0, SEEK_SET) == 0 &&
	    sys_random(c->key, sizeof c->key) == 0)
		rc = io_write_all(c->fd, c->key, sizeof c->key);
	if (lock(c->fd, F_SETLK, F_UNLCK, BIRTH) == -1)
		rc = -1;
	return rc;
}

int
climit_open(struct climit *c, const char *directory)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof path, "%s/" FILE_NAME, directory), fd;

	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	/* Before there is a lock: closing any descriptor of the file loses them all. */
	c->fd = fcntl(fd, F_DUPFD, HIGH_FD);
	if (c->fd == -1)
		c->fd = fd;
	else
		(void)close(fd);
	return find_key(c);
}

static uint64_t
network(enum climit_kind kind, const struct ip *ip)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 4; i++)
		v = v << 8 | ip->bytes[i];
	return kind == CLIMIT_NETWORK ? v & ~(uint64_t)255 : v;
}

int64_t
climit_place(const struct climit *c, enum climit_kind kind, const struct ip *ip)
{
	uint64_t place = (uint64_t)kind << KIND_SHIFT;

	if (ip->family == IP_V4)
		place |= network(kind, ip) << SLOT_BITS;
	else
		place |= IPV6_BIT | (siphash(c->key, ip->bytes, kind == CLIMIT_NETWORK ? 6 : 8) &
		    HASH_MASK);
	return (int64_t)place;
}

enum climit_status
climit_take(const struct climit *c, enum climit_kind kind, const struct ip *ip, unsigned limit)
{
	off_t first = climit_place(c, kind, ip);

	for (unsigned i = 0; i < limit && i < CLIMIT_CONNECTIONS_MAX; i++) {
		if (lock(c->fd, F_SETLK, F_WRLCK, first + (off_t)i) == 0)
			return CLIMIT_TAKEN;
		if (errno != EAGAIN && errno != EACCES)
			return CLIMIT_FAILED;
	}
	return CLIMIT_FULL;
}
