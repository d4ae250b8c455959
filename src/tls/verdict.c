/* verdict - what `qmail-tls -c` has found out about a server, as lines of text. */
#include "tls/verdict.h"

#include "lib/io.h"
#include "lib/log.h"
#include "lib/num.h"

static const char *const results[VERDICT_RESULTS] = { "ok", "tls", "cafile", "chain", "name",
	"nocert", "nocn", "local" };

/* Where the value of a line goes, for those that are text. */
static struct buf *
text_of(struct verdict *v, struct span name)
{
	const struct {
		const char *name;
		struct buf *value;
	} texts[] = {
		{ "reason", &v->reason }, { "protocol", &v->protocol }, { "cipher", &v->cipher },
		{ "cn", &v->cn }, { "certsha256", &v->cert_sha256 },
		{ "keysha256", &v->key_sha256 },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (span_eq(name, span_str(texts[i].name)))
			return texts[i].value;
	return NULL;
}

void
verdict_free(struct verdict *v)
{
	buf_free(&v->reason);
	buf_free(&v->protocol);
	buf_free(&v->cipher);
	buf_free(&v->cn);
	buf_free(&v->cert_sha256);
	buf_free(&v->key_sha256);
	*v = (struct verdict){ 0 };
}

static void
put_text(struct buf *text, const char *name, const struct buf *value)
{
	if (!value->n)
		return;
	buf_adds(text, name);
	buf_addc(text, '=');
	log_add_visible(text, span_head(buf_span(value), VERDICT_VALUE_MAX), true, '?');
	buf_addc(text, '\n');
}

static void
put_number(struct buf *text, const char *name, uint64_t value)
{
	buf_adds(text, name);
	buf_addc(text, '=');
	buf_addnum(text, value);
	buf_addc(text, '\n');
}

int
verdict_format(const struct verdict *v, struct buf *text)
{
	buf_adds(text, "result=");
	buf_adds(text, results[v->result]);
	buf_addc(text, '\n');
	put_text(text, "reason", &v->reason);
	put_text(text, "protocol", &v->protocol);
	put_text(text, "cipher", &v->cipher);
	put_number(text, "bits", v->bits);
	buf_adds(text, v->verified ? "verified=yes\n" : "verified=no\n");
	put_text(text, "cn", &v->cn);
	put_text(text, "certsha256", &v->cert_sha256);
	put_text(text, "keysha256", &v->key_sha256);
	put_number(text, "chain", v->chain);
	buf_addc(text, '\n');
	return buf_ok(text) ? 0 : -1;
}

static bool
is_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 32 || s.p[i] > 126)
			return false;
	return true;
}

static bool
take_result(struct verdict *v, struct span value)
{
	for (size_t i = 0; i < VERDICT_RESULTS; i++)
		if (span_eq(value, span_str(results[i]))) {
			v->result = (enum verdict_result)i;
			return true;
		}
	return false;
}

static bool
take_line(struct verdict *v, struct span line, bool *has_result)
{
	size_t eq = span_chr(line, '=');
	struct span name = span_head(line, eq), value = span_tail(line, eq + 1);
	struct buf *text;

	if (eq == line.n || value.n > VERDICT_VALUE_MAX || !is_text(line))
		return false;
	if (span_eq(name, span_str("result")))
		return *has_result = take_result(v, value);
	if (span_eq(name, span_str("verified"))) {
		v->verified = span_eq(value, span_str("yes"));
		return v->verified || span_eq(value, span_str("no"));
	}
	if (span_eq(name, span_str("bits")))
		return num_parse_u64(value.p, value.n, UINT32_MAX, &v->bits) == NUM_OK;
	if (span_eq(name, span_str("chain")))
		return num_parse_u64(value.p, value.n, UINT32_MAX, &v->chain) == NUM_OK;
	if ((text = text_of(v, name))) {
		buf_reset(text);
		buf_addspan(text, value);
		return buf_ok(text);
	}
	return true;
}

enum verdict_status
verdict_parse(struct span text, struct verdict *v)
{
	bool has_result = false;

	if (text.n > VERDICT_MAX)
		return VERDICT_BAD;
	while (text.n) {
		size_t end = span_chr(text, '\n');

		if (end == text.n)
			return VERDICT_BAD;
		if (end == 0)
			return has_result && text.n == 1 ? VERDICT_READ : VERDICT_BAD;
		if (!take_line(v, span_head(text, end), &has_result))
			return VERDICT_BAD;
		text = span_tail(text, end + 1);
	}
	return VERDICT_BAD;
}

static bool
is_complete(const struct buf *text)
{
	return text->n >= 2 && text->p[text->n - 1] == '\n' && text->p[text->n - 2] == '\n';
}

enum verdict_status
verdict_read(int fd, int64_t deadline, struct verdict *v)
{
	struct buf text = BUF_CAP(VERDICT_MAX + 1);
	enum verdict_status status = VERDICT_NONE;
	struct io_in in;
	char room[1024];
	char c;

	io_in_init(&in, fd, room, sizeof room);
	in.deadline = deadline;
	while (buf_ok(&text) && !is_complete(&text) && io_getc(&in, &c) == IO_OK)
		buf_addc(&text, c);
	if (!buf_ok(&text))
		status = VERDICT_BAD;
	else if (is_complete(&text))
		status = verdict_parse(buf_span(&text), v);
	buf_free(&text);
	return status;
}
