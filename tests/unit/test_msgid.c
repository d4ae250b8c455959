/* msgid: Message-IDs. */
#include "mail/msgid.h"

#include "tap.h"

static const struct {
	const char *host;
	bool good;
} hosts[] = {
	{ "a.example", true }, { "", true }, { "[10.0.0.1]", true },
	{ "a b", false }, { "a\tb", false }, { "a\nb", false }, { "a\r", false },
	{ "a>", false }, { "<a", false }, { "a\x1b[0m", false }, { "a\x7f", false },
};

int
main(void)
{
	struct tap t = { 0 };
	struct buf a = { 0 }, b = { 0 };

	msgid_add(&a, 812090814, 4711, span_str("a.example"));
	msgid_add(&b, 812090814, 4711, span_str("a.example"));
	is(&t, span_head(buf_span(&a), 21), span_str("<19950926044654.4711."), "time and process");
	is(&t, span_tail(buf_span(&a), 37), span_str(".qmail@a.example>"), "host");
	is_num(&t, (long long)strspn(a.p + 21, "0123456789abcdef"), 16, "64 random bits");
	ok(&t, !span_eq(buf_span(&a), buf_span(&b)), "never the same twice");
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		ok(&t, msgid_is_host(span_str(hosts[i].host)) == hosts[i].good, "host %zu", i);
	ok(&t, !msgid_is_host(span_of("a\0b", 3)), "NUL");
	buf_free(&a);
	buf_free(&b);
	return done(&t);
}
