/* envkeep - variables of the environment that are lent. */
#include "lib/envkeep.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lib/ctl.h"

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
envkeep_keep(struct envkeep *k, const char *name)
{
	struct buf entry = { 0 };
	int rc;

	buf_adds(&entry, name);
	buf_addc(&entry, '\0');
	keep(&k->before, &entry);
	rc = buf_ok(&entry) && buf_ok(&k->before) ? 0 : -1;
	buf_free(&entry);
	return rc;
}

int
envkeep_change(struct envkeep *k, const struct buf *entries)
{
	keep(&k->before, entries);
	return buf_ok(entries) && buf_ok(&k->before) ? change_all(entries) : -1;
}

int
envkeep_undo(struct envkeep *k)
{
	int rc = 0;

	if (k->before.n || !buf_ok(&k->before))
		rc = buf_ok(&k->before) && change_all(&k->before) == 0 ? 1 : -1;
	buf_reset(&k->before);
	return rc;
}

void
envkeep_free(struct envkeep *k)
{
	buf_free(&k->before);
}
