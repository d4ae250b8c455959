/* maildirmake - make a Maildir.
 *
 *	maildirmake name
 *
 * Run by: users and administrators.  Makes the directory, which must not exist, and tmp, new and
 * cur in it, all of mode 0700.  No file descriptors, no environment.
 * Exit: 0 made, 100 called wrongly, 111 failure; what was made stays. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/errtext.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/report.h"

static int
fail(const char *what, const char *dir, const char *sub)
{
	return report_fail(CODE_TEMP, "maildirmake: fatal: unable to %s%s%s: %s", what, dir, sub,
	    errtext(errno));
}

int
main(int argc, char **argv)
{
	static const char *const subs[] = { "/tmp", "/new", "/cur" };

	if (io_open_standard() == -1)
		return CODE_TEMP;
	if (argc < 2)
		return report_fail(CODE_PERM, "maildirmake: usage: maildirmake name");
	umask(077);
	if (mkdir(argv[1], 0700) == -1)
		return fail("mkdir ", argv[1], "");
	(void)!fsops_sync_parent(argv[1]);	/* mail will be in it: its name shall last */
	if (chdir(argv[1]) == -1)
		return fail("chdir to ", argv[1], "");
	for (size_t i = 0; i < sizeof subs / sizeof subs[0]; i++)
		if (mkdir(subs[i] + 1, 0700) == -1)
			return fail("mkdir ", argv[1], subs[i]);
	(void)!fsops_sync_dir(".");
	return CODE_OK;
}
