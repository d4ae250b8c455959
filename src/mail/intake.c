/* intake - what mail from the network a server takes, as control files and its environment say. */
#include "mail/intake.h"

#include <stdlib.h>

#include "lib/ctl.h"
#include "lib/io.h"
#include "lib/num.h"
#include "mail/tcpenv.h"

/* Above INT64_MAX nothing could ever be refused, so that is "no limit", too. */
int
intake_read_size(struct intake *in, const struct ctlnames *names)
{
	const char *text = getenv("DATABYTES");
	uint64_t limit = 0;

	if (ctlnames_may_have(names, "databytes") &&
	    ctl_number("databytes", UINT64_MAX, &limit) == CTL_ERROR)
		return -1;
	if (text && num_lead_u64(span_str(text), UINT64_MAX, &limit) == 0)
		limit = 0;
	in->size_limit = limit > INT64_MAX ? 0 : limit;
	return 0;
}

int
intake_read(struct intake *in, const struct ctlnames *names)
{
	if (relay_open(&in->relay, names) == -1) {
		in->unread = in->relay.unread;
		return -1;
	}
	if (intake_read_size(in, names) == -1) {
		in->unread = "databytes";
		return -1;
	}
	in->relay_client = getenv("RELAYCLIENT");
	tcpenv_hop(&in->peer);
	return 0;
}

int
intake_read_senders(struct intake *in)
{
	return ctl_set("badmailfrom", &in->bad_senders) == CTL_ERROR ? -1 : 0;
}

void
intake_free(struct intake *in)
{
	relay_close(&in->relay);
	set_free(&in->bad_senders);
	*in = (struct intake){ 0 };
}

bool
intake_is_bad_sender(const struct intake *in, struct span sender)
{
	size_t at = span_rchr(sender, '@');

	if (!sender.n)
		return false;
	return set_find(&in->bad_senders, sender, NULL) ||
	    (at < sender.n && set_find(&in->bad_senders, span_tail(sender, at), NULL));
}

enum relay_status
intake_recipient(const struct intake *in, struct span recipient)
{
	return in->relay_client ? RELAY_ALLOWED : relay_check(&in->relay, recipient);
}

bool
intake_warns(const struct intake *in)
{
	return !in->relay.restricted && !io_same_file(2, 0) && !io_same_file(2, 1);
}
