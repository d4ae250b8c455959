/* qmail-clean - remove files from the queue for those who may not.
 * Run by: qmail-start, as qmailq, once for qmail-send and once for qmail-todo.
 * fd 0: requests, each ended by NUL; fd 1: answers, one byte each in order (queue/cleanup.h).
 * Arguments, environment: unused.
 * Exit: 0 end of requests, CODE_PERM an answer could not be written, CODE_TEMP cannot start. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "queue/cleanup.h"
#include "queue/sweep.h"

#define INPUT_SIZE 4096
#define SWEEP_EVERY 31		/* requests */

struct state {
	struct cleanup batch;
	struct sweep sweep;
	unsigned until_sweep;
	char request[CLEANUP_REQUEST_MAX];	/* the one being read */
	size_t request_len;		/* stops at the size, which is too long already */
	char input[INPUT_SIZE], output[CLEANUP_BATCH];
};

static int
start(struct state *s)
{
	static const struct sandbox_path queue[] = { { ".", SANDBOX_CHANGE } };

	if (io_open_standard() == -1 || chdir(QMAIL_HOME "/queue") == -1 ||
	    qlayout_detect(&s->batch.layout) == -1)
		return -1;
	qlayout_detect_journal(&s->batch.layout);
	s->batch.answers_fd = 1;
	return sandbox_paths(queue, sizeof queue / sizeof *queue);
}

static void
take_request(struct state *s)
{
	if (s->until_sweep == 0) {
		sweep_step(&s->sweep, &s->batch.layout, date_now());
		s->until_sweep = SWEEP_EVERY;
	}
	s->until_sweep--;
	cleanup_add(&s->batch, span_of(s->request, s->request_len));
	s->request_len = 0;
}

/* Takes requests from what was read until the batch is full. */
static void
take_requests(struct state *s, struct io_in *in)
{
	struct span bytes = io_peek(in);
	size_t i;

	for (i = 0; i < bytes.n && s->batch.n < CLEANUP_BATCH; i++)
		if (bytes.p[i] == '\0')
			take_request(s);
		else if (s->request_len < sizeof s->request)
			s->request[s->request_len++] = bytes.p[i];
	io_skip(in, i);
}

/* Carries out the batch and answers it in one write. */
static int
answer(struct state *s)
{
	size_t n = s->batch.n;

	if (n == 0)
		return 0;
	cleanup_run(&s->batch);
	for (size_t i = 0; i < n; i++)
		s->output[i] = s->batch.items[i].answer;
	s->batch.n = 0;
	return io_write_all(1, s->output, n);
}

int
main(void)
{
	struct state *s = calloc(1, sizeof *s);
	struct io_in in;

	sig_ignore(SIGPIPE);
	if (!s || start(s) == -1)
		return CODE_TEMP;
	io_in_init(&in, 0, s->input, sizeof s->input);
	while (io_fill(&in) == IO_OK) {
		take_requests(s, &in);
		if (answer(s) == -1)
			return CODE_PERM;
	}
	sweep_end(&s->sweep);
	free(s);
	return CODE_OK;
}
