/* packet - sockets that keep packets apart (SOCK_SEQPACKET): one write, one read. */
#ifndef LIB_PACKET_H
#define LIB_PACKET_H

#include <stdbool.h>

#include "lib/attr.h"

/* Two that are connected, both close-on-exec.  -1 with errno. */
MUST_CHECK int packet_pair(int fds[2]);
bool packet_is_socket(int fd);

#endif
