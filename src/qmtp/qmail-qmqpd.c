/* qmail-qmqpd - receive one message by QMQP from a client that may send anywhere.
 * Run by: tcpserver, as qmaild:nofiles.  Who may connect is its rules' business: nothing is checked
 * here.  fd 0, 1: the client.  argv: ignored.  Environment: tcp-environ(5), QMAILQUEUE.
 * Exit: CODE_OK answered, or the client is gone; CODE_PERM not QMQP; CODE_TEMP too slow, or trouble
 * on this host. */
#include <signal.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "mail/tcpenv.h"
#include "qmtp/transfer.h"
#include "qmtp/wire.h"

/* Sender and recipients, from the wire straight into the envelope.  false: one cannot be used. */
static bool
take_addresses(struct wire *w, struct submit *submit)
{
	struct buf address = BUF_CAP(WIRE_ADDRESS_MAX);
	bool usable = wire_address(w, WIRE_ADDRESS_MAX, &address);

	if (usable)
		submit_sender(submit, buf_span(&address));
	while (wire_more(w)) {
		if (!wire_address(w, WIRE_ADDRESS_MAX, &address))
			usable = false;
		if (usable)
			submit_recipient(submit, buf_span(&address));
	}
	buf_free(&address);
	return usable;
}

static void
take_message(struct wire *w, struct incoming *in, uint64_t length)
{
	struct buf answer = { 0 };
	bool usable;

	transfer_text(w, in, length);
	wire_comma(w);
	usable = take_addresses(w, &in->submit);
	wire_leave(w);
	if (!usable || w->status != WIRE_OK)
		submit_abort(&in->submit);
	(void)transfer_close(in, &answer);
	if (w->status == WIRE_OK && !usable)
		wire_answer(w, span_str("Daddress not usable (#5.1.3)"));
	else if (w->status == WIRE_OK && buf_ok(&answer))
		wire_answer(w, buf_span(&answer));
	buf_free(&answer);
}

int
main(void)
{
	struct trace_hop peer = { 0 };
	struct incoming in;
	struct wire w;
	uint64_t length;

	sig_ignore(SIGPIPE);
	sandbox_limits();
	if (io_open_standard() == -1)
		return CODE_TEMP;
	tcpenv_hop(&peer);
	wire_init(&w);
	wire_enter(&w);
	length = wire_length(&w);
	if (chdir(QMAIL_HOME) == -1)
		wire_fail(&w, WIRE_TROUBLE);
	transfer_open(&w, &in, &peer, "QMQP", 0);
	if (w.status == WIRE_OK)
		take_message(&w, &in, length);
	return wire_end(&w);
}
