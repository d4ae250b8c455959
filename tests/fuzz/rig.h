/* rig - what fuzz targets share: promises, files and connections that hold the input, and actors in
 * place of modules that would start processes or use the network.  Trouble of the rig itself ends
 * in abort(3), too. */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"
#include "lib/buf.h"
#include "lib/span.h"

/* Says which promise was broken, and aborts. */
#define promise(kept) ((kept) ? (void)0 : rig_broken(#kept, __FILE__, __LINE__))
_Noreturn void rig_broken(const char *what, const char *file, int line);

/* The input. */
struct span rig_input(const uint8_t *p, size_t n);
/* Takes what stands before the first `sep` off the front, and the separator with it; all of it if
 * there is none. */
struct span rig_take(struct span *in, char sep);
/* Replaces *to by the input with NUL for each `stand_in`, so that words can hold some. */
void rig_nuls(struct buf *to, struct span in, char stand_in);

/* ---- what text must be ---- */

/* Is it one line of SMTP or POP3, with CRLF at its end and no other control byte than TAB? */
bool rig_is_line(struct span line);
/* Takes the next line off the front, with its LF; n = 0 at the end. */
struct span rig_line(struct span *text);
/* No bytes below 32, and no DEL, but LF and TAB? */
bool rig_is_text(struct span text);

/* Address lists that may be read as something else when they are written again: a `<` within
 * another or one that is not closed; an @ without a local part before it or a plain domain behind
 * it; a literal that is no domain; quotes within a word; comments. */
bool rig_is_odd(struct span text);

/* ---- files ---- */

#define RIG_FILES 4

/* The descriptor of nameless file `slot` with these bytes, standing at its start.  The rig owns
 * it: never close it. */
int rig_file(unsigned slot, struct span bytes);
/* What the file holds, replacing *to. */
void rig_file_text(unsigned slot, struct buf *to);
/* Makes an empty directory of our own and enters it, once; it goes when the process ends. */
void rig_directory(void);
/* Writes or replaces a file below the current directory. */
void rig_write(const char *path, struct span bytes);
/* Replaces *to; false: there is no such file. */
bool rig_read(const char *path, struct buf *to);
/* A directory, which may be there already. */
void rig_mkdir(const char *path);

/* ---- peers ---- */

/* A connection whose other end says these bytes and then nothing more; the target's end, which it
 * closes.  One at a time. */
int rig_peer(struct span says);
/* What the target has sent so far is appended; the connection is over. */
void rig_peer_heard(struct buf *to);
/* The next conn_open(net/conn.h) gives this descriptor; -1: no connection. */
void rig_connect(int fd);

/* ---- in place of queue/submit.c: every message goes into a list ---- */

enum rig_queue_mood { RIG_QUEUE_TAKES, RIG_QUEUE_BUSY, RIG_QUEUE_REFUSES, RIG_QUEUE_DEAD };

struct rig_message {
	struct buf text, sender;
	struct buf recipients;		/* each with a NUL */
	size_t n;
};

/* Forgets all messages.  BUSY and REFUSES: submit_close says so; DEAD: submit_open fails. */
void rig_queue_reset(enum rig_queue_mood mood);
/* Messages accepted since then. */
size_t rig_queue_count(void);
/* Recipients of all of them. */
size_t rig_queue_recipients(void);
/* The last one of them. */
const struct rig_message *rig_queue_last(void);
/* Submissions that were opened and not closed. */
size_t rig_queue_open(void);

/* ---- in place of lib/proc.c: programs that end at once ---- */

/* Exit code of the next programs; what they find on their descriptor 3 is kept. */
void rig_proc_reset(int code);
/* How many have been started; what the last one found. */
size_t rig_proc_count(void);
const struct buf *rig_proc_found(void);

#endif
