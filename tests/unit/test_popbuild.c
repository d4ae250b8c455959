/* popbuild: lines of users become records, and one that stands for the work of their passwords. */
#include "users/popbuild.h"

#include "lib/cdbmap.h"
#include "scratch.h"
#include "tap.h"

#define U ":p:/x\n"

static const struct {
	const char *hash, *kind;
} kinds[] = {
	{ "", "" }, { "abcdefghijklm", "" }, { "_J9..", "" }, { "$1$salt$hash", "$1$" },
	{ "$5$salt$hash", "$5$" }, { "$6$salt$hash", "$6$" },
	{ "$6$rounds=5000$salt$hash", "$6$rounds=5000$" }, { "$2b$05$salthash", "$2b$05$" },
	{ "$y$j9T$salt$hash", "$y$j9T$" }, { "$gy$j9T$salt$hash", "$gy$j9T$" },
	{ "$y$j9T", "$y$j9T" }, { "$", "$" }, { "$$$$", "$$$" },
};

static const struct {
	const char *name, *text;
	enum popbuild_status status;
	uint64_t line;			/* where it stops */
	const char *like;		/* of the empty name; NULL: none */
} rows[] = {
	{ "one", "a:$6$x$y" U, POPBUILD_OK, 0, "$6$x$y" },
	{ "nobody", "", POPBUILD_OK, 0, NULL },
	{ "comments, empty lines, no LF at the end", "# x\n\n\r\na:$6$x$y:p:/x", POPBUILD_OK, 0,
	    "$6$x$y" },
	{ "the most frequent kind", "a:$6$x$y" U "b:$y$j9T$a$b" U "c:$y$j9T$c$d" U, POPBUILD_OK, 0,
	    "$y$j9T$a$b" },
	{ "the first of equals", "a:$6$x$y" U "b:$y$j9T$a$b" U, POPBUILD_OK, 0, "$6$x$y" },
	{ "locked ones do not count", "a:!$6$x$y" U "b:*" U "c:" U, POPBUILD_OK, 0, NULL },
	{ "no colon", "a:x" U "b\n", POPBUILD_FORMAT, 2, NULL },
	{ "no name", "a:x" U "\n:x" U, POPBUILD_FORMAT, 3, NULL },
	{ "bad record", "a:x:1:x\n", POPBUILD_FORMAT, 1, NULL },
};

static int
fresh(void)
{
	int fd = open("db", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1)
		abort();
	return fd;
}

static void
test_row(struct tap *t, size_t i)
{
	struct popbuild_place place = { 0 };
	struct cdbmap *m = NULL;
	struct span data = { NULL, 0 };
	int fd = fresh();

	ok(t, popbuild_passwd(span_str(rows[i].text), fd, &place) == rows[i].status, "%s",
	    rows[i].name);
	(void)close(fd);
	if (rows[i].status != POPBUILD_OK) {
		ok(t, place.line == rows[i].line && place.why, "line %d",
		    (int)place.line);
		return;
	}
	ok(t, cdbmap_open("db", &m) == CDBMAP_FOUND &&
	    (cdbmap_find(m, span_str(""), &data) == CDBMAP_FOUND) == (rows[i].like != NULL),
	    "has one that stands for them?");
	is(t, data, span_str(rows[i].like), "which");
	if (strncmp(rows[i].text, "a:", 2) == 0)
		ok(t, cdbmap_find(m, span_str("a"), &data) == CDBMAP_FOUND &&
		    data.n == strcspn(rows[i].text, "\n") - 2, "the record");
	cdbmap_close(m);
}

int
main(void)
{
	struct scratch scratch;
	struct popbuild_place place = { 0 };
	struct tap t = { 0 };
	int fd;

	scratch_enter(&scratch);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		is(&t, span_head(span_str(kinds[i].hash), popbuild_kind(span_str(kinds[i].hash))),
		    span_str(kinds[i].kind), "kind");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		test_row(&t, i);
	fd = fresh();
	ok(&t, popbuild_secrets(span_str("a:b:c d\n"), fd, &place) == POPBUILD_OK, "a secret");
	ok(&t, popbuild_secrets(span_str("a:\n"), fd, &place) == POPBUILD_FORMAT, "an empty one");
	(void)close(fd);
	fd = open("db", O_RDONLY | O_CLOEXEC);
	ok(&t, popbuild_secrets(span_str("a:b\n"), fd, &place) == POPBUILD_WRITE, "not writable");
	(void)close(fd);
	scratch_leave(&scratch);
	return done(&t);
}
