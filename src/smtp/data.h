/* data - the text of a message, from the wire into the queue. */
#ifndef SMTP_DATA_H
#define SMTP_DATA_H

#include "lib/attr.h"
#include "smtp/reply.h"
#include "smtp/session.h"

/* DATA, with at least one recipient accepted: closes the transaction, says 354 and takes the
 * message.  What is returned is the reply that follows. */
MUST_CHECK enum reply data_receive(struct session *s);

#endif
