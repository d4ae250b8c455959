/* dns - the questions a mail host asks, through the system's resolver.
 * libresolv finds the servers and repeats; what the answer means is decided here, from the answer
 * itself.  (res_nquery would hide the RCODE behind h_errno.)  TCP is ours, see net/dnstcp.h. */
#include "net/dns.h"

#include <netinet/in.h>
#include <arpa/nameser.h>	/* these three in this order: each needs the one before */
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ascii.h"
#include "lib/deadline.h"
#include "lib/num.h"
#include "lib/sys.h"
#include "net/dnsmsg.h"
#include "net/dnstcp.h"
#include "net/idn.h"

struct dns {
	struct __res_state state;
	bool ready;		/* else every question fails softly */
	bool tcp_always, tcp;	/* by resolv.conf; now */
	int64_t deadline;
	int retrans, retry;	/* seconds for a try, and tries, by resolv.conf */
	unsigned char answer[DNSMSG_MAX];
};

struct dns *
dns_open(void)
{
	struct dns *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->ready = res_ninit(&d->state) == 0;
	d->tcp_always = d->tcp = d->state.options & RES_USEVC;
	d->state.options &= ~(unsigned long)RES_USEVC;
	d->state.options |= RES_IGNTC;	/* what is cut off comes here as it is */
	d->deadline = DEADLINE_NONE;
	d->retrans = d->state.retrans > 0 ? d->state.retrans : 1;
	d->retry = d->state.retry > 0 ? d->state.retry : 1;
	return d;
}

void
dns_set_deadline(struct dns *d, int64_t deadline)
{
	d->deadline = deadline;
}

void
dns_close(struct dns *d)
{
	if (!d)
		return;
	if (d->ready)
		res_nclose(&d->state);
	free(d);
}

/* Makes all tries of one question by UDP fit into the time that is left, as well as seconds can;
 * false: there is none.  The library waits for all servers together retrans seconds for each of
 * them, as often as there are tries. */
static bool
set_patience(struct dns *d)
{
	int servers = d->state.nscount > 0 ? d->state.nscount : 1;
	int seconds;

	d->state.retrans = d->retrans;
	d->state.retry = d->retry;
	if (d->deadline == DEADLINE_NONE)
		return true;
	seconds = deadline_poll(d->deadline) / 1000;
	if (d->state.retry * servers > seconds)
		d->state.retry = seconds >= servers ? seconds / servers : 1;
	if (d->state.retrans > seconds / (servers * d->state.retry))
		d->state.retrans = seconds / (servers * d->state.retry);
	if (d->state.retrans < 1)
		d->state.retrans = 1;
	return deadline_poll(d->deadline) > 0;
}

/* The i-th server of resolv.conf; NULL: there is none of it. */
static const struct sockaddr *
name_server(const struct dns *d, int i, socklen_t *size)
{
	*size = sizeof d->state.nsaddr_list[i];
	if (d->state.nsaddr_list[i].sin_family == AF_INET)
		return (const struct sockaddr *)&d->state.nsaddr_list[i];
	*size = sizeof *d->state._u._ext.nsaddrs[i];
	return (const struct sockaddr *)d->state._u._ext.nsaddrs[i];
}

/* How long the i-th server may take: as long as the library would wait for all tries; before a
 * deadline no more than what is left for each of those to come. */
static int64_t
patience_by_tcp(const struct dns *d, int i)
{
	const int64_t wait_ms = (int64_t)d->state.retrans * d->state.retry * 1000;
	int64_t share;

	if (d->deadline == DEADLINE_NONE)
		return wait_ms;
	share = deadline_poll(d->deadline) / (d->state.nscount - i);
	return share < wait_ms ? share : wait_ms;
}

