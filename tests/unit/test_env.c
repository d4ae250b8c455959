/* env: values as a program that is run gets them. */
#include "lib/env.h"

#include <stdint.h>
#include <stdlib.h>

#include "tap.h"

int
main(void)
{
	struct tap t = { 0 };

	ok(&t, env_set_number("NUMBER", 0) == 0, "0");
	is(&t, span_str(getenv("NUMBER")), span_str("0"), "  is there");
	ok(&t, env_set_number("NUMBER", UINT64_MAX) == 0, "the largest");
	is(&t, span_str(getenv("NUMBER")), span_str("18446744073709551615"), "  replaces it");
	ok(&t, env_set_span("TEXT", span_of("a=b c...", 5)) == 0, "a part of a text");
	is(&t, span_str(getenv("TEXT")), span_str("a=b c"), "  and no more of it");
	ok(&t, env_set_span("TEXT", span_of("x\0y", 3)) == 0, "a NUL");
	is(&t, span_str(getenv("TEXT")), span_str("x"), "  ends it");
	ok(&t, env_set_span("TEXT", span_of(NULL, 0)) == 0 && getenv("TEXT"), "empty");
	is(&t, span_str(getenv("TEXT")), span_str(""), "  is set");
	ok(&t, env_set_number("A=B", 1) == -1, "a name that is none");
	return done(&t);
}
