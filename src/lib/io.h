/* io - buffered reading and writing on a descriptor, with limits and deadlines.
 * EINTR and short counts are handled here and nowhere else. */
#ifndef LIB_IO_H
#define LIB_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/deadline.h"
#include "lib/span.h"

enum io_status {
	IO_OK,
	IO_EOF,
	IO_TIMEOUT,
	IO_TOOLONG,	/* over the caller's limit */
	IO_ERROR	/* errno tells */
};

/* ---- plain calls ---- */

/* read(2) restarted after EINTR.  -1 with errno, 0 at the end. */
ssize_t io_read(int fd, void *p, size_t n);
/* The same from this place of a file, whose offset stays as it is. */
ssize_t io_pread(int fd, void *p, size_t n, off_t at);
/* write(2) restarted after EINTR; may be short, -1 with errno. */
ssize_t io_write(int fd, const void *p, size_t n);
/* Everything or -1 with errno. */
MUST_CHECK int io_write_all(int fd, const void *p, size_t n);
enum io_copied { IO_COPIED, IO_COPY_UNREAD, IO_COPY_UNWRITTEN };
/* All that `from` still has.  If not IO_COPIED: errno of the read or the write that failed. */
MUST_CHECK enum io_copied io_copy(int from, int to);
/* Appends the rest of the file; IO_TOOLONG if the buffer's cap (or memory) is reached. */
MUST_CHECK enum io_status io_read_all(int fd, struct buf *to);
/* Waits until fd can be read (or written).  IO_OK, IO_TIMEOUT, IO_ERROR. */
enum io_status io_wait_readable(int fd, int64_t deadline);
enum io_status io_wait_writable(int fd, int64_t deadline);
/* Is there nobody any more who could read what is written to this pipe or socket? */
bool io_reader_gone(int fd);
/* Makes sure descriptors 0, 1 and 2 are open (on /dev/null if they were not), so that no file we
 * open gets one of these numbers.  -1 with errno. */
MUST_CHECK int io_open_standard(void);
/* Are both descriptors the same file, pipe or socket? */
bool io_same_file(int a, int b);
/* Sets or clears O_NONBLOCK. */
MUST_CHECK int io_nonblock(int fd, bool on);

/* ---- writer ---- */

/* Memory is the caller's.  The first failure sticks; later puts do nothing. */
struct io_out {
	int fd;
	char *buf;
	size_t size, n;
	int64_t timeout_ms;	/* per wait for a full peer; DEADLINE_NONE = block in write(2) */
	int64_t deadline;	/* for all of it; DEADLINE_NONE = none */
	bool nonblocking;	/* fd is O_NONBLOCK: the peer is waited for only when it is full */
	bool not_socket;	/* found out by the first write with a limit in time */
	enum io_status status;	/* IO_OK, IO_TIMEOUT or IO_ERROR */
	int error;		/* errno of IO_ERROR */
};

void io_out_init(struct io_out *o, int fd, char *buf, size_t size);
void io_put(struct io_out *o, const void *p, size_t n);
void io_puts(struct io_out *o, const char *s);
void io_putc(struct io_out *o, char c);
void io_putspan(struct io_out *o, struct span s);
void io_putnum(struct io_out *o, uint64_t v);
/* Writes what is buffered.  0, or -1 if this or any earlier write failed. */
MUST_CHECK int io_flush(struct io_out *o);

/* ---- reader ---- */

/* Memory is the caller's.  Before a read that has to ask the kernel, `tie` is flushed: that gives
 * one write per batch of pipelined commands. */
struct io_in {
	int fd;
	char *buf;
	size_t size, pos, end;
	int64_t timeout_ms;	/* per read; DEADLINE_NONE = block in read(2) */
	int64_t deadline;	/* for all of it; DEADLINE_NONE = none */
	struct io_out *tie;	/* or NULL */
	bool line_wise;		/* takes nothing beyond the next LF from the kernel, so that another
				 * program can read on: one more call per line on a socket, one call
				 * per byte on anything else */
};

void io_in_init(struct io_in *in, int fd, char *buf, size_t size);
/* After IO_OK at least one byte is there.  Does not read while bytes are left. */
enum io_status io_fill(struct io_in *in);
/* The bytes that are there, borrowed until the next call; io_skip takes n of them. */
struct span io_peek(const struct io_in *in);
void io_skip(struct io_in *in, size_t n);
enum io_status io_getc(struct io_in *in, char *c);
/* Appends the bytes before the next `sep` to `to` and consumes the separator.
 * IO_EOF: the input ended first, what came is in `to`.  IO_TOOLONG: the buffer's cap was reached;
 * everything up to and including the separator was consumed and thrown away. */
enum io_status io_get_until(struct io_in *in, char sep, struct buf *to);

#endif
