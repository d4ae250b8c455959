/* message - the message on a descriptor, readable again from its start. */
#include "remote/message.h"

#include <unistd.h>

#include "lib/io.h"
#include "mail/dotcrlf.h"

void
message_open(struct message *m, int fd)
{
	m->fd = fd;
	m->start = lseek(fd, 0, SEEK_CUR);
	m->n = 0;
	m->loaded = m->ended = m->given = false;
}

/* Fills the buffer, so that few calls are needed and a short message is all there. */
static enum message_status
load(struct message *m)
{
	m->n = 0;
	while (m->n < sizeof m->buf && !m->ended) {
		ssize_t r = io_read(m->fd, m->buf + m->n, sizeof m->buf - m->n);

		if (r == -1)
			return MESSAGE_ERROR;
		if (r == 0)
			m->ended = true;
		m->n += (size_t)r;
	}
	m->given = false;
	return MESSAGE_OK;
}

/* The first piece is in the buffer. */
static enum message_status
load_first(struct message *m)
{
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
