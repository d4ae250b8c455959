/* macro - the texts with `%{...}` in SPF records and explanations (RFC 7208, 7). */
#include "spf/macro.h"

#include <string.h>

#include "lib/ascii.h"
#include "lib/num.h"

#define DELIMITERS ".-+,/_="
#define KEEP_ALL UINT64_MAX
#define EXPANDED_BYTES ((size_t)8192)	/* of a name, before it is made shorter */

/* What stands between the braces. */
struct macro {
	char letter;		/* lower case */
	char own;		/* after `x`: R, S or E */
	bool escape;		/* it was upper case: as in a URL */
	bool reverse;
	uint64_t keep;		/* parts at the right end */
	struct span delimiters;	/* empty: the dot */
};

/* ---- reading ---- */

static const char *
letters(enum spf_macro_use use)
{
	switch (use) {
	case SPF_MACRO_DOMAIN:
		return "slodiphv";
	case SPF_MACRO_EXPLAIN:
		return "slodiphvcrt";
	case SPF_MACRO_OWN:
		break;
	}
	return "slodiphvcrtx";
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static char
take_byte(struct span *s)
{
	char c = s->n ? s->p[0] : '\0';

	*s = span_tail(*s, 1);
	return c;
}

static bool
take_letter(struct span *s, enum spf_macro_use use, struct macro *m)
{
	char c = take_byte(s);

	m->letter = ascii_lower(c);
	m->escape = m->letter != c;
	if (!is_one_of(m->letter, letters(use)))
		return false;
	if (m->letter != 'x')
		return true;
	m->own = take_byte(s);
	return is_one_of(m->own, "RSE");
}

/* digits, `r`: a number of 0 is an error, a huge one as good as all. */
static bool
take_transformers(struct span *s, struct macro *m)
{
	size_t digits = num_lead_u64(*s, KEEP_ALL, &m->keep);

	if (digits && m->keep == 0)
		return false;
	*s = span_tail(*s, digits);
	m->reverse = s->n && ascii_lower(s->p[0]) == 'r';
	if (m->reverse)
		*s = span_tail(*s, 1);
	return true;
}

/* Takes a macro off the front, from behind its `%{` to its `}`. */
static bool
take_macro(struct span *s, enum spf_macro_use use, struct macro *m)
{
	size_t n = 0;

	*m = (struct macro){ .keep = KEEP_ALL };
	if (!take_letter(s, use, m) || !take_transformers(s, m))
		return false;
	while (n < s->n && is_one_of(s->p[n], DELIMITERS))
		n++;
	m->delimiters = span_head(*s, n);
	*s = span_tail(*s, n);
	return take_byte(s) == '}';
}

static bool
is_literal(char c, enum spf_macro_use use)
{
	return c != '%' && (ascii_isgraph(c) || (c == ' ' && use != SPF_MACRO_DOMAIN));
}

/* Takes what is next off the front: a letter of the text, or something that stands for others. */
enum piece { PIECE_BAD, PIECE_LITERAL, PIECE_MACRO, PIECE_FIXED };

static enum piece
take_piece(struct span *s, enum spf_macro_use use, struct macro *m, char *c)
{
	*c = take_byte(s);
	if (*c != '%')
		return is_literal(*c, use) ? PIECE_LITERAL : PIECE_BAD;
	*c = take_byte(s);
	if (*c == '{')
		return take_macro(s, use, m) ? PIECE_MACRO : PIECE_BAD;
	return is_one_of(*c, "%_-") ? PIECE_FIXED : PIECE_BAD;
}

/* false: malformed.  *literal_tail becomes what follows the last macro. */
static bool
scan(struct span text, enum spf_macro_use use, struct span *literal_tail)
{
	struct macro m;
	char c;

	*literal_tail = text;
	while (text.n) {
		enum piece piece = take_piece(&text, use, &m, &c);

		if (piece == PIECE_BAD)
			return false;
		if (piece != PIECE_LITERAL)
			*literal_tail = text;
	}
	return true;
}

bool
spf_macro_valid(struct span text, enum spf_macro_use use)
{
	struct span tail;

	return scan(text, use, &tail);
}

/* Letters, digits and inner hyphens, not only digits. */
static bool
is_top_label(struct span label)
{
	bool only_digits = true;

	for (size_t i = 0; i < label.n; i++) {
		if (!ascii_isalnum(label.p[i]) && label.p[i] != '-')
			return false;
		only_digits = only_digits && ascii_isdigit(label.p[i]);
	}
	return label.n && !only_digits && label.p[0] != '-' && label.p[label.n - 1] != '-';
}

bool
spf_macro_domain_valid(struct span text)
{
	struct span tail;
	size_t dot;

	if (!text.n || !scan(text, SPF_MACRO_DOMAIN, &tail))
		return false;
	if (!tail.n)
		return true;
	if (tail.p[tail.n - 1] == '.')
		tail.n--;
	dot = span_rchr(tail, '.');
	return dot < tail.n && is_top_label(span_tail(tail, dot + 1));
}

/* ---- values ---- */

/* IPv4 as usual, IPv6 as 32 digits with dots between them. */
static void
add_dotted(const struct ip *ip, struct buf *to)
{
	static const char digits[] = "0123456789abcdef";
	char text[IP_TEXT_SIZE];

	if (ip->family != IP_V6) {
		buf_adds(to, ip_format(ip, text));
		return;
	}
	for (size_t i = 0; i < sizeof ip->bytes; i++) {
		if (i)
			buf_addc(to, '.');
		buf_addc(to, digits[ip->bytes[i] >> 4]);
		buf_addc(to, '.');
		buf_addc(to, digits[ip->bytes[i] & 15]);
	}
}

static void
add_or_unknown(struct span s, struct buf *to)
{
	buf_addspan(to, s.n ? s : span_str("unknown"));
}

static void
add_own(const struct spf_names *names, char which, struct buf *to)
{
	if (which == 'R')
		add_or_unknown(names->receiver, to);
	else
		buf_addspan(to, which == 'S' ? names->source : names->error);
}

static void
add_address(const struct spf_names *names, struct buf *to)
{
	buf_addspan(to, names->local);
	buf_addc(to, '@');
	buf_addspan(to, names->sender_domain);
}

static void
add_value(const struct macro *m, const struct spf_names *names, struct buf *to)
{
	char text[IP_TEXT_SIZE];

	switch (m->letter) {
	case 's':
		add_address(names, to);
		break;
	case 'l':
		buf_addspan(to, names->local);
		break;
	case 'o':
		buf_addspan(to, names->sender_domain);
		break;
	case 'd':
		buf_addspan(to, names->domain);
		break;
	case 'i':
		add_dotted(&names->ip, to);
		break;
	case 'p':
		add_or_unknown(names->validated(names->arg, names->domain), to);
		break;
	case 'h':
		buf_addspan(to, names->helo);
		break;
	case 'v':
		buf_adds(to, names->ip.family == IP_V6 ? "ip6" : "in-addr");
		break;
	case 'c':
		buf_adds(to, ip_format(&names->ip, text));
		break;
	case 'r':
		add_or_unknown(names->receiver, to);
		break;
	case 't':
		buf_addnum(to, (uint64_t)names->now);
		break;
	default:
		add_own(names, m->own, to);
		break;
	}
}

/* ---- transformers ---- */

static bool
is_delimiter(const struct macro *m, char c)
{
	return m->delimiters.n ? span_chr(m->delimiters, c) < m->delimiters.n : c == '.';
}

/* The parts in their order: the last `keep` of them. */
static void
add_parts(const struct macro *m, struct span value, struct buf *to)
{
	size_t start = value.n;
	uint64_t left = m->keep;

	while (start > 0 && !(is_delimiter(m, value.p[start - 1]) && --left == 0))
		start--;
	for (size_t i = start; i < value.n; i++)
		buf_addc(to, is_delimiter(m, value.p[i]) ? '.' : value.p[i]);
}

/* Last part first; of that, again, the last `keep`, which are the first ones of the value. */
static void
add_parts_reversed(const struct macro *m, struct span value, struct buf *to)
{
	size_t end = 0;
	uint64_t left = m->keep;

	while (end < value.n && !(is_delimiter(m, value.p[end]) && --left == 0))
		end++;
	for (size_t part_end = end, i = end;; i--) {
		if (i > 0 && !is_delimiter(m, value.p[i - 1]))
			continue;
		buf_add(to, value.p + i, part_end - i);
		if (i == 0)
			break;
		buf_addc(to, '.');
		part_end = i - 1;
	}
}

static void
add_escaped(struct span s, struct buf *to)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (ascii_isalnum(s.p[i]) || is_one_of(s.p[i], "-._~")) {
			buf_addc(to, s.p[i]);
			continue;
		}
		buf_addc(to, '%');
		buf_addc(to, digits[c >> 4]);
		buf_addc(to, digits[c & 15]);
	}
}

