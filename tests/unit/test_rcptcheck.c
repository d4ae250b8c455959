/* rcptcheck: which addresses have the right form. */
#include "smtp/rcptcheck.h"

#include "tap.h"

static const struct {
	const char *address;
	bool right;
} addresses[] = {
	{ "a@b.co", true },
	{ "a@b.c", false },		/* three bytes */
	{ "a@bc.d", true },
	{ "a@abcd", false },		/* no dot */
	{ "a@.b.example", false },
	{ "a@b.example.", false },
	{ "a@b..example", false },
	{ "a@-b.example", false },
	{ "a@b-.example", false },
	{ "a@b.-example", false },
	{ "a@b.example-", false },
	{ "a@xn--b.example", true },
	{ "a@b-c.example", true },
	{ "a@b_c.example", false },
	{ "a@b.ex\xc3\xa4mple", false },
	{ "a b@c.example", true },
	{ "a@b@c.example", true },
	{ "!#$%&'*+-/=?^_`{|}~@b.example", true },
	{ "a@[192.0.2.1]", true },
	{ "a@[IPv6:::1]", true },
	{ "a@[192.0.2.256]", false },
	{ "@b.example", false },
	{ "a@", false },
	{ "@", false },
	{ "a", false },
	{ "", false },
	{ "#@[]", false },
};

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
		ok(&t, rcptcheck_is_address(span_str(addresses[i].address)) == addresses[i].right,
		    "%s", addresses[i].address);
	return done(&t);
}
