/* buf - a growing byte string with a cap and a sticky failure.
 * The declarer owns it; {0} is a valid empty buffer with the cap BUF_MAX_DEFAULT.  The first add
 * that runs out of memory or would pass the cap sets the failure; from then on adds do nothing,
 * and one buf_ok at the end tells.  p[n] is always NUL once anything was added. */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/span.h"

#define BUF_MAX_DEFAULT ((size_t)16 << 20)

struct buf {
	char *p;
	size_t n;		/* bytes used */
	size_t size;		/* bytes allocated */
	size_t max;		/* largest n allowed; 0 = BUF_MAX_DEFAULT */
	bool failed;		/* out of memory or over the cap */
	bool over;		/* it was the cap */
	bool secret;		/* no copy of it stays in memory; set by the declarer */
};

#define BUF_CAP(limit) { .max = (limit) }

/* Takes no memory yet.  max: 1..SIZE_MAX/2, or 0 for the default. */
void buf_init(struct buf *b, size_t max);
/* Gives the memory back; the buffer is empty and usable again, cap and secrecy kept. */
void buf_free(struct buf *b);
/* The same, and nothing of it stays in memory. */
void buf_wipe(struct buf *b);
/* Empties the buffer and forgets a failure; keeps the memory. */
void buf_reset(struct buf *b);
/* Shortens to n bytes (n above the length changes nothing). */
void buf_cut(struct buf *b, size_t n);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, const char *s);
void buf_addspan(struct buf *b, struct span s);
void buf_addnum(struct buf *b, uint64_t v);		/* decimal */
void buf_addbuf(struct buf *b, const struct buf *from);	/* a failed source fails b, too */
/* Makes room for n more bytes and returns where they go, NULL on failure; buf_added counts them. */
char *buf_room(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);
/* Removes n bytes at the front. */
void buf_drop(struct buf *b, size_t n);

/* true: everything added is there. */
MUST_CHECK bool buf_ok(const struct buf *b);
/* The bytes as a C string ("" for an empty or failed one); valid until the next change of b. */
const char *buf_str(const struct buf *b);
struct span buf_span(const struct buf *b);

#endif
