/* filemark - has a file changed since it was looked at? */
#include "lib/filemark.h"

#include <sys/stat.h>

#include "lib/date.h"

void
filemark_take(struct filemark *m, const char *path)
{
	struct stat st;

	*m = (struct filemark){ .exists = false };
	if (stat(path, &st) == 0)
		*m = (struct filemark){ .exists = true, .dev = st.st_dev, .ino = st.st_ino,
			.size = st.st_size, .modified = st.st_mtim, .changed = st.st_ctim };
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
filemark_same(const struct filemark *a, const struct filemark *b)
{
	return a->exists == b->exists && a->dev == b->dev && a->ino == b->ino &&
	    a->size == b->size && same_time(a->modified, b->modified) &&
	    same_time(a->changed, b->changed);
}

bool
filemark_recent(const struct filemark *m)
{
	return m->exists && (int64_t)m->changed.tv_sec + FILEMARK_RECENT_S >= date_now();
}
