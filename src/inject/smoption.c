/* smoption - the command line of sendmail. */
#include "inject/smoption.h"

#include <string.h>

#include "lib/opt.h"

/* Letters that are accepted, those with a value marked. */
#define LETTERS "A:B:b:C:cD:dEe:F:f:Gh:IiJL:mN:nO:o:p:qR:r:tUV:vX:x"

/* What -bX means. */
static enum smoption_mode
mode_of(char letter)
{
	switch (letter) {
	case 'd': case 'D': case 'l':
		return SMOPTION_DAEMON;
	case 'h': case 'H':
		return SMOPTION_NOTHING;
	case 'i':
		return SMOPTION_ALIASES;
	case 'm':
		return SMOPTION_SUBMIT;
	case 'p':
		return SMOPTION_LIST;
	case 's':
		return SMOPTION_SERVE;
	default:
		return SMOPTION_USAGE;
	}
}

/* -oMa and its kin take the next argument, or it would become a recipient. */
static void
skip_macro_value(struct opt *o)
{
	static const char *const macros[] = { "-oMa", "-oMaa", "-oMai", "-oMas", "-oMi", "-oMm",
		"-oMr", "-oMs", "-oMt" };

	for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++)
		if (strcmp(o->argv[o->index - 1], macros[i]) == 0 && o->index < o->argc) {
			o->index++;
			return;
		}
}

/* Takes one option. */
static void
take(struct smoption *s, struct opt *o, int c)
{
	switch (c) {
	case 'b':
		s->mode = mode_of(o->value[0]);
		break;
	case 'F':
		s->name = o->value;
		break;
	case 'f': case 'r':
		s->sender = o->value;
		break;
	case 'I':
		s->mode = SMOPTION_ALIASES;
		break;
	case 'o':
		skip_macro_value(o);
		break;
	case 'q':
		s->mode = SMOPTION_NOTHING;
		break;
	case 't':
		s->header = true;
		break;
	case 'X':
		/* -XV asks for VERP: silently leaving it out would lose bounces. */
		if (o->value[0] == 'V')
			s->mode = SMOPTION_USAGE;
		break;
	case 'd': case 'E': case 'J':
		o->cluster = "";	/* the rest of the argument belongs to it */
		break;
	case OPT_ILLEGAL: case OPT_MISSING:
		opt_complain(o, 2, c);
		s->mode = SMOPTION_USAGE;
		break;
	default:
		break;
	}
}

void
smoption_read(struct smoption *s, int argc, char *const *argv)
{
	struct opt o = OPT_INIT(argc, argv);

	for (int c; s->mode == SMOPTION_SUBMIT && (c = opt_next(&o, LETTERS)) != OPT_END;)
		take(s, &o, c);
	s->args = argv + (o.index < argc ? o.index : argc);
	if (s->mode != SMOPTION_SUBMIT)
		return;
	if (strcmp(opt_program(&o), "mailq") == 0)
		s->mode = SMOPTION_LIST;
	else if (strcmp(opt_program(&o), "newaliases") == 0)
		s->mode = SMOPTION_ALIASES;
}
