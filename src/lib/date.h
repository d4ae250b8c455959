/* date - the UTC calendar, written the ways mail needs it.  Times are seconds since 1970. */
#ifndef LIB_DATE_H
#define LIB_DATE_H

#include <stddef.h>
#include <stdint.h>

#define DATE_SIZE 64		/* room for any of these with a NUL, any int64_t year */

/* `26 Sep 1995 04:46:54 -0000`: header fields; the day has no leading zero.  Returns the length. */
size_t date_header(char out[DATE_SIZE], int64_t t);
/* `26 Sep 1995 06:46:54 +0200`: the same instant by the local clock (TZ, /etc/localtime) with the
 * offset that was valid then. */
size_t date_header_local(char out[DATE_SIZE], int64_t t);
/* `26 Sep 1995 04:46:54 GMT`: qmail-qread. */
size_t date_gmt(char out[DATE_SIZE], int64_t t);
/* `Thu Nov 20 21:36:00 2025`: the From_ line of an mbox; day of month with two digits. */
size_t date_from_line(char out[DATE_SIZE], int64_t t);
/* `19950926044654`: inside a Message-ID. */
size_t date_compact(char out[DATE_SIZE], int64_t t);
/* Seconds since 1970 on the wall clock. */
int64_t date_now(void);

#endif
