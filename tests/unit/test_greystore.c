/* greystore: what has to wait and what is known, over days, damage and full logs; the key. */
#include "smtp/greystore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "greyrig.h"
#include "scratch.h"
#include "smtp/greylist.h"
#include "tap.h"

static const struct {
	const char *name;
	int64_t after;
	enum greystore_answer answer;
} story[] = {
	{ "a", 0, GREYSTORE_FIRST },
	{ "a", 0, GREYSTORE_EARLY },
	{ "a", 299, GREYSTORE_EARLY },
	{ "b", 299, GREYSTORE_FIRST },
	{ "a", 300, GREYSTORE_KNOWN },
	{ "a", 300, GREYSTORE_KNOWN },
	{ "b", 299 + 14400, GREYSTORE_KNOWN },
	{ "c", 14400, GREYSTORE_FIRST },
	{ "c", 14400 + 14401, GREYSTORE_FIRST },	/* too late */
	{ "c", 14400 + 14401 + 300, GREYSTORE_KNOWN },
	{ "a", DAY + 5, GREYSTORE_KNOWN },
	{ "a", DAY + 5 + 35 * DAY, GREYSTORE_KNOWN },
	{ "b", DAY + 5 + 35 * DAY, GREYSTORE_KNOWN },
	{ "c", DAY + 36 * DAY, GREYSTORE_FIRST },	/* known no longer */
	{ "a", DAY + 72 * DAY + 6, GREYSTORE_FIRST },
	{ "a", DAY + 72 * DAY, GREYSTORE_FIRST },	/* the clock went back */
};

static int
count_files(void)
{
	DIR *d = opendir(".");
	const struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

static void
test_full_log(struct tap *t)
{
	const int records = 3 * (int)(GREYSTORE_LOG_MAX / GREYSTORE_RECORD) / 2;
	bool good = true;
	struct stat st;

	for (int i = 0; i < records && good; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "k%d", i);
		if (i < 3 || i > records - 3)
			good = ask(name, NOW) == GREYSTORE_FIRST;
		else {
			unsigned char key[GREYSTORE_KEY] = { 0 };

			memcpy(key, name, strlen(name));
			good = greystore_teach(".", key, NOW, &times, &trouble) == 0;
		}
	}
	ok(t, good, "%d records", records);
	ok(t, stat("20000.cdb", &st) == 0 && st.st_size > 0, "a full log became a database");
	ok(t, stat("20000.log", &st) == 0 && st.st_size < (off_t)GREYSTORE_LOG_MAX, "a new one");
	is_num(t, count_files(), 3, "three files");
	is_num(t, ask("k0", NOW + 300), GREYSTORE_KNOWN, "in the database");
	is_num(t, ask("k5", NOW), GREYSTORE_KNOWN, "learned");
	is_num(t, ask("other", NOW), GREYSTORE_FIRST, "not there");
	is_num(t, ask("x", NOW + DAY), GREYSTORE_FIRST, "the next day");
	ok(t, stat("20000.log", &st) == -1, "the log of the day before is in the database");
	is_num(t, ask("k0", NOW + DAY), GREYSTORE_KNOWN, "which has what was in it");
	is_num(t, ask("k5", NOW + DAY), GREYSTORE_KNOWN, "and what was there before");
}

static void
test_damage(struct tap *t)
{
	struct stat st;

	(void)close(scratch_file("20010.log", "torn"));
	is_num(t, ask("t", NOW + 10 * DAY), GREYSTORE_FIRST, "a torn record does not matter");
	ok(t, stat("20010.log", &st) == 0 && st.st_size == GREYSTORE_RECORD, "  and is gone");
	(void)close(scratch_file("20009.cdb", "no database"));
	is_num(t, ask("u", NOW + 10 * DAY), GREYSTORE_FIRST, "a damaged database is one day only");
	is(t, span_str(trouble.name), span_str("20009.cdb"), "  it is named");
	ok(t, trouble.moved && stat("20009.bad", &st) == 0, "  and put aside");
	is_num(t, ask("t", NOW + 10 * DAY + 300), GREYSTORE_KNOWN, "the other days work");
	is(t, span_str(trouble.name), span_str(""), "  nothing is left to be told");
	(void)close(scratch_file("notes", "not ours"));
	is_num(t, ask("v", NOW + 11 * DAY), GREYSTORE_FIRST, "files of others");
	ok(t, stat("notes", &st) == 0, "  stay");
	trouble = (struct greystore_trouble){ 0 };
	is_num(t, greystore_ask("nonesuch", (const unsigned char *)"0123456789abcdef", NOW, &times,
	    &trouble), GREYSTORE_FAILED, "no directory");
	is(t, span_str(trouble.name), span_str("lock"), "  names the file");
	is_num(t, trouble.error, ENOENT, "  and the reason");
}

