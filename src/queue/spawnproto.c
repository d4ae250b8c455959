/* spawnproto - what qmail-send and the two spawn daemons say to each other. */
#include "queue/spawnproto.h"

#include <limits.h>

/* Parts of a command, in order. */
enum stage { STAGE_SLOT, STAGE_ID, STAGE_SENDER, STAGE_RECIPIENT };

void
spawnproto_add_slot(struct buf *to, unsigned slot)
{
	for (size_t i = 0; i < SPAWNPROTO_SLOT_BYTES; i++)
		buf_addc(to, (char)(unsigned char)(slot >> (CHAR_BIT * i) & UCHAR_MAX));
}

unsigned
spawnproto_slot(const char *p)
{
	unsigned slot = 0;

	for (size_t i = 0; i < SPAWNPROTO_SLOT_BYTES; i++)
		slot |= (unsigned)(unsigned char)p[i] << (CHAR_BIT * i);
	return slot;
}

/* Takes one byte of the slot number; true when it was the last. */
static bool
take_slot_byte(unsigned *slot, size_t *have, char byte)
{
	if (*have == 0)
		*slot = 0;
	*slot |= (unsigned)(unsigned char)byte << (CHAR_BIT * *have);
	return ++*have == SPAWNPROTO_SLOT_BYTES;
}

static void
add_field(struct buf *to, struct span field)
{
	buf_addspan(to, field);
	buf_addc(to, '\0');
}

void
spawnproto_add_command(struct buf *to, unsigned slot, struct span id, struct span sender,
    struct span recipient)
{
	spawnproto_add_slot(to, slot);
	add_field(to, id);
	add_field(to, sender);
	add_field(to, recipient);
}

void
spawnproto_add_report(struct buf *to, unsigned slot, struct span text)
{
	spawnproto_add_slot(to, slot);
	add_field(to, span_head(text, span_chr(text, '\0')));
}

/* ---- commands ---- */

static struct buf *
field_of(struct spawnproto_command *c)
{
	switch (c->stage) {
	case STAGE_ID:
		return &c->id;
	case STAGE_SENDER:
		return &c->sender;
	default:
		return &c->recipient;
	}
}

bool
spawnproto_command_feed(struct spawnproto_command *c, char byte)
{
	struct buf *field;

	if (c->stage == STAGE_SLOT) {
		if (take_slot_byte(&c->slot, &c->slot_bytes, byte))
			c->stage = STAGE_ID;
		return false;
	}
	field = field_of(c);
	field->max = SPAWNPROTO_FIELD_MAX;
	if (byte != '\0') {
		buf_addc(field, byte);
		return false;
	}
	c->failed = c->failed || !buf_ok(field);
	return c->stage++ == STAGE_RECIPIENT;
}

void
spawnproto_command_next(struct spawnproto_command *c)
{
	buf_reset(&c->id);
	buf_reset(&c->sender);
	buf_reset(&c->recipient);
	c->failed = false;
	c->stage = STAGE_SLOT;
	c->slot_bytes = 0;
}

void
spawnproto_command_free(struct spawnproto_command *c)
{
	buf_free(&c->id);
	buf_free(&c->sender);
	buf_free(&c->recipient);
	spawnproto_command_next(c);
}

/* ---- reports ---- */

bool
spawnproto_report_feed(struct spawnproto_report *r, char byte)
{
	if (r->slot_bytes < SPAWNPROTO_SLOT_BYTES) {
		(void)take_slot_byte(&r->slot, &r->slot_bytes, byte);
		return false;
	}
	if (byte == '\0')
		return true;
	if (r->text.n < SPAWNPROTO_REPORT_MAX)
		buf_addc(&r->text, byte);
	return false;
}

void
spawnproto_report_next(struct spawnproto_report *r)
{
	buf_reset(&r->text);
	r->slot_bytes = 0;
}

void
spawnproto_report_free(struct spawnproto_report *r)
{
	buf_free(&r->text);
	spawnproto_report_next(r);
}
