/* Dates: the calendar is that of the C library, every form has its shape, and what the compact form
 * says is the same instant.  Input: 8 bytes. */
#include "lib/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rig.h"

#define YEAR_9999 INT64_C(253402300799)
#define YEAR_0 INT64_C(-62167219200)

const char *const fuzz_words[] = {
	"\177\377\377\377\377\377\377\377", "\200", "\1", "\377\377\377\377", "aaaaaaaa", "b",
	"\4\3\2\1", "\1\1\1\1\1\1\1", NULL
};

static void
check_calendar(int64_t t)
{
	char out[DATE_SIZE], want[DATE_SIZE], month[4];
	time_t c_time = (time_t)t;
	struct tm tm;
	int day, year, hour, minute, second;

	promise(gmtime_r(&c_time, &tm) != NULL);
	promise(strftime(month, sizeof month, "%b", &tm) == 3);
	(void)snprintf(want, sizeof want, "%d %s %d %02d:%02d:%02d -0000", tm.tm_mday, month,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	promise(date_header(out, t) == strlen(want) && strcmp(out, want) == 0);
	promise(date_gmt(out, t) > 4 && strcmp(out + strlen(out) - 4, " GMT") == 0);
	promise(sscanf(out, "%d %3s %d %d:%d:%d", &day, month, &year, &hour, &minute,
	    &second) == 6);
	promise(day == tm.tm_mday && year == tm.tm_year + 1900 && second == tm.tm_sec);
	if (t < 0)
		return;
	promise(strftime(want, sizeof want, "%a %b %d %H:%M:%S %Y", &tm) > 0);
	promise(date_from_line(out, t) == strlen(want) && strcmp(out, want) == 0);
	promise(strftime(want, sizeof want, "%Y%m%d%H%M%S", &tm) > 0);
	promise(date_compact(out, t) == strlen(want) && strcmp(out, want) == 0);
}

/* `26 Sep 1995 06:46:54 +0200`: the same instant. */
static void
check_local(int64_t t)
{
	char out[DATE_SIZE];
	time_t c_time = (time_t)t;
	struct tm tm;
	int day, year, hour, minute, second, offset;
	char month[4], sign;

	promise(date_header_local(out, t) == strlen(out));
	promise(sscanf(out, "%d %3s %d %d:%d:%d %c%d", &day, month, &year, &hour, &minute, &second,
	    &sign, &offset) == 8);
	offset = (offset / 100 * 60 + offset % 100) * (sign == '-' ? -1 : 1);
	c_time += offset * 60;
	promise(gmtime_r(&c_time, &tm) != NULL);
	promise(tm.tm_mday == day && tm.tm_hour == hour && tm.tm_min == minute);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char out[DATE_SIZE];
	uint64_t bits = 0;
	int64_t t;

	for (size_t i = 0; i < n && i < 8; i++)
		bits = bits << 8 | p[i];
	t = (int64_t)(bits >> 1) * (bits & 1 ? -1 : 1);
	promise(date_header(out, t) == strlen(out) && date_header_local(out, t) == strlen(out));
	promise(date_gmt(out, t) == strlen(out) && date_from_line(out, t) == strlen(out));
	promise(date_compact(out, t) == strlen(out));
	t %= YEAR_9999;
	if (t >= YEAR_0)
		check_calendar(t);
	if (t >= 0)
		check_local(t);
	return 0;
}
