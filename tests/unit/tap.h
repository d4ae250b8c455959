/* tap - the harness of the unit tests: TAP on stdout, exit 1 if anything failed.
 *
 *	struct tap t = { 0 };
 *	ok(&t, 1 + 1 == 2, "sum of %d", 1);
 *	return done(&t);
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/attr.h"
#include "lib/span.h"

struct tap {
	int run, failed;
};

PRINTF_LIKE(3, 4) static inline bool
ok(struct tap *t, bool pass, const char *name, ...)
{
	va_list ap;

	t->run++;
	t->failed += !pass;
	printf("%sok %d - ", pass ? "" : "not ", t->run);
	va_start(ap, name);
	vprintf(name, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	return pass;
}

static inline void
diag_bytes(const char *what, struct span s)
{
	printf("# %s: `", what);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 32 && s.p[i] < 127)
			putchar(s.p[i]);
		else
			printf("\\x%02x", (unsigned)(unsigned char)s.p[i]);
	printf("`\n");
}

/* Same bytes? */
static inline bool
is(struct tap *t, struct span got, struct span want, const char *name)
{
	bool pass = ok(t, span_eq(got, want), "%s", name);

	if (!pass) {
		diag_bytes("got ", got);
		diag_bytes("want", want);
	}
	return pass;
}

static inline bool
is_num(struct tap *t, long long got, long long want, const char *name)
{
	bool pass = ok(t, got == want, "%s", name);

	if (!pass)
		printf("# got %lld, want %lld\n", got, want);
	return pass;
}

static inline int
done(const struct tap *t)
{
	printf("1..%d\n", t->run);
	return t->failed ? 1 : 0;
}

#endif
