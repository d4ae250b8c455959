/* report: exit codes and output of deliveries, to what qmail-send is told. */
#include "spawn/report.h"

#include "spawn/spawnd.h"
#include "tap.h"

#define LITERAL(s) { (s), sizeof(s) - 1 }

static const struct {
	int code;
	struct span output;
	const char *want;
} local_rows[] = {
	{ 0, LITERAL("did 1+0+0\n"), "Kdid 1+0+0\n" },
	{ 0, LITERAL(""), "K" },
	{ 0, LITERAL("cut\0off"), "Kcut" },
	{ SPAWND_CRASHED, LITERAL("x"), "Zqmail-local crashed.\n" },
	{ 100, LITERAL("no"), "Dno" },
	{ 111, LITERAL("later"), "Zlater" },
	{ 71, LITERAL("later"), "Zlater" },
	{ 74, LITERAL("later"), "Zlater" },
	{ 75, LITERAL("later"), "Zlater" },
	{ 73, LITERAL("no"), "Dno" },
	{ 1, LITERAL("no"), "Dno" },
	{ 99, LITERAL("no"), "Dno" },
	{ 255, LITERAL(""), "D" },
	{ 112, LITERAL("x"), "ZInternal qmail-lspawn bug.\n" },
	{ 113, LITERAL("x"), "ZNot allowed to perform deliveries as root.\n" },
	{ 114, LITERAL("x"), "Dx" },
	{ 115, LITERAL("x"), "ZNFS failure in qmail-local.\n" },
	{ 116, LITERAL("x"), "ZUnable to find alias user!\n" },
	{ 117, LITERAL("x"), "ZTrouble reading users/cdb in qmail-lspawn.\n" },
	{ 118, LITERAL("x"), "ZTemporary failure in qmail-lspawn.\n" },
	{ 119, LITERAL("x"), "ZOut of memory in qmail-lspawn.\n" },
	{ 120, LITERAL("x"), "ZUnable to run qmail-local.\n" },
	{ 121, LITERAL("x"), "ZUnable to run qmail-getpw.\n" },
	{ 122, LITERAL("x"), "Dx" },
	{ 126, LITERAL("x"), "DUnable to run qmail-local.\n" },
	{ 127, LITERAL("x"), "ZUnable to run qmail-local.\n" },
}, remote_rows[] = {
	{ SPAWND_CRASHED, LITERAL("r\0K\0"), "Zqmail-remote crashed.\n" },
	{ 111, LITERAL("r\0K\0"), "ZUnable to run qmail-remote.\n" },
	{ 127, LITERAL("r\0K\0"), "ZUnable to run qmail-remote.\n" },
	{ 126, LITERAL("r\0K\0"), "DUnable to run qmail-remote.\n" },
	{ 1, LITERAL("r\0K\0"), "DUnable to run qmail-remote.\n" },
	{ 100, LITERAL(""), "DUnable to run qmail-remote.\n" },
	{ 0, LITERAL(""), "Zqmail-remote produced no output.\n" },
	{ 0, LITERAL("no NUL"), "Zqmail-remote crashed.\n" },
	{ 0, LITERAL("D"), "Zqmail-remote crashed.\n" },
	{ 0, LITERAL("r\0Kok\n\0"), "Kok\n" },
	{ 0, LITERAL("ra\n\0Kok\n\0"), "Ka\nok\n" },
	{ 0, LITERAL("r\0Zlater\n\0"), "Zlater\n" },
	{ 0, LITERAL("r\0Dno\n\0"), "Dno\n" },
	{ 0, LITERAL("stemp\n\0Kok\n\0"), "Ztemp\n" },
	{ 0, LITERAL("stemp\n\0Zlater\n\0"), "Ztemp\nlater\n" },
	{ 0, LITERAL("stemp\n\0Dno\n\0"), "Ztemp\nno\n" },
	{ 0, LITERAL("hperm\n\0Kok\n\0"), "Dperm\n" },
	{ 0, LITERAL("hperm\n\0Zlater\n\0"), "Dperm\n" },
	{ 0, LITERAL("hperm\n\0Dno\n\0"), "Dperm\nno\n" },
	{ 0, LITERAL("Zno connection\n\0"), "Zno connection\n" },
	{ 0, LITERAL("Dno host\n\0"), "Dno host\n" },
	{ 0, LITERAL("Kdone\n\0"), "Kdone\n" },
	{ 0, LITERAL("Da\n\0Db\n\0"), "Da\nb\n" },
	{ 0, LITERAL("ra\n\0rb\n\0Kok\n\0"), "Ka\n" },
	{ 0, LITERAL("r\0Kok\n\0Zignored"), "Kok\n" },
	{ 0, LITERAL("r\0"), "Z" },
	{ 0, LITERAL("r\0Kcut"), "Z" },
	{ 0, LITERAL("sx\n\0"), "Zx\n" },
	{ 0, LITERAL("hx\n\0"), "Dx\n" },
	{ 0, LITERAL("\0"), "Z" },
	{ 0, LITERAL("\0Kok\n\0"), "Kok\n" },
	{ 0, LITERAL("?x\0Dno\n\0"), "Dxno\n" },
};