static void
add_macro(const struct macro *m, const struct spf_names *names, struct buf *to)
{
	struct buf value = { 0 }, parts = { 0 };

	add_value(m, names, &value);
	if (m->reverse)
		add_parts_reversed(m, span_of(buf_str(&value), value.n), &parts);
	else if (m->keep != KEEP_ALL || m->delimiters.n)
		add_parts(m, buf_span(&value), &parts);
	else
		buf_addbuf(&parts, &value);
	if (!buf_ok(&value) || !buf_ok(&parts))
		to->failed = true;
	else if (m->escape)
		add_escaped(buf_span(&parts), to);
	else
		buf_addbuf(to, &parts);
	buf_free(&value);
	buf_free(&parts);
}

void
spf_macro_expand(struct span text, enum spf_macro_use use, const struct spf_names *names,
    struct buf *to)
{
	while (text.n && buf_ok(to)) {
		struct macro m;
		char c;

		switch (take_piece(&text, use, &m, &c)) {
		case PIECE_MACRO:
			add_macro(&m, names, to);
			break;
		case PIECE_FIXED:
			buf_adds(to, c == '%' ? "%" : c == '_' ? " " : "%20");
			break;
		case PIECE_LITERAL:
			buf_addc(to, c);
			break;
		case PIECE_BAD:
			return;
		}
	}
}

void
spf_macro_expand_domain(struct span text, const struct spf_names *names, struct buf *to)
{
	buf_reset(to);
	to->max = EXPANDED_BYTES;
	spf_macro_expand(text, SPF_MACRO_DOMAIN, names, to);
	if (to->over)		/* what can be left of it is no name */
		buf_reset(to);
	if (to->n && to->p[to->n - 1] == '.')
		buf_cut(to, to->n - 1);
	while (to->n > SPF_NAME_BYTES) {
		size_t dot = span_chr(buf_span(to), '.');

		buf_drop(to, dot + 1 < to->n ? dot + 1 : to->n);
	}
}
