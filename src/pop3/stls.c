/* stls - encryption of a POP3 session before the login. */
#include "pop3/stls.h"

#include <stdlib.h>
#include <string.h>

#include "tls/ucspi.h"

static bool
switch_is(const char *value)
{
	const char *ucspi = getenv("UCSPITLS");

	return ucspi && strcmp(ucspi, value) == 0;
}

void
stls_begin(struct stls *t)
{
	ucspi_keep();
	t->inside = ucspi_inside();
}

bool
stls_is_offered(struct stls *t)
{
	if (!t->asked)
		t->offered = !t->inside && !switch_is("-") && ucspi_possible();
	t->asked = true;
	return t->offered && !t->inside;
}

bool
stls_is_missing(const struct stls *t)
{
	return !t->inside && (switch_is("!") || switch_is("@"));
}

/* From here on nothing counts that came in the clear. */
static bool
encrypt(struct ucspi *u, struct popdialog *d)
{
	struct buf details = { 0 };
	bool good = ucspi_begin(u, &details) == 0;

	buf_free(&details);
	d->in.pos = d->in.end = 0;
	d->out.not_socket = false;
	return good;
}

enum stls_status
stls_command(struct stls *t, struct popdialog *d)
{
	struct ucspi u = UCSPI_EMPTY;

	if (!stls_is_offered(t)) {
		popdialog_err(d, "STLS not available");
		return STLS_REFUSED;
	}
	if (io_peek(&d->in).n > 0 || io_wait_readable(d->in.fd, deadline_now()) == IO_OK) {
		popdialog_err(d, "nothing may follow STLS before its answer");
		return STLS_ENDS;
	}
	if (ucspi_open(&u) == -1) {
		popdialog_err(d, "[SYS/TEMP] STLS not available");
		return STLS_REFUSED;
	}
	io_puts(&d->out, "+OK starting TLS negotiation\r\n");
	if (io_flush(&d->out) == -1) {
		ucspi_close(&u);
		return STLS_ENDS;
	}
	t->inside = true;
	return encrypt(&u, d) ? STLS_DONE : STLS_ENDS;
}
