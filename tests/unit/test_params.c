/* params: what may follow the address of MAIL and RCPT. */
#include "smtp/params.h"

#include "tap.h"

static const struct {
	const char *text;
	enum params_status status;
	uint64_t size;
} mail[] = {
	{ "", PARAMS_OK, 0 },
	{ " ", PARAMS_OK, 0 },
	{ "   ", PARAMS_OK, 0 },
	{ " SIZE=0", PARAMS_OK, 0 },
	{ " SIZE=12345", PARAMS_OK, 12345 },
	{ " size=12345 ", PARAMS_OK, 12345 },
	{ " SIZE=12345 BODY=8BITMIME", PARAMS_OK, 12345 },
	{ " BODY=8BITMIME SIZE=12345", PARAMS_OK, 12345 },
	{ " Body=7bit", PARAMS_OK, 0 },
	{ " SIZE=18446744073709551615", PARAMS_OK, UINT64_MAX },
	{ " SIZE=18446744073709551616", PARAMS_OK, UINT64_MAX },
	{ " SIZE=99999999999999999999", PARAMS_OK, UINT64_MAX },
	{ " SIZE=000000000000000000001", PARAMS_BAD, 0 },
	{ " SIZE=", PARAMS_BAD, 0 },
	{ " SIZE", PARAMS_BAD, 0 },
	{ " SIZE=1=2", PARAMS_BAD, 0 },
	{ " SIZE=1k", PARAMS_BAD, 0 },
	{ " SIZE=+1", PARAMS_BAD, 0 },
	{ " SIZE =1", PARAMS_BAD, 0 },
	{ " BODY=", PARAMS_BAD, 0 },
	{ " BODY=9BIT", PARAMS_BAD, 0 },
	{ " BODY=8BITMIMEX", PARAMS_BAD, 0 },
	{ " BODY", PARAMS_BAD, 0 },
	{ " AUTH=<>", PARAMS_OK, 0 },
	{ " AUTH=joe@a.example SIZE=1", PARAMS_OK, 1 },
	{ " auth=e+3Dmc2@a.example", PARAMS_OK, 0 },
	{ " AUTH=+2B", PARAMS_OK, 0 },
	{ " AUTH=", PARAMS_BAD, 0 },
	{ " AUTH", PARAMS_BAD, 0 },
	{ " AUTH=+", PARAMS_BAD, 0 },
	{ " AUTH=+2", PARAMS_BAD, 0 },
	{ " AUTH=+2b", PARAMS_BAD, 0 },
	{ " AUTH=+G0", PARAMS_BAD, 0 },
	{ " AUTH=a=b", PARAMS_BAD, 0 },
	{ " AUTH=\xe9", PARAMS_BAD, 0 },
	{ " SMTPUTF8", PARAMS_OK, 0 },
	{ " smtputf8 SIZE=3", PARAMS_OK, 3 },
	{ " SMTPUTF8=", PARAMS_BAD, 0 },
	{ " SMTPUTF8=1", PARAMS_BAD, 0 },
	{ " SMTPUTF", PARAMS_BAD, 0 },
	{ " REQUIRETLS", PARAMS_BAD, 0 },
	{ " SIZE=1 REQUIRETLS", PARAMS_BAD, 0 },
	{ " RET=FULL", PARAMS_BAD, 0 },
	{ " =1", PARAMS_BAD, 0 },
	{ " SIZEX=1", PARAMS_BAD, 0 },
	{ "SIZE=1", PARAMS_BAD, 0 },
	{ "x", PARAMS_BAD, 0 },
	{ "\tSIZE=1", PARAMS_BAD, 0 },
	{ " SIZE=1\tBODY=7BIT", PARAMS_BAD, 0 },
};

static const struct {
	const char *text;
	enum params_status status;
} rcpt[] = {
	{ "", PARAMS_OK },
	{ "  ", PARAMS_OK },
	{ " NOTIFY=NEVER", PARAMS_BAD },
	{ " SIZE=1", PARAMS_BAD },
	{ "x", PARAMS_BAD },
};

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof mail / sizeof *mail; i++) {
		struct mail_params p = { .size = 99 };
		enum params_status status = params_mail(span_str(mail[i].text), &p);

		ok(&t, status == mail[i].status && (status == PARAMS_BAD || p.size == mail[i].size),
		    "MAIL FROM:<>`%s`", mail[i].text);
	}
	ok(&t, params_mail(span_of(" SIZE=1\0", 8), &(struct mail_params){ 0 }) == PARAMS_BAD,
	    "NUL is not a digit");
	for (size_t i = 0; i < sizeof rcpt / sizeof *rcpt; i++)
		ok(&t, params_rcpt(span_str(rcpt[i].text)) == rcpt[i].status, "RCPT TO:<>`%s`",
		    rcpt[i].text);
	return done(&t);
}
