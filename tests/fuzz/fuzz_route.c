/* Recipients and what control files make of them: every address that leaves has a host; what a
 * virtual domain has put in front is taken off again; senders for one recipient each have their
 * shape.  Input: virtualdomains `|` locals `|` percenthack `|` recipient `|` sender. */
#include "mail/route.h"

#include "mail/addr5321.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"|", "virt.test:vd\n", ".virt.test:vd\n", ":all\n", "joe@virt.test:j\n", "here.test\n",
	"hack.test\n", "joe@virt.test", "a@here.test", "u%h@hack.test", "u%h%hack.test@hack.test",
	"joe", "@", "%", "-", "vd-", "vd-joe@virt.test", "list-@x.test-@[]", "-@[]", "#@[]", "",
	".", "\n", ":", "\xff", "x.virt.test", NULL
};

static void
load(struct set *s, struct span text, bool values)
{
	while (text.n) {
		struct span line = rig_take(&text, '\n'), key = line;

		if (values && span_chr(line, ':') == line.n)
			continue;
		if (values)
			key = rig_take(&line, ':');
		set_add(s, key, values ? line : span_str(""));
	}
	promise(set_finish(s));
}

static void
check_recipient(const struct routes *r, struct span recipient)
{
	struct buf to = { 0 }, again = { 0 };
	enum channel channel = route_recipient(r, recipient, &to);
	struct span out = buf_span(&to), original = route_original(r, out), prepend;

	promise(buf_ok(&to) && span_chr(out, '@') < out.n);
	promise(original.n <= out.n && original.p + original.n == out.p + out.n);
	if (channel == CHANNEL_REMOTE)
		promise(!set_find(&r->locals, addr5321_domain(out), NULL));
	/* Without the hack the address was only completed, and put behind a prefix. */
	if (channel == CHANNEL_LOCAL && !r->percenthack.n &&
	    !set_find(&r->locals, addr5321_domain(recipient), NULL)) {
		promise(out.n >= recipient.n);
		promise(set_find_domain(&r->virtualdomains, addr5321_domain(out), true, &prepend) ||
		    r->virtualdomains.n || r->locals.n);
	}
	/* Whatever bounces show is routed the same again. */
	if (original.n < out.n && channel == CHANNEL_LOCAL && !r->percenthack.n &&
	    !set_find(&r->locals, addr5321_domain(original), NULL)) {
		promise(route_recipient(r, original, &again) == CHANNEL_LOCAL);
		promise(span_eq(buf_span(&again), out));
	}
	buf_free(&to);
	buf_free(&again);
}

static void
check_sender(struct span sender, struct span recipient)
{
	struct buf to = { 0 };
	struct span plain = route_bounce_to(sender);

	route_sender(sender, recipient, &to);
	promise(span_starts(sender, plain));
	promise(plain.n == sender.n || plain.n + 4 == sender.n);
	if (plain.n == sender.n)
		promise(span_eq(buf_span(&to), sender));
	else
		promise(span_eq(buf_span(&to), sender) || to.n == plain.n + recipient.n);
	buf_free(&to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n), recipient;
	struct routes r = { .envnoathost = span_str("noat.test") };

	load(&r.virtualdomains, rig_take(&in, '|'), true);
	load(&r.locals, rig_take(&in, '|'), false);
	load(&r.percenthack, rig_take(&in, '|'), false);
	recipient = rig_take(&in, '|');
	check_recipient(&r, recipient);
	check_sender(in, recipient);
	set_free(&r.virtualdomains);
	set_free(&r.locals);
	set_free(&r.percenthack);
	return 0;
}
