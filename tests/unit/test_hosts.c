/* hosts - against plain arrays that do the same the slow way, and the promises of the header. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "send/hosts.h"
#include "tap.h"

#define PLACES 100
#define DOMAINS 12
#define ROUNDS 40000
#define LINE 4000

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

/* `r7@D3.Example`, in a case that changes. */
static struct span
address(char *to, size_t size, unsigned domain, unsigned number)
{
	int n = snprintf(to, size, "r%u@%c%u.%s", number, number % 2 ? 'd' : 'D', domain,
	    number % 3 ? "example" : "EXAMPLE");

	return span_of(to, (size_t)n);
}

/* ---- the model ---- */

struct model {
	unsigned share;
	size_t held[DOMAINS], used;
	off_t line[DOMAINS][LINE];	/* what waits, in order */
	size_t first[DOMAINS], last[DOMAINS];
	struct host *places[PLACES];
	unsigned owner[PLACES];
};

static bool
may(const struct model *m, size_t held)
{
	return held * (100 - m->share) < (PLACES - m->used) * m->share;
}

static void
hold(struct hosts *h, struct model *m, unsigned domain, struct span recipient)
{
	size_t i = 0;

	while (m->places[i])
		i++;
	m->places[i] = hosts_take(h, recipient);
	m->owner[i] = domain;
	m->held[domain]++;
	m->used++;
}

/* A recipient comes: whether it may start, and what is done with it, is what the model says. */
static bool
arrive(struct hosts *h, struct model *m, unsigned domain, unsigned number)
{
	char text[64];
	struct span recipient = address(text, sizeof text, domain, number);
	bool waits = m->first[domain] < m->last[domain], start = !waits && may(m, m->held[domain]);

	if (hosts_admits(h, recipient, PLACES - m->used) != start)
		return false;
	if (start)
		hold(h, m, domain, recipient);
	else if (m->last[domain] < LINE) {
		m->line[domain][m->last[domain]++] = (off_t)number;
		return hosts_put_aside(h, NULL, (off_t)number, recipient, 0) == 0;
	}
	return true;
}

/* Whoever may go now goes: it must be the first of its line, and no other that waits holds less. */
static bool
go(struct hosts *h, struct model *m)
{
	struct aside *a;
	unsigned domain;

	while (m->used < PLACES && (a = hosts_next(h, PLACES - m->used)) != NULL) {
		domain = (unsigned)atoi(strchr(buf_str(&a->recipient), '@') + 2);
		if (m->first[domain] == m->last[domain] || !may(m, m->held[domain]) ||
		    a->at != m->line[domain][m->first[domain]])
			return false;
		for (size_t i = 0; i < DOMAINS; i++)
			if (m->first[i] < m->last[i] && m->held[i] < m->held[domain])
				return false;
		hold(h, m, domain, buf_span(&a->recipient));
		hosts_drop(h, a);
		m->first[domain]++;
	}
	for (size_t i = 0; m->used < PLACES && i < DOMAINS; i++)
		if (m->first[i] < m->last[i] && may(m, m->held[i]))
			return false;		/* nobody was offered, and this one may */
	return true;
}

static void
leave(struct hosts *h, struct model *m, size_t place)
{
	if (!m->places[place])
		return;
	m->held[m->owner[place]]--;
	m->used--;
	hosts_give_back(h, m->places[place]);
	m->places[place] = NULL;
}

static void
compare(struct tap *t, unsigned share)
{
	struct hosts h;
	struct model *m = calloc(1, sizeof *m);
	uint32_t state = share;
	bool same = m != NULL && hosts_init(&h, PLACES, share) == 0;

	if (m)
		m->share = share;
	for (unsigned i = 0; same && i < ROUNDS; i++) {
		if (next_random(&state) % 2)
			leave(&h, m, next_random(&state) % PLACES);
		else if (m->used < PLACES)
			same = arrive(&h, m, next_random(&state) % DOMAINS, i);
		same = same && go(&h, m);
	}
	ok(t, same, "share %u: as the model says, in %d steps", share, ROUNDS);
	for (size_t i = 0; same && i < PLACES; i++)
		leave(&h, m, i);
	while (same && m->used == 0 && h.aside)
		hosts_drop(&h, hosts_next(&h, PLACES));
	ok(t, same && !h.waiting.n && !h.bytes, "share %u: nothing is left", share);
	hosts_free(&h);
	free(m);
}

/* ---- what the header says ---- */

/* n hosts that never answer, each with endless mail: what the first ends up with, the others with
 * one less at most. */
