/* bounce - the files bounce/N. */
#include "send/bounce.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fsops.h"
#include "lib/io.h"

#define FILE_MODE 0600
#define TEMPORARY ".tmp"	/* not a number, so scanners pass it over */
#define MEND_SIZE 8192		/* bytes at the end of a file that are looked at */
#define TEMPORARY_SIZE (QLAYOUT_PATH_SIZE + sizeof TEMPORARY)

/* ---- the text ---- */

/* Of several line feeds at the end one stays, and none if there is nothing before them. */
static struct span
trim_text(struct span text)
{
	while (text.n > 1 && text.p[text.n - 1] == '\n' && text.p[text.n - 2] == '\n')
		text.n--;
	return text.n == 1 && text.p[0] == '\n' ? span_of(NULL, 0) : text;
}

void
bounce_add_paragraph(struct buf *to, struct span recipient, struct span text)
{
	size_t start = to->n;

	buf_addc(to, '<');
	for (size_t i = 0; i < recipient.n; i++)
		buf_addc(to, recipient.p[i] == '\n' ? '_' : recipient.p[i]);
	buf_adds(to, ">:\n");
	text = trim_text(text);
	buf_addspan(to, text);
	if (text.n && text.p[text.n - 1] != '\n')
		buf_addc(to, '\n');
	/* A blank line ends the paragraph for those who parse it, so none may stand inside. */
	for (size_t i = to->n; buf_ok(to) && i > start + 2; i--)
		if (to->p[i - 2] == '\n' && to->p[i - 1] == '\n')
			to->p[i - 1] = '/';
	buf_addc(to, '\n');
}

/* ---- appending ---- */

static struct bounce_file *
file_of(struct bounces *b, uint64_t id)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->files[i].id == id)
			return &b->files[i];
	return NULL;
}

/* What a power cut may have left of a paragraph that was not synced, so that its recipient is not
 * marked: a part of it, or NULs where it was to be.  The NULs at the end go; the next paragraph
 * begins behind a blank line.  -1 with errno. */
static int
mend_end(int fd, off_t *size)
{
	char tail[MEND_SIZE];
	off_t from = *size > (off_t)sizeof tail ? *size - (off_t)sizeof tail : 0;
	ssize_t n = lseek(fd, from, SEEK_SET) == -1 ? -1 : io_read(fd, tail, sizeof tail);
	size_t gap = 0;

	if (n <= 0)
		return n == 0 ? 0 : -1;
	while (n && tail[n - 1] == '\0')
		n--;
	if (from + n != *size && ftruncate(fd, from + n) == -1)
		return -1;
	if (n && tail[n - 1] != '\n')
		gap = 2;
	else if (n > 1 && tail[n - 2] != '\n')
		gap = 1;
	*size = from + n + (off_t)gap;
	return io_write_all(fd, "\n\n", gap);
}

static int
open_file(struct bounces *b, struct bounce_file *f)
{
	const int flags = O_RDWR | O_APPEND | O_NONBLOCK | O_CREAT | O_CLOEXEC;
	char path[QLAYOUT_PATH_SIZE];
	struct stat st;

	f->created = qlayout_exists(b->q, Q_BOUNCE, f->id) == 0;
	(void)qlayout_path(b->q, path, Q_BOUNCE, f->id);
	f->fd = open(path, flags, FILE_MODE);
	if (f->fd == -1 && spare_yield(b->spare))
		f->fd = open(path, flags, FILE_MODE);
	if (f->fd == -1)
		return -1;
	if (fstat(f->fd, &st) == -1 || !S_ISREG(st.st_mode) || mend_end(f->fd, &st.st_size) == -1) {
		(void)close(f->fd);
		return -1;
	}
	f->before = f->size = st.st_size;
	return 0;
}

/* As it was when the turn began. */
static void
roll_back(struct bounces *b, struct bounce_file *f)
{
	if (f->created)
		(void)qlayout_remove(b->q, Q_BOUNCE, f->id);
	else
		(void)!ftruncate(f->fd, f->before);
	(void)close(f->fd);
	f->fd = -1;
}

