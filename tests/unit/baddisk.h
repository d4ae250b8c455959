/* baddisk - open(2) and stat(2) fail as a test likes, in what is linked with it.
 *
 *	baddisk_error = EUCLEAN;	from now on
 *	baddisk_error = 0;		no longer */
#ifndef BADDISK_H
#define BADDISK_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

static int baddisk_error;

/* What says that nothing is there, and what does not. */
static const int baddisk_absent[] = { ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP, ENXIO, EISDIR, EINVAL,
	ENODEV };
static const int baddisk_trouble[] = { EUCLEAN, EBADMSG, EREMOTEIO, ENOTCONN, EKEYEXPIRED, EIO,
	ENOMEM, ESTALE, ETIMEDOUT, EMFILE, EPROTO };
static const int baddisk_denied[] = { EACCES, EPERM };

static int
baddisk_fails(void)
{
	if (baddisk_error)
		errno = baddisk_error;
	return baddisk_error ? -1 : 0;
}

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return baddisk_fails() == -1 ? -1 : openat(AT_FDCWD, path, flags, mode);
}

int
stat(const char *path, struct stat *st)
{
	return baddisk_fails() == -1 ? -1 : fstatat(AT_FDCWD, path, st, 0);
}

#endif
