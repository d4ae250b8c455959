/* snapshot - adding, sorting, finding. */
#include "lib/conf.h"
#include "send/snapshot.h"
#include "tap.h"

#define SUBS 5			/* subdirectories in use, */
#define EACH ((uint64_t)700)	/* with so many messages: the list grows several times */

/* The k-th of a subdirectory; k runs in an order that is not theirs. */
static uint64_t
id_of(uint64_t sub, uint64_t k)
{
	return (k * 389 % EACH + 1) * 3 * QUEUE_SPLIT + sub;
}

static bool
add_all(struct snapshot *s)
{
	for (uint64_t sub = 0; sub < SUBS; sub++)
		for (uint64_t k = 0; k < EACH; k++)
			if (snapshot_add(s, id_of(sub, k)) == -1 ||
			    (k % 100 == 0 && snapshot_add(s, id_of(sub, k / 2)) == -1))
				return false;
	return snapshot_finish(s) == 0;
}

static bool
in_order(const struct snapshot *s)
{
	for (size_t i = 1; i < s->n; i++) {
		uint64_t a = s->ids[i - 1], b = s->ids[i];

		if (a % QUEUE_SPLIT > b % QUEUE_SPLIT ||
		    (a % QUEUE_SPLIT == b % QUEUE_SPLIT && a >= b))
			return false;
	}
	return true;
}

/* Every message is found, at its place, and nothing beside them. */
static bool
finds(const struct snapshot *s)
{
	for (uint64_t sub = 0; sub < SUBS; sub++)
		for (uint64_t k = 0; k < EACH; k++) {
			uint64_t id = id_of(sub, k);
			const unsigned char *flags = snapshot_find(s, id);

			if (!flags || s->ids[flags - s->flags] != id || *flags ||
			    snapshot_find(s, id + SUBS) || snapshot_find(s, id + QUEUE_SPLIT))
				return false;
		}
	return !snapshot_find(s, 0) && !snapshot_find(s, UINT64_MAX);
}

static void
test_empty(struct tap *t)
{
	struct snapshot s = { 0 };

	ok(t, snapshot_finish(&s) == 0 && s.n == 0, "an empty one");
	ok(t, snapshot_find(&s, 0) == NULL, "nothing is found in it");
	snapshot_free(&s);
	ok(t, snapshot_find(&s, 7) == NULL, "nor when it is freed");
}

static void
test_ends(struct tap *t)
{
	struct snapshot s = { 0 };
	unsigned char *flags;

	ok(t, snapshot_add(&s, 0) == 0 && snapshot_add(&s, UINT64_MAX) == 0 &&
	    snapshot_finish(&s) == 0 && s.n == 2, "least and greatest number");
	flags = snapshot_find(&s, UINT64_MAX);
	ok(t, snapshot_find(&s, 0) && flags, "both are found");
	if (flags)
		*flags |= 5;
	ok(t, *snapshot_find(&s, UINT64_MAX) == 5 && *snapshot_find(&s, 0) == 0,
	    "flags are kept, each message's own");
	snapshot_free(&s);
}

int
main(void)
{
	struct snapshot s = { 0 };
	struct tap t = { 0 };

	test_empty(&t);
	test_ends(&t);
	ok(&t, add_all(&s), "many messages");
	is_num(&t, (int64_t)s.n, (int64_t)(SUBS * EACH), "each once");
	ok(&t, in_order(&s), "by subdirectory, then by number");
	ok(&t, finds(&s), "each is found, and no other");
	snapshot_free(&s);
	return done(&t);
}
