/* remoteproto - what qmail-rspawn and a qmail-remote that stays say to each other, over a pair of
 * sockets that keeps packets apart (lib/packet.h).  Its only argument is blank, room for those of a
 * delivery, which ps(1) shows there.
 *
 * qmail-remote: REMOTEPROTO_GREETING and what packet_greet adds, once.  Then for each packet of
 * qmail-rspawn, `HOST\0SENDER\0RECIPIENT\0...`, with two descriptors, the message and where the
 * report goes, one of its own: the pid of the delivery, decimal, `4711`, a child of qmail-rspawn
 * that does what `qmail-remote HOST SENDER RECIPIENT...` would do; or `0`: run that. */
#ifndef QUEUE_REMOTEPROTO_H
#define QUEUE_REMOTEPROTO_H

#include <stddef.h>

#define REMOTEPROTO_GREETING "qmail-remote 1"
#define REMOTEPROTO_REQUEST_MAX ((size_t)73728)	/* bytes of HOST and all that follows */
#define REMOTEPROTO_ANSWER_MAX ((size_t)20)
#define REMOTEPROTO_FDS 2
#define REMOTEPROTO_STRINGS ((size_t)102)	/* HOST, SENDER, and at most 100 recipients */
#define REMOTEPROTO_ROOM 1000			/* bytes of the argument */

#endif
