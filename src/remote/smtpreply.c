/* smtpreply - one reply of an SMTP server, however it arrives and whatever it holds. */
#include "remote/smtpreply.h"

#include "lib/ascii.h"
#include "lib/num.h"

#define CODE_DIGITS 3

void
smtpreply_reset(struct smtpreply *r)
{
	struct buf text = r->text;

	buf_reset(&text);
	*r = (struct smtpreply){ .text = text };
	r->text.max = SMTPREPLY_MAX;
}

void
smtpreply_free(struct smtpreply *r)
{
	buf_free(&r->text);
}

/* One of the three digits.  false: not one. */
static bool
take_digit(struct smtpreply *r, char c)
{
	if (!ascii_isdigit(c) || (r->column == 0 && (c < '2' || c > '5')))
		return false;
	if (r->lines == 0)
		r->code = r->code * 10 + (unsigned)(c - '0');
	return true;
}

/* Control bytes would end up in logs, bounces and on terminals. */
static char
showable(char c)
{
	return ascii_iscntrl(c) && c != '\t' && c != '\n' ? '?' : c;
}

static enum smtpreply_status
take(struct smtpreply *r, char c)
{
	if (++r->total > SMTPREPLY_MAX)
		return SMTPREPLY_BAD;
	if (c == '\r')
		return SMTPREPLY_MORE;
	if (r->column < CODE_DIGITS && !take_digit(r, c))
		return SMTPREPLY_BAD;
	if (r->column == CODE_DIGITS)
		r->more = c == '-';
	buf_addc(&r->text, showable(c));
	r->column++;
	if (c != '\n')
		return SMTPREPLY_MORE;
	r->lines++;
	r->column = 0;
	if (!r->more)
		return buf_ok(&r->text) ? SMTPREPLY_DONE : SMTPREPLY_BAD;
	return r->lines < SMTPREPLY_LINES_MAX ? SMTPREPLY_MORE : SMTPREPLY_BAD;
}

enum smtpreply_status
smtpreply_feed(struct smtpreply *r, struct span *in)
{
	enum smtpreply_status status = SMTPREPLY_MORE;
	size_t used = 0;

	if (r->total == 0)
		r->text.max = SMTPREPLY_MAX;
	while (used < in->n && status == SMTPREPLY_MORE)
		status = take(r, in->p[used++]);
	*in = span_tail(*in, used);
	return status;
}

struct span
smtpreply_said(const struct smtpreply *r)
{
	return span_head(buf_span(&r->text), SMTPREPLY_SAID_MAX);
}

/* The keyword itself, or followed by a space and parameters. */
static bool
offers(struct span line, const char *keyword, struct span *parameter)
{
	struct span word = span_head(line, span_chr(line, ' '));

	*parameter = span_tail(line, word.n + 1);
	return ascii_ieq(word, span_str(keyword));
}

static enum smtpreply_auth
known_method(struct span methods)
{
	static const struct {
		const char *name;
		enum smtpreply_auth method;
	} known[] = {
		{ "CRAM-MD5", SMTPREPLY_CRAM_MD5 }, { "PLAIN", SMTPREPLY_PLAIN },
		{ "LOGIN", SMTPREPLY_LOGIN }
	};

	while (methods.n) {
		struct span method = span_head(methods, span_chr(methods, ' '));

		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (ascii_ieq(method, span_str(known[i].name)))
				return known[i].method;
		methods = span_tail(methods, method.n + 1);
	}
	return SMTPREPLY_NO_AUTH;
}

static void
take_offer(struct smtpreply_offers *found, struct span line)
{
	const struct span old_auth = span_str("AUTH=");	/* before RFC 2554, and still seen */
	struct span parameter;

	if (offers(line, "PIPELINING", &parameter))
		found->pipelining = true;
	if (offers(line, "8BITMIME", &parameter))
		found->eight_bit = true;
	if (offers(line, "STARTTLS", &parameter))
		found->starttls = true;
	if (offers(line, "SMTPUTF8", &parameter))
		found->utf8 = true;
	if (offers(line, "AUTH", &parameter) && !found->auth)
		found->auth = known_method(parameter);
	if (ascii_istarts(line, old_auth) && !found->auth)
		found->auth = known_method(span_tail(line, old_auth.n));
	if (!offers(line, "SIZE", &parameter))
		return;
	found->size = true;
	if (num_parse_u64(parameter.p, parameter.n, UINT64_MAX, &found->size_limit) != NUM_OK)
		found->size_limit = 0;
}

struct smtpreply_offers
smtpreply_offers(const struct smtpreply *r)
{
	struct smtpreply_offers found = { 0 };
	struct span rest = buf_span(&r->text);

	rest = span_tail(rest, span_chr(rest, '\n') + 1);	/* the first line greets */
	while (rest.n) {
		size_t end = span_chr(rest, '\n');

		take_offer(&found, span_tail(span_head(rest, end), CODE_DIGITS + 1));
		rest = span_tail(rest, end + 1);
	}
	return found;
}
