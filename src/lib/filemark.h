/* filemark - has a file changed since it was looked at?  Another one under its name counts, too. */
#ifndef LIB_FILEMARK_H
#define LIB_FILEMARK_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* A file system may stamp two changes that follow at once with the same time: what has been changed
 * no longer ago than this may be changed again without a trace. */
#define FILEMARK_RECENT_S 2

struct filemark {
	bool exists;		/* else all others are 0; out of reach counts as absent */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

/* Follows links. */
void filemark_take(struct filemark *m, const char *path);
bool filemark_same(const struct filemark *a, const struct filemark *b);
/* Changed FILEMARK_RECENT_S ago or less, or in the future. */
bool filemark_recent(const struct filemark *m);

#endif
