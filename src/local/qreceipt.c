/* qreceipt - answer mail whose sender wants to know that it was delivered.
 *
 *	qreceipt deliveryaddress
 *
 * Run by: a .qmail line.  fd 0: the message.  Environment: SENDER, who gets the answer.  An answer
 * is sent if a field Notice-Requested-Upon-Delivery-To names the address, but never to a bounce or
 * to mail that was sent automatically.
 * Exit: 0 answered, or nothing to do; 100 called wrongly or refused; 111 temporary failure. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/report.h"
#include "lib/sig.h"
#include "local/receipt.h"
#include "mail/msgid.h"
#include "queue/submit.h"

#define READ_SIZE 4096

static int
fatal(int code, const char *what)
{
	return report_fail(code, "qreceipt: fatal: %s", what);
}

static int
send_note(const struct buf *note, const char *sender)
{
	struct buf text = { 0 };
	enum submit_result result;
	struct submit s;

	if (submit_open(&s) == -1)
		return fatal(CODE_TEMP, "unable to fork");
	submit_set_timeout(&s, s.wait_ms);
	submit_message(&s, note->p, note->n);
	submit_sender(&s, span_str(""));
	submit_recipient(&s, span_str(sender));
	result = submit_close(&s, &text);
	buf_free(&text);
	switch (result) {
	case SUBMIT_OK:
		return CODE_OK;
	case SUBMIT_PERMANENT:
		return fatal(CODE_PERM, "permanent qmail-queue error");
	default:
		return fatal(CODE_TEMP, "temporary qmail-queue error");
	}
}

/* CODE_OK, or said why. */
static int
find_id_host(struct buf *host)
{
	if (chdir(QMAIL_HOME) == -1 || ctl_line_me("idhost", "idhost", host) == CTL_ERROR)
		return fatal(CODE_TEMP, "unable to read controls");
	if (!msgid_is_host(buf_span(host))) {
		buf_reset(host);
		buf_adds(host, "idhost");
	}
	return CODE_OK;
}

static int
answer(const struct receipt *r, const char *sender, const char *address)
{
	struct buf host = { 0 }, note = { 0 };
	int code = find_id_host(&host);

	if (code == CODE_OK) {
		receipt_write(r, &(struct receipt_note){ .sender = span_str(sender),
		    .address = span_str(address), .id_host = buf_span(&host),
		    .time = date_now() }, &note);
		code = buf_ok(&note) && buf_ok(&host) ? send_note(&note, sender) :
		    fatal(CODE_TEMP, "out of memory");
	}
	buf_free(&host);
	buf_free(&note);
	return code;
}

int
main(int argc, char **argv)
{
	const char *sender = getenv("SENDER");
	char buffer[READ_SIZE];
	struct receipt r = { 0 };
	struct io_in in;
	int code = CODE_OK;

	sig_ignore(SIGPIPE);
	if (fcntl(0, F_GETFD) == -1 || io_open_standard() == -1)
		return fatal(CODE_TEMP, "read error");
	if (argc < 2 || !sender)
		return report_fail(CODE_PERM, "qreceipt: usage: qreceipt deliveryaddress");
	if (!*sender || strcmp(sender, "#@[]") == 0)
		return CODE_OK;
	io_in_init(&in, 0, buffer, sizeof buffer);
	if (receipt_read(&r, &in, span_str(argv[1])) != IO_OK)
		code = fatal(CODE_TEMP, errno == ENOMEM ? "out of memory" : "read error");
	else if (r.wanted && !r.automatic)
		code = answer(&r, sender, argv[1]);
	receipt_free(&r);
	return code;
}
