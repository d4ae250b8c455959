/* fsops: what counts as synced, publishing, opening without blocking. */
#include "lib/fsops.h"

#include <errno.h>
#include <sys/wait.h>

#include "lib/sys.h"
#include "scratch.h"
#include "tap.h"

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
test_sync(struct tap *t)
{
	int fd = scratch_file("f", "x"), fds[2];

	ok(t, fsops_sync(fd) == 0, "file");
	(void)close(fd);
	ok(t, fsops_sync(fd) == -1 && errno == EBADF, "closed descriptor");
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ok(t, fsops_sync(fd) == 0, "device that cannot be synced");
	(void)close(fd);
	if (sys_pipe(fds) == -1)
		abort();
	ok(t, fsops_sync(fds[1]) == 0, "pipe");
	(void)close(fds[0]);
	(void)close(fds[1]);
	ok(t, fsops_sync_dir(".") == 0, "directory");
	ok(t, fsops_sync_dir("absent") == -1 && errno == ENOENT, "absent directory");
	ok(t, fsops_sync_dir("f") == -1 && errno == ENOTDIR, "file as directory");
	if (mkdir("d", 0700) == -1)
		abort();
	ok(t, fsops_sync_parent("f") == 0, "parent of a name");
	ok(t, fsops_sync_parent("d/x") == 0, "parent of a path");
	ok(t, fsops_sync_parent("/x") == 0, "parent below the root");
	ok(t, fsops_sync_parent("d//x") == 0, "parent with two slashes");
	ok(t, fsops_sync_parent("absent/x") == -1 && errno == ENOENT, "absent parent");
}

static void
test_regular(struct tap *t)
{
	int fd;

	(void)close(scratch_file("regular", "x"));
	if (symlink("regular", "to-regular") == -1 || mkfifo("pipe", 0600) == -1)
		abort();
	fd = fsops_open_regular("regular");
	ok(t, fd != -1 && !(fcntl(fd, F_GETFL) & O_NONBLOCK), "a regular file");
	(void)close(fd);
	ok(t, fsops_open_regular("to-regular") == -1 && errno == EPERM, "no link to one");
	ok(t, fsops_open_regular("pipe") == -1 && errno == EPERM, "no FIFO");
	ok(t, fsops_open_regular(".") == -1 && errno == EPERM, "no directory");
	ok(t, fsops_open_regular("absent") == -1 && errno == ENOENT, "absent is absent");
}

static void
test_publish(struct tap *t)
{
	struct buf text = { 0 };
	int fd;

	(void)close(scratch_file("d/to", "old"));
	fd = scratch_file("from", "new");
	ok(t, fsops_publish(fd, "from", "d/to") == 0 && !exists("from"), "published");
	ok(t, fcntl(fd, F_GETFD) == -1, "  closed");
	fd = fsops_open_read("d/to");
	ok(t, fd != -1 && io_read_all(fd, &text) == IO_OK && strcmp(buf_str(&text), "new") == 0,
	    "  replaces");
	(void)close(fd);
	fd = scratch_file("from", "new");
	ok(t, fsops_publish(fd, "from", "absent/to") == -1 && errno == ENOENT && !exists("from"),
	    "no directory: removed");
	ok(t, fcntl(fd, F_GETFD) == -1, "  closed");
	fd = scratch_file("from", "new");
	(void)close(fd);
	ok(t, fsops_publish(fd, "from", "d/to") == -1 && errno == EBADF && !exists("from"),
	    "sync fails: removed");
	ok(t, exists("d/to"), "  the old one stays");
	fd = scratch_file("from", "new");
	ok(t, fsops_publish(fd, "other", "d/to") == -1 && errno == ENOENT, "name is not there");
	buf_free(&text);
}

static void
test_open(struct tap *t)
{
	struct stat st;
	char c;
	int fd;

	fd = fsops_open_read("f");
	ok(t, fd != -1 && (fcntl(fd, F_GETFD) & FD_CLOEXEC), "close-on-exec");
	ok(t, !(fcntl(fd, F_GETFL) & O_NONBLOCK), "blocks again");
	(void)close(fd);
	ok(t, fsops_open_read("absent") == -1 && errno == ENOENT, "absent");
	if (mkfifo("fifo", 0600) == -1)
		abort();
	fd = fsops_open_read("fifo");
	ok(t, fd != -1 && io_read(fd, &c, 1) == 0, "FIFO without a writer");
	(void)close(fd);
	(void)umask(022);
	fd = fsops_create("new", 0666);
	ok(t, fd != -1 && fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0644 &&
	    (fcntl(fd, F_GETFD) & FD_CLOEXEC), "created");
	ok(t, fsops_leads_to("new", fd), "its name leads to it");
	if (link("new", "other") == -1 || unlink("new") == -1 || symlink("other", "new") == -1)
		abort();
	ok(t, fsops_leads_to("new", fd), "through a link, too");
	ok(t, !fsops_leads_to(".", fd) && !fsops_leads_to("nothing", fd) &&
	    !fsops_leads_to("new", -1), "but no other, none, or none that is open");
	(void)close(fd);
	ok(t, fsops_create("new", 0600) == -1 && errno == EEXIST, "exists already");
	if (symlink("target", "link") == -1)
		abort();
	ok(t, fsops_create("link", 0600) == -1 && errno == EEXIST && !exists("target"),
	    "link to nothing");
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	test_sync(&t);
	test_regular(&t);
	test_publish(&t);
	test_open(&t);
	scratch_leave(&s);
	return done(&t);
}
