/* taps - control/taps: whose mail somebody else gets a copy of.
 * What is matched against is bounded by the envelope, patterns by mail/ere.h. */
#include "queue/taps.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/ctl.h"
#include "mail/ere.h"

struct tap {
	bool sender, recipient;		/* which addresses it is for */
	bool negated;
	bool compiled;
	regex_t pattern;
	char *address;
	bool is_recipient;		/* the message goes there anyway */
};

static enum taps_status
compile(struct tap *tap, struct span pattern)
{
	char text[TAPS_PATTERN_MAX + 1];
	int r;

	if (pattern.n && pattern.p[0] == '!') {
		tap->negated = true;
		pattern = span_tail(pattern, 1);
	}
	if (!pattern.n || ere_excess(pattern, TAPS_PATTERN_MAX))
		return TAPS_MALFORMED;
	memcpy(text, pattern.p, pattern.n);
	text[pattern.n] = '\0';
	r = regcomp(&tap->pattern, text, REG_EXTENDED | REG_ICASE | REG_NOSUB);
	tap->compiled = r == 0;
	if (r == REG_ESPACE) {
		errno = ENOMEM;
		return TAPS_UNREADABLE;
	}
	return r == 0 ? TAPS_OK : TAPS_MALFORMED;
}

static enum taps_status
take_line(struct tap *tap, struct span line)
{
	struct span whom = span_head(line, span_chr(line, ':'));
	struct span rest = span_tail(line, whom.n + 1);
	struct span pattern = span_head(rest, span_chr(rest, ':'));
	struct span address = span_tail(rest, pattern.n + 1);

	if (whom.n != 1 || !address.n || address.n > ENVELOPE_ADDRESS_MAX)
		return TAPS_MALFORMED;
	tap->sender = whom.p[0] == 'F' || whom.p[0] == 'A';
	tap->recipient = whom.p[0] == 'T' || whom.p[0] == 'A';
	if (!tap->sender && !tap->recipient)
		return TAPS_MALFORMED;
	if (!(tap->address = strndup(address.p, address.n)))
		return TAPS_UNREADABLE;
	return compile(tap, pattern);
}

static enum taps_status
take_lines(struct taps *t, const struct buf *text)
{
	enum taps_status status = TAPS_OK;
	struct span line;
	size_t pos = 0;

	if (!(t->list = calloc(TAPS_LINES_MAX, sizeof *t->list)))
		return TAPS_UNREADABLE;
	while (status == TAPS_OK && ctl_next(text, &pos, &line))
		status = t->n == TAPS_LINES_MAX ? TAPS_MALFORMED :
		    take_line(&t->list[t->n++], line);
	return status;
}

enum taps_status
taps_read(struct taps *t)
{
	struct buf text = { 0 };
	enum taps_status status = TAPS_OK;

	switch (ctl_list("taps", &text)) {
	case CTL_ABSENT:
		break;
	case CTL_FOUND:
		status = take_lines(t, &text);
		break;
	case CTL_ERROR:
		status = TAPS_UNREADABLE;
		break;
	}
	buf_free(&text);
	return status;
}

/* The memory that the search needs may not be there: then nobody knows. */
static enum taps_status
match(struct taps *t, const struct tap *tap, const char *address)
{
	int r = regexec(&tap->pattern, address, 0, NULL, 0);

	if (r != 0 && r != REG_NOMATCH) {
		errno = ENOMEM;
		return TAPS_UNREADABLE;
	}
	if ((r == 0) != tap->negated)
		t->hit = tap;
	return TAPS_OK;
}

enum taps_status
taps_see(struct taps *t, enum envelope_type type, struct span address)
{
	bool is_sender = type == ENVELOPE_SENDER;
	enum taps_status status = TAPS_OK;
	char text[ENVELOPE_ADDRESS_MAX + 1];

	if (!t->n || address.n > ENVELOPE_ADDRESS_MAX)
		return TAPS_OK;
	if (address.n)
		memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	for (size_t i = 0; i < t->n && status == TAPS_OK; i++) {
		struct tap *tap = &t->list[i];

		if (!is_sender && ascii_ieq(address, span_str(tap->address)))
			tap->is_recipient = true;
		if (!t->hit && (is_sender ? tap->sender : tap->recipient))
			status = match(t, tap, text);
	}
	return status;
}

struct span
taps_address(const struct taps *t)
{
	return span_str(t->hit && !t->hit->is_recipient ? t->hit->address : "");
}

void
taps_free(struct taps *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->list[i].compiled)
			regfree(&t->list[i].pattern);
		free(t->list[i].address);
	}
	free(t->list);
	*t = (struct taps){ 0 };
}