/* Each server once, until one has an answer. */
static int
send_by_tcp(struct dns *d, const unsigned char *question, size_t length, uint16_t id)
{
	enum dnsmsg_verdict verdict = DNSMSG_FAILURE;
	int n = -1;

	for (int i = 0; i < d->state.nscount && (verdict == DNSMSG_FAILURE ||
	    verdict == DNSMSG_MALFORMED); i++) {
		int64_t wait_ms = patience_by_tcp(d, i);
		struct dnsmsg_reader r;
		socklen_t size;
		const struct sockaddr *to = name_server(d, i, &size);

		if (wait_ms == 0 || !to)
			continue;
		n = dnstcp_ask(to, size, question, length, d->answer, sizeof d->answer, wait_ms);
		verdict = dnsmsg_open(&r, d->answer, n < 0 ? 0 : (size_t)n, id);
	}
	return n;
}

/* One question and its answer, which stays valid until the next. */
static enum dnsmsg_verdict
ask(struct dns *d, struct span name, enum dns_type type, bool edns, struct dnsmsg_reader *r)
{
	unsigned char question[DNSMSG_QUESTION_SIZE];
	struct dnsmsg_options o = { .edns = edns };
	size_t length;
	int n;

	if (!d->ready || !set_patience(d) || sys_random(&o.id, sizeof o.id) == -1)
		return DNSMSG_FAILURE;
#ifdef RES_TRUSTAD
	o.trust_ad = d->state.options & RES_TRUSTAD;
#endif
	length = dnsmsg_question(question, name, type, o);
	if (length == 0)
		return DNSMSG_NXDOMAIN;
	memset(d->answer, 0, DNSMSG_HEADER);
	n = d->tcp ? send_by_tcp(d, question, length, o.id) :
	    res_nsend(&d->state, question, (int)length, d->answer, (int)sizeof d->answer);
	if (n >= 0)
		return dnsmsg_open(r, d->answer, (size_t)n, o.id);
	/* The library gives up on a server that says FORMERR or NOTIMP and does not tell, but the
	 * buffer holds what came last. */
	return dnsmsg_open(r, d->answer, DNSMSG_HEADER, o.id) == DNSMSG_FORMERR ? DNSMSG_FORMERR :
	    DNSMSG_FAILURE;
}

/* As ask, once more without EDNS0 for servers that do not know it. */
static enum dnsmsg_verdict
ask_either_way(struct dns *d, struct span name, enum dns_type type, struct dnsmsg_reader *r)
{
	enum dnsmsg_verdict verdict = ask(d, name, type, true, r);

	return verdict == DNSMSG_FORMERR ? ask(d, name, type, false, r) : verdict;
}

/* What takes the records of an answer: DNS_OK goes on, DNS_SOFT means the record is malformed. */
typedef enum dns_status (*taker)(const struct dnsmsg_reader *r,
    const struct dnsmsg_record *record, void *to);

static enum dns_status
take_records(struct dnsmsg_reader *r, enum dns_type type, taker take, void *to)
{
	enum dns_status status = DNS_ABSENT;
	struct dnsmsg_record record;

	for (size_t taken = 0; taken < DNS_RECORDS_MAX; taken++) {
		enum dnsmsg_step step = dnsmsg_next(r, type, &record);

		if (step == DNSMSG_END)
			break;
		status = step == DNSMSG_RECORD ? take(r, &record, to) : DNS_SOFT;
		if (status != DNS_OK)
			break;
	}
	return status;
}

static enum dns_status
look_up_once(struct dns *d, struct span name, enum dns_type type, taker take, void *to,
    bool *malformed)
{
	struct dnsmsg_reader r;
	enum dns_status status;

	*malformed = false;
	switch (ask_either_way(d, name, type, &r)) {
	case DNSMSG_ANSWER:
		break;
	case DNSMSG_NXDOMAIN:
		return DNS_ABSENT;
	case DNSMSG_MALFORMED:
		*malformed = true;
		return DNS_SOFT;
	case DNSMSG_FORMERR:
	case DNSMSG_FAILURE:
	default:
		return DNS_SOFT;
	}
	status = take_records(&r, type, take, to);
	*malformed = status == DNS_SOFT;
	return status;
}

