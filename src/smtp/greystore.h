/* greystore - what greylisting remembers, in a directory of its own (qmail-clients(5)).
 *
 *	lock		held while one question is answered
 *	20778.log	what happened on that day since 1970, in the order of happening
 *	20778.cdb	the same, once the log was full or the day was over
 *
 * A record has GREYSTORE_RECORD bytes: the key, then two times in seconds since 1970,
 * little-endian, 8 bytes each: of the first attempt; of the last delivery, 0 if there was none.
 * In a cdb the key is the key.  A later record of a key makes the earlier ones void.  Days that are
 * too old are removed by whoever begins a new one; nothing else grows, however many keys there
 * are. */
#ifndef SMTP_GREYSTORE_H
#define SMTP_GREYSTORE_H

#include <stdint.h>

#include "lib/attr.h"

#define GREYSTORE_KEY 16
#define GREYSTORE_RECORD 32
#define GREYSTORE_LOG_MAX ((size_t)1 << 20)	/* bytes of a log; then it goes into the cdb */
#define GREYSTORE_DAY_MAX ((size_t)256 << 20)	/* bytes of a cdb; then nothing is added that day */
#define GREYSTORE_LOCK_MS 5000			/* waiting for others */

/* Seconds. */
struct greystore_times {
	int64_t wait;		/* an attempt earlier than that after the first is in vain */
	int64_t retry;		/* one later than that is a first one again */
	int64_t known;		/* after a delivery nothing has to wait for that long */
};

enum greystore_answer {
	GREYSTORE_FIRST,	/* not seen before */
	GREYSTORE_EARLY,
	GREYSTORE_KNOWN,	/* it has waited, or had a delivery; that is remembered */
	GREYSTORE_FAILED	/* errno, EPROTO for damage */
};

/* dir: the directory.  now: seconds since 1970. */
MUST_CHECK enum greystore_answer greystore_ask(const char *dir,
    const unsigned char key[GREYSTORE_KEY], int64_t now, const struct greystore_times *t);
/* It has been known elsewhere: as if there had been a delivery.  -1: errno. */
MUST_CHECK int greystore_teach(const char *dir, const unsigned char key[GREYSTORE_KEY],
    int64_t now, const struct greystore_times *t);

#endif
