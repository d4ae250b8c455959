/* heap - a priority queue of (time, key): the earliest first, at most one entry per key.
 * Setting a key again moves its entry.  set, remove and get cost O(log n) at most; an entry takes
 * some 30 bytes, so a million is no burden.  Which of several entries with one time comes first is
 * not defined.
 *
 *	struct heap h = { 0 };
 *	if (heap_set(&h, 457, now + 400) == -1) ...no memory...
 *	while (heap_first(&h, &item) && item.due <= now) { heap_remove(&h, item.key); ... } */
#ifndef LIB_HEAP_H
#define LIB_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

#define HEAP_NEVER INT64_MAX	/* the time of an entry that waits for something else */

struct heap_item {
	int64_t due;
	uint64_t key;
};

/* {0} is empty.  All fields are private but n. */
struct heap {
	struct heap_item *items;	/* items[0] is the earliest */
	size_t n, size;
	uint32_t *index;	/* hash table of the keys: place in items + 1; 0 is free */
	size_t buckets;		/* a power of two, or 0 */
	uint64_t seed;		/* so that nobody can choose keys that collide */
};

void heap_free(struct heap *h);
/* Adds the key, or moves its entry.  -1: no memory, nothing changed; never for a key that is there,
 * nor when an entry was removed since the last set of a new key. */
MUST_CHECK int heap_set(struct heap *h, uint64_t key, int64_t due);
/* false: there was none. */
bool heap_remove(struct heap *h, uint64_t key);
/* When is this key due?  false: no entry. */
bool heap_get(const struct heap *h, uint64_t key, int64_t *due);
/* The earliest; false: empty. */
bool heap_first(const struct heap *h, struct heap_item *item);
/* The i-th entry, i < n, in no order; for walks that do not change the heap. */
struct heap_item heap_at(const struct heap *h, size_t i);
/* No entry later than `due` but those of HEAP_NEVER.  O(n). */
void heap_hurry(struct heap *h, int64_t due);

#endif
