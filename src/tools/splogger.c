/* splogger - hand the lines of standard input to syslog.
 * Usage: splogger [tag [facility]]
 * Run by: qmail-start, as qmaill:nofiles.  fd 0: lines.  Environment: unused.
 * Exit: 0 at the end of the input; 100 if the facility is no number; 111 if reading fails. */
#include <stdio.h>
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

static int
usage(void)
{
	static const char text[] = "splogger: usage: splogger [tag [facility]]\n";

	(void)!io_write_all(2, text, sizeof text - 1);
	return CODE_PERM;
}

int
main(int argc, char **argv)
{
	const char *tag = argc > 1 ? argv[1] : "splogger";
	uint64_t facility = FACILITY_DEFAULT;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (argc > 2) {
		struct span text = span_str(argv[2]);

		if (num_parse_u64(text.p, text.n, FACILITY_MAX, &facility) != NUM_OK)
			return usage();
	}
	/* syslog(3) wants the time zone; afterwards no file is needed, only the socket. */
	tzset();
	openlog(tag, LOG_NDELAY, (int)facility << 3);
	if (sandbox_paths(NULL, 0) == -1)
		return CODE_TEMP;
	return copy(0);
}
