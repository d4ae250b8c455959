/* activity - the activity log: every line in one write. */
#include "send/activity.h"

#include "lib/deadline.h"
#include "lib/errtext.h"

struct buf *
activity_begin(struct activity *a)
{
	buf_reset(&a->line);
	return &a->line;
}

void
activity_end(struct activity *a)
{
	buf_addc(&a->line, '\n');
	if (buf_ok(&a->line))
		a->emit(a->arg, buf_span(&a->line));
	else
		activity_memory(a);
}

void
activity_say(struct activity *a, const char *line)
{
	buf_adds(activity_begin(a), line);
	activity_end(a);
}

void
activity_warn(struct activity *a, const char *before, const char *file, const char *after)
{
	struct buf *line = activity_begin(a);

	buf_adds(line, "warning: ");
	buf_adds(line, a->tag);
	buf_adds(line, before);
	if (file)
		buf_adds(line, file);
	if (after)
		buf_adds(line, after);
	activity_end(a);
}

void
activity_alert(struct activity *a, const char *text)
{
	struct buf *line = activity_begin(a);

	buf_adds(line, "alert: ");
	buf_adds(line, a->tag);
	buf_adds(line, text);
	activity_end(a);
}

void
activity_warn_plain(struct activity *a, const char *text, const char *file)
{
	struct buf *line = activity_begin(a);

	buf_adds(line, "warning: ");
	buf_adds(line, text);
	buf_adds(line, file);
	activity_end(a);
}

bool
activity_may(struct activity *a, enum activity_cause cause)
{
	int64_t now = deadline_now();

	if (now < a->quiet_until[cause])
		return false;
	a->quiet_until[cause] = now + ACTIVITY_QUIET_MS;
	return true;
}

void
activity_memory(struct activity *a)
{
	/* No memory is needed to say so. */
	if (activity_may(a, CAUSE_MEMORY))
		a->emit(a->arg, span_str("alert: out of memory, sleeping...\n"));
}

void
activity_opendir(struct activity *a, const char *dir)
{
	struct buf *line;

	if (!activity_may(a, CAUSE_OPENDIR))
		return;
	line = activity_begin(a);
	buf_adds(line, "alert: unable to opendir ");
	buf_adds(line, dir);
	buf_adds(line, ", sleeping...");
	activity_end(a);
}

void
activity_queue(struct activity *a, int error)
{
	struct buf *line;

	if (!activity_may(a, CAUSE_QUEUE))
		return;
	line = activity_begin(a);
	buf_adds(line, ACTIVITY_QUEUE);
	buf_adds(line, errtext(error));
	buf_adds(line, ", sleeping...");
	activity_end(a);
}
