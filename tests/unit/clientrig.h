/* clientrig - whole dialogues of remote/smtpclient with a scripted server, for unit tests. */
#ifndef CLIENTRIG_H
#define CLIENTRIG_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/io.h"
#include "remote/smtpclient.h"
#include "smtpserver.h"
#include "tap.h"

#define REPLIES 16

#define EHLO_ALL "250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 8BITMIME\r\n"

struct row {
	const char *what;
	const char *replies[REPLIES];
	const char *message;
	const char *recipients;		/* one letter each; or sender>recipient,recipient */
	enum dialogue_outcome outcome;
	const char *report;		/* NUL shown as `|` */
	const char *seen;		/* lines the server got; NULL: not compared */
};

/* `sender>recipient,recipient`; false: it is not that. */
static bool
take_envelope(const char *text, struct smtpclient_job *job, struct span *spans)
{
	struct span rest = span_str(text);
	size_t end = span_chr(rest, '>');

	if (end == rest.n)
		return false;
	job->sender = span_head(rest, end);
	rest = span_tail(rest, end + 1);
	for (job->n = 0; rest.n; job->n++) {
		spans[job->n] = span_head(rest, span_chr(rest, ','));
		rest = span_tail(rest, spans[job->n].n + 1);
	}
	return true;
}

static void
make_recipients(const char *letters, char text[][4], struct span *spans)
{
	for (size_t i = 0; letters[i]; i++) {
		(void)snprintf(text[i], sizeof text[i], "%c@y", letters[i]);
		spans[i] = span_str(text[i]);
	}
}

static void
read_back(FILE *f, struct buf *to)
{
	(void)lseek(fileno(f), 0, SEEK_SET);
	if (io_read_all(fileno(f), to) != IO_OK)
		exit(1);
}

static const struct smtpclient_waits short_waits = { 400, 2000, 400 };

/* One dialogue; *report with NUL shown as `|`, what the server saw in *log. */
static enum dialogue_outcome
dialogue(const char *const *replies, const char *recipients, int message_fd,
    const struct smtpclient_waits *waits, struct buf *report, struct buf *log)
{
	static const char sender[] = "s@x";
	struct message message;
	char text[200][4];
	struct span spans[200];
	struct smtpclient_job job = { .helo = "me.example", .sender = span_str(sender),
		.recipients = spans, .n = strlen(recipients), .waits = *waits };
	FILE *seen = tmpfile();
	struct smtplink link;
	enum dialogue_outcome outcome;
	int fd;
	pid_t pid = start_server(replies, seen, &fd);

	if (!take_envelope(recipients, &job, spans))
		make_recipients(recipients, text, spans);
	message_open(&message, message_fd);
	smtpclient_open(&link, fd, "IP");
	outcome = smtpclient_send(&link, &job, &message, report);
	smtpclient_close(&link);
	(void)waitpid(pid, NULL, 0);
	for (size_t i = 0; i < report->n; i++)
		if (report->p[i] == '\0')
			report->p[i] = '|';
	read_back(seen, log);
	(void)fclose(seen);
	return outcome;
}

static FILE *
file_with(const char *text, size_t times)
{
	FILE *f = tmpfile();

	while (times--)
		(void)fputs(text, f);
	(void)fflush(f);
	(void)lseek(fileno(f), 0, SEEK_SET);
	return f;
}

static void
test_rows(struct tap *t, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct buf report = { 0 }, log = { 0 };
		FILE *message = file_with(row->message, 1);

		is_num(t, dialogue(row->replies, row->recipients, fileno(message), &short_waits,
		    &report, &log), row->outcome, row->what);
		is(t, buf_span(&report), span_str(row->report), row->what);
		if (row->seen)
			is(t, buf_span(&log), span_str(row->seen), row->what);
		buf_free(&report);
		buf_free(&log);
		(void)fclose(message);
	}
}

#endif
