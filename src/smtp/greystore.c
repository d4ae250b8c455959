/* greystore - what greylisting remembers. */
#include "smtp/greystore.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/sys.h"
#include "smtp/greyday.h"

#define DAY_S 86400
#define LOCK_POLL_MS 10

struct store {
	struct greyday_dir dir;
	int lock;
	int64_t today, oldest;		/* days */
};

/* ---- opening ---- */

static int
take_lock(int fd)
{
	int64_t deadline = deadline_after(GREYSTORE_LOCK_MS);

	while (sys_flock_try(fd) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (deadline_now() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(NULL, 0, LOCK_POLL_MS);
	}
	return 0;
}

static int
open_store(struct store *s, const char *dir, int64_t now, const struct greystore_times *t)
{
	char path[GREYDAY_PATH];
	int error;

	s->dir.path = dir;
	s->today = now / DAY_S;
	s->oldest = s->today - t->known / DAY_S - 1;
	if (greyday_path(&s->dir, path, "lock") == -1)
		return -1;
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock == -1)
		return -1;
	if (take_lock(s->lock) == 0)
		return 0;
	error = errno;
	(void)close(s->lock);
	errno = error;
	return -1;
}

/* Ends the lock as well. */
static void
close_store(struct store *s)
{
	int error = errno;

	(void)close(s->lock);
	errno = error;
}

/* ---- records ---- */

/* The latest record of the key.  1: found, 0: there is none, -1: errno. */
static int
find(const struct store *s, struct greyday_record *r)
{
	for (int64_t day = s->today; day >= s->oldest; day--) {
		int found = greyday_find(&s->dir, day, r);

		if (found != 0)
			return found;
	}
	return 0;
}

/* A new day's first record: the days before become databases, or go. */
static int
append(const struct store *s, const struct greyday_record *r)
{
	bool is_new;

	if (greyday_append(&s->dir, s->today, r, &is_new) == -1)
		return -1;
	return is_new ? greyday_tidy(&s->dir, s->today, s->oldest) : 0;
}

/* What a record that was found means now; *r becomes the one to remember, if *changed. */
static enum greystore_answer
judge(struct greyday_record *r, int64_t now, const struct greystore_times *t, bool *changed)
{
	int64_t age = now - r->first;

	*changed = true;
	if (r->passed && now >= r->passed && now - r->passed <= t->known) {
		*changed = r->passed / DAY_S != now / DAY_S;
		r->passed = now;
		return GREYSTORE_KNOWN;
	}
	if (!r->passed && age >= 0 && age < t->wait) {
		*changed = false;
		return GREYSTORE_EARLY;
	}
	if (!r->passed && age >= 0 && age <= t->retry) {
		r->passed = now;
		return GREYSTORE_KNOWN;
	}
	r->first = now;		/* too late, or a clock that was wrong */
	r->passed = 0;
	return GREYSTORE_FIRST;
}

enum greystore_answer
greystore_ask(const char *dir, const unsigned char key[GREYSTORE_KEY], int64_t now,
    const struct greystore_times *t)
{
	struct greyday_record r = { .first = now };
	enum greystore_answer answer = GREYSTORE_FAILED;
	bool changed = true;
	struct store s;
	int found;

	if (open_store(&s, dir, now, t) == -1)
		return GREYSTORE_FAILED;
	memcpy(r.key, key, GREYSTORE_KEY);
	found = find(&s, &r);
	if (found != -1)
		answer = found ? judge(&r, now, t, &changed) : GREYSTORE_FIRST;
	if (found != -1 && changed && append(&s, &r) == -1)
		answer = GREYSTORE_FAILED;
	close_store(&s);
	return answer;
}

int
greystore_teach(const char *dir, const unsigned char key[GREYSTORE_KEY], int64_t now,
    const struct greystore_times *t)
{
	struct greyday_record r = { .first = now, .passed = now };
	struct store s;
	int rc;

	if (open_store(&s, dir, now, t) == -1)
		return -1;
	memcpy(r.key, key, GREYSTORE_KEY);
	rc = append(&s, &r);
	close_store(&s);
	return rc;
}
