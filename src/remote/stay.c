/* stay - qmail-remote as a process that begins deliveries for qmail-rspawn. */
#include "remote/stay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/packet.h"
#include "lib/proc.h"
#include "lib/sandbox.h"
#include "lib/sys.h"
#include "queue/remoteproto.h"
#include "remote/ready.h"

#define RESIDENT_NAME "remote-stay"	/* so that who counts qmail-remote counts deliveries */
#define DELIVERY_NAME "qmail-remote"

struct stay {
	char *line;		/* what ps shows, all of it writable */
	size_t line_size;
	struct ready ready;
	struct settings_marks marks;
	bool usable;		/* what was read is good for deliveries */
	char request[REMOTEPROTO_REQUEST_MAX];
};

/* What goes wrong here, and what it would be to read, is left to a qmail-remote of its own. */
static void
refresh(struct stay *s)
{
	if (!settings_changed(&s->marks))
		return;
	ready_free(&s->ready);
	settings_mark(&s->marks);
	s->usable = ready_read(&s->ready) == NULL && !settings_hold_password(&s->ready.settings);
}

/* Takes `HOST\0SENDER\0RECIPIENT\0...` apart: how many strings; 0: not of that form. */
static size_t
take_apart(char *text, size_t n, char **strings, size_t max)
{
	size_t count = 0;

	while (n > 0) {
		char *end = memchr(text, '\0', n);

		if (!end || count == max)
			return 0;
		strings[count++] = text;
		n -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	return count;
}

/* Shows the process as one of this name and these arguments, C strings; what has no room is cut. */
static void
show(struct stay *s, const char *name, const char *line, struct span arguments)
{
	size_t n = strlen(line) + 1;

	sys_set_name(name);
	memset(s->line, 0, s->line_size);
	if (n > s->line_size)
		return;
	memcpy(s->line, line, n - 1);
	arguments = span_head(arguments, s->line_size - n);
	memcpy(s->line + n, arguments.p, arguments.n);
	s->line[s->line_size - 1] = '\0';
}

/* In a child: becomes what runs `qmail-remote HOST SENDER RECIPIENT...`. */
static void
deliver(struct stay *s, size_t length, char *const *strings, size_t n,
    const int fds[REMOTEPROTO_FDS])
{
	show(s, DELIVERY_NAME, DELIVERY_NAME, span_of(s->request, length));
	if (proc_copy_fd(0, fds[0]) == -1 || proc_copy_fd(1, fds[1]) == -1 ||
	    proc_copy_fd(2, fds[1]) == -1)
		_exit(CODE_TEMP);
	sys_close_from(3);
	/* What is left of earlier ones is not for whoever gets hold of this one. */
	sys_wipe(s->request + length, sizeof s->request - length);
	ready_deliver(&s->ready, strings[0], strings[1], strings + 2, n - 2);
	_exit(CODE_OK);
}

/* The pid of the delivery; 0: not to be had from us. */
static pid_t
begin(struct stay *s, size_t length, const int fds[REMOTEPROTO_FDS])
{
	char *strings[REMOTEPROTO_STRINGS];
	size_t n = take_apart(s->request, length, strings, REMOTEPROTO_STRINGS);
	pid_t pid;

	refresh(s);
	if (!s->usable || n < 3)
		return 0;
	pid = sys_fork_sibling();
	if (pid == 0)
		deliver(s, length, strings, n, fds);
	return pid == -1 ? 0 : pid;
}

/* False: nobody asks any more. */
static bool
serve(struct stay *s)
{
	char answer[NUM_U64_SIZE];
	int fds[REMOTEPROTO_FDS];
	ssize_t length = packet_receive(0, s->request, sizeof s->request, fds, REMOTEPROTO_FDS);
	pid_t pid;
	size_t n;

	if (length <= 0)
		return false;
	pid = begin(s, (size_t)length, fds);
	for (size_t i = 0; i < REMOTEPROTO_FDS; i++)
		(void)close(fds[i]);
	n = num_format(answer, (uint64_t)pid);
	return io_write(0, answer, n) == (ssize_t)n;
}

void
stay_run(char **argv)
{
	struct stay *s = calloc(1, sizeof *s);
	char *own = strdup(argv[0]);

	if (!s || !own) {
		free(own);
		free(s);
		return;
	}
	s->line = argv[0];
	s->line_size = (size_t)(argv[1] + strlen(argv[1]) + 1 - argv[0]);
	show(s, RESIDENT_NAME, own, span_of("", 0));
	free(own);
	sandbox_limits();
	if (chdir(QMAIL_HOME) == 0) {
		refresh(s);
		if (s->usable && packet_greet(0, REMOTEPROTO_GREETING) == 0)
			while (serve(s))
				;
	}
	ready_free(&s->ready);
	free(s);
}
