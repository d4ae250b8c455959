/* date: the calendar against libc's, and the forms. */
#include "lib/date.h"

#include <stdlib.h>
#include <time.h>

#include "tap.h"

static const char *
form(size_t (*write)(char *, int64_t), char out[DATE_SIZE], int64_t t)
{
	size_t n = write(out, t);

	return n == strlen(out) ? out : "(wrong length)";
}

static const struct {
	int64_t time;
	const char *header, *from_line;
} rows[] = {
	{ 0, "1 Jan 1970 00:00:00 -0000", "Thu Jan 01 00:00:00 1970" },
	{ -1, "31 Dec 1969 23:59:59 -0000", "Wed Dec 31 23:59:59 1969" },
	{ 812090814, "26 Sep 1995 04:46:54 -0000", "Tue Sep 26 04:46:54 1995" },
	{ 951782399, "28 Feb 2000 23:59:59 -0000", "Mon Feb 28 23:59:59 2000" },
	{ 951782400, "29 Feb 2000 00:00:00 -0000", "Tue Feb 29 00:00:00 2000" },
	{ 4107542400, "1 Mar 2100 00:00:00 -0000", "Mon Mar 01 00:00:00 2100" },
	{ 2147483648, "19 Jan 2038 03:14:08 -0000", "Tue Jan 19 03:14:08 2038" },
	{ 253402300800, "1 Jan 10000 00:00:00 -0000", "Sat Jan 01 00:00:00 10000" },
	{ INT64_MAX, "1 Jan 1970 00:00:00 -0000", "Thu Jan 01 00:00:00 1970" },
	{ INT64_MIN, "1 Jan 1970 00:00:00 -0000", "Thu Jan 01 00:00:00 1970" },
};

/* Every day of 800 years, and times spread over many more. */
static void
test_against_libc(struct tap *t)
{
	char ours[DATE_SIZE], theirs[DATE_SIZE];
	int wrong = 0;
	struct tm tm;

	setenv("TZ", "UTC0", 1);
	for (int64_t i = -150000; i < 150000; i++) {
		time_t when = (time_t)(i * 86400 + (i * 7919) % 86400);

		gmtime_r(&when, &tm);
		if (!strftime(theirs, sizeof theirs, "%a %b %d %H:%M:%S %Y", &tm))
			abort();
		date_from_line(ours, (int64_t)when);
		wrong += tm.tm_year + 1900 >= 1000 && strcmp(ours, theirs) != 0;
	}
	is_num(t, wrong, 0, "as libc has it");
}

static const struct {
	const char *zone;
	int64_t time;
	const char *header;
} zones[] = {
	{ "UTC0", 812090814, "26 Sep 1995 04:46:54 +0000" },
	{ "XYZ-5:30", 812090814, "26 Sep 1995 10:16:54 +0530" },
	{ "XYZ5", 812090814, "25 Sep 1995 23:46:54 -0500" },
	{ "XYZ-1", 946684799, "1 Jan 2000 00:59:59 +0100" },
	{ "XYZ1", 946684800, "31 Dec 1999 23:00:00 -0100" },
	{ "XYZ-14", 951868799, "1 Mar 2000 13:59:59 +1400" },
	{ "XYZ12", 951868800, "29 Feb 2000 12:00:00 -1200" },
};

static void
test_zones(struct tap *t)
{
	char out[DATE_SIZE];

	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		setenv("TZ", zones[i].zone, 1);
		is(t, span_str(form(date_header_local, out, zones[i].time)),
		    span_str(zones[i].header), zones[i].zone);
	}
}

int
main(void)
{
	struct tap t = { 0 };
	char out[DATE_SIZE];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		is(&t, span_str(form(date_header, out, rows[i].time)), span_str(rows[i].header),
		    "header");
		is(&t, span_str(form(date_from_line, out, rows[i].time)),
		    span_str(rows[i].from_line), "From_ line");
	}
	is(&t, span_str(form(date_gmt, out, 812090814)), span_str("26 Sep 1995 04:46:54 GMT"),
	    "GMT");
	is(&t, span_str(form(date_compact, out, 812090814)), span_str("19950926044654"), "compact");
	test_against_libc(&t);
	test_zones(&t);
	return done(&t);
}
