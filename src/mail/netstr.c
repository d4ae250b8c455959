/* netstr - netstrings, as QMTP and QMQP use them. */
#include "mail/netstr.h"

#include "lib/ascii.h"
#include "lib/num.h"

enum netstr_status
netstr_head(struct netstr_head *h, char c)
{
	uint64_t digit = (uint64_t)(unsigned char)c - '0';

	if (c == ':')
		return h->bytes ? NETSTR_COMPLETE : NETSTR_BAD;
	if (!ascii_isdigit(c) || ++h->bytes >= NETSTR_HEAD_MAX ||
	    h->length > (NETSTR_MAX - digit) / 10)
		return NETSTR_BAD;
	h->length = h->length * 10 + digit;
	return NETSTR_MORE;
}

void
netstr_put_head(struct io_out *out, uint64_t length)
{
	io_putnum(out, length);
	io_putc(out, ':');
}

void
netstr_put(struct io_out *out, struct span text)
{
	netstr_put_head(out, text.n);
	io_putspan(out, text);
	io_putc(out, ',');
}

uint64_t
netstr_size(uint64_t n)
{
	char digits[NUM_U64_SIZE];

	return num_format(digits, n) + 1 + n + 1;
}
