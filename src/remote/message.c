/* message - the message on a descriptor, readable again from its start. */
#include "remote/message.h"

#include <unistd.h>

#include "lib/ascii.h"
#include "lib/io.h"
#include "lib/sys.h"
#include "mail/dotcrlf.h"
#include "mail/field.h"

void
message_open(struct message *m, int fd)
{
	m->fd = fd;
	m->start = lseek(fd, 0, SEEK_CUR);
	m->n = m->most = 0;
	m->loaded = m->ended = m->given = m->failed = false;
}

void
message_wipe(struct message *m)
{
	sys_wipe(m->buf, m->most);
}

/* Fills the buffer, so that few calls are needed and a short message is all there. */
static enum message_status
load(struct message *m)
{
	m->n = 0;
	while (m->n < sizeof m->buf && !m->ended) {
		ssize_t r = io_read(m->fd, m->buf + m->n, sizeof m->buf - m->n);

		if (r == -1) {
			m->failed = true;
			return MESSAGE_ERROR;
		}
		if (r == 0)
			m->ended = true;
		m->n += (size_t)r;
		if (m->n > m->most)
			m->most = m->n;
	}
	m->given = false;
	return MESSAGE_OK;
}

/* The first piece is in the buffer. */
static enum message_status
load_first(struct message *m)
{
	if (m->failed)
		return MESSAGE_ERROR;
	if (m->loaded || m->given)
		return MESSAGE_OK;
	m->loaded = true;
	return load(m);
}

enum message_status
message_next(struct message *m, struct span *piece)
{
	if (load_first(m) == MESSAGE_ERROR)
		return MESSAGE_ERROR;
	if (m->given) {
		if (m->ended)
			return MESSAGE_END;
		m->loaded = false;
		if (load(m) == MESSAGE_ERROR)
			return MESSAGE_ERROR;
	}
	m->given = true;
	if (m->n == 0)
		return MESSAGE_END;
	*piece = span_of(m->buf, m->n);
	return MESSAGE_OK;
}

bool
message_rewind(struct message *m)
{
	if (m->loaded) {	/* what follows the buffer has not been read yet */
		m->given = false;
		return true;
	}
	if (m->start == -1)
		return !m->given;
	if (lseek(m->fd, m->start, SEEK_SET) == -1)
		return false;
	m->n = 0;
	m->ended = m->given = false;
	return true;
}

static bool
has_eight_bit(struct span piece)
{
	unsigned char all = 0;

	for (size_t i = 0; i < piece.n; i++)
		all |= (unsigned char)piece.p[i];
	return all & 0x80;
}

enum message_status
message_scan(struct message *m, struct message_facts *facts)
{
	struct dotcrlf_encoder counter = { 0 };
	enum message_status status;
	struct span piece;

	*facts = (struct message_facts){ .eight_bit = true };
	if (load_first(m) == MESSAGE_ERROR)
		return MESSAGE_ERROR;
	if (m->start == -1 && !m->ended)
		return MESSAGE_OK;
	facts->known = true;
	facts->eight_bit = false;
	while ((status = message_next(m, &piece)) == MESSAGE_OK) {
		dotcrlf_encode(&counter, NULL, piece.p, piece.n);
		if (!facts->eight_bit)
			facts->eight_bit = has_eight_bit(piece);
	}
	dotcrlf_encode_end(&counter, NULL);
	facts->wire_size = counter.octets;
	return status == MESSAGE_END && message_rewind(m) ? MESSAGE_OK : MESSAGE_ERROR;
}

/* ---- what SMTPUTF8 is about ---- */

/* The next word outside of comments, before a semicolon; false: none. */
static bool
next_word(struct span *field, struct span *word)
{
	size_t depth = 0, i = 0;

	for (; i < field->n && (depth || ascii_isblank(field->p[i]) || field->p[i] == '\n' ||
	    field->p[i] == '('); i++) {
		if (field->p[i] == '(')
			depth++;
		else if (field->p[i] == ')' && depth)
			depth--;
	}
	*field = span_tail(*field, i);
	for (i = 0; i < field->n && !ascii_isblank(field->p[i]) && field->p[i] != '\n' &&
	    field->p[i] != '(' && field->p[i] != ';'; i++)
		;
	*word = span_head(*field, i);
	*field = span_tail(*field, i);
	return i > 0;
}

/* What follows `with` in a Received field; the empty span: nothing does. */
static struct span
protocol(struct span received)
{
	struct span word;
	bool with = false;

	while (next_word(&received, &word)) {
		if (with)
			return word;
		with = ascii_ieq(word, span_str("with"));
	}
	return span_of("", 0);
}

/* A field with its continuation lines, taken from *header; n 0: the header is over. */
static struct span
take_field(struct span *header)
{
	struct span rest = *header, field = rest;
	size_t n = 0;

	do {
		n += span_chr(rest, '\n') + 1;
		rest = span_tail(field, n);
	} while (rest.n && n > 1 && ascii_isblank(rest.p[0]));
	field = span_head(field, n > 1 && n <= field.n ? n : 0);
	*header = span_tail(*header, field.n);
	return field;
}

/* Does the first Received field that names a protocol name one of SMTPUTF8? */
static bool
came_by_utf8smtp(struct span header)
{
	struct span field, name, rest, word;

	while ((field = take_field(&header)).n) {
		if (field_classify(span_head(field, field.n - 1), &name, &rest) !=
		    FIELD_LINE_START || field_identify(name) != FIELD_RECEIVED)
			continue;
		word = protocol(rest);
		if (word.n)
			return ascii_istarts(word, span_str("UTF8SMTP"));
	}
	return false;
}

/* Bytes of the piece that are of the header; *line: bytes of an unfinished line, kept between
 * pieces.  *over becomes true at the empty line behind it. */
static struct span
header_part(struct span piece, size_t *line, bool *over)
{
	for (size_t i = 0; i < piece.n; i++) {
		if (piece.p[i] != '\n') {
			++*line;
		} else if (*line == 0) {
			*over = true;
			return span_head(piece, i);
		} else {
			*line = 0;
		}
	}
	return piece;
}

bool
message_has_utf8_header(struct message *m, bool *came_with_utf8)
{
	enum message_status status = MESSAGE_OK;
	struct span piece;
	size_t line = 0;
	bool over = false, found = false;

	*came_with_utf8 = false;
	if (load_first(m) == MESSAGE_ERROR || !came_by_utf8smtp(span_of(m->buf, m->n)))
		return false;
	*came_with_utf8 = true;
	found = has_eight_bit(header_part(span_of(m->buf, m->n), &line, &over));
	if (found || over || m->ended)
		return found;
	if (m->start == -1)
		return true;
	line = 0;
	while (!found && !over && (status = message_next(m, &piece)) == MESSAGE_OK)
		found = has_eight_bit(header_part(piece, &line, &over));
	if (status == MESSAGE_ERROR || !message_rewind(m))
		m->failed = true;
	return found && !m->failed;
}
