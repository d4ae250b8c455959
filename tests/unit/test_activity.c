/* activity - lines of the log: whole, tagged, and not too often. */
#include "send/activity.h"
#include "tap.h"

struct lines {
	char text[1024];
	size_t n, calls;
};

static void
keep_line(void *arg, struct span line)
{
	struct lines *l = arg;

	l->calls++;
	if (line.n <= sizeof l->text - l->n) {
		memcpy(l->text + l->n, line.p, line.n);
		l->n += line.n;
	}
}

static void
said(struct tap *t, struct lines *l, const char *want, size_t calls, const char *name)
{
	is(t, span_of(l->text, l->n), span_str(want), name);
	is_num(t, (long long)l->calls, (long long)calls, "one call for each line");
	*l = (struct lines){ .n = 0 };
}

static void
test_lines(struct tap *t)
{
	struct lines l = { .n = 0 };
	struct activity a = { .emit = keep_line, .arg = &l, .tag = "" };
	struct activity tagged = { .emit = keep_line, .arg = &l, .tag = "qmail-todo: " };

	activity_say(&a, "status: exiting");
	said(t, &l, "status: exiting\n", 1, "a line");
	activity_warn(&a, "unable to stat ", "info/3/26", "; will try again later");
	activity_warn(&a, "trouble in select", NULL, NULL);
	activity_alert(&a, "oh no!");
	said(t, &l, "warning: unable to stat info/3/26; will try again later\n"
	    "warning: trouble in select\nalert: oh no!\n", 3, "without a tag");
	activity_warn(&tagged, "unable to open ", "todo/5", NULL);
	activity_alert(&tagged, "oh no!");
	activity_warn_plain(&tagged, "qmail-clean unable to clean up ", "todo/5");
	said(t, &l, "warning: qmail-todo: unable to open todo/5\nalert: qmail-todo: oh no!\n"
	    "warning: qmail-clean unable to clean up todo/5\n", 3, "with a tag");
	buf_free(&a.line);
	buf_free(&tagged.line);
}

static void
test_limits(struct tap *t)
{
	struct lines l = { .n = 0 };
	struct activity a = { .emit = keep_line, .arg = &l, .tag = "qmail-todo: " };

	for (int i = 0; i < 3; i++) {
		activity_opendir(&a, "todo");
		activity_memory(&a);
	}
	said(t, &l, "alert: unable to opendir todo, sleeping...\n"
	    "alert: out of memory, sleeping...\n", 2, "each cause once in a while, untagged");
	for (int cause = 0; cause < ACTIVITY_CAUSES; cause++) {
		bool first = activity_may(&a, (enum activity_cause)cause);

		ok(t, first == (cause != CAUSE_MEMORY && cause != CAUSE_OPENDIR),
		    "causes are counted apart: %d", cause);
		a.quiet_until[cause] = 0;
		ok(t, activity_may(&a, (enum activity_cause)cause), "told again when time is up");
	}
	buf_free(&a.line);
}

/* A line for which there is no memory becomes the alert that says so. */
static void
test_memory(struct tap *t)
{
	struct lines l = { .n = 0 };
	struct activity a = { .emit = keep_line, .arg = &l, .tag = "", .line = BUF_CAP(8) };

	activity_say(&a, "1234567");
	said(t, &l, "1234567\n", 1, "a line that just fits");
	activity_say(&a, "12345678");
	said(t, &l, "alert: out of memory, sleeping...\n", 1, "one that does not");
	activity_say(&a, "1");
	said(t, &l, "1\n", 1, "and the next");
	buf_free(&a.line);
}

int
main(void)
{
	struct tap t = { 0 };

	test_lines(&t);
	test_limits(&t);
	test_memory(&t);
	return done(&t);
}
