/* verdict: what is written is read back; whatever else comes is refused. */
#include "tls/verdict.h"

#include <unistd.h>

#include "lib/io.h"
#include "lib/sys.h"
#include "tap.h"

static const struct {
	const char *name, *text;
	enum verdict_status status;
} rows[] = {
	{ "the least", "result=ok\n\n", VERDICT_READ },
	{ "all results known", "result=nocn\n\n", VERDICT_READ },
	{ "the last of them", "result=local\n\n", VERDICT_READ },
	{ "unknown names are skipped", "future=1\nresult=tls\n\n", VERDICT_READ },
	{ "value with =", "result=tls\nreason=a=b\n\n", VERDICT_READ },
	{ "empty value", "result=tls\nreason=\n\n", VERDICT_READ },
	{ "nothing", "", VERDICT_BAD },
	{ "only the end", "\n", VERDICT_BAD },
	{ "no result", "cipher=x\n\n", VERDICT_BAD },
	{ "no empty line", "result=ok\n", VERDICT_BAD },
	{ "cut line", "result=ok\ncipher=x", VERDICT_BAD },
	{ "more after the end", "result=ok\n\nx", VERDICT_BAD },
	{ "unknown result", "result=fine\n\n", VERDICT_BAD },
	{ "line without =", "result=ok\nhello\n\n", VERDICT_BAD },
	{ "CR", "result=ok\r\n\n", VERDICT_BAD },
	{ "control", "result=ok\nreason=a\001b\n\n", VERDICT_BAD },
	{ "above ASCII", "result=ok\nreason=\303\244\n\n", VERDICT_BAD },
	{ "verified is yes or no", "result=ok\nverified=maybe\n\n", VERDICT_BAD },
	{ "bits is a number", "result=ok\nbits=many\n\n", VERDICT_BAD },
	{ "bits too large", "result=ok\nbits=4294967296\n\n", VERDICT_BAD },
	{ "largest bits", "result=ok\nbits=4294967295\n\n", VERDICT_READ },
};

static void
test_rows(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct verdict v = { 0 };

		ok(t, verdict_parse(span_str(rows[i].text), &v) == rows[i].status, "%s",
		    rows[i].name);
		verdict_free(&v);
	}
}

static void
test_value_limit(struct tap *t)
{
	for (size_t n = VERDICT_VALUE_MAX - 1; n <= VERDICT_VALUE_MAX + 1; n++) {
		struct verdict v = { 0 };
		struct buf text = { 0 };

		buf_adds(&text, "result=tls\nreason=");
		for (size_t i = 0; i < n; i++)
			buf_addc(&text, 'r');
		buf_adds(&text, "\n\n");
		ok(t, verdict_parse(buf_span(&text), &v) ==
		    (n <= VERDICT_VALUE_MAX ? VERDICT_READ : VERDICT_BAD), "value of %zu", n);
		verdict_free(&v);
		buf_free(&text);
	}
}

/* Total length at the limit, with lines nobody knows. */
static void
test_total_limit(struct tap *t)
{
	for (size_t n = VERDICT_MAX - 1; n <= VERDICT_MAX + 1; n++) {
		struct verdict v = { 0 };
		struct buf text = { 0 };

		buf_adds(&text, "result=ok\n");
		while (text.n + 10 < n)
			buf_adds(&text, "x=\n");
		buf_adds(&text, "x=");
		while (text.n < n - 2)
			buf_addc(&text, 'y');
		buf_adds(&text, "\n\n");
		ok(t, text.n == n && verdict_parse(buf_span(&text), &v) ==
		    (n <= VERDICT_MAX ? VERDICT_READ : VERDICT_BAD), "%zu bytes", n);
		verdict_free(&v);
		buf_free(&text);
	}
}

static void
fill(struct verdict *v)
{
	v->result = VERDICT_NAME;
	v->verified = true;
	v->bits = 256;
	v->chain = 3;
	buf_adds(&v->reason, "evil\nresult=ok");
	buf_adds(&v->protocol, "TLSv1.3");
	buf_adds(&v->cipher, "TLS_AES_256_GCM_SHA384");
	for (size_t i = 0; i < 2 * VERDICT_VALUE_MAX; i++)
		buf_addc(&v->cn, 'c');
	buf_adds(&v->cert_sha256, "00ff");
	buf_adds(&v->key_sha256, "ff00");
}

static void
test_round_trip(struct tap *t)
{
	struct verdict v = { 0 }, read = { 0 };
	struct buf text = { 0 };
	int fds[2];

	fill(&v);
	ok(t, verdict_format(&v, &text) == 0 && text.n <= VERDICT_MAX, "written");
	if (sys_pipe(fds) == -1 || io_write_all(fds[1], text.p, text.n) == -1)
		return;
	(void)close(fds[1]);
	ok(t, verdict_read(fds[0], deadline_after(10000), &read) == VERDICT_READ, "read");
	(void)close(fds[0]);
	ok(t, read.result == VERDICT_NAME && read.verified && read.bits == 256 && read.chain == 3 &&
	    strcmp(buf_str(&read.reason), "evil?result=ok") == 0 &&
	    strcmp(buf_str(&read.protocol), "TLSv1.3") == 0 &&
	    strcmp(buf_str(&read.cipher), "TLS_AES_256_GCM_SHA384") == 0 &&
	    strcmp(buf_str(&read.cert_sha256), "00ff") == 0 &&
	    strcmp(buf_str(&read.key_sha256), "ff00") == 0, "everything is there");
	ok(t, read.cn.n == VERDICT_VALUE_MAX, "a long value is cut");
	verdict_free(&v);
	verdict_free(&read);
	buf_free(&text);
}

static void
test_no_verdict(struct tap *t)
{
	struct verdict v = { 0 };
	int fds[2];

	if (sys_pipe(fds) == -1)
		return;
	ok(t, io_write_all(fds[1], "result=ok\n", 10) == 0 &&
	    verdict_read(fds[0], deadline_after(20), &v) == VERDICT_NONE, "timeout");
	(void)close(fds[1]);
	ok(t, verdict_read(fds[0], deadline_after(10000), &v) == VERDICT_NONE, "end of file");
	(void)close(fds[0]);
	verdict_free(&v);
}

int
main(void)
{
	struct tap t = { 0 };

	test_rows(&t);
	test_value_limit(&t);
	test_total_limit(&t);
	test_round_trip(&t);
	test_no_verdict(&t);
	return done(&t);
}
