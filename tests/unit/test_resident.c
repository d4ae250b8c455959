/* resident: programs that greet, end or talk too early; this test plays them itself. */
#include "spawn/resident.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/io.h"
#include "lib/packet.h"
#include "tap.h"

#define GREETING "test 1"
#define PATIENCE_MS 60000

static char self[] = "/proc/self/exe";

/* What the process does that was started. */
static int
play(const char *part)
{
	char c;

	if (strcmp(part, "noise") == 0)
		return io_write(0, "hello", 5) == 5 ? 0 : 1;
	if (strcmp(part, "greet") == 0 && packet_greet(0, GREETING) == 0)
		return io_read(0, &c, 1) == 0 ? 0 : 1;
	return 0;
}

/* One that plays this part, from its start until it is known what it is. */
static enum resident_state
begin(struct resident *r, const char *part)
{
	int64_t end = deadline_after(PATIENCE_MS);

	if (setenv("RESIDENT_PART", part, 1) == -1)
		abort();
	r->until = deadline_now();
	do {
		(void)resident_ready(r);
		if (r->state == RESIDENT_STARTED)
			(void)io_wait_readable(r->fd, end);
	} while (r->state == RESIDENT_STARTED && deadline_poll(end) != 0);
	(void)waitpid(r->pid, NULL, r->state == RESIDENT_READY ? WNOHANG : 0);
	return r->state;
}

static void
test_rests(struct tap *t)
{
	struct resident r = { .program = self, .greeting = GREETING };
	int64_t want = RESIDENT_REST_MS;

	for (int i = 0; i < 12; i++, want *= 2) {
		if (want > RESIDENT_REST_MAX_MS)
			want = RESIDENT_REST_MAX_MS;
		ok(t, begin(&r, "end") == RESIDENT_NONE, "it ends before its greeting");
		is_num(t, r.rest_ms, want, "and is left alone for a while");
		ok(t, r.until > deadline_now() && !resident_ready(&r) && r.state == RESIDENT_NONE,
		    "really");
	}
	ok(t, begin(&r, "greet") == RESIDENT_READY, "then it greets");
	resident_leave(&r);
	is_num(t, r.rest_ms, RESIDENT_REST_MAX_MS, "a greeting is no answer yet");
	ok(t, begin(&r, "greet") == RESIDENT_READY, "it greets again");
	resident_answered(&r);
	resident_leave(&r);
	is_num(t, r.rest_ms, RESIDENT_REST_MS, "after an answer the rest is short");
}

static void
test_another(struct tap *t)
{
	struct resident r = { .program = self, .greeting = GREETING };

	ok(t, begin(&r, "noise") == RESIDENT_UNFIT, "it says something else");
	ok(t, begin(&r, "greet") == RESIDENT_UNFIT, "that is for good");
	r.file.ino++;
	ok(t, begin(&r, "greet") == RESIDENT_READY, "until the file is another one");
	resident_leave(&r);
}

int
main(void)
{
	const char *part = getenv("RESIDENT_PART");
	struct tap t = { 0 };

	if (part)
		return play(part);
	test_rests(&t);
	test_another(&t);
	while (wait(NULL) != -1)
		;
	return done(&t);
}
