/* rig - input, files, peers. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/scratch.h"
#include "lib/ascii.h"
#include "lib/io.h"
#include "lib/sys.h"

#define MEMORY "/dev/shm"

static struct rig {
	int files[RIG_FILES];		/* 0: not open yet */
	struct scratch directory;
	int peer;
} rig;

_Noreturn void
rig_broken(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, what);
	abort();
}

struct span
rig_input(const uint8_t *p, size_t n)
{
	return span_of((const char *)p, n);
}

struct span
rig_take(struct span *in, char sep)
{
	struct span head = span_head(*in, span_chr(*in, sep));

	*in = span_tail(*in, head.n + 1);
	return head;
}

void
rig_nuls(struct buf *to, struct span in, char stand_in)
{
	buf_reset(to);
	for (size_t i = 0; i < in.n; i++)
		buf_addc(to, in.p[i] == stand_in ? '\0' : in.p[i]);
}

/* ---- text ---- */

bool
rig_is_line(struct span line)
{
	if (line.n < 2 || line.p[line.n - 1] != '\n' || line.p[line.n - 2] != '\r')
		return false;
	for (size_t i = 0; i + 2 < line.n; i++)
		if (ascii_iscntrl(line.p[i]) && line.p[i] != '\t')
			return false;
	return true;
}

struct span
rig_line(struct span *text)
{
	struct span line = span_head(*text, span_chr(*text, '\n') + 1);

	*text = span_tail(*text, line.n);
	return line;
}

bool
rig_is_text(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (ascii_iscntrl(text.p[i]) && text.p[i] != '\n' && text.p[i] != '\t')
			return false;
	return true;
}

/* Does a domain stand here, and then the end of an address? */
static bool
is_domain(struct span text)
{
	char before = '.';
	size_t i = 0;

	if (text.n > 1 && text.p[0] == '[') {
		for (i = 1; i < text.n && (ascii_isdigit(text.p[i]) || text.p[i] == '.'); i++)
			;
		before = i < text.n && text.p[i] == ']' ? ']' : '.';
		i++;
	} else {
		for (; i < text.n && (ascii_isalnum(text.p[i]) || text.p[i] == '-' ||
		    (text.p[i] == '.' && before != '.')); i++)
			before = text.p[i];
	}
	return before != '.' && (i >= text.n || strchr("<>,:;\n", text.p[i]));
}

/* A byte outside quotes that has no place there, angle brackets being open or not. */
static bool
is_misplaced(char c, char before, bool angle)
{
	switch (c) {
	case '<': case '\n': case ',':
		return angle;
	case '>':
		return !angle;
	case '"':
		return !strchr(" ,:;<\n", before);
	case '[':
		return before != '@';
	case '@':
		return strchr("<>,:; \n@()", before);
	default:
		return c == '\\' || c == '(';
	}
}

bool
rig_is_odd(struct span text)
{
	bool angle = false, quoted = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i], before = i ? text.p[i - 1] : ' ';

		if (quoted) {
			quoted = c != '"' || before == '\\';
			if (!quoted && i + 1 < text.n && !strchr("@ ,;<>\n", text.p[i + 1]))
				return true;
			continue;
		}
		if (is_misplaced(c, before, angle) ||
		    (c == '@' && !is_domain(span_tail(text, i + 1))))
			return true;
		angle = c == '<' || (angle && c != '>');
		quoted = c == '"';
	}
	return angle || quoted;
}

/* ---- files ---- */

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "fuzz rig: %s: %s\n", what, strerror(errno));
	abort();
}

static const char *
temporary(void)
{
	const char *place = getenv("TMPDIR");

	if (place && *place)
		return place;
	return access(MEMORY, W_OK) == 0 ? MEMORY : "/tmp";
}

int
rig_file(unsigned slot, struct span bytes)
{
	int *fd = &rig.files[slot];

	if (!*fd)
		*fd = sys_nameless_file(temporary());
	must(*fd > 0, "temporary file");
	must(ftruncate(*fd, 0) == 0 && lseek(*fd, 0, SEEK_SET) == 0, "empty file");
	must(io_write_all(*fd, bytes.p, bytes.n) == 0 && lseek(*fd, 0, SEEK_SET) == 0, "write");
	return *fd;
}

void
rig_file_text(unsigned slot, struct buf *to)
{
	buf_reset(to);
	must(lseek(rig.files[slot], 0, SEEK_SET) == 0, "seek");
	must(io_read_all(rig.files[slot], to) == IO_OK, "read");
}

static void
remove_directory(void)
{
	scratch_leave(&rig.directory);
}

void
rig_directory(void)
{
	char *dir = rig.directory.dir;

	if (dir[0])
		return;
	(void)snprintf(dir, sizeof rig.directory.dir, "%s/fuzz.XXXXXX", temporary());
	must(mkdtemp(dir) != NULL, dir);
	must(chdir(dir) == 0, dir);
	must(atexit(remove_directory) == 0, "atexit");
}

void
rig_write(const char *path, struct span bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd != -1 && io_write_all(fd, bytes.p, bytes.n) == 0 && close(fd) == 0, path);
}

bool
rig_read(const char *path, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	buf_reset(to);
	if (fd == -1)
		return false;
	must(io_read_all(fd, to) == IO_OK && close(fd) == 0, path);
	return true;
}

void
rig_mkdir(const char *path)
{
	must(mkdir(path, 0700) == 0 || errno == EEXIST, path);
}

/* ---- peers ---- */

int
rig_peer(struct span says)
{
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
	must(io_write_all(pair[0], says.p, says.n) == 0, "peer");
	must(shutdown(pair[0], SHUT_WR) == 0 && io_nonblock(pair[1], true) == 0, "peer");
	must(fcntl(pair[1], F_SETFD, FD_CLOEXEC) != -1, "peer");
	rig.peer = pair[0];
	return pair[1];
}

void
rig_peer_heard(struct buf *to)
{
	char chunk[4096];
	ssize_t n;

	must(io_nonblock(rig.peer, true) == 0, "peer");
	while ((n = io_read(rig.peer, chunk, sizeof chunk)) > 0)
		buf_add(to, chunk, (size_t)n);
	(void)close(rig.peer);
}
