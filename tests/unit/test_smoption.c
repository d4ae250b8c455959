/* smoption: the command lines of sendmail's callers. */
#include "inject/smoption.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/sys.h"
#include "tap.h"

#define ARGS_MAX 64

/* line: arguments between single spaces (an empty one is `''`), the first one argv[0]. */
static const struct row {
	const char *line;
	enum smoption_mode mode;
	bool header;
	const char *sender, *name;
	const char *to;		/* recipients, a space after each */
	const char *said;	/* on standard error */
} rows[] = {
#define SUBMITS(line, t, f, name, to) { line, SMOPTION_SUBMIT, t, f, name, to, "" }
#define MODE(line, mode) { line, mode, false, NULL, NULL, NULL, "" }
	SUBMITS("sendmail -t -i", true, NULL, NULL, ""),
	SUBMITS("sendmail -t -i -fa@b", true, "a@b", NULL, ""),
	SUBMITS("sendmail -oi -f a@b -t", true, "a@b", NULL, ""),
	SUBMITS("sendmail -oi -fa@b -- r1 -r2", false, "a@b", NULL, "r1 -r2 "),
	SUBMITS("sendmail -FCronDaemon -i -odi -oem -oi -t -f joe", true, "joe", "CronDaemon", ""),
	SUBMITS("sendmail -i -FCronDaemon -B8BITMIME -oem joe", false, NULL, "CronDaemon", "joe "),
	SUBMITS("sendmail -FAnacron -odi joe", false, NULL, "Anacron", "joe "),
	SUBMITS("sendmail -i -f <> -- r", false, "<>", NULL, "r "),
	SUBMITS("sendmail -f '' r", false, "", NULL, "r "),
	SUBMITS("sendmail -f -x r", false, "-x", NULL, "r "),
	SUBMITS("sendmail -oem -oi -B8BITMIME -N never -R hdrs r", false, NULL, NULL, "r "),
	SUBMITS("sendmail -i -m -v -r a@b r", false, "a@b", NULL, "r "),
	SUBMITS("sendmail -f a -r b r", false, "b", NULL, "r "),
	SUBMITS("sendmail -eq -f<> r", false, "<>", NULL, "r "),
	SUBMITS("sendmail -e m r", false, NULL, NULL, "r "),
	SUBMITS("sendmail -Ac -Am -C /x -D y -h 3 -L tag -O a=b -p SMTP:h -V id -X /log r", false,
	    NULL, NULL, "r "),
	SUBMITS("sendmail -A c -N x -R x -X x r", false, NULL, NULL, "r "),
	SUBMITS("sendmail -c -G -U -m -n -v -x -d -d0.1 -Efoo -Jbar r", false, NULL, NULL, "r "),
	SUBMITS("sendmail -tiv r", true, NULL, NULL, "r "),
	SUBMITS("sendmail -tif a r", true, "a", NULL, "r "),
	SUBMITS("sendmail -bm r", false, NULL, NULL, "r "),
	SUBMITS("sendmail -oMr v r", false, NULL, NULL, "r "),
	SUBMITS("sendmail -oMa v -oMaa v -oMai v -oMas v -oMi v -oMm v -oMs v -oMt v r", false,
	    NULL, NULL, "r "),
	SUBMITS("sendmail -oMx v r", false, NULL, NULL, "v r "),
	SUBMITS("sendmail -oMrv r", false, NULL, NULL, "r "),
	SUBMITS("sendmail -oMr", false, NULL, NULL, ""),
	SUBMITS("sendmail -oA f -oX -oP -o7 -o8 -oo -oitrue r", false, NULL, NULL,
	    "f -oX -oP -o7 -o8 -oo -oitrue r "),
	SUBMITS("sendmail -oAf -oX -oP -o7 -o8 -oo -oitrue -oQ/x r", false, NULL, NULL, "r "),
	SUBMITS("sendmail -o i r", false, NULL, NULL, "r "),
	SUBMITS("sendmail r -f x -t", false, NULL, NULL, "r -f x -t "),
	SUBMITS("sendmail - r", false, NULL, NULL, "- r "),
	SUBMITS("sendmail", false, NULL, NULL, ""),
	SUBMITS("/usr/sbin/send-mail r", false, NULL, NULL, "r "),
	SUBMITS("mailq/sendmail r", false, NULL, NULL, "r "),
	MODE("mailq", SMOPTION_LIST),
	MODE("/usr/bin/mailq -v", SMOPTION_LIST),
	MODE("mailq -q", SMOPTION_NOTHING),
	MODE("newaliases", SMOPTION_ALIASES),
	MODE("/usr/bin/newaliases -v", SMOPTION_ALIASES),
	MODE("sendmail -bp", SMOPTION_LIST),
	MODE("sendmail -bpx -q", SMOPTION_LIST),
	MODE("sendmail -v -bi", SMOPTION_ALIASES),
	MODE("sendmail -I", SMOPTION_ALIASES),
	MODE("sendmail -bs -Z", SMOPTION_SERVE),
	MODE("newaliases -bs", SMOPTION_SERVE),
	MODE("sendmail -q", SMOPTION_NOTHING),
	MODE("sendmail -q30m r", SMOPTION_NOTHING),
	MODE("sendmail -qRfoo", SMOPTION_NOTHING),
	MODE("sendmail -bh", SMOPTION_NOTHING),
	MODE("sendmail -bH", SMOPTION_NOTHING),
	MODE("sendmail -bd -q30m", SMOPTION_DAEMON),
	MODE("sendmail -bl", SMOPTION_DAEMON),
	MODE("sendmail -bdf", SMOPTION_DAEMON),
	MODE("sendmail -bD", SMOPTION_DAEMON),
	MODE("sendmail -bS", SMOPTION_USAGE),
	MODE("sendmail -bt", SMOPTION_USAGE),
	MODE("sendmail -bV", SMOPTION_USAGE),
	MODE("sendmail -be", SMOPTION_USAGE),
	MODE("sendmail -bf", SMOPTION_USAGE),
	MODE("sendmail -bP", SMOPTION_USAGE),
	MODE("sendmail -bv joe", SMOPTION_USAGE),
	MODE("sendmail -b ''", SMOPTION_USAGE),
	MODE("sendmail -XV r", SMOPTION_USAGE),
	MODE("sendmail -XVxy r", SMOPTION_USAGE),
#define REFUSED(line, said) { line, SMOPTION_USAGE, false, NULL, NULL, NULL, \
	"sendmail: " said "\n" }
	REFUSED("sendmail -M id", "illegal option -- M"),
	REFUSED("sendmail -Mrm id", "illegal option -- M"),
	REFUSED("sendmail -S x", "illegal option -- S"),
	REFUSED("sendmail -s x", "illegal option -- s"),
	REFUSED("sendmail -T", "illegal option -- T"),
	REFUSED("sendmail -z", "illegal option -- z"),
	REFUSED("sendmail -tQ", "illegal option -- Q"),
	REFUSED("sendmail -:", "illegal option -- :"),
	REFUSED("sendmail -F", "option requires an argument -- F"),
	REFUSED("sendmail -t -f", "option requires an argument -- f"),
	REFUSED("sendmail -b", "option requires an argument -- b"),
};

