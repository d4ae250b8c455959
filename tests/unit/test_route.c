/* route - channels and rewriting of recipients, and the way back; senders for one recipient. */
#include "mail/route.h"
#include "tap.h"

struct row {
	const char *name, *in;
	enum channel channel;
	const char *out;
};

static const struct row rows[] = {
	{ "local domain", "u@host.test", CHANNEL_LOCAL, "u@host.test" },
	{ "case of the domain does not matter, and is kept", "U@Host.TEST", CHANNEL_LOCAL,
	    "U@Host.TEST" },
	{ "other domain", "u@far.test", CHANNEL_REMOTE, "u@far.test" },
	{ "no host", "plain", CHANNEL_REMOTE, "plain@enh.test" },
	{ "empty", "", CHANNEL_REMOTE, "@enh.test" },
	{ "two @: the last counts", "u@far.test@host.test", CHANNEL_LOCAL, "u@far.test@host.test" },
	{ "percent", "u%far.test@hack.test", CHANNEL_REMOTE, "u@far.test" },
	{ "percent twice", "u%far.test%hack.test@hack.test", CHANNEL_REMOTE, "u@far.test" },
	{ "percent stops at another domain", "u%hack.test%far.test@hack.test", CHANNEL_REMOTE,
	    "u%hack.test@far.test" },
	{ "percent to a local domain", "u%host.test@hack.test", CHANNEL_LOCAL, "u@host.test" },
	{ "no percent sign", "u@hack.test", CHANNEL_REMOTE, "u@hack.test" },
	{ "percent elsewhere is a byte", "u%far.test@host.test", CHANNEL_LOCAL,
	    "u%far.test@host.test" },
	{ "virtual domain", "Info@V.test", CHANNEL_LOCAL, "vd-Info@V.test" },
	{ "virtual user before its domain", "joe@v.test", CHANNEL_LOCAL, "jj-joe@v.test" },
	{ "virtual user, any case", "JOE@v.test", CHANNEL_LOCAL, "jj-JOE@v.test" },
	{ "suffix", "u@a.w.test", CHANNEL_LOCAL, "wild-u@a.w.test" },
	{ "longest suffix first", "u@a.b.w.test", CHANNEL_LOCAL, "bw-u@a.b.w.test" },
	{ "a suffix is not the domain itself", "u@w.test", CHANNEL_REMOTE, "u@w.test" },
	{ "exception", "u@x.w.test", CHANNEL_REMOTE, "u@x.w.test" },
	{ "a user inside the exception", "joe@x.w.test", CHANNEL_LOCAL, "jx-joe@x.w.test" },
	{ "U-label of a local domain", "u@\303\274.test", CHANNEL_LOCAL, "u@\303\274.test" },
	{ "its A-label", "u@xn--tda.test", CHANNEL_LOCAL, "u@xn--tda.test" },
	{ "U-label of a virtual domain", "\303\266@a.\303\244.test", CHANNEL_LOCAL,
	    "vu-\303\266@a.\303\244.test" },
	{ "its A-label", "u@a.XN--4ca.test", CHANNEL_LOCAL, "vu-u@a.XN--4ca.test" },
	{ "a virtual user there", "joe@xn--4ca.test", CHANNEL_LOCAL, "ju-joe@xn--4ca.test" },
	{ "percent there", "u%far.test@\303\274.hack.test", CHANNEL_REMOTE, "u@far.test" },
	{ "locals win over virtual domains", "u@both.test", CHANNEL_LOCAL, "u@both.test" },
	{ "the last of equal keys counts", "u@twice.test", CHANNEL_LOCAL, "second-u@twice.test" },
};

static const char *const locals[] = { "host.test", "both.test", "\303\274.test", NULL };
static const char *const percenthack[] = { "hack.test", "xn--tda.hack.test", NULL };
static const char *const virtuals[] = {
	"v.test", "vd", "joe@v.test", "jj", ".w.test", "wild", ".b.w.test", "bw", "x.w.test", "",
	"joe@x.w.test", "jx", "both.test", "no", "twice.test", "first", "twice.test", "second",
	".xn--4ca.test", "vu", "joe@\303\244.test", "ju",
	NULL
};

static bool
fill(struct routes *r, bool catch_all)
{
	r->envnoathost = span_str("enh.test");
	for (size_t i = 0; locals[i]; i++)
		set_add(&r->locals, span_str(locals[i]), span_str(""));
	for (size_t i = 0; percenthack[i]; i++)
		set_add(&r->percenthack, span_str(percenthack[i]), span_str(""));
	for (size_t i = 0; virtuals[i]; i += 2)
		set_add(&r->virtualdomains, span_str(virtuals[i]), span_str(virtuals[i + 1]));
	if (catch_all)
		set_add(&r->virtualdomains, span_str(""), span_str("all"));
	return set_finish(&r->locals) && set_finish(&r->percenthack) &&
	    set_finish(&r->virtualdomains);
}

