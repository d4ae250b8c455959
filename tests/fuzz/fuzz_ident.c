/* Answers of ident servers: a user without blanks within the limit, from one line, whatever comes;
 * and addresses as text, against the C library.  Input: an answer `|` an address. */
#include "tools/ident.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "net/dnsmsg.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"|", "4004 , 25 : USERID : UNIX : joe\r\n", "4004,25:ERROR:NO-USER\r\n", ":", ": ", "\r",
	"\n", " ", "\t", "~", "\xff",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "127.0.0.1",
	"256", "1.2.3", "::1", "2001:db8::1", "::ffff:192.0.2.1", "%eth0", "IPv6:", "[", "]",
	"01", "0x1", NULL
};

static void
check_user(struct span user)
{
	promise(user.n <= IDENT_USER_MAX);
	for (size_t i = 0; i < user.n; i++)
		promise(user.p[i] != ' ' && user.p[i] != '\t' && user.p[i] != '\r' &&
		    user.p[i] != '\n');
}

static void
check_ident(struct span says)
{
	const struct ident_connection c = { .local_port = 25, .remote_port = 4004 };
	struct buf asked = { 0 }, user = { 0 }, parsed = { 0 };
	struct span line = span_head(says, span_chr(says, '\n'));
	bool known;

	rig_connect(rig_peer(says));
	known = ident_ask(&c, 1000, &user);
	rig_peer_heard(&asked);
	promise(span_eq(buf_span(&asked), span_str("4004 , 25\r\n")));
	promise(known == (line.n < says.n && line.n <= IDENT_ANSWER_MAX &&
	    ident_parse(line, &parsed)));
	if (known) {
		check_user(buf_span(&user));
		promise(span_eq(buf_span(&user), buf_span(&parsed)));
	}
	buf_free(&asked);
	buf_free(&user);
	buf_free(&parsed);
}

static void
check_address(struct span text)
{
	char copy[IP_TEXT_SIZE] = "", out[IP_TEXT_SIZE];
	unsigned char bytes[16];
	struct ip ip, again;
	struct buf name = { 0 };
	bool good = ip_parse(text, &ip);

	if (text.n && text.n < sizeof copy && span_chr(text, '\0') == text.n) {
		memcpy(copy, text.p, text.n);
		if (inet_pton(AF_INET6, copy, bytes) == 1 || inet_pton(AF_INET, copy, bytes) == 1)
			promise(good && memcmp(bytes, ip.bytes, ip.family == IP_V4 ? 4 : 16) == 0);
	}
	if (!good && !ip_parse_literal(text, &ip))
		return;
	(void)ip_format(&ip, out);
	promise(ip_parse(span_str(out), &again) && ip_equal(&ip, &again));
	dnsmsg_reverse(&ip, &name);
	promise(name.n > 0 && name.n <= DNSMSG_NAME_MAX && rig_is_text(buf_span(&name)));
	buf_free(&name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 };
	struct span rest;

	rig_nuls(&in, rig_input(p, n), '~');
	rest = buf_span(&in);
	check_ident(rig_take(&rest, '|'));
	check_address(rest);
	buf_free(&in);
	return 0;
}
