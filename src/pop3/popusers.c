/* popusers - logins of the users in users/poppasswd.cdb. */
#include "pop3/popusers.h"

#include "lib/cdbmap.h"
#include "lib/conf.h"

/* Absolute: the caller's directory is the caller's affair. */
#define PLACE(name) QMAIL_HOME "/" name

struct store {
	struct cdbmap *users, *secrets;		/* secrets: or NULL */
};

static int
open_store(struct store *s)
{
	if (cdbmap_open(PLACE(POPPASSWD_DATABASE), &s->users) != CDBMAP_FOUND)
		return -1;
	return cdbmap_open(PLACE(POPSECRETS_DATABASE), &s->secrets) == CDBMAP_FAILED ? -1 : 0;
}

/* Replaces *text by the record.  An empty key is the one that stands for all. */
static enum cdbmap_status
find(struct cdbmap *m, const char *key, struct buf *text)
{
	enum cdbmap_status status;
	struct span data;

	buf_reset(text);
	if (!m)
		return CDBMAP_ABSENT;
	if ((status = cdbmap_find(m, span_str(key), &data)) != CDBMAP_FOUND)
		return status;
	buf_addspan(text, data);
	return buf_ok(text) ? CDBMAP_FOUND : CDBMAP_FAILED;
}

/* Everybody's login takes this way, so that it tells nothing about who has what. */
static enum verdict
check_digest(struct store *s, const struct login *l)
{
	struct buf secret = { 0 };
	enum cdbmap_status status = find(s->secrets, l->name, &secret);
	bool good = password_is_digest(l->password, l->third, buf_str(&secret));

	good = good && status == CDBMAP_FOUND && secret.n && *l->third;
	buf_wipe(&secret);
	return status == CDBMAP_FAILED ? VERDICT_UNKNOWN : good ? VERDICT_GOOD : VERDICT_BAD;
}

static enum verdict
check_password(struct store *s, const struct login *l, struct span field)
{
	struct buf hash = { 0 }, like = { 0 };
	enum verdict verdict = VERDICT_UNKNOWN;

	buf_addspan(&hash, field);
	if (find(s->users, "", &like) != CDBMAP_FAILED && buf_ok(&hash))
		verdict = password_compare(l->password, field.n ? buf_str(&hash) : NULL,
		    like.n ? buf_str(&like) : NULL);
	buf_wipe(&hash);
	buf_wipe(&like);
	return verdict;
}

static enum verdict
check(struct store *s, const struct login *l, struct poppasswd *user, struct buf *record)
{
	enum cdbmap_status found = find(s->users, l->name, record);
	enum verdict digest = check_digest(s, l), verdict;

	*user = (struct poppasswd){ 0 };
	if (found == CDBMAP_FAILED || digest == VERDICT_UNKNOWN ||
	    (found == CDBMAP_FOUND && *l->name && poppasswd_parse(buf_span(record), user)))
		return VERDICT_UNKNOWN;
	verdict = digest == VERDICT_GOOD ? digest : check_password(s, l, user->hash);
	if (!user->home.n || (user->hash.n && user->hash.p[0] == '!'))
		return verdict == VERDICT_UNKNOWN ? verdict : VERDICT_BAD;
	return verdict;
}

enum verdict
popusers_check(const struct login *l, struct poppasswd *user, struct buf *record)
{
	struct store s = { 0 };
	enum verdict verdict = open_store(&s) == 0 ? check(&s, l, user, record) : VERDICT_UNKNOWN;

	cdbmap_close(s.users);
	cdbmap_close(s.secrets);
	return verdict;
}
