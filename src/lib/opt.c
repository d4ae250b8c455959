/* opt - options in POSIX order. */
#include "lib/opt.h"

#include <stdio.h>
#include <string.h>

#include "lib/io.h"

/* Steps to the next argument that holds options.  0: there is none. */
static int
enter_argument(struct opt *o)
{
	const char *arg = o->index < o->argc ? o->argv[o->index] : NULL;

	if (!arg || arg[0] != '-' || !arg[1])
		return 0;
	o->index++;
	if (strcmp(arg, "--") == 0)
		return 0;
	o->cluster = arg + 1;
	return 1;
}

int
opt_next(struct opt *o, const char *list)
{
	const char *known;

	if ((!o->cluster || !*o->cluster) && !enter_argument(o))
		return OPT_END;
	o->letter = *o->cluster++;
	known = o->letter != ':' ? strchr(list, o->letter) : NULL;
	if (!known)
		return OPT_ILLEGAL;
	if (known[1] != ':')
		return (unsigned char)o->letter;
	o->value = o->cluster;
	o->cluster = NULL;
	if (*o->value)
		return (unsigned char)o->letter;
	if (o->index >= o->argc)
		return OPT_MISSING;
	o->value = o->argv[o->index++];
	return (unsigned char)o->letter;
}

const char *
opt_program(const struct opt *o)
{
	const char *name = o->argc > 0 && o->argv[0] ? o->argv[0] : "";
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

void
opt_complain(const struct opt *o, int fd, int returned)
{
	char text[256];
	int n = snprintf(text, sizeof text, "%.200s: %s -- %c\n", opt_program(o),
	    returned == OPT_MISSING ? "option requires an argument" : "illegal option", o->letter);

	if (n > 0 && (size_t)n < sizeof text)
		(void)!io_write_all(fd, text, (size_t)n);
}
