/* qmail-newmvrt - compile control/morevalidrcptto into control/morevalidrcptto.cdb.
 * Run by: the administrator, after changing the file.  No arguments, no environment.
 * Exit: 0, with a warning on fd 2 for each of the first lines that cannot match any recipient; or
 * 111 with one line on fd 2; then the old database is untouched. */
#include "lib/ascii.h"
#include "tools/listcdb.h"

/* Why no recipient is ever looked up as the entry (smtp/validrcpt.h); NULL: one can be. */
static const char *
flaw(struct span entry)
{
	size_t at = span_rchr(entry, '@');

	if (at >= entry.n)
		return "no @ in it: u@x, @x, -u@x or -@x is wanted";
	if (at + 1 == entry.n)
		return "nothing after the @";
	if (entry.p[at + 1] == '*' || (at > 0 && entry.p[at - 1] == '*'))
		return "`*' stands for itself; `@x' is every recipient at x";
	return listcdb_flaw(entry);
}

int
main(void)
{
	return listcdb_main("qmail-newmvrt", "morevalidrcptto", flaw);
}
