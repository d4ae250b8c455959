/* hdr5322 - header fields with addresses: completing one address. */
#include "mail/hdr5322.h"

#include <string.h>

static bool
ends_with(const struct hdr5322_tokens *a, char type)
{
	return a->n && a->v[a->n - 1].type == type;
}

/* `x@[]` marks double bounces and VERP senders. */
static bool
is_special(const struct hdr5322_tokens *a)
{
	return a->n >= 2 && ends_with(a, HDR5322_LITERAL) && !a->v[a->n - 1].text.n &&
	    a->v[a->n - 2].type == '@';
}

/* `@a,@b:c@d` becomes `c@d`; a route that leads nowhere leaves nothing. */
static void
drop_route(struct hdr5322_tokens *a)
{
	size_t i = 0;

	if (!a->n || a->v[0].type != '@')
		return;
	while (i < a->n && a->v[i].type != ':')
		i++;
	if (i < a->n)
		i++;
	memmove(a->v, a->v + i, (a->n - i) * sizeof *a->v);
	a->n -= i;
}

bool
hdr5322_strip(struct hdr5322_tokens *address)
{
	if (is_special(address))
		return true;
	drop_route(address);
	if (ends_with(address, '.'))
		address->n--;
	if (ends_with(address, '@'))
		address->n--;
	return !address->n;
}

/* Index of the first token of the domain; n: there is no @. */
static size_t
domain_start(const struct hdr5322_tokens *a)
{
	for (size_t i = a->n; i > 0; i--)
		if (a->v[i - 1].type == '@')
			return i;
	return a->n;
}

static bool
has_at(const struct hdr5322_tokens *a)
{
	return domain_start(a) < a->n || ends_with(a, '@');
}

/* A `+` at the end of the domain stands for the plus domain. */
static void
expand_plus(const struct hdr5322_rules *rules, struct hdr5322_tokens *a)
{
	struct span *last = &a->v[a->n - 1].text;

	if (!ends_with(a, HDR5322_ATOM) || !last->n || last->p[last->n - 1] != '+')
		return;
	last->n--;
	hdr5322_append(a, &rules->plus_domain);
}

static bool
domain_is_full(const struct hdr5322_tokens *a)
{
	for (size_t i = domain_start(a); i < a->n; i++)
		if (a->v[i].type == '.' || a->v[i].type == HDR5322_LITERAL)
			return true;
	return false;
}

void
hdr5322_complete(const struct hdr5322_rules *rules, struct hdr5322_tokens *address)
{
	if (hdr5322_strip(address))
		return;
	if (!has_at(address))
		hdr5322_append(address, &rules->default_host);
	expand_plus(rules, address);
	if (!domain_is_full(address))
		hdr5322_append(address, &rules->default_domain);
}
