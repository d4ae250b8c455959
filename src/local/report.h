/* report - what the programs of this folder say: one line each, in one write. */
#ifndef LOCAL_REPORT_H
#define LOCAL_REPORT_H

/* Writes the strings up to NULL and a LF to fd.  Trouble is ignored: nobody is left to tell. */
__attribute__((sentinel)) void report_line(int fd, const char *first, ...);
/* The same to descriptor 2; returns code, so that a function can end with it. */
__attribute__((sentinel)) int report_fail(int code, const char *first, ...);

#endif
