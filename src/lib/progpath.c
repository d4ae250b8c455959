/* progpath - which file a program is. */
#include "lib/progpath.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/span.h"

static bool
is_program(const char *path)
{
	struct stat st;

	return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool
progpath_find(const char *name, struct buf *path)
{
	const char *directories = getenv("PATH");
	struct span rest = span_str(directories ? directories : "");

	while (directories) {
		struct span directory = span_head(rest, span_chr(rest, ':'));

		buf_reset(path);
		buf_addspan(path, directory);
		buf_adds(path, directory.n ? "/" : "./");
		buf_adds(path, name);
		if (buf_ok(path) && is_program(buf_str(path)))
			return true;
		if (directory.n == rest.n)
			break;
		rest = span_tail(rest, directory.n + 1);
	}
	return false;
}
