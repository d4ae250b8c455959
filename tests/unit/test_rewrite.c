/* rewrite: control files, the variables over them, completing raw addresses. */
#include "inject/rewrite.h"

#include "inject/recips.h"
#include "scratch.h"
#include "tap.h"

static const char *const variables[] = { "QMAILDEFAULTDOMAIN", "QMAILDEFAULTHOST",
	"QMAILPLUSDOMAIN", "QMAILIDHOST", "QMAILLOCALTIME" };
static const char *const files[] = { "control/me", "control/defaultdomain", "control/defaulthost",
	"control/plusdomain", "control/idhost", "control/localtime", "control/injectmaxrcpt" };

struct setting {
	const char *name, *value;
};

/* What the settings make of `a`, `a@b`, `a@b+`, and the rest. */
static const struct row {
	const char *about;
	struct setting set[6];
	enum fault fault;
	const char *detail, *bare, *short_host, *plus, *id;
	bool local_time;
	unsigned max;
} rows[] = {
	{ "nothing", { { NULL, NULL } }, FAULT_NONE, "", "a@defaulthost.defaultdomain",
		"a@b.defaultdomain", "a@b.plusdomain", "idhost", false, 0 },
	{ "me", { { "control/me", "m.x\n" } }, FAULT_NONE, "", "a@m.x", "a@b.m.x", "a@b.m.x",
		"m.x", false, 0 },
	{ "empty me", { { "control/me", "" } }, FAULT_NONE, "", "a@.", "a@b.", "a@b.", "", false,
		0 },
	{ "all files", { { "control/me", "m.x\n" }, { "control/defaulthost", "dh \t\nrest\n" },
		{ "control/defaultdomain", "dd.y" }, { "control/plusdomain", "pd.z\r\n" },
		{ "control/idhost", "id.w\n" } }, FAULT_NONE, "", "a@dh.dd.y", "a@b.dd.y",
		"a@b.pd.z", "id.w", false, 0 },
	{ "variables", { { "control/me", "m.x\n" }, { "QMAILDEFAULTHOST", "dh" },
		{ "QMAILDEFAULTDOMAIN", "dd.y" }, { "QMAILPLUSDOMAIN", "pd.z" },
		{ "QMAILIDHOST", "id.w" } }, FAULT_NONE, "", "a@dh.dd.y", "a@b.dd.y", "a@b.pd.z",
		"id.w", false, 0 },
	{ "empty variables", { { "control/me", "m.x\n" }, { "QMAILDEFAULTHOST", "" },
		{ "QMAILDEFAULTDOMAIN", "" }, { "QMAILPLUSDOMAIN", "" }, { "QMAILIDHOST", "" } },
		FAULT_NONE, "", "a@.", "a@b.", "a@b.", "", false, 0 },
	{ "default host with a plus", { { "control/defaulthost", "h+\n" },
		{ "control/plusdomain", "p.q\n" } }, FAULT_NONE, "", "a@h.p.q", "a@b.defaultdomain",
		"a@b.p.q", "idhost", false, 0 },
	{ "bad default host", { { "control/defaulthost", "[a\n" } }, FAULT_LINE, "@[a", NULL, NULL,
		NULL, NULL, false, 0 },
	{ "bad default domain", { { "control/defaultdomain", "a)\n" }, }, FAULT_NONE, "",
		"a@defaulthost.a)", "a@b.a)", "a@b.plusdomain", "idhost", false, 0 },
	{ "bad plus domain", { { "QMAILPLUSDOMAIN", "(" } }, FAULT_LINE, ".(", NULL, NULL, NULL,
		NULL, false, 0 },
	{ "unusable id hosts", { { "control/me", "m.x\n" }, { "control/idhost", "a b\n" },
		{ "QMAILIDHOST", "a>b" } }, FAULT_NONE, "", "a@m.x", "a@b.m.x", "a@b.m.x", "m.x",
		false, 0 },
	{ "unusable me as id host", { { "control/me", "<m>\n" }, { "control/defaulthost", "h.x" },
		{ "control/defaultdomain", "d" }, { "control/plusdomain", "p" } }, FAULT_NONE, "",
		"a@h.x", "a@b.d", "a@b.p", "idhost", false, 0 },
	{ "switches", { { "control/localtime", "1\n" }, { "control/injectmaxrcpt", "17\n" } },
		FAULT_NONE, "", "a@defaulthost.defaultdomain", "a@b.defaultdomain",
		"a@b.plusdomain", "idhost", true, 17 },
	{ "switches off", { { "control/localtime", "0\n" }, { "control/injectmaxrcpt", "x\n" } },
		FAULT_NONE, "", "a@defaulthost.defaultdomain", "a@b.defaultdomain",
		"a@b.plusdomain", "idhost", false, 0 },
	{ "switch as a variable", { { "QMAILLOCALTIME", "" },
		{ "control/injectmaxrcpt", "99999999999\n" } }, FAULT_NONE, "",
		"a@defaulthost.defaultdomain", "a@b.defaultdomain", "a@b.plusdomain", "idhost",
		true, RECIPS_MAX },
};

