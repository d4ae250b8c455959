/* qmail-spf - check senders against the SPF records of their domains.
 * Run by: qmail-smtpd, as its own uid, once for a session in which SPF is on.  fd 0: questions,
 * fd 1: answers (spf/link.h), fd 2: the log.  Arguments, environment: unused.
 * Controls: spf/controls.h.  All that DNS says is read here, by a process that can open no file,
 * become nobody else and trace nobody.
 * Exit: 0 at the end of the questions, 111 trouble. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/io.h"
#include "lib/errtext.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "lib/sig.h"
#include "net/ipme.h"
#include "spf/check.h"
#include "spf/controls.h"
#include "spf/link.h"

#define BUFFER 1024

struct spf_server {
	struct spf_controls controls;
	struct spf_policy policy;
	bool controls_bad;
	struct ipme own;
	struct dns *dns;
	struct io_in in;
	struct io_out out;
	char in_buffer[BUFFER], out_buffer[BUFFER];
};

static int
prepare(struct spf_server *s)
{
	const char *bad;

	sig_ignore(SIGPIPE);
	if (io_open_standard() == -1 || chdir(QMAIL_HOME) == -1)
		return -1;
	if ((bad = spf_controls_read(&s->controls, &s->policy))) {
		report_line(2, "qmail-spf: control/%s: %s", bad,
		    errno ? errtext(errno) : "malformed");
		s->controls_bad = true;
	}
	switch (ipme_read(&s->own, NULL)) {
	case IPME_OK:
		break;
	case IPME_CONTROLS:
		report_line(2, "qmail-spf: control/%s: %s", s->own.unread, errtext(errno));
		s->controls_bad = true;
		break;
	default:
		return -1;
	}
	if (!(s->dns = dns_open()))
		return -1;
	io_in_init(&s->in, 0, s->in_buffer, sizeof s->in_buffer);
	io_out_init(&s->out, 1, s->out_buffer, sizeof s->out_buffer);
	return sandbox_paths(NULL, 0);
}

static int
answer(struct spf_server *s, const struct spf_question *q)
{
	struct spf_request request = { .helo = q->helo, .sender = q->sender,
		.receiver = q->receiver, .now = date_now(), .policy = s->policy };
	struct spf_resolver resolver = spf_resolver_dns(s->dns);
	struct spf_answer a = { 0 };
	int r;

	if (s->controls_bad)
		return spf_link_answer(&s->out, SPF_LINK_WORD_CONTROLS, span_str(""),
		    span_str(""));
	if (ip_parse(q->ip, &request.ip))
		request.own = ipme_has(&s->own, &request.ip);
	spf_check(&request, &resolver, &a);
	r = spf_link_answer(&s->out, spf_result_word(a.result), buf_span(&a.text),
	    buf_span(&a.explanation));
	spf_answer_free(&a);
	return r;
}

static int
serve(struct spf_server *s)
{
	struct buf fields = { 0 };
	struct spf_question q;
	enum spf_link_status status;
	int r = 0;

	while (r == 0 && (status = spf_link_listen(&s->in, &fields, &q)) == SPF_LINK_OK)
		r = answer(s, &q);
	buf_free(&fields);
	return r == 0 && status == SPF_LINK_END ? CODE_OK : CODE_TEMP;
}

int
main(void)
{
	struct spf_server s = { .dns = NULL };
	int code = CODE_TEMP;

	if (prepare(&s) == 0)
		code = serve(&s);
	dns_close(s.dns);
	ipme_free(&s.own);
	spf_controls_free(&s.controls);
	return code;
}
