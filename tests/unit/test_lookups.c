/* outgoing, with a clock and a name system of our own: how long lookups may take in all. */
#include <stdlib.h>

#include "lib/deadline.h"
#include "net/dns.h"
#include "remote/outgoing.h"
#include "tap.h"

#define MINUTE_MS ((int64_t)60 * 1000)

/* The state of what stands in for the two; of one test, so there is one. */
static struct {
	int64_t now_ms, deadline_ms;
	int64_t mx_ms, address_ms;	/* what a lookup takes */
	unsigned refused;		/* lookups after the deadline */
} world;

int64_t
deadline_now(void)
{
	return world.now_ms;
}

int64_t
deadline_after(int64_t wait_ms)
{
	return world.now_ms + (wait_ms > 0 ? wait_ms : 0);
}

int64_t
deadline_first(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int
deadline_poll(int64_t deadline)
{
	return deadline == DEADLINE_NONE ? -1 : (int)(deadline - world.now_ms);
}

void
dns_set_deadline(struct dns *d, int64_t deadline)
{
	(void)d;
	world.deadline_ms = deadline;
}

static bool
took(int64_t wait_ms)
{
	if (world.now_ms >= world.deadline_ms) {
		world.refused++;
		return false;
	}
	world.now_ms += wait_ms;
	return true;
}

enum dns_status
dns_addresses_partly(struct dns *d, struct span name, struct ip_list *to, bool *partly)
{
	(void)d;
	(void)name;
	(void)to;
	(void)partly;
	(void)took(world.address_ms);
	return DNS_SOFT;
}

/* As many as are looked at, all alike. */
enum dns_status
dns_mx(struct dns *d, struct span name, struct dns_mx_list *to)
{
	(void)d;
	if (!took(world.mx_ms))
		return DNS_SOFT;
	to->list = calloc(50, sizeof *to->list);
	for (to->n = 0; to->list && to->n < 50; to->n++)
		if (!(to->list[to->n].name = calloc(1, name.n + 1)))
			return DNS_MEMORY;
		else
			memcpy(to->list[to->n].name, name.p, name.n);
	return to->list ? DNS_OK : DNS_MEMORY;
}

void
dns_mx_free(struct dns_mx_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->list[i].name);
	free(l->list);
}

static const struct {
	const char *what;
	int64_t connect_ms, mx_ms, address_ms;
	bool fixed;
	int64_t took_ms;
	unsigned refused;
} rows[] = {
	{ "all answer at once", MINUTE_MS, 0, 0, false, 0, 0 },
	{ "fifty dead name servers", MINUTE_MS, 0, MINUTE_MS, false, 10 * MINUTE_MS, 40 },
	{ "the first question counts", MINUTE_MS, 5 * MINUTE_MS, MINUTE_MS, false, 10 * MINUTE_MS,
	    45 },
	{ "nothing is left for the addresses", MINUTE_MS, 11 * MINUTE_MS, MINUTE_MS, false,
	    11 * MINUTE_MS, 50 },
	{ "ten times a long timeoutconnect", 2 * MINUTE_MS, 0, MINUTE_MS, false, 20 * MINUTE_MS,
	    30 },
	{ "a short one", 1000, 0, MINUTE_MS, false, 10 * MINUTE_MS, 40 },
	{ "a relay", MINUTE_MS, 0, MINUTE_MS, true, MINUTE_MS, 0 },
};

static void
test_time(struct tap *t)
{
	static char recipient[] = "joe@x.example";
	char *recipients[] = { recipient, NULL };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct settings settings = { .connect_ms = rows[i].connect_ms };
		struct message message;
		struct buf report = { 0 };
		const struct outgoing d = { .recipients = recipients, .n = 1,
			.settings = &settings, .message = &message,
			.route = { .host = span_str("x.example"), .port = SMTP_PORT,
			.fixed = rows[i].fixed } };

		world.now_ms = 0;
		world.deadline_ms = DEADLINE_NONE;
		world.refused = 0;
		world.mx_ms = rows[i].mx_ms;
		world.address_ms = rows[i].address_ms;
		buf_adds(&settings.helohost, "me.example");
		message_open(&message, -1);
		outgoing_run(&d, &report);
		ok(t, report.n && report.p[0] == 'Z', "%s: not for good", rows[i].what);
		is_num(t, world.now_ms, rows[i].took_ms, "  the time it took");
		is_num(t, world.refused, rows[i].refused, "  lookups that were too late");
		ok(t, world.deadline_ms == DEADLINE_NONE, "  the next delivery has its own time");
		buf_free(&report);
		settings_free(&settings);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_time(&t);
	return done(&t);
}
