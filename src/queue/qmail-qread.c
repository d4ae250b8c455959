/* qmail-qread - list the messages in the queue that are preprocessed.
 * Run by: the administrator, as root or qmails.  fd 1: the list, and what went wrong.
 * Arguments, environment: unused.  Takes no lock: messages come and go meanwhile.
 * Exit: 0, CODE_TEMP after a line `fatal: ...`. */
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/date.h"
#include "lib/errtext.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "queue/envelope.h"
#include "queue/qlayout.h"

struct lister {
	struct qlayout layout;
	struct io_out out;
	struct buf text;	/* of one message */
	struct buf record;
	char in_buf[4096], out_buf[4096];
};

enum listing { LISTED, GONE, TROUBLE };		/* TROUBLE: errno */

static int
fatal(struct lister *l, const char *what, const char *where)
{
	int error = errno;

	io_puts(&l->out, "fatal: ");
	io_puts(&l->out, what);
	io_puts(&l->out, where);
	if (error) {
		io_puts(&l->out, ": ");
		io_puts(&l->out, errtext(error));
	}
	io_putc(&l->out, '\n');
	(void)!io_flush(&l->out);
	return CODE_TEMP;
}

static enum listing
gone_or_trouble(void)
{
	return errno == ENOENT ? GONE : TROUBLE;
}

/* Closes fd, which may be -1, and keeps errno. */
static enum listing
end_with(int fd, enum listing result)
{
	int error = errno;

	if (fd != -1)
		(void)close(fd);
	errno = error;
	return result;
}

/* The next record of a file that was opened; errno is set for TROUBLE. */
static enum io_status
next_record(struct lister *l, struct io_in *in, char *type)
{
	enum io_status status = envelope_read(in, type, &l->record);

	if (status == IO_TOOLONG)
		errno = EFBIG;
	return status;
}

/* `26 Sep 1995 04:46:53 GMT  #457  1234  <joe@a.example>  bouncing` */
static enum listing
add_message(struct lister *l, uint64_t id)
{
	char date[DATE_SIZE], path[QLAYOUT_PATH_SIZE], type = '\0';
	struct stat info, mess;
	struct io_in in;
	int bouncing, fd;

	if ((fd = qlayout_open_read(&l->layout, Q_INFO, id)) == -1)
		return gone_or_trouble();
	io_in_init(&in, fd, l->in_buf, sizeof l->in_buf);
	errno = EINVAL;		/* if there is no sender in the file */
	if (fstat(fd, &info) == -1 || next_record(l, &in, &type) != IO_OK ||
	    type != ENVELOPE_SENDER)
		return end_with(fd, TROUBLE);
	(void)end_with(fd, LISTED);
	if (stat(qlayout_path(&l->layout, path, Q_MESS, id), &mess) == -1)
		return gone_or_trouble();
	if ((bouncing = qlayout_exists(&l->layout, Q_BOUNCE, id)) == -1)
		return TROUBLE;
	(void)date_gmt(date, info.st_mtime);
	buf_adds(&l->text, date);
	buf_adds(&l->text, "  #");
	buf_addnum(&l->text, id);
	buf_adds(&l->text, "  ");
	buf_addnum(&l->text, (uint64_t)mess.st_size);
	buf_adds(&l->text, "  <");
	log_add_visible(&l->text, buf_span(&l->record), true, '_');
	buf_adds(&l->text, bouncing ? ">  bouncing\n" : "> \n");
	return LISTED;
}

/* `  done	local	sales-ann@b.example` for each recipient of a channel. */
static enum listing
add_channel(struct lister *l, uint64_t id, enum qdir channel)
{
	enum io_status status;
	struct io_in in;
	char type;
	int fd;

	if ((fd = qlayout_open_read(&l->layout, channel, id)) == -1)
		return errno == ENOENT ? LISTED : TROUBLE;
	io_in_init(&in, fd, l->in_buf, sizeof l->in_buf);
	while ((status = next_record(l, &in, &type)) == IO_OK) {
		buf_adds(&l->text, type == ENVELOPE_DONE ? "  done\t" : "\t");
		buf_adds(&l->text, qlayout_name(channel));
		buf_addc(&l->text, '\t');
		log_add_visible(&l->text, buf_span(&l->record), true, '_');
		buf_addc(&l->text, '\n');
	}
	return end_with(fd, status == IO_EOF ? LISTED : TROUBLE);
}

static void
list_message(struct lister *l, uint64_t id)
{
	enum listing result;

	buf_reset(&l->text);
	result = add_message(l, id);
	if (result == LISTED)
		result = add_channel(l, id, Q_LOCAL);
	if (result == LISTED)
		result = add_channel(l, id, Q_REMOTE);
	if (result == LISTED) {
		io_putspan(&l->out, buf_span(&l->text));
	} else if (result == TROUBLE) {
		io_puts(&l->out, "warning: trouble with #");
		io_putnum(&l->out, id);
		io_puts(&l->out, ": ");
		io_puts(&l->out, errtext(errno));
		io_putc(&l->out, '\n');
	}
}

static int
list_all(struct lister *l)
{
	struct qlayout_scan scan;
	uint64_t id;

	qlayout_scan_start(&scan, &l->layout, Q_INFO);
	while (qlayout_scan_next(&scan, &id) && !scan.failed) {
		list_message(l, id);
		if (!buf_ok(&l->text) || (l->record.failed && !l->record.over)) {
			qlayout_scan_stop(&scan);
			errno = 0;
			return fatal(l, "out of memory", "");
		}
	}
	qlayout_scan_stop(&scan);
	if (scan.failed) {
		errno = scan.error;
		return fatal(l, "unable to opendir ", scan.failed_dir);
	}
	return io_flush(&l->out) == -1 ? CODE_TEMP : CODE_OK;
}

int
main(void)
{
	static const struct sandbox_path queue[] = { { ".", SANDBOX_READ } };
	/* All recipients of a message: as many as memory holds. */
	struct lister l = { .text = BUF_CAP(SIZE_MAX / 2) };
	int code;

	if (io_open_standard() == -1)
		return CODE_TEMP;
	io_out_init(&l.out, 1, l.out_buf, sizeof l.out_buf);
	if (chdir(QMAIL_HOME) == -1 || chdir("queue") == -1 || qlayout_detect(&l.layout) == -1)
		return fatal(&l, "unable to chdir", "");
	if (sandbox_paths(queue, sizeof queue / sizeof *queue) == -1)
		return fatal(&l, "unable to restrict itself", "");
	code = list_all(&l);
	buf_free(&l.text);
	buf_free(&l.record);
	return code;
}
