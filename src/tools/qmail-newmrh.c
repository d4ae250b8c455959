/* qmail-newmrh - compile control/morercpthosts into control/morercpthosts.cdb.
 * Run by: the administrator, after changing the file.  No arguments, no environment.
 * Exit: 0, with a warning on fd 2 for each of the first lines that cannot match any domain; or 111
 * with one line on fd 2; then the old database is untouched. */
#include "lib/ascii.h"
#include "tools/listcdb.h"

/* Why no domain of an address can be equal to the entry; NULL: one can. */
static const char *
flaw(struct span entry)
{
	if (span_chr(entry, '@') < entry.n)
		return "an address, not a domain";
	if (entry.p[0] == '*')
		return "`*' stands for itself; `.x' is every name below x";
	return listcdb_flaw(entry);
}

int
main(void)
{
	return listcdb_main("qmail-newmrh", "morercpthosts", flaw);
}
