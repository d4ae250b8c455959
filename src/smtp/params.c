/* params - what may follow the address of MAIL and RCPT. */
#include "smtp/params.h"

#include "lib/ascii.h"
#include "lib/num.h"

#define SIZE_DIGITS 20		/* RFC 1870, 4 */
#define AUTH_VALUE_BYTES 500	/* RFC 4954, 3 */

static enum params_status
take_size(struct span value, struct mail_params *p)
{
	if (value.n > SIZE_DIGITS)
		return PARAMS_BAD;
	switch (num_parse_u64(value.p, value.n, UINT64_MAX, &p->size)) {
	case NUM_OK:
		return PARAMS_OK;
	case NUM_RANGE:
		p->size = UINT64_MAX;
		return PARAMS_OK;
	default:
		return PARAMS_BAD;
	}
}

/* Everything is stored and sent on with all eight bits, so both are the same to us. */
static enum params_status
take_body(struct span value, struct mail_params *p)
{
	(void)p;
	return ascii_ieq(value, span_str("7BIT")) || ascii_ieq(value, span_str("8BITMIME")) ?
	    PARAMS_OK : PARAMS_BAD;
}

static bool
is_hex(char c)
{
	return ascii_isdigit(c) || (c >= 'A' && c <= 'F');
}

/* xtext (RFC 3461, 4) or `<>`. */
static enum params_status
take_auth(struct span value, struct mail_params *p)
{
	p->auth = true;
	if (span_eq(value, span_str("<>")))
		return PARAMS_OK;
	if (!value.n || value.n > AUTH_VALUE_BYTES)
		return PARAMS_BAD;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '=' || !ascii_isgraph(value.p[i]))
			return PARAMS_BAD;
		if (value.p[i] != '+')
			continue;
		if (value.n - i < 3 || !is_hex(value.p[i + 1]) || !is_hex(value.p[i + 2]))
			return PARAMS_BAD;
		i += 2;
	}
	return PARAMS_OK;
}

static const struct {
	const char *keyword;
	enum params_status (*take)(struct span value, struct mail_params *p);
} known[] = {
	{ "SIZE", take_size },
	{ "AUTH", take_auth },
	{ "BODY", take_body },
};

static enum params_status
take(struct span word, struct mail_params *p)
{
	size_t equals = span_chr(word, '=');

	if (equals == word.n) {
		p->utf8 = p->utf8 || ascii_ieq(word, span_str("SMTPUTF8"));
		return ascii_ieq(word, span_str("SMTPUTF8")) ? PARAMS_OK : PARAMS_BAD;
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (ascii_ieq(span_head(word, equals), span_str(known[i].keyword)))
			return known[i].take(span_tail(word, equals + 1), p);
	return PARAMS_BAD;
}

static struct span
skip_spaces(struct span s)
{
	while (s.n && s.p[0] == ' ')
		s = span_tail(s, 1);
	return s;
}

enum params_status
params_mail(struct span text, struct mail_params *p)
{
	*p = (struct mail_params){ 0 };
	if (text.n && text.p[0] != ' ')
		return PARAMS_BAD;
	while ((text = skip_spaces(text)).n) {
		size_t end = span_chr(text, ' ');

		if (take(span_head(text, end), p) != PARAMS_OK)
			return PARAMS_BAD;
		text = span_tail(text, end);
	}
	return PARAMS_OK;
}

enum params_status
params_rcpt(struct span text)
{
	return skip_spaces(text).n ? PARAMS_BAD : PARAMS_OK;
}
