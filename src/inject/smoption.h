/* smoption - the command line of sendmail, as the many programs write it that were made for other
 * mail systems.  The table of letters, and what each of those systems makes of them, is in
 * sendmail(8).  What is ignored is never looked at: no file is opened because of it. */
#ifndef INJECT_SMOPTION_H
#define INJECT_SMOPTION_H

#include <stdbool.h>

#include "lib/attr.h"

enum smoption_mode {
	SMOPTION_SUBMIT,
	SMOPTION_SERVE,		/* -bs */
	SMOPTION_LIST,		/* -bp; or called as mailq */
	SMOPTION_ALIASES,	/* -bi, -I; or called as newaliases */
	SMOPTION_NOTHING,	/* -q, -bh, -bH: done already, so to speak */
	SMOPTION_DAEMON,	/* -bd, -bl, -bD: refused with a hint */
	SMOPTION_USAGE		/* refused; an illegal letter has been named already */
};

struct smoption {
	enum smoption_mode mode;
	bool header;		/* -t */
	const char *sender;	/* -f, -r; NULL: none */
	const char *name;	/* -F; NULL: none */
	char *const *args;	/* recipients, NULL at the end */
};

/* All modes but SMOPTION_SUBMIT end the reading at once: what stands behind them is not looked at.
 * How the program was called (mailq) counts after the options. */
void smoption_read(struct smoption *s, int argc, char *const *argv);

#endif
