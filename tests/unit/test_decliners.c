/* decliners: how often, how long, how many. */
#include "spawn/decliners.h"

#include "tap.h"

static const struct proc_cred joe = { 5001, 5001 }, ann = { 5002, 5001 };

static void
decline(struct decliners *d, const struct proc_cred *cred, int times)
{
	while (times-- > 0)
		decliners_note(d, cred, true);
}

static void
test_one(struct tap *t)
{
	struct decliners d = { 0 };
	const struct proc_cred other_group = { 5001, 5002 };

	ok(t, !decliners_has(&d, &joe), "nobody");
	decliners_note(&d, &joe, false);
	decline(&d, &joe, DECLINERS_TIMES - 1);
	ok(t, !decliners_has(&d, &joe), "not yet");
	decline(&d, &joe, 1);
	ok(t, decliners_has(&d, &joe), "now");
	ok(t, !decliners_has(&d, &ann) && !decliners_has(&d, &other_group), "nobody else");
	decliners_note(&d, &ann, false);
	ok(t, decliners_has(&d, &joe), "whatever becomes of others");
	d.rows[0].until = 0;
	ok(t, !decliners_has(&d, &joe), "not for ever");
	decline(&d, &joe, 1);
	ok(t, decliners_has(&d, &joe), "the next try is enough");
	decliners_note(&d, &joe, false);
	decline(&d, &joe, DECLINERS_TIMES - 1);
	ok(t, !decliners_has(&d, &joe), "one that is done counts more");
}

static void
test_many(struct tap *t)
{
	struct decliners d = { 0 };
	struct proc_cred each = { 0, 100 };

	decline(&d, &joe, DECLINERS_TIMES);
	for (each.uid = 1; each.uid < DECLINERS_SIZE; each.uid++)
		decline(&d, &each, DECLINERS_TIMES);
	ok(t, decliners_has(&d, &joe), "as many as are remembered");
	decline(&d, &each, DECLINERS_TIMES);
	ok(t, !decliners_has(&d, &joe) && decliners_has(&d, &each), "one more: the oldest is not");
	each.uid = 1;
	ok(t, decliners_has(&d, &each), "the others are");
}

int
main(void)
{
	struct tap t = { 0 };

	test_one(&t);
	test_many(&t);
	return done(&t);
}
