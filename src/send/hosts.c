/* hosts - what each host holds, and who waits for a place. */
#include "send/hosts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/sys.h"

#define ALL 100
#define TURN_BITS 32	/* of an entry in the heap: below what the host holds */

/* ---- the table of hosts ---- */

int
hosts_init(struct hosts *h, size_t places, uint64_t share)
{
	*h = (struct hosts){ .n = 1 };
	if (share >= ALL)
		return 0;
	h->share = share ? (unsigned)share : 1;
	while (h->n < places + HOSTS_ASIDE)
		h->n *= 2;
	h->all = calloc(h->n, sizeof *h->all);
	h->buckets = calloc(h->n, sizeof(struct host *));
	if (!h->all || !h->buckets || sys_random(h->secret, sizeof h->secret) == -1)
		return -1;
	return 0;
}

void
hosts_free(struct hosts *h)
{
	for (size_t i = 0; i < h->fresh; i++)
		while (h->all[i].first)
			hosts_drop(h, h->all[i].first);
	heap_free(&h->waiting);
	free(h->all);
	free(h->buckets);
	*h = (struct hosts){ 0 };
}

/* Which domain it is: 64 bits that two of them have by chance only; they would share a share. */
static uint64_t
key_of(const struct hosts *h, struct span recipient)
{
	struct span domain = span_tail(recipient, span_rchr(recipient, '@') + 1);
	char folded[256];

	/* No domain is longer; of what is, the head decides. */
	domain = span_head(domain, sizeof folded);
	for (size_t i = 0; i < domain.n; i++)
		folded[i] = ascii_lower(domain.p[i]);
	return siphash(h->secret, folded, domain.n);
}

static struct host **
bucket_of(const struct hosts *h, uint64_t key)
{
	return &h->buckets[key & (h->n - 1)];
}

static struct host *
find(const struct hosts *h, uint64_t key)
{
	struct host *host = *bucket_of(h, key);

	while (host && host->key != key)
		host = host->next;
	return host;
}

static struct host *
find_or_add(struct hosts *h, uint64_t key)
{
	struct host *host = find(h, key), **bucket = bucket_of(h, key);

	if (host)
		return host;
	if (h->unused) {
		host = h->unused;
		h->unused = host->next;
	} else {
		assert(h->fresh < h->n);	/* each holds a place or has one put aside */
		host = &h->all[h->fresh++];
	}
	*host = (struct host){ .key = key, .next = *bucket };
	*bucket = host;
	return host;
}

/* Forgets a host that neither holds nor waits. */
static void
settle(struct hosts *h, struct host *host)
{
	struct host **link = bucket_of(h, host->key);

	if (host->held || host->first)
		return;
	if (h->run == host)
		h->run = NULL;
	while (*link != host)
		link = &(*link)->next;
	*link = host->next;
	host->next = h->unused;
	h->unused = host;
}

/* ---- places ---- */

/* Places for hosts that hold none; those that hold one sit on them. */
static size_t
kept(const struct hosts *h, size_t free)
{
	return (h->used + free) * (ALL - h->share) / (2 * ALL);
}

static bool
may_take(const struct hosts *h, size_t held, size_t free)
{
	return !held || (free + h->singles > kept(h, free) &&
	    held * (ALL - h->share) < free * h->share);
}

bool
hosts_admits(const struct hosts *h, struct span recipient, size_t free)
{
	const struct host *host;

	if (!h->share)
		return true;
	host = find(h, key_of(h, recipient));
	return !host || (!host->first && may_take(h, host->held, free));
}

/* Its place among those that wait.  -1: no memory; never if it is there. */
static int
order(struct hosts *h, const struct host *host)
{
	return heap_set(&h->waiting, (uint64_t)(host - h->all),
	    (int64_t)((uint64_t)host->held << TURN_BITS | host->turn));
}

static void
hold(struct hosts *h, struct host *host, size_t n)
{
	h->singles -= host->held == 1;
	h->singles += n == 1;
	host->held = n;
}

struct host *
hosts_take(struct hosts *h, struct span recipient)
{
	struct host *host;

	if (!h->share)
		return NULL;
	host = find_or_add(h, key_of(h, recipient));
	hold(h, host, host->held + 1);
	host->turn = ++h->turn;
	h->used++;
	if (host->first)
		(void)!order(h, host);
	return host;
}

void
hosts_give_back(struct hosts *h, struct host *host)
{
	if (!host)
		return;
	hold(h, host, host->held - 1);
	h->used--;
	if (host->first)
		(void)!order(h, host);
	settle(h, host);
}

/* ---- lines ---- */

bool
hosts_full(const struct hosts *h)
{
	return h->aside >= HOSTS_ASIDE || h->bytes >= HOSTS_ASIDE_BYTES;
}

static int
append(struct hosts *h, struct host *host, struct aside *a)
{
	if (!host->first && order(h, host) == -1)
		return -1;
	a->host = host;
	a->before = host->last;
	if (host->last)
		host->last->next = a;
	else
		host->first = a;
	host->last = a;
	h->aside++;
	h->bytes += a->cost;
	return 0;
}

struct aside *
hosts_put_aside(struct hosts *h, struct job *job, off_t at, struct span recipient,
    size_t sender_bytes)
{
	struct aside *a = malloc(sizeof *a + recipient.n);
	struct host *host;

	if (!a)
		return NULL;
	*a = (struct aside){ .job = job, .at = at, .n = recipient.n,
		.cost = sizeof *a + recipient.n + sender_bytes };
	memcpy(a->recipient, recipient.p, recipient.n);
	host = find_or_add(h, key_of(h, recipient));
	if (append(h, host, a) == 0)
		return a;
	settle(h, host);
	free(a);
	return NULL;
}

struct span
hosts_recipient(const struct aside *a)
{
	return span_of(a->recipient, a->n);
}

struct aside *
hosts_next(const struct hosts *h, size_t free)
{
	const struct host *run = h->run;
	struct heap_item item;

	if (run && run->first && run->first->job == h->run_job && h->run_n < HOSTS_RUN &&
	    may_take(h, run->held, free))
		return run->first;
	if (!heap_first(&h->waiting, &item) || !may_take(h, (size_t)item.due >> TURN_BITS, free))
		return NULL;
	return h->all[item.key].first;
}

void
hosts_begun(struct hosts *h, struct aside *a)
{
	if (h->run != a->host || h->run_job != a->job)
		h->run_n = 0;
	h->run = a->host;
	h->run_job = a->job;
	h->run_n++;
	hosts_drop(h, a);
}

void
hosts_drop(struct hosts *h, struct aside *a)
{
	struct host *host = a->host;

	*(a->before ? &a->before->next : &host->first) = a->next;
	*(a->next ? &a->next->before : &host->last) = a->before;
	if (!host->first)
		(void)heap_remove(&h->waiting, (uint64_t)(host - h->all));
	h->aside--;
	h->bytes -= a->cost;
	settle(h, host);
	free(a);
}
