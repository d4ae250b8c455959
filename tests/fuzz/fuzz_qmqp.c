/* QMQP: the server takes a request only as a whole and answers once; the client's report of any
 * answer is one clean line; and what our client sends, our server reads as the same message for the
 * same addresses.  Input: `s`, then bytes for the server; or message `|` envelope `|` answer, where
 * the envelope is lines and a `~` anywhere stands for a NUL. */
#include "remote/qmqp.h"

#include "lib/num.h"
#include "rig.h"

static int main_of(void) __attribute__((unused));
#define main main_of
#include "qmtp/qmail-qmqpd.c"

const char *const fuzz_words[] = {
	"s", "38:13:Subject: hi\n\n,4:a@b.,5:c@d.e,,", "|", "Fa@b~Tc@d~~", "F~T", "~", "F", "T",
	"~~", "Subject: x\n\nhi\n", "3:Kok,", "5:Zno!\n,", "4:Dno~,", "1:K", "0:,", ",", ":", "9",
	"00", "2000000010:", "a@b.c", "\xff", "\r\n", "5:c@d.e,", "0:,0:,0:,",
	"x@yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", NULL
};

/* The server's side; *said becomes its answer without the netstring around it. */
static int
serve(struct span request, struct buf *said)
{
	struct trace_hop peer = { .remote_host = span_str("x"), .remote_ip = span_str("192.0.2.1"),
		.local_name = span_str("y") };
	struct span answer, digits;
	struct incoming in;
	struct wire w;
	uint64_t length;
	int code;

	wire_init(&w);
	w.in.fd = rig_file(0, request);
	w.out.fd = rig_file(1, span_str(""));
	wire_enter(&w);
	length = wire_length(&w);
	transfer_open(&w, &in, &peer, "QMQP", 0);
	if (w.status == WIRE_OK)
		take_message(&w, &in, length);
	code = wire_end(&w);
	rig_file_text(1, said);
	promise(rig_queue_open() == 0);
	if (!said->n)
		return code;
	answer = buf_span(said);
	digits = rig_take(&answer, ':');
	promise(num_parse_u64(digits.p, digits.n, 1000, &length) == NUM_OK);
	promise(answer.n == length + 1 && answer.p[length] == ',' && rig_is_text(answer));
	promise(answer.p[0] == 'K' || answer.p[0] == 'Z' || answer.p[0] == 'D');
	buf_drop(said, digits.n + 1);
	buf_cut(said, (size_t)length);
	return code;
}

static void
check_server(struct span request)
{
	struct buf said = { 0 };
	int code = serve(request, &said);

	promise((said.n && said.p[0] == 'K') == (rig_queue_count() == 1));
	promise(!said.n || code == CODE_OK);
	buf_free(&said);
}

/* Our server got what our client was given; addresses that it does not take are refused whole. */
static void
check_received(struct span request, struct span message, struct span envelope)
{
	struct buf said = { 0 }, again = { 0 };
	const struct rig_message *m;
	struct span rest;

	promise(serve(request, &said) == CODE_OK && said.n > 0);
	promise((said.p[0] == 'K') == (rig_queue_count() == 1));
	if (said.p[0] == 'K') {
		m = rig_queue_last();
		buf_addc(&again, 'F');
		buf_addbuf(&again, &m->sender);
		buf_addc(&again, '\0');
		for (rest = buf_span(&m->recipients); rest.n;) {
			buf_addc(&again, 'T');
			buf_addspan(&again, rig_take(&rest, '\0'));
			buf_addc(&again, '\0');
		}
		buf_addc(&again, '\0');
		promise(span_starts(envelope, buf_span(&again)));
		rest = buf_span(&m->text);
		(void)rig_line(&rest);		/* Received, two lines */
		(void)rig_line(&rest);
		promise(span_eq(rest, message));
	} else {
		promise(span_starts(buf_span(&said), span_str("Daddress not usable")));
	}
	buf_free(&said);
	buf_free(&again);
}

static void
check_client(struct span message, struct span envelope, struct span answer)
{
	struct qmqp_request request = QMQP_REQUEST_EMPTY;
	struct qmqp_server server = { .port = QMQP_PORT };
	struct buf reason = { 0 }, sent = { 0 };
	bool final;
	enum qqcode code = qmqp_read_request(&request, rig_file(2, message), rig_file(3, envelope));

	if (code == QQ_OK) {
		rig_connect(rig_peer(answer));
		code = qmqp_send(&request, &server, &reason, &final);
		rig_peer_heard(&sent);
		promise(reason.n <= QMQP_REASON_MAX && rig_is_text(buf_span(&reason)));
		promise(span_chr(buf_span(&reason), '\n') == reason.n);
		promise((code == QQ_REFUSED || code == QQ_REFUSED_NOW) || reason.n == 0);
		check_received(buf_span(&sent), message, envelope);
	}
	qmqp_free_request(&request);
	buf_free(&reason);
	buf_free(&sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf text = { 0 };
	struct span in, message, envelope;
	struct qmqp_server server;

	rig_queue_reset(RIG_QUEUE_TAKES);
	rig_nuls(&text, rig_input(p, n), '~');
	in = buf_span(&text);
	if (in.n && in.p[0] == 's') {
		check_server(span_tail(in, 1));
	} else {
		message = rig_take(&in, '|');
		envelope = rig_take(&in, '|');
		check_client(message, envelope, in);
		if (qmqp_parse_server(message, &server))
			promise(server.port != 0 && server.ip.family != IP_NONE);
	}
	buf_free(&text);
	return 0;
}
