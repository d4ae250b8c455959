/* tcpto - hosts that did not answer lately: queue/lock/tcpto and queue/lock/tcpto6.  Trouble with
 * the files counts as an empty table.  cwd = the home directory.
 *
 * tcpto, 64 records of 16 bytes (a shorter file has as many as fit); unused bytes are 0:
 *	0	IPv4 address, network order (4 bytes)
 *	4	timeouts counted, 0 to 10; 0 = record is free
 *	8	time of the last one counted, seconds, little-endian (4 bytes)
 * tcpto6, ours, for IPv6; 64 records of 32 bytes, a shorter file grows:
 *	0	address (16 bytes)
 *	16	timeouts counted
 *	24	time, little-endian (8 bytes)
 * Writers hold an exclusive flock on the file and write single records. */
#ifndef QUEUE_TCPTO_H
#define QUEUE_TCPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/span.h"

#define TCPTO_RECORDS 64
#define TCPTO_RECORD_SIZE 16
#define TCPTO6_RECORD_SIZE 32
#define TCPTO_COUNT_MAX 10

/* File names below queue/lock. */
#define TCPTO_FILE "tcpto"
#define TCPTO6_FILE "tcpto6"

struct tcpto_address {
	unsigned char bytes[16];	/* IPv4: the first four */
	bool v6;
};

enum tcpto_advice {
	TCPTO_UNKNOWN,
	TCPTO_KNOWN,		/* it is in the table; a success is worth telling */
	TCPTO_LATER,		/* so it is, and timed out a moment ago: try others first */
	TCPTO_SKIP
};

/* Shall this address be tried? */
enum tcpto_advice tcpto_query(const struct tcpto_address *a, int64_t now, uint64_t pid);
/* A connect worked, or failed other than by timeout; `advice` is what tcpto_query said. */
void tcpto_answered(const struct tcpto_address *a, enum tcpto_advice advice);
void tcpto_timed_out(const struct tcpto_address *a, int64_t now);
/* Zeroes the tables in the directory `dir` (`queue/lock`, `../lock`), without the lock. */
void tcpto_clear(const char *dir);

/* One record in use, for programs that show the table. */
struct tcpto_entry {
	struct tcpto_address address;
	unsigned count;			/* 1 to 255 */
	int64_t when;
};
/* Decodes the bytes of a file; records that are free are left out, a cut one at the end is not
 * looked at.  Returns how many there are, at most TCPTO_RECORDS. */
size_t tcpto_decode(struct span file, bool v6, struct tcpto_entry out[TCPTO_RECORDS]);

/* For those programs trouble is no empty table: errno tells.  tcpto6 may be absent. */
enum tcpto_status { TCPTO_OK, TCPTO_OPEN, TCPTO_LOCK, TCPTO_READ, TCPTO_WRITE };

/* Reads the table in the directory `dir` under the lock, as tcpto_decode. */
MUST_CHECK enum tcpto_status tcpto_list(const char *dir, bool v6,
    struct tcpto_entry out[TCPTO_RECORDS], size_t *n);
/* Zeroes it under the lock. */
MUST_CHECK enum tcpto_status tcpto_reset(const char *dir, bool v6);

#endif
