/* SPF: whole checks by spf.cases, where the form of a case is told. */
#include <fcntl.h>
#include <unistd.h>

#include "lib/io.h"
#include "spf/check.h"

#include "spfzone.h"

#define CASES "tests/unit/spf.cases"
#define FIELDS 6	/* of a case; the last, the explanation, may be missing */

static unsigned
hex_digit(char c)
{
	return (unsigned)(ascii_isdigit(c) ? c - '0' : c - 'a' + 10);
}

/* The file with its \xNN as bytes. */
static void
load(struct buf *to)
{
	struct buf raw = { 0 };
	int fd = open(CASES, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || io_read_all(fd, &raw) != IO_OK)
		abort();
	(void)close(fd);
	for (size_t i = 0; i < raw.n; i++) {
		const char *p = raw.p + i;
		bool escape = raw.n - i >= 4 && p[0] == '\\' && p[1] == 'x';

		buf_addc(to, escape ? (char)(hex_digit(p[2]) << 4 | hex_digit(p[3])) : *p);
		i += escape ? 3 : 0;
	}
	if (!buf_ok(to))
		abort();
	buf_free(&raw);
}

/* Fields with ` | ` between them; how many there are. */
static size_t
split(struct span line, struct span fields[FIELDS])
{
	size_t n = 0;

	for (bool more = true; more && n < FIELDS; n++) {
		size_t bar = span_chr(line, '|');

		more = bar < line.n;
		fields[n] = span_head(line, more ? bar - 1 : bar);
		line = span_tail(line, bar + 2);
	}
	return n;
}

static void
check(struct tap *t, const char *zone, struct span line)
{
	struct span f[FIELDS];
	size_t n = split(line, f);
	struct zone z = { .lines = zone };
	struct spf_resolver resolver = zone_resolver(&z);
	struct spf_answer answer = { 0 };
	struct spf_request request = { .receiver = span_str("here.ex"), .now = 1700000000 };
	struct span got;

	if (n < FIELDS - 1 || !ip_parse(f[2], &request.ip))
		abort();
	request.helo = f[1];
	request.sender = f[3];
	spf_check(&request, &resolver, &answer);
	got = span_str(spf_result_word(answer.result));
	if (!ok(t, span_eq(got, f[4]), "%.*s: %.*s", (int)f[0].n, f[0].p, (int)f[4].n, f[4].p))
		printf("# got %s: %s\n", got.p, buf_str(&answer.text));
	if (n == FIELDS)
		is(t, buf_span(&answer.explanation), f[5], "its explanation");
	spf_answer_free(&answer);
}

/* Lines of names up to the next section are its DNS. */
static void
add_names(struct span text, struct buf *zone)
{
	buf_reset(zone);
	while (text.n && text.p[0] != '#') {
		struct span line = span_head(text, span_chr(text, '\n'));

		text = span_tail(text, line.n + 1);
		if (line.n && line.p[0] != '?') {
			buf_addspan(zone, line);
			buf_addc(zone, '\n');
		}
	}
}

int
main(void)
{
	struct tap t = { 0 };
	struct buf text = { 0 }, zone = { 0 };
	struct span rest;

	load(&text);
	for (rest = buf_span(&text); rest.n;) {
		struct span line = span_head(rest, span_chr(rest, '\n'));

		rest = span_tail(rest, line.n + 1);
		if (line.n && line.p[0] == '#') {
			printf("%.*s\n", (int)line.n, line.p);
			add_names(rest, &zone);
		} else if (line.n > 2 && line.p[0] == '?') {
			check(&t, buf_str(&zone), span_tail(line, 2));
		}
	}
	buf_free(&zone);
	buf_free(&text);
	return done(&t);
}
