/* popbuild - users/poppasswd and users/popsecrets become databases. */
#include "users/popbuild.h"

#include <errno.h>

#include "lib/ascii.h"
#include "lib/cdbmap.h"
#include "mail/poppasswd.h"

#define KINDS 16		/* of hashes that are counted */

struct kinds {
	struct {
		struct span hash;	/* the first one seen */
		size_t count;
	} seen[KINDS];
	size_t n;
};

/* One database being made. */
struct build {
	struct cdbmap_maker *maker;
	struct kinds kinds;
	/* Why the record is bad; NULL: it is not. */
	const char *(*check)(struct build *b, struct span record);
};

/* The first `n` dollars. */
static size_t
dollars(struct span hash, size_t n)
{
	for (size_t i = 0; i < hash.n; i++)
		if (hash.p[i] == '$' && --n == 0)
			return i + 1;
	return hash.n;
}

size_t
popbuild_kind(struct span hash)
{
	size_t name;

	if (!hash.n || hash.p[0] != '$')
		return 0;
	name = dollars(hash, 2);
	/* Here salt and hash follow; elsewhere the cost comes first. */
	if (span_eq(span_head(hash, name), span_str("$1$")) ||
	    ((span_eq(span_head(hash, name), span_str("$5$")) ||
	    span_eq(span_head(hash, name), span_str("$6$"))) &&
	    !span_starts(span_tail(hash, name), span_str("rounds="))))
		return name;
	return dollars(hash, 3);
}

static void
count_kind(struct kinds *k, struct span hash)
{
	struct span kind = span_head(hash, popbuild_kind(hash));

	if (!hash.n || hash.p[0] == '!' || hash.p[0] == '*')
		return;
	for (size_t i = 0; i < k->n; i++)
		if (span_eq(kind, span_head(k->seen[i].hash, popbuild_kind(k->seen[i].hash)))) {
			k->seen[i].count++;
			return;
		}
	if (k->n < KINDS) {
		k->seen[k->n].hash = hash;
		k->seen[k->n++].count = 1;
	}
}

static struct span
most_frequent(const struct kinds *k)
{
	size_t best = 0;

	for (size_t i = 1; i < k->n; i++)
		if (k->seen[i].count > k->seen[best].count)
			best = i;
	return k->n ? k->seen[best].hash : span_of("", 0);
}

static const char *
check_user(struct build *b, struct span record)
{
	struct poppasswd user;
	const char *why = poppasswd_parse(record, &user);

	if (!why)
		count_kind(&b->kinds, user.hash);
	return why;
}

static const char *
check_secret(struct build *b, struct span record)
{
	(void)b;
	for (size_t i = 0; i < record.n; i++)
		if (ascii_iscntrl(record.p[i]))
			return "it has a control character";
	return record.n ? NULL : "the secret is empty";
}

/* POPBUILD_FORMAT with place->why, POPBUILD_WRITE, or it is added. */
static enum popbuild_status
add_line(struct build *b, struct span line, struct popbuild_place *place)
{
	struct span name = span_head(line, span_chr(line, ':'));
	struct span record = span_tail(line, name.n + 1);

	if (name.n == line.n)
		place->why = "it has no colon";
	else if (!name.n)
		place->why = "the name is empty";
	else if (span_chr(name, '\0') < name.n)
		place->why = "it has a control character";
	else
		place->why = b->check(b, record);
	if (place->why)
		return POPBUILD_FORMAT;
	return cdbmap_make_add(b->maker, name, record) == -1 ? POPBUILD_WRITE : POPBUILD_OK;
}

static enum popbuild_status
add_lines(struct build *b, struct span text, struct popbuild_place *place)
{
	enum popbuild_status status = POPBUILD_OK;

	for (place->line = 1; text.n && status == POPBUILD_OK; place->line++) {
		struct span line = span_head(text, span_chr(text, '\n'));

		text = span_tail(text, line.n + 1);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (line.n && line.p[0] != '#')
			status = add_line(b, line, place);
	}
	if (status == POPBUILD_FORMAT)
		place->line--;
	return status;
}

static enum popbuild_status
make(struct build *b, struct span text, int fd, struct popbuild_place *place)
{
	enum popbuild_status status;
	int error;

	if (!(b->maker = cdbmap_make(fd)))
		return POPBUILD_WRITE;
	status = add_lines(b, text, place);
	if (status == POPBUILD_OK && b->kinds.n &&
	    cdbmap_make_add(b->maker, span_of("", 0), most_frequent(&b->kinds)) == -1)
		status = POPBUILD_WRITE;
	error = errno;
	if (cdbmap_make_finish(b->maker) == -1 && status == POPBUILD_OK)
		return POPBUILD_WRITE;
	errno = error;
	return status;
}

enum popbuild_status
popbuild_passwd(struct span text, int fd, struct popbuild_place *place)
{
	struct build b = { .check = check_user };

	return make(&b, text, fd, place);
}

enum popbuild_status
popbuild_secrets(struct span text, int fd, struct popbuild_place *place)
{
	struct build b = { .check = check_secret };

	return make(&b, text, fd, place);
}
