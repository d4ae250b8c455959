/* buf - a growing byte string with a cap and a sticky failure. */
#include "lib/buf.h"

#include <stdlib.h>
#include <string.h>

#include "lib/num.h"
#include "lib/sys.h"

#define FIRST_SIZE ((size_t)64)

static size_t
cap_of(const struct buf *b)
{
	return b->max ? b->max : BUF_MAX_DEFAULT;
}

static bool
fail(struct buf *b, bool over)
{
	b->failed = true;
	b->over = b->over || over;
	return false;
}

/* Makes b->size > b->n + n, so that a NUL fits behind. */
static bool
grow(struct buf *b, size_t n)
{
	size_t need, size;
	char *p;

	if (b->failed)
		return false;
	if (num_add(b->n, n, &need) || need > cap_of(b))
		return fail(b, true);
	if (need < b->size)
		return true;
	size = b->size ? b->size : FIRST_SIZE;
	while (size <= need)
		if (num_mul(size, 2, &size))
			return fail(b, true);
	if (!(p = b->secret ? sys_wipe_realloc(b->p, size) : realloc(b->p, size)))
		return fail(b, false);
	b->p = p;
	b->size = size;
	return true;
}

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

static void
forget(struct buf *b)
{
	*b = (struct buf){ .max = b->max, .secret = b->secret };
}

void
buf_free(struct buf *b)
{
	if (b->secret)
		sys_wipe_free(b->p);
	else
		free(b->p);
	forget(b);
}

void
buf_wipe(struct buf *b)
{
	sys_wipe_free(b->p);
	forget(b);
}

void
buf_reset(struct buf *b)
{
	b->failed = b->over = false;
	buf_cut(b, 0);
}

void
buf_cut(struct buf *b, size_t n)
{
	if (n < b->n)
		b->n = n;
	if (b->p)
		b->p[b->n] = '\0';
}

char *
buf_room(struct buf *b, size_t n)
{
	return grow(b, n) ? b->p + b->n : NULL;
}

void
buf_added(struct buf *b, size_t n)
{
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *at = buf_room(b, n);

	if (!at)
		return;
	if (n)
		memcpy(at, p, n);
	buf_added(b, n);
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addspan(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.n);
}

void
buf_addnum(struct buf *b, uint64_t v)
{
	char text[NUM_U64_SIZE];

	buf_add(b, text, num_format(text, v));
}

void
buf_addbuf(struct buf *b, const struct buf *from)
{
	if (from->failed)
		fail(b, from->over);
	buf_add(b, from->p, from->n);
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	if (!n)
		return;
	memmove(b->p, b->p + n, b->n - n);
	buf_cut(b, b->n - n);
}

bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

const char *
buf_str(const struct buf *b)
{
	return b->p ? b->p : "";
}

struct span
buf_span(const struct buf *b)
{
	return span_of(b->p, b->n);
}
