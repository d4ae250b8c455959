/* greystore: what cannot be read, written or held in memory, and what follows from it. */
#include "smtp/greystore.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "greyrig.h"
#include "lib/io.h"
#include "scratch.h"
#include "tap.h"

/* Files that cannot be read at all, the day's own as well. */
static void
test_unreadable(struct tap *t)
{
	is_num(t, ask("w", NOW), GREYSTORE_FIRST, "before the trouble");
	ok(t, mkdir("19999.cdb", 0700) == 0 && mkdir("19998.log", 0700) == 0, "directories");
	is_num(t, ask("x", NOW), GREYSTORE_FIRST, "  are days alone");
	is(t, span_str(trouble.name), span_str("19999.cdb"), "  the first is named");
	ok(t, trouble.error == EISDIR && !trouble.moved, "  with its reason");
	is_num(t, ask("w", NOW + 300), GREYSTORE_KNOWN, "  what other days know is known");
	ok(t, mkdir("20001.log", 0700) == 0, "the day's own log");
	is_num(t, ask("y", NOW + DAY), GREYSTORE_FAILED, "  cannot be done without");
	is(t, span_str(trouble.name), span_str("20001.log"), "  and is named");
	ok(t, rmdir("19999.cdb") == 0 && rmdir("19998.log") == 0 &&
	    rmdir("20001.log") == 0, "gone");
}

#define FULL (GREYSTORE_LOG_MAX / GREYSTORE_RECORD)

/* A log of n first attempts, by nobody who asks here; `who` tells them from others. */
static void
fill_log(const char *path, size_t n, int who)
{
	char record[GREYSTORE_RECORD] = { 0 };
	FILE *log = fopen(path, "wbe");

	if (!log)
		abort();
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(record, sizeof record, "%d:%zu", who, i);
		if (fwrite(record, sizeof record, 1, log) != 1)
			abort();
	}
	if (fclose(log) == EOF)
		abort();
}

/* Lets the process grow by so much more.  *old: for setrlimit later. */
static void
limit_memory(struct rlimit *old, size_t more)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128] = "";
	struct rlimit limit;

	(void)getrlimit(RLIMIT_AS, old);
	limit = *old;
	if (fd == -1 || io_read(fd, text, sizeof text - 1) <= 0)
		abort();
	(void)close(fd);
	limit.rlim_cur = (rlim_t)strtoul(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) + more;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	(void)setrlimit(RLIMIT_AS, &limit);
#endif
}

/* Only the user who asks cannot read it: what is added is never found. */
static void
test_write_only(struct tap *t)
{
	bool root = geteuid() == 0;
	struct stat st;

	is_num(t, ask("w", NOW), GREYSTORE_FIRST, "today's log");
	ok(t, chmod("20000.log", 0222) == 0 && chmod("lock", 0666) == 0 && chmod(".", 0777) == 0 &&
	    (!root || seteuid(65534) == 0), "  can be written, not read");
	for (int i = 1; i <= 3; i++)
		is_num(t, ask("w", NOW + i * 1200), GREYSTORE_FAILED, "  nobody waits");
	is(t, span_str(trouble.name), span_str("20000.log"), "  it is named");
	ok(t, trouble.error == EACCES && trouble.effect == GREYSTORE_STOPS, "  and why");
	ok(t, (!root || seteuid(0) == 0) && chmod("20000.log", 0600) == 0 &&
	    stat("20000.log", &st) == 0 && st.st_size == GREYSTORE_RECORD, "  nothing is added");
	is_num(t, ask("w", NOW + 4800), GREYSTORE_KNOWN, "readable again");
	fill_log("20000.log", FULL - 1, 0);
	is_num(t, ask("v", NOW), GREYSTORE_FIRST, "with a database");
	(void)close(scratch_file("20000.log", ""));
	ok(t, chmod("20000.log", 0222) == 0 && chmod("20000.cdb", 0644) == 0 &&
	    (!root || seteuid(65534) == 0), "  and a log");
	is_num(t, ask("v", NOW + 20000), GREYSTORE_FAILED, "  that may tell of later attempts");
	ok(t, !root || seteuid(0) == 0, "  back");
}

/* A log that is longer than the memory there is. */
static void
test_small_memory(struct tap *t)
{
	struct rlimit old;

	fill_log("20000.log", 34000, 0);
	limit_memory(&old, (size_t)2 << 20);
	is_num(t, ask("m", NOW), GREYSTORE_FIRST, "a long log in little memory");
	is_num(t, ask("m", NOW + 1200), GREYSTORE_KNOWN, "  is read");
	is(t, span_str(trouble.name), span_str(""), "  without trouble");
	(void)setrlimit(RLIMIT_AS, &old);
}

