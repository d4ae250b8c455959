/* result - what a check of a sender comes to (RFC 7208, 2.6), and the words for it. */
#ifndef SPF_RESULT_H
#define SPF_RESULT_H

#include "lib/attr.h"
#include "lib/span.h"

enum spf_result {
	SPF_NONE,		/* the domain says nothing */
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,		/* DNS gave no answer */
	SPF_PERMERROR,		/* what the domain says makes no sense */
	SPF_RESULTS
};

/* As header fields have it: `none`, `pass`, ..., `temperror`, `permerror`. */
const char *spf_result_word(enum spf_result r);
/* As $SPFRESULT and spfquery have it since their beginning: `error` and `unknown` for the last
 * two. */
const char *spf_result_old_word(enum spf_result r);
/* From spf_result_word's text; SPF_RESULTS: it is none. */
enum spf_result spf_result_parse(struct span word);

#endif
