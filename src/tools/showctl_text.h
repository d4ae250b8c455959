/* showctl_text - what qmail-showctl says of each control file: a table for those of qmail-1.03, in
 * its words and its order, one for ours. */
#ifndef TOOLS_SHOWCTL_TEXT_H
#define TOOLS_SHOWCTL_TEXT_H

#include <stddef.h>


enum kind {
	LINE,		/* before VALUE after; `absent` is the value then */
	NUMBER,		/* the same for the leading digits; without any it counts as absent */
	LINE_ME,	/* the same; the value is then that of me, else the file's own name */
	LIST,		/* the same for each entry; `absent` is the whole text then */
	ROUTES,		/* the same, but a login in it is not shown */
	MARK,		/* only that it is there */
	MORE_HOSTS,	/* morercpthosts: a list that needs rcpthosts */
	MORE_HOSTS_CDB	/* morercpthosts.cdb: compared with its source */
};

struct control {
	const char *name;
	enum kind kind;
	const char *before, *after, *absent;
};

extern const struct control showctl_usual[];
extern const size_t showctl_usual_n;
/* Shown only where they are, so that the rest stays as it was. */
extern const struct control showctl_own[];
extern const size_t showctl_own_n;

#endif