/* One of several recipients. */
static const struct {
	size_t which;
	struct literal { const char *p; size_t n; } output;
	const char *want;
} several_rows[] = {
#define SEVERAL(s) { s, sizeof s - 1 }
	{ 1, SEVERAL("r\0r\0Kok\n\0"), "Kok\n" },
	{ 2, SEVERAL("r\0r\0Kok\n\0"), "Kok\n" },
	{ 1, SEVERAL("r\0hno\n\0sbusy\n\0Kok\n\0"), "Kok\n" },
	{ 2, SEVERAL("r\0hno\n\0sbusy\n\0Kok\n\0"), "Dno\n" },
	{ 3, SEVERAL("r\0hno\n\0sbusy\n\0Kok\n\0"), "Zbusy\n" },
	{ 1, SEVERAL("r\0sbusy\n\0Dbad text\n\0"), "Dbad text\n" },
	{ 2, SEVERAL("r\0sbusy\n\0Dbad text\n\0"), "Zbusy\nbad text\n" },
	{ 2, SEVERAL("Zno connection\n\0"), "Zno connection\n" },
	{ 2, SEVERAL("Dno such host\n\0"), "Dno such host\n" },
	/* What it does not tell is not success, and not failure either. */
	{ 2, SEVERAL("r\0Kok\n\0"), "Zqmail-remote did not report on this recipient.\n" },
	{ 2, SEVERAL("r\0Dno\n\0"), "Zqmail-remote did not report on this recipient.\n" },
	{ 1, SEVERAL("Kok\n\0"), "Zqmail-remote did not report on this recipient.\n" },
	{ 1, SEVERAL("r\0r\0"), "Z" },
	{ 2, SEVERAL("r\0Kok\n\0r\0"), "Zqmail-remote did not report on this recipient.\n" },
	{ 2, SEVERAL("r\0r\0Kcut"), "Z" },
};

static void
test_several(struct tap *t)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < sizeof several_rows / sizeof *several_rows; i++) {
		char name[32];

		buf_reset(&text);
		report_remote(0, span_of(several_rows[i].output.p, several_rows[i].output.n),
		    several_rows[i].which, &text);
		(void)snprintf(name, sizeof name, "several, row %zu", i);
		is(t, buf_span(&text), span_str(several_rows[i].want), name);
	}
	buf_free(&text);
}

static void
test_limit(struct tap *t, void (*limit)(struct buf *), size_t n, size_t want, const char *end)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_addc(&b, 'a');
	limit(&b);
	ok(t, b.n == want && buf_ok(&b), "%zu bytes of output are %zu", n, b.n);
	is(t, span_tail(buf_span(&b), b.n - strlen(end)), span_str(end), "their end");
	buf_free(&b);
}

int
main(void)
{
	struct tap t = { 0 };
	struct buf text = { 0 };
	char name[32];

	for (size_t i = 0; i < sizeof local_rows / sizeof *local_rows; i++) {
		buf_reset(&text);
		report_local(local_rows[i].code, local_rows[i].output, 0, &text);
		(void)snprintf(name, sizeof name, "local row %zu", i);
		is(&t, buf_span(&text), span_str(local_rows[i].want), name);
	}
	for (size_t i = 0; i < sizeof remote_rows / sizeof *remote_rows; i++) {
		buf_reset(&text);
		report_remote(remote_rows[i].code, remote_rows[i].output, 0, &text);
		(void)snprintf(name, sizeof name, "remote row %zu", i);
		is(&t, buf_span(&text), span_str(remote_rows[i].want), name);
	}
	buf_free(&text);
	test_several(&t);
	test_limit(&t, report_limit_local, 2999, 2999, "aaa");
	test_limit(&t, report_limit_local, 3000, 3000, "aaa");
	test_limit(&t, report_limit_local, 3001, 2966 + 31, "a\nError report too long, sorry.\n");
	test_limit(&t, report_limit_local, 7000, 2966 + 31, "a\nError report too long, sorry.\n");
	test_limit(&t, report_limit_remote, REPORT_REMOTE_MAX - 1, REPORT_REMOTE_MAX - 1, "a");
	test_limit(&t, report_limit_remote, REPORT_REMOTE_MAX, REPORT_REMOTE_MAX, "a");
	test_limit(&t, report_limit_remote, REPORT_REMOTE_MAX + 1, REPORT_REMOTE_MAX, "a");
	return done(&t);
}
