/* route - what control/smtproutes says about a host. */
#include "remote/route.h"

#include "lib/num.h"

/* Length of the relay in front of the colon that separates the port. */
static size_t
relay_length(struct span value)
{
	size_t close = value.n && value.p[0] == '[' ? span_chr(value, ']') : value.n;

	if (close < value.n)
		return close + 1 + span_chr(span_tail(value, close + 1), ':');
	return span_chr(value, ':');
}

static uint16_t
parse_port(struct span text)
{
	uint64_t port = 0;

	return num_lead_u64(text, UINT64_MAX, &port) && port <= UINT16_MAX ? (uint16_t)port : 0;
}

struct route
route_find(const struct set *routes, struct span host)
{
	struct route route = { .host = host, .port = SMTP_PORT };
	struct span value;
	size_t relay;

	if (!set_find_domain(routes, host, true, &value) || value.n == 0)
		return route;
	relay = relay_length(value);
	route.fixed = true;
	route.host = span_head(value, relay);
	if (relay < value.n)
		route.port = parse_port(span_tail(value, relay + 1));
	return route;
}
