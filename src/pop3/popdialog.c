/* popdialog - commands and replies of POP3, as qmail-popup and qmail-pop3d share them. */
#include "pop3/popdialog.h"

#include <stdlib.h>

#include "lib/ascii.h"
#include "lib/sys.h"

void
popdialog_init(struct popdialog *d)
{
	*d = (struct popdialog){ .deadline = DEADLINE_NONE };
	io_in_init(&d->in, 0, d->input, sizeof d->input);
	io_out_init(&d->out, 1, d->output, sizeof d->output);
	d->in.tie = &d->out;
	d->in.timeout_ms = d->out.timeout_ms = POPDIALOG_TIMEOUT_MS;
	buf_init(&d->line, POPDIALOG_LINE_MAX - 1);
	/* All at once: growing would leave copies of a password behind. */
	(void)buf_room(&d->line, POPDIALOG_LINE_MAX - 1);
}

void
popdialog_free(struct popdialog *d)
{
	buf_wipe(&d->line);
	sys_wipe(d->input, sizeof d->input);
}

void
popdialog_ok(struct popdialog *d)
{
	io_puts(&d->out, "+OK \r\n");
}

void
popdialog_err(struct popdialog *d, const char *text)
{
	io_puts(&d->out, "-ERR ");
	io_puts(&d->out, text);
	io_puts(&d->out, "\r\n");
}

void
popdialog_capa(struct popdialog *d, bool passwords, const char *more)
{
	io_puts(&d->out, "+OK \r\nTOP\r\nUIDL\r\n");
	io_puts(&d->out, passwords ? "USER\r\n" : "");
	io_puts(&d->out, "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n");
	io_puts(&d->out, passwords ? "SASL PLAIN\r\n" : "");
	io_puts(&d->out, "UTF8 USER\r\n");
	io_puts(&d->out, more);
	io_puts(&d->out, ".\r\n");
}

bool
popdialog_takes_passwords(void)
{
	const char *only = getenv("POP3AUTH");

	return !only || !ascii_ieq(span_str(only), span_str("apop"));
}

enum io_status
popdialog_read(struct popdialog *d)
{
	buf_reset(&d->line);
	d->in.deadline = deadline_first(deadline_after(POPDIALOG_TIMEOUT_MS), d->deadline);
	return io_get_until(&d->in, '\n', &d->line);
}

struct span
popdialog_line(const struct popdialog *d)
{
	struct span line = buf_span(&d->line);

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return span_head(line, span_chr(line, '\0'));
}

static enum pop_next
run_line(struct popdialog *d, const struct pop_command *commands, size_t n,
    const char *otherwise, void *program)
{
	struct span line = popdialog_line(d);
	struct span verb = span_head(line, span_chr(line, ' ')), arg = span_tail(line, verb.n);

	while (arg.n && arg.p[0] == ' ')
		arg = span_tail(arg, 1);
	for (size_t i = 0; i < n; i++)
		if (ascii_ieq(verb, span_str(commands[i].verb)))
			return commands[i].run(program, arg);
	popdialog_err(d, otherwise);
	return POP_GOES_ON;
}

void
popdialog_run(struct popdialog *d, const struct pop_command *commands, size_t n,
    const char *otherwise, void *program)
{
	enum pop_next next = POP_GOES_ON;

	while (next == POP_GOES_ON) {
		switch (popdialog_read(d)) {
		case IO_OK:
			next = run_line(d, commands, n, otherwise, program);
			break;
		case IO_TOOLONG:
			popdialog_err(d, "command line too long");
			break;
		default:
			next = POP_ENDS;
		}
		if (d->out.status != IO_OK)
			next = POP_ENDS;
	}
	(void)!io_flush(&d->out);
}
