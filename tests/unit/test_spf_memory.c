/* What SPF says of a sender or HELO name whose A-labels there is no memory for: not what it says of
 * the rest. */
#include "net/idn.h"

#include "spfzone.h"

/* These stand before net/idn.c's: there is no memory for a name with `nomem`, the buffer stays
 * whole, as with libidn2. */
bool
idn_is_foreign(struct span name)
{
	(void)name;
	return false;
}

enum idn_status
idn_add_ascii(struct span name, struct buf *to)
{
	if (span_starts(name, span_str("nomem")))
		return IDN_MEMORY;
	buf_addspan(to, name);
	return IDN_OK;
}

static const struct {
	const char *helo, *sender;
	enum spf_result result;
	bool memory;
	unsigned asked;
} rows[] = {
	{ "h.ex", "u@s.ex", SPF_PASS, false, 1 },
	{ "h.ex", "u@nomem.ex", SPF_TEMPERROR, true, 0 },
	{ "nomem.ex", "u@s.ex", SPF_TEMPERROR, true, 0 },
	{ "h.ex", "nomem.ex", SPF_TEMPERROR, true, 0 },
	{ "nomem.ex", "", SPF_TEMPERROR, true, 0 },
};

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct zone z = { .lines = "s.ex TXT v=spf1 +all\nh.ex TXT v=spf1 +all\n" };
		struct spf_resolver resolver = zone_resolver(&z);
		struct spf_answer answer = { .result = SPF_FAIL };
		struct spf_request request = { .helo = span_str(rows[i].helo),
			.sender = span_str(rows[i].sender), .receiver = span_str("here.ex") };

		if (!ip_parse(span_str("192.0.2.1"), &request.ip))
			abort();
		buf_adds(&answer.text, "of another");
		buf_adds(&answer.explanation, "of another");
		spf_check(&request, &resolver, &answer);
		ok(&t, answer.result == rows[i].result && answer.memory == rows[i].memory,
		    "%s <%s>: %s", rows[i].helo, rows[i].sender, spf_result_word(answer.result));
		is_num(&t, z.asked, rows[i].asked, "questions");
		ok(&t, span_starts(buf_span(&answer.text), span_str(rows[i].memory ?
		    "temperror (out of memory)" : "pass (")), "its text");
		is(&t, buf_span(&answer.explanation), span_str(""), "no explanation");
		spf_answer_free(&answer);
	}
	return done(&t);
}