/* A file of more than the memory there is: nothing of it is mapped or read as a whole. */
static void
test_huge(struct tap *t)
{
	struct rlimit old, small = { 0 };
	struct stat st;
	int fd;

	is_num(t, ask("big", NOW), GREYSTORE_FIRST, "known");
	is_num(t, ask("big", NOW + 300), GREYSTORE_KNOWN, "  before");
	is_num(t, ask("next", NOW + DAY), GREYSTORE_FIRST, "  the next day");
	fd = open("20000.cdb", O_WRONLY | O_CLOEXEC);
	ok(t, fd != -1 && ftruncate(fd, (off_t)3 << 30) == 0, "a file of 3 gigabytes");
	(void)close(fd);
	(void)getrlimit(RLIMIT_AS, &old);
	small = old;
	small.rlim_cur = (rlim_t)1 << 30;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	(void)setrlimit(RLIMIT_AS, &small);
#endif
	is_num(t, ask("big", NOW + DAY), GREYSTORE_KNOWN, "is read in less memory");
	is(t, span_str(trouble.name), span_str(""), "  without trouble");
	(void)setrlimit(RLIMIT_AS, &old);
	ok(t, truncate("20001.cdb", (off_t)GREYSTORE_DAY_MAX) == -1, "no database of that day yet");
	(void)close(scratch_file("20001.cdb", ""));
	ok(t, truncate("20001.cdb", (off_t)GREYSTORE_DAY_MAX) == 0, "a full day");
	is_num(t, ask("more", NOW + DAY), GREYSTORE_FAILED, "  takes nothing more");
	ok(t, trouble.error == EFBIG && stat("20001.cdb", &st) == 0, "  and says so");
}

static bool
is_there(int day)
{
	char name[GREYSTORE_NAME];
	struct stat st;

	(void)snprintf(name, sizeof name, "%d.cdb", day);
	if (stat(name, &st) == 0)
		return true;
	(void)snprintf(name, sizeof name, "%d.log", day);
	return stat(name, &st) == 0;
}

/* Comes on each day, and again a little later. */
static void
live(const char *who, int from, int days, const struct greystore_times *life)
{
	for (int i = 0; i < days; i++) {
		(void)ask_with(who, NOW + (int64_t)(from + i) * DAY, life);
		(void)ask_with(who, NOW + (int64_t)(from + i) * DAY + 600, life);
	}
}

static void
test_lives(struct tap *t)
{
	static const struct greystore_times brief = { 0, 0, 0 }, week = { 300, 14400, 7 * DAY },
	    quarter = { 300, 14400, 90 * DAY };

	live("one", 0, 30, &times);
	(void)ask_with("two", NOW + 30 * DAY, &brief);
	ok(t, is_there(20000), "a client that forgets at once is no reason for others to");
	is_num(t, ask("one", NOW + 30 * DAY), GREYSTORE_KNOWN, "  they are known");
	(void)ask_with("three", NOW + 30 * DAY, &quarter);
	live("one", 31, 30, &times);
	ok(t, is_there(20000), "the longest life counts, whoever begins a day");
	live("one", 61, 100, &times);
	ok(t, !is_there(20000), "until nobody asks with it for as long");
	ok(t, is_there(20160 - 36) && !is_there(20160 - 40), "then the others' does");
	live("four", 161, 60, &week);
	ok(t, is_there(20220 - 8) && !is_there(20220 - 12), "a shorter one for all is waited for");
}

