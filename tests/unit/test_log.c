/* log: every byte of the two rules. */
#include "lib/log.h"

#include "tap.h"

int
main(void)
{
	struct tap t = { 0 };
	struct buf safe = { 0 }, spaces = { 0 }, none = { 0 }, all = { 0 };
	bool right = true, with = true, without = true;

	for (int i = 0; i < 256; i++)
		buf_addc(&all, (char)i);
	log_add_safe(&safe, buf_span(&all));
	log_add_visible(&spaces, buf_span(&all), true, '?');
	log_add_visible(&none, buf_span(&all), false, '_');
	for (int i = 0; i < 256; i++) {
		bool visible = i > 32 && i < 127;

		right = right &&
		    safe.p[i] == (i == '\n' ? '/' : visible && i != '%' ? (char)i : '_');
		with = with && spaces.p[i] == (visible || i == ' ' ? (char)i : '?');
		without = without && none.p[i] == (visible ? (char)i : '_');
	}
	ok(&t, right && safe.n == 256, "log line");
	ok(&t, with && spaces.n == 256, "visible with spaces");
	ok(&t, without && none.n == 256, "visible without spaces");
	buf_reset(&safe);
	buf_adds(&safe, "a");
	log_add_safe(&safe, span_of(NULL, 0));
	log_add_safe(&safe, span_str(" b\n"));
	is(&t, buf_span(&safe), span_str("a_b/"), "appends");
	buf_free(&safe);
	buf_free(&spaces);
	buf_free(&none);
	buf_free(&all);
	return done(&t);
}
