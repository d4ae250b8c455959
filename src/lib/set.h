/* set - a sorted set of strings, each with a value; lookups fold ASCII case, and of domains and
 * addresses their labels in UTF-8 into A-labels (lib/alabel.h).
 * Sorting instead of hashing: nobody can choose keys that collide. */
#ifndef LIB_SET_H
#define LIB_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/span.h"

struct set_item {
	size_t key, key_len;	/* offsets into text */
	size_t value, value_len;
	size_t order;		/* of adding */
};

/* {0} is empty.  Sticky failure, as struct buf. */
struct set {
	struct buf text;
	struct set_item *items;
	size_t n, size;
	bool sorted, failed;
};

void set_free(struct set *s);
/* Copies both.  A key added again replaces the earlier value. */
void set_add(struct set *s, struct span key, struct span value);
/* Sorts; call it once after the last add.  false: out of memory somewhere. */
MUST_CHECK bool set_finish(struct set *s);
/* The value for key, borrowed; false = absent.  value may be NULL. */
bool set_find(const struct set *s, struct span key, struct span *value);
/* Domain lookup as virtualdomains, smtproutes and rcpthosts do it: the name itself, then every
 * suffix that begins with a dot, longest first (`a.b.c`: `a.b.c`, `.b.c`, `.c`), and then, if
 * catch_all, the empty key. */
bool set_find_domain(const struct set *s, struct span domain, bool catch_all, struct span *value);

#endif
