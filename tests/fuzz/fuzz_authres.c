/* The field Authentication-Results: what anybody says in the variable makes one field and no line
 * of another; of a message nothing is left out but such fields, and none of ours is left.
 * Input: text, which is both. */
#include <string.h>

#include "lib/ascii.h"
#include "mail/authres.h"
#include "../unit/inpieces.h"
#include "rig.h"

#define NAME "Authentication-Results"
#define OURS span_str("mx.ours.test")

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
	bool some = authres_put_field(&field, OURS, results);
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

/* The first line with its end. */
static size_t
line_length(struct span text, bool cr)
{
	size_t n = 0;

	while (n < text.n && text.p[n] != '\n' && (!cr || text.p[n] != '\r'))
		n++;
	n += cr && n + 1 < text.n && text.p[n] == '\r' && text.p[n + 1] == '\n';
	return n + (n < text.n);
}

static size_t
lead(struct span s, const char *bytes)
{
	size_t n = 0;

	while (n < s.n && s.p[n] && strchr(bytes, s.p[n]))
		n++;
	return n;
}

/* Plainly so: for one who does not look for what is odd. */
static bool
is_ours(struct span value)
{
	const struct span id = OURS;

	value = span_tail(value, lead(value, " \t\r\n"));
	return ascii_ieq(span_head(value, id.n), id) && (value.n == id.n ||
	    strchr(" \t\r\n;(/", value.p[id.n]));
}

/* The header, a field at a time, as a simple reader sees it; cr: one for whom CR ends a line.  To
 * the other a value may look odd that is none to this one. */
static void
check_header(struct span rest, bool cr)
{
	while (rest.n && rest.p[0] != '\n' && (!cr || rest.p[0] != '\r')) {
		struct span field, name;
		size_t n = line_length(rest, cr);

		while (n < rest.n && ascii_isblank(rest.p[n]))
			n += line_length(span_tail(rest, n), cr);
		field = span_head(rest, n);
		rest = span_tail(rest, n);
		name = span_head(field, span_chr(field, ':'));
		if (name.n == field.n)
			continue;
		field = span_tail(field, name.n + 1);
		while (name.n && ascii_isblank(name.p[name.n - 1]))
			name.n--;
		if (ascii_ieq(name, span_str(NAME)))
			promise(cr ? !authstrip_claims(field, OURS) :
			    !is_ours(field));
	}
}

/* Without quotes and comments: is there an id, and perhaps a version, before the results? */
static bool
names_somebody(struct span value)
{
	static const char space[] = " \t\r\n";
	size_t n = 0;

	value = span_tail(value, lead(value, space));
	while (n < value.n && value.p[n] > 32 && value.p[n] < 127 &&
	    !strchr("()<>@,;:\\\"/[]?=", value.p[n]))
		n++;
	if (!n)
		return false;
	value = span_tail(value, n);
	value = span_tail(value, lead(value, space));
	value = span_tail(value, lead(value, "0123456789"));
	value = span_tail(value, lead(value, space));
	return !value.n || value.p[0] == ';';
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = rig_input(p, n);
	struct buf whole = { 0 }, pieces = { 0 };

	check_field(text);
	if (span_chr(text, '"') == text.n && span_chr(text, '(') == text.n)
		promise(authstrip_claims(text, span_str("\"")) != names_somebody(text));
	else
		(void)authstrip_claims(text, span_str("mx.ours.test"));
	inpieces_strip(text, OURS, text.n ? text.n : 1, &whole);
	inpieces_strip(text, OURS, 3, &pieces);
	promise(span_eq(buf_span(&whole), buf_span(&pieces)));
	promise(is_part(buf_span(&whole), text));
	check_header(buf_span(&whole), false);
	check_header(buf_span(&whole), true);
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
