/* authset - variables for those who have authenticated. */
#include "smtp/authset.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ctl.h"
#include "lib/span.h"

extern char **environ;

/* `NAME=value` becomes that; `NAME` is unset. */
static int
change(struct span entry)
{
	size_t equals = span_chr(entry, '=');
	struct buf copy = { 0 };
	int rc = -1;

	buf_addspan(&copy, entry);
	if (buf_ok(&copy) && equals < entry.n) {
		copy.p[equals] = '\0';
		rc = setenv(copy.p, copy.p + equals + 1, 1);
	} else if (buf_ok(&copy)) {
		rc = unsetenv(copy.p);
	}
	buf_free(&copy);
	return rc;
}

static int
change_all(const struct buf *entries)
{
	struct span entry;
	size_t pos = 0;

	while (ctl_next(entries, &pos, &entry))
		if (change(entry) == -1)
			return -1;
	return 0;
}

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

static bool
is_kept(const struct buf *before, struct span name)
{
	struct span entry;
	size_t pos = 0;

	while (ctl_next(before, &pos, &entry))
		if (span_eq(span_head(entry, span_chr(entry, '=')), name))
			return true;
	return false;
}

/* How the variables are now that will change. */
static void
keep(struct buf *before, const struct buf *entries)
{
	struct span entry;
	size_t pos = 0;

	while (ctl_next(entries, &pos, &entry)) {
		struct span name = span_head(entry, span_chr(entry, '='));
		size_t at = before->n;
		const char *value;

		if (is_kept(before, name))
			continue;
		buf_addspan(before, name);
		buf_addc(before, '\0');
		if (!buf_ok(before) || !(value = getenv(before->p + at)))
			continue;
		buf_cut(before, before->n - 1);
		buf_addc(before, '=');
		buf_adds(before, value);
		buf_addc(before, '\0');
	}
}

int
authset_keep(struct authset *a, const char *name)
{
	struct buf entry = { 0 };
	int rc;

	buf_adds(&entry, name);
	buf_addc(&entry, '\0');
	keep(&a->before, &entry);
	rc = buf_ok(&entry) && buf_ok(&a->before) ? 0 : -1;
	buf_free(&entry);
	return rc;
}

int
authset_apply(struct authset *a)
{
	struct buf entries = { 0 };
	int rc = 0;

	collect("AUTH_SET_", true, &entries);
	collect("AUTH_UNSET_", false, &entries);
	if (entries.n || !buf_ok(&entries)) {
		keep(&a->before, &entries);
		rc = buf_ok(&entries) && buf_ok(&a->before) && change_all(&entries) == 0 ? 1 : -1;
	}
	buf_free(&entries);
	return rc;
}

int
authset_undo(struct authset *a)
{
	int rc = 0;

	if (a->before.n || !buf_ok(&a->before))
		rc = buf_ok(&a->before) && change_all(&a->before) == 0 ? 1 : -1;
	buf_reset(&a->before);
	return rc;
}

void
authset_free(struct authset *a)
{
	buf_free(&a->before);
}
