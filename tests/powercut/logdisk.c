/* logdisk - a disk that remembers everything that was ever asked of it.
 *	logdisk MOUNTPOINT IMAGE LOG	(libfuse3; run by the power-cut suite, as root)
 * MOUNTPOINT then has two files: `disk`, as long as IMAGE, to put a file system on through a loop
 * device, and `mark`, into which the suite writes what clients have seen.  One request at a time is
 * served, and appended to LOG in that order: struct entry, then its data.  A write that waits in
 * the kernel is not in it, just as a disk has not seen it.  The image is only for reading back. */
#define FUSE_USE_VERSION 31
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DISK "/disk"
#define MARK "/mark"

struct entry {
	char type[4];		/* `W`rite, `F`lush, `M`ark, then zeros */
	uint32_t n;		/* bytes of data that follow */
	uint64_t offset;
};

struct state {
	int image, log;
	off_t size;
};

static struct state *
state(void)
{
	return fuse_get_context()->private_data;
}

static void
append(char type, uint64_t offset, const char *data, size_t n)
{
	struct entry e = { .type = { type }, .n = (uint32_t)n, .offset = offset };

	if (write(state()->log, &e, sizeof e) != (ssize_t)sizeof e ||
	    write(state()->log, data, n) != (ssize_t)n) {
		perror("logdisk: log");
		_exit(111);	/* a gap in the log would prove nothing */
	}
}

static void *
on_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	(void)conn;
	config->kernel_cache = 1;
	return state();
}

static int
on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	memset(st, 0, sizeof *st);
	st->st_nlink = 1;
	st->st_mode = S_IFREG | 0600;
	if (strcmp(path, "/") == 0)
		st->st_mode = S_IFDIR | 0700;
	else if (strcmp(path, DISK) == 0)
		st->st_size = state()->size;
	else if (strcmp(path, MARK) != 0)
		return -ENOENT;
	return 0;
}

static int
on_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	(void)fi;
	return strcmp(path, MARK) == 0 && size == 0 ? 0 : -EPERM;
}

static int
on_open(const char *path, struct fuse_file_info *fi)
{
	fi->direct_io = strcmp(path, MARK) == 0;
	return 0;
}

static int
on_read(const char *path, char *out, size_t n, off_t offset, struct fuse_file_info *fi)
{
	ssize_t r;

	(void)fi;
	if (strcmp(path, DISK) != 0)
		return 0;
	r = pread(state()->image, out, n, offset);
	return r == -1 ? -errno : (int)r;
}

static int
on_write(const char *path, const char *data, size_t n, off_t offset, struct fuse_file_info *fi)
{
	(void)fi;
	if (strcmp(path, MARK) == 0) {
		append('M', 0, data, n);
	} else {
		append('W', (uint64_t)offset, data, n);
		if (pwrite(state()->image, data, n, offset) != (ssize_t)n)
			return -EIO;
	}
	return (int)n;
}

static int
on_fsync(const char *path, int data_only, struct fuse_file_info *fi)
{
	(void)data_only;
	(void)fi;
	if (strcmp(path, DISK) == 0)
		append('F', 0, NULL, 0);
	return 0;
}

static const struct fuse_operations operations = {
	.init = on_init,
	.getattr = on_getattr,
	.truncate = on_truncate,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.fsync = on_fsync
};

int
main(int argc, char **argv)
{
	struct state s;
	struct stat st;
	char *args[] = { argv[0], "-f", "-s", argv[1], NULL };

	if (argc != 4) {
		fputs("logdisk: usage: logdisk MOUNTPOINT IMAGE LOG\n", stderr);
		return 100;
	}
	s.image = open(argv[2], O_RDWR | O_CLOEXEC);
	s.log = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (s.image == -1 || s.log == -1 || fstat(s.image, &st) == -1) {
		perror("logdisk");
		return 111;
	}
	s.size = st.st_size;
	return fuse_main(4, args, &operations, &s);
}
