/* notice - the message that tells a sender what failed. */
#include "send/notice.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/date.h"
#include "lib/sys.h"
#include "mail/addr5321.h"
#include "queue/envelope.h"
#include "send/send.h"

#define DOUBLE_SENDER "#@[]"	/* of the notice that a notice could not be delivered */
#define STRIPPED "\n\n--- End of message stripped.\n"	/* to the letter, as readers know it */
#define TROUBLE "trouble injecting bounce message, will try later"

/* ---- the text (qmail-send(8); list managers parse it) ---- */

enum notice_kind
notice_kind(struct span sender)
{
	if (span_eq(sender, span_str(DOUBLE_SENDER)))
		return NOTICE_TRIPLE;
	return sender.n ? NOTICE_SINGLE : NOTICE_DOUBLE;
}

/* A control byte in an address would end the header line, or worse. */
static void
add_address(struct buf *to, struct span address)
{
	struct buf plain = { 0 };

	for (size_t i = 0; i < address.n; i++)
		buf_addc(&plain, ascii_iscntrl(address.p[i]) ? '_' : address.p[i]);
	if (plain.failed)
		to->failed = true;
	addr5321_quote(to, buf_span(&plain));
	buf_free(&plain);
}

static void
add_header(const struct controls *c, struct span to, int64_t when, struct buf *head)
{
	char date[DATE_SIZE];
	struct buf from = { 0 };

	buf_addbuf(&from, &c->bouncefrom);
	buf_addc(&from, '@');
	buf_addbuf(&from, &c->bouncehost);
	buf_adds(head, "Date: ");
	buf_add(head, date, date_header(date, when));
	buf_adds(head, "\nFrom: ");
	addr5321_quote(head, buf_span(&from));
	buf_adds(head, "\nTo: ");
	add_address(head, to);
	buf_adds(head, "\nSubject: failure notice\n\n");
	if (from.failed)
		head->failed = true;
	buf_free(&from);
}

void
notice_text(const struct controls *c, enum notice_kind kind, struct span sender, struct span to,
    int64_t date, struct buf *head, struct buf *middle)
{
	buf_reset(head);
	buf_reset(middle);
	add_header(c, to, date, head);
	buf_adds(head, "Hi. This is the qmail-send program at ");
	buf_addbuf(head, &c->bouncehost);
	buf_adds(head, ".\n");
	buf_adds(head, kind == NOTICE_SINGLE ?
	    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
	    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n" :
	    "I tried to deliver a bounce message to this address, but the bounce bounced!\n\n");
	buf_adds(middle, kind == NOTICE_SINGLE ?
	    "--- Below this line is a copy of the message.\n\nReturn-Path: <" :
	    "--- Below this line is the original bounce.\n\nReturn-Path: <");
	add_address(middle, sender);
	buf_adds(middle, ">\n");
}

/* ---- starting ---- */

static void
close_files(struct notice *n)
{
	if (n->bounce_fd != -1)
		(void)close(n->bounce_fd);
	if (n->mess_fd != -1)
		(void)close(n->mess_fd);
	if (n->child_fd != -1)
		(void)close(n->child_fd);
	n->bounce_fd = n->mess_fd = n->child_fd = -1;
}

/* The sender stored in info: 1 there, 0 no info, -1 trouble. */
static int
read_sender(const struct send *s, uint64_t id, struct buf *sender)
{
	int fd = qlayout_open_read(&s->q, Q_INFO, id);
	char buffer[1024], type;
	struct io_in in;
	enum io_status status;

	if (fd == -1)
		return errno == ENOENT ? 0 : -1;
	io_in_init(&in, fd, buffer, sizeof buffer);
	status = envelope_read(&in, &type, sender);
	(void)close(fd);
	return status == IO_OK && type == ENVELOPE_SENDER ? 1 : -1;
}

static void
log_discard(struct send *s, const char *what, uint64_t id)
{
	char path[QLAYOUT_PATH_SIZE];
	struct buf *line = activity_begin(&s->log);

	buf_adds(line, what);
	buf_adds(line, qlayout_path(&s->q, path, Q_BOUNCE, id));
	activity_end(&s->log);
}

