/* qmail-qstat - count the messages in the queue.
 * Run by: the administrator, as root or in group qmail.  fd 1: two lines.
 * Arguments, environment: unused.
 * Exit: 0, CODE_TEMP the queue could not be read. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "queue/qlayout.h"

#define PATH_SIZE 512

static int
fatal(const char *what, const char *where)
{
	return report_fail(CODE_TEMP, "qmail-qstat: fatal: %s%s: %s", what, where, errtext(errno));
}

/* Counts the files in a directory; in its subdirectories instead if it is split, whatever number
 * of them there is.  -1 after complaining.  Entries that vanish meanwhile are nobody's fault. */
static int
count_files(const char *path, bool split, uint64_t *n)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fatal("unable to opendir ", path);
	while (r == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		char below[PATH_SIZE];
		uint64_t id;
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		if (!split && qlayout_parse_id(span_str(entry->d_name), &id))
			++*n;		/* a message: no need to ask what it is */
		else if (lstat(below, &st) == 0 && !S_ISDIR(st.st_mode))
			++*n;
		else if (split)
			r = count_files(below, false, n);
	}
	if (r == 0 && errno)
		r = fatal("unable to read ", path);
	(void)closedir(dir);
	return r;
}

static int
report(const char *what, enum qdir dir, const struct qlayout *q)
{
	char line[128];
	uint64_t n = 0;
	int len;

	if (count_files(qlayout_name(dir), qlayout_is_split(q, dir), &n) != 0)
		return CODE_TEMP;
	len = snprintf(line, sizeof line, "%s: %ju\n", what, (uintmax_t)n);
	return len > 0 && io_write_all(1, line, (size_t)len) == 0 ? CODE_OK : CODE_TEMP;
}

int
main(void)
{
	static const struct sandbox_path queue[] = { { ".", SANDBOX_READ } };
	struct qlayout layout;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (chdir(QMAIL_HOME "/queue") == -1 || qlayout_detect(&layout) == -1)
		return fatal("unable to chdir to ", QMAIL_HOME "/queue");
	if (sandbox_paths(queue, sizeof queue / sizeof *queue) == -1)
		return fatal("unable to restrict itself", "");
	if (report("messages in queue", Q_MESS, &layout) != CODE_OK)
		return CODE_TEMP;
	return report("messages in queue but not yet preprocessed", Q_TODO, &layout);
}
