/* userdb - users/assign and users/cdb: which user controls a local address. */
#include "mail/userdb.h"

#include <errno.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/cdbmap.h"

#define FIELDS 6	/* user, uid, gid, home directory, dash, ext */

struct lookup {
	struct cdbmap *map;
	struct span local;	/* as the caller spells it */
	struct span wild;	/* last bytes of all wildcard prefixes */
	struct buf key;		/* `!`, local folded, NUL */
	struct buf *data;
};

/* Takes over what was found for the first n bytes of the local part. */
static enum userdb_status
answer(const struct lookup *l, struct span found, size_t n)
{
	buf_reset(l->data);
	buf_addspan(l->data, found);
	buf_addspan(l->data, span_tail(l->local, n));
	buf_addc(l->data, '\0');
	return buf_ok(l->data) ? USERDB_FOUND : USERDB_MEMORY;
}

/* Looks the first n bytes of the key up. */
static enum userdb_status
probe(const struct lookup *l, size_t n, struct span *found)
{
	switch (cdbmap_find(l->map, span_head(buf_span(&l->key), n), found)) {
	case CDBMAP_FOUND:
		return USERDB_FOUND;
	case CDBMAP_ABSENT:
		return USERDB_ABSENT;
	default:
		return USERDB_FAILED;
	}
}

/* The exact address, then every prefix that may be a wildcard, longest first. */
static enum userdb_status
search(const struct lookup *l)
{
	struct span found;
	enum userdb_status status = probe(l, l->key.n, &found);

	if (status == USERDB_FOUND)
		return answer(l, found, l->local.n);
	for (size_t n = l->local.n + 1; n > 0 && status == USERDB_ABSENT; n--) {
		size_t prefix = n - 1;

		if (prefix > 0 && span_chr(l->wild, l->key.p[prefix]) == l->wild.n)
			continue;
		status = probe(l, 1 + prefix, &found);
		if (status == USERDB_FOUND)
			return answer(l, found, prefix);
	}
	return status;
}

static enum userdb_status
search_map(struct cdbmap *map, struct span local, struct buf *data)
{
	struct lookup l = { .map = map, .local = local, .data = data };
	enum userdb_status status = USERDB_FAILED;

	buf_addc(&l.key, '!');
	buf_addspan(&l.key, local);
	buf_addc(&l.key, '\0');
	if (!buf_ok(&l.key)) {
		status = USERDB_MEMORY;
	} else if (cdbmap_find(map, span_str(""), &l.wild) == CDBMAP_FOUND) {
		/* Without that record the file is no users/cdb. */
		ascii_lower_n(l.key.p, l.key.n);
		status = search(&l);
	}
	buf_free(&l.key);
	return status;
}

enum userdb_status
userdb_lookup(const char *path, struct span local, struct buf *data)
{
	struct cdbmap *map;
	enum userdb_status status;

	switch (cdbmap_open(path, &map)) {
	case CDBMAP_ABSENT:
		return USERDB_ABSENT;
	case CDBMAP_FAILED:
		return errno == ENOMEM ? USERDB_MEMORY : USERDB_FAILED;
	default:
		status = search_map(map, local, data);
		cdbmap_close(map);
		return status;
	}
}

/* The six fields, each colon between them a NUL; the sixth colon and the rest are dropped. */
static enum userdb_line
take_fields(struct span text, struct buf *data)
{
	buf_reset(data);
	for (int i = 0; i < FIELDS; i++) {
		size_t n = span_chr(text, ':');

		if (n == text.n)
			return USERDB_LINE_BAD;
		if (i > 0)
			buf_addc(data, '\0');
		buf_add(data, text.p, n);
		text = span_tail(text, n + 1);
	}
	return USERDB_LINE_OK;
}

enum userdb_line
userdb_parse_line(struct span line, struct buf *key, struct buf *data, char *wild)
{
	size_t colon = span_chr(line, ':');
	bool is_prefix;

	*wild = '\0';
	if (line.n > 0 && line.p[0] == '.')
		return USERDB_LINE_END;
	if (span_chr(line, '\0') < line.n || colon == line.n || colon == 0)
		return USERDB_LINE_BAD;
	is_prefix = line.p[0] == '+';
	buf_reset(key);
	buf_addc(key, '!');
	buf_add(key, line.p + 1, colon - 1);
	if (!is_prefix)
		buf_addc(key, '\0');
	if (buf_ok(key))
		ascii_lower_n(key->p, key->n);
	if (is_prefix && colon > 1)
		*wild = ascii_lower(line.p[colon - 1]);
	return take_fields(span_tail(line, colon + 1), data);
}
