/* qmail-tcpto - show which hosts did not answer lately.
 * Run by: the administrator, as root or qmailr.  fd 1: a line for each, and what went wrong.
 * Arguments, environment: unused.  The tables are locked while they are read.
 * Exit: 0, CODE_TEMP after a line `fatal: ...`. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/sandbox.h"
#include "net/ip.h"
#include "queue/tcpto.h"

static int
fatal(struct io_out *out, const char *what, const char *file)
{
	int error = errno;

	io_puts(out, "fatal: unable to ");
	io_puts(out, what);
	io_puts(out, file);
	io_puts(out, ": ");
	io_puts(out, errtext(error));
	io_putc(out, '\n');
	(void)!io_flush(out);
	return CODE_TEMP;
}

/* `192.0.2.1 timed out 123 seconds ago; # recent timeouts: 2` */
static void
show(struct io_out *out, const struct tcpto_entry *e, int64_t now)
{
	struct ip ip = { .family = e->address.v6 ? IP_V6 : IP_V4 };
	char text[IP_TEXT_SIZE];

	memcpy(ip.bytes, e->address.bytes, sizeof ip.bytes);
	io_puts(out, ip_format(&ip, text));
	io_puts(out, " timed out ");
	io_putnum(out, now > e->when ? (uint64_t)(now - e->when) : 0);
	io_puts(out, " seconds ago; # recent timeouts: ");
	io_putnum(out, e->count);
	io_putc(out, '\n');
}

static int
show_table(struct io_out *out, bool v6, const char *file)
{
	static const char *const steps[] = { [TCPTO_OPEN] = "open ", [TCPTO_LOCK] = "lock ",
		[TCPTO_READ] = "read " };
	struct tcpto_entry entries[TCPTO_RECORDS];
	int64_t now = date_now();
	size_t n;
	enum tcpto_status status = tcpto_list(".", v6, entries, &n);

	if (status != TCPTO_OK)
		return fatal(out, steps[status], file);
	for (size_t i = 0; i < n; i++)
		show(out, &entries[i], now);
	return CODE_OK;
}

int
main(void)
{
	static const struct sandbox_path tables[] = { { ".", SANDBOX_WRITE } };	/* for the lock */
	char buffer[4096];
	struct io_out out;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	io_out_init(&out, 1, buffer, sizeof buffer);
	if (chdir(QMAIL_HOME "/queue/lock") == -1)
		return fatal(&out, "chdir", "");
	if (sandbox_paths(tables, sizeof tables / sizeof *tables) == -1)
		return fatal(&out, "restrict itself", "");
	if (show_table(&out, false, TCPTO_FILE) != CODE_OK ||
	    show_table(&out, true, TCPTO6_FILE) != CODE_OK)
		return CODE_TEMP;
	return io_flush(&out) == -1 ? CODE_TEMP : CODE_OK;
}
