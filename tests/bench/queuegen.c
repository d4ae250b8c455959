/* queuegen - puts messages into a queue that nobody is using.
 *	queuegen QUEUE SPLIT COUNT DUE
 * Run by: root, where the suite's accounts are.  Each message waits for its one remote recipient
 * until DUE (seconds since 1970), as after a delivery that was deferred; one in a thousand is due
 * already. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DOMAINS = 5000, DUE_NOW = 1000 };

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static uid_t
user(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		fail(name);
	return pw->pw_uid;
}

/* Creates path with this text; its inode number. */
static uint64_t
put(const char *path, const char *text, size_t n, mode_t mode, uid_t uid, gid_t gid, time_t when)
{
	struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);

	if (fd == -1 || write(fd, text, n) != (ssize_t)n || fchown(fd, uid, gid) == -1 ||
	    futimens(fd, times) == -1 || fstat(fd, &st) == -1)
		fail(path);
	close(fd);
	return st.st_ino;
}

int
main(int argc, char **argv)
{
	static const char text[] = "Received: (made by queuegen)\nSubject: x\n\nhello\n";
	static const char sender[] = "Fann@bench.test";
	const struct group *group = getgrnam("qmail");
	uid_t queue = user("qmailq"), send = user("qmails");
	char path[100], recipient[100];
	time_t due, now = time(NULL);
	unsigned long split, count;

	if (argc != 5 || chdir(argv[1]) == -1 || group == NULL)
		fail("queuegen: usage: queuegen QUEUE SPLIT COUNT DUE");
	split = strtoul(argv[2], NULL, 10);
	count = strtoul(argv[3], NULL, 10);
	due = (time_t)strtoul(argv[4], NULL, 10);
	umask(0);
	while (count-- > 0) {
		uint64_t id = put("pid/queuegen", text, sizeof text - 1, 0644, queue, group->gr_gid,
		    now);
		unsigned long part = (unsigned long)(id % split), number = (unsigned long)id;

		snprintf(path, sizeof path, "mess/%lu/%lu", part, number);
		if (rename("pid/queuegen", path) == -1)
			fail(path);
		snprintf(path, sizeof path, "info/%lu/%lu", part, number);
		put(path, sender, sizeof sender, 0600, send, group->gr_gid, now);
		snprintf(path, sizeof path, "remote/%lu/%lu", part, number);
		snprintf(recipient, sizeof recipient, "Tr%lu@d%lu.sink.test", number,
		    1 + count % DOMAINS);
		put(path, recipient, strlen(recipient) + 1, 0600, send, group->gr_gid,
		    count % DUE_NOW == 0 ? now : due);
	}
	return 0;
}