static void
drop(struct routes *r)
{
	set_free(&r->locals);
	set_free(&r->percenthack);
	set_free(&r->virtualdomains);
}

static void
check(struct tap *t, const struct routes *r, const struct row *row)
{
	struct buf out = { 0 };
	enum channel channel;

	buf_adds(&out, "kept:");
	channel = route_recipient(r, span_str(row->in), &out);
	ok(t, channel == row->channel, "%s: %s", row->name,
	    row->channel == CHANNEL_LOCAL ? "local" : "remote");
	ok(t, span_starts(buf_span(&out), span_str("kept:")), "%s: appended", row->name);
	is(t, span_tail(buf_span(&out), 5), span_str(row->out), row->name);
	buf_free(&out);
}

static void
test_recipients(struct tap *t)
{
	static const struct row all_rows[] = {
		{ "catch-all", "u@any.test", CHANNEL_LOCAL, "all-u@any.test" },
		{ "catch-all does not undo an exception", "u@x.w.test", CHANNEL_REMOTE,
		    "u@x.w.test" },
		{ "a virtual domain before the catch-all", "u@v.test", CHANNEL_LOCAL,
		    "vd-u@v.test" },
	};
	struct routes r = { .envnoathost = { NULL, 0 } }, all = { .envnoathost = { NULL, 0 } };

	ok(t, fill(&r, false) && fill(&all, true), "tables");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		check(t, &r, &rows[i]);
	for (size_t i = 0; i < sizeof all_rows / sizeof *all_rows; i++)
		check(t, &all, &all_rows[i]);
	drop(&r);
	drop(&all);
}

static void
test_original(struct tap *t)
{
	static const struct {
		const char *name, *in, *out;
	} originals[] = {
		{ "virtual domain", "vd-Info@V.test", "Info@V.test" },
		{ "virtual user", "jj-joe@v.test", "joe@v.test" },
		{ "suffix", "wild-u@a.w.test", "u@a.w.test" },
		{ "catch-all", "all-u@any.test", "u@any.test" },
		{ "prefix of another entry stays", "jj-u@v.test", "jj-u@v.test" },
		{ "case of the prefix counts", "VD-u@v.test", "VD-u@v.test" },
		{ "the prefix needs its dash", "vdu@v.test", "vdu@v.test" },
		{ "an exception has no prefix", "u@x.w.test", "u@x.w.test" },
		{ "no @", "all-u", "u" },
		{ "only once", "vd-vd-u@v.test", "vd-u@v.test" },
		{ "shorter than the prefix", "v@v.test", "v@v.test" },
		{ "empty", "", "" },
	};
	struct routes r = { .envnoathost = { NULL, 0 } };

	ok(t, fill(&r, true), "tables");
	for (size_t i = 0; i < sizeof originals / sizeof *originals; i++)
		is(t, route_original(&r, span_str(originals[i].in)), span_str(originals[i].out),
		    originals[i].name);
	drop(&r);
}

static void
test_senders(struct tap *t)
{
	static const struct {
		const char *name, *sender, *recipient, *out, *bounce_to;
	} senders[] = {
		{ "plain", "a@b", "r@y", "a@b", "a@b" },
		{ "empty", "", "r@y", "", "" },
		{ "per recipient", "list-@x.test-@[]", "bob@y.test", "list-bob=y.test@x.test",
		    "list-@x.test" },
		{ "recipient with two @", "l-@x-@[]", "a@b@y", "l-a@b=y@x", "l-@x" },
		{ "sender with two @", "l@m@x-@[]", "r@y", "l@mr=y@x", "l@m@x" },
		{ "double bounce", "#@[]", "r@y", "#@[]", "#@[]" },
		{ "recipient without @", "l-@x-@[]", "r", "l-@x-@[]", "l-@x" },
		{ "sender without another @", "l-@[]", "r@y", "l-@[]", "l" },
		{ "nothing but the mark", "-@[]", "r@y", "-@[]", "" },
	};

	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
		struct buf out = { 0 };

		route_sender(span_str(senders[i].sender), span_str(senders[i].recipient), &out);
		is(t, buf_span(&out), span_str(senders[i].out), senders[i].name);
		is(t, route_bounce_to(span_str(senders[i].sender)),
		    span_str(senders[i].bounce_to), senders[i].name);
		buf_free(&out);
	}
}

int
main(void)
{
	struct tap t = { 0 };

	test_recipients(&t);
	test_original(&t);
	test_senders(&t);
	return done(&t);
}
