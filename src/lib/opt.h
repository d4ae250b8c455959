/* opt - options in POSIX order: parsing stops at the first operand; letters may be clustered; a
 * value is the rest of the argument or, if that is empty, the whole next argument.
 *
 *	struct opt o = OPT_INIT(argc, argv);
 *	for (int c; (c = opt_next(&o, "nf:")) != OPT_END;)
 *		switch (c) {
 *		case 'f': use(o.value); break;
 *		default: opt_complain(&o, 2, c);
 *		}
 *	operands: argv[o.index] ... argv[argc - 1] */
#ifndef LIB_OPT_H
#define LIB_OPT_H

#define OPT_END (-1)
#define OPT_ILLEGAL '?'		/* o.letter is not in the list */
#define OPT_MISSING ':'		/* o.letter wants a value and there is none */
#define OPT_INIT(argc, argv) { (argc), (argv), 1, 0, 0, 0 }

struct opt {
	int argc;
	char *const *argv;
	int index;		/* of the first operand, once OPT_END was returned */
	const char *cluster;	/* where we are inside an argument */
	const char *value;	/* of the letter returned */
	char letter;
};

/* list: letters, each followed by `:` if it takes a value. */
int opt_next(struct opt *o, const char *list);
/* The base name of argv[0] (never NULL). */
const char *opt_program(const struct opt *o);
/* After OPT_ILLEGAL or OPT_MISSING: writes `NAME: illegal option -- c` LF or
 * `NAME: option requires an argument -- c` LF to fd. */
void opt_complain(const struct opt *o, int fd, int returned);

#endif
