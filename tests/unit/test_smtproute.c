/* smtproute: what entries of smtproutes and authsenders mean. */
#include "remote/smtproute.h"

#include "tap.h"

struct row {
	const char *value;		/* of smtproutes for y.test */
	const char *wanted;		/* `fixed`, host, port, user/password, `clear`, `bad` */
};

static const struct row rows[] = {
	{ "", "y.test 25 /" },
	{ "relay", "fixed relay 25 /" },
	{ " \trelay", "fixed relay 25 /" },
	{ "relay:26", "fixed relay 26 /" },
	{ "relay;26", "fixed relay 26 /" },
	{ "relay:x", "fixed relay 0 /" },
	{ "relay;x", "fixed relay;x 25 /" },
	{ "relay;", "fixed relay; 25 /" },
	{ "relay:65535", "fixed relay 65535 /" },
	{ "relay:65536", "fixed relay 0 /" },
	{ "[::1]", "fixed [::1] 25 /" },
	{ "[::1]:26", "fixed [::1] 26 /" },
	{ "[::1];26", "fixed [::1] 26 /" },
	{ "::1;26", "fixed ::1 26 /" },
	{ ":26", "fixed  26 /" },
	/* ---- with bars ---- */
	{ "relay|u|p", "fixed relay 25 u/p" },
	{ "relay:26|u|p", "fixed relay 26 u/p" },
	{ "relay;465|u|p", "fixed relay 465 u/p" },
	{ "[::1]:26|u|p", "fixed [::1] 26 u/p" },
	{ "relay|a:b|c:d|e f", "fixed relay 25 a:b/c:d|e f" },
	{ "relay|u x|p", "fixed relay 25 u x/p" },
	{ "relay|-u|p", "fixed relay 25 u/p clear" },
	{ "relay|--u|p", "fixed relay 25 -u/p clear" },
	{ "relay|u|-p", "fixed relay 25 u/-p" },
	{ "relay|u|", "fixed relay 25 /" },
	{ "relay|u", "fixed relay 25 /" },
	{ "relay||p", "fixed relay 25 /" },
	{ "relay|-|p", "fixed relay 25 / clear" },
	{ "|u|p", "fixed  25 u/p" },
	/* ---- with blanks ---- */
	{ "relay u p", "fixed relay 25 u/p" },
	{ "relay:26 \t u\tp", "fixed relay 26 u/p" },
	{ "relay;26 u p|q", "fixed relay 26 u/p|q" },
	{ "relay -u p", "fixed relay 25 u/p clear" },
	{ "relay u", "fixed relay 25 /" },
	{ "relay u p q", "fixed relay 25 u/p bad" },
};

static void
describe(const struct smtproute *r, struct buf *to)
{
	buf_adds(to, r->fixed ? "fixed " : "");
	buf_addspan(to, r->host);
	buf_addc(to, ' ');
	buf_addnum(to, r->port);
	buf_addc(to, ' ');
	buf_addspan(to, r->user);
	buf_addc(to, '/');
	buf_addspan(to, r->password);
	buf_adds(to, r->clear ? " clear" : "");
	buf_adds(to, r->bad_login ? " bad" : "");
}

static void
check(struct tap *t, const struct set *routes, const struct set *senders, const char *sender,
    const char *wanted, const char *what)
{
	struct smtproute r = smtproute_find(routes, senders, span_str("y.test"), span_str(sender));
	struct buf got = { 0 };

	describe(&r, &got);
	is(t, buf_span(&got), span_str(wanted), what);
	buf_free(&got);
}

static void
test_values(struct tap *t)
{
	struct set none = { .n = 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct set routes = { .n = 0 };

		set_add(&routes, span_str("Y.test"), span_str(rows[i].value));
		ok(t, set_finish(&routes), "set");
		check(t, &routes, &none, "s@x", rows[i].wanted, rows[i].value);
		set_free(&routes);
	}
}

static void
test_limit(struct tap *t)
{
	for (size_t n = SMTPROUTE_LOGIN_MAX - 1; n <= SMTPROUTE_LOGIN_MAX + 1; n++)
		for (int password = 0; password < 2; password++) {
			struct buf value = { 0 };
			struct set routes = { .n = 0 };
			struct smtproute r;

			buf_adds(&value, password ? "relay|u|" : "relay|");
			for (size_t i = 0; i < n; i++)
				buf_addc(&value, 'x');
			buf_adds(&value, password ? "" : "|p");
			set_add(&routes, span_of("", 0), buf_span(&value));
			ok(t, set_finish(&routes), "set");
			r = smtproute_find(&routes, &routes, span_str("h"), span_str("s"));
			ok(t, r.bad_login == (n > SMTPROUTE_LOGIN_MAX), "%s of %zu bytes",
			    password ? "password" : "user", n);
			set_free(&routes);
			buf_free(&value);
		}
}

static void
test_senders(struct tap *t)
{
	static const struct {
		const char *sender, *wanted;
	} senders[] = {
		{ "ann@corp.test", "fixed whole 25 /" },
		{ "Ann@Corp.TEST", "fixed whole 25 /" },
		{ "bob@corp.test", "fixed domain 25 /" },
		{ "bob@a.corp.test", "fixed suffix 25 /" },
		{ "bob@b.a.corp.test", "fixed suffix 25 /" },
		{ "bob@corp.test@corp.test", "fixed domain 25 /" },
		{ "free@corp.test", "fixed route 25 /" },	/* an empty value */
		{ "bob@notcorp.test", "fixed top 25 /" },
		{ "bob@corp.other", "fixed all 25 /" },
		{ "corp.test", "fixed all 25 /" },
		{ "", "fixed all 25 /" },
	};
	static const char *const entries[] = { "ann@corp.test", "whole", "@corp.test", "domain",
		".corp.test", "suffix", ".test", "top", "free@corp.test", "", "", "all" };
	struct set routes = { .n = 0 }, set = { .n = 0 };

	set_add(&routes, span_of("", 0), span_str("route"));
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i += 2)
		set_add(&set, span_str(entries[i]), span_str(entries[i + 1]));
	ok(t, set_finish(&routes) && set_finish(&set), "sets");
	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++)
		check(t, &routes, &set, senders[i].sender, senders[i].wanted, senders[i].sender);
	set_free(&set);
	ok(t, set_finish(&set), "no senders");
	check(t, &routes, &set, "ann@corp.test", "fixed route 25 /", "no entry: smtproutes");
	set_free(&routes);
	ok(t, set_finish(&routes), "no routes");
	check(t, &routes, &set, "ann@corp.test", "y.test 25 /", "neither: MX");
}

int
main(void)
{
	struct tap t = { 0 };

	test_values(&t);
	test_limit(&t);
	test_senders(&t);
	return done(&t);
}
