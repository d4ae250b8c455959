/* overlimit - how many recipients a user or client may have in a day, and how many it has had. */
#include "smtp/overlimit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/lock.h"
#include "lib/num.h"
#include "lib/sys.h"

#define DAY_S 86400
#define PATH_SIZE 256
#define DEFAULT ":default"
#define IPV6_NETWORK 64		/* bits: what one customer has */

/* ---- who may have how many ---- */

static bool
is_same_client(const struct ip *ip, struct span text)
{
	struct ip other;

	return ip_parse(text, &other) && (ip_equal(ip, &other) || (ip->family == IP_V6 &&
	    ip_same_network(ip, &other, IPV6_NETWORK)));
}

static bool
is_about(const struct overlimit_client *c, struct span name)
{
	if (c->user.n)
		return ascii_ieq(name, c->user);
	return c->ip.family != IP_NONE && is_same_client(&c->ip, name);
}

static bool
is_default(struct span name)
{
	return !name.n || ascii_ieq(name, span_str(DEFAULT));
}

enum overlimit_rule
overlimit_find(const struct buf *text, const struct overlimit_client *c, uint64_t *limit,
    size_t *line)
{
	struct span entry, found = { 0 };
	size_t pos = 0, number = 0;
	bool own = false;

	*line = 0;
	while (!own && ctl_next_line(text, &pos, &number, &entry)) {
		size_t colon = span_rchr(entry, ':');
		struct span name = ascii_trim(span_head(entry, colon));

		own = is_about(c, name);
		if (!own && (*line || !c->relays || !is_default(name)))
			continue;
		found = ascii_trim(span_tail(entry, colon + 1));
		*line = number;
	}
	if (!*line)
		return OVERLIMIT_UNLIMITED;
	if (num_parse_u64(found.p, found.n, UINT64_MAX, limit) != NUM_OK)
		return OVERLIMIT_MALFORMED;
	return *limit ? OVERLIMIT_LIMITED : OVERLIMIT_UNLIMITED;
}

/* ---- the counts ---- */

struct slot {
	uint64_t who;		/* 0: nobody's */
	uint64_t count;
};

struct day {
	int fd;
	unsigned char key[OVERLIMIT_KEY];
};

/* Those of days long gone, and those that a wrong clock has made.  What cannot be removed is tried
 * again tomorrow. */
static void
remove_others(const char *directory, uint64_t today)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	char path[PATH_SIZE];
	uint64_t day;
	int n;

	while (dir && (entry = readdir(dir))) {
		struct span name = span_str(entry->d_name);

		if (num_parse_u64(name.p, name.n, INT64_MAX, &day) != NUM_OK ||
		    (day + 1 >= today && day <= today + 1))
			continue;
		n = snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		if (n > 0 && (size_t)n < sizeof path)
			(void)unlink(path);
	}
	if (dir)
		(void)closedir(dir);
}

/* A key that is not all there is that of a file just made, or of one that a power cut has hit. */
static int
read_key(struct day *d, bool *begun)
{
	static const unsigned char none[OVERLIMIT_KEY];
	ssize_t n = io_pread(d->fd, d->key, sizeof d->key, 0);

	if (n == -1)		/* what is in it may be good */
		return -1;
	if (n == (ssize_t)sizeof d->key && memcmp(d->key, none, sizeof none) != 0)
		return 0;
	*begun = true;
	return ftruncate(d->fd, 0) == -1 || sys_random(d->key, sizeof d->key) == -1 ||
	    lseek(d->fd, 0, SEEK_SET) == -1 ? -1 : io_write_all(d->fd, d->key, sizeof d->key);
}

/* The file of the day, locked. */
static int
open_day(struct day *d, const char *directory, uint64_t today)
{
	char path[PATH_SIZE];
	int n = snprintf(path, sizeof path, "%s/%ju", directory, (uintmax_t)today);
	bool begun = false;
	struct stat st;

	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (stat(directory, &st) == -1)
		return -1;
	if (st.st_mode & S_IWOTH) {	/* anybody could give himself more */
		errno = EPERM;
		return -1;
	}
	if ((d->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) == -1)
		return -1;
	if (lock_until(d->fd, false, deadline_after(OVERLIMIT_LOCK_MS)) == -1 ||
	    read_key(d, &begun) == -1) {
		int error = errno;

		(void)close(d->fd);
		errno = error;
		return -1;
	}
	if (begun)
		remove_others(directory, today);
	return 0;
}

/* Never 0. */
static int
hash_client(const struct day *d, const struct overlimit_client *c, uint64_t *who)
{
	char name[OVERLIMIT_USER_MAX + 1];
	struct ip ip = ip_unmapped(&c->ip);
	size_t n = ip.family == IP_V4 ? 4 : IPV6_NETWORK / 8;

	if (c->user.n > OVERLIMIT_USER_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	name[0] = c->user.n ? 'u' : ip.family == IP_V4 ? '4' : '6';
	if (c->user.n) {
		n = c->user.n;
		memcpy(name + 1, c->user.p, n);
		ascii_lower_n(name + 1, n);
	} else {
		memcpy(name + 1, ip.bytes, n);
	}
	*who = siphash(d->key, name, n + 1);
	*who += *who == 0;
	return 0;
}

static enum overlimit_status
count_in(const struct day *d, uint64_t who, uint64_t limit)
{
	struct slot slots[OVERLIMIT_PROBES] = { 0 };
	off_t at = (off_t)(OVERLIMIT_KEY + who % OVERLIMIT_NAMES_MAX * sizeof *slots);
	size_t i = 0;

	/* What is behind the end of the file is free. */
	if (io_pread(d->fd, slots, sizeof slots, at) == -1)
		return OVERLIMIT_FAILED;
	while (i < OVERLIMIT_PROBES && slots[i].who && slots[i].who != who)
		i++;
	if (i == OVERLIMIT_PROBES)
		return OVERLIMIT_FULL;
	if (slots[i].count >= limit)
		return OVERLIMIT_REACHED;
	slots[i].who = who;
	slots[i].count++;
	at += (off_t)(i * sizeof *slots);
	return lseek(d->fd, at, SEEK_SET) == -1 ||
	    io_write_all(d->fd, &slots[i], sizeof slots[i]) == -1 ? OVERLIMIT_FAILED :
	    OVERLIMIT_COUNTED;
}

enum overlimit_status
overlimit_count(const char *directory, const struct overlimit_client *c, uint64_t limit,
    int64_t now)
{
	uint64_t today = now > 0 ? (uint64_t)(now / DAY_S) : 0, who;
	enum overlimit_status status = OVERLIMIT_FAILED;
	struct day d;
	int error;

	if (open_day(&d, directory, today) == -1)
		return OVERLIMIT_FAILED;
	if (hash_client(&d, c, &who) == 0)
		status = count_in(&d, who, limit);
	error = errno;
	(void)close(d.fd);
	errno = error;
	return status;
}
