/* The dialogue of qmail-pop3d: each command gets one reply, a text where one belongs, ended by its
 * dot; RETR gives the message back; and the maildir changes only by QUIT, and then by what was
 * deleted and nothing else.  Input: the text of the first message `|` commands. */
#include <stdlib.h>

#include "mail/dotcrlf.h"
#include "rig.h"

static int main_of(int argc, char *argv[]) __attribute__((unused));
#define main main_of
#include "pop3/qmail-pop3d.c"
#include "lib/ascii.h"

#define MESSAGES 3

const char *const fuzz_words[] = {
	"|", "Subject: x\n\nhi\n.\n..\nend\n", "\r\n", "\n", ".", "\r", "\n.\r\n", "STAT\r\n",
	"LIST\r\n", "UIDL\r\n", "LIST 1\r\n", "UIDL 2\r\n", "RETR 1\r\n", "TOP 1 0\r\n",
	"TOP 2 1\r\n", "DELE 1\r\n", "DELE 3\r\n", "RSET\r\n", "LAST\r\n", "NOOP\r\n", "CAPA\r\n",
	"QUIT\r\n", "RETR", " ", "1", "0", "4", "18446744073709551616", "xyzzy", "\xff", NULL
};

struct model {
	bool deleted[MESSAGES];
	bool quit;
};

static const char *const names[MESSAGES] = { "new/1.a", "cur/2.b:2,S", "new/3.c,W=5" };

static void
fill_maildir(struct span text)
{
	rig_directory();
	rig_mkdir("new");
	rig_mkdir("cur");
	(void)unlink("cur/1.a:2,");
	(void)unlink("cur/3.c,W=5:2,");
	rig_write(names[0], text);
	rig_write(names[1], span_of("A: b\r\n\r\nc\0d\rx\n", 15));
	rig_write(names[2], span_str("X: y\n\nz\n"));
}

/* In the order of their names, whatever the clock says. */
static int
by_name(const void *a, const void *b)
{
	const struct maildir_message *x = a, *y = b;

	return strcmp(x->path + 4, y->path + 4);
}

/* The number of a command, if it has one. */
static uint64_t
number_of(struct span arg)
{
	uint64_t number = 0;

	while (arg.n && arg.p[0] == ' ')
		arg = span_tail(arg, 1);
	(void)num_lead_u64(arg, UINT64_MAX, &number);
	return number;
}

static bool
is_blank(struct span arg)
{
	while (arg.n && arg.p[0] == ' ')
		arg = span_tail(arg, 1);
	return arg.n == 0;
}

/* A text up to its dot, decoded. */
static void
take_text(struct span *out, struct buf *text)
{
	struct dotcrlf_decoder d = { 0 };
	char *room = malloc(out->n + DOTCRLF_DECODE_EXTRA);
	size_t n;

	promise(room != NULL);
	promise(dotcrlf_decode(&d, out, room, &n) == DOTCRLF_END);
	buf_reset(text);
	buf_add(text, room, n);
	free(room);
}

/* A text without CR comes back as it was. */
static void
check_retrieved(struct span text, struct span got)
{
	if (span_chr(text, '\r') < text.n)
		return;
	promise(span_starts(got, text));
	promise(got.n == text.n + (text.n && text.p[text.n - 1] != '\n'));
}

static void
take_reply(struct model *m, struct span line, struct span *out, struct span message)
{
	struct span verb, arg, reply = rig_line(out);
	bool good = span_starts(reply, span_str("+OK "));
	struct buf text = { 0 };
	uint64_t number;

	promise(rig_is_line(reply) && (good || span_starts(reply, span_str("-ERR "))));
	line = span_head(line, span_chr(line, '\0'));
	verb = span_head(line, span_chr(line, ' '));
	arg = span_tail(line, verb.n);
	number = number_of(arg);
	if (ascii_ieq(verb, span_str("retr")) && good) {
		take_text(out, &text);
		promise(number >= 1 && number <= MESSAGES && !m->deleted[number - 1]);
		if (number == 1 && span_chr(arg, ' ') == span_rchr(arg, ' '))
			check_retrieved(message, buf_span(&text));
	} else if (good && (ascii_ieq(verb, span_str("top")) || ascii_ieq(verb, span_str("capa")) ||
	    ((ascii_ieq(verb, span_str("list")) || ascii_ieq(verb, span_str("uidl"))) &&
	    is_blank(arg)))) {
		take_text(out, &text);
	} else if (ascii_ieq(verb, span_str("dele")) && good) {
		promise(number >= 1 && number <= MESSAGES && !m->deleted[number - 1]);
		m->deleted[number - 1] = true;
	} else if (ascii_ieq(verb, span_str("rset"))) {
		memset(m->deleted, 0, sizeof m->deleted);
	} else if (ascii_ieq(verb, span_str("quit"))) {
		m->quit = true;
	}
	buf_free(&text);
}

static void
check_talk(struct model *m, struct span in, struct span out, struct span message)
{
	while (in.n && !m->quit) {
		struct span line = rig_line(&in);

		if (line.p[line.n - 1] != '\n')
			break;
		if (line.n > POPDIALOG_LINE_MAX) {
			promise(span_starts(rig_line(&out), span_str("-ERR ")));
			continue;
		}
		line.n--;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		take_reply(m, line, &out, message);
	}
	promise(out.n == 0);
}

static void
check_maildir(const struct model *m)
{
	static const char *const moved[MESSAGES] = { "cur/1.a:2,", "cur/2.b:2,S",
		"cur/3.c,W=5:2," };

	for (size_t i = 0; i < MESSAGES; i++) {
		const char *name = m->quit ? moved[i] : names[i];
		bool there = access(name, F_OK) == 0;

		promise(there == !(m->quit && m->deleted[i]));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span in = rig_input(bytes, n), message = rig_take(&in, '|');
	struct pop3d p = { .mailbox = { .last = 0 } };
	struct model model = { .quit = false };
	struct buf said = { 0 };

	fill_maildir(message);
	popdialog_init(&p.dialog);
	promise(maildir_scan(&p.mailbox.list, date_now() + 10) == 0);
	promise(p.mailbox.list.n == MESSAGES);
	qsort(p.mailbox.list.messages, MESSAGES, sizeof *p.mailbox.list.messages, by_name);
	p.mailbox.marks = calloc(MESSAGES, sizeof *p.mailbox.marks);
	p.dialog.in.fd = rig_file(0, in);
	p.dialog.out.fd = rig_file(1, span_str(""));
	popdialog_run(&p.dialog, commands, sizeof commands / sizeof *commands, unknown_command, &p);
	rig_file_text(1, &said);
	check_talk(&model, in, buf_span(&said), message);
	check_maildir(&model);
	mailbox_close(&p.mailbox);
	popdialog_free(&p.dialog);
	buf_free(&said);
	return 0;
}
