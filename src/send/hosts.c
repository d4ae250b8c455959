/* hosts - what each host holds, and who waits for a place. */
#include "send/hosts.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/sys.h"

#define ALL 100

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
	while (*link != host)
		link = &(*link)->next;
	*link = host->next;
	host->next = h->unused;
	h->unused = host;
}

/* ---- places ---- */

static bool
may_take(const struct hosts *h, size_t held, size_t free)
{
	return held * (ALL - h->share) < free * h->share;
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

/* In the heap as what it holds now says; its entry is there, or it does not wait. */
static void
reorder(struct hosts *h, const struct host *host)
{
	if (host->first)
		(void)!heap_set(&h->waiting, (uint64_t)(host - h->all), (int64_t)host->held);
}

struct host *
hosts_take(struct hosts *h, struct span recipient)
{
	struct host *host;

	if (!h->share)
		return NULL;
	host = find_or_add(h, key_of(h, recipient));
	host->held++;
	reorder(h, host);
	return host;
}

void
hosts_give_back(struct hosts *h, struct host *host)
{
	if (!host)
		return;
	host->held--;
	reorder(h, host);
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
	if (!host->first &&
	    heap_set(&h->waiting, (uint64_t)(host - h->all), (int64_t)host->held) == -1)
		return -1;
	a->host = host;
	if (host->first)
		host->last->next = a;
	else
		host->first = a;
	host->last = a;
	h->aside++;
	h->bytes += a->cost;
	return 0;
}

int
hosts_put_aside(struct hosts *h, struct job *job, off_t at, struct span recipient,
    size_t sender_bytes)
{
	struct aside *a = malloc(sizeof *a);
	struct host *host;

	if (!a)
		return -1;
	*a = (struct aside){ .job = job, .at = at, .cost = recipient.n + sender_bytes };
	buf_addspan(&a->recipient, recipient);
	host = find_or_add(h, key_of(h, recipient));
	if (buf_ok(&a->recipient) && append(h, host, a) == 0)
		return 0;
	settle(h, host);
	buf_free(&a->recipient);
	free(a);
	return -1;
}

struct aside *
hosts_next(const struct hosts *h, size_t free)
{
	struct heap_item item;

	if (!heap_first(&h->waiting, &item) || !may_take(h, (size_t)item.due, free))
		return NULL;
	return h->all[item.key].first;
}

void
hosts_drop(struct hosts *h, struct aside *a)
{
	struct host *host = a->host;

	assert(host->first == a);
	host->first = a->next;
	if (!host->first)
		(void)heap_remove(&h->waiting, (uint64_t)(host - h->all));
	h->aside--;
	h->bytes -= a->cost;
	settle(h, host);
	buf_free(&a->recipient);
	free(a);
}
