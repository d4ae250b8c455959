/* lchild: the six fields of a user. */
#include "spawn/lchild.h"

#include "queue/lscode.h"
#include "tap.h"

#define ROW(text, code, uid, gid) { text, sizeof(text) - 1, code, uid, gid }

static const struct {
	const char *text;
	size_t n;
	int code;
	uid_t uid;
	gid_t gid;
} rows[] = {
	ROW("joe\0" "503\0" "78\0/home/joe\0-\0ext\0", 0, 503, 78),
	ROW("joe\0" "503\0" "78\0/home/joe\0\0\0", 0, 503, 78),
	ROW("joe\0" "503\0" "78\0/home/joe\0\0\0more\0", 0, 503, 78),
	ROW("joe\0" "503\0" "78\0/home/joe\0\0", LS_BUG, 0, 0),
	ROW("joe\0" "503\0" "78\0/home/joe\0-\0ext", LS_BUG, 0, 0),
	ROW("", LS_BUG, 0, 0),
	ROW("\0\0\0\0\0\0", 0, 0, 0),
	ROW("joe\0" "503x\0" "x78\0/\0\0\0", 0, 503, 0),
	ROW("joe\0" "4294967293\0" "4294967294\0/\0\0\0", 0, 4294967293U, 4294967294U),
	ROW("joe\0" "4294967295\0" "0\0/\0\0\0", LS_BUG, 0, 0),
	ROW("joe\0" "4294967296\0" "0\0/\0\0\0", LS_BUG, 0, 0),
	ROW("joe\0" "4294967297\0" "0\0/\0\0\0", LS_BUG, 0, 0),
	ROW("joe\0" "5\0" "4294967295\0/\0\0\0", LS_BUG, 0, 0),
	ROW("joe\0" "5\0" "18446744073709551617\0/\0\0\0", LS_BUG, 0, 0),
	ROW("joe\0" "99999999999999999999999\0" "0\0/\0\0\0", LS_BUG, 0, 0),
};

int
main(void)
{
	struct tap t = { 0 };
	char text[128];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct lchild_user u = { 0 };
		int code;

		memcpy(text, rows[i].text, rows[i].n);
		code = lchild_parse_user(text, rows[i].n, &u);
		ok(&t, code == rows[i].code && (code || (u.uid == rows[i].uid &&
		    u.gid == rows[i].gid)), "row %zu", i);
		if (i != 0)
			continue;
		is(&t, span_str(u.name), span_str("joe"), "name");
		is(&t, span_str(u.home), span_str("/home/joe"), "home");
		is(&t, span_str(u.dash), span_str("-"), "dash");
		is(&t, span_str(u.ext), span_str("ext"), "ext");
	}
	return done(&t);
}
