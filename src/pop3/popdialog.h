/* popdialog - commands and replies of POP3 (RFC 1939), as qmail-popup and qmail-pop3d share them.
 * Commands that arrive together are answered together. */
#ifndef POP3_POPDIALOG_H
#define POP3_POPDIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "lib/span.h"

#define POPDIALOG_TIMEOUT_MS (INT64_C(1200) * 1000)	/* a read, a write, a whole command */
#define POPDIALOG_LINE_MAX ((size_t)2048)	/* a command with its CRLF */

#define POPDIALOG_INPUT 2048
#define POPDIALOG_OUTPUT 16384

struct popdialog {
	struct io_in in;
	struct io_out out;
	struct buf line;
	int64_t deadline;	/* of all of it; DEADLINE_NONE at first */
	char input[POPDIALOG_INPUT], output[POPDIALOG_OUTPUT];
};

enum pop_next { POP_GOES_ON, POP_ENDS };

struct pop_command {
	const char *verb;
	/* arg: the bytes after the verb and its spaces, no NUL.  Writes the reply. */
	enum pop_next (*run)(void *program, struct span arg);
};

/* Serves descriptors 0 and 1. */
void popdialog_init(struct popdialog *d);
/* Wipes what was read: there may have been a password. */
void popdialog_free(struct popdialog *d);
/* Runs commands until one ends it or the client is gone or silent for too long.  A verb that is
 * not in the table gets `-ERR ` and otherwise. */
void popdialog_run(struct popdialog *d, const struct pop_command *commands, size_t n,
    const char *otherwise, void *program);

/* The next line, into d->line, as popdialog_run reads it.  IO_TOOLONG: the line is gone; IO_EOF,
 * IO_TIMEOUT, IO_ERROR end the session.  popdialog_line is that line without its end and without
 * what stands behind a NUL. */
MUST_CHECK enum io_status popdialog_read(struct popdialog *d);
struct span popdialog_line(const struct popdialog *d);

/* `+OK ` CRLF, with its space. */
void popdialog_ok(struct popdialog *d);
/* `-ERR ` text CRLF. */
void popdialog_err(struct popdialog *d, const char *text);
/* The reply to CAPA (RFC 2449).  passwords: may they be sent?  more: lines, or "". */
void popdialog_capa(struct popdialog *d, bool passwords, const char *more);
/* May clients log in with a password?  Not if POP3AUTH is `apop`. */
bool popdialog_takes_passwords(void);

#endif
