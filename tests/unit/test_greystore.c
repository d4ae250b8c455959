/* greystore: what has to wait and what is known, over days, damage and full logs; the key. */
#include "smtp/greystore.h"

#include <dirent.h>
#include <errno.h>

#include "scratch.h"
#include "smtp/greylist.h"
#include "tap.h"

#define DAY 86400
#define NOW ((int64_t)20000 * DAY + 1000)

static const struct greystore_times times = { 300, 14400, 36 * DAY };

static enum greystore_answer
ask(const char *name, int64_t now)
{
	unsigned char key[GREYSTORE_KEY] = { 0 };

	memcpy(key, name, strlen(name));
	return greystore_ask(".", key, now, &times);
}

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
			good = greystore_teach(".", key, NOW, &times) == 0;
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
	errno = 0;
	is_num(t, ask("u", NOW + 10 * DAY), GREYSTORE_FAILED, "a damaged database");
	is_num(t, errno, EPROTO, "  says so");
	(void)unlink("20009.cdb");
	(void)close(scratch_file("notes", "not ours"));
	(void)close(scratch_file("99999.log", ""));
	is_num(t, ask("v", NOW + 11 * DAY), GREYSTORE_FIRST, "files of others");
	ok(t, stat("notes", &st) == 0, "  stay");
	ok(t, stat("99999.log", &st) == -1, "a day far ahead does not");
	is_num(t, greystore_ask("nonesuch", (const unsigned char *)"0123456789abcdef", NOW, &times),
	    GREYSTORE_FAILED, "no directory");
}

static void
empty_directory(void)
{
	DIR *d = opendir(".");
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			(void)unlink(e->d_name);
	(void)closedir(d);
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
	is_num(&t, count_files(), 4, "old days are gone: a lock, three days");
	empty_directory();
	test_full_log(&t);
	empty_directory();
	test_damage(&t);
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
