/* Who may write to whom by control/policy: rules, patterns, users, malformed lines. */
#include "smtp/mailpolicy.h"

#include "tap.h"

struct row {
	const char *lines;	/* with | between */
	const char *sender, *recipient;
	enum mailpolicy_verdict wanted;
};

#define YES MAILPOLICY_ALLOWED
#define NO MAILPOLICY_DENIED
#define UNSAID MAILPOLICY_UNSAID
#define BROKEN MAILPOLICY_BROKEN

#define A "u@a.example"
#define A2 "v@A.example"
#define B "u@b.example"

static const struct row rows[] = {
	{ "", A, B, UNSAID },
	{ "c.example:lire,", A, B, UNSAID },
	/* each letter, both ways */
	{ "a.example:r,", A, B, NO },
	{ "a.example:R,", A, B, UNSAID },
	{ "a.example:r,", A, A2, UNSAID },
	{ "a.example:r,", B, A, UNSAID },
	{ "a.example:l,", A, A2, NO },
	{ "a.example:l,", A, B, UNSAID },
	{ "a.example:i,", A, A2, NO },
	{ "a.example:I,", A, A2, YES },
	{ "a.example:i,", B, A, UNSAID },
	{ "a.example:e,", B, A, NO },
	{ "a.example:E", B, A, YES },
	{ "a.example:e", A, B, UNSAID },
	/* both sides are asked */
	{ "a.example:R|b.example:e", A, B, NO },
	{ "a.example:r|b.example:E", A, B, NO },
	{ "a.example:R|b.example:E", A, B, YES },
	/* bounces, addresses without a domain */
	{ "a.example:e", "", A, NO },
	{ "a.example:eE(<>)", "", A, YES },
	{ "a.example:eE(<>)", B, A, NO },
	{ "a.example:r", A, "root", NO },
	{ "a.example:lire", "", "root", UNSAID },
	/* names */
	{ "A.Example:r", A, B, NO },
	{ " a.example : r , ", A, B, NO },
	{ ";a.example:r", A, B, UNSAID },
	{ "sub.a.example:r", A, B, UNSAID },
	{ "a.example:R|a.example:r", A, B, UNSAID },
	/* patterns */
	{ "a.example:rR(*@b.example)", A, B, UNSAID },
	{ "a.example:R(*@b.example)r", A, B, UNSAID },
	{ "a.example:rR(*@c.example)", A, B, NO },
	{ "a.example:r(*@c.example, *@b.example)", A, B, NO },
	{ "a.example:r(b.example)", A, B, NO },
	{ "a.example:r(b.example)", A, "u@sub.b.example", UNSAID },
	{ "a.example:r(*.b.example)", A, "u@sub.b.example", NO },
	{ "a.example:r(u@b.example,)", A, B, NO },
	{ "a.example:r(u@b.example)", A, "v@b.example", UNSAID },
	{ "a.example:r(*)R(u@*)", A, B, UNSAID },
	{ "a.example:R(u@*)r(*)", A, B, NO },
	/* users */
	{ "a.example:r,u:R", A, B, UNSAID },
	{ "a.example:r,U:R,", A, B, UNSAID },
	{ "a.example:r,v:R,", A, B, NO },
	{ "a.example:,u:r,", A, B, NO },
	{ "a.example:r,u:E,", A, B, NO },
	{ "a.example:r,u:R(c.example),", A, B, NO },
	{ "a.example:r,u:R(c.example),", A, "x@C.example", UNSAID },
	{ "a.example:r,u:R(b.example,c.example),u:r", A, B, UNSAID },
	{ "a.example:,u:r(a,u:R,", A, B, BROKEN },
	/* malformed */
	{ "a.example", A, B, BROKEN },
	{ "a.example", B, A, BROKEN },
	{ "a.example", B, "u@c.example", UNSAID },
	{ "a.example:x", A, B, BROKEN },
	{ "a.example:r)", A, B, BROKEN },
	{ "a.example:r(", A, B, BROKEN },
	{ "a.example:r(b.example", A, B, BROKEN },
	{ "a.example:r()", A, B, BROKEN },
	{ "a.example:r(,)", A, B, BROKEN },
	{ "a.example:r([b)", A, B, BROKEN },
	{ "a.example:R,u", A, B, BROKEN },
	{ "a.example:R,:r", A, B, BROKEN },
	{ "a.example:R,u@a.example:r", A, B, BROKEN },
	{ "a.example:r,u:?", A, B, BROKEN },
	{ ":r", A, B, UNSAID },
};

static void
put_lines(struct mailpolicy *p, const char *lines)
{
	buf_reset(&p->text);
	buf_adds(&p->text, lines);
	for (size_t i = 0; i < p->text.n; i++)
		if (p->text.p[i] == '|')
			p->text.p[i] = '\0';
	buf_addc(&p->text, '\0');
}

/* At, below and above the limit of a line. */
static void
test_length(struct tap *t, struct mailpolicy *p)
{
	for (size_t n = MAILPOLICY_LINE_MAX - 1; n <= MAILPOLICY_LINE_MAX + 1; n++) {
		buf_reset(&p->text);
		buf_adds(&p->text, "a.example:r");
		while (p->text.n < n)
			buf_addc(&p->text, ',');
		buf_addc(&p->text, '\0');
		ok(t, mailpolicy_ask(p, span_str(A), span_str(B)) ==
		    (n > MAILPOLICY_LINE_MAX ? BROKEN : NO), "a line of %zu bytes", n);
	}
}

int
main(void)
{
	struct mailpolicy p = { 0 };
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];

		put_lines(&p, r->lines);
		ok(&t, mailpolicy_ask(&p, span_str(r->sender), span_str(r->recipient)) ==
		    r->wanted, "`%s': <%s> to <%s>", r->lines, r->sender, r->recipient);
	}
	test_length(&t, &p);
	mailpolicy_free(&p);
	return done(&t);
}
