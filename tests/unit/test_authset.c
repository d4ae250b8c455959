/* authset: variables that AUTH changes, and changes back. */
#include "smtp/authset.h"

#include <stdlib.h>

#include "tap.h"

extern char **environ;

static char names[6][40] = { "A=old", "AUTH_SET_A=new", "AUTH_SET_B=x=y", "AUTH_UNSET_C=1", "C=c",
	"AUTH_SET_E=" };
static char odd[4][40] = { "AUTH_SET_=x", "AUTH_UNSET_=", "AUTH_SET_D=d", "AUTH_UNSET_D=" };

static bool
value_is(const char *name, const char *value)
{
	const char *now = getenv(name);

	return value ? now && strcmp(now, value) == 0 : !now;
}

int
main(void)
{
	char *env[] = { names[0], names[1], names[2], names[3], names[4], names[5], odd[0], odd[1],
		odd[2], odd[3], NULL }, *none[] = { names[0], NULL }, **own = environ;
	struct envkeep k = { 0 };
	struct tap t = { 0 };

	environ = none;
	is_num(&t, authset_apply(&k), 0, "no such variables");
	is_num(&t, envkeep_undo(&k), 0, "nothing to undo");
	environ = env;
	for (int round = 0; round < 2; round++) {
		is_num(&t, authset_apply(&k), 1, "such variables");
		ok(&t, value_is("A", "new"), "one that there was");
		ok(&t, value_is("B", "x=y"), "one that there was not");
		ok(&t, value_is("C", NULL), "unset");
		ok(&t, value_is("D", NULL), "set and unset");
		ok(&t, value_is("E", ""), "empty");
		is_num(&t, authset_apply(&k), 1, "twice");
		is_num(&t, envkeep_undo(&k), 1, "undone");
		ok(&t, value_is("A", "old"), "as it was");
		ok(&t, value_is("B", NULL) && value_is("D", NULL) && value_is("E", NULL), "gone");
		ok(&t, value_is("C", "c"), "there again");
		is_num(&t, envkeep_undo(&k), 0, "undone before");
	}
	envkeep_free(&k);
	environ = own;
	return done(&t);
}
