/* many - qmail-local as a process that does one delivery after the other. */
#include "local/many.h"

#include <unistd.h>

#include "lib/conf.h"
#include "local/delivery.h"
#include "local/steps.h"
#include "queue/stay.h"

#define IDLE_NAME "local-stay"	/* so that who counts qmail-local counts deliveries */
#define NAME "qmail-local"

static int
run(char *const *operands)
{
	struct delivery d = { .file = DOTQMAIL_EMPTY, .simple = true };
	int code;

	delivery_set(&d, operands);
	code = steps_run(&d);
	delivery_free(&d);
	/* So that no directory of a user is in use between two deliveries. */
	return chdir("/") == -1 ? CODE_TEMP : code;
}

void
many_run(char **argv)
{
	struct stay *s = stay_begin(argv, STAYPROTO_LOCAL, NAME, IDLE_NAME);

	if (!s)
		return;
	while (stay_next(s)) {
		const bool fit = s->n == DELIVERY_OPERANDS && s->strings[1][0] == '/';
		int code = fit ? run(s->strings) : STEPS_DECLINED;

		if (code == STEPS_DECLINED)
			stay_decline(s, false);
		else
			stay_done(s, code, false);
	}
	stay_end(s);
}
