/* dns: how long the library is given for a question, and name servers by TCP. */
#include <netinet/in.h>
#include <arpa/nameser.h>	/* these three in this order: each needs the one before */
#include <resolv.h>

#include "net/dnstcp.h"
#include "tap.h"

static int send_by_udp(const struct __res_state *state);
static int ask_by_tcp(int64_t wait_ms);
static struct { int servers, retrans, retry; } conf;

/* In place of the system's resolver: resolv.conf says this; nobody answers. */
#undef res_ninit
#undef res_nclose
#undef res_nsend
#define res_ninit(state) \
	((state)->nscount = conf.servers, (state)->retrans = conf.retrans, \
	    (state)->retry = conf.retry, \
	    (state)->nsaddr_list[0].sin_family = (state)->nsaddr_list[1].sin_family = \
	    (state)->nsaddr_list[2].sin_family = AF_INET, 0)
#define res_nclose(state) ((void)(state))
#define res_nsend(state, question, n, answer, size) send_by_udp(state)
#define dnstcp_ask(server, server_size, question, n, answer, size, ms) \
	((void)(server), (void)(server_size), (void)(question), (void)(n), ask_by_tcp(ms))
#include "net/dns.c"

static int udp_s, tcp_asked;
static int64_t tcp_ms;		/* for the first one */

/* glibc waits retrans << i seconds for the i-th server; from the second on, a share of that. */
static int
send_by_udp(const struct __res_state *state)
{
	udp_s = 0;
	for (int try = 0; try < state->retry; try++)
		for (int i = 0; i < state->nscount; i++) {
			int seconds = (state->retrans << i) / (i ? state->nscount : 1);

			udp_s += seconds > 0 ? seconds : 1;
		}
	return -1;
}

static int
ask_by_tcp(int64_t wait_ms)
{
	if (tcp_asked++ == 0)
		tcp_ms = wait_ms;
	return -1;
}

static const struct {
	int servers, retrans, retry, left_s, udp_s;
} rows[] = {	/* left_s 0: no deadline */
	{ 1, 5, 2, 0, 10 }, { 3, 5, 2, 0, 28 }, { 1, 0, 0, 0, 1 }, { 1, -1, -1, 0, 1 },
	{ 1, 5, 2, 60, 10 }, { 3, 5, 2, 60, 28 }, { 1, 5, 5, 21, 20 }, { 1, 5, 5, 6, 5 },
	{ 1, 30, 5, 21, 20 }, { 3, 5, 2, 21, 18 }, { 3, 5, 5, 21, 15 }, { 2, 5, 2, 5, 4 },
	{ 1, 5, 2, 3, 2 }, { 1, 5, 2, 1, 1 }, { 3, 5, 2, 1, 3 },
};

static void
test_patience(struct tap *t)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct dns *d;

		conf.servers = rows[i].servers;
		conf.retrans = rows[i].retrans;
		conf.retry = rows[i].retry;
		if (!ok(t, (d = dns_open()) != NULL, "a resolver"))
			return;
		if (rows[i].left_s)	/* half a second is for this test */
			dns_set_deadline(d, deadline_after(rows[i].left_s * 1000 + 500));
		ok(t, dns_txt(d, span_str("a.example"), &text) == DNS_SOFT,
		    "row %zu: nobody answers", i);
		ok(t, udp_s == rows[i].udp_s, "  by UDP, %d s", udp_s);
		d->tcp = true;
		tcp_asked = 0;
		ok(t, dns_txt(d, span_str("a.example"), &text) == DNS_SOFT, "  by TCP");
		ok(t, tcp_asked == conf.servers, "  %d servers", tcp_asked);
		ok(t, tcp_ms > 0 && (!rows[i].left_s ||
		    tcp_ms <= (rows[i].left_s * 1000 + 500) / conf.servers),
		    "  for their share: %d ms", (int)tcp_ms);
		dns_close(d);
	}
	buf_free(&text);
}

static void
test_no_time(struct tap *t)
{
	struct buf text = { 0 };
	struct dns *d;

	conf.servers = 3;
	conf.retrans = conf.retry = 5;
	if (!ok(t, (d = dns_open()) != NULL, "a resolver"))
		return;
	dns_set_deadline(d, deadline_after(0));
	udp_s = tcp_asked = 0;
	ok(t, dns_txt(d, span_str("a.example"), &text) == DNS_SOFT, "no time is left");
	d->tcp = true;
	ok(t, dns_txt(d, span_str("a.example"), &text) == DNS_SOFT, "  by TCP");
	ok(t, udp_s == 0 && tcp_asked == 0, "  and nobody is asked");
	dns_close(d);
	buf_free(&text);
}

int
main(void)
{
	struct tap t = { 0 };

	test_patience(&t);
	test_no_time(&t);
	return done(&t);
}
