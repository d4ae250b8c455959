/* idn - names of domains with letters beyond US-ASCII, as the name system has them. */
#include "net/idn.h"

#ifdef WITH_IDN2
#include <idn2.h>
#include <stdint.h>
#endif

#include "lib/ascii.h"

bool
idn_is_foreign(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] > 127)
			return true;
	return false;
}

#ifdef WITH_IDN2
static enum idn_status
convert(const char *name, struct buf *to)
{
	uint8_t *ascii = NULL;
	int r = idn2_lookup_u8((const uint8_t *)name, &ascii, IDN2_NO_TR46);

	if (r == IDN2_MALLOC)
		return IDN_MEMORY;
	if (r != IDN2_OK)
		return IDN_NONE;
	buf_adds(to, (const char *)ascii);
	idn2_free(ascii);
	return buf_ok(to) ? IDN_OK : IDN_MEMORY;
}
#else
static enum idn_status
convert(const char *name, struct buf *to)
{
	(void)name;
	(void)to;
	return IDN_NONE;
}
#endif

/* Lower case. */
static bool
has_a_label(struct span name)
{
	for (; name.n; name = span_tail(name, span_chr(name, '.') + 1))
		if (span_starts(name, span_str("xn--")))
			return true;
	return false;
}

/* Lists compare all but the case of A-Z: no more than that may be changed before conversion,
 * and none may be changed by it. */
enum idn_status
idn_add_ascii(struct span name, struct buf *to)
{
	struct buf copy = { 0 };
	enum idn_status status = IDN_NONE;

	if (!idn_is_foreign(name)) {
		buf_addspan(to, name);
		return buf_ok(to) ? IDN_OK : IDN_MEMORY;
	}
	buf_addspan(&copy, name);
	ascii_lower_n(copy.p, copy.n);
	if (!buf_ok(&copy))
		status = IDN_MEMORY;
	else if (span_chr(name, '\0') == name.n && !has_a_label(buf_span(&copy)))
		status = convert(buf_str(&copy), to);
	buf_free(&copy);
	return status;
}
