/* Questions to name servers that answer anything: every look-up ends after a few questions, keeps
 * its limits, and what it gives is harmless.  Input: answers with a `|` between them, each without
 * the id, `~` for a NUL; an empty one is none at all. */
#include <netinet/in.h>
#include <arpa/nameser.h>	/* these three in this order: each needs the one before */
#include <resolv.h>

#include "net/dnstcp.h"
#include "rig.h"

static int play(const unsigned char *question, unsigned char *answer, size_t size);

/* In place of the system's resolver. */
#undef res_ninit
#undef res_nclose
#undef res_nsend
#define res_ninit(state) \
	((state)->options = 0, (state)->nscount = 1, \
	    (state)->nsaddr_list[0].sin_family = AF_INET, 0)
#define res_nclose(state) ((void)(state))
#define res_nsend(state, question, n, answer, size) play(question, answer, (size_t)(size))
#define dnstcp_ask(server, server_size, question, n, answer, size, ms) \
	((void)(server), (void)(server_size), (void)(n), (void)(ms), play(question, answer, size))
#include "net/dns.c"

#define ID_BYTES 2
#define QUESTIONS_ONE 4		/* EDNS0 or not, UDP or TCP */

const char *const fuzz_words[] = {
	"|", "~", "\x81\x80~\1~\1~~~~", "\x81\x80~\1~\2~~~~", "\x81\x83~\1~~~~~~", "\x81\x81",
	"\x81\x82", "\1a\2ex~~\1~\1", "\300\14~\1~\1~~~\5~\4\12~~\1",
	"\300\14~\17~\1~~~\5~\6~\12\1m\300\16", "\300\14~\5~\1~~~\5~\2\300\14",
	"\300\14~\34~\1~~~\5~\20abcdefghijklmnop", "\300\14~\20~\1~~~\5~\5\1a\2bc",
	 "\300\14~\14~\1~~~\5~\3\1x~", "\300\14", "\77",
	"\377", NULL
};

static struct {
	struct span left;
	size_t asked;
} server;

static int
play(const unsigned char *question, unsigned char *answer, size_t size)
{
	struct span text;

	server.asked++;
	if (!server.left.n)
		return -1;
	text = rig_take(&server.left, '|');
	if (!text.n)
		return -1;
	text = span_head(text, size - ID_BYTES);
	memcpy(answer, question, ID_BYTES);
	for (size_t i = 0; i < text.n; i++)
		answer[ID_BYTES + i] = text.p[i] == '~' ? 0 : (unsigned char)text.p[i];
	return (int)(text.n + ID_BYTES);
}

static void
begin(struct span in)
{
	server.left = in;
	server.asked = 0;
}

/* Nothing that could disturb a log, a header or a command. */
static void
check_name(struct span name)
{
	promise(name.n <= DNSMSG_NAME_MAX);
	for (size_t i = 0; i < name.n; i++)
		promise(ascii_isgraph(name.p[i]));
}

static void
check_addresses(struct dns *d, struct span in)
{
	struct ip_list list = { .n = 0 };

	begin(in);
	if (dns_addresses(d, span_str("a.ex"), &list) != DNS_OK)
		promise(list.n == 0);
	promise(list.n <= 2 * DNS_RECORDS_MAX && server.asked <= 2 * QUESTIONS_ONE);
	for (size_t i = 0; i < list.n; i++)
		promise(list.list[i].family == IP_V4 || list.list[i].family == IP_V6);
	ip_list_free(&list);
}

static void
check_mx(struct dns *d, struct span in)
{
	struct dns_mx_list list = { .n = 0 };

	begin(in);
	if (dns_mx(d, span_str("a.ex"), &list) != DNS_OK)
		promise(list.n == 0);
	promise(list.n <= DNS_RECORDS_MAX && server.asked <= QUESTIONS_ONE);
	for (size_t i = 0; i < list.n; i++)
		check_name(span_str(list.list[i].name));
	dns_mx_free(&list);
}

static void
check_names(struct dns *d, struct span in)
{
	const struct ip ip = { IP_V4, { 192, 0, 2, 1 } };
	struct buf name = { 0 };

	begin(in);
	if (dns_ptr(d, &ip, &name) == DNS_OK) {
		promise(name.n > 0);
		check_name(buf_span(&name));
	}
	promise(server.asked <= QUESTIONS_ONE);
	begin(in);
	if (dns_ptr_all(d, &ip, &name) == DNS_OK)
		promise(name.n > 0 && name.p[name.n - 1] == '\0');
	begin(in);
	if (dns_txt(d, span_str("a.ex"), &name) == DNS_OK)
		promise(name.n > 0 && name.p[name.n - 1] == '\0');
	promise(server.asked <= QUESTIONS_ONE);
	begin(in);
	(void)!dns_canonical(d, span_str("a.ex"), &name);
	check_name(buf_span(&name));
	promise(server.asked <= (DNS_ALIASES_MAX + 1) * QUESTIONS_ONE);
	buf_free(&name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct dns *d;	/* large */

	if (!d)
		d = dns_open();
	promise(d && d->ready);
	check_addresses(d, rig_input(p, n));
	check_mx(d, rig_input(p, n));
	check_names(d, rig_input(p, n));
	promise(!d->tcp);
	return 0;
}
