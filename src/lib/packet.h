/* packet - sockets that keep packets apart (SOCK_SEQPACKET): one write, one read.  Between a
 * program that stays, to do something many times, and the one that has started it. */
#ifndef LIB_PACKET_H
#define LIB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/attr.h"
#include "lib/filemark.h"
#include "lib/span.h"

#define PACKET_GREETING_MAX ((size_t)128)
#define PACKET_FDS_MAX ((size_t)4)

/* Two that are connected, both close-on-exec.  -1 with errno. */
MUST_CHECK int packet_pair(int fds[2]);
bool packet_is_socket(int fd);

/* The first packet of the program: what it can do and which file it is, `qmail-getpw 1 2049 1311`
 * (device and inode), so that the other end knows that it is talking to what it has started and not
 * to something that this has started in turn.  -1: not sent (without /proc, for one). */
MUST_CHECK int packet_greet(int fd, const char *what);
bool packet_is_greeting(struct span packet, const char *what, const struct filemark *program);

/* A packet with descriptors; never waits (EAGAIN: the other end has not read so much that there is
 * no room).  -1 with errno; nothing has been sent then. */
MUST_CHECK int packet_send(int fd, struct span packet, const int *fds, size_t n);
/* Waits for one.  Its bytes, 0 at the end of everything, -1 with errno (EMSGSIZE: cut).  Exactly n
 * descriptors must come along, which are close-on-exec; else EPROTO.  None is left open then. */
MUST_CHECK ssize_t packet_receive(int fd, char *packet, size_t size, int *fds, size_t n);

#endif
