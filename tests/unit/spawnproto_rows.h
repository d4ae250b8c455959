/* spawnproto_rows - the tests of spawnproto for both widths of a slot number; SLOT(n) gives the
 * bytes of slot n (below 256) as a string literal, including the NUL for the wide form. */
#ifndef SPAWNPROTO_ROWS_H
#define SPAWNPROTO_ROWS_H

#include "queue/spawnproto.h"
#include "tap.h"

#define LITERAL(s) span_of((s), sizeof(s) - 1)

/* Feeds it all; how many commands were complete, and what the last one was. */
static inline int
feed_commands(struct spawnproto_command *c, struct span bytes, struct buf *last)
{
	int n = 0;

	for (size_t i = 0; i < bytes.n; i++) {
		if (!spawnproto_command_feed(c, bytes.p[i]))
			continue;
		n++;
		buf_reset(last);
		buf_addnum(last, c->slot);
		buf_addc(last, ' ');
		buf_addbuf(last, &c->id);
		buf_addc(last, ' ');
		buf_addbuf(last, &c->sender);
		buf_addc(last, ' ');
		buf_addbuf(last, &c->recipient);
		buf_adds(last, c->failed ? " failed" : "");
		spawnproto_command_next(c);
	}
	return n;
}

static inline void
test_command(struct tap *t, unsigned slot, const char *id, const char *sender,
    const char *recipient)
{
	struct buf bytes = { 0 }, last = { 0 }, want = { 0 };
	struct spawnproto_command c = { 0 };

	spawnproto_add_command(&bytes, slot, span_str(id), span_str(sender), span_str(recipient));
	spawnproto_add_command(&bytes, 1, span_str("0/23"), span_str("s"), span_str("r"));
	ok(t, feed_commands(&c, buf_span(&bytes), &last) == 2, "two commands");
	is(t, buf_span(&last), span_str("1 0/23 s r"), "the second");
	bytes.n -= (size_t)SPAWNPROTO_SLOT_BYTES + sizeof "0/23" + sizeof "s" + sizeof "r";
	ok(t, feed_commands(&c, buf_span(&bytes), &last) == 1, "the first alone");
	buf_addnum(&want, slot);
	buf_addc(&want, ' ');
	buf_adds(&want, id);
	buf_addc(&want, ' ');
	buf_adds(&want, sender);
	buf_addc(&want, ' ');
	buf_adds(&want, recipient);
	is(t, buf_span(&last), buf_span(&want), "what it says");
	spawnproto_command_free(&c);
	buf_free(&bytes);
	buf_free(&last);
	buf_free(&want);
}

static inline void
test_field_limit(struct tap *t, size_t n, bool fails)
{
	struct spawnproto_command c = { 0 };
	struct buf bytes = { 0 }, field = { 0 };
	int complete = 0;

	for (size_t i = 0; i < n; i++)
		buf_addc(&field, 'a');
	spawnproto_add_command(&bytes, 0, span_str("0/23"), buf_span(&field), span_str("r@x"));
	for (size_t i = 0; i < bytes.n; i++)
		complete += spawnproto_command_feed(&c, bytes.p[i]);
	ok(t, complete == 1 && c.failed == fails, "field of %zu bytes", n);
	is(t, buf_span(&c.recipient), span_str("r@x"), "the field behind it");
	spawnproto_command_next(&c);
	ok(t, !c.failed, "the next command is not concerned");
	spawnproto_command_free(&c);
	buf_free(&bytes);
	buf_free(&field);
}

static inline void
test_report(struct tap *t, unsigned slot, struct span text, const char *want)
{
	struct spawnproto_report r = { 0 };
	struct buf bytes = { 0 };
	int complete = 0;

	for (int round = 0; round < 2; round++) {
		spawnproto_add_report(&bytes, slot, text);
		for (size_t i = 0; i < bytes.n; i++)
			complete += spawnproto_report_feed(&r, bytes.p[i]);
		ok(t, complete == 1 && r.slot == slot, "one report, slot %u", slot);
		is(t, buf_span(&r.text), span_str(want), "its text");
		spawnproto_report_next(&r);
		buf_reset(&bytes);
		complete = 0;
	}
	spawnproto_report_free(&r);
	buf_free(&bytes);
}

static inline void
test_report_limit(struct tap *t, size_t n, size_t kept)
{
	struct spawnproto_report r = { 0 };
	struct buf text = { 0 }, bytes = { 0 };
	int complete = 0;

	for (size_t i = 0; i < n; i++)
		buf_addc(&text, 'K');
	spawnproto_add_report(&bytes, 7, buf_span(&text));
	for (size_t i = 0; i < bytes.n; i++)
		complete += spawnproto_report_feed(&r, bytes.p[i]);
	ok(t, complete == 1 && r.text.n == kept && buf_ok(&r.text), "report of %zu bytes", n);
	spawnproto_report_free(&r);
	buf_free(&bytes);
	buf_free(&text);
}

static inline void
test_both(struct tap *t, unsigned last_slot)
{
	test_command(t, 0, "20/457", "joe@a.example", "bob@c.example");
	test_command(t, last_slot, "", "", "");
	test_command(t, 0x80, "1/1", "\xff", "@");
	test_field_limit(t, SPAWNPROTO_FIELD_MAX - 1, false);
	test_field_limit(t, SPAWNPROTO_FIELD_MAX, false);
	test_field_limit(t, SPAWNPROTO_FIELD_MAX + 1, true);
	test_report(t, 0, span_str("Ksome text\n"), "Ksome text\n");
	test_report(t, last_slot, span_str(""), "");
	test_report(t, 1, LITERAL("Zcut\0off"), "Zcut");
	test_report_limit(t, SPAWNPROTO_REPORT_MAX - 1, SPAWNPROTO_REPORT_MAX - 1);
	test_report_limit(t, SPAWNPROTO_REPORT_MAX, SPAWNPROTO_REPORT_MAX);
	test_report_limit(t, SPAWNPROTO_REPORT_MAX + 1, SPAWNPROTO_REPORT_MAX);
}

#endif
