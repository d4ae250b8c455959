/* report - what programs say on a descriptor: one line each, in one write.  For the files that hold
 * a program's words; modules return a status instead. */
#ifndef LIB_REPORT_H
#define LIB_REPORT_H

#include "lib/attr.h"

/* Writes the text and a LF to fd; strings in it may be of any length.  Trouble is ignored: nobody
 * is left to tell. */
PRINTF_LIKE(2, 3) void report_line(int fd, const char *format, ...);
/* The same to descriptor 2; returns code, so that a function can end with it. */
PRINTF_LIKE(2, 3) int report_fail(int code, const char *format, ...);

#endif