static void
complain(struct bounces *b)
{
	if (activity_may(b->log, CAUSE_BOUNCE))
		activity_alert(b->log, "unable to append to bounce message; HELP! sleeping...");
}

size_t
bounce_append(struct bounces *b, uint64_t id, struct span recipient, struct span text)
{
	struct bounce_file *f = file_of(b, id);

	buf_reset(&b->paragraph);
	bounce_add_paragraph(&b->paragraph, recipient, text);
	if (!f && b->n < BOUNCE_FILES) {
		f = &b->files[b->n];
		f->id = id;
		if (open_file(b, f) == -1)
			f = NULL;
		else
			b->n++;
	}
	if (!f || f->fd == -1 || !buf_ok(&b->paragraph)) {
		complain(b);
		return BOUNCE_NONE;
	}
	if (io_write_all(f->fd, b->paragraph.p, b->paragraph.n) == -1) {
		/* What was appended before it in this turn stays; an empty file must not. */
		if ((f->created && f->size == 0) || ftruncate(f->fd, f->size) == -1)
			roll_back(b, f);
		complain(b);
		return BOUNCE_NONE;
	}
	f->size += (off_t)b->paragraph.n;
	return (size_t)(f - b->files);
}

/* ---- making it durable ---- */

/* From now on the file is the one that stands there, should that be the new one. */
static void
follow(struct bounce_file *f, const char *path, int new)
{
	if (new != -1 && fsops_leads_to(path, new)) {
		(void)close(f->fd);
		f->fd = new;
	} else if (new != -1) {
		(void)close(new);
	}
}

/* A sync has failed: the data may be gone although a second sync would succeed.  So the whole file
 * is written anew, from what memory still holds of it. */
static int
rewrite_file(struct bounces *b, struct bounce_file *f)
{
	char path[QLAYOUT_PATH_SIZE], temporary[TEMPORARY_SIZE];
	int from, to, new = -1, r = -1;

	(void)qlayout_path(b->q, path, Q_BOUNCE, f->id);
	(void)snprintf(temporary, sizeof temporary, "%s%s", path, TEMPORARY);
	if ((from = fsops_open_read(path)) == -1)
		return -1;
	(void)unlink(temporary);
	to = fsops_create(temporary, FILE_MODE);
	if (to != -1 && (new = fcntl(to, F_DUPFD_CLOEXEC, 0)) != -1 &&
	    io_copy(from, to) == IO_COPIED) {
		r = fsops_publish(to, temporary, path);
	} else if (to != -1) {
		(void)close(to);
		(void)unlink(temporary);
	}
	(void)close(from);
	follow(f, path, new);
	return r;
}

static void
commit_file(struct bounces *b, struct bounce_file *f)
{
	if (f->fd == -1)
		return;
	if (fsops_sync(f->fd) == -1 && rewrite_file(b, f) == -1) {
		roll_back(b, f);
		complain(b);
	}
}

void
bounce_commit(struct bounces *b)
{
	bool any = false;

	for (size_t i = 0; i < b->n; i++) {
		commit_file(b, &b->files[i]);
		any |= b->files[i].fd != -1;
	}
	/* Also the entry of a file that was there: a predecessor may have been killed before it
	 * could sync it.  If nothing is new, this costs nothing. */
	if (!any || fsops_sync_dir(qlayout_name(Q_BOUNCE)) == 0)
		return;
	for (size_t i = 0; i < b->n; i++)
		if (b->files[i].fd != -1)
			roll_back(b, &b->files[i]);
	complain(b);
}

bool
bounce_kept(const struct bounces *b, size_t file)
{
	return b->files[file].fd != -1;
}

void
bounce_next(struct bounces *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->files[i].fd != -1)
			(void)close(b->files[i].fd);	/* synced already */
	b->n = 0;
	spare_claim(b->spare);
}
