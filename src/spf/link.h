/* link - what qmail-smtpd and qmail-spf say to each other, on two pipes.
 *
 *	question   IP NUL HELO NUL SENDER NUL RECEIVER NUL
 *	answer	   WORD NUL TEXT NUL EXPLANATION NUL
 *
 * WORD is a result (spf/result.h) or `controls`: a control file cannot be used.  Example:
 *	192.0.2.1 NUL mx.a.ex NUL joe@a.ex NUL here.ex NUL
 *	-> none NUL none (here.ex: ...) client-ip=192.0.2.1; ... NUL NUL
 * qmail-spf reads DNS, so its answers are believed no further than their form: bounded, printable
 * US-ASCII, one of the words. */
#ifndef SPF_LINK_H
#define SPF_LINK_H

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "spf/result.h"

#define SPF_FIELD_MAX ((size_t)2048)	/* bytes of one field of either */

struct spf_question {
	struct span ip, helo, sender, receiver;	/* a NUL ends each; cut at SPF_FIELD_MAX */
};

enum spf_link_status {
	SPF_LINK_OK,
	SPF_LINK_CONTROLS,	/* answer `controls` */
	SPF_LINK_END,		/* no further question */
	SPF_LINK_BAD		/* lost, too late, too long, not a word, not printable */
};

/* ---- qmail-smtpd's end ---- */

MUST_CHECK int spf_link_ask(struct io_out *out, const struct spf_question *q);
/* OK: *result and both texts, replaced. */
MUST_CHECK enum spf_link_status spf_link_hear(struct io_in *in, enum spf_result *result,
    struct buf *text, struct buf *explanation);

/* ---- qmail-spf's end ---- */

/* OK: the fields of *q borrow from *fields. */
MUST_CHECK enum spf_link_status spf_link_listen(struct io_in *in, struct buf *fields,
    struct spf_question *q);
MUST_CHECK int spf_link_answer(struct io_out *out, const char *word, struct span text,
    struct span explanation);

#define SPF_LINK_WORD_CONTROLS "controls"

#endif
