/* authset - variables for those who have authenticated. */
#include "smtp/authset.h"

#include <stdbool.h>

#include "lib/span.h"

extern char **environ;

/* What begins with the prefix, without it; names alone if they are to be unset. */
static void
collect(const char *prefix, bool with_values, struct buf *entries)
{
	const struct span head = span_str(prefix);

	for (char **variable = environ; variable && *variable; variable++) {
		struct span entry = span_str(*variable);
		size_t equals = span_chr(entry, '=');

		if (!span_starts(entry, head) || equals <= head.n || equals == entry.n)
			continue;
		entry = span_tail(span_head(entry, with_values ? entry.n : equals), head.n);
		buf_addspan(entries, entry);
		buf_addc(entries, '\0');
	}
}

int
authset_apply(struct envkeep *k)
{
	struct buf entries = { 0 };
	int rc = 0;

	collect("AUTH_SET_", true, &entries);
	collect("AUTH_UNSET_", false, &entries);
	if (entries.n || !buf_ok(&entries))
		rc = envkeep_change(k, &entries) == 0 ? 1 : -1;
	buf_free(&entries);
	return rc;
}
