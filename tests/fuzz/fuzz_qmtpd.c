/* The server of QMTP: whatever is sent, it answers with whole netstrings, says yes for exactly the
 * recipients that the queue has got, and every submission is ended.
 * The first byte of the input chooses the settings; a `~` in it stands for a NUL. */
#include "qmtp/package.h"

#include "lib/ascii.h"
#include "lib/num.h"
#include "rig.h"

#define LIMIT 40
#define SUFFIX "@relay.test"

const char *const fuzz_words[] = {
	"0", "1", "2", "4", "8", "~", ":", ",", "\n", "\r", "\r\n", "5:\nhey\n,", "6:\rhey\r\n,",
	"3:a@b,", "0:,", "15:11:j@ours.test,,", "14:10:j@far.test,,", "10:k@bad.test,", "15:",
	"11:j@ours.test,", "5:\nhey\n,3:a@b,15:11:j@ours.test,,", "00", "9", "99", "2000000009:",
	"18446744073709551615:", "\xff", "3:~@b,", NULL
};

struct answers {
	size_t all, good;
};

static struct answers
check_answers(struct span out)
{
	struct answers a = { 0, 0 };

	while (out.n) {
		struct span digits = rig_take(&out, ':');
		uint64_t length;

		promise(num_parse_u64(digits.p, digits.n, 1000, &length) == NUM_OK);
		promise(length > 0 && out.n > length && out.p[length] == ',');
		promise(out.p[0] == 'K' || out.p[0] == 'Z' || out.p[0] == 'D');
		promise(rig_is_text(span_head(out, (size_t)length)));
		a.good += out.p[0] == 'K';
		a.all++;
		out = span_tail(out, (size_t)length + 1);
	}
	return a;
}

static void
configure(struct intake *intake, unsigned choice)
{
	intake->size_limit = choice & 1 ? LIMIT : 0;
	intake->relay_client = choice & 2 ? SUFFIX : NULL;
	intake->relay.restricted = true;
	set_add(&intake->relay.hosts, span_str("ours.test"), span_str(""));
	set_add(&intake->bad_senders, span_str("@bad.test"), span_str(""));
	promise(set_finish(&intake->relay.hosts) && set_finish(&intake->bad_senders));
	intake->peer.remote_host = intake->peer.local_name = span_str("x.test");
	intake->peer.remote_ip = span_str("192.0.2.1");
	rig_queue_reset((enum rig_queue_mood)(choice >> 2 & 3));
}

static void
check_last(const struct intake *intake)
{
	const struct rig_message *m = rig_queue_last();
	struct span rest = buf_span(&m->recipients);

	promise(m->n > 0 && m->sender.n <= WIRE_ADDRESS_MAX);
	while (rest.n) {
		struct span recipient = rig_take(&rest, '\0');
		size_t at = span_rchr(recipient, '@');

		promise(recipient.n <= WIRE_ADDRESS_MAX);
		if (at < recipient.n)
			promise(ascii_ieq(span_tail(recipient, at + 1),
			    span_str(intake->relay_client ? "relay.test" : "ours.test")));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct intake intake = { 0 };
	struct buf in = { 0 }, said = { 0 };
	struct answers answers;
	struct wire w;

	configure(&intake, n ? p[0] : 0);
	rig_nuls(&in, span_tail(rig_input(p, n), 1), '~');
	wire_init(&w);
	w.in.fd = rig_file(0, buf_span(&in));
	w.out.fd = rig_file(1, span_str(""));
	while (w.status == WIRE_OK)
		package_receive(&w, &intake);
	(void)!wire_end(&w);
	rig_file_text(1, &said);
	answers = check_answers(buf_span(&said));
	promise(rig_queue_open() == 0 && answers.good == rig_queue_recipients());
	if (rig_queue_count())
		check_last(&intake);
	intake_free(&intake);
	buf_free(&in);
	buf_free(&said);
	return 0;
}