static int
split(char *line, char **argv)
{
	int n = 0;

	for (char *word = line; word && n < ARGS_MAX; n++) {
		char *space = strchr(word, ' ');

		if (space)
			*space++ = '\0';
		argv[n] = strcmp(word, "''") == 0 ? word + 2 : word;
		word = space;
	}
	argv[n] = NULL;
	return n;
}

/* Standard error while it runs goes to `said`. */
static void
read_line(char **argv, int argc, struct smoption *s, char *said, size_t size)
{
	int fds[2], keep = dup(2);
	ssize_t n;

	if (sys_pipe(fds) == -1 || keep == -1 || dup2(fds[1], 2) == -1)
		abort();
	smoption_read(s, argc, argv);
	if (dup2(keep, 2) == -1 || close(fds[1]) == -1 || close(keep) == -1)
		abort();
	n = read(fds[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	(void)close(fds[0]);
}

static bool
same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		char line[256], said[256], *argv[ARGS_MAX + 1];
		struct smoption s = { .mode = SMOPTION_SUBMIT };
		struct buf to = { 0 };
		int argc;

		snprintf(line, sizeof line, "%s", r->line);
		argc = split(line, argv);
		read_line(argv, argc, &s, said, sizeof said);
		for (char *const *arg = s.args; *arg; arg++) {
			buf_adds(&to, *arg);
			buf_addc(&to, ' ');
		}
		ok(&t, s.mode == r->mode, "%s", r->line);
		ok(&t, same(said, r->said), "  complaint");
		if (r->mode == SMOPTION_SUBMIT) {
			ok(&t, s.header == r->header, "  -t");
			ok(&t, same(s.sender, r->sender), "  sender");
			ok(&t, same(s.name, r->name), "  name");
			is(&t, buf_span(&to), span_str(r->to), "  recipients");
		}
		buf_free(&to);
	}
	return done(&t);
}
