/* sasl - the mechanisms of AUTH. */
#include "smtp/sasl.h"

#include "lib/ascii.h"
#include "lib/base64.h"
#include "lib/date.h"
#include "lib/md5.h"
#include "lib/sys.h"

#define RANDOM_BYTES 16		/* of a challenge */

static const char ask_user[] = "VXNlcm5hbWU6", ask_password[] = "UGFzc3dvcmQ6";

/* Base64 to the end of an empty buffer. */
static enum reply
decode(struct span text, struct buf *to)
{
	buf_reset(to);
	return base64_decode(to, text) ? REPLY_OK : REPLY_AUTH_MALFORMED;
}

static enum reply
ask(struct sasl *x, struct span question, struct buf *answer)
{
	enum reply r;

	io_puts(&x->s->out, "334 ");
	io_putspan(&x->s->out, question);
	io_puts(&x->s->out, "\r\n");
	if ((r = session_read_line(x->s, &x->line)) != REPLY_OK)
		return r == REPLY_LONG_LINE ? REPLY_AUTH_LONG_LINE : r;
	if (span_eq(buf_span(&x->line), span_str("*")))
		return REPLY_AUTH_CANCELLED;
	return decode(buf_span(&x->line), answer);
}

/* The initial response, where `=` is an empty one, or the answer to the question. */
static enum reply
take_or_ask(struct sasl *x, struct span initial, const char *question, struct buf *answer)
{
	if (!initial.n)
		return ask(x, span_str(question), answer);
	if (span_eq(initial, span_str("=")))
		initial.n = 0;
	return decode(initial, answer);
}

/* Neither may be empty, nor end early for the checker. */
static bool
is_usable(struct span field)
{
	return field.n && span_chr(field, '\0') == field.n;
}

static enum reply
run_plain(struct sasl *x, struct span initial)
{
	enum reply r = take_or_ask(x, initial, "", &x->text);
	struct span text, as;

	if (r != REPLY_OK)
		return r;
	text = buf_span(&x->text);
	as = span_head(text, span_chr(text, '\0'));
	text = span_tail(text, as.n + 1);
	x->login.user = span_head(text, span_chr(text, '\0'));
	x->login.secret = span_tail(text, x->login.user.n + 1);
	if (!is_usable(x->login.user) || !is_usable(x->login.secret))
		return REPLY_AUTH_MALFORMED;
	if (as.n && !span_eq(as, x->login.user))
		return REPLY_AUTH_FAILED;	/* to act for somebody else: RFC 4616, 2 */
	return REPLY_OK;
}

static enum reply
run_login(struct sasl *x, struct span initial)
{
	enum reply r = take_or_ask(x, initial, ask_user, &x->name);

	if (r == REPLY_OK)
		r = ask(x, span_str(ask_password), &x->text);
	if (r != REPLY_OK)
		return r;
	x->login.user = buf_span(&x->name);
	x->login.secret = buf_span(&x->text);
	if (!is_usable(x->login.user) || !is_usable(x->login.secret))
		return REPLY_AUTH_MALFORMED;
	return REPLY_OK;
}

/* `<0123...cdef.1700000000@mail.example.org>`: never seen before.  -1: no random numbers. */
static int
add_challenge(const struct session *s, struct buf *to)
{
	unsigned char random[RANDOM_BYTES];
	char hex[MD5_HEX_SIZE];

	_Static_assert(RANDOM_BYTES == MD5_SIZE, "md5_hex writes them");
	if (sys_random(random, sizeof random) == -1)
		return -1;
	md5_hex(random, hex);
	buf_addc(to, '<');
	buf_adds(to, hex);
	buf_addc(to, '.');
	buf_addnum(to, (uint64_t)date_now());
	buf_addc(to, '@');
	if (s->conf->auth.host)
		buf_adds(to, s->conf->auth.host);
	else
		buf_addspan(to, s->conf->intake.peer.local_name);
	buf_addc(to, '>');
	return buf_ok(to) ? 0 : -1;
}

static bool
is_digest(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!ascii_isdigit(text.p[i]) && !(text.p[i] >= 'a' && text.p[i] <= 'f'))
			return false;
	return text.n == 2 * MD5_SIZE;
}

static enum reply
take_digest(struct sasl *x)
{
	struct span text = buf_span(&x->text);
	size_t blank = span_rchr(text, ' ');

	x->login.user = span_head(text, blank);
	x->login.secret = span_tail(text, blank + 1);
	x->login.third = buf_span(&x->name);
	return is_usable(x->login.user) && is_digest(x->login.secret) ? REPLY_OK :
	    REPLY_AUTH_MALFORMED;
}

static enum reply
run_cram(struct sasl *x, struct span initial)
{
	struct buf question = { 0 };
	enum reply r;

	if (initial.n)
		return REPLY_AUTH_MALFORMED;	/* the server speaks first */
	if (add_challenge(x->s, &x->name) == -1)
		return REPLY_MEMORY;
	base64_encode(&question, buf_span(&x->name));
	r = buf_ok(&question) ? ask(x, buf_span(&question), &x->text) : REPLY_MEMORY;
	buf_free(&question);
	return r == REPLY_OK ? take_digest(x) : r;
}

/* ---- one of them ---- */

static const struct mechanism {
	const char *name;
	enum reply (*run)(struct sasl *x, struct span initial);
	bool digest;
} mechanisms[] = {
	{ "plain", run_plain, false },
	{ "login", run_login, false },
	{ "cram-md5", run_cram, true },
};

static bool
is_offered(const struct mechanism *m, const struct authconf *conf)
{
	return m->digest ? conf->cram : conf->password;
}

static bool
prepare(struct sasl *x)
{
	buf_init(&x->line, SASL_LINE_MAX - 1);
	return buf_room(&x->line, SASL_LINE_MAX - 1) && buf_room(&x->name, SASL_LINE_MAX) &&
	    buf_room(&x->text, SASL_LINE_MAX);
}

enum reply
sasl_run(struct sasl *x, struct span arg)
{
	struct span name = span_head(arg, span_chr(arg, ' '));

	arg = span_tail(arg, name.n);
	while (arg.n && arg.p[0] == ' ')
		arg = span_tail(arg, 1);
	for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
		if (ascii_ieq(name, span_str(mechanisms[i].name)) &&
		    is_offered(&mechanisms[i], &x->s->conf->auth)) {
			x->method = mechanisms[i].name;
			return prepare(x) ? mechanisms[i].run(x, arg) : REPLY_MEMORY;
		}
	return REPLY_AUTH_MECHANISM;
}

void
sasl_wipe(struct sasl *x)
{
	struct session *s = x->s;

	buf_wipe(&x->line);
	buf_wipe(&x->name);
	buf_wipe(&x->text);
	if (s->line.p)
		sys_wipe(s->line.p, s->line.size);
	sys_wipe(s->in.buf, s->in.pos);
	sys_wipe(s->in.buf + s->in.end, s->in.size - s->in.end);
}
