/* set - a sorted set of strings, each with a value; lookups fold ASCII case. */
#include "lib/set.h"

#include <stdlib.h>

#include "lib/alabel.h"
#include "lib/ascii.h"
#include "lib/num.h"

void
set_free(struct set *s)
{
	buf_free(&s->text);
	free(s->items);
	*s = (struct set){ 0 };
}

static bool
grow(struct set *s)
{
	size_t size = s->size ? s->size : 16, bytes;
	struct set_item *items;

	if (s->n < s->size)
		return true;
	if (s->size && num_mul(size, 2, &size))
		return false;
	if (num_mul(size, sizeof *items, &bytes) || !(items = realloc(s->items, bytes)))
		return false;
	s->items = items;
	s->size = size;
	return true;
}

void
set_add(struct set *s, struct span key, struct span value)
{
	char room[ALABEL_NAME_MAX];
	struct set_item item = { .key = s->text.n, .value_len = value.n, .order = s->n };

	key = alabel_fold(key, room);
	item.key_len = key.n;
	if (s->failed || !grow(s)) {
		s->failed = true;
		return;
	}
	/* Keys are folded here once; values keep their case. */
	buf_addspan(&s->text, key);
	item.value = s->text.n;
	buf_addspan(&s->text, value);
	if (!buf_ok(&s->text)) {
		s->failed = true;
		return;
	}
	ascii_lower_n(s->text.p + item.key, key.n);
	s->items[s->n++] = item;
	s->sorted = false;
}

static struct span
key_of(const struct set *s, const struct set_item *item)
{
	return span_of(s->text.p + item->key, item->key_len);
}

/* Heap sort: no recursion, no worst case, and unlike qsort(3) it knows the set. */
static bool
after(const struct set *s, size_t a, size_t b)
{
	int c = ascii_icmp(key_of(s, &s->items[a]), key_of(s, &s->items[b]));

	return c > 0 || (c == 0 && s->items[a].order > s->items[b].order);
}

static void
swap(struct set *s, size_t a, size_t b)
{
	struct set_item held = s->items[a];

	s->items[a] = s->items[b];
	s->items[b] = held;
}

static void
sift_down(struct set *s, size_t root, size_t n)
{
	for (size_t kid = 2 * root + 1; kid < n; root = kid, kid = 2 * root + 1) {
		if (kid + 1 < n && after(s, kid + 1, kid))
			kid++;
		if (after(s, root, kid))
			return;
		swap(s, root, kid);
	}
}

/* Of equal keys only the last added stays. */
static void
drop_doubles(struct set *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (i + 1 < s->n &&
		    span_eq(key_of(s, &s->items[i]), key_of(s, &s->items[i + 1])))
			continue;
		s->items[kept++] = s->items[i];
	}
	s->n = kept;
}

bool
set_finish(struct set *s)
{
	if (s->failed)
		return false;
	for (size_t i = s->n / 2; i > 0; i--)
		sift_down(s, i - 1, s->n);
	for (size_t n = s->n; n > 1; n--) {
		swap(s, 0, n - 1);
		sift_down(s, 0, n - 1);
	}
	drop_doubles(s);
	s->sorted = true;
	return true;
}

/* The key is folded but for the case of A-Z. */
static bool
find(const struct set *s, struct span key, struct span *value)
{
	size_t low = 0, high = s->sorted ? s->n : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = ascii_icmp(key, key_of(s, &s->items[mid]));

		if (c == 0) {
			if (value)
				*value = span_of(s->text.p + s->items[mid].value,
				    s->items[mid].value_len);
			return true;
		}
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

bool
set_find(const struct set *s, struct span key, struct span *value)
{
	char room[ALABEL_NAME_MAX];

	return find(s, alabel_fold(key, room), value);
}

bool
set_find_domain(const struct set *s, struct span domain, bool catch_all, struct span *value)
{
	char room[ALABEL_NAME_MAX];

	domain = alabel_fold(domain, room);
	if (find(s, domain, value))
		return true;
	for (size_t i = 1; i < domain.n; i++)
		if (domain.p[i] == '.' && find(s, span_tail(domain, i), value))
			return true;
	return catch_all && find(s, span_of("", 0), value);
}
