/* spawnproto with slot numbers of two bytes, low byte first. */
#include "site.h"
#undef SITE_SPAWN
#define SITE_SPAWN 65000
#include "queue/spawnproto.c"

#include "spawnproto_rows.h"

int
main(void)
{
	struct tap t = { 0 };
	struct buf b = { 0 };

	test_both(&t, 64999);
	spawnproto_add_slot(&b, 65000);
	is(&t, buf_span(&b), LITERAL("\xe8\xfd"), "limit");
	is_num(&t, spawnproto_slot("\xe8\xfd"), 65000, "bytes are unsigned");
	is_num(&t, spawnproto_slot("\0\1"), 256, "low byte first");
	buf_reset(&b);
	spawnproto_add_report(&b, 256, span_str("Kx"));
	is(&t, buf_span(&b), LITERAL("\0\1Kx\0"), "report");
	buf_free(&b);
	return done(&t);
}
