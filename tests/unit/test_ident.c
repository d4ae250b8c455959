/* ident: the user in an answer. */
#include "tools/ident.h"

#include "tap.h"

static const struct {
	const char *what, *line, *user;		/* NULL: none */
} rows[] = {
	{ "usual", "4004 , 25 : USERID : UNIX : joe\r", "joe" },
	{ "no blanks", "4004,25:USERID:UNIX:joe", "joe" },
	{ "blanks inside go", "1,2:USERID:UNIX: j o\te", "joe" },
	{ "colons inside stay", "1,2:USERID:UNIX:a:b", "a:b" },
	{ "empty", "1,2:USERID:UNIX:", "" },
	{ "error", "1,2:ERROR:NO-USER", NULL },
	{ "nothing", "", NULL },
	{ "odd bytes", "1,2:USERID:OTHER:\1\xff", "\1\xff" },
};

int
main(void)
{
	struct buf user = { 0 }, line = { 0 };
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool found = ident_parse(span_str(rows[i].line), &user);

		ok(&t, found == (rows[i].user != NULL), "%s", rows[i].what);
		if (found)
			is(&t, buf_span(&user), span_str(rows[i].user), rows[i].what);
	}
	for (size_t n = IDENT_USER_MAX - 1; n <= IDENT_USER_MAX + 1; n++) {
		buf_reset(&line);
		buf_adds(&line, ":::");
		for (size_t i = 0; i < n; i++)
			buf_addc(&line, 'x');
		ok(&t, ident_parse(buf_span(&line), &user), "%zu bytes", n);
		is_num(&t, (long long)user.n,
		    (long long)(n < IDENT_USER_MAX ? n : IDENT_USER_MAX), "are cut at the limit");
	}
	buf_free(&user);
	buf_free(&line);
	return done(&t);
}
