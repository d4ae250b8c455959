/* login - the client side of AUTH. */
#include "remote/login.h"

#include "lib/ascii.h"
#include "lib/base64.h"
#include "lib/md5.h"
#include "lib/sys.h"

enum {
	CONTINUE = 334,
	LOGGED_IN = 235,
	PASSWORD_EXPIRED = 432
};

/* what: `(plain)` and so on. */
static bool
rejected(struct dialogue *d, const char *what)
{
	/* It still waits for something of us; `*` ends that (RFC 4954, 4). */
	if (d->reply.code / 100 == CONTINUE / 100)
		io_puts(&d->out, "*\r\n");
	if (d->reply.code == PASSWORD_EXPIRED) {
		dialogue_record_reply(d, 'Z', "Connected to ", " but password expired.");
	} else {
		dialogue_record(d, 'Z', "Connected to ", " but authentication was rejected ");
		buf_adds(d->report, what);
		buf_addc(d->report, '.');
		dialogue_add_reply(d);
	}
	return dialogue_settle(d, d->reply.code == DIALOGUE_CLOSING ? DIALOGUE_NEXT :
	    DIALOGUE_FINAL);
}

/* Says it and reads the reply, which must be `wanted`. */
static bool
say(struct dialogue *d, struct span line, unsigned wanted, const char *what)
{
	io_putspan(&d->out, line);
	io_puts(&d->out, "\r\n");
	if (!dialogue_reply(d))
		return false;
	return d->reply.code == wanted || rejected(d, what);
}

/* The same for a secret, in base64. */
static bool
say_secret(struct dialogue *d, struct span secret, unsigned wanted, const char *what)
{
	struct buf line = { .secret = true };
	bool good;

	base64_encode(&line, secret);
	if (!buf_ok(&line))
		good = dialogue_settle(d, DIALOGUE_MEMORY);
	else
		good = say(d, buf_span(&line), wanted, what);
	/* It has been sent, or never will be. */
	sys_wipe(d->output + d->out.n, sizeof d->output - d->out.n);
	buf_free(&line);
	return good;
}

static bool
plain(struct dialogue *d, const struct login *login)
{
	struct buf secret = { .secret = true };
	bool good;

	if (!say(d, span_str("AUTH PLAIN"), CONTINUE, "(AUTH PLAIN)"))
		return false;
	/* Both identities: some servers want the first one. */
	buf_addspan(&secret, login->user);
	buf_addc(&secret, '\0');
	buf_addspan(&secret, login->user);
	buf_addc(&secret, '\0');
	buf_addspan(&secret, login->password);
	good = buf_ok(&secret) ? say_secret(d, buf_span(&secret), LOGGED_IN, "(plain)") :
	    dialogue_settle(d, DIALOGUE_MEMORY);
	buf_free(&secret);
	return good;
}

static bool
by_words(struct dialogue *d, const struct login *login)
{
	return say(d, span_str("AUTH LOGIN"), CONTINUE, "(AUTH LOGIN)") &&
	    say_secret(d, login->user, CONTINUE, "(username)") &&
	    say_secret(d, login->password, LOGGED_IN, "(password)");
}

/* The challenge in the last reply. */
static bool
read_challenge(struct dialogue *d, struct buf *to)
{
	struct span line = buf_span(&d->reply.text);

	line = span_tail(span_head(line, span_chr(line, '\n')), sizeof "334");
	return base64_decode(to, line) && to->n > 0;
}

static bool
cram_md5(struct dialogue *d, const struct login *login)
{
	unsigned char digest[MD5_SIZE];
	char hex[MD5_HEX_SIZE];
	struct buf challenge = { 0 }, answer = { 0 };
	bool good;

	if (!say(d, span_str("AUTH CRAM-MD5"), CONTINUE, "(AUTH CRAM-MD5)"))
		return false;
	if (!read_challenge(d, &challenge)) {
		buf_free(&challenge);
		return rejected(d, "(AUTH CRAM-MD5)");
	}
	md5_hmac(login->password, buf_span(&challenge), digest);
	md5_hex(digest, hex);
	buf_addspan(&answer, login->user);
	buf_addc(&answer, ' ');
	buf_adds(&answer, hex);
	good = buf_ok(&answer) ?
	    say_secret(d, buf_span(&answer), LOGGED_IN, "(username+digest)") :
	    dialogue_settle(d, DIALOGUE_MEMORY);
	buf_free(&challenge);
	buf_free(&answer);
	return good;
}

bool
login_perform(struct dialogue *d, const struct login *login, enum smtpreply_auth method)
{
	switch (method) {
	case SMTPREPLY_CRAM_MD5:
		return cram_md5(d, login);
	case SMTPREPLY_PLAIN:
		return plain(d, login);
	case SMTPREPLY_LOGIN:
		return by_words(d, login);
	case SMTPREPLY_NO_AUTH:
		break;
	}
	/* Going on without would be another message than the operator asked for. */
	dialogue_record_reply(d, 'Z', "Connected to ", " but it offers no AUTH method known here.");
	return dialogue_settle(d, DIALOGUE_NEXT);
}

static void
add_xtext(struct buf *to, struct span text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (ascii_isgraph(text.p[i]) && c != '+' && c != '=') {
			buf_addc(to, text.p[i]);
			continue;
		}
		buf_addc(to, '+');
		buf_addc(to, digits[c >> 4]);
		buf_addc(to, digits[c & 15]);
	}
}

void
login_put_parameter(struct dialogue *d, const struct login *login)
{
	struct buf text = BUF_CAP(LOGIN_AUTH_MAX);

	buf_adds(&text, " AUTH=");
	add_xtext(&text, login->user);
	if (buf_ok(&text))
		io_putspan(&d->out, buf_span(&text));
	buf_free(&text);
}
