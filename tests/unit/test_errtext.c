/* errtext: the texts that logs show, and which errors are temporary (spec of the original: exit 111
 * instead of 100). */
#include "lib/errtext.h"

#include <errno.h>

#include "tap.h"

static const struct {
	int error;
	bool temporary;
	const char *text;
} rows[] = {
	{ 0, false, "no error" },
	{ ENOMEM, true, "out of memory" },
	{ ENOENT, false, "file does not exist" },
	{ EEXIST, false, "file already exists" },
	{ EPERM, false, "permission denied" },
	{ EACCES, false, "access denied" },
	{ EIO, true, "input/output error" },
	{ EPIPE, false, "broken pipe" },
	{ ENOTDIR, false, "not a directory" },
	{ EISDIR, false, "is a directory" },
	{ EINVAL, false, "invalid argument" },
	{ ENOEXEC, false, "exec format error" },
	{ E2BIG, false, "argument list too long" },
	{ EFBIG, true, "file too big" },
	{ ENOSPC, true, "out of disk space" },
	{ EDQUOT, true, "disk quota exceeded" },
	{ EROFS, false, "read-only file system" },
	{ ENAMETOOLONG, false, "file name too long" },
	{ EXDEV, false, "cross-device link" },
	{ ENFILE, true, "system cannot open more files" },
	{ EMFILE, true, "process cannot open more files" },
	{ ECHILD, false, "no child processes" },
	{ EAGAIN, true, "temporary failure" },
	{ EINTR, true, "interrupted system call" },
	{ ETXTBSY, true, "text busy" },
	{ ETIMEDOUT, true, "timed out" },
	{ ENOLCK, true, "no locks available" },
	{ 99999, true, "unknown error" },
	{ -1, true, "unknown error" },
};

/* The temporary ones whose text is nobody's interface. */
static const int temporary[] = { EWOULDBLOCK, EDEADLK, EBUSY, ENETDOWN, ENETUNREACH, ENETRESET,
	ECONNABORTED, ECONNRESET, ENOBUFS, ETOOMANYREFS, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH,
	EUSERS, ESTALE };

int
main(void)
{
	struct tap t = { 0 };
	int count = 0, unknown = 0;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		is(&t, span_str(errtext(rows[i].error)), span_str(rows[i].text), rows[i].text);
		ok(&t, errtext_temporary(rows[i].error) == rows[i].temporary, "  temporary");
	}
	for (size_t i = 0; i < sizeof temporary / sizeof temporary[0]; i++)
		ok(&t, errtext_temporary(temporary[i]), "%d is temporary", temporary[i]);
	for (int error = 0; error < 1000; error++) {
		const char *text = errtext(error);

		if (error && strcmp(text, "unknown error") == 0 && error != ETOOMANYREFS)
			unknown += !errtext_temporary(error);
		else
			count += errtext_temporary(error);
		if (!*text || strchr(text, '\n') || strlen(text) > 60)
			ok(&t, false, "text of %d", error);
	}
	is_num(&t, count, 26, "temporary errors, all together");
	is_num(&t, unknown, 0, "what has no text may pass");
	return done(&t);
}
