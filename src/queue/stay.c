/* stay - the program's side of stayproto.h. */
#include "queue/stay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/packet.h"
#include "lib/proc.h"
#include "lib/sys.h"

#define SOCKET 1		/* and 2 */
#define DECLINED "-"

bool
stay_wanted(int argc, char *const *argv)
{
	return argc == 2 && argv[1][0] == ' ' && packet_is_socket(0);
}

/* ---- what ps shows ---- */

/* This name, this first word and these arguments, C strings; what has no room is cut. */
static void
show(struct stay *s, const char *name, const char *word, struct span arguments)
{
	size_t n = strlen(word) + 1;

	sys_set_name(name);
	memset(s->line, 0, s->line_size);
	if (n > s->line_size)
		return;
	memcpy(s->line, word, n - 1);
	arguments = span_head(arguments, s->line_size - n);
	memcpy(s->line + n, arguments.p, arguments.n);
	s->line[s->line_size - 1] = '\0';
}

static void
show_idle(struct stay *s)
{
	show(s, s->idle_name, s->own, span_of("", 0));
}

static void
show_delivery(struct stay *s)
{
	size_t skipped = strlen(s->number) + 1;

	show(s, s->name, s->name, span_of(s->request + skipped, s->length - skipped));
}

/* ---- one delivery after the other ---- */

struct stay *
stay_begin(char **argv, const char *greeting, const char *name, const char *idle_name)
{
	struct stay *s = calloc(1, sizeof *s);

	if (!s || (s->own = strdup(argv[0])) == NULL) {
		free(s);
		return NULL;
	}
	s->name = name;
	s->idle_name = idle_name;
	s->line = argv[0];
	s->line_size = (size_t)(argv[1] + strlen(argv[1]) + 1 - argv[0]);
	show_idle(s);
	if (proc_copy_fd(1, 0) == 0 && proc_copy_fd(2, 0) == 0 && packet_greet(1, greeting) == 0) {
		(void)close(0);		/* the lowest that is free: for messages */
		return s;
	}
	stay_end(s);
	return NULL;
}

/* Takes `NUMBER\0STRING\0STRING\0...` apart.  false: not of that form. */
static bool
take_apart(struct stay *s)
{
	char *text = s->request;
	size_t left = s->length;

	s->n = 0;
	s->number = NULL;
	while (left > 0) {
		char *end = memchr(text, '\0', left);

		if (!end || s->n == STAYPROTO_STRINGS)
			return false;
		if (s->number)
			s->strings[s->n++] = text;
		else
			s->number = text;
		left -= (size_t)(end + 1 - text);
		text = end + 1;
	}
	return s->number && strlen(s->number) < NUM_U64_SIZE;
}

bool
stay_next(struct stay *s)
{
	ssize_t length;
	int fd;

	if (s->broken)
		return false;
	/* What is left of the one before is not for whoever gets hold of the next. */
	sys_wipe(s->request, s->length);
	s->length = 0;
	length = packet_receive(SOCKET, s->request, sizeof s->request, &fd, 1);
	if (length <= 0)
		return false;
	s->length = (size_t)length;
	if (fd != 0 || !take_apart(s))
		return false;
	show_delivery(s);
	return true;
}

void
stay_output(struct span text)
{
	while (text.n) {
		size_t n = text.n > STAYPROTO_PIECE ? STAYPROTO_PIECE : text.n;

		while (n < text.n && n > 1 && text.p[n] == '\0')
			n--;		/* or the next would begin with it */
		if (io_write(SOCKET, text.p, n) != (ssize_t)n)
			return;		/* nobody is left to tell */
		text = span_tail(text, n);
	}
}

static void
end(struct stay *s, const char *result, bool last)
{
	struct buf packet = { 0 };

	(void)close(0);
	show_idle(s);
	buf_addc(&packet, '\0');
	buf_adds(&packet, s->number);
	buf_addc(&packet, ' ');
	buf_adds(&packet, result);
	if (last)
		buf_adds(&packet, " last");
	/* Without memory or reader we end, which says that something has gone wrong. */
	s->broken = !buf_ok(&packet) || io_write(SOCKET, packet.p, packet.n) != (ssize_t)packet.n;
	buf_free(&packet);
}

void
stay_done(struct stay *s, int code, bool last)
{
	char text[NUM_U64_SIZE];

	(void)num_format(text, (uint64_t)code);
	end(s, text, last);
}

void
stay_decline(struct stay *s, bool last)
{
	end(s, DECLINED, last);
}

void
stay_end(struct stay *s)
{
	free(s->own);
	free(s);
}
