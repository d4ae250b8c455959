/* ctlnames: what is there, what is not, and directories that cannot be listed or are too large. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ctlnames.h"
#include "scratch.h"
#include "tap.h"

static void
make_files(const char *prefix, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char name[256];
		int fd;

		(void)snprintf(name, sizeof name, "control/%s%03u", prefix, i);
		if ((fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) != -1)
			(void)close(fd);
	}
}

int
main(void)
{
	static const char *const rows[] = { "me000", "me001" }, *const not[] = { "me", "e000",
		"me0000", "", ".", ".hidden000" };
	/* 199 bytes and a NUL each, and one NUL in front: 40 of them fill it but for 191. */
	char prefix[197];
	struct scratch scratch;
	struct tap tap = { 0 }, *t = &tap;
	struct ctlnames names = { 0 }, large = { 0 }, over = { 0 }, missing = { 0 };

	scratch_enter(&scratch);
	ok(t, ctlnames_may_have(&names, "x") && ctlnames_may_have(NULL, "x"), "not read: may be");
	ctlnames_read(&missing);
	ok(t, ctlnames_may_have(&missing, "x"), "no directory: may be");
	(void)!mkdir("control", 0755);
	make_files("me", 2);
	make_files(".hidden", 1);
	ctlnames_read(&names);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ok(t, ctlnames_may_have(&names, rows[i]), "there: %s", rows[i]);
	for (size_t i = 0; i < sizeof not / sizeof *not; i++)
		ok(t, !ctlnames_may_have(&names, not[i]), "not there: '%s'", not[i]);
	memset(prefix, 'x', sizeof prefix - 1);
	prefix[sizeof prefix - 1] = '\0';
	make_files(prefix, 40);
	ctlnames_read(&large);
	ok(t, !ctlnames_may_have(&large, "y"), "%zu bytes of names", large.n);
	make_files(prefix, 41);
	ctlnames_read(&over);
	ok(t, ctlnames_may_have(&over, "y"), "too many: may be");
	scratch_leave(&scratch);
	return done(t);
}
