/* Command lines of sendmail: reading ends, what is returned points into the command line, and no
 * argument behind `--` is anything but a recipient.  Input: arguments with `~` between them. */
#include "inject/smoption.h"

#include <string.h>

#include "lib/opt.h"
#include "rig.h"

/* Complaints would fill the terminal. */
#define opt_complain(o, fd, c) ((void)(c))
#include "inject/smoption.c"

#define ARGS_MAX 64

const char *const fuzz_words[] = {
	"~", "sendmail", "mailq", "newaliases", "-t", "-f", "-fjoe@x", "-F", "-bs", "-bp", "-bi",
	"-bd", "-bm", "-oi", "-oMa", "-oMr", "-i", "-N", "never", "-X", "-XV", "-q", "-q30m",
	"-I", "-d0", "--", "-", "joe@x.test", "-O", "a=b", "-Am", "-v", "-n", "-r", "-E", "-J",
	"\xff", "/usr/sbin/", NULL
};

static bool
points_into(const char *p, char *const *argv)
{
	for (; p && *argv; argv++)
		if (p >= *argv && p <= *argv + strlen(*argv))
			return true;
	return !p;
}

static void
check(int argc, char *const *argv)
{
	struct smoption s = { .mode = SMOPTION_SUBMIT };
	int end = 1;

	smoption_read(&s, argc, argv);
	promise(s.mode >= SMOPTION_SUBMIT && s.mode <= SMOPTION_USAGE);
	promise(points_into(s.sender, argv) && points_into(s.name, argv));
	promise(s.args > argv && s.args <= argv + argc);
	promise(argv[argc] == NULL);
	/* Behind the first `--` in the place of an option there is nothing but recipients. */
	while (end < argc && strcmp(argv[end], "--") != 0 && argv[end][0] == '-' &&
	    strlen(argv[end]) == 2 && strchr("ceGinmtTUv", argv[end][1]))
		end++;
	if (end < argc && strcmp(argv[end], "--") == 0 && s.mode == SMOPTION_SUBMIT)
		promise(s.args == argv + end + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf text = { 0 };
	char *argv[ARGS_MAX + 1];
	int argc = 0;

	rig_nuls(&text, rig_input(p, n), '~');
	buf_addc(&text, '\0');
	for (size_t at = 0; at < text.n && argc < ARGS_MAX; at += strlen(text.p + at) + 1)
		argv[argc++] = text.p + at;
	argv[argc] = NULL;
	check(argc, argv);
	buf_free(&text);
	return 0;
}