/* Fills in texts and envelope.  false: no notice is wanted (logged). */
static bool
compose(struct send *s, struct notice *n, struct buf *stored)
{
	struct span sender = route_bounce_to(buf_span(stored));
	enum notice_kind kind = notice_kind(sender);

	buf_reset(&n->sender);
	buf_reset(&n->recipient);
	if (kind == NOTICE_TRIPLE) {
		log_discard(s, "triple bounce: discarding ", n->id);
		return false;
	}
	if (kind == NOTICE_DOUBLE && !s->controls.doublebounceto.n) {
		log_discard(s, "double bounce: discarding ", n->id);
		return false;
	}
	if (kind == NOTICE_SINGLE) {
		buf_addspan(&n->recipient, sender);
	} else {
		buf_adds(&n->sender, DOUBLE_SENDER);
		buf_addbuf(&n->recipient, &s->controls.doublebounceto);
		buf_addc(&n->recipient, '@');
		buf_addbuf(&n->recipient, &s->controls.doublebouncehost);
	}
	notice_text(&s->controls, kind, sender, buf_span(&n->recipient), date_now(), &n->head,
	    &n->middle);
	return true;
}

/* A FIFO of that name reads as if nothing had failed. */
static bool
is_file(int fd)
{
	struct stat st;

	return fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static enum notice_start
put_off(struct send *s, const char *why)
{
	activity_warn(&s->log, why, NULL, NULL);
	return NOTICE_LATER;
}

static enum notice_start
open_files(struct send *s, struct notice *n)
{
	n->bounce_fd = qlayout_open_read(&s->q, Q_BOUNCE, n->id);
	n->mess_fd = qlayout_open_read(&s->q, Q_MESS, n->id);
	if (!is_file(n->bounce_fd) || !is_file(n->mess_fd) || !buf_ok(&n->head) ||
	    !buf_ok(&n->middle) || !buf_ok(&n->sender) || !buf_ok(&n->recipient))
		return put_off(s, TROUBLE);
	if (submit_open(&n->submit) == -1)
		return put_off(s, "unable to start qmail-queue, will try later");
	return NOTICE_STARTED;
}

enum notice_start
notice_start(struct send *s, uint64_t id)
{
	struct notice *n = s->notices.all;
	struct buf stored = { 0 };
	enum notice_start result;
	int found;

	while (n->stage != NOTICE_FREE)
		n++;
	n->id = id;
	found = read_sender(s, id, &stored);
	if (found == 0)
		result = NOTICE_VANISHED;
	else if (found == -1)
		result = put_off(s, TROUBLE);
	else
		result = compose(s, n, &stored) ? open_files(s, n) : NOTICE_NOT_NEEDED;
	buf_free(&stored);
	if (result != NOTICE_STARTED) {
		close_files(n);
		return result;
	}
	n->stage = NOTICE_MESSAGE;
	n->part = NOTICE_HEAD;
	n->mess_left = s->controls.bouncemaxbytes;
	n->at = 0;
	s->notices.busy++;
	return result;
}

/* ---- handing it over ---- */

static size_t
take_text(struct notice *n, struct span text, char *p, size_t room)
{
	struct span rest = span_head(span_tail(text, n->at), room);

	if (rest.n)
		memcpy(p, rest.p, rest.n);
	n->at += rest.n;
	return rest.n;
}

/* The next bytes of the message.  At its limit one byte shows whether there is more. */
static ssize_t
take_mess(struct notice *n, char *p, size_t room)
{
	ssize_t got;

	if (!n->mess_left) {
		got = io_read(n->mess_fd, p, 1);
		if (got == 0)
			n->part = NOTICE_STRIPPED;	/* which is passed over, then */
		return got > 0 ? 0 : got;
	}
	got = io_read(n->mess_fd, p, n->mess_left < room ? (size_t)n->mess_left : room);
	if (got == 0)
		n->part = NOTICE_STRIPPED;
	if (got > 0)
		n->mess_left -= (uint64_t)got;
	return got;
}

/* The next bytes of the current part; 0 at its end, -1 trouble. */
static ssize_t
take_part(struct notice *n, char *p, size_t room)
{
	switch (n->part) {
	case NOTICE_HEAD:
		return (ssize_t)take_text(n, buf_span(&n->head), p, room);
	case NOTICE_BOUNCE:
		return io_read(n->bounce_fd, p, room);
	case NOTICE_MIDDLE:
		return (ssize_t)take_text(n, buf_span(&n->middle), p, room);
	case NOTICE_MESS:
		return take_mess(n, p, room);
	default:
		return (ssize_t)take_text(n, span_str(STRIPPED), p, room);
	}
}

/* Fills the chunk from the parts, so that what goes into the pipe is whole pages but for the end:
 * one page never blocks where poll(2) has promised room.  Returns the length. */
static size_t
next_chunk(struct notice *n, char chunk[SUBMIT_BUFFER])
{
	size_t have = 0;

	while (have < SUBMIT_BUFFER && n->part < NOTICE_END) {
		ssize_t got = take_part(n, chunk + have, SUBMIT_BUFFER - have);

		if (got > 0) {
			have += (size_t)got;
		} else if (got == 0) {
			n->part++;
			n->at = 0;
		} else {
			submit_abort(&n->submit);
			n->part = NOTICE_END;
		}
	}
	return have;
}

static void
send_message(struct notice *n)
{
	char chunk[SUBMIT_BUFFER];

	for (int i = 0; i < NOTICE_TURN && n->part < NOTICE_END; i++) {
		size_t have;

		if (i > 0 && io_wait_writable(n->submit.message_fd, deadline_now()) != IO_OK)
			return;
		have = next_chunk(n, chunk);
		submit_message(&n->submit, chunk, have);
		if (n->submit.out.status != IO_OK)
			n->part = NOTICE_END;	/* nobody reads it */
	}
	if (n->part == NOTICE_END)
		n->stage = NOTICE_FLUSH;
}

static void
send_envelope(struct notice *n)
{
	submit_sender(&n->submit, buf_span(&n->sender));
	submit_recipient(&n->submit, buf_span(&n->recipient));
	submit_end(&n->submit);
	n->child_fd = n->submit.pid == -1 ? -1 : sys_pidfd(n->submit.pid);
	n->stage = NOTICE_AWAIT;
}

static void
finish(struct send *s, struct notice *n)
{
	struct buf text = { 0 };
	enum submit_result result = submit_close(&n->submit, &text);

	buf_free(&text);
	close_files(n);
	n->stage = NOTICE_FREE;
	s->notices.busy--;
	if (result == SUBMIT_OK) {
		struct buf *line = activity_begin(&s->log);

		buf_adds(line, "bounce msg ");
		buf_addnum(line, n->id);
		buf_adds(line, " qp ");
		buf_addnum(line, (uint64_t)n->submit.pid);
		activity_end(&s->log);
		done_bounced(s, n->id);
		return;
	}
	activity_warn(&s->log, TROUBLE, NULL, NULL);
	done_bounce_failed(s, n->id, result == SUBMIT_PERMANENT);
}

void
notice_watch(const struct notices *notices, struct waitset *w)
{
	for (size_t i = 0; notices->busy && i < NOTICES_MAX; i++) {
		const struct notice *n = &notices->all[i];

		if (n->stage == NOTICE_MESSAGE || n->stage == NOTICE_FLUSH)
			waitset_fd(w, n->submit.message_fd, POLLOUT);
		else if (n->stage == NOTICE_AWAIT && n->child_fd != -1)
			waitset_fd(w, n->child_fd, POLLIN);
		else if (n->stage == NOTICE_AWAIT)
			waitset_now(w);
	}
}

void
notice_step(struct send *s)
{
	for (size_t i = 0; s->notices.busy && i < NOTICES_MAX; i++) {
		struct notice *n = &s->notices.all[i];

		if (n->stage == NOTICE_MESSAGE &&
		    waitset_ready(&s->wait, n->submit.message_fd, POLLOUT))
			send_message(n);
		else if (n->stage == NOTICE_FLUSH &&
		    waitset_ready(&s->wait, n->submit.message_fd, POLLOUT))
			send_envelope(n);
		else if (n->stage == NOTICE_AWAIT &&
		    (n->child_fd == -1 || waitset_ready(&s->wait, n->child_fd, POLLIN)))
			finish(s, n);
	}
}

void
notice_init(struct notices *notices)
{
	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice *n = &notices->all[i];

		n->bounce_fd = n->mess_fd = n->child_fd = -1;
	}
}

void
notice_free(struct notices *notices)
{
	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice *n = &notices->all[i];

		buf_free(&n->sender);
		buf_free(&n->recipient);
		buf_free(&n->head);
		buf_free(&n->middle);
	}
}
