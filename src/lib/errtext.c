/* errtext - errno in the suite's own words, and which errors may pass by themselves. */
#include "lib/errtext.h"

#include <errno.h>
#include <stddef.h>

struct entry {
	int error;
	bool temporary;
	const char *text;
};

static const struct entry entries[] = {
	{ ENOENT, false, "file does not exist" },
	{ EACCES, false, "access denied" },
	{ EPERM, false, "permission denied" },
	{ ENOSPC, true, "out of disk space" },
	{ EDQUOT, true, "disk quota exceeded" },
	{ EIO, true, "input/output error" },
	{ ENOTDIR, false, "not a directory" },
	{ EISDIR, false, "is a directory" },
	{ EROFS, false, "read-only file system" },
	{ ENOMEM, true, "out of memory" },
	{ EMFILE, true, "process cannot open more files" },
	{ ENFILE, true, "system cannot open more files" },
	{ EFBIG, true, "file too big" },
	{ ESTALE, true, "stale NFS file handle" },
	{ ENOLCK, true, "no locks available" },
	{ ELOOP, false, "symbolic link loop" },
	{ ENAMETOOLONG, false, "file name too long" },
	{ EXDEV, false, "cross-device link" },
	{ EMLINK, false, "too many links" },
	{ ENOTEMPTY, false, "directory not empty" },
	{ EEXIST, false, "file already exists" },
	{ ETIMEDOUT, true, "timed out" },
	{ EAGAIN, true, "temporary failure" },
	{ EBUSY, true, "device busy" },
	{ EINVAL, false, "invalid argument" },
	{ ENXIO, false, "device not configured" },
	{ ETXTBSY, true, "text busy" },
	{ EINTR, true, "interrupted system call" },
	{ EPIPE, false, "broken pipe" },
	{ EBADF, false, "file descriptor not open" },
	{ E2BIG, false, "argument list too long" },
	{ ENOEXEC, false, "exec format error" },
	{ ECHILD, false, "no child processes" },
	{ EDEADLK, true, "operation would cause deadlock" },
	{ ESPIPE, false, "unseekable descriptor" },
	{ ENOSYS, false, "system call not available" },
	{ ESRCH, false, "no such process" },
	{ EFAULT, false, "bad address" },
	{ ENODEV, false, "device does not support operation" },
	{ ENOTTY, false, "not a tty" },
	{ EOPNOTSUPP, false, "operation not supported" },
	{ EINPROGRESS, false, "operation in progress" },
	{ EALREADY, false, "operation already in progress" },
	{ ENOTSOCK, false, "not a socket" },
	{ EMSGSIZE, false, "message too long" },
	{ EAFNOSUPPORT, false, "address family not supported" },
	{ EADDRINUSE, false, "address already used" },
	{ EADDRNOTAVAIL, false, "address not available" },
	{ ENETDOWN, true, "network down" },
	{ ENETUNREACH, true, "network unreachable" },
	{ ENETRESET, true, "network reset" },
	{ ECONNABORTED, true, "connection aborted" },
	{ ECONNRESET, true, "connection reset" },
	{ ENOBUFS, true, "out of buffer space" },
	{ EISCONN, false, "already connected" },
	{ ENOTCONN, false, "not connected" },
	{ ESHUTDOWN, false, "socket shut down" },
	{ ECONNREFUSED, true, "connection refused" },
	{ EHOSTDOWN, true, "host down" },
	{ EHOSTUNREACH, true, "host unreachable" },
	{ EUSERS, true, "too many users" },
	{ EREMOTE, false, "too many levels of remote in path" },
	{ EPROTO, false, "protocol error" },
	{ ETOOMANYREFS, true, "unknown error" },
};

static const struct entry *
find(int error)
{
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		if (entries[i].error == error)
			return &entries[i];
	return NULL;
}

const char *
errtext(int error)
{
	const struct entry *e = find(error);

	if (error == 0)
		return "no error";
	return e ? e->text : "unknown error";
}

bool
errtext_temporary(int error)
{
	const struct entry *e = find(error);

	return e ? e->temporary : error != 0;
}

bool
errtext_absent(int error)
{
	switch (error) {
	case ENOENT: case ENOTDIR: case ENAMETOOLONG: case ELOOP:
	case ENXIO: case EISDIR: case EINVAL: case ENODEV:
		return true;
	default:
		return false;
	}
}
