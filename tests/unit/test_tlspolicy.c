/* tlspolicy: whom a login is sent to without a certificate that is verified. */
#include "remote/tlspolicy.h"

#include "scratch.h"
#include "tap.h"

static const struct {
	const char *ip, *user;
	bool clear, guarded;
} rows[] = {
	{ "192.0.2.1", "u", false, true },
	{ "192.0.2.1", "u", true, false },
	{ "192.0.2.1", "", false, false },
	{ "127.0.0.1", "u", false, false },
	{ "127.255.0.9", "u", false, false },
	{ "128.0.0.1", "u", false, true },
	{ "::1", "u", false, false },
	{ "::2", "u", false, true },
	{ "::ffff:127.0.0.1", "u", false, false },
	{ "::ffff:192.0.2.1", "u", false, true },
	{ "2001:db8::1", "u", false, true },
};

int
main(void)
{
	struct settings settings = { .connect_ms = 1000 };
	struct tlspolicy policy = { .terms = { .need = STARTTLS_NEVER } };
	struct scratch s;
	struct tap t = { 0 };

	scratch_enter(&s);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct smtproute route = { .port = SMTP_PORT,
			.user = span_str(rows[i].user), .clear = rows[i].clear };
		struct ip ip;

		ok(&t, ip_parse(span_str(rows[i].ip), &ip) &&
		    tlspolicy_find(&policy, &settings, span_str("mx.example"), &ip, &route),
		    "%s, user `%s', %s", rows[i].ip, rows[i].user,
		    rows[i].clear ? "clear" : "by TLS");
		ok(&t, (policy.terms.need == STARTTLS_MUST) == rows[i].guarded &&
		    (policy.terms.authorities != NULL) == rows[i].guarded, "  guarded or not");
	}
	tlspolicy_free(&policy);
	scratch_leave(&s);
	return done(&t);
}
