/* The dialogue of qmail-popup: each command line gets one reply, no line is anything else, and the
 * checker gets exactly three strings, once, when a login was complete.
 * The first byte of the input is the checker's exit code. */
#include "lib/ascii.h"
#include "rig.h"

static int main_of(int argc, char *argv[]) __attribute__((unused));
#define main main_of
#include "pop3/qmail-popup.c"

const char *const fuzz_words[] = {
	"0", "1", "o", "USER joe\r\n", "PASS secret\r\n", "APOP joe 0123456789abcdef\r\n",
	"CAPA\r\n", "NOOP\r\n", "QUIT\r\n", "AUTH PLAIN\r\n",
	"AUTH PLAIN AGpvZQBwdw==\r\n", "AGpvZQBwdw==\r\n", "*\r\n", "AUTH\r\n", "UTF8\r\n",
	"=\r\n", "user", "pass", "apop", " ", "\r\n", "\n", "\r",
	"xyzzy\r\n", "\xff", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL
};

/* Takes one reply; a list of capabilities or mechanisms goes on to its dot.  true: it asks for
 * another line. */
static bool
take_reply(struct span *out, struct span command)
{
	struct span line = rig_line(out);
	bool good = span_starts(line, span_str("+OK "));

	if (span_eq(line, span_str("+ \r\n")))
		return true;
	promise(rig_is_line(line) && (good || span_starts(line, span_str("-ERR "))));
	if (!good || command.n < 4 || (!ascii_ieq(span_head(command, 4), span_str("capa")) &&
	    !ascii_ieq(span_head(command, 4), span_str("auth"))))
		return false;
	while (!span_eq(line, span_str(".\r\n"))) {
		line = rig_line(out);
		promise(rig_is_line(line));
	}
	return false;
}

static bool
is_verb(struct span line, const char *verb)
{
	line = span_head(line, span_chr(line, '\n'));
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	line = span_head(line, span_chr(line, '\0'));
	return ascii_ieq(span_head(line, span_chr(line, ' ')), span_str(verb));
}

static void
check_talk(struct span in, struct span out, bool may_be_silent)
{
	bool answers = take_reply(&out, span_of("", 0));

	promise(!answers);
	while (in.n) {
		struct span line = rig_line(&in);
		const bool is_answer = answers;

		if (line.p[line.n - 1] != '\n')
			break;
		if (!out.n) {	/* it ended with the line before; or login: the checker talked */
			promise(may_be_silent && rig_proc_count() == 1);
			return;
		}
		answers = take_reply(&out, is_answer ? span_of("", 0) : is_verb(line, "capa") ?
		    span_str("capa") : is_verb(line, "auth") ? span_str("auth") : line);
		promise(!answers || (!is_answer && is_verb(line, "auth")));
		if (is_verb(line, "quit") || rig_proc_count() == 1)
			may_be_silent = true;
		if (!is_answer && is_verb(line, "quit"))
			break;
	}
	promise(!out.n);
}

static void
check_login(struct span found)
{
	size_t strings = 0;

	promise(found.n > 0 && found.p[found.n - 1] == '\0');
	for (; found.n; strings++)
		(void)rig_take(&found, '\0');
	promise(strings == 3);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span in = rig_input(bytes, n);
	char program[] = "checker";
	char *checker[] = { program, NULL };
	struct popup p = { .checker = checker };
	struct buf said = { 0 };
	int code = n ? bytes[0] : 0;

	in = span_tail(in, 1);
	rig_proc_reset(code);
	popdialog_init(&p.dialog);
	p.dialog.in.line_wise = true;
	p.dialog.in.fd = rig_file(0, in);
	p.dialog.out.fd = rig_file(1, span_str(""));
	serve(&p, "pop.test");
	rig_file_text(1, &said);
	promise(rig_proc_count() <= 1);
	check_talk(in, buf_span(&said), code == 0);
	if (rig_proc_count())
		check_login(buf_span(rig_proc_found()));
	buf_free(&p.stamp);
	buf_free(&p.user);
	popdialog_free(&p.dialog);
	buf_free(&said);
	return 0;
}
