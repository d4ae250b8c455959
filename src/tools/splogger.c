/* splogger - hand the lines of standard input to syslog.
 * Usage: splogger [tag [facility]]
 * Run by: qmail-start, as qmaill:nofiles.  fd 0: lines.  Environment: unused.
 * Exit: 0 at the end of the input; 111 if reading fails. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/sandbox.h"
#include "tools/splog.h"

#define FACILITY_DEFAULT 2	/* mail */
#define FACILITY_MAX 23
#define INPUT_SIZE 8192

static void
now(char out[SPLOG_STAMP])
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	(void)snprintf(out, SPLOG_STAMP, "%lld.%06ld", (long long)t.tv_sec, t.tv_nsec / 1000);
}

static void
to_syslog(void *arg, const struct splog_entry *entry)
{
	static const int priorities[] = {
		[SPLOG_INFO] = LOG_INFO, [SPLOG_WARNING] = LOG_WARNING, [SPLOG_ALERT] = LOG_ALERT
	};

	(void)arg;
	syslog(priorities[entry->level], "%s", entry->text);
}

static int
copy(int fd)
{
	struct splog s = { .emit = to_syslog };
	char input[INPUT_SIZE];
	struct io_in in;
	enum io_status status;

	io_in_init(&in, fd, input, sizeof input);
	while ((status = io_fill(&in)) == IO_OK) {
		struct span have = io_peek(&in);

		splog_feed(&s, have, now);
		io_skip(&in, have.n);
	}
	splog_end(&s);
	return status == IO_EOF ? CODE_OK : CODE_TEMP;
}

/* Without a logger qmail-start would end, so a facility that is none counts as not given. */
static int
facility_of(const char *text)
{
	uint64_t facility = FACILITY_DEFAULT;

	if (text && num_parse_u64(text, strlen(text), FACILITY_MAX, &facility) != NUM_OK)
		facility = FACILITY_DEFAULT;
	return (int)facility << 3;
}

int
main(int argc, char **argv)
{
	const char *tag = argc > 1 ? argv[1] : "splogger";

	if (io_open_standard() == -1)
		return CODE_TEMP;
	/* syslog(3) wants the time zone; afterwards no file is needed, only the socket. */
	tzset();
	openlog(tag, LOG_NDELAY, facility_of(argc > 2 ? argv[2] : NULL));
	if (sandbox_paths(NULL, 0) == -1)
		return CODE_TEMP;
	return copy(0);
}
