/* heap - against a plain array that does the same the slow way. */
#include <stdlib.h>

#include "lib/heap.h"
#include "tap.h"

#define KEYS 300
#define ROUNDS 60000

/* The model: when each key is due, -1 = no entry. */
struct model {
	int64_t due[KEYS];
	size_t n;
};

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static bool
same_first(const struct heap *h, const struct model *m)
{
	struct heap_item item;
	int64_t least = -1;

	for (size_t k = 0; k < KEYS; k++)
		if (m->due[k] != -1 && (least == -1 || m->due[k] < least))
			least = m->due[k];
	if (!heap_first(h, &item))
		return least == -1;
	return item.due == least && m->due[item.key / 7] == item.due;
}

static bool
same_all(const struct heap *h, const struct model *m)
{
	int64_t due;

	for (size_t k = 0; k < KEYS; k++)
		if (heap_get(h, k * 7, &due) != (m->due[k] != -1) ||
		    (m->due[k] != -1 && due != m->due[k]))
			return false;
	return h->n == m->n;
}

static bool
one_round(struct heap *h, struct model *m, uint32_t *state)
{
	size_t k = next_random(state) % KEYS;
	int64_t due = next_random(state) % 1000;

	if (next_random(state) % 3) {
		m->n += m->due[k] == -1;
		m->due[k] = due;
		return heap_set(h, k * 7, due) == 0;
	}
	if (heap_remove(h, k * 7) != (m->due[k] != -1))
		return false;
	m->n -= m->due[k] != -1;
	m->due[k] = -1;
	return true;
}

static void
test_against_model(struct tap *t)
{
	struct heap h = { 0 };
	struct model m = { .n = 0 };
	uint32_t state = 1;
	bool good = true;

	for (size_t k = 0; k < KEYS; k++)
		m.due[k] = -1;
	for (size_t i = 0; i < ROUNDS && good; i++)
		good = one_round(&h, &m, &state) && same_first(&h, &m) &&
		    (i % 64 || same_all(&h, &m));
	ok(t, good, "%d random operations agree with the model", ROUNDS);
	heap_free(&h);
}

static void
test_edges(struct tap *t)
{
	struct heap h = { 0 };
	struct heap_item item;
	int64_t due;

	ok(t, !heap_first(&h, &item), "an empty heap has no first");
	ok(t, !heap_remove(&h, 5), "nothing to remove from an empty heap");
	ok(t, !heap_get(&h, 5, &due), "nothing to get from an empty heap");
	ok(t, heap_set(&h, UINT64_MAX, INT64_MIN) == 0 && heap_set(&h, 0, HEAP_NEVER) == 0,
	    "extreme keys and times");
	ok(t, heap_first(&h, &item) && item.key == UINT64_MAX, "the earliest is first");
	ok(t, heap_set(&h, UINT64_MAX, 9) == 0 && h.n == 2, "setting again replaces");
	ok(t, heap_get(&h, UINT64_MAX, &due) && due == 9, "with the new time");
	heap_hurry(&h, 4);
	ok(t, heap_get(&h, UINT64_MAX, &due) && due == 4, "hurry makes it earlier");
	ok(t, heap_get(&h, 0, &due) && due == HEAP_NEVER, "hurry leaves what waits");
	heap_hurry(&h, 8);
	ok(t, heap_get(&h, UINT64_MAX, &due) && due == 4, "hurry makes nothing later");
	ok(t, heap_remove(&h, UINT64_MAX) && heap_remove(&h, 0) && h.n == 0, "removing both");
	heap_free(&h);
}

static void
test_many(struct tap *t)
{
	const size_t many = 1000000;
	struct heap h = { 0 };
	struct heap_item item;
	int64_t before = INT64_MIN;
	bool good = true;
	size_t n = 0;

	for (size_t i = 0; i < many && good; i++)
		good = heap_set(&h, i * 23, (int64_t)((i * 7919) % 86400)) == 0;
	ok(t, good && h.n == many, "a million entries");
	ok(t, h.size * sizeof *h.items + h.buckets * sizeof *h.index <= 40 * many,
	    "in at most 40 bytes each");
	for (; good && heap_first(&h, &item); n++) {
		good = item.due >= before && heap_remove(&h, item.key);
		before = item.due;
	}
	ok(t, good && n == many, "come out in order");
	heap_free(&h);
}

int
main(void)
{
	struct tap t = { 0 };

	test_edges(&t);
	test_against_model(&t);
	test_many(&t);
	return done(&t);
}
