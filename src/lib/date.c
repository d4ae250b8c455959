/* date - the UTC calendar, written the ways mail needs it. */
#include "lib/date.h"

#include <stdio.h>
#include <time.h>

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char weekdays[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* Quotient and remainder of n / d with the remainder never negative, d > 0. */
static int64_t
floor_div(int64_t n, int64_t d, int64_t *rest)
{
	*rest = n % d;
	if (*rest < 0)
		*rest += d;
	return (n - *rest) / d;
}

/* Our own arithmetic: gmtime_r(3) would read $TZ and a file it names, in set-uid programs too.
 * Years are counted from 1 March, so that the day that comes and goes is a year's last; 400 of
 * them have 146097 days.  A time outside struct tm (a broken clock) is shown as 1970. */
static struct tm
calendar(int64_t t)
{
	struct tm tm = { .tm_mday = 1, .tm_year = 70, .tm_wday = 4 };
	int64_t second, weekday, day, year, month;
	int64_t days, eras;

	if (t / 86400 > INT32_MAX || t / 86400 < INT32_MIN)
		return tm;
	days = floor_div(t, 86400, &second);
	(void)floor_div(days + 4, 7, &weekday);		/* 1 January 1970 was a Thursday */
	eras = floor_div(days + 719468, 146097, &day);	/* since 1 March of the year 0 */
	year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= year * 365 + year / 4 - year / 100;
	month = (5 * day + 2) / 153;			/* 0 is March; five have 153 days */
	tm.tm_mday = (int)(day - (153 * month + 2) / 5) + 1;
	tm.tm_mon = (int)(month < 10 ? month + 2 : month - 10);
	tm.tm_year = (int)(eras * 400 + year + (month >= 10) - 1900);
	tm.tm_wday = (int)weekday;
	tm.tm_hour = (int)(second / 3600);
	tm.tm_min = (int)(second / 60 % 60);
	tm.tm_sec = (int)(second % 60);
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
 * the sign of the difference in years, else in months, is enough. */
static int
offset_minutes(const struct tm *local, const struct tm *utc)
{
	int days = local->tm_mday - utc->tm_mday;

	if (local->tm_year != utc->tm_year)
		days = local->tm_year > utc->tm_year ? 1 : -1;
	else if (local->tm_mon != utc->tm_mon)
		days = local->tm_mon > utc->tm_mon ? 1 : -1;
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
