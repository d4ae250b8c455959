/* pass - one reading of a channel file, recipient by recipient; the inner part of jobs. */
#ifndef SEND_PASS_H
#define SEND_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "send/jobs.h"

struct spawn;

/* Opens the pass of N, which is due.  Its entry stays in the heap, out of the way, until the job
 * ends; so there is always memory to schedule it again. */
void pass_open(struct send *s, struct pass *p, enum channel c, uint64_t id);
/* Goes on with the first of jobs.resume; there is one. */
void pass_resume(struct send *s, struct pass *p);
/* Reads a record, and starts a delivery or puts it aside. */
void pass_read(struct send *s, struct spawn *d, struct pass *p);
/* Closes the file; the job ends with it if nobody works on it any more. */
void pass_end(struct send *s, struct pass *p, bool complete);
/* N has no file on this channel: takes it off the schedule and, if it has none on the other one
 * either, has it finished. */
void pass_channel_gone(struct send *s, enum channel c, uint64_t id);
/* A job that nobody works on may be used again. */
void jobs_release(struct jobs *j, struct job *job);

#endif
