/* progpath: the first file of the name in PATH, and that it is the one that would be run. */
#include "lib/progpath.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/proc.h"
#include "scratch.h"
#include "tap.h"

/* In the scratch directory: `good` may be run, in a/ it may not, in b/ it is a directory. */
static const struct {
	const char *path, *name, *found;	/* NULL: no PATH; not found */
} searches[] = {
	{ "d", "good", "d/good" },
	{ "nonesuch:d", "good", "d/good" },
	{ "a:d", "good", "d/good" },
	{ "b:d", "good", "d/good" },
	{ "d:e", "good", "d/good" },
	{ "e:d", "good", "e/good" },
	{ "", "good", "./good" },
	{ ":d", "good", "./good" },
	{ "a:", "good", "./good" },
	{ "a::d", "good", "./good" },
	{ "a:b", "good", NULL },
	{ "d", "goo", NULL },
	{ NULL, "good", NULL },
};

/* What is found is what would be run: the script exits with a number of its own. */
static void
test_find(struct tap *t)
{
	static const struct { const char *name; mode_t mode; } files[] = {
		{ "good", 0700 }, { "a/good", 0600 }, { "d/good", 0700 }, { "e/good", 0700 },
	};
	struct buf path = { 0 };
	char *before = strdup(getenv("PATH"));

	for (const char *dir = "a\0b\0b/good\0d\0e\0"; *dir; dir += strlen(dir) + 1)
		if (mkdir(dir, 0755) == -1)
			abort();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		(void)close(scratch_file(files[i].name,
		    "#!/bin/sh\ntest \"./${0#./}\" = \"./${1#./}\"\n"));
		(void)!chmod(files[i].name, files[i].mode);
	}
	for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
		const char *found = searches[i].found;
		char name[8], want[16];
		char *argv[] = { name, want, NULL };
		const struct proc_spawn s = { .argv = argv, .search = true };
		int status = -1;
		pid_t pid;

		(void)(searches[i].path ? setenv("PATH", searches[i].path, 1) : unsetenv("PATH"));
		(void)snprintf(name, sizeof name, "%s", searches[i].name);
		(void)snprintf(want, sizeof want, "%s", found ? found : "");
		ok(t, progpath_find(name, &path) == (found != NULL), "in PATH=%s",
		    searches[i].path ? searches[i].path : "(none)");
		if (found)
			is(t, buf_span(&path), span_str(found), "  where");
		pid = proc_spawn(&s, NULL);
		ok(t, found ? pid > 0 && proc_wait(pid, &status) == 0 && status == 0 : pid == -1,
		    "  as it is run");
	}
	(void)setenv("PATH", before, 1);
	free(before);
	buf_free(&path);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	test_find(&t);
	scratch_leave(&s);
	return done(&t);
}
