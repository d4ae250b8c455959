/* authconf - whether and how clients of qmail-smtpd may authenticate. */
#include "smtp/authconf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/buf.h"
#include "lib/fsops.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/progpath.h"
#include "net/ip.h"

/* ---- the environment ---- */

/* 0 if it is not set, empty or no number. */
static uint64_t
number(const char *text)
{
	uint64_t value = 0;

	if (num_lead_u64(span_str(text), UINT64_MAX, &value) == 0)
		value = 0;
	return value;
}

static bool
is_loopback(const char *text)
{
	struct ip ip;

	return text && ip_parse(span_str(text), &ip) && ip_is_loopback(&ip);
}

static bool
is_zero(const char *text)
{
	return strcmp(text, "0") == 0;
}

/* Passwords stay off a clear channel once there is another, or there has to be one: a certificate
 * that is gone must not open it. */
static bool
wants_encryption(void)
{
	const char *waived = getenv("FORCETLS"), *offer = getenv("UCSPITLS");
	const char *force = getenv("FORCE_TLS");

	if ((waived && is_zero(waived)) || number(getenv("ALLOW_INSECURE_AUTH")) > 0 ||
	    is_loopback(getenv("TCPREMOTEIP")))
		return false;
	return (force && !is_zero(force)) || (offer && strcmp(offer, "-") != 0) ||
	    fsops_is_named("control/servercert.pem");
}

static bool
starts(const char *text, const char *prefix)
{
	return ascii_istarts(span_str(text), span_str(prefix));
}

static bool
is_required(const char *smtpauth)
{
	const char *indimail = getenv("REQUIREAUTH");

	return number(getenv("REQUIRE_AUTH")) > 0 || (indimail && !is_zero(indimail)) ||
	    (smtpauth && (strcmp(smtpauth, "!") == 0 || starts(smtpauth, "!cram") ||
	    starts(smtpauth, "!+cram")));
}

/* SMTPAUTH, or, without it, what the builds did that did not know it. */
static void
choose_mechanisms(struct authconf *a, const char *smtpauth)
{
	const char *allow_cram = getenv("ALLOW_CRAM");

	a->password = true;
	if (!smtpauth)
		a->cram = a->old_lines && !(allow_cram && number(allow_cram) == 0);
	else if (strcmp(smtpauth, "-") == 0 || strcmp(smtpauth, "0") == 0)
		a->password = false;
	else if (starts(smtpauth, "cram") || starts(smtpauth, "!cram"))
		a->password = !(a->cram = true);
	else if (starts(smtpauth, "+cram") || starts(smtpauth, "!+cram"))
		a->cram = true;
}

/* ---- the arguments ---- */

enum style { STYLE_NONE, STYLE_OWN, STYLE_HOST, STYLE_CHECKER, STYLE_PAIRS, STYLE_AMBIGUOUS };

static bool
is_program(const char *name)
{
	struct buf path = { 0 };
	bool found = progpath_find(name, &path);

	buf_free(&path);
	return found;
}

static enum style
find_style(char *const args[], size_t n, const char *smtpauth)
{
	const char *told = getenv("SMTPAUTHARGS");

	if (n == 0)
		return smtpauth ? STYLE_OWN : STYLE_NONE;
	if (n == 1)
		return STYLE_NONE;
	if (told && strcmp(told, "host") == 0)
		return n > 2 ? STYLE_HOST : STYLE_NONE;
	if (told && strcmp(told, "pair") == 0)
		return n > 3 ? STYLE_PAIRS : STYLE_CHECKER;
	if (told && strcmp(told, "plain") == 0)
		return STYLE_CHECKER;
	if (n == 2 || strchr(args[0], '/'))
		return STYLE_CHECKER;
	return is_program(args[0]) ? STYLE_AMBIGUOUS : STYLE_HOST;
}

static void
cut_pairs(struct authconf *a, char *args[])
{
	for (size_t i = 0; i < 4; i++)
		a->pair[i / 2][i % 2] = args[i];
	a->checker = a->pair[0];
	a->cram_checker = a->pair[1];
}

static void
use_own(struct authconf *a)
{
	memcpy(a->own[0], AUTHCONF_CHECKER, sizeof AUTHCONF_CHECKER);
	memcpy(a->own[1], AUTHCONF_PROGRAM, sizeof AUTHCONF_PROGRAM);
	a->pair[0][0] = a->own[0];
	a->pair[0][1] = a->own[1];
	a->checker = a->cram_checker = a->pair[0];
}

static bool
believes_everybody(const char *checker)
{
	struct span path = span_str(checker);
	size_t slash = span_rchr(path, '/');

	if (slash < path.n)
		path = span_tail(path, slash + 1);
	return span_eq(path, span_str("true")) || !path.n;
}

static void
take_arguments(struct authconf *a, char *args[], enum style style)
{
	const char *order = getenv("SMTPAUTH_CRAMORDER");

	switch (style) {
	case STYLE_OWN:
		use_own(a);
		break;
	case STYLE_HOST:
		a->host = args[0];
		a->checker = a->cram_checker = args + 1;
		break;
	case STYLE_PAIRS:
		cut_pairs(a, args);
		break;
	default:
		a->checker = a->cram_checker = args;
	}
	a->old_lines = style == STYLE_HOST;
	a->challenge_first = order && strcmp(order, "challenge") == 0;
	if (style == STYLE_AMBIGUOUS)
		a->flaw = "the first argument may be a host name or a checker, "
		    "set SMTPAUTHARGS to host or plain";
	else if (believes_everybody(a->checker[0]) || believes_everybody(a->cram_checker[0]))
		a->flaw = "the checker would be true(1), which believes everybody";
}

void
authconf_read(struct authconf *a, char *args[])
{
	const char *smtpauth = getenv("SMTPAUTH");
	enum style style;
	size_t n = 0;

	while (args[n])
		n++;
	style = find_style(args, n, smtpauth);
	/* First of all: whatever is wrong with the rest, it must not let everybody in. */
	a->required = is_required(smtpauth);
	if (style == STYLE_NONE && !a->required)
		return;
	a->configured = true;
	a->log = !io_same_file(2, 0) && !io_same_file(2, 1);
	a->delay_ms = AUTHCONF_DELAY_MS;
	a->checker_ms = AUTHCONF_CHECKER_MAX_MS;
	if (style == STYLE_NONE) {
		a->flaw = "it is required, and the arguments name no checker: "
		    "all mail is refused";
		return;
	}
	take_arguments(a, args, style);
	choose_mechanisms(a, smtpauth);
	if (a->flaw)
		a->password = a->cram = false;
	a->encrypted_only = wants_encryption();
}