/* The database cannot be written: files may have so many bytes only. */
static void
ask_with_room(struct tap *t, const char *name, size_t bytes, bool merges)
{
	struct rlimit old, small;
	struct stat st;

	(void)getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = bytes;
	(void)setrlimit(RLIMIT_FSIZE, &small);
	is_num(t, ask(name, NOW), GREYSTORE_FIRST, "little room");
	(void)setrlimit(RLIMIT_FSIZE, &old);
	is(t, span_str(trouble.name), span_str(merges ? "20000.cdb" : ""), "  told if tried");
	ok(t, !merges || (trouble.error == EFBIG && trouble.effect == GREYSTORE_UNTIDY &&
	    !trouble.moved), "  the reason, and that nothing is lost");
	ok(t, stat("new", &st) == -1 && stat("20000.bad", &st) == -1, "  nothing is left behind");
	ok(t, stat("20000.log", &st) == 0 && st.st_size > (off_t)GREYSTORE_LOG_MAX -
	    GREYSTORE_RECORD, "  the log is as it was");
}

static void
test_no_room(struct tap *t)
{
	const size_t more = GREYSTORE_AGAIN / GREYSTORE_RECORD;
	struct stat st;

	(void)signal(SIGXFSZ, SIG_IGN);
	fill_log("20000.log", FULL - 1, 0);
	ask_with_room(t, "a", GREYSTORE_LOG_MAX + 100000, true);
	ask_with_room(t, "b", GREYSTORE_LOG_MAX + 100000, false);
	fill_log("20000.log", FULL + more - 2, 0);
	is_num(t, ask("c", NOW), GREYSTORE_FIRST, "not at once");
	ok(t, stat("20000.cdb", &st) == -1, "  again");
	is_num(t, ask("d", NOW), GREYSTORE_FIRST, "but later");
	ok(t, stat("20000.cdb", &st) == 0 && stat("20000.log", &st) == -1, "  again");
	is_num(t, ask("c", NOW + 300), GREYSTORE_KNOWN, "  with all that came");
	fill_log("20000.log", FULL - 1, 1);
	ask_with_room(t, "e", FULL * 40 + 100000, true);	/* no room for what is old */
	ok(t, stat("20000.cdb", &st) == 0, "  the database is as it was");
	is_num(t, ask("d", NOW + 300), GREYSTORE_KNOWN, "  and in use");
}

/* Damage that shows when the two become one. */
static void
test_damaged_old(struct tap *t)
{
	struct stat st;
	int fd;

	fill_log("20000.log", FULL - 1, 0);
	is_num(t, ask("a", NOW), GREYSTORE_FIRST, "a database");
	fd = open("20000.cdb", O_WRONLY | O_CLOEXEC);
	ok(t, fd != -1 && pwrite(fd, "\1", 1, 2048) == 1, "  with a wrong record");
	(void)close(fd);
	fill_log("20000.log", FULL - 1, 1);
	is_num(t, ask("b", NOW), GREYSTORE_FIRST, "  is read");
	is(t, span_str(trouble.name), span_str("20000.cdb"), "  it is named");
	ok(t, trouble.moved && trouble.effect == GREYSTORE_FORGETS &&
	    stat("20000.bad", &st) == 0 && stat("new", &st) == -1, "  and put aside");
}

/* Memory for the list of what is in the database is what is missing. */
static void
test_no_memory(struct tap *t)
{
	struct rlimit old;
	struct stat st;

	for (int i = 0; i < 8; i++) {
		fill_log("20000.log", FULL - 1, i);
		(void)ask(i ? "x" : "a", NOW);
	}
	fill_log("20000.log", FULL - 1, 8);
	limit_memory(&old, 0);
	is_num(t, ask("b", NOW), GREYSTORE_FIRST, "no memory");
	(void)setrlimit(RLIMIT_AS, &old);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	is_num(t, trouble.error, ENOMEM, "  is the reason");
	is_num(t, trouble.effect, GREYSTORE_UNTIDY, "  and nothing is lost");
#endif
	ok(t, stat("new", &st) == -1 && stat("20000.bad", &st) == -1, "  nothing is left behind");
	is_num(t, ask("a", NOW + 300), GREYSTORE_KNOWN, "  all is known");
}

static void (*const tests[])(struct tap *t) = {
	test_unreadable, test_write_only, test_small_memory, test_no_room, test_damaged_old,
	test_no_memory,
};

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		tests[i](&t);
		empty_directory();
	}
	scratch_leave(&s);
	return done(&t);
}