static void
greedy(struct tap *t, uint64_t share, unsigned n, size_t most, size_t rest)
{
	struct hosts h;
	size_t held[DOMAINS] = { 0 }, used = 0;
	char text[64];
	bool more = hosts_init(&h, PLACES, share) == 0, equal = true;

	while (more) {
		more = false;
		for (unsigned i = 0; i < n && used < PLACES; i++) {
			struct span recipient = address(text, sizeof text, i, i);

			if (hosts_admits(&h, recipient, PLACES - used)) {
				(void)hosts_take(&h, recipient);
				held[i]++;
				used++;
				more = true;
			}
		}
	}
	for (unsigned i = 0; i < n; i++)
		equal = equal && held[i] <= held[0] && held[i] + 1 >= held[0];
	ok(t, equal && held[0] == most && PLACES - used == rest,
	    "share %u, %u hosts: %zu each, %zu are left: %zu, %zu",
	    (unsigned)share, n, most, rest, held[0], PLACES - used);
	hosts_free(&h);
}

static void
small(struct tap *t, size_t places, size_t want)
{
	struct hosts h;
	size_t used = 0;

	ok(t, hosts_init(&h, places, HOSTS_SHARE) == 0, "%zu places", places);
	while (used < places && hosts_admits(&h, span_str("a@b"), places - used)) {
		(void)hosts_take(&h, span_str("a@b"));
		used++;
	}
	ok(t, used == want, "of %zu places one host gets %zu: %zu", places, want, used);
	hosts_free(&h);
}

static void
odd_addresses(struct tap *t)
{
	char lengthy[600];
	struct hosts h;

	memset(lengthy, 'x', sizeof lengthy);
	lengthy[1] = '@';
	ok(t, hosts_init(&h, PLACES, 1) == 0, "share 1: one place for a host");
	(void)hosts_take(&h, span_str("a@b@Example.COM"));
	ok(t, !hosts_admits(&h, span_str("c@example.com"), 90), "the domain is behind the last @");
	ok(t, hosts_admits(&h, span_str("example.com"), 90), "no @: another host");
	(void)hosts_take(&h, span_str("x@"));
	(void)hosts_take(&h, span_of(lengthy, sizeof lengthy));
	ok(t, !hosts_admits(&h, span_str(""), 90), "no domain at all is a host, too");
	ok(t, !hosts_admits(&h, span_of(lengthy, sizeof lengthy), 90), "a name of 598 bytes");
	hosts_free(&h);
}

static void
limits(struct tap *t)
{
	struct hosts h;
	size_t n = 0;
	char text[64];
	bool fits = hosts_init(&h, 2, HOSTS_SHARE) == 0;

	while (fits && !hosts_full(&h)) {
		fits = hosts_put_aside(&h, NULL, 0, address(text, sizeof text, (unsigned)n, 0),
		    0) == 0;
		n++;
	}
	(void)hosts_take(&h, span_str("one@more"));
	(void)hosts_take(&h, span_str("one@too"));
	ok(t, fits && n == HOSTS_ASIDE, "so many hosts can wait, beside those that hold: %zu", n);
	hosts_drop(&h, hosts_next(&h, 1));
	ok(t, !hosts_full(&h), "room again");
	ok(t, hosts_put_aside(&h, NULL, 0, span_str("a@b"), HOSTS_ASIDE_BYTES) == 0 &&
	    hosts_full(&h), "a sender counts, too");
	hosts_free(&h);
	ok(t, hosts_init(&h, 2, 100) == 0 && hosts_admits(&h, span_str("a@b"), 1) &&
	    hosts_take(&h, span_str("a@b")) == NULL && hosts_next(&h, 1) == NULL && !hosts_full(&h),
	    "share 100: nothing is remembered");
	hosts_give_back(&h, NULL);
	hosts_free(&h);
}

int
main(void)
{
	struct tap t = { 0 };

	compare(&t, 90);
	compare(&t, 50);
	compare(&t, 7);
	greedy(&t, HOSTS_SHARE, 1, 90, 10);
	greedy(&t, HOSTS_SHARE, 2, 48, 5);
	greedy(&t, HOSTS_SHARE, 3, 33, 3);
	greedy(&t, 50, 1, 50, 50);
	greedy(&t, 50, 3, 25, 25);
	greedy(&t, 0, 2, 1, 98);
	greedy(&t, 100, 1, 100, 0);
	small(&t, 1, 1);
	small(&t, 9, 9);
	small(&t, 20, 18);
	odd_addresses(&t);
	limits(&t);
	return done(&t);
}
