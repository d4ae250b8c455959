/* opt: clusters, values, where options end, complaints. */
#include "lib/opt.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/sys.h"
#include "tap.h"

#define ARGS_MAX 16

/* Letters with their values in brackets, ?x and :x for the two errors, then the operands. */
static const struct {
	const char *about, *list;
	const char *argv[ARGS_MAX];
	const char *want;
} rows[] = {
	{ "nothing", "a", { "x" }, "|" },
	{ "operands", "a", { "x", "b", "c" }, "| b c" },
	{ "letters", "abc", { "x", "-a", "-bc", "d" }, "abc| d" },
	{ "value attached", "f:a", { "x", "-fv", "-a" }, "f[v]a|" },
	{ "value next", "f:a", { "x", "-f", "v", "-a" }, "f[v]a|" },
	{ "value in a cluster", "f:a", { "x", "-afv", "b" }, "af[v]| b" },
	{ "value next to a cluster", "f:a", { "x", "-af", "-a", "b" }, "af[-a]| b" },
	{ "empty value", "f:", { "x", "-f", "", "b" }, "f[]| b" },
	{ "value --", "f:", { "x", "-f", "--", "b" }, "f[--]| b" },
	{ "no value", "f:a", { "x", "-a", "-f" }, "a:f" },
	{ "--", "a", { "x", "-a", "--", "-a", "--" }, "a| -a --" },
	{ "-", "a", { "x", "-a", "-", "-a" }, "a| - -a" },
	{ "no permutation", "a", { "x", "b", "-a" }, "| b -a" },
	{ "empty operand", "a", { "x", "", "-a" }, "|  -a" },
	{ "unknown letter", "a", { "x", "-ab" }, "a?b" },
	{ "colon", "f:", { "x", "-:" }, "?:" },
	{ "minus in a cluster", "a", { "x", "-a-" }, "a?-" },
	{ "8 bit", "a", { "x", "-\xff" }, "?\xff" },
};

static void
read_all(struct opt *o, const char *list, struct buf *to)
{
	int c;

	while ((c = opt_next(o, list)) != OPT_END) {
		if (c == OPT_ILLEGAL || c == OPT_MISSING) {
			buf_addc(to, (char)c);
			buf_addc(to, o->letter);
			return;
		}
		buf_addc(to, (char)c);
		if (o->value) {
			buf_addc(to, '[');
			buf_adds(to, o->value);
			buf_addc(to, ']');
			o->value = NULL;
		}
	}
	buf_addc(to, '|');
	for (int i = o->index; i < o->argc; i++) {
		buf_addc(to, ' ');
		buf_adds(to, o->argv[i]);
	}
}

static void
test_rows(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *argv[ARGS_MAX + 1] = { NULL };
		struct opt o = OPT_INIT(0, argv);
		struct buf got = { 0 };

		for (; rows[i].argv[o.argc]; o.argc++)
			argv[o.argc] = strdup(rows[i].argv[o.argc]);
		read_all(&o, rows[i].list, &got);
		is(t, buf_span(&got), span_str(rows[i].want), rows[i].about);
		for (int k = 0; k < o.argc; k++)
			free(argv[k]);
		buf_free(&got);
	}
}

static void
test_program(struct tap *t)
{
	static const char *const names[][2] = { { "mailq", "mailq" }, { "/usr/bin/mailq", "mailq" },
		{ "./a/b", "b" }, { "a/", "" }, { "", "" } };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char name[32], *argv[] = { name, NULL };
		struct opt o = OPT_INIT(1, argv);

		strcpy(name, names[i][0]);
		is(t, span_str(opt_program(&o)), span_str(names[i][1]), "program");
	}
	{
		char *argv[] = { NULL };
		struct opt o = OPT_INIT(0, argv);

		is(t, span_str(opt_program(&o)), span_str(""), "no argv[0]");
		ok(t, opt_next(&o, "a") == OPT_END, "no arguments");
	}
}

static void
test_complain(struct tap *t)
{
	static const struct {
		const char *arg, *want;
	} complaints[] = {
		{ "-b", "prog: illegal option -- b\n" },
		{ "-f", "prog: option requires an argument -- f\n" },
	};

	for (size_t i = 0; i < sizeof complaints / sizeof complaints[0]; i++) {
		char name[] = "/x/prog", arg[8], got[128], *argv[] = { name, arg, NULL };
		struct opt o = OPT_INIT(2, argv);
		ssize_t n;
		int fds[2];

		strcpy(arg, complaints[i].arg);
		if (sys_pipe(fds) == -1)
			abort();
		opt_complain(&o, fds[1], opt_next(&o, "f:"));
		n = read(fds[0], got, sizeof got);
		is(t, span_of(got, n > 0 ? (size_t)n : 0), span_str(complaints[i].want),
		    "complaint");
		(void)close(fds[0]);
		(void)close(fds[1]);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_rows(&t);
	test_program(&t);
	test_complain(&t);
	return done(&t);
}
