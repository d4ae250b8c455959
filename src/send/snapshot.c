/* snapshot - the messages that are there when qmail-send starts. */
#include "send/snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/conf.h"
#include "lib/num.h"

#define FIRST_SIZE ((size_t)1024)

void
snapshot_free(struct snapshot *s)
{
	free(s->ids);
	free(s->flags);
	*s = (struct snapshot){ 0 };
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorts the subdirectory that was added last: thousands at a time, so the loop need not wait. */
static void
end_group(struct snapshot *s)
{
	size_t n = s->group;

	if (s->n == s->group)
		return;
	qsort(s->ids + s->group, s->n - s->group, sizeof *s->ids, compare);
	for (size_t i = s->group; i < s->n; i++)
		if (n == s->group || s->ids[n - 1] != s->ids[i])
			s->ids[n++] = s->ids[i];
	s->group = s->n = n;
}

static int
grow(struct snapshot *s)
{
	size_t size = s->size ? s->size + s->size / 2 : FIRST_SIZE, bytes;
	uint64_t *ids;

	if (s->n < s->size)
		return 0;
	if (num_mul(size, sizeof *ids, &bytes)) {
		errno = ENOMEM;
		return -1;
	}
	if (!(ids = realloc(s->ids, bytes)))
		return -1;
	s->ids = ids;
	s->size = size;
	return 0;
}

int
snapshot_add(struct snapshot *s, uint64_t id)
{
	if (grow(s) == -1)
		return -1;
	if (s->n > s->group && s->ids[s->n - 1] % QUEUE_SPLIT != id % QUEUE_SPLIT)
		end_group(s);
	s->ids[s->n++] = id;
	return 0;
}

int
snapshot_finish(struct snapshot *s)
{
	end_group(s);
	s->flags = calloc(s->n ? s->n : 1, 1);
	return s->flags ? 0 : -1;
}

unsigned char *
snapshot_find(const struct snapshot *s, uint64_t id)
{
	size_t low = 0, high = s->n;
	uint64_t sub = id % QUEUE_SPLIT;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t at = s->ids[middle];

		if (at == id)
			return &s->flags[middle];
		if (at % QUEUE_SPLIT < sub || (at % QUEUE_SPLIT == sub && at < id))
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
