/* tcprules - the rules of tcpserver(1), as tcprules(1) has compiled them. */
#include "mail/tcprules.h"

#include <errno.h>

#include "lib/cdbmap.h"

/* One search: the first key that is there ends it. */
struct search {
	struct cdbmap *map;
	struct buf key;
	enum tcprules_status status;
	struct span found;
};

/* true: go on with the next key. */
static bool
probe(struct search *s)
{
	if (!buf_ok(&s->key)) {
		errno = ENOMEM;
		s->status = TCPRULES_FAILED;
		return false;
	}
	switch (cdbmap_find(s->map, buf_span(&s->key), &s->found)) {
	case CDBMAP_FOUND:
		s->status = TCPRULES_FOUND;
		return false;
	case CDBMAP_ABSENT:
		return true;
	default:
		s->status = TCPRULES_FAILED;
		return false;
	}
}

/* first, middle and last are parts of the key. */
static bool
try_key(struct search *s, struct span first, const char *middle, struct span last)
{
	buf_reset(&s->key);
	buf_addspan(&s->key, first);
	buf_adds(&s->key, middle);
	buf_addspan(&s->key, last);
	return probe(s);
}

static bool
try_prefixes(struct search *s, struct span ip)
{
	for (size_t n = ip.n; n > 0; n--)
		if ((ip.p[n - 1] == '.' || ip.p[n - 1] == ':') &&
		    !try_key(s, span_head(ip, n), "", span_str("")))
			return false;
	return true;
}

static bool
try_suffixes(struct search *s, struct span host)
{
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] == '.' && !try_key(s, span_str(""), "=", span_tail(host, i)))
			return false;
	return true;
}

static void
run(struct search *s, const struct tcprules_client *who)
{
	const struct span none = span_str("");

	if (who->user.p && (!try_key(s, who->user, "@", who->ip) ||
	    (who->host.p && !try_key(s, who->user, "@=", who->host))))
		return;
	if (!try_key(s, who->ip, "", none) || (who->host.p && !try_key(s, none, "=", who->host)))
		return;
	if (!try_prefixes(s, who->ip))
		return;
	if (who->host.p && (!try_suffixes(s, who->host) || !try_key(s, none, "=", none)))
		return;
	(void)try_key(s, none, "", none);
}

enum tcprules_status
tcprules_find(const char *path, const struct tcprules_client *who, struct buf *data)
{
	struct search s = { .status = TCPRULES_ABSENT };

	if (cdbmap_open(path, &s.map) != CDBMAP_FOUND)
		return TCPRULES_FAILED;
	buf_reset(data);
	run(&s, who);
	if (s.status == TCPRULES_FOUND)
		buf_addspan(data, s.found);
	cdbmap_close(s.map);
	buf_free(&s.key);
	return buf_ok(data) ? s.status : TCPRULES_FAILED;
}

bool
tcprules_denies(struct span data)
{
	return data.n && data.p[0] == 'D';
}

bool
tcprules_next(struct span data, size_t *pos, struct span *assignment)
{
	while (*pos < data.n) {
		struct span rest = span_tail(data, *pos);
		struct span item = span_head(rest, span_chr(rest, '\0'));

		*pos += item.n + 1;
		if (item.n > 1 && item.p[0] == '+' && span_chr(item, '=') > 1 &&
		    span_chr(item, '=') < item.n) {
			*assignment = span_tail(item, 1);
			return true;
		}
	}
	return false;
}
