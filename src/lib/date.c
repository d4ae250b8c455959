/* date - the UTC calendar, written the ways mail needs it. */
#include "lib/date.h"

#include <stdio.h>
#include <time.h>

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char weekdays[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* A time outside the calendar (a broken clock or file time) is shown as 1970. */
static struct tm
calendar(int64_t t)
{
	struct tm tm = { .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };
	time_t sec = (time_t)t;

	(void)gmtime_r(&sec, &tm);
	return tm;
}

static size_t
day_first(char out[DATE_SIZE], const struct tm *tm, const char *zone)
{
	int n = snprintf(out, DATE_SIZE, "%d %s %ld %02d:%02d:%02d %s", tm->tm_mday,
	    months[tm->tm_mon], (long)tm->tm_year + 1900, tm->tm_hour, tm->tm_min, tm->tm_sec,
	    zone);

	return n < 0 ? 0 : (size_t)n;
}

static size_t
day_first_utc(char out[DATE_SIZE], int64_t t, const char *zone)
{
	struct tm tm = calendar(t);

	return day_first(out, &tm, zone);
}

/* How many minutes the local clock is ahead of UTC.  The two differ by less than two days, so
 * the sign of the difference in years, else in days, is enough. */
static int
offset_minutes(const struct tm *local, const struct tm *utc)
{
	int days = local->tm_yday - utc->tm_yday;

	if (local->tm_year != utc->tm_year)
		days = local->tm_year > utc->tm_year ? 1 : -1;
	return (days * 24 + local->tm_hour - utc->tm_hour) * 60 + local->tm_min - utc->tm_min;
}

size_t
date_header(char out[DATE_SIZE], int64_t t)
{
	return day_first_utc(out, t, "-0000");
}

size_t
date_header_local(char out[DATE_SIZE], int64_t t)
{
	struct tm utc = calendar(t), local;
	time_t sec = (time_t)t;
	char zone[DATE_SIZE];
	int minutes;

	tzset();
	if (!localtime_r(&sec, &local))
		local = utc;
	minutes = offset_minutes(&local, &utc);
	(void)snprintf(zone, sizeof zone, "%c%02d%02d", minutes < 0 ? '-' : '+',
	    (minutes < 0 ? -minutes : minutes) / 60, (minutes < 0 ? -minutes : minutes) % 60);
	return day_first(out, &local, zone);
}

size_t
date_gmt(char out[DATE_SIZE], int64_t t)
{
	return day_first_utc(out, t, "GMT");
}

size_t
date_from_line(char out[DATE_SIZE], int64_t t)
{
	struct tm tm = calendar(t);
	int n = snprintf(out, DATE_SIZE, "%s %s %02d %02d:%02d:%02d %ld", weekdays[tm.tm_wday],
	    months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    (long)tm.tm_year + 1900);

	return n < 0 ? 0 : (size_t)n;
}

size_t
date_compact(char out[DATE_SIZE], int64_t t)
{
	struct tm tm = calendar(t);
	int n = snprintf(out, DATE_SIZE, "%04ld%02d%02d%02d%02d%02d", (long)tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);

	return n < 0 ? 0 : (size_t)n;
}

int64_t
date_now(void)
{
	return (int64_t)time(NULL);
}
