/* poppasswd: both forms of a user's record, and everything that is neither. */
#include "mail/poppasswd.h"

#include "tap.h"

static const struct {
	const char *record;
	const char *hash, *account;	/* hash NULL: it is bad */
	uint32_t uid, gid;
	const char *home, *maildir;
} rows[] = {
	{ "$6$x:popuser:/var/qmail/mailnames/a.example/info", "$6$x", "popuser", 0, 0,
	    "/var/qmail/mailnames/a.example/info", "" },
	{ "$y$x:5001:5002:/home/joe:Maildir", "$y$x", "", 5001, 5002, "/home/joe", "Maildir" },
	{ ":p:/x", "", "p", 0, 0, "/x", "" },
	{ "*:1:1:/:", "*", "", 1, 1, "/", "" },
	{ "h:4294967294:1:/x:./M", "h", "", UINT32_MAX - 1, 1, "/x", "./M" },
	{ "h:4294967295:1:/x:M", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:0:1:/x:M", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:1:0:/x:M", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:-1:1:/x:M", NULL, NULL, 0, 0, NULL, NULL },
	{ "h::1:/x:M", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:1x:1:/x:M", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:1:1:x:M", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:1:1::M", NULL, NULL, 0, 0, NULL, NULL },
	{ "h::/x", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:p:x", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:p:", NULL, NULL, 0, 0, NULL, NULL },
	{ "", NULL, NULL, 0, 0, NULL, NULL },
	{ "h", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:p", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:1:1:/x", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:1:1:/x:M:", NULL, NULL, 0, 0, NULL, NULL },
	{ ":::::::::", NULL, NULL, 0, 0, NULL, NULL },
	{ "h:p:/x\t", NULL, NULL, 0, 0, NULL, NULL },
	{ "h\x7f:p:/x", NULL, NULL, 0, 0, NULL, NULL },
};

int
main(void)
{
	struct tap t = { 0 };
	struct poppasswd p;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *why = poppasswd_parse(span_str(rows[i].record), &p);

		if (!ok(&t, (why == NULL) == (rows[i].hash != NULL), "%s: %s", rows[i].record,
		    why ? why : "good") || why)
			continue;
		is(&t, p.hash, span_str(rows[i].hash), "hash");
		is(&t, p.account, span_str(rows[i].account), "account");
		is(&t, p.home, span_str(rows[i].home), "home");
		is(&t, p.maildir, span_str(rows[i].maildir), "maildir");
		ok(&t, p.uid == rows[i].uid && p.gid == rows[i].gid, "ids");
	}
	ok(&t, poppasswd_parse(span_of("h:p:/x\0", 7), &p) != NULL, "a NUL");
	return done(&t);
}
