/* sandbox: what can still be done inside.  Each profile in a child of its own. */
#include "lib/sandbox.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "lib/sys.h"
#include "scratch.h"
#include "tap.h"

/* What a child tries; the result is the sum of what worked. */
enum {
	CAN_READ = 1,		/* in/file */
	CAN_LIST = 2,		/* in */
	CAN_WRITE = 4,		/* in/file */
	CAN_CREATE = 8,		/* in/new */
	CAN_REMOVE = 16,	/* in/old */
	CAN_RENAME = 32,	/* in/sub1/x to in/sub2/x */
	CAN_OUTSIDE = 64	/* read out/file */
};

static bool
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd == -1)
		return false;
	(void)close(fd);
	return true;
}

static int
attempt(void)
{
	int can = 0;

	can |= opens("in/file", O_RDONLY) ? CAN_READ : 0;
	can |= opens("in", O_RDONLY | O_DIRECTORY) ? CAN_LIST : 0;
	can |= opens("in/file", O_WRONLY) ? CAN_WRITE : 0;
	can |= opens("in/new", O_WRONLY | O_CREAT | O_EXCL) ? CAN_CREATE : 0;
	can |= unlink("in/old") == 0 ? CAN_REMOVE : 0;
	can |= rename("in/sub1/x", "in/sub2/x") == 0 ? CAN_RENAME : 0;
	can |= opens("out/file", O_RDONLY) ? CAN_OUTSIDE : 0;
	return can;
}

static void
make_files(void)
{
	static const char *const dirs[] = { "in", "out", "in/sub1", "in/sub2" };

	for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
		if (mkdir(dirs[i], 0700) == -1 && errno != EEXIST)
			abort();
	(void)close(scratch_file("in/file", "x"));
	(void)close(scratch_file("in/old", "x"));
	(void)close(scratch_file("in/sub1/x", "x"));
	(void)close(scratch_file("out/file", "x"));
	(void)unlink("in/new");
	(void)unlink("in/sub2/x");
}

/* -1: the sandbox could not be applied. */
static int
within(const struct sandbox_path *paths, size_t n)
{
	pid_t pid;
	int status;

	make_files();
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(sandbox_paths(paths, n) == -1 ? 255 : attempt());
	if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		abort();
	return WEXITSTATUS(status) == 255 ? -1 : WEXITSTATUS(status);
}

static void
test_paths(struct tap *t)
{
	static const struct sandbox_path in_read[] = { { "in", SANDBOX_READ } };
	static const struct sandbox_path in_write[] = { { "in", SANDBOX_WRITE } };
	static const struct sandbox_path in_change[] = { { "in", SANDBOX_CHANGE } };
	static const struct sandbox_path file_read[] = { { "in/file", SANDBOX_READ },
		{ "absent", SANDBOX_READ } };
	static const struct sandbox_path file_write[] = { { "in/file", SANDBOX_WRITE } };
	static const struct {
		const char *name;
		const struct sandbox_path *paths;
		size_t n;
		int can;
	} rows[] = {
		{ "nothing", NULL, 0, 0 },
		{ "read a directory", in_read, 1, CAN_READ | CAN_LIST },
		{ "write files in it", in_write, 1, CAN_READ | CAN_LIST | CAN_WRITE },
		{ "change it", in_change, 1, CAN_READ | CAN_LIST | CAN_WRITE | CAN_CREATE |
			CAN_REMOVE | CAN_RENAME },
		{ "read one file", file_read, 2, CAN_READ },
		{ "write one file", file_write, 1, CAN_READ | CAN_WRITE },
	};
	const int everything = 127, abi = sys_landlock_abi();

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool none = !abi || (abi < 2 && (rows[i].can & CAN_RENAME));

		is_num(t, within(rows[i].paths, rows[i].n), none ? everything : rows[i].can,
		    rows[i].name);
	}
}

/* Text that is no program: the kernel says so only to those who may execute it. */
static bool
may_run(const struct sandbox_path *paths, size_t n, bool *as_paths)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		char *argv[] = { NULL }, *envp[] = { NULL };
		int read;

		if (sandbox_paths(paths, n) == -1)
			_exit(4);
		read = opens("in/file", O_RDONLY) ? 2 : 0;
		(void)execve("in/file", argv, envp);
		_exit(read | (errno == ENOEXEC));
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		abort();
	*as_paths = WEXITSTATUS(status) >= 2 && WEXITSTATUS(status) < 4;
	return WEXITSTATUS(status) & 1;
}

static void
test_run(struct tap *t)
{
	static const struct sandbox_path read[] = { { "in", SANDBOX_READ } };
	static const struct sandbox_path directory[] = { { "in", SANDBOX_RUN } };
	static const struct sandbox_path file[] = { { "in/file", SANDBOX_RUN } };
	const bool none = !sys_landlock_abi();
	bool reads;

	make_files();
	if (chmod("in/file", 0700) == -1)
		abort();
	ok(t, may_run(read, 1, &reads) == none && reads, "reading is not running");
	ok(t, may_run(directory, 1, &reads) && reads, "run what is in a directory");
	ok(t, may_run(file, 1, &reads) && reads, "run one file");
}

static bool
no_new_privs(void)
{
	struct buf text = { 0 };
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	bool set = fd != -1 && io_read_all(fd, &text) == IO_OK &&
	    strstr(buf_str(&text), "\nNoNewPrivs:\t1\n");

	(void)close(fd);
	buf_free(&text);
	return set;
}

static void
test_limits(struct tap *t)
{
	struct rlimit core;
	int status;
	pid_t pid;

	make_files();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		sandbox_limits();
		_exit(getrlimit(RLIMIT_CORE, &core) == 0 && !core.rlim_cur && !core.rlim_max &&
		    !no_new_privs() && attempt() == 127 ? 0 : 1);
	}
	ok(t, pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
	    "no core, and that is all");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct rlimit space;

		/* more than a sanitizer reserves */
		_exit(sandbox_plain((size_t)1 << 46) == 0 && getrlimit(RLIMIT_AS, &space) == 0 &&
		    space.rlim_max == (rlim_t)1 << 46 && no_new_privs() ? 0 : 1);
	}
	ok(t, pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
	    "memory cap, no new privileges");
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter(&s);
	test_paths(&t);
	test_run(&t);
	test_limits(&t);
	scratch_leave(&s);
	return done(&t);
}
