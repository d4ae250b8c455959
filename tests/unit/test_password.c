/* password: the digests of RFC 1939 and RFC 2195; hashes of every kind are in checkpassword.t. */
#include "pop3/password.h"

#include "tap.h"

#define STAMP "<1896.697170952@dbc.mtview.ca.us>"
#define OFFICE "<1896.697170952@postoffice.reston.mci.net>"

static const struct {
	const char *digest, *challenge, *secret;
	bool good;
} digests[] = {
	{ "c4c9334bac560ecc979e58001b3e22fb", STAMP, "tanstaaf", true },
	{ "b913a602c7eda7a495b4e6e7334d3890", OFFICE, "tanstaaftanstaaf", true },
	{ "c4c9334bac560ecc979e58001b3e22fb", STAMP, "tanstaa", false },
	{ "c4c9334bac560ecc979e58001b3e22fb", OFFICE, "tanstaaf", false },
	{ "C4C9334BAC560ECC979E58001B3E22FB", STAMP, "tanstaaf", false },
	{ "c4c9334bac560ecc979e58001b3e22f", STAMP, "tanstaaf", false },
	{ "c4c9334bac560ecc979e58001b3e22fb0", STAMP, "tanstaaf", false },
	{ "", STAMP, "tanstaaf", false },
	{ "tanstaaf", STAMP, "tanstaaf", false },
};

#define SHA512 "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc." \
	"eoxqOmSuNp2xS0ktL3nh/"

static const struct {
	const char *name, *password, *hash, *like;
	enum verdict verdict;
} passwords[] = {
	{ "right", "password", SHA512, NULL, VERDICT_GOOD },
	{ "wrong", "passwort", SHA512, NULL, VERDICT_BAD },
	{ "empty", "", SHA512, NULL, VERDICT_BAD },
	{ "the hash itself", SHA512, SHA512, NULL, VERDICT_BAD },
	{ "no hash", "password", NULL, NULL, VERDICT_BAD },
	{ "another's hash is only work", "password", NULL, SHA512, VERDICT_BAD },
	{ "empty hash", "", "", SHA512, VERDICT_BAD },
	{ "locked", "password", "!" SHA512, SHA512, VERDICT_BAD },
	{ "no kind", "x", "$zz$x$y", SHA512, VERDICT_BAD },
	{ "a kind, but no hash", "x", "$y$bad", SHA512, VERDICT_BAD },
	{ "a salt that is too short", "x", "$2b$05$short", SHA512, VERDICT_BAD },
	{ "an old kind, but no hash", "x", "_x", SHA512, VERDICT_BAD },
	{ "no hash to be like", "x", "*", "$y$bad", VERDICT_BAD },
	{ "no kind to be like", "x", "*", "$zz$x$y", VERDICT_BAD },
	{ "nor any hash", "x", "*", "*", VERDICT_BAD },
};

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
		ok(&t, password_is_digest(digests[i].digest, digests[i].challenge,
		    digests[i].secret) == digests[i].good, "digest %zu", i);
	for (size_t i = 0; i < sizeof passwords / sizeof *passwords; i++)
		ok(&t, password_compare(passwords[i].password, passwords[i].hash,
		    passwords[i].like) == passwords[i].verdict, "%s", passwords[i].name);
	return done(&t);
}
