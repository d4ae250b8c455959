/* field: what a header line is. */
#include "mail/field.h"

#include "tap.h"

#define S(text) { text, sizeof text - 1 }

static const struct row {
	const char *about;
	struct span line;
	enum field_line kind;
	struct span name, rest;		/* for FIELD_LINE_START */
} rows[] = {
	{ "plain", S("To: a@b"), FIELD_LINE_START, S("To"), S(" a@b") },
	{ "no blank", S("To:a"), FIELD_LINE_START, S("To"), S("a") },
	{ "no value", S("To:"), FIELD_LINE_START, S("To"), S("") },
	{ "two colons", S("X: a:b"), FIELD_LINE_START, S("X"), S(" a:b") },
	{ "blanks before the colon", S("To \t : a"), FIELD_LINE_START, S("To"), S(" a") },
	{ "folded field", S("To: a,\n b: c\n"), FIELD_LINE_START, S("To"), S(" a,\n b: c\n") },
	{ "lowest name byte", S("!: x"), FIELD_LINE_START, S("!"), S(" x") },
	{ "highest name byte", S("~: x"), FIELD_LINE_START, S("~"), S(" x") },
	{ "blank inside the name", S("X Y: x"), FIELD_LINE_BODY, S(""), S("") },
	{ "control byte in the name", S("X\x1f: x"), FIELD_LINE_BODY, S(""), S("") },
	{ "DEL in the name", S("X\x7f: x"), FIELD_LINE_BODY, S(""), S("") },
	{ "8 bit in the name", S("X\x80: x"), FIELD_LINE_BODY, S(""), S("") },
	{ "NUL in the name", S("X\0: x"), FIELD_LINE_BODY, S(""), S("") },
	{ "CR alone", S("\r"), FIELD_LINE_BODY, S(""), S("") },
	{ "no name", S(": x"), FIELD_LINE_BODY, S(""), S("") },
	{ "no colon", S("Hello Ann"), FIELD_LINE_BODY, S(""), S("") },
	{ "colon only", S(":"), FIELD_LINE_BODY, S(""), S("") },
	{ "empty", S(""), FIELD_LINE_END, S(""), S("") },
	{ "space", S(" x: y"), FIELD_LINE_FOLDED, S(""), S("") },
	{ "tab", S("\tx"), FIELD_LINE_FOLDED, S(""), S("") },
	{ "blank line", S("  "), FIELD_LINE_FOLDED, S(""), S("") },
	{ "mbox", S("From ann Mon Jan  1 00:00:00 1996"), FIELD_LINE_MBOX, S(""), S("") },
	{ "From with a blank", S("From : joe"), FIELD_LINE_MBOX, S(""), S("") },
	{ "From with a tab", S("From\t: joe"), FIELD_LINE_START, S("From"), S(" joe") },
	{ "from", S("from : joe"), FIELD_LINE_START, S("from"), S(" joe") },
	{ "quoted mbox", S(">From ann 10:00"), FIELD_LINE_BODY, S(""), S("") },
};

static const struct {
	const char *name;
	enum field_id id;
} names[] = {
	{ "To", FIELD_TO }, { "tO", FIELD_TO }, { "T", FIELD_OTHER }, { "Too", FIELD_OTHER },
	{ "", FIELD_OTHER }, { "CC", FIELD_CC }, { "bcc", FIELD_BCC },
	{ "apparently-to", FIELD_APPARENTLY_TO }, { "Auto-Submitted", FIELD_AUTO_SUBMITTED },
	{ "content-length", FIELD_CONTENT_LENGTH }, { "date", FIELD_DATE },
	{ "delivered-to", FIELD_DELIVERED_TO }, { "errors-to", FIELD_ERRORS_TO },
	{ "from", FIELD_FROM }, { "mail-followup-to", FIELD_MAIL_FOLLOWUP_TO },
	{ "message-id", FIELD_MESSAGE_ID },
	{ "notice-requested-upon-delivery-to", FIELD_NOTICE_REQUESTED },
	{ "received", FIELD_RECEIVED }, { "reply-to", FIELD_REPLY_TO },
	{ "resent-bcc", FIELD_RESENT_BCC }, { "resent-cc", FIELD_RESENT_CC },
	{ "resent-date", FIELD_RESENT_DATE }, { "resent-from", FIELD_RESENT_FROM },
	{ "resent-message-id", FIELD_RESENT_MESSAGE_ID },
	{ "resent-reply-to", FIELD_RESENT_REPLY_TO }, { "resent-sender", FIELD_RESENT_SENDER },
	{ "resent-to", FIELD_RESENT_TO }, { "return-path", FIELD_RETURN_PATH },
	{ "return-receipt-to", FIELD_RETURN_RECEIPT_TO }, { "sender", FIELD_SENDER },
	{ "subject", FIELD_SUBJECT }, { "x-to", FIELD_OTHER },
};

int
main(void)
{
	struct tap t = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct span name = { NULL, 0 }, rest = { NULL, 0 };
		enum field_line kind = field_classify(r->line, &name, &rest);

		ok(&t, kind == r->kind && span_eq(name, r->name) && span_eq(rest, r->rest), "%s",
		    r->about);
		ok(&t, field_classify(r->line, NULL, NULL) == r->kind, "%s: kind only", r->about);
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ok(&t, field_identify(span_str(names[i].name)) == names[i].id, "name `%s`",
		    names[i].name);
	return done(&t);
}
