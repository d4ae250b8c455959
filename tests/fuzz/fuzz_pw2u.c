/* qmail-pw2u and qmail-newu: of any password file the one makes an assign file that the other
 * takes, and the first address leads to its account.
 * Input: a password file; `~` stands for a NUL. */
#include "users/pw2u.h"

#include "mail/userdb.h"
#include "rig.h"
#include "users/assign.h"

const char *const fuzz_words[] = {
	"joe:x:507:100:Joe:/home/joe:/bin/sh\n", "alias:x:7:7::/var/qmail/alias:\n", ":", "\n",
	"joe", "Ann", "0", "4294967295", "4294967294", "x", "/home/y", "~", "\r", "\xff", "+",
	"-", "root:x:0:0::/root:\n", ".", "=", "alias:x:7:7::/a:\nb:x:1:2::/h:", NULL
};

/* The first address is found, and is that account's. */
static void
check_first(struct span text)
{
	struct span line = rig_line(&text), name, rest;
	struct buf got = { 0 };

	if (line.p[0] != '=')
		return;
	line = span_tail(line, 1);
	name = rig_take(&line, ':');
	rest = rig_take(&line, ':');	/* the account */
	promise(userdb_lookup("cdb", name, &got) == USERDB_FOUND);
	promise(span_starts(buf_span(&got), rest) && got.p[rest.n] == '\0');
	buf_free(&got);
}

static void
check_assign(struct span text)
{
	struct assign_place place;
	struct buf warnings = { 0 }, file = { 0 };
	int to;

	promise(text.n >= 2 && span_eq(span_tail(text, text.n - 2), span_str(".\n")));
	to = rig_file(2, span_str(""));
	promise(assign_build(rig_file(3, text), to, &place, &warnings) == ASSIGN_OK);
	rig_file_text(2, &file);
	rig_write("cdb", buf_span(&file));
	check_first(text);
	buf_free(&warnings);
	buf_free(&file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct pw2u pw = PW2U_EMPTY;
	struct buf in = { 0 }, detail = { 0 }, text = { 0 };
	char in_buffer[512], out_buffer[512];
	struct io_out out;
	struct io_in from;
	enum pw2u_status status;

	rig_directory();
	rig_nuls(&in, rig_input(p, n), '~');
	pw.homes = PW2U_ANY;
	pw.break_char = n % 2 ? '-' : '\0';
	pw.capitals = n % 3;
	promise(set_finish(&pw.include) && set_finish(&pw.exclude) && set_finish(&pw.mailnames));
	io_in_init(&from, rig_file(0, buf_span(&in)), in_buffer, sizeof in_buffer);
	io_out_init(&out, rig_file(1, span_str("")), out_buffer, sizeof out_buffer);
	status = pw2u_convert(&pw, &from, &out, &detail);
	promise(status == PW2U_OK || status == PW2U_NO_ALIAS);
	if (status == PW2U_OK) {
		rig_file_text(1, &text);
		check_assign(buf_span(&text));
	}
	pw2u_free(&pw);
	buf_free(&in);
	buf_free(&detail);
	buf_free(&text);
	return 0;
}
