/* pass - one reading of a channel file, recipient by recipient; the inner part of jobs. */
#ifndef SEND_PASS_H
#define SEND_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "send/jobs.h"

/* Closes the file; the job ends with it if nobody works on it any more. */
void pass_end(struct send *s, struct pass *p, bool complete);
/* N has no file on this channel: takes it off the schedule and, if it has none on the other one
 * either, has it finished. */
void pass_channel_gone(struct send *s, enum channel c, uint64_t id);
/* A job that nobody works on may be used again. */
void jobs_release(struct jobs *j, struct job *job);

#endif
