/* filemark: every way in which a file may have changed. */
#include "lib/filemark.h"

#include "scratch.h"
#include "tap.h"

static void
put(const char *name, const char *text)
{
	(void)close(scratch_file(name, text));
}

static void
check(struct tap *t, const struct filemark *before, bool same, const char *what)
{
	struct filemark now;

	filemark_take(&now, "file");
	ok(t, filemark_same(before, &now) == same, "%s", what);
}

int
main(void)
{
	const struct timespec old[2] = { { 1000, 5 }, { 1000, 5 } };
	struct tap t = { 0 };
	struct scratch s;
	struct filemark m, absent;

	scratch_enter(&s);
	filemark_take(&absent, "file");
	ok(&t, !absent.exists && !filemark_recent(&absent), "absent");
	check(&t, &absent, true, "still absent");
	put("file", "one");
	check(&t, &absent, false, "it is there now");
	if (utimensat(AT_FDCWD, "file", old, 0) == -1)
		abort();
	filemark_take(&m, "file");
	ok(&t, m.exists && m.size == 3 && m.modified.tv_nsec == 5, "what is known");
	ok(&t, filemark_recent(&m), "recent, whatever its owner says of it");
	check(&t, &m, true, "nothing has happened");
	put("file", "three");
	if (utimensat(AT_FDCWD, "file", old, 0) == -1)
		abort();
	check(&t, &m, false, "another size, the same time");
	filemark_take(&m, "file");
	put("new", "three");
	if (utimensat(AT_FDCWD, "new", old, 0) == -1 || rename("new", "file") == -1)
		abort();
	check(&t, &m, false, "another file");
	if (unlink("file") == -1)
		abort();
	check(&t, &m, false, "it is gone");
	m.changed.tv_sec -= FILEMARK_RECENT_S + 2;
	ok(&t, !filemark_recent(&m), "not recent any more");
	scratch_leave(&s);
	return done(&t);
}