/* An answer that came mangled or cut off by UDP is asked for again by TCP.  undo(to) forgets the
 * records taken from it. */
static enum dns_status
look_up_ascii(struct dns *d, struct span name, enum dns_type type, taker take, void (*undo)(void *),
    void *to)
{
	bool malformed;
	enum dns_status status = look_up_once(d, name, type, take, to, &malformed);

	if (malformed && !d->tcp) {
		undo(to);
		d->tcp = true;
		status = look_up_once(d, name, type, take, to, &malformed);
		d->tcp = d->tcp_always;
	}
	if (status != DNS_OK)
		undo(to);
	return status;
}

static enum dns_status
look_up(struct dns *d, struct span name, enum dns_type type, taker take, void (*undo)(void *),
    void *to)
{
	enum dns_status status = DNS_ABSENT;
	struct buf ascii = { 0 };

	if (!idn_is_foreign(name))
		return look_up_ascii(d, name, type, take, undo, to);
	switch (idn_add_ascii(name, &ascii)) {
	case IDN_OK:
		status = look_up_ascii(d, buf_span(&ascii), type, take, undo, to);
		break;
	case IDN_NONE:
		break;
	case IDN_MEMORY:
		status = DNS_MEMORY;
		break;
	}
	buf_free(&ascii);
	return status;
}

/* ---- addresses ---- */

struct address_sink {
	struct ip_list *to;
	size_t before;
};

static enum dns_status
take_address(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, void *to)
{
	struct address_sink *sink = to;
	struct ip ip;

	if (!dnsmsg_address(r, record, &ip))
		return DNS_SOFT;
	return ip_list_add(sink->to, &ip) == 0 ? DNS_OK : DNS_MEMORY;
}

static void
undo_addresses(void *to)
{
	struct address_sink *sink = to;

	sink->to->n = sink->before;
}

enum dns_status
dns_family(struct dns *d, struct span name, enum ip_family family, struct ip_list *to)
{
	struct address_sink sink = { to, to->n };

	return look_up(d, name, family == IP_V4 ? DNS_A : DNS_AAAA, take_address, undo_addresses,
	    &sink);
}

enum dns_status
dns_addresses_partly(struct dns *d, struct span name, struct ip_list *to, bool *partly)
{
	struct address_sink sink = { to, to->n };
	enum dns_status v4, v6;

	v4 = look_up(d, name, DNS_A, take_address, undo_addresses, &sink);
	if (v4 == DNS_MEMORY)
		return v4;
	sink.before = to->n;
	v6 = look_up(d, name, DNS_AAAA, take_address, undo_addresses, &sink);
	*partly = v4 == DNS_SOFT || v6 == DNS_SOFT;
	if (v4 == DNS_OK && v6 != DNS_MEMORY)
		return DNS_OK;
	return v6 == DNS_ABSENT ? v4 : v6;
}

enum dns_status
dns_addresses(struct dns *d, struct span name, struct ip_list *to)
{
	bool partly;

	return dns_addresses_partly(d, name, to, &partly);
}

/* ---- mail exchangers ---- */

enum dns_status
dns_mx_add(struct dns_mx_list *l, uint16_t preference, struct span name)
{
	struct dns_mx *mx;

	if (l->n == l->size) {
		size_t size = l->size ? l->size : 4, bytes;

		if ((l->size && num_mul(size, 2, &size)) || num_mul(size, sizeof *mx, &bytes) ||
		    !(mx = realloc(l->list, bytes)))
			return DNS_MEMORY;
		l->list = mx;
		l->size = size;
	}
	mx = &l->list[l->n];
	mx->preference = preference;
	mx->name = malloc(name.n + 1);
	if (!mx->name)
		return DNS_MEMORY;
	if (name.n)
		memcpy(mx->name, name.p, name.n);
	mx->name[name.n] = '\0';
	l->n++;
	return DNS_OK;
}

