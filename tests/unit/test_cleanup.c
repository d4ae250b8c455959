/* cleanup: requests, and what is gone afterwards. */
#include "queue/cleanup.h"

#include "queuedir.h"
#include "tap.h"

static const struct {
	const char *request;
	enum cleanup_kind flat, big;
	uint64_t id;
} requests[] = {
	{ "foop/46", CLEANUP_FOOP, CLEANUP_FOOP, 46 },
	{ "todo/46", CLEANUP_TODO, CLEANUP_TODO, 46 },
	{ "todo/0/46", CLEANUP_BAD, CLEANUP_TODO, 46 },
	{ "todo/1/46", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "todo//46", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "todo/0/", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "todo/0/0/46", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "foop/0/46", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "foop/4", CLEANUP_FOOP, CLEANUP_FOOP, 4 },
	{ "foop/", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "foop/x", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "foop/4x", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "foop/-4", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "foop/../4", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "abcd/46", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "FOOP/46", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "", CLEANUP_BAD, CLEANUP_BAD, 0 },
	{ "foop/18446744073709551615", CLEANUP_FOOP, CLEANUP_FOOP, UINT64_MAX },
	{ "foop/18446744073709551616", CLEANUP_BAD, CLEANUP_BAD, 0 },
};

static void
test_parse(struct tap *t)
{
	const struct qlayout flat = { .big_todo = false }, big = { .big_todo = true };
	char request[CLEANUP_REQUEST_MAX + 1];
	uint64_t id;

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		struct span s = span_str(requests[i].request);

		ok(t, cleanup_parse(&flat, s, &id) == requests[i].flat &&
		    (requests[i].flat == CLEANUP_BAD || id == requests[i].id), "flat `%s`", s.p);
		ok(t, cleanup_parse(&big, s, &id) == requests[i].big &&
		    (requests[i].big == CLEANUP_BAD || id == requests[i].id), "big `%s`", s.p);
	}
	memset(request, '0', sizeof request);
	memcpy(request, "foop/", 5);
	request[CLEANUP_REQUEST_MAX - 2] = '7';
	ok(t,
	    cleanup_parse(&flat, span_of(request, CLEANUP_REQUEST_MAX - 1), &id) ==
	    CLEANUP_FOOP && id == 7, "longest request");
	ok(t, cleanup_parse(&flat, span_of(request, CLEANUP_REQUEST_MAX), &id) == CLEANUP_BAD,
	    "one byte more");
}

/* Carries out requests separated by spaces; the answers must be these. */
static void
run(struct tap *t, struct cleanup *c, const char *list, const char *want)
{
	char answers[64];
	size_t n;

	for (const char *p = list; *p; p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		cleanup_add(c, span_of(p, n));
	}
	cleanup_run(c);
	for (n = 0; n < c->n; n++)
		answers[n] = c->items[n].answer;
	is(t, span_of(answers, n), span_str(want), list);
	c->n = 0;
}

static void
put(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];

	queuedir_put(qlayout_path(q, path, dir, id), "x", 1);
}

static bool
has(const struct qlayout *q, enum qdir dir, uint64_t id)
{
	return qlayout_exists(q, dir, id) == 1;
}

static void
test_run(struct tap *t, struct cleanup *c)
{
	const struct qlayout *q = &c->layout;

	put(q, Q_MESS, 46);
	put(q, Q_INTD, 46);
	put(q, Q_MESS, 69);
	put(q, Q_INTD, 5);
	put(q, Q_TODO, 5);
	put(q, Q_MESS, 5);
	run(t, c, "foop/46 todo/5 nonsense foop/1000 todo/1000", "++x++");
	ok(t, !has(q, Q_MESS, 46) && !has(q, Q_INTD, 46), "foop removes text and envelope");
	ok(t, has(q, Q_MESS, 5) && !has(q, Q_INTD, 5) && !has(q, Q_TODO, 5), "todo the envelope");
	ok(t, has(q, Q_MESS, 69), "others stay");
	run(t, c, "foop/5 foop/69", "++");
	is_num(t, queuedir_count("mess intd todo"), 0, "all gone");
	put(q, Q_MESS, 7);
	put(q, Q_INTD, 7);
	put(q, Q_TODO, 7);
	run(t, c, "foop/7", "!");
	ok(t, has(q, Q_MESS, 7) && has(q, Q_TODO, 7), "a message that was queued stays");
	run(t, c, "foop/7 todo/7", "!+");
	ok(t, has(q, Q_MESS, 7), "requests are carried out in order");
	put(q, Q_TODO, 7);
	run(t, c, "todo/7 foop/7", "++");
	is_num(t, queuedir_count("mess intd todo"), 0, "all gone");
}

static void
test_trouble(struct tap *t, struct cleanup *c)
{
	const struct qlayout *q = &c->layout;
	char path[QLAYOUT_PATH_SIZE];

	(void)mkdir(qlayout_path(q, path, Q_INTD, 8), 0700);
	put(q, Q_MESS, 8);
	put(q, Q_TODO, 8);
	run(t, c, "todo/8 todo/9", "!+");
	ok(t, has(q, Q_TODO, 8), "the first failure ends a request");
	(void)rmdir(path);
	run(t, c, "todo/8", "+");
	(void)unlink(qlayout_path(q, path, Q_MESS, 8));
	(void)mkdir(path, 0700);
	run(t, c, "foop/8", "!");
	(void)rmdir(path);
	(void)rename("todo", "gone");
	run(t, c, "todo/8 foop/8", "!+");
	(void)rename("gone", "todo");
}

int
main(void)
{
	struct cleanup *c = calloc(1, sizeof *c);
	struct tap t = { 0 };
	char top[64];

	test_parse(&t);
	for (int big = 0; c && big < 2; big++) {
		queuedir_enter(top, big);
		c->layout.big_todo = big;
		c->answers_fd = -1;
		test_run(&t, c);
		test_trouble(&t, c);
		queuedir_leave(top);
	}
	free(c);
	return done(&t);
}
