/* helper - qmail-spf as a process of qmail-smtpd's: started with the first question, and ended with
 * the session.  Whatever it does costs the session no more than SPF_HELPER_MS. */
#ifndef SPF_HELPER_H
#define SPF_HELPER_H

#include <sys/types.h>

#include "spf/link.h"

#define SPF_HELPER_MS (INT64_C(50) * 1000)	/* an answer: two checks, a last question */
#define SPF_HELPER_BUFFER 1024

struct spf_helper {
	pid_t pid;		/* 0: none was started */
	int ask, hear;		/* our ends */
	struct io_out out;
	struct io_in in;
	char out_buffer[SPF_HELPER_BUFFER], in_buffer[SPF_HELPER_BUFFER];
};

/* *h is {0} the first time.  cwd = the home directory; the caller ignores SIGPIPE.
 * BAD: there is no answer, and a helper that had been started is gone; the next question starts
 * another. */
MUST_CHECK enum spf_link_status spf_helper_ask(struct spf_helper *h, const struct spf_question *q,
    enum spf_result *result, struct buf *text, struct buf *explanation);
/* It sees the end of its input and exits. */
void spf_helper_free(struct spf_helper *h);

#endif
