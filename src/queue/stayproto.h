/* stayproto - what qmail-lspawn and qmail-rspawn, and a qmail-local or qmail-remote that stays for
 * one delivery after the other, say to each other, over a pair of sockets that keeps packets apart
 * (lib/packet.h).  The only argument of such a program is blank, room for those of a delivery,
 * which ps(1) shows there; the socket is its descriptor 0.
 *
 * The program: its greeting and what packet_greet adds, once.  Then for each packet of the spawn
 * daemon, `NUMBER\0STRING\0STRING\0...`, with one descriptor, the message: its output, in packets
 * that do not begin with NUL and have at most STAYPROTO_PIECE bytes; then `\0NUMBER CODE`, where
 * CODE counts as exit code, or is `-` if nothing has begun and a process of its own shall do it.
 * ` last` follows if the program ends now.
 *
 * The strings of qmail-local are its operands, those of qmail-remote its arguments. */
#ifndef QUEUE_STAYPROTO_H
#define QUEUE_STAYPROTO_H

#include <stddef.h>

#define STAYPROTO_LOCAL "qmail-local 1"
#define STAYPROTO_REMOTE "qmail-remote 2"
#define STAYPROTO_REQUEST_MAX ((size_t)73728)	/* bytes of all strings and the number */
#define STAYPROTO_STRINGS ((size_t)102)		/* host, sender, and at most 100 recipients */
#define STAYPROTO_PIECE ((size_t)4096)
#define STAYPROTO_END_MAX ((size_t)64)		/* bytes of the last packet */
#define STAYPROTO_ROOM 1000			/* bytes of the argument */

#endif
