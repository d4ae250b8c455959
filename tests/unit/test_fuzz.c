/* fuzz: random input for the parsers that meet strangers first, always the same random input.
 * What must hold for every input is checked; a sanitizer sees the rest. */
#include <stdlib.h>

#include "lib/ascii.h"
#include "mail/addr5321.h"
#include "mail/dotcrlf.h"
#include "smtp/params.h"
#include "tap.h"

#define ROUNDS 60000
#define LONGEST ((size_t)1200)

struct random {
	uint64_t state;
};

/* xorshift64 */
static uint64_t
draw(struct random *r, uint64_t below)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state % below;
}

/* Bytes from an alphabet (or any bytes), in memory of exactly their length. */
static struct span
make_input(struct random *r, const char *alphabet)
{
	size_t n = (size_t)draw(r, draw(r, 20) ? 24 : LONGEST);
	char *p = malloc(n ? n : 1);

	for (size_t i = 0; i < n; i++)
		p[i] = draw(r, 10) ? alphabet[draw(r, strlen(alphabet))] : (char)draw(r, 256);
	return span_of(p, n);
}

static void
free_input(struct span s)
{
	free((void *)(uintptr_t)s.p);
}

static bool
holds_path(struct random *r)
{
	struct span in = make_input(r, "<>@:,\\\" ab.[]x"), rest;
	struct buf addr = { 0 }, quoted = { 0 }, back = { 0 };
	enum addr_status status = addr5321_parse(in, &addr, &rest);
	bool holds = rest.n <= in.n && (rest.n == 0 || rest.p + rest.n == in.p + in.n);

	for (size_t i = 0; status == ADDR_OK && i < addr.n; i++)
		holds = holds && !ascii_iscntrl(addr.p[i]);
	if (status == ADDR_OK)
		holds = holds && addr.n <= ADDR5321_MAX;
	/* What we write, we read the same; `@` in front would be taken for a route. */
	if (status == ADDR_OK && addr.n && span_chr(buf_span(&addr), '@') > 0 && addr.n < 400 &&
	    span_chr(addr5321_domain(buf_span(&addr)), '>') == addr5321_domain(buf_span(&addr)).n &&
	    span_chr(addr5321_domain(buf_span(&addr)), '"') == addr5321_domain(buf_span(&addr)).n &&
	    span_chr(addr5321_domain(buf_span(&addr)), '\\') == addr5321_domain(buf_span(&addr)).n) {
		buf_addc(&quoted, '<');
		addr5321_quote(&quoted, buf_span(&addr));
		buf_addc(&quoted, '>');
		holds = holds && addr5321_parse(buf_span(&quoted), &back, &rest) == ADDR_OK &&
		    span_eq(buf_span(&addr), buf_span(&back)) && rest.n == 0;
	}
	buf_free(&addr);
	buf_free(&quoted);
	buf_free(&back);
	free_input(in);
	return holds;
}

/* Cut at random, the decoder must do as with the whole. */
static bool
holds_decoder(struct random *r)
{
	struct span in = make_input(r, "\r\n\r\n.x"), rest = in;
	struct dotcrlf_decoder whole = { 0 }, cut = { 0 };
	char *once = malloc(in.n + DOTCRLF_DECODE_EXTRA), *parts = malloc(in.n + 8);
	enum dotcrlf_status want, got = DOTCRLF_MORE;
	size_t once_n, parts_n = 0, left;

	want = dotcrlf_decode(&whole, &rest, once, &once_n);
	left = rest.n;
	rest = in;
	while (rest.n && got == DOTCRLF_MORE) {
		size_t size = (size_t)draw(r, 4) + 1, n;
		struct span piece = span_head(rest, size);
		char out[8];

		size = piece.n;
		got = dotcrlf_decode(&cut, &piece, out, &n);
		memcpy(parts + parts_n, out, n);
		parts_n += n;
		rest = span_tail(rest, size - piece.n);
	}
	want = want == got && left == rest.n && whole.state == cut.state &&
	    span_eq(span_of(once, once_n), span_of(parts, parts_n));
	free(once);
	free(parts);
	free_input(in);
	return want;
}

/* LF text goes through both directions unharmed; whatever else is stored stays one text. */
static bool
holds_encoder(struct random *r)
{
	struct span in = make_input(r, "\n\n..xy\r");
	struct dotcrlf_encoder e = { .keep_cr = draw(r, 2) };
	struct dotcrlf_decoder d = { 0 };
	char wire[3 * LONGEST + 8], back[3 * LONGEST + 16];
	struct io_out out;
	struct span rest;
	bool holds;
	size_t n;

	io_out_init(&out, -1, wire, sizeof wire);
	for (rest = in; rest.n;) {
		size_t size = span_head(rest, (size_t)draw(r, 30) + 1).n;

		dotcrlf_encode(&e, &out, rest.p, size);
		rest = span_tail(rest, size);
	}
	dotcrlf_encode_end(&e, &out);
	io_puts(&out, ".\r\n");
	rest = span_of(wire, out.n);
	holds = dotcrlf_decode(&d, &rest, back, &n) == DOTCRLF_END && rest.n == 0;
	if (span_chr(in, '\r') == in.n)
		holds = holds && span_eq(span_head(span_of(back, n), in.n), in) &&
		    n == in.n + (in.n && in.p[in.n - 1] != '\n');
	free_input(in);
	return holds;
}

static bool
holds_params(struct random *r)
{
	struct span in = make_input(r, " SIZEsizeBODY=18MT");
	struct mail_params p = { .size = 0 };
	bool good = params_mail(in, &p) == PARAMS_OK;
	bool holds = !good || in.n == 0 || in.p[0] == ' ';

	for (size_t i = 0; good && i < in.n; i++)
		holds = holds && (in.p[i] == ' ' || ascii_isgraph(in.p[i]));
	if (params_rcpt(in) == PARAMS_OK)
		holds = holds && good;
	free_input(in);
	return holds;
}

static const struct {
	const char *name;
	bool (*holds)(struct random *r);
} targets[] = {
	{ "addr5321: bounded, clean, and written as it is read", holds_path },
	{ "dotcrlf: decoding does not depend on where it is cut", holds_decoder },
	{ "dotcrlf: what is encoded is one text", holds_encoder },
	{ "params: only clean words pass", holds_params },
};

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct random r = { .state = UINT64_C(88172645463325252) };
		uint64_t before = 0;
		int bad = 0;

		for (int round = 0; round < ROUNDS; round++) {
			uint64_t state = r.state;

			if (!targets[i].holds(&r) && bad++ == 0)
				before = state;
		}
		if (!ok(&t, bad == 0, "%s", targets[i].name))
			printf("# %d of %d; first at state %llu\n", bad, ROUNDS,
			    (unsigned long long)before);
	}
	return done(&t);
}
