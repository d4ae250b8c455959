/* accountproto - what qmail-lspawn and a qmail-getpw that stays say to each other, over a pair of
 * sockets that keeps packets apart (SOCK_SEQPACKET), so that not every delivery needs a process for
 * one lookup.  The program of an administrator in the place of qmail-getpw does not greet, and is
 * then run once for each delivery, as ever.
 *
 * qmail-getpw: ACCOUNTPROTO_GREETING and what packet_greet adds, once.  Then for each packet of
 * qmail-lspawn, a local part of at most ACCOUNTPROTO_LOCAL_MAX bytes, one of its own: a byte that
 * is its exit code, then, if that is 0, what it would have written:
 * `\0joe\0` `1000\0` `100\0` `/home/joe\0` `-\0` `ext\0`. */
#ifndef QUEUE_ACCOUNTPROTO_H
#define QUEUE_ACCOUNTPROTO_H

#include <stddef.h>

#define ACCOUNTPROTO_GREETING "qmail-getpw 1"
#define ACCOUNTPROTO_LOCAL_MAX ((size_t)1024)		/* bytes of a local part */
#define ACCOUNTPROTO_ANSWER_MAX ((size_t)65536)		/* bytes after the first */

#endif
