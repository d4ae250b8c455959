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
#define TABLE 16384	/* hosts: a power of two, as the table's size is */

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

struct waiter {
	off_t at;
	struct job *job;
};

struct model {
	unsigned share;
	size_t held[DOMAINS], used;
	unsigned turn[DOMAINS], turns;
	struct waiter line[DOMAINS][LINE];	/* in order */
	size_t first[DOMAINS], last[DOMAINS];
	struct host *places[PLACES];
	unsigned owner[PLACES];
	unsigned run, run_n;		/* DOMAINS: none */
	struct job *run_job;
};

static bool
may(const struct model *m, size_t held)
{
	size_t left = PLACES - m->used, singles = 0;

	for (unsigned i = 0; i < DOMAINS; i++)
		singles += m->held[i] == 1;
	return !held || (left + singles > PLACES * (100 - m->share) / 200 &&
	    held * (100 - m->share) < left * m->share);
}

static bool
waits(const struct model *m, unsigned domain)
{
	return m->first[domain] < m->last[domain];
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
	m->turn[domain] = ++m->turns;
	m->used++;
}

/* A recipient comes: whether it may start, and what is done with it, is what the model says. */
static bool
arrive(struct hosts *h, struct model *m, unsigned domain, unsigned number)
{
	static char jobs[3];
	struct job *job = (struct job *)(void *)&jobs[number / 7 % 3];
	char text[64];
	struct span recipient = address(text, sizeof text, domain, number);
	bool start = !waits(m, domain) && may(m, m->held[domain]);

	if (hosts_admits(h, recipient, PLACES - m->used) != start)
		return false;
	if (start)
		hold(h, m, domain, recipient);
	else if (m->last[domain] < LINE) {
		m->line[domain][m->last[domain]++] = (struct waiter){ (off_t)number, job };
		return hosts_put_aside(h, job, (off_t)number, recipient, 0) != NULL;
	}
	return true;
}

/* Whose line is served: DOMAINS if nobody may go. */
static unsigned
whose(const struct model *m)
{
	unsigned best = DOMAINS;

	if (m->run < DOMAINS && waits(m, m->run) && m->run_n < HOSTS_RUN &&
	    m->line[m->run][m->first[m->run]].job == m->run_job && may(m, m->held[m->run]))
		return m->run;
	for (unsigned i = 0; i < DOMAINS; i++)
		if (waits(m, i) && (best == DOMAINS || m->held[i] < m->held[best] ||
		    (m->held[i] == m->held[best] && m->turn[i] < m->turn[best])))
			best = i;
	return best < DOMAINS && may(m, m->held[best]) ? best : DOMAINS;
}

/* Everybody who may go goes, in the right order. */
static bool
go(struct hosts *h, struct model *m)
{
	while (m->used < PLACES) {
		struct aside *a = hosts_next(h, PLACES - m->used);
		unsigned domain = whose(m);
		const struct waiter *w;

		if (!a || domain == DOMAINS)
			return !a && domain == DOMAINS;
		w = &m->line[domain][m->first[domain]++];
		if (a->at != w->at || a->job != w->job)
			return false;
		if (m->run != domain || m->run_job != w->job)
			m->run_n = 0;
		m->run = domain;
		m->run_job = w->job;
		m->run_n++;
		hold(h, m, domain, hosts_recipient(a));
		hosts_begun(h, a);
	}
	return true;
}

/* One in the middle of a line waits no more. */
static bool
give_up(struct hosts *h, struct model *m, unsigned domain, uint32_t which)
{
	size_t n = m->last[domain] - m->first[domain], i;
	struct aside *a = NULL;

	if (n < 2)
		return true;
	i = m->first[domain] + which % n;
	for (size_t k = 0; k < h->fresh && !a; k++)
		for (a = h->all[k].first; a && a->at != m->line[domain][i].at; a = a->next)
			;
	if (!a)
		return false;
	hosts_drop(h, a);
	m->last[domain]--;
	for (; i < m->last[domain]; i++)
		m->line[domain][i] = m->line[domain][i + 1];
	return true;
}