static enum dns_status
take_mx(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, void *to)
{
	struct buf name = BUF_CAP(DNSMSG_NAME_MAX);
	enum dns_status status = DNS_SOFT;
	uint16_t preference;

	if (dnsmsg_u16(r, record, &preference) && dnsmsg_name(r, record, 2, &name))
		status = buf_ok(&name) ? dns_mx_add(to, preference, buf_span(&name)) : DNS_MEMORY;
	buf_free(&name);
	return status;
}

static void
undo_mx(void *to)
{
	dns_mx_free(to);
}

enum dns_status
dns_mx(struct dns *d, struct span name, struct dns_mx_list *to)
{
	return look_up(d, name, DNS_MX, take_mx, undo_mx, to);
}

void
dns_mx_free(struct dns_mx_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->list[i].name);
	free(l->list);
	*l = (struct dns_mx_list){ 0 };
}

/* ---- names ---- */

static enum dns_status
take_name(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, void *to)
{
	struct buf *name = to;

	if (name->n)		/* the first one counts */
		return DNS_OK;
	if (!dnsmsg_name(r, record, 0, name))
		return DNS_SOFT;
	return buf_ok(name) ? DNS_OK : DNS_MEMORY;
}

static void
undo_name(void *to)
{
	buf_reset(to);
}

static enum dns_status
look_up_address(struct dns *d, const struct ip *ip, taker take, struct buf *to)
{
	struct buf question = BUF_CAP(DNSMSG_NAME_MAX);
	enum dns_status status = DNS_MEMORY;

	buf_reset(to);
	dnsmsg_reverse(ip, &question);
	if (buf_ok(&question))
		status = look_up(d, buf_span(&question), DNS_PTR, take, undo_name, to);
	buf_free(&question);
	return status;
}

enum dns_status
dns_ptr(struct dns *d, const struct ip *ip, struct buf *name)
{
	enum dns_status status = look_up_address(d, ip, take_name, name);

	if (status == DNS_OK && name->n == 0)
		return DNS_ABSENT;
	if (status == DNS_OK)
		ascii_lower_n(name->p, name->n);
	return status;
}

/* ---- lists of texts ---- */

static enum dns_status
end_text(struct buf *texts)
{
	buf_addc(texts, '\0');
	return buf_ok(texts) ? DNS_OK : DNS_MEMORY;
}

static enum dns_status
take_text(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, void *to)
{
	return dnsmsg_text(r, record, to) ? end_text(to) : DNS_SOFT;
}

static enum dns_status
take_each_name(const struct dnsmsg_reader *r, const struct dnsmsg_record *record, void *to)
{
	return dnsmsg_name(r, record, 0, to) ? end_text(to) : DNS_SOFT;
}

enum dns_status
dns_txt(struct dns *d, struct span name, struct buf *texts)
{
	buf_reset(texts);
	return look_up(d, name, DNS_TXT, take_text, undo_name, texts);
}

enum dns_status
dns_ptr_all(struct dns *d, const struct ip *ip, struct buf *names)
{
	return look_up_address(d, ip, take_each_name, names);
}

/* ---- aliases ---- */

enum dns_status
dns_canonical(struct dns *d, struct span name, struct buf *canonical)
{
	struct buf next = BUF_CAP(DNSMSG_NAME_MAX);
	enum dns_status status = DNS_OK;

	buf_reset(canonical);
	buf_addspan(canonical, name);
	for (int i = 0; i <= DNS_ALIASES_MAX && status == DNS_OK; i++) {
		buf_reset(&next);
		status = look_up(d, buf_span(canonical), DNS_CNAME, take_name, undo_name, &next);
		if (status == DNS_OK) {
			buf_reset(canonical);
			buf_addbuf(canonical, &next);
		}
	}
	buf_free(&next);
	if (!buf_ok(canonical))
		return DNS_MEMORY;
	return status == DNS_ABSENT ? DNS_OK : status == DNS_OK ? DNS_SOFT : status;
}
