/* spool - a message read to its end before it is sent on. */
#include "remote/spool.h"

#include <unistd.h>

#include "lib/sys.h"

#define DIRECTORY "/tmp"
#define CHUNK 16384

static enum spool_status
add(struct spool *s, const char *p, size_t n)
{
	size_t room = SPOOL_MEMORY_MAX - s->memory.n;
	size_t head = n < room ? n : room;

	buf_add(&s->memory, p, head);
	if (!buf_ok(&s->memory))
		return SPOOL_MEMORY;
	s->size += n;
	if (head == n)
		return SPOOL_OK;
	if (s->fd == -1 && (s->fd = sys_nameless_file(DIRECTORY)) == -1)
		return SPOOL_WRITE;
	return io_write_all(s->fd, p + head, n - head) == -1 ? SPOOL_WRITE : SPOOL_OK;
}

enum spool_status
spool_take(struct spool *s, int from)
{
	enum spool_status status = SPOOL_OK;
	char chunk[CHUNK];
	ssize_t n;

	while (status == SPOOL_OK && (n = io_read(from, chunk, sizeof chunk)) != 0)
		status = n == -1 ? SPOOL_READ : add(s, chunk, (size_t)n);
	return status;
}

enum spool_status
spool_put(const struct spool *s, struct io_out *out)
{
	uint64_t left = s->size - s->memory.n;
	char chunk[CHUNK];

	io_putspan(out, buf_span(&s->memory));
	if (left && lseek(s->fd, 0, SEEK_SET) == -1)
		return SPOOL_READ;
	while (left && out->status == IO_OK) {
		ssize_t n = io_read(s->fd, chunk, sizeof chunk);

		if (n <= 0)
			return SPOOL_READ;
		io_put(out, chunk, (size_t)n);
		left -= (uint64_t)n;
	}
	return SPOOL_OK;
}

void
spool_free(struct spool *s)
{
	buf_free(&s->memory);
	if (s->fd != -1)
		(void)close(s->fd);
	s->fd = -1;
}
