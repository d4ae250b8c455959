/* vpasswd - the users of a virtual domain in vpopmail's form. */
#include "users/vpasswd.h"

#include <errno.h>

#include "lib/ascii.h"
#include "lib/cdbmap.h"
#include "lib/num.h"

#define FIELDS 6		/* of the data that are needed */

/* The field before the next colon. */
static struct span
take_field(struct span *data)
{
	struct span field = span_head(*data, span_chr(*data, ':'));

	*data = span_tail(*data, field.n + 1);
	return field;
}

/* A line with fields missing is no user, as vpopmail has it. */
static enum vpasswd_status
decode(struct span data, struct vpasswd *v)
{
	struct span field[FIELDS];

	for (size_t i = 0; i < FIELDS; i++) {
		if (i > 0 && !data.p)
			return VPASSWD_ABSENT;
		if (i < FIELDS - 1 && span_chr(data, ':') == data.n)
			return VPASSWD_ABSENT;
		field[i] = take_field(&data);
	}
	v->flags = 0;
	(void)num_lead_u64(field[2], UINT64_MAX, &v->flags);
	buf_addspan(&v->dir, field[4]);
	buf_addspan(&v->quota, field[5]);
	return buf_ok(&v->dir) && buf_ok(&v->quota) ? VPASSWD_FOUND : VPASSWD_FAILED;
}

static enum vpasswd_status
look_up(struct cdbmap *map, struct span name, struct vpasswd *v)
{
	struct buf key = { 0 };
	struct span data;
	enum vpasswd_status status = VPASSWD_FAILED;

	buf_addspan(&key, name);
	if (buf_ok(&key)) {
		if (key.n)
			ascii_lower_n(key.p, key.n);
		switch (cdbmap_find(map, buf_span(&key), &data)) {
		case CDBMAP_FOUND:
			status = decode(data, v);
			break;
		case CDBMAP_ABSENT:
			status = VPASSWD_ABSENT;
			break;
		case CDBMAP_FAILED:
			break;
		}
	}
	buf_free(&key);
	return status;
}

enum vpasswd_status
vpasswd_find(struct span name, struct vpasswd *v)
{
	struct cdbmap *map;
	enum vpasswd_status status;

	switch (cdbmap_open_regular("vpasswd.cdb", &map)) {
	case CDBMAP_ABSENT:
		return VPASSWD_UNSEEN;
	case CDBMAP_FAILED:
		return errno == EACCES || errno == EPERM ? VPASSWD_UNSEEN : VPASSWD_FAILED;
	default:
		status = look_up(map, name, v);
		cdbmap_close(map);
		return status;
	}
}

void
vpasswd_free(struct vpasswd *v)
{
	buf_free(&v->dir);
	buf_free(&v->quota);
	*v = (struct vpasswd){ 0 };
}

struct vpasswd_quota
vpasswd_quota(struct span text)
{
	struct vpasswd_quota q = { 0 };

	while (text.n) {
		struct span part = span_head(text, span_chr(text, ','));
		uint64_t value = 0;
		size_t digits = num_lead_u64(part, INT64_MAX, &value);

		if (digits && (digits == part.n || part.p[digits] == 'S'))
			q.bytes = value;
		else if (digits && part.p[digits] == 'C')
			q.messages = value;
		text = span_tail(text, part.n + 1);
	}
	return q;
}

/* A signed number at the front of the line, cut to what an int64_t holds. */
static int64_t
take_signed(struct span *line)
{
	uint64_t value = 0;
	bool minus;

	while (line->n && ascii_isblank(line->p[0]))
		*line = span_tail(*line, 1);
	minus = line->n && line->p[0] == '-';
	if (minus)
		*line = span_tail(*line, 1);
	*line = span_tail(*line, num_lead_u64(*line, INT64_MAX, &value));
	return minus ? -(int64_t)value : (int64_t)value;
}

/* Sums that leave the range stay at its end, which is far over any quota. */
static int64_t
add(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b < 0 ? INT64_MIN : INT64_MAX;
}

static bool
reaches(int64_t used, uint64_t limit, unsigned percent)
{
	return limit && used > 0 && (uint64_t)used >= limit / 100 * percent +
	    limit % 100 * percent / 100;
}

bool
vpasswd_is_full(struct vpasswd_quota q, struct span sizes, unsigned percent)
{
	int64_t bytes = 0, messages = 0;

	for (bool first = true; sizes.n; first = false) {
		struct span line = span_head(sizes, span_chr(sizes, '\n'));

		sizes = span_tail(sizes, line.n + 1);
		if (first)
			continue;
		bytes = add(bytes, take_signed(&line));
		messages = add(messages, take_signed(&line));
	}
	return reaches(bytes, q.bytes, percent) || reaches(messages, q.messages, percent);
}
