/* env - values for our own environment, for the programs that we run. */
#include "lib/env.h"

#include <stdlib.h>

#include "lib/buf.h"
#include "lib/num.h"

int
env_set_number(const char *name, uint64_t value)
{
	char text[NUM_U64_SIZE];

	(void)num_format(text, value);
	return setenv(name, text, 1);
}

int
env_set_span(const char *name, struct span value)
{
	struct buf copy = { 0 };
	int r;

	buf_addspan(&copy, value);
	r = buf_ok(&copy) ? setenv(name, buf_str(&copy), 1) : -1;
	buf_free(&copy);
	return r;
}
