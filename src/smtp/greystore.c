/* greystore - what greylisting remembers. */
#include "smtp/greystore.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/lock.h"
#include "smtp/greyday.h"

#define DAY_S 86400

struct store {
	struct greyday_dir dir;
	int lock;
	int64_t known;			/* of who asks */
	int64_t today;
	int64_t life, unasked;		/* in the lock file */
};

/* ---- opening ---- */

/* The longest `known` of late, and how many days have begun since it was asked with. */
static void
read_life(struct store *s)
{
	unsigned char text[16];

	s->life = GREYSTORE_KNOWN_S;
	s->unasked = 0;
	if (io_pread(s->lock, text, sizeof text, 0) == (ssize_t)sizeof text) {
		s->life = greyfile_get_number(text);
		s->unasked = greyfile_get_number(text + 8);
	}
}

static void
write_life(struct store *s, int64_t life, int64_t unasked)
{
	unsigned char text[16];

	if (life == s->life && unasked == s->unasked)
		return;
	s->life = life;
	s->unasked = unasked;
	greyfile_put_number(text, life);
	greyfile_put_number(text + 8, unasked);
	if (lseek(s->lock, 0, SEEK_SET) == -1 ||
	    io_write_all(s->lock, text, sizeof text) == -1)
		greyday_note(&s->dir, "lock", GREYSTORE_UNTIDY);
}

/* Days that somebody may ask for, today being one of them. */
static int64_t
days_of(int64_t life)
{
	return life / DAY_S + 2;
}

static int
open_store(struct store *s, const char *dir, int64_t now, const struct greystore_times *t,
    struct greystore_trouble *trouble)
{
	char path[GREYDAY_PATH];

	s->dir = (struct greyday_dir){ .path = dir, .trouble = trouble };
	s->known = t->known;
	s->today = now / DAY_S;
	s->lock = greyday_path(&s->dir, path, "lock") == -1 ? -1 :
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock == -1) {
		greyday_note(&s->dir, "lock", GREYSTORE_STOPS);
		return -1;
	}
	if (lock_until(s->lock, false, deadline_after(GREYSTORE_LOCK_MS)) == -1) {
		greyday_note(&s->dir, "lock", GREYSTORE_STOPS);
		(void)close(s->lock);
		return -1;
	}
	read_life(s);
	if (s->known >= s->life)
		write_life(s, s->known, 0);
	return 0;
}

/* Ends the lock as well. */
static void
close_store(const struct store *s)
{
	(void)close(s->lock);
}

/* ---- records ---- */

/* The latest record of the key.  1: *r; 0: none; -1: what is added today
 * would not be found, and all would wait for ever. */
static int
find(const struct store *s, struct greyfile_record *r)
{
	int64_t oldest = s->today - days_of(s->known) + 1;

	for (int64_t day = s->today; day >= oldest; day--) {
		int found = greyday_find(&s->dir, day, day == s->today, r);

		if (found != 0)
			return found;
	}
	return 0;
}

/* What nobody asks with any more for as long as it was, is forgotten. */
static void
begin_day(struct store *s)
{
	int64_t days;

	if (s->unasked + 1 > days_of(s->life))
		write_life(s, s->known, 0);
	else
		write_life(s, s->life, s->unasked + 1);
	days = days_of(s->life);
	greyday_tidy(&s->dir, s->today, s->today - days + 1, (size_t)days);
}

/* A new day's first record: the days before become databases, or go. */
static int
append(struct store *s, const struct greyfile_record *r)
{
	bool is_new;

	if (greyday_append(&s->dir, s->today, r, &is_new) == -1)
		return -1;
	if (is_new)
		begin_day(s);
	return 0;
}

/* What a record that was found means now; *r becomes the one to remember, if *changed. */
static enum greystore_answer
judge(struct greyfile_record *r, int64_t now, const struct greystore_times *t, bool *changed)
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
    const struct greystore_times *t, struct greystore_trouble *trouble)
{
	struct greyfile_record r = { .first = now };
	enum greystore_answer answer = GREYSTORE_FIRST;
	bool changed = true;
	struct store s;
	int found;

	if (open_store(&s, dir, now, t, trouble) == -1)
		return GREYSTORE_FAILED;
	memcpy(r.key, key, GREYSTORE_KEY);
	found = find(&s, &r);
	if (found == 1)
		answer = judge(&r, now, t, &changed);
	if (found == -1 || (changed && append(&s, &r) == -1))
		answer = GREYSTORE_FAILED;
	close_store(&s);
	return answer;
}

int
greystore_teach(const char *dir, const unsigned char key[GREYSTORE_KEY], int64_t now,
    const struct greystore_times *t, struct greystore_trouble *trouble)
{
	struct greyfile_record r = { .first = now, .passed = now };
	struct store s;
	int rc;

	if (open_store(&s, dir, now, t, trouble) == -1)
		return -1;
	memcpy(r.key, key, GREYSTORE_KEY);
	rc = append(&s, &r);
	close_store(&s);
	return rc;
}
