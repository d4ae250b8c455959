/* greystore - what greylisting remembers, in a directory of its own (qmail-clients(5)).
 *
 *	lock		held while one question is answered; its contents: below
 *	20778.log	what happened on that day since 1970, in the order of happening
 *	20778.cdb	the same, once the log was full or the day was over
 *	20778.bad	a .log or .cdb that was damaged
 *	new		the next .cdb, as long as it is being written
 *
 * A record has GREYSTORE_RECORD bytes: the key, then two times in seconds since 1970,
 * little-endian, 8 bytes each: of the first attempt; of the last delivery, 0 if there was none.
 * In a cdb the key is the key.  A later record of a key makes the earlier ones void.  Nothing is
 * mapped or read as a whole: a question takes some 40 kilobytes of memory, however much there is.
 * The one that makes a database takes 8 bytes more for each of its records, and as much again for
 * some hundredth of them: 9 megabytes for one of GREYSTORE_DAY_MAX.
 *
 * If a full log cannot become part of the database (no memory, no room), it goes on, and that is
 * tried again after each GREYSTORE_AGAIN bytes; at twice GREYSTORE_LOG_MAX it takes no more.
 *
 * Whoever begins a new day removes the days that are too old for all who ask: the longest `known`
 * of late is in `lock`, as two numbers like those of a record, seconds and how many days have begun
 * since somebody asked with it.  As many days as that are kept in any case, so a clock that was
 * wrong for a while costs nothing.
 *
 * A file that cannot be used is like one that is not there, which makes some wait that would not
 * have to; a damaged one is renamed to .bad, which goes with its day.  The log of today is another
 * matter: as long as it stays there and cannot be read, all would wait in vain, so the answer is
 * GREYSTORE_FAILED. */
#ifndef SMTP_GREYSTORE_H
#define SMTP_GREYSTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

#define GREYSTORE_KEY 16
#define GREYSTORE_RECORD 32
#define GREYSTORE_LOG_MAX ((size_t)1 << 20)	/* bytes of a log; then it goes into the cdb */
#define GREYSTORE_AGAIN ((size_t)1 << 16)	/* bytes more, if that fails */
#define GREYSTORE_DAY_MAX ((size_t)64 << 20)	/* bytes of a cdb; then nothing is added that day */
#define GREYSTORE_KNOWN_S 3110400	/* 36 days: as long as nobody asks otherwise */
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
	GREYSTORE_FAILED	/* *trouble tells */
};

/* What is the matter because of a file, from bad to worse. */
enum greystore_effect {
	GREYSTORE_UNTIDY,	/* nothing is lost, but files stay as they should not */
	GREYSTORE_FORGETS,	/* what is in the file has to wait again */
	GREYSTORE_STOPS		/* the answer is GREYSTORE_FAILED */
};

#define GREYSTORE_NAME 32
/* The first file of those with the worst effect, and why; name "": all is well. */
struct greystore_trouble {
	char name[GREYSTORE_NAME];	/* in the directory; "." itself */
	int error;
	enum greystore_effect effect;
	bool moved;			/* it was damaged, and is called .bad now */
};

/* dir: the directory.  now: seconds since 1970.  *trouble: {0} before; may have something after
 * any answer. */
MUST_CHECK enum greystore_answer greystore_ask(const char *dir,
    const unsigned char key[GREYSTORE_KEY], int64_t now, const struct greystore_times *t,
    struct greystore_trouble *trouble);
/* It has been known elsewhere: as if there had been a delivery.  -1: *trouble. */
MUST_CHECK int greystore_teach(const char *dir, const unsigned char key[GREYSTORE_KEY],
    int64_t now, const struct greystore_times *t, struct greystore_trouble *trouble);

#endif
