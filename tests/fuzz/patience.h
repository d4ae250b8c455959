/* patience - ends a program whose input never ends: by a count of seconds in which it was running,
 * so that neither a machine that stood still nor a clock that was set counts. */
#ifndef PATIENCE_H
#define PATIENCE_H

/* From now on an input may take so many seconds. */
void patience_start(int seconds);
/* The next input begins. */
void patience_renew(void);

#endif
