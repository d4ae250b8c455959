/* glance - what of a message is shown to somebody who has no time. */
#ifndef LOCAL_GLANCE_H
#define LOCAL_GLANCE_H

#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"

/* As they stand in the message, without the blanks in front; of several fields of a name the last.
 * {0} is empty. */
struct glance {
	struct buf sender;	/* Return-Path, with its < and > */
	struct buf recipient;	/* Delivered-To */
	struct buf from;
	struct buf text;	/* Subject and its LF, then the body from the empty line on */
};

/* Reads the message from fd, no more of its body than is needed: text is cut to text_max bytes.
 * -1 with errno: what could be read is there all the same. */
MUST_CHECK int glance_read(struct glance *g, int fd, size_t text_max);
void glance_free(struct glance *g);

#endif
