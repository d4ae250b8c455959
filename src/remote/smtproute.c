/* smtproute - what control/smtproutes and control/authsenders say. */
#include "remote/smtproute.h"

#include "lib/ascii.h"
#include "lib/num.h"

/* ---- relay and port ---- */

static bool
all_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_isdigit(s.p[i]))
			return false;
	return s.n > 0;
}

/* Length of the relay in front of what separates the port. */
static size_t
relay_length(struct span value)
{
	size_t close = value.n && value.p[0] == '[' ? span_chr(value, ']') : value.n;
	size_t semicolon = span_rchr(value, ';');

	if (all_digits(span_tail(value, semicolon + 1)))
		return semicolon;
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

static void
take_relay(struct smtproute *route, struct span value)
{
	size_t relay = relay_length(value);

	route->fixed = true;
	route->host = span_head(value, relay);
	if (relay < value.n)
		route->port = parse_port(span_tail(value, relay + 1));
}

/* ---- login ---- */

static size_t
blank_in(struct span s)
{
	size_t i = 0;

	while (i < s.n && !ascii_isblank(s.p[i]))
		i++;
	return i;
}

static struct span
next_word(struct span *rest)
{
	struct span word;

	while (rest->n && ascii_isblank(rest->p[0]))
		*rest = span_tail(*rest, 1);
	word = span_head(*rest, blank_in(*rest));
	*rest = span_tail(*rest, word.n);
	return word;
}

static void
take_login(struct smtproute *route, struct span user, struct span password)
{
	if (user.n && user.p[0] == '-') {
		route->clear = true;
		user = span_tail(user, 1);
	}
	if (user.n > SMTPROUTE_LOGIN_MAX || password.n > SMTPROUTE_LOGIN_MAX)
		route->bad_login = true;
	if (!user.n || !password.n)
		return;
	route->user = user;
	route->password = password;
}

static void
parse(struct smtproute *route, struct span value)
{
	struct span rest, user, password;
	size_t bar, blank;

	while (value.n && ascii_isblank(value.p[0]))
		value = span_tail(value, 1);
	bar = span_chr(value, '|');
	blank = blank_in(value);
	if (bar < blank) {
		rest = span_tail(value, bar + 1);
		user = span_head(rest, span_chr(rest, '|'));
		password = span_tail(rest, user.n + 1);
		value = span_head(value, bar);
	} else {
		rest = span_tail(value, blank);
		user = next_word(&rest);
		password = next_word(&rest);
		route->bad_login = next_word(&rest).n > 0;
		value = span_head(value, blank);
	}
	take_login(route, user, password);
	take_relay(route, value);
}

/* ---- which entry ---- */

static bool
find_sender(const struct set *senders, struct span sender, struct span *value)
{
	size_t at = span_rchr(sender, '@');

	if (!senders->n)
		return false;
	if (set_find(senders, sender, value) ||
	    (at < sender.n && set_find(senders, span_tail(sender, at), value)))
		return true;
	/* From here on as domains, but without the domain itself. */
	for (size_t i = at + 1; i < sender.n; i++)
		if (sender.p[i] == '.' && set_find(senders, span_tail(sender, i), value))
			return true;
	return set_find(senders, span_of("", 0), value);
}

struct smtproute
smtproute_find(const struct set *routes, const struct set *senders, struct span host,
    struct span sender)
{
	struct smtproute route = { .host = host, .port = SMTP_PORT };
	struct span value;

	if (find_sender(senders, sender, &value) && value.n)
		parse(&route, value);
	else if (set_find_domain(routes, host, true, &value) && value.n)
		parse(&route, value);
	return route;
}

bool
smtproute_any_login(const struct set *entries)
{
	for (size_t i = 0; i < entries->n; i++) {
		struct smtproute route = { .port = SMTP_PORT };
		const struct set_item *item = &entries->items[i];

		parse(&route, span_of(entries->text.p + item->value, item->value_len));
		if (route.user.n || route.bad_login)
			return true;
	}
	return false;
}
