/* field - what a line of a message's header is, and which field it starts. */
#include "mail/field.h"

#include "lib/ascii.h"

static const char *const names[FIELD_COUNT] = {
	[FIELD_APPARENTLY_TO] = "Apparently-To",
	[FIELD_AUTO_SUBMITTED] = "Auto-Submitted",
	[FIELD_BCC] = "Bcc",
	[FIELD_CC] = "Cc",
	[FIELD_CONTENT_LENGTH] = "Content-Length",
	[FIELD_DATE] = "Date",
	[FIELD_DELIVERED_TO] = "Delivered-To",
	[FIELD_ERRORS_TO] = "Errors-To",
	[FIELD_FROM] = "From",
	[FIELD_MAIL_FOLLOWUP_TO] = "Mail-Followup-To",
	[FIELD_MESSAGE_ID] = "Message-ID",
	[FIELD_NOTICE_REQUESTED] = "Notice-Requested-Upon-Delivery-To",
	[FIELD_RECEIVED] = "Received",
	[FIELD_REPLY_TO] = "Reply-To",
	[FIELD_RESENT_BCC] = "Resent-Bcc",
	[FIELD_RESENT_CC] = "Resent-Cc",
	[FIELD_RESENT_DATE] = "Resent-Date",
	[FIELD_RESENT_FROM] = "Resent-From",
	[FIELD_RESENT_MESSAGE_ID] = "Resent-Message-ID",
	[FIELD_RESENT_REPLY_TO] = "Resent-Reply-To",
	[FIELD_RESENT_SENDER] = "Resent-Sender",
	[FIELD_RESENT_TO] = "Resent-To",
	[FIELD_RETURN_PATH] = "Return-Path",
	[FIELD_RETURN_RECEIPT_TO] = "Return-Receipt-To",
	[FIELD_SENDER] = "Sender",
	[FIELD_SUBJECT] = "Subject",
	[FIELD_TO] = "To",
};

/* Length of the name in front of the colon at `colon`, 0 if it is none. */
static size_t
name_length(struct span line, size_t colon)
{
	size_t n = colon;

	while (n && ascii_isblank(line.p[n - 1]))
		n--;
	return ascii_all_graph(span_head(line, n)) ? n : 0;
}

enum field_line
field_classify(struct span line, struct span *name, struct span *rest)
{
	size_t colon = span_chr(line, ':'), n;

	if (!line.n)
		return FIELD_LINE_END;
	if (ascii_isblank(line.p[0]))
		return FIELD_LINE_FOLDED;
	if (span_starts(line, span_str("From ")))
		return FIELD_LINE_MBOX;
	if (colon == line.n || !(n = name_length(line, colon)))
		return FIELD_LINE_BODY;
	if (name)
		*name = span_head(line, n);
	if (rest)
		*rest = span_tail(line, colon + 1);
	return FIELD_LINE_START;
}

enum field_id
field_identify(struct span name)
{
	for (int i = FIELD_OTHER + 1; i < FIELD_COUNT; i++)
		if (ascii_ieq(name, span_str(names[i])))
			return (enum field_id)i;
	return FIELD_OTHER;
}
