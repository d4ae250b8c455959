/* control/smtproutes, control/authsenders and the addresses of qmail-remote: a route is a host and
 * a port, perhaps with a whole login, or none; an address that goes into a command cannot end it,
 * and a server reads it as the same.
 * Input: host `|` address `|` text of the file. */
#include "remote/smtproute.h"

#include "lib/ascii.h"
#include "mail/addr5321.h"
#include "net/ip.h"
#include "remote/outgoing.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"|", "a.test", ".test", "a.test:relay.test:2525\n", ".test:[2001:db8::1]:26\n",
	":relay\n", "a.test:\n", ":", "[", "]", "65536", "0", "25", "\n", "joe@x.test",
	"\"a b\"@x", "@", " ", "\r", "\xff", ">", "\\", "[127.0.0.1]",
	"a.test:relay|user|pass\n", ":relay;465 -user pass\n", "@x.test", "-", ";", NULL
};

static void
check_route(struct span text, struct span host, struct span address)
{
	struct set routes = { .n = 0 };
	struct smtproute r;

	while (text.n) {
		struct span line = rig_take(&text, '\n'), key;

		if (span_chr(line, ':') == line.n)
			continue;
		key = rig_take(&line, ':');
		set_add(&routes, key, line);
	}
	promise(set_finish(&routes));
	r = smtproute_find(&routes, &routes, host, address);
	if (!r.fixed)
		promise(r.port == SMTP_PORT && span_eq(r.host, host));
	promise((r.user.n == 0) == (r.password.n == 0));
	promise(r.bad_login || r.user.n <= SMTPROUTE_LOGIN_MAX);
	promise(r.bad_login || r.password.n <= SMTPROUTE_LOGIN_MAX);
	if (!r.fixed)
		promise(r.user.n == 0 && !r.clear);
	set_free(&routes);
}

static void
check_address(struct span address)
{
	struct buf written = { 0 }, path = { 0 }, read = { 0 };
	struct span rest, domain = addr5321_domain(address);

	if (!outgoing_address(&written, address))
		goto out;
	for (size_t i = 0; i < written.n; i++)
		promise(!ascii_iscntrl(written.p[i]));
	if (address.n > ADDR5321_MAX || !address.n || address.p[0] == '@')
		goto out;
	for (size_t i = 0; i < domain.n; i++)
		if (!ascii_isalnum(domain.p[i]) && domain.p[i] != '.')
			goto out;
	if (span_rchr(address, '@') == address.n)
		goto out;	/* goes out as it is */
	buf_addc(&path, '<');
	buf_addbuf(&path, &written);
	buf_addc(&path, '>');
	promise(addr5321_parse(buf_span(&path), &read, &rest) == ADDR_OK && rest.n == 0);
	promise(span_eq(buf_span(&read), address));
out:
	buf_free(&written);
	buf_free(&path);
	buf_free(&read);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n), host = rig_take(&in, '|'), address = rig_take(&in, '|');

	check_route(in, host, address);
	check_address(address);
	return 0;
}
