/* authres - the field Authentication-Results: what is said in it, and who says it. */
#include "mail/authres.h"

#include <errno.h>
#include <string.h>

#include "lib/ascii.h"

static bool
is_id(struct span id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!ascii_isalnum(id.p[i]) && !memchr(".-_", id.p[i], 3))
			return false;
	return id.n && id.n <= AUTHRES_ID_MAX;
}

enum ctl_status
authres_id(const struct ctlnames *names, struct buf *id, const char **unread)
{
	enum ctl_status status = CTL_ABSENT;

	*unread = "authservid";
	if (ctlnames_may_have(names, "authservid"))
		status = ctl_line("authservid", id);
	if (status == CTL_ABSENT || (status == CTL_FOUND && !id->n)) {
		*unread = "me";
		status = ctl_line("me", id);
	}
	if (status == CTL_FOUND && is_id(buf_span(id)))
		return CTL_FOUND;
	if (status != CTL_ERROR)
		errno = status == CTL_FOUND ? EINVAL : ENOENT;
	return CTL_ERROR;
}

/* ---- results ---- */

void
authres_add(struct buf *results, struct span result)
{
	if (results->n)
		buf_adds(results, "; ");
	buf_addspan(results, result);
}

/* `joe`, `joe@a.example`: it needs no quotes. */
static bool
is_plain(struct span value)
{
	size_t at = span_chr(value, '@');

	for (size_t i = 0; i < value.n; i++)
		if (i != at && !ascii_isalnum(value.p[i]) && !memchr("._+-", value.p[i], 4))
			return false;
	return at > 0 && at + 1 != value.n;
}

void
authres_add_property(struct buf *result, const char *name, struct span value)
{
	bool plain = is_plain(value);
	size_t start = result->n, begin;

	buf_addc(result, ' ');
	buf_adds(result, name);
	buf_addc(result, '=');
	begin = result->n;
	if (!plain)
		buf_addc(result, '"');
	for (size_t i = 0; i < value.n && result->n - begin <= AUTHRES_VALUE_MAX; i++) {
		if (value.p[i] < 32 || value.p[i] > 126) {
			buf_cut(result, start);
			return;
		}
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_addc(result, '\\');
		buf_addc(result, value.p[i]);
	}
	if (!plain)
		buf_addc(result, '"');
	if (!value.n || result->n - begin > AUTHRES_VALUE_MAX)
		buf_cut(result, start);
}

/* ---- the field ---- */

/* Where in quoted strings and comments we are, behind this byte. */
struct place {
	bool quoted, escaped;
	size_t comments;
};

static void
step(struct place *at, char c)
{
	if (at->escaped)
		at->escaped = false;
	else if (c == '\\')
		at->escaped = at->quoted || at->comments;
	else if (c == '"' && !at->comments)
		at->quoted = !at->quoted;
	else if (c == '(' && !at->quoted)
		at->comments++;
	else if (c == ')' && !at->quoted && at->comments)
		at->comments--;
}

bool
authres_put_field(struct buf *to, struct span id, struct span results)
{
	struct place at = { 0 };

	if (results.n > AUTHRES_MAX || !(results = ascii_trim(results)).n)
		return false;
	buf_adds(to, AUTHRES_NAME ": ");
	buf_addspan(to, id);
	buf_adds(to, ";\n\t");
	while (results.n) {
		char c = results.p[0];

		results = span_tail(results, 1);
		buf_addc(to, c < 32 || c > 126 ? '?' : c);
		step(&at, c);
		if (c != ';' || at.quoted || at.comments || !ascii_trim(results).n)
			continue;
		buf_adds(to, "\n\t");	/* and then a byte that is not blank */
		results = ascii_trim(results);
	}
	buf_addc(to, '\n');
	return true;
}
