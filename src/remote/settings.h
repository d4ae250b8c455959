/* settings - the control files of qmail-remote (qmail-control(5)). */
#ifndef REMOTE_SETTINGS_H
#define REMOTE_SETTINGS_H

#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/set.h"

struct settings {
	struct buf me;			/* empty if there is none */
	struct buf helohost;		/* fit for EHLO */
	struct set routes;		/* smtproutes */
	int64_t connect_ms;		/* timeoutconnect */
	int64_t timeout_ms;		/* timeoutremote */
};

enum settings_status {
	SETTINGS_OK,
	SETTINGS_UNREADABLE,		/* or neither helohost nor me is there */
	SETTINGS_BAD_HELOHOST		/* neither a name nor an address literal */
};

/* cwd = the home directory.  {0} is empty; free it whatever is returned. */
MUST_CHECK enum settings_status settings_read(struct settings *s);
void settings_free(struct settings *s);

#endif
