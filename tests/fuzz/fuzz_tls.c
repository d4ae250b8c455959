/* fuzz_tls - what comes from the process that has parsed strangers' certificates: a verdict that is
 * taken is of visible text within its limits and reads the same when it is written again; details
 * become lines of visible text whose names begin with SSL. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "tls/ucspi.h"
#include "tls/verdict.h"

const char *const fuzz_words[] = { "result=ok\n", "result=name\n", "reason=", "cn=mx.example\n",
	"protocol=TLSv1.3\n", "cipher=x\n", "verified=yes\n", "bits=256\n", "chain=3\n", "\n", "=",
	"certsha256=00\n", "SSL_CIPHER=x", "SSL", "SSL_CLIENT_EMAIL_0=", "RELAYCLIENT=", "x",
	NULL };

static void
expect_visible(struct span s, size_t max)
{
	if (s.n > max)
		abort();
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 32 || s.p[i] > 126)
			abort();
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return span_eq(buf_span(a), buf_span(b));
}

static void
verdict_promises(struct span text)
{
	struct verdict v = { 0 }, again = { 0 };
	struct buf written = { 0 };

	if (verdict_parse(text, &v) == VERDICT_READ) {
		expect_visible(buf_span(&v.reason), VERDICT_VALUE_MAX);
		expect_visible(buf_span(&v.cn), VERDICT_VALUE_MAX);
		expect_visible(buf_span(&v.cipher), VERDICT_VALUE_MAX);
		if (verdict_format(&v, &written) == -1 || written.n > VERDICT_MAX ||
		    verdict_parse(buf_span(&written), &again) != VERDICT_READ)
			abort();
		if (again.result != v.result || again.verified != v.verified ||
		    again.bits != v.bits || again.chain != v.chain || !same(&again.cn, &v.cn) ||
		    !same(&again.reason, &v.reason) || !same(&again.cipher, &v.cipher))
			abort();
	}
	verdict_free(&v);
	verdict_free(&again);
	buf_free(&written);
}

static void
details_promises(struct span raw)
{
	struct buf details = { 0 };
	struct span rest;

	ucspi_clean(raw, &details);
	rest = buf_span(&details);
	if (!buf_ok(&details) || (rest.n && rest.p[rest.n - 1] != '\0'))
		abort();
	while (rest.n) {
		struct span line = span_head(rest, span_chr(rest, '\0'));

		expect_visible(line, raw.n);
		if (!span_starts(line, span_str("SSL")) || span_chr(line, '=') == line.n)
			abort();
		rest = span_tail(rest, line.n + 1);
	}
	buf_free(&details);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p, n };

	verdict_promises(text);
	details_promises(text);
	return 0;
}
