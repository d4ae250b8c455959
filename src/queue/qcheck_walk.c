/* qcheck_walk - all entries of a directory of the queue; where a file is. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/num.h"
#include "queue/qcheck.h"

bool
qcheck_splittable(enum qdir dir)
{
	return dir != Q_PID && dir != Q_BOUNCE && dir != Q_LOCK;
}

bool
qcheck_number(const char *name, uint64_t *id)
{
	return qlayout_parse_id(span_str(name), id) && (name[0] != '0' || name[1] == '\0');
}

int
qcheck_names(const char *path, struct buf *names)
{
	DIR *stream = opendir(path);
	const struct dirent *entry;
	int error;

	buf_reset(names);
	if (!stream)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	while ((errno = 0, entry = readdir(stream)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			buf_add(names, entry->d_name, strlen(entry->d_name) + 1);
	error = buf_ok(names) ? errno : ENOMEM;
	(void)closedir(stream);
	errno = error;
	return error ? -1 : 0;
}

char *
qcheck_temporary_path(const struct qcheck *c, char *out, enum qdir dir, uint64_t id)
{
	size_t n = strlen(qlayout_path(&c->q, out, dir, id));

	memcpy(out + n, QCHECK_TEMPORARY, sizeof QCHECK_TEMPORARY);
	return out;
}

/* What the name means, and whether the file is where it belongs. */
static void
read_name(const struct qcheck *c, struct qcheck_entry *e)
{
	const size_t tail = sizeof QCHECK_TEMPORARY - 1;
	size_t n = strlen(e->name);
	char number[NUM_U64_SIZE], path[QCHECK_PATH_SIZE];

	e->kind = QNAME_OTHER;
	e->in_place = false;
	if (qcheck_number(e->name, &e->id)) {
		e->kind = QNAME_NUMBER;
		e->in_place = strcmp(qlayout_path(&c->q, path, e->dir, e->id), e->path) == 0;
	} else if (n > tail && n - tail < sizeof number &&
	    strcmp(e->name + n - tail, QCHECK_TEMPORARY) == 0) {
		memcpy(number, e->name, n - tail);
		number[n - tail] = '\0';
		if (!qcheck_number(number, &e->id))
			return;
		e->kind = QNAME_TEMPORARY;
		e->in_place = strcmp(qcheck_temporary_path(c, path, e->dir, e->id), e->path) == 0;
	}
}

struct walk {
	struct qcheck *c;
	enum qdir dir;
	int (*visit)(struct qcheck *c, const struct qcheck_entry *e);
};

static int walk_names(const struct walk *w, const char *place, bool top);

static int
visit_name(const struct walk *w, const char *place, const char *name, bool top)
{
	struct qcheck_entry e = { .dir = w->dir, .name = name };
	uint64_t sub;

	if ((size_t)snprintf(e.path, sizeof e.path, "%s/%s", place, name) >= sizeof e.path) {
		errno = ENAMETOOLONG;
		return qcheck_trouble(w->c, "look at", name);
	}
	if (lstat(e.path, &e.st) == -1)		/* gone meanwhile */
		return errno == ENOENT ? 0 : qcheck_trouble(w->c, "look at", e.path);
	if (top && S_ISDIR(e.st.st_mode) && qcheck_splittable(w->dir) && qcheck_number(name, &sub))
		return walk_names(w, e.path, false);
	read_name(w->c, &e);
	return w->visit(w->c, &e);
}

/* The names are read before anything is done: repairs change the directory. */
static int
walk_names(const struct walk *w, const char *place, bool top)
{
	struct buf names = BUF_CAP(SIZE_MAX / 2);
	int r = 0;

	if (qcheck_names(place, &names) == -1)
		r = qcheck_trouble(w->c, "read", place);
	for (size_t i = 0; r == 0 && i < names.n; i += strlen(names.p + i) + 1)
		r = visit_name(w, place, names.p + i, top);
	buf_free(&names);
	return r;
}

int
qcheck_walk(struct qcheck *c, enum qdir dir,
    int (*visit)(struct qcheck *c, const struct qcheck_entry *e))
{
	const struct walk w = { c, dir, visit };

	return walk_names(&w, qlayout_name(dir), true);
}

int
qcheck_exists(const struct qcheck *c, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	if (lstat(qlayout_path(&c->q, path, dir, id), &st) == 0)
		return 1;
	if (errno != ENOENT && errno != ENOTDIR)
		return -1;
	for (size_t low = 0, high = c->misplaced.n; low < high;) {
		size_t middle = low + (high - low) / 2;
		const struct qcheck_item *item = &c->misplaced.items[middle];

		if (item->id == id && item->dir == dir)
			return 1;
		if (item->id < id || (item->id == id && item->dir < dir))
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}
