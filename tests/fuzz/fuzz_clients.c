/* fuzz_clients - what is read about clients and recipients: PROXY headers, rules of tcpserver,
 * lines of dnsbllist, questions of qmail-smtpd, vpopmail's quotas.  Nothing is read beyond its end;
 * a header is read to its end and no further; a question that is understood is written the same. */
#include <stdlib.h>

#include "fuzz.h"
#include "mail/addr5321.h"
#include "mail/rcptask.h"
#include "mail/tcprules.h"
#include "smtp/dnsbl.h"
#include "smtp/greylist.h"
#include "smtp/rcptcheck.h"
#include "smtp/s25r.h"
#include "tools/proxyhead.h"
#include "users/vpasswd.h"

const char *const fuzz_words[] = { "PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "192.0.2.1 ",
	"2001:db8::1 ", "25 ", "65535", "65536", "\r\n", "\r\n\r\n", "QUIT\n", "\x21", "\x11",
	"\x0c",
	"+A=1", "D", "=", "-", ":", "%IP%", "bl.test", "127.0.0.2 ", "A90 ", "D0 ", "a@b.example",
	"@", "100S", ",20C", "\n", "-5 1\n", "9223372036854775807", "..", "/", "dsl-1-2.", "1",
	NULL };

static void
read_header(struct span text)
{
	struct proxyhead p;
	size_t n = 0;
	int wants;

	while ((wants = proxyhead_wants(span_head(text, n))) > 0 && n + (size_t)wants <= text.n)
		n += (size_t)wants;
	if (wants == 0 && n > PROXYHEAD_MAX)
		abort();
	if (proxyhead_parse(span_head(text, n), &p) && wants != 0)
		abort();
	(void)!proxyhead_parse(text, &p);
}

static void
read_rules(struct span text)
{
	struct span one;
	size_t pos = 0;

	while (tcprules_next(text, &pos, &one))
		if (span_chr(one, '=') == one.n || span_chr(one, '\0') < one.n)
			abort();
	(void)tcprules_denies(text);
}

static void
read_question(struct span text)
{
	struct buf again = { 0 };
	struct rcptask q, back;

	if (rcptask_get(text, &q) == -1)
		return;
	rcptask_put(&again, &q);
	if (again.n > RCPTASK_QUESTION_MAX || rcptask_get(buf_span(&again), &back) == -1 ||
	    back.mode != q.mode || back.percent != q.percent || !span_eq(back.address, q.address))
		abort();
	buf_free(&again);
}

static void
read_path(struct span text)
{
	size_t half = text.n / 2;
	struct buf path = { 0 };

	if (greylist_spamdyke_path(span_head(text, half), span_tail(text, half), &path)) {
		struct span rest = buf_span(&path);

		for (int parts = 1; rest.n; parts++) {
			size_t slash = span_chr(rest, '/');

			if (rest.p[0] == '.' || slash == 0 || parts > 4)
				abort();
			rest = span_tail(rest, slash + 1);
		}
	}
	buf_free(&path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p, n }, quota = span_head(text, span_chr(text, '\n'));
	struct dnsbl_line line;

	read_header(text);
	read_rules(text);
	read_question(text);
	read_path(text);
	if (dnsbl_parse_line(text, &line) && !line.zone.n)
		abort();
	(void)dnsbl_is_listed(text);
	(void)vpasswd_is_full(vpasswd_quota(quota), span_tail(text, quota.n + 1), 90);
	(void)rcptcheck_is_address(text);
	(void)greylist_times(text);
	if (n < 300 && s25r_rule(text) == -1)
		abort();
	return 0;
}
