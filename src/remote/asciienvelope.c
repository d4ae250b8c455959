/* asciienvelope - an envelope for servers without SMTPUTF8. */
#include "remote/asciienvelope.h"

#include <stdlib.h>

#include "lib/num.h"
#include "mail/addr5321.h"
#include "net/idn.h"

bool
asciienvelope_is_foreign(struct span sender, const struct span *recipients, size_t n)
{
	bool foreign = idn_is_foreign(sender);

	for (size_t i = 0; i < n && !foreign; i++)
		foreign = idn_is_foreign(recipients[i]);
	return foreign;
}

/* Appends the address, and says in *n how long it is: 0, which only the empty one is otherwise, if
 * it has no such form. */
static enum asciienvelope_status
add_address(struct buf *text, struct span address, size_t *n)
{
	struct span domain = addr5321_domain(address);
	struct span local = span_head(address, address.n - domain.n);
	size_t at = text->n;
	enum idn_status status = IDN_NONE;

	if (!idn_is_foreign(local)) {
		buf_addspan(text, local);
		status = idn_add_ascii(domain, text);
	}
	if (status == IDN_MEMORY || !buf_ok(text))
		return ASCIIENVELOPE_MEMORY;
	if (status == IDN_NONE)
		buf_cut(text, at);
	*n = text->n - at;
	return status == IDN_OK ? ASCIIENVELOPE_OK : ASCIIENVELOPE_NONE;
}

/* The text first, which moves as it grows; until then spans have only their lengths. */
static enum asciienvelope_status
add_all(struct asciienvelope *e, struct span sender, const struct span *recipients, size_t n)
{
	enum asciienvelope_status status = add_address(&e->text, sender, &e->sender.n);
	bool some = false;

	if (status != ASCIIENVELOPE_OK)
		return status;
	for (size_t i = 0; i < n; i++) {
		status = add_address(&e->text, recipients[i], &e->recipients[i].n);
		if (status == ASCIIENVELOPE_MEMORY)
			return status;
		some = some || status == ASCIIENVELOPE_OK;
	}
	return some ? ASCIIENVELOPE_OK : ASCIIENVELOPE_NONE;
}

enum asciienvelope_status
asciienvelope_make(struct asciienvelope *e, struct span sender, const struct span *recipients,
    size_t n)
{
	enum asciienvelope_status status = ASCIIENVELOPE_MEMORY;
	size_t at, bytes;

	if (!num_mul(n, sizeof *e->recipients, &bytes) && (e->recipients = malloc(bytes)))
		status = add_all(e, sender, recipients, n);
	if (status != ASCIIENVELOPE_OK) {
		asciienvelope_free(e);
		return status;
	}
	e->sender.p = e->text.p;
	at = e->sender.n;
	for (size_t i = 0; i < n; i++) {
		e->recipients[i].p = e->recipients[i].n ? e->text.p + at : NULL;
		at += e->recipients[i].n;
	}
	return ASCIIENVELOPE_OK;
}

void
asciienvelope_free(struct asciienvelope *e)
{
	buf_free(&e->text);
	free(e->recipients);
	*e = (struct asciienvelope){ 0 };
}
