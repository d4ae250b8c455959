/* The argument of MAIL and RCPT: an address that is accepted is short and clean, and is read the
 * same when it is written again; parameters that are accepted are words. */
#include <stdlib.h>

#include "fuzz.h"
#include "lib/ascii.h"
#include "mail/addr5321.h"
#include "smtp/params.h"

const char *const fuzz_words[] = {
	"<", ">", "@", ":", ",", "\\", "\"", " ", "\t", ".", "a", "b c", "<a@b>", "<>", "@r,@s:",
	"@r:",
	"\"a b\"", "\\\"", "[127.0.0.1]", "[IPv6:::1]", " SIZE=", "12345", "99999999999999999999",
	" BODY=8BITMIME", " BODY=", "=", "\x7f", "\x01", "\r", "\xc3\xa9",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	NULL
};

static void
check_clean(struct span address)
{
	if (address.n > ADDR5321_MAX)
		abort();
	for (size_t i = 0; i < address.n; i++)
		if (ascii_iscntrl(address.p[i]))
			abort();
}

/* Domains are written as they are, so these say something else then. */
static bool
is_plain(struct span address)
{
	struct span domain = addr5321_domain(address);

	return address.n > 0 && address.p[0] != '@' && span_chr(domain, '>') == domain.n &&
	    span_chr(domain, '"') == domain.n && span_chr(domain, '\\') == domain.n;
}

static void
check_written(struct span address)
{
	struct buf written = { 0 }, read = { 0 };
	struct span rest;

	buf_addc(&written, '<');
	addr5321_quote(&written, address);
	buf_addc(&written, '>');
	if (addr5321_parse(buf_span(&written), &read, &rest) != ADDR_OK ||
	    !span_eq(address, buf_span(&read)) || rest.n != 0)
		abort();
	buf_free(&written);
	buf_free(&read);
}

static void
check_params(struct span text)
{
	struct mail_params p;

	if (params_mail(text, &p) != PARAMS_OK)
		return;
	if (text.n && text.p[0] != ' ')
		abort();
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ' ' && !ascii_isgraph(text.p[i]))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of((const char *)p, n), rest;
	struct buf address = { 0 };
	enum addr_status status = addr5321_parse(in, &address, &rest);

	if (rest.n > in.n || (rest.n && rest.p + rest.n != in.p + in.n))
		abort();
	if (status == ADDR_OK) {
		check_clean(buf_span(&address));
		if (is_plain(buf_span(&address)))
			check_written(buf_span(&address));
	}
	check_params(rest);
	check_params(in);
	if (params_rcpt(in) == PARAMS_OK &&
	    params_mail(in, &(struct mail_params){ 0 }) != PARAMS_OK)
		abort();
	buf_free(&address);
	return 0;
}
