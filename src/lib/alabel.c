/* alabel - names of domains in the one form in which they can be compared. */
#include "lib/alabel.h"

#include <stdint.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/utf8.h"

#define PREFIX "xn--"
#define PREFIX_LEN (sizeof PREFIX - 1)

/* RFC 3492, 5 */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_CODE = 128 };

/* A label while it is being written: no more than it may have. */
struct label {
	size_t n;
	bool over;
	char text[ALABEL_LABEL_MAX];
};

static void
put(struct label *l, char c)
{
	if (l->n < sizeof l->text)
		l->text[l->n++] = c;
	else
		l->over = true;
}

/* The code point at the start of s, which is well-formed. */
static uint32_t
code_point(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	if (s.n == 1)
		return p[0];
	if (s.n == 2)
		return (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU);
	if (s.n == 3)
		return (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
	return (p[0] & 0x07U) << 18 | (p[1] & 0x3fU) << 12 | (p[2] & 0x3fU) << 6 | (p[3] & 0x3fU);
}

/* The code points of a label; 0: it is no UTF-8, or has too many. */
static size_t
decode(struct span label, uint32_t codes[ALABEL_LABEL_MAX])
{
	size_t n = 0, bytes;

	for (; label.n; label = span_tail(label, bytes)) {
		bytes = utf8_sequence(label);
		if (!bytes || n == ALABEL_LABEL_MAX)
			return 0;
		codes[n++] = bytes == 1 ? (uint32_t)(unsigned char)ascii_lower(label.p[0]) :
		    code_point(span_head(label, bytes));
	}
	return n;
}

static uint32_t
adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta /= first ? DAMP : 2;
	delta += delta / points;
	for (; delta > ((BASE - T_MIN) * T_MAX) / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void
put_number(struct label *l, uint32_t q, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;

		if (q < t)
			break;
		put(l, "abcdefghijklmnopqrstuvwxyz0123456789"[t + (q - t) % (BASE - t)]);
		q = (q - t) / (BASE - t);
	}
	put(l, "abcdefghijklmnopqrstuvwxyz0123456789"[q]);
}

static uint32_t
smallest_from(const uint32_t *codes, size_t n, uint32_t from)
{
	uint32_t found = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (codes[i] >= from && codes[i] < found)
			found = codes[i];
	return found;
}

/* n is 1 to 63 and codes are below 0x110000, so delta stays below 2^27. */
static void
encode(struct label *l, const uint32_t *codes, size_t n)
{
	uint32_t code = FIRST_CODE, delta = 0, bias = FIRST_BIAS, done = 0, basic;

	for (size_t i = 0; i < PREFIX_LEN; i++)
		put(l, PREFIX[i]);
	for (size_t i = 0; i < n; i++)
		if (codes[i] < FIRST_CODE) {
			put(l, (char)codes[i]);
			done++;
		}
	basic = done;
	if (basic)
		put(l, '-');
	for (; done < n; delta++, code++) {
		uint32_t next = smallest_from(codes, n, code);

		delta += (next - code) * (done + 1);
		code = next;
		for (size_t i = 0; i < n; i++) {
			if (codes[i] < code)
				delta++;
			if (codes[i] != code)
				continue;
			put_number(l, delta, bias);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
}

static bool
is_foreign(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= FIRST_CODE)
			return true;
	return false;
}

/* Appends the label at *n.  false: it has no such form, or there is no room. */
static bool
add_label(struct span label, char room[ALABEL_NAME_MAX], size_t *n)
{
	uint32_t codes[ALABEL_LABEL_MAX];
	struct label l = { .n = 0 };

	if (is_foreign(label)) {
		size_t count = decode(label, codes);

		if (!count)
			return false;
		encode(&l, codes, count);
		if (l.over)
			return false;
		label = span_of(l.text, l.n);
	}
	if (label.n > ALABEL_NAME_MAX - *n)
		return false;
	if (label.n)
		memcpy(room + *n, label.p, label.n);
	*n += label.n;
	return true;
}

struct span
alabel_fold(struct span name, char room[ALABEL_NAME_MAX])
{
	size_t at = span_rchr(name, '@'), n = 0;
	struct span domain = span_tail(name, at < name.n ? at + 1 : 0);

	if (!is_foreign(domain) || name.n - domain.n >= ALABEL_NAME_MAX)
		return name;
	memcpy(room, name.p, name.n - domain.n);
	for (n = name.n - domain.n;; domain = span_tail(domain, 1)) {
		struct span label = span_head(domain, span_chr(domain, '.'));

		if (!add_label(label, room, &n))
			return name;
		domain = span_tail(domain, label.n);
		if (!domain.n)
			return span_of(room, n);
		if (n == ALABEL_NAME_MAX)
			return name;
		room[n++] = '.';
	}
}

bool
alabel_ieq(struct span a, struct span b)
{
	char room_a[ALABEL_NAME_MAX], room_b[ALABEL_NAME_MAX];

	return ascii_ieq(alabel_fold(a, room_a), alabel_fold(b, room_b));
}
