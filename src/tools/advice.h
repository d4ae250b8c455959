/* advice - what commonly goes wrong in control/ and users/. */
#ifndef TOOLS_ADVICE_H
#define TOOLS_ADVICE_H

#include <stddef.h>

/* Writes a line to fd for each thing, `qmail-showctl: warning: FILE: what is wrong; what to do`.
 * cwd = the home directory.  What cannot be read is left out: qmail-showctl says so elsewhere.
 * Returns how many. */
size_t advice_give(int fd);

#endif