static void
leave(struct hosts *h, struct model *m, size_t place)
{
	unsigned domain = m->owner[place];

	if (!m->places[place])
		return;
	m->held[domain]--;
	m->used--;
	hosts_give_back(h, m->places[place]);
	m->places[place] = NULL;
	if (!m->held[domain] && !waits(m, domain)) {
		m->turn[domain] = 0;		/* forgotten */
		m->run = m->run == domain ? DOMAINS : m->run;
	}
}

static void
compare(struct tap *t, unsigned share)
{
	struct hosts h;
	struct model *m = calloc(1, sizeof *m);
	uint32_t state = share;
	bool same = m != NULL && hosts_init(&h, PLACES, share) == 0;

	if (m) {
		m->share = share;
		m->run = DOMAINS;
	}
	for (unsigned i = 0; same && i < ROUNDS; i++) {
		if (next_random(&state) % 2)
			leave(&h, m, next_random(&state) % PLACES);
		else if (m->used < PLACES)
			same = arrive(&h, m, next_random(&state) % DOMAINS, i);
		if (next_random(&state) % 16 == 0)
			same = same && give_up(&h, m, next_random(&state) % DOMAINS,
			    next_random(&state));
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

/* Newcomers without end do not keep those with a line at one place. */
static void
flood(struct tap *t)
{
	struct hosts h;
	struct host *places[PLACES];
	char text[64];
	size_t most = 0;
	bool fits = hosts_init(&h, PLACES, HOSTS_SHARE) == 0;

	for (unsigned i = 0; fits && i < PLACES; i++) {
		int n = snprintf(text, sizeof text, "r@new%u", i);

		places[i] = hosts_take(&h, span_of(text, (size_t)n));
	}
	for (unsigned i = 0; fits && i < 500; i++)
		fits = hosts_put_aside(&h, NULL, i, span_str("r@line"), 0) != NULL;
	for (unsigned i = 0; fits && i < 300; i++) {
		struct aside *a;
		int n = snprintf(text, sizeof text, "r@new%u", PLACES + i);

		hosts_give_back(&h, places[i % PLACES]);
		if ((a = hosts_next(&h, 1)) != NULL) {
			places[i % PLACES] = hosts_take(&h, hosts_recipient(a));
			hosts_begun(&h, a);
		} else {
			places[i % PLACES] = hosts_take(&h, span_of(text, (size_t)n));
		}
		for (size_t k = 0; k < h.fresh; k++)
			if (h.all[k].first && h.all[k].held > most)
				most = h.all[k].held;
	}
	ok(t, fits && most == 9, "a line among newcomers gets 9 places at once: %zu", most);
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
	bool fits = hosts_init(&h, TABLE - HOSTS_ASIDE, HOSTS_SHARE) == 0;

	for (unsigned i = 0; fits && i < TABLE - HOSTS_ASIDE; i++) {
		int length = snprintf(text, sizeof text, "r@holds%u", i);

		(void)hosts_take(&h, span_of(text, (size_t)length));
	}
	while (fits && !hosts_full(&h)) {
		fits = hosts_put_aside(&h, NULL, 0, address(text, sizeof text, (unsigned)n, 0),
		    0) != NULL;
		n++;
	}
	ok(t, fits && n == HOSTS_ASIDE, "so many hosts can wait, beside those that hold: %zu", n);
	hosts_drop(&h, hosts_next(&h, 1));
	ok(t, !hosts_full(&h) && h.n == TABLE, "room again");
	ok(t, hosts_put_aside(&h, NULL, 0, span_str("a@b"), HOSTS_ASIDE_BYTES) != NULL &&
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
	greedy(&t, HOSTS_SHARE, 3, 32, 5);
	greedy(&t, 50, 1, 50, 50);
	greedy(&t, 50, 3, 25, 25);
	greedy(&t, HOSTS_SHARE, 12, 8, 5);
	greedy(&t, 0, 2, 1, 98);
	greedy(&t, 100, 1, 100, 0);
	flood(&t);
	small(&t, 1, 1);
	small(&t, 9, 9);
	small(&t, 20, 18);
	odd_addresses(&t);
	limits(&t);
	return done(&t);
}
