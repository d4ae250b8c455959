/* spawnproto with slot numbers of one byte. */
#include "site.h"
#undef SITE_SPAWN
#define SITE_SPAWN 255
#include "queue/spawnproto.c"

#include "spawnproto_rows.h"

int
main(void)
{
	struct tap t = { 0 };
	struct buf b = { 0 };

	test_both(&t, 254);
	spawnproto_add_slot(&b, 255);
	is(&t, buf_span(&b), LITERAL("\xff"), "limit");
	is_num(&t, spawnproto_slot("\xff"), 255, "bytes are unsigned");
	buf_reset(&b);
	spawnproto_add_command(&b, 0, span_str("20/457"), span_str("joe@a.example"),
	    span_str("bob@c.example"));
	is(&t, buf_span(&b), LITERAL("\0" "20/457\0joe@a.example\0bob@c.example\0"), "command");
	buf_reset(&b);
	spawnproto_add_report(&b, 0, span_str("Ksome text\n"));
	is(&t, buf_span(&b), LITERAL("\0Ksome text\n\0"), "report");
	buf_free(&b);
	return done(&t);
}
