/* The field Authentication-Results: what anybody says in the variable makes one field and no line
 * of another; of a message nothing is left out but such fields, and none of ours is left.
 * Input: text, which is both. */
#include <string.h>

#include "lib/ascii.h"
#include "mail/authres.h"
#include "mail/authstrip.h"
#include "rig.h"

#define NAME "Authentication-Results"

const char *const fuzz_words[] = {
	NAME, NAME ":", "authentication-results", ":", ";", "; ", "mx.ours.test", "mx", ".other",
	"\"", "\\", "(", ")", "\n", "\n\n", "\n\t", " ", "\t", "\r", "spf=pass", "A: b", "\x01",
	"\xff", NULL
};

static const char head[] = NAME ": mx.ours.test;\n\t";

/* Each line but the first is folded and not blank. */
static void
check_field(struct span results)
{
	struct buf field = { 0 };
	bool some = authres_put_field(&field, span_str("mx.ours.test"), results);
	struct span f = buf_span(&field);

	promise(some == (f.n > 0));
	promise(!some || (span_starts(f, span_str(head)) && f.n > sizeof head));
	for (size_t i = 0; i < f.n; i++) {
		promise((f.p[i] >= 32 && f.p[i] <= 126) || f.p[i] == '\n' || f.p[i] == '\t');
		if (f.p[i] != '\n' || i + 1 == f.n)
			continue;
		promise(f.p[i + 1] == '\t' && f.p[i + 2] != '\n' && !ascii_isblank(f.p[i + 2]));
	}
	promise(!some || f.p[f.n - 1] == '\n');
	buf_free(&field);
}

/* What remains are bytes of the message, in their order. */
static bool
is_part(struct span rest, struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n && n < rest.n; i++)
		n += rest.p[n] == text.p[i];
	return n == rest.n;
}

static void
strip(struct span text, size_t step, struct buf *out)
{
	struct authstrip f;

	authstrip_begin(&f, span_str("mx.ours.test"));
	while (text.n) {
		authstrip_text(&f, span_head(text, step), out);
		text = span_tail(text, step);
	}
	authstrip_end(&f, out);
	authstrip_free(&f);
}

/* The header, a field at a time, as a simple reader sees it. */
static void
check_header(struct span rest)
{
	while (rest.n && rest.p[0] != '\n') {
		struct span field = rest, name;
		size_t n = span_chr(rest, '\n') + 1;

		while (n < rest.n && ascii_isblank(rest.p[n]))
			n += span_chr(span_tail(rest, n), '\n') + 1;
		field = span_head(rest, n);
		rest = span_tail(rest, n);
		name = span_head(field, span_chr(field, ':'));
		if (name.n == field.n)
			continue;
		field = span_tail(field, name.n + 1);
		while (name.n && ascii_isblank(name.p[name.n - 1]))
			name.n--;
		promise(!ascii_ieq(name, span_str(NAME)) ||
		    !authstrip_claims(field, span_str("mx.ours.test")));
	}
}

/* Is there no id, or one with control bytes? */
static bool
claims_nobody(struct span value)
{
	size_t n = 0;

	while (value.n && strchr(" \t\r\n", value.p[0]) && value.p[0])
		value = span_tail(value, 1);
	while (n < value.n && !memchr("; \t\r\n", value.p[n], 5))
		if (ascii_iscntrl(value.p[n++]))
			return true;
	return n == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = rig_input(p, n);
	struct buf whole = { 0 }, pieces = { 0 };

	check_field(text);
	/* Without an end of quotes and comments it may be anybody's. */
	if (span_chr(text, '"') == text.n && span_chr(text, '(') == text.n)
		promise(!authstrip_claims(text, span_str("\"")) || claims_nobody(text));
	else
		(void)authstrip_claims(text, span_str("mx.ours.test"));
	strip(text, text.n ? text.n : 1, &whole);
	strip(text, 3, &pieces);
	promise(span_eq(buf_span(&whole), buf_span(&pieces)));
	promise(is_part(buf_span(&whole), text));
	check_header(buf_span(&whole));
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
