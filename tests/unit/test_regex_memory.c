/* What the regular expressions of taps, pattern lists and S25R come to when the C library has no
 * memory for them: never "no match". */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/taps.h"
#include "smtp/patterns.h"
#include "smtp/s25r.h"

#include "scratch.h"
#include "tap.h"

/* These stand before the C library's: compiling fails for expressions that contain `nomem`, all
 * searches fail. */
int
regcomp(regex_t *regex, const char *pattern, int flags)
{
	(void)flags;
	memset(regex, 0, sizeof *regex);
	return strstr(pattern, "nomem") ? REG_ESPACE : 0;
}

/* By another name, because the header's prototype has an array of variable length. */
int search(const regex_t *regex, const char *text, size_t n, regmatch_t *match, int flags)
    __asm__("regexec");

int
search(const regex_t *regex, const char *text, size_t n, regmatch_t *match, int flags)
{
	(void)regex;
	(void)text;
	(void)n;
	(void)match;
	(void)flags;
	return REG_ESPACE;
}

void
regfree(regex_t *regex)
{
	(void)regex;
}

static void
test_taps(struct tap *t)
{
	struct taps taps = { 0 };

	(void)close(scratch_file("control/taps", "F:!a:t@z\n"));
	is_num(t, taps_read(&taps), TAPS_OK, "taps: read");
	errno = 0;
	is_num(t, taps_see(&taps, ENVELOPE_SENDER, span_str("b@y")), TAPS_UNREADABLE,
	    "taps: no memory to search");
	is_num(t, errno, ENOMEM, "taps: errno");
	is(t, taps_address(&taps), span_str(""), "taps: no hit, for all the negation");
	taps_free(&taps);
	(void)close(scratch_file("control/taps", "F:nomem:t@z\n"));
	errno = 0;
	is_num(t, taps_read(&taps), TAPS_UNREADABLE, "taps: no memory to compile");
	is_num(t, errno, ENOMEM, "taps: errno");
	taps_free(&taps);
}

static void
test_patterns(struct tap *t)
{
	struct patterns p = { 0 };
	struct buf complaints = { 0 };
	struct span line;
	bool plain;

	(void)close(scratch_file("control/list", "!a\n"));
	is_num(t, patterns_read(&p, NULL, "list", PATTERNS_MIXED, &complaints), 0,
	    "patterns: read");
	ok(t, patterns_finish(&p), "patterns: finished");
	is_num(t, patterns_find(&p, span_str("b"), &line, &plain), PATTERNS_MEMORY,
	    "patterns: no memory to search");
	patterns_free(&p);
	(void)close(scratch_file("control/list", "nomem.*\n"));
	errno = 0;
	is_num(t, patterns_read(&p, NULL, "list", PATTERNS_MIXED, &complaints), -1,
	    "patterns: no memory to compile");
	is_num(t, errno, ENOMEM, "patterns: errno");
	is_num(t, (long long)complaints.n, 0, "patterns: the line is not to blame");
	patterns_free(&p);
	buf_free(&complaints);
}

int
main(void)
{
	struct scratch s;
	struct tap t = { 0 };

	scratch_enter_home(&s);
	test_taps(&t);
	test_patterns(&t);
	is_num(&t, s25r_rule(span_str("a.b.ex")), -1, "s25r: no memory to search");
	scratch_leave(&s);
	return done(&t);
}
