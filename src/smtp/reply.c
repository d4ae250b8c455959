/* reply - everything qmail-smtpd says with fixed words.
 * Codes and (#x.y.z) are an interface, and so are the phrases that log scanners look for, each
 * before its code: `badmailfrom list`, `allowed rcpthosts`, `databytes limit`, `smtplf.html`. */
#include "smtp/reply.h"

static const struct {
	const char *text;	/* NULL: written by the command itself */
	enum reply_effect effect;
} replies[REPLY_COUNT] = {
	[REPLY_WRITTEN] = { NULL, REPLY_GOES_ON },
	[REPLY_WRITTEN_ERROR] = { NULL, REPLY_REFUSES },
	[REPLY_WRITTEN_END] = { NULL, REPLY_ENDS },
	[REPLY_LOST] = { NULL, REPLY_ENDS },
	[REPLY_QUIT] = { NULL, REPLY_ENDS },
	[REPLY_OK] = { "250 ok", REPLY_GOES_ON },
	[REPLY_VRFY] = { "252 cannot say, but will try to deliver", REPLY_GOES_ON },
	[REPLY_HELP] = { "214 see qmail-smtpd(8)", REPLY_GOES_ON },
	[REPLY_GO_AHEAD] = { "354 go ahead", REPLY_GOES_ON },
	[REPLY_LATER_MAIL] = { "503 MAIL first (#5.5.1)", REPLY_REFUSES },
	[REPLY_LATER_RCPT] = { "503 RCPT first (#5.5.1)", REPLY_REFUSES },
	[REPLY_UNIMPLEMENTED] = { "502 unimplemented (#5.5.1)", REPLY_REFUSES },
	[REPLY_NO_CHUNKS] = { "502 unimplemented (#5.5.1)", REPLY_ENDS },
	[REPLY_LONG_LINE] = { "500 command line too long (#5.5.2)", REPLY_REFUSES },
	[REPLY_ARGUMENT] = { "555 syntax error (#5.5.4)", REPLY_REFUSES },
	[REPLY_PARAMETER] = { "555 parameter not known or malformed (#5.5.4)", REPLY_REFUSES },
	[REPLY_LONG_ADDRESS] = { "555 syntax error, address too long (#5.5.4)", REPLY_REFUSES },
	[REPLY_SENDER_SYNTAX] = { "553 sender address not usable (#5.1.7)", REPLY_REFUSES },
	[REPLY_RECIPIENT_SYNTAX] = { "553 recipient address not usable (#5.1.3)", REPLY_REFUSES },
	[REPLY_BAD_SENDER] = { "553 the envelope sender is in my badmailfrom list (#5.7.1)",
	    REPLY_REFUSES },
	[REPLY_DENIED_SENDER] = { "553 sorry, your envelope sender has been denied (#5.7.1)",
	    REPLY_REFUSES },
	[REPLY_DENIED_RECIPIENT] = { "553 sorry, your envelope recipient has been denied (#5.7.1)",
	    REPLY_REFUSES },
	[REPLY_BAD_HELO] = { "553 sorry, your HELO host name has been denied (#5.7.1)",
	    REPLY_REFUSES },
	[REPLY_NULL_SENDER] = { "421 null senders temporarily denied (#4.3.0)", REPLY_ENDS },
	[REPLY_NO_SENDER_DOMAIN] = { "553 sorry, your envelope sender domain must exist (#5.7.1)",
	    REPLY_REFUSES },
	[REPLY_DNS_TROUBLE] = { "451 DNS temporary failure (#4.3.0)", REPLY_REFUSES },
	[REPLY_RELAY_CHARACTERS] = { "553 we don't relay (#5.7.1)", REPLY_REFUSES },
	[REPLY_MAX_RECIPIENTS] = { "452 max rcpt limit exceeded (#4.5.3)", REPLY_GOES_ON },
	[REPLY_BAD_RECIPIENTS] = { "421 too many invalid addresses, goodbye (#4.3.0)",
	    REPLY_ENDS },
	[REPLY_TALKER] = { "554 SMTP protocol violation", REPLY_ENDS },
	[REPLY_UNLISTED] = { "553 sorry, this recipient is not in my validrcptto list (#5.7.1)",
	    REPLY_REFUSES },
	[REPLY_NO_MAILBOX] = { "550 sorry, no mailbox here by that name. (#5.1.1)",
	    REPLY_REFUSES },
	[REPLY_RCPTCHECK_UNKNOWN] = { "421 unable to verify recipient (#4.3.0)", REPLY_ENDS },
	[REPLY_RCPTCHECK_UNABLE] = { "421 unable to execute recipient check (#4.3.0)",
	    REPLY_ENDS },
	[REPLY_OVER_LIMIT] = { "421 you have exceeded your messaging limits (#4.3.0)",
	    REPLY_ENDS },
	[REPLY_NOT_ASCII] = { "553 the address is not ASCII, and MAIL had no SMTPUTF8 (#5.6.7)",
	    REPLY_REFUSES },
	[REPLY_NOT_UTF8] = { "553 the address is not UTF-8 (#5.6.7)", REPLY_REFUSES },
	[REPLY_NOT_OURS] = { "553 not relayed, the domain is not in my list of "
	    "allowed rcpthosts (#5.7.1)", REPLY_REFUSES },
	/* Not an error of the client's: it sends to those accepted, the others follow later. */
	[REPLY_MANY_RECIPIENTS] = { "452 too many recipients, send to the others later (#4.5.3)",
	    REPLY_GOES_ON },
	[REPLY_SPF_LATER] = { "451 SPF lookup failure (#4.3.0)", REPLY_REFUSES },
	[REPLY_NAMELESS] = { "450 your address has no name, try again later (#4.7.1)",
	    REPLY_REFUSES },
	[REPLY_DIALUP] = { "450 your name is that of a dial-up line, try again later (#4.7.1)",
	    REPLY_REFUSES },
	[REPLY_GREYLISTED] = { "450 greylisted, try again later (#4.7.1)", REPLY_GOES_ON },
	[REPLY_TOO_BIG] = { "552 the message exceeds my databytes limit (#5.3.4)", REPLY_REFUSES },
	[REPLY_LOOP] = { "554 too many hops, this message is looping (#5.4.6)", REPLY_REFUSES },
	[REPLY_QUEUE_START] = { "451 qqt failure (#4.3.0)", REPLY_REFUSES },
	[REPLY_BARE_CR] = { "554 bare CR in the message text (#5.6.0)", REPLY_REFUSES },
	[REPLY_BARE_LF] = { "451 bare LF in the message text, see "
	    "https://cr.yp.to/docs/smtplf.html", REPLY_ENDS },
	[REPLY_TIMEOUT] = { "451 timeout (#4.4.2)", REPLY_ENDS },
	[REPLY_MEMORY] = { "421 out of memory (#4.3.0)", REPLY_ENDS },
	[REPLY_CONTROLS] = { "421 unable to read controls (#4.3.0)", REPLY_ENDS },
	[REPLY_OWN_ADDRESSES] = { "421 unable to find my own addresses (#4.3.0)", REPLY_ENDS },
	[REPLY_AUTH_OK] = { "235 ok, go ahead (#2.0.0)", REPLY_GOES_ON },
	[REPLY_AUTH_FAILED] = { "535 authentication failed (#5.7.1)", REPLY_REFUSES },
	[REPLY_AUTH_CANCELLED] = { "501 auth exchange canceled (#5.0.0)", REPLY_REFUSES },
	[REPLY_AUTH_MALFORMED] = { "501 malformed auth input (#5.5.4)", REPLY_REFUSES },
	[REPLY_AUTH_LONG_LINE] = { "500 auth line too long (#5.5.6)", REPLY_REFUSES },
	[REPLY_AUTH_MECHANISM] = { "504 auth type invalid (#5.5.1)", REPLY_REFUSES },
	[REPLY_AUTH_NONE] = { "503 auth not available (#5.3.3)", REPLY_REFUSES },
	[REPLY_AUTH_TWICE] = { "503 you're already authenticated (#5.5.0)", REPLY_REFUSES },
	[REPLY_AUTH_LATE] = { "503 no auth during mail transaction (#5.5.0)", REPLY_REFUSES },
	[REPLY_AUTH_NEEDS_TLS] = { "538 auth not available without TLS (#5.3.3)", REPLY_REFUSES },
	[REPLY_AUTH_FIRST] = { "530 Authorization required (#5.7.1) ", REPLY_REFUSES },
	[REPLY_AUTH_CHILD] = { "454 oops, problem with child and I can't auth (#4.3.0)",
	    REPLY_REFUSES },
	[REPLY_AUTH_START] = { "454 oops, child won't start and I can't auth (#4.3.0)",
	    REPLY_REFUSES },
	[REPLY_AUTH_PIPE] = { "454 oops, unable to open pipe and I can't auth (#4.3.0)",
	    REPLY_REFUSES },
	[REPLY_AUTH_ENOUGH] = { "421 too many failed logins, closing (#4.7.0)", REPLY_ENDS },
	[REPLY_AUTH_OTHER] = { "503 from and auth not the same (#5.5.1)", REPLY_REFUSES },
	[REPLY_AUTH_NOT_YOURS] = { "553 this login may not use that sender address (#5.7.1)",
	    REPLY_REFUSES },
	[REPLY_TLS_READY] = { "220 ready for tls", REPLY_GOES_ON },
	[REPLY_TLS_UCSPI_READY] = { "220 Ready to start TLS (#5.7.0)", REPLY_GOES_ON },
	[REPLY_TLS_LATER] = { "454 TLS not available: see the log (#4.3.0)", REPLY_REFUSES },
	[REPLY_TLS_UCSPI_LATER] = { "454 TLS not available due to temporary reason (#5.7.3)",
	    REPLY_ENDS },
	[REPLY_TLS_ARGUMENT] = { "501 Syntax error (no parameters allowed) (#5.5.4)",
	    REPLY_REFUSES },
	[REPLY_TLS_FOLLOWED] = { "501 nothing may follow STARTTLS before its reply (#5.5.1)",
	    REPLY_ENDS },
	[REPLY_TLS_FIRST] = { "503 STARTTLS first (#5.5.1)", REPLY_REFUSES },
	[REPLY_TLS_MUST] = { "530 must issue STARTTLS first (#5.7.0)", REPLY_REFUSES },
	[REPLY_TLS_REQUIRED] = { "535 STARTTLS required (#5.7.1)", REPLY_REFUSES },
	[REPLY_ENOUGH] = { "421 too many errors, closing (#4.7.0)", REPLY_ENDS },
};

void
reply_put(struct io_out *out, enum reply r)
{
	if (replies[r].text) {
		io_puts(out, replies[r].text);
		io_puts(out, "\r\n");
	}
}

const char *
reply_text(enum reply r)
{
	return replies[r].text;
}

bool
reply_is_refusal(enum reply r)
{
	return replies[r].text ? replies[r].text[0] > '3' :
	    r == REPLY_WRITTEN_ERROR || r == REPLY_WRITTEN_END;
}

bool
reply_puts_off(enum reply r)
{
	return r == REPLY_MANY_RECIPIENTS || r == REPLY_MAX_RECIPIENTS || r == REPLY_GREYLISTED;
}

enum reply_effect
reply_effect(enum reply r)
{
	return replies[r].effect;
}
