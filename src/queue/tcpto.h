/* tcpto - hosts that did not answer lately: queue/lock/tcpto, 64 records of 16 bytes
 * (spec/queue.md 1.4), and lock/tcpto6 for IPv6 in our own format.  Trouble with the files counts
 * as an empty table.  cwd = the home directory. */
#ifndef QUEUE_TCPTO_H
#define QUEUE_TCPTO_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

#define TCPTO_RECORDS 64
#define TCPTO_RECORD_SIZE 16

struct tcpto_address {
	unsigned char bytes[16];	/* IPv4: the first four */
	bool v6;
};

enum tcpto_advice { TCPTO_UNKNOWN, TCPTO_KNOWN, TCPTO_SKIP };

/* Shall this address be skipped?  TCPTO_KNOWN: it is in the table, so a success is worth telling. */
enum tcpto_advice tcpto_query(const struct tcpto_address *a, int64_t now, uint64_t pid);
/* A connect worked, or failed other than by timeout; `advice` is what tcpto_query said. */
void tcpto_answered(const struct tcpto_address *a, enum tcpto_advice advice);
void tcpto_timed_out(const struct tcpto_address *a, int64_t now);
/* Zeroes the tables in the directory `dir` (`queue/lock`, `../lock`), without the lock. */
void tcpto_clear(const char *dir);

#endif