static void
test_clock(struct tap *t)
{
	live("one", 0, 40, &times);
	(void)ask("far", NOW + 400 * DAY);
	ok(t, is_there(20039) && is_there(20010), "a clock a year ahead removes nothing");
	(void)ask("far", NOW - 400 * DAY);
	ok(t, is_there(20039) && is_there(20400), "nor one a year behind");
	is_num(t, ask("one", NOW + 40 * DAY + 700), GREYSTORE_KNOWN, "put right, all is known");
	ok(t, !is_there(20400), "and what was never is gone");
	ok(t, !is_there(19600), "  both ways");
	(void)ask("day", NOW + 42 * DAY);
	(void)ask("day", NOW + 38 * DAY);
	is_num(t, ask("one", NOW + 41 * DAY), GREYSTORE_KNOWN, "two days, both ways");
	empty_directory();
	live("sparse", 0, 3, &times);
	(void)ask("sparse", NOW + 300 * DAY);
	ok(t, is_there(20000), "few days are kept for long");
}

static const struct {
	const char *text;
	int64_t wait, retry, known;
} switches[] = {
	{ "", 300, 14400, 3110400 },
	{ "60", 60, 14400, 3110400 },
	{ "60:3600:86400", 60, 3600, 86400 },
	{ ":3600", 300, 3600, 3110400 },
	{ "::100", 300, 14400, 14400 },
	{ "x:y:z:1", 300, 14400, 3110400 },
	{ "0:0:0", 0, 0, 0 },
	{ "99999999999999999999:1:1", 400 * DAY, 1, 1 },
};

static bool
same_key(const char *ip1, const char *ip2, const char *sender, const char *rcpt)
{
	unsigned char a[GREYSTORE_KEY], b[GREYSTORE_KEY];
	struct ip x, y;

	if (!ip_parse(span_str(ip1), &x) || !ip_parse(span_str(ip2), &y))
		abort();
	greylist_key(&x, span_str("a@b.example"), span_str("c@d.example"), a);
	greylist_key(&y, span_str(sender), span_str(rcpt), b);
	return memcmp(a, b, sizeof a) == 0;
}

static void
test_keys(struct tap *t)
{
	ok(t, same_key("192.0.2.1", "192.0.2.9", "A@B.example", "C@d.EXAMPLE"), "one /24, case");
	ok(t, !same_key("192.0.2.1", "192.0.3.1", "a@b.example", "c@d.example"), "another /24");
	ok(t, same_key("2001:db8::1", "2001:db8::2", "a@b.example", "c@d.example"), "one /64");
	ok(t, !same_key("2001:db8::1", "2001:db8:0:1::1", "a@b.example", "c@d.example"), "another");
	ok(t, !same_key("192.0.2.1", "192.0.2.1", "a@b.example", "c@d.exampl"), "another rcpt");
	ok(t, !same_key("192.0.2.1", "192.0.2.1", "x@b.example", "c@d.example"), "another sender");
}

static const struct {
	const char *sender, *rcpt, *path;
} paths[] = {
	{ "A@b.example", "C@D.example", "d.example/c/b.example/a@b.example" },
	{ "a@b@c", "d@e", "e/d/c/a@b@c" },
	{ "a/b@c", "d@e", NULL },
	{ "a@..", "d@e", NULL },
	{ "a@c", "../x@e", NULL },
	{ "a@c", ".hidden@e", NULL },
	{ "", "d@e", NULL },
	{ "a@c", "d", NULL },
	{ "a", "d@e", NULL },
};

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	for (size_t i = 0; i < sizeof story / sizeof *story; i++)
		is_num(&t, ask(story[i].name, NOW + story[i].after), story[i].answer,
		    story[i].name);
	is_num(&t, count_files(), 6, "a lock, five days: too few for any to go");
	empty_directory();
	test_full_log(&t);
	empty_directory();
	test_damage(&t);
	empty_directory();
	test_huge(&t);
	empty_directory();
	test_lives(&t);
	empty_directory();
	test_clock(&t);
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		struct greystore_times got = greylist_times(span_str(switches[i].text));

		ok(&t, got.wait == switches[i].wait && got.retry == switches[i].retry &&
		    got.known == switches[i].known, "GREYLIST=%s", switches[i].text);
	}
	test_keys(&t);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct buf path = { 0 };
		bool good = greylist_spamdyke_path(span_str(paths[i].sender),
		    span_str(paths[i].rcpt), &path);

		ok(&t, good == (paths[i].path != NULL), "%s, %s", paths[i].sender, paths[i].rcpt);
		if (good)
			is(&t, buf_span(&path), span_str(paths[i].path), "  path");
		buf_free(&path);
	}
	scratch_leave(&s);
	return done(&t);
}
