/* report - from how a delivery ended to what qmail-send is told. */
#include "spawn/report.h"

#include <stdbool.h>
#include <string.h>

#include "lib/conf.h"
#include "queue/lscode.h"
#include "spawn/spawnd.h"

#define CUT_NOTE "\nError report too long, sorry.\n"
#define CUT_KEEP ((size_t)2966)

_Static_assert(CUT_KEEP + sizeof CUT_NOTE - 1 <= REPORT_LOCAL_MAX, "a cut report is short enough");

void
report_limit_local(struct buf *output)
{
	if (output->n <= REPORT_LOCAL_MAX)
		return;
	buf_cut(output, CUT_KEEP);
	buf_adds(output, CUT_NOTE);
}

void
report_limit_remote(struct buf *output)
{
	buf_cut(output, REPORT_REMOTE_MAX);
}

/* One class letter: what the delivery said.  A longer text stands by itself. */
static const struct {
	int code;
	const char *text;
} local_codes[] = {
	{ SPAWND_CRASHED, "Zqmail-local crashed.\n" },
	{ CODE_OK, "K" },
	{ CODE_TEMP, "Z" },
	{ 71, "Z" },	/* EX_OSERR, EX_IOERR and EX_TEMPFAIL of sysexits.h */
	{ 74, "Z" },
	{ 75, "Z" },
	{ LS_BUG, "ZInternal qmail-lspawn bug.\n" },
	{ LS_ROOT, "ZNot allowed to perform deliveries as root.\n" },
	{ LS_NFS, "ZNFS failure in qmail-local.\n" },
	{ LS_NO_ALIAS, "ZUnable to find alias user!\n" },
	{ LS_CDB, "ZTrouble reading users/cdb in qmail-lspawn.\n" },
	{ LS_TEMPORARY, "ZTemporary failure in qmail-lspawn.\n" },
	{ LS_MEMORY, "ZOut of memory in qmail-lspawn.\n" },
	{ LS_EXEC_TEMPORARY, "ZUnable to run qmail-local.\n" },
	{ CODE_UNLOADABLE, "ZUnable to run qmail-local.\n" },
	{ LS_EXEC_GETPW, "ZUnable to run qmail-getpw.\n" },
	{ LS_EXEC, "DUnable to run qmail-local.\n" },
};

void
report_local(int code, struct span output, size_t which, struct buf *text)
{
	const char *words = "D";

	(void)which;
	for (size_t i = 0; i < sizeof local_codes / sizeof *local_codes; i++)
		if (local_codes[i].code == code)
			words = local_codes[i].text;
	buf_adds(text, words);
	if (words[1] == '\0')
		buf_addspan(text, span_head(output, span_chr(output, '\0')));
}

/* ---- remote ---- */

/* Takes the next record, without its NUL, off the front; false if no complete one is left. */
static bool
next_record(struct span *rest, struct span *record)
{
	size_t n = span_chr(*rest, '\0');

	if (n == rest->n)
		return false;
	*record = span_head(*rest, n);
	*rest = span_tail(*rest, n + 1);
	return true;
}

static bool
is_message_record(struct span record)
{
	return record.n && memchr("KZD", record.p[0], 3) != NULL;
}

/* The fate of the message as a whole; temporary if nothing was said about it. */
static char
message_class(struct span output)
{
	struct span record;

	while (next_record(&output, &record))
		if (is_message_record(record))
			return record.p[0];
	return 'Z';
}

static int
badness(char class)
{
	return class == 'K' ? 0 : class == 'Z' ? 1 : 2;
}

/* output holds at least one complete record. */
static void
combine(struct span output, struct buf *text)
{
	char message = message_class(output), class = message;
	struct span first = { 0 }, second;

	(void)next_record(&output, &first);
	if (first.n && first.p[0] == 's')
		class = 'Z';
	else if (first.n && first.p[0] == 'h')
		class = 'D';
	buf_addc(text, class);
	buf_addspan(text, span_tail(first, 1));
	if (badness(message) >= badness(class) && next_record(&output, &second) &&
	    is_message_record(second))
		buf_addspan(text, span_tail(second, 1));
}

/* Finds the message record, the number of recipient records before it, and one of these. */
static size_t
survey(struct span output, size_t wanted, struct span *found, struct span *message)
{
	struct span record;
	size_t n = 0;

	*found = *message = (struct span){ 0 };
	while (next_record(&output, &record)) {
		if (is_message_record(record)) {
			*message = record;
			break;
		}
		if (++n == wanted)
			*found = record;
	}
	return n;
}

/* The fate of one of several recipients: its record and that of the message, as if it had been
 * alone; where none has a record, that of the message.  A program that says nothing of it, but of
 * others, or that all is well, may not know that it was there. */
static void
single_out(struct span output, size_t wanted, struct buf *text)
{
	struct span record, message;
	struct buf own = { 0 };
	size_t n = survey(output, wanted, &record, &message);

	if (n < wanted && (n > 0 || message.n == 0 || message.p[0] == 'K')) {
		buf_adds(text, "Zqmail-remote did not report on this recipient.\n");
		return;
	}
	if (n > 0) {
		buf_addspan(&own, record);
		buf_addc(&own, '\0');
	}
	buf_addspan(&own, message);
	buf_addc(&own, '\0');
	if (buf_ok(&own))
		combine(buf_span(&own), text);
	else
		buf_addbuf(text, &own);		/* hands the failure on */
	buf_free(&own);
}

void
report_remote(int code, struct span output, size_t which, struct buf *text)
{
	if (code == SPAWND_CRASHED)
		buf_adds(text, "Zqmail-remote crashed.\n");
	else if (code == CODE_TEMP || code == CODE_UNLOADABLE)
		buf_adds(text, "ZUnable to run qmail-remote.\n");
	else if (code != CODE_OK)
		buf_adds(text, "DUnable to run qmail-remote.\n");
	else if (output.n == 0)
		buf_adds(text, "Zqmail-remote produced no output.\n");
	else if (span_chr(output, '\0') == output.n)
		buf_adds(text, "Zqmail-remote crashed.\n");
	else if (which == 0)
		combine(output, text);
	else
		single_out(output, which, text);
}
