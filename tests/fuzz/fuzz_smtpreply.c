/* Replies of an SMTP server: what is read does not depend on where the network cuts them; a reply
 * has a code and keeps the limits, and nothing in it can disturb a log or a terminal. */
#include "remote/smtpreply.h"

#include <stdlib.h>

#include "fuzz.h"
#include "lib/ascii.h"

const char *const fuzz_words[] = {
	"250", "250-", "250 ", "220 mx\r\n", "250-mx\r\n", "250 ok\r\n", "354 go\n", "421",
	"599 x\n", "650 x\n", "199-x\n", "25", "-", " ", "\r", "\n", "\r\n", "SIZE ",
	"SIZE 99\r\n", "PIPELINING\r\n", "8BITMIME\n", "18446744073709551616", "\x1b[0m", "\x7f",
	"\xff", "text", NULL
};

struct result {
	enum smtpreply_status status;
	struct smtpreply reply;
	size_t left;
};

static void
read_one(struct span in, size_t piece, struct result *r)
{
	while (in.n && r->status == SMTPREPLY_MORE) {
		struct span part = span_head(in, piece);
		size_t before = part.n;

		r->status = smtpreply_feed(&r->reply, &part);
		in = span_tail(in, before - part.n);
	}
	r->left = in.n;
}

static void
check_reply(const struct smtpreply *r)
{
	struct span said = smtpreply_said(r);

	if (r->code < 200 || r->code > 599 || !r->lines || r->lines > SMTPREPLY_LINES_MAX ||
	    r->total > SMTPREPLY_MAX || said.n > SMTPREPLY_SAID_MAX)
		abort();
	for (size_t i = 0; i < said.n; i++)
		if (ascii_iscntrl(said.p[i]) && said.p[i] != '\t' && said.p[i] != '\n')
			abort();
	if (!smtpreply_offers(r).size && smtpreply_offers(r).size_limit)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of((const char *)p, n);
	struct result whole = { .status = SMTPREPLY_MORE };

	read_one(in, in.n, &whole);
	if (whole.status == SMTPREPLY_DONE)
		check_reply(&whole.reply);
	for (size_t piece = 1; piece < 6; piece++) {
		struct result cut = { .status = SMTPREPLY_MORE };

		read_one(in, piece, &cut);
		if (cut.status != whole.status || cut.reply.code != whole.reply.code ||
		    !span_eq(buf_span(&cut.reply.text), buf_span(&whole.reply.text)) ||
		    (cut.status == SMTPREPLY_DONE && cut.left != whole.left))
			abort();
		smtpreply_free(&cut.reply);
	}
	smtpreply_free(&whole.reply);
	return 0;
}
