/* maildir_list - what is in a Maildir: listing new/ and cur/, sweeping tmp/. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/num.h"
#include "mail/maildir.h"

#define FIRST_SIZE ((size_t)64)

/* Makes room for one more message.  -1: memory. */
static int
grow(struct maildir_list *list)
{
	struct maildir_message *messages;
	size_t size, bytes;

	if (list->n < list->size)
		return 0;
	size = list->size ? list->size * 2 : FIRST_SIZE;
	if (num_mul(size, sizeof *messages, &bytes) ||
	    !(messages = realloc(list->messages, bytes))) {
		errno = ENOMEM;
		return -1;
	}
	list->messages = messages;
	list->size = size;
	return 0;
}

static int
add_message(struct maildir_list *list, const char *sub, const char *name, const struct stat *st,
    bool is_link)
{
	struct buf path = { 0 };

	buf_adds(&path, sub);
	buf_addc(&path, '/');
	buf_adds(&path, name);
	if (!buf_ok(&path) || grow(list) == -1) {
		buf_free(&path);
		errno = ENOMEM;
		return -1;
	}
	list->messages[list->n++] = (struct maildir_message){ .path = path.p,
		.mtime = (int64_t)st->st_mtime, .size = st->st_size, .is_link = is_link };
	return 0;
}

/* One entry of a directory; what vanished meanwhile or is no message is passed over.  Dates in the
 * future are shown: a message would else be hidden for ever when a clock was wrong. */
static int
scan_entry(struct maildir_list *list, DIR *d, const char *sub, const char *name, int64_t now)
{
	struct stat st;
	bool is_link;

	if (name[0] == '.' || list->n >= MAILDIR_MAX_MESSAGES ||
	    fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	is_link = S_ISLNK(st.st_mode);
	if ((is_link && fstatat(dirfd(d), name, &st, 0) == -1) || !S_ISREG(st.st_mode) ||
	    (int64_t)st.st_mtime == now)
		return 0;
	return add_message(list, sub, name, &st, is_link);
}

static DIR *
open_directory(const char *path)
{
	int error, fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d;

	if (fd == -1)
		return NULL;
	if ((d = fdopendir(fd)))
		return d;
	error = errno;
	(void)close(fd);
	errno = error;
	return NULL;
}

static int
scan_directory(struct maildir_list *list, const char *sub, int64_t now)
{
	DIR *d = open_directory(sub);
	const struct dirent *entry;
	int r = 0, error;

	if (!d)
		return -1;
	for (errno = 0; r == 0 && (entry = readdir(d)); errno = 0)
		r = scan_entry(list, d, sub, entry->d_name, now);
	if (r == 0 && errno)	/* readdir itself failed */
		r = -1;
	error = errno;
	(void)closedir(d);
	errno = error;
	return r;
}

static int
compare(const void *a, const void *b)
{
	const struct maildir_message *x = a, *y = b;

	if (x->mtime != y->mtime)
		return x->mtime < y->mtime ? -1 : 1;
	return strcmp(x->path + strlen("new/"), y->path + strlen("cur/"));
}

/* subs: directories, NULL at the end. */
static int
scan(struct maildir_list *list, const char *const *subs, int64_t now)
{
	*list = (struct maildir_list){ 0 };
	for (; *subs; subs++) {
		int error;

		if (scan_directory(list, *subs, now) == 0)
			continue;
		error = errno;
		maildir_list_free(list);
		errno = error;
		return -1;
	}
	if (list->n)
		qsort(list->messages, list->n, sizeof list->messages[0], compare);
	return 0;
}

int
maildir_scan(struct maildir_list *list, int64_t now)
{
	return scan(list, (const char *const[]){ "new", "cur", NULL }, now);
}

int
maildir_scan_new(struct maildir_list *list, int64_t now)
{
	return scan(list, (const char *const[]){ "new", NULL }, now);
}

void
maildir_list_free(struct maildir_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->messages[i].path);
	free(list->messages);
	*list = (struct maildir_list){ 0 };
}

void
maildir_list_drop(struct maildir_list *list, size_t i)
{
	free(list->messages[i].path);
	list->n--;
	memmove(&list->messages[i], &list->messages[i + 1],
	    (list->n - i) * sizeof list->messages[0]);
}

void
maildir_clean_tmp(int64_t now)
{
	DIR *d = open_directory("tmp");
	const struct dirent *entry;
	struct stat st;

	if (!d)
		return;
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		/* Access times alone are not reliable (noatime, relatime). */
		if ((int64_t)st.st_atime < now - MAILDIR_STALE_S &&
		    (int64_t)st.st_mtime < now - MAILDIR_STALE_S)
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	}
	(void)closedir(d);
}
