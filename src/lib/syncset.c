/* syncset - see syncset.h.  Thread k takes every THREADS-th file from the k-th on, so that which
 * thread does what is the same in every run. */
#include "lib/syncset.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include "lib/fsops.h"

/* As many wait for the disk together; it merges what is asked for at one time. */
#define THREADS 16
/* fsync needs nothing of it, sanitizers do. */
#define STACK_BYTES ((size_t)256 << 10)

struct share {
	struct syncset_item *items;
	size_t n, first;
	pthread_t thread;
	bool started;
};

static void *
sync_share(void *arg)
{
	const struct share *s = arg;

	for (size_t i = s->first; i < s->n; i += THREADS)
		s->items[i].error = fsops_sync(s->items[i].fd) == -1 ? errno : 0;
	return NULL;
}

/* Signals are for the main thread: handlers there make its system calls return. */
static void
start_threads(struct share *shares, size_t n)
{
	pthread_attr_t attr;
	sigset_t all, before;

	if (pthread_attr_init(&attr) != 0)
		return;
	(void)sigfillset(&all);
	if (pthread_attr_setstacksize(&attr, STACK_BYTES) == 0 &&
	    pthread_sigmask(SIG_SETMASK, &all, &before) == 0) {
		for (size_t k = 1; k < n; k++)
			shares[k].started =
			    pthread_create(&shares[k].thread, &attr, sync_share, &shares[k]) == 0;
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	(void)pthread_attr_destroy(&attr);
}

size_t
syncset_run(struct syncset_item *items, size_t n)
{
	struct share shares[THREADS];
	size_t threads = n < THREADS ? n : THREADS, failed = 0;

	for (size_t k = 0; k < threads; k++)
		shares[k] = (struct share){ .items = items, .n = n, .first = k };
	if (threads > 1)
		start_threads(shares, threads);
	for (size_t k = 0; k < threads; k++)
		if (!shares[k].started)
			(void)sync_share(&shares[k]);
	for (size_t k = 0; k < threads; k++)
		if (shares[k].started)
			(void)pthread_join(shares[k].thread, NULL);
	for (size_t i = 0; i < n; i++)
		failed += items[i].error != 0;
	return failed;
}