static void
apply(const struct setting *s)
{
	for (; s->name; s++)
		if (span_starts(span_str(s->name), span_str("control/")))
			(void)close(scratch_file(s->name, s->value));
		else if (setenv(s->name, s->value, 1) == -1)
			abort();
}

static void
forget(void)
{
	for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
		(void)unsetenv(variables[i]);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)unlink(files[i]);
}

static void
check_address(struct tap *t, const struct rewrite *w, const char *raw, const char *want)
{
	struct buf envelope = { 0 };

	ok(t, rewrite_address(w, span_str(raw), &envelope) == FAULT_NONE, "  %s", raw);
	is(t, buf_span(&envelope), span_str(want), "  completed");
	buf_free(&envelope);
}

static void
test_rows(struct tap *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct rewrite w = { .local_time = false };
		struct buf detail = { 0 };

		apply(r->set);
		ok(t, rewrite_load(&w, &detail) == r->fault, "%s", r->about);
		if (r->fault == FAULT_NONE) {
			check_address(t, &w, "a", r->bare);
			check_address(t, &w, "a@b", r->short_host);
			check_address(t, &w, "a@b+", r->plus);
			is(t, buf_span(&w.id_host), span_str(r->id), "  id host");
			ok(t, w.local_time == r->local_time, "  local time");
			ok(t, w.max_recipients == r->max, "  largest number of recipients");
		} else {
			is(t, buf_span(&detail), span_str(r->detail), "  detail");
		}
		rewrite_free(&w);
		buf_free(&detail);
		forget();
	}
}

/* A file that is there and cannot be read: even if a variable would override it. */
static void
test_unreadable(struct tap *t)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct rewrite w = { .local_time = false };
		struct buf detail = { 0 };

		for (size_t k = 0; k < sizeof variables / sizeof variables[0]; k++)
			if (setenv(variables[k], "x", 1) == -1)
				abort();
		if (mkdir(files[i], 0700) == -1)
			abort();
		ok(t, rewrite_load(&w, &detail) == FAULT_READ, "%s is a directory", files[i]);
		if (rmdir(files[i]) == -1)
			abort();
		rewrite_free(&w);
		buf_free(&detail);
		forget();
	}
}

static void
test_bad_address(struct tap *t)
{
	static const struct span bad[] = { { "a@[b", 4 }, { "a\nb@c", 5 }, { "a\rb@c", 5 },
		{ "a\0b@c", 5 } };
	struct rewrite w = { .local_time = false };
	struct buf detail = { 0 }, envelope = { 0 };

	ok(t, rewrite_load(&w, &detail) == FAULT_NONE, "loaded");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(t, rewrite_address(&w, bad[i], &envelope) == FAULT_ADDRESS, "bad %zu", i);
	rewrite_free(&w);
	buf_free(&detail);
	buf_free(&envelope);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter_home(&s);
	forget();
	test_rows(&t);
	test_unreadable(&t);
	test_bad_address(&t);
	scratch_leave(&s);
	return done(&t);
}
