/* outbox - reports of deliveries on their way to qmail-send. */
#include "spawn/outbox.h"

#include <unistd.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "queue/spawnproto.h"
#include "spawn/report.h"

_Static_assert(REPORT_REMOTE_MAX + 1024 < OUTBOX_SIZE, "a report fits");

int
outbox_open(struct outbox *o)
{
	if (!buf_room(&o->reports, OUTBOX_SIZE))
		return -1;
	spawnproto_add_slot(&o->reports, SPAWN_SLOTS);
	outbox_flush(o);
	return 0;
}

void
outbox_flush(struct outbox *o)
{
	struct io_out out;
	char unused[1];

	io_out_init(&out, 1, unused, sizeof unused);
	if (!o->deaf && o->reports.n) {
		io_putspan(&out, buf_span(&o->reports));
		if (io_flush(&out) == -1) {
			o->deaf = true;
			(void)close(1);
			(void)!io_open_standard();
		}
	}
	buf_reset(&o->reports);
}

void
outbox_put(struct outbox *o, unsigned slot, struct span text)
{
	if (text.n + SPAWNPROTO_SLOT_BYTES + 1 > OUTBOX_SIZE - o->reports.n)
		outbox_flush(o);
	spawnproto_add_report(&o->reports, slot, text);
}

void
outbox_free(struct outbox *o)
{
	buf_free(&o->reports);
}
