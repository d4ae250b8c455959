/* heap - a priority queue of (time, key): a binary heap, and a hash table from key to place. */
#include "lib/heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/num.h"
#include "lib/sys.h"

#define FIRST_SIZE ((size_t)16)
#define FIRST_BUCKETS ((size_t)32)
#define NO_BUCKET SIZE_MAX

void
heap_free(struct heap *h)
{
	free(h->items);
	free(h->index);
	*h = (struct heap){ 0 };
}

/* ---- the index: open addressing, linear probing ---- */

static size_t
home_of(const struct heap *h, uint64_t key)
{
	uint64_t x = key ^ h->seed;

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)(x ^ (x >> 31)) & (h->buckets - 1);
}

static size_t
next_bucket(const struct heap *h, size_t b)
{
	return (b + 1) & (h->buckets - 1);
}

/* The bucket of a key, NO_BUCKET if it is not there. */
static size_t
bucket_of(const struct heap *h, uint64_t key)
{
	if (!h->buckets)
		return NO_BUCKET;
	for (size_t b = home_of(h, key); h->index[b]; b = next_bucket(h, b))
		if (h->items[h->index[b] - 1].key == key)
			return b;
	return NO_BUCKET;
}

/* The bucket that names this place, for the key that stood there when the bucket was written. */
static size_t
bucket_naming(const struct heap *h, uint64_t key, size_t place)
{
	size_t b = home_of(h, key);

	while (h->index[b] != place + 1)
		b = next_bucket(h, b);
	return b;
}

static size_t
free_bucket(const struct heap *h, uint64_t key)
{
	size_t b = home_of(h, key);

	while (h->index[b])
		b = next_bucket(h, b);
	return b;
}

/* Empties a bucket and moves later ones up, so that no search stops too early. */
static void
drop_bucket(struct heap *h, size_t hole)
{
	for (size_t b = next_bucket(h, hole); h->index[b]; b = next_bucket(h, b)) {
		size_t home = home_of(h, h->items[h->index[b] - 1].key);

		/* Not if its home lies between the hole and where it is. */
		if (((b - home) & (h->buckets - 1)) >= ((b - hole) & (h->buckets - 1))) {
			h->index[hole] = h->index[b];
			hole = b;
		}
	}
	h->index[hole] = 0;
}

/* ---- memory ---- */

static int
grow_items(struct heap *h)
{
	size_t size = h->size ? h->size + h->size / 2 : FIRST_SIZE, bytes;
	struct heap_item *items;

	if (h->n < h->size)
		return 0;
	if (size >= UINT32_MAX || num_mul(size, sizeof *items, &bytes)) {
		errno = ENOMEM;
		return -1;
	}
	if (!(items = realloc(h->items, bytes)))
		return -1;
	h->items = items;
	h->size = size;
	return 0;
}

/* Keeps a quarter of the buckets free. */
static int
grow_index(struct heap *h)
{
	size_t buckets = h->buckets ? h->buckets * 2 : FIRST_BUCKETS;
	uint32_t *index;

	if (h->n + 1 <= h->buckets / 4 * 3)
		return 0;
	if (!h->buckets && sys_random(&h->seed, sizeof h->seed) == -1)
		h->seed = (uint64_t)(uintptr_t)h;	/* a boot without entropy: still correct */
	if (!(index = calloc(buckets, sizeof *index)))
		return -1;
	free(h->index);
	h->index = index;
	h->buckets = buckets;
	for (size_t i = 0; i < h->n; i++)
		index[free_bucket(h, h->items[i].key)] = (uint32_t)i + 1;
	return 0;
}

/* ---- the heap ---- */

/* Puts the item whose bucket is `b` where it belongs, starting from a hole at `at`. */
static void
settle(struct heap *h, size_t at, struct heap_item item, size_t b)
{
	while (at > 0 && item.due < h->items[(at - 1) / 2].due) {
		size_t parent = (at - 1) / 2;

		h->index[bucket_naming(h, h->items[parent].key, parent)] = (uint32_t)at + 1;
		h->items[at] = h->items[parent];
		at = parent;
	}
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < h->n && h->items[child + 1].due < h->items[child].due)
			child++;
		if (child >= h->n || item.due <= h->items[child].due)
			break;
		h->index[bucket_naming(h, h->items[child].key, child)] = (uint32_t)at + 1;
		h->items[at] = h->items[child];
		at = child;
	}
	h->items[at] = item;
	h->index[b] = (uint32_t)at + 1;
}

int
heap_set(struct heap *h, uint64_t key, int64_t due)
{
	struct heap_item item = { due, key };
	size_t b = bucket_of(h, key);

	if (b != NO_BUCKET) {
		settle(h, h->index[b] - 1, item, b);
		return 0;
	}
	if (grow_items(h) == -1 || grow_index(h) == -1)
		return -1;
	b = free_bucket(h, key);
	settle(h, h->n++, item, b);
	return 0;
}

bool
heap_remove(struct heap *h, uint64_t key)
{
	size_t b = bucket_of(h, key), at;
	struct heap_item last;

	if (b == NO_BUCKET)
		return false;
	at = h->index[b] - 1;
	drop_bucket(h, b);
	last = h->items[--h->n];
	if (at < h->n)
		settle(h, at, last, bucket_naming(h, last.key, h->n));
	return true;
}

bool
heap_get(const struct heap *h, uint64_t key, int64_t *due)
{
	size_t b = bucket_of(h, key);

	if (b == NO_BUCKET)
		return false;
	*due = h->items[h->index[b] - 1].due;
	return true;
}

bool
heap_first(const struct heap *h, struct heap_item *item)
{
	if (h->n)
		*item = h->items[0];
	return h->n > 0;
}

struct heap_item
heap_at(const struct heap *h, size_t i)
{
	return h->items[i];
}

void
heap_hurry(struct heap *h, int64_t due)
{
	/* No two entries change their order by this, so the heap stays one. */
	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].due > due && h->items[i].due != HEAP_NEVER)
			h->items[i].due = due;
}
