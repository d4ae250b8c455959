/* recips - a list of addresses in envelope form, in the order they were added, doubles kept. */
#ifndef INJECT_RECIPS_H
#define INJECT_RECIPS_H

#include <stdbool.h>
#include <stddef.h>

#include "inject/fault.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

#define RECIPS_MAX ((size_t)1000000)		/* addresses */
#define RECIPS_TEXT_MAX ((size_t)128 << 20)	/* bytes of all of them */

/* RECIPS_EMPTY to start.  Sticky failure, told by recips_fault. */
struct recips {
	struct buf text;	/* each followed by NUL; so none may hold one */
	size_t n;
};

#define RECIPS_EMPTY { .text = BUF_CAP(RECIPS_TEXT_MAX) }

void recips_free(struct recips *r);
void recips_add(struct recips *r, struct span address);
/* FAULT_NONE, FAULT_RECIPIENTS or FAULT_MEMORY. */
MUST_CHECK enum fault recips_fault(const struct recips *r);
/* Steps through the list: start with *at = 0 (forwards) or *at = r->text.n (backwards). */
bool recips_next(const struct recips *r, size_t *at, struct span *address);
bool recips_previous(const struct recips *r, size_t *at, struct span *address);
/* Takes back what was added since `mark`, an earlier copy of *r. */
void recips_rewind(struct recips *r, const struct recips *mark);

#endif
