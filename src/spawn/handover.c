/* handover - has a delivery begun by a qmail-remote that stays. */
#include "spawn/handover.h"

#include <signal.h>
#include <string.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/packet.h"
#include "lib/progpath.h"
#include "lib/span.h"
#include "queue/remoteproto.h"
#include "spawn/batch.h"

_Static_assert(REMOTEPROTO_STRINGS == BATCH_MAX + 2, "a batch fits");

/* Is there one, and is it the one that stays? */
static bool
is_ready(struct handover *h)
{
	struct buf path = { 0 };
	bool found = progpath_find(h->program, &path);

	if (!found || !span_eq(buf_span(&path), buf_span(&h->path))) {
		resident_end(&h->resident);
		buf_free(&h->path);
		h->path = path;
		h->resident.program = h->path.p;
	} else {
		buf_free(&path);
	}
	if (h->times >= HANDOVER_TIMES)
		resident_end(&h->resident);
	if (h->resident.state != RESIDENT_READY)
		h->times = 0;
	return found && resident_ready(&h->resident);
}

static bool
make_request(struct buf *request, const struct spawnd_delivery *d)
{
	const char *recipient = d->recipient;

	buf_reset(request);
	request->max = REMOTEPROTO_REQUEST_MAX;
	buf_adds(request, d->recipient + d->at + 1);
	buf_addc(request, '\0');
	buf_adds(request, d->sender);
	buf_addc(request, '\0');
	for (size_t i = 0; i < d->n; i++) {
		buf_adds(request, recipient);
		buf_addc(request, '\0');
		recipient += strlen(recipient) + 1;
	}
	return buf_ok(request);
}

/* What has been sent may be under way already, so that nobody else may do it. */
static pid_t
take_answer(struct handover *h)
{
	char text[REMOTEPROTO_ANSWER_MAX];
	uint64_t pid;
	ssize_t n = -1;

	if (io_wait_readable(h->resident.fd, deadline_after(HANDOVER_ANSWER_MS)) == IO_OK)
		n = io_read(h->resident.fd, text, sizeof text);
	if (n > 0 && num_parse_u64(text, (size_t)n, INT32_MAX, &pid) == NUM_OK) {
		if (pid > 0) {
			h->times++;
			resident_answered(&h->resident);
		}
		return (pid_t)pid;
	}
	/* Else it would keep the output open. */
	(void)kill(h->resident.pid, SIGKILL);
	resident_leave(&h->resident);
	return SPAWND_UNKNOWN;
}

pid_t
handover(struct handover *h, const struct spawnd_delivery *d)
{
	const int fds[REMOTEPROTO_FDS] = { d->message_fd, d->output_fd };
	pid_t pid;

	if (!h->program || !is_ready(h) || !make_request(&h->request, d))
		return 0;
	if (packet_send(h->resident.fd, buf_span(&h->request), fds, REMOTEPROTO_FDS) == -1) {
		resident_leave(&h->resident);
		return 0;
	}
	pid = take_answer(h);
	if (pid == 0)
		resident_leave(&h->resident);
	return pid;
}

void
handover_end(struct handover *h)
{
	resident_end(&h->resident);
	buf_free(&h->path);
	buf_free(&h->request);
}
