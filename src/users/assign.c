/* assign - users/assign becomes users/cdb. */
#include "users/assign.h"

#include <errno.h>
#include <stdbool.h>

#include "lib/cdbmap.h"
#include "lib/io.h"
#include "lib/num.h"
#include "lib/span.h"
#include "mail/userdb.h"

#define READ_SIZE 16384
#define WARNINGS_MAX 100	/* lines warned about */

struct building {
	struct io_in in;
	char buffer[READ_SIZE];
	struct cdbmap_maker *maker;
	struct buf line, key, data;
	struct buf wild;	/* last bytes of prefixes, each once */
	struct buf *warnings;
	unsigned warned;
	struct assign_place place;
};

static void
warn(struct building *b, const char *what)
{
	if (b->warned++ >= WARNINGS_MAX)
		return;
	buf_adds(b->warnings, "qmail-newu: warning: users/assign line ");
	buf_addnum(b->warnings, b->place.line);
	buf_adds(b->warnings, ": ");
	buf_adds(b->warnings, what);
	buf_addc(b->warnings, '\n');
}

/* The next of the strings in data. */
static struct span
next_field(struct span *left)
{
	size_t n = span_chr(*left, '\0');
	struct span field = span_head(*left, n);

	*left = span_tail(*left, n + 1);
	return field;
}

/* Nothing of this stops qmail-newu: other programs write such lines on purpose. */
static void
look_for_mistakes(struct building *b)
{
	struct span left = buf_span(&b->data), uid, gid, home;
	uint64_t number = 1;

	(void)next_field(&left);
	uid = next_field(&left);
	gid = next_field(&left);
	home = next_field(&left);
	if (num_parse_u64(uid.p, uid.n, UINT32_MAX - 1, &number) != NUM_OK)
		warn(b, "uid is not a number");
	else if (number == 0)
		warn(b, "uid is 0: nothing will be delivered");
	if (num_parse_u64(gid.p, gid.n, UINT32_MAX - 1, &number) != NUM_OK)
		warn(b, "gid is not a number");
	if (home.n == 0 || home.p[0] != '/')
		warn(b, "home directory is not absolute");
}

static enum assign_status
add_record(const struct building *b, struct span key, struct span data)
{
	return cdbmap_make_add(b->maker, key, data) == 0 ? ASSIGN_OK :
	    errno == ENOMEM ? ASSIGN_MEMORY : ASSIGN_WRITE;
}

static void
add_wild(struct building *b, char wild)
{
	if (wild && span_chr(buf_span(&b->wild), wild) == b->wild.n)
		buf_addc(&b->wild, wild);
}

static enum assign_status
bad_line(struct building *b, const char *why)
{
	b->place.why = why;
	return ASSIGN_FORMAT;
}

/* Why userdb_parse_line refuses it. */
static const char *
line_fault(struct span line)
{
	if (!line.n)
		return "it is empty";
	if (span_chr(line, '\0') < line.n)
		return "it has a NUL";
	if (line.p[0] == ':')
		return "it begins with a colon";
	return "it has fewer than seven colons";
}

/* *end: the line with the dot. */
static enum assign_status
take_line(struct building *b, bool *end)
{
	char wild;

	switch (userdb_parse_line(buf_span(&b->line), &b->key, &b->data, &wild)) {
	case USERDB_LINE_END:
		*end = true;
		return ASSIGN_OK;
	case USERDB_LINE_BAD:
		return bad_line(b, line_fault(buf_span(&b->line)));
	default:
		break;
	}
	add_wild(b, wild);
	if (!buf_ok(&b->key) || !buf_ok(&b->data) || !buf_ok(&b->wild))
		return ASSIGN_MEMORY;
	look_for_mistakes(b);
	return add_record(b, buf_span(&b->key), buf_span(&b->data));
}

static enum assign_status
read_line(struct building *b)
{
	b->place.line++;
	buf_reset(&b->line);
	switch (io_get_until(&b->in, '\n', &b->line)) {
	case IO_OK:
		return ASSIGN_OK;
	case IO_EOF:
		/* Only the dot may lack its LF. */
		if (b->line.n && b->line.p[0] == '.')
			return ASSIGN_OK;
		return bad_line(b, b->line.n ? "its end is missing" :
		    "the list ends without a line that is a dot");
	case IO_TOOLONG:
		return b->line.over ? bad_line(b, "it is too long") : ASSIGN_MEMORY;
	default:
		return ASSIGN_READ;
	}
}

static enum assign_status
take_all(struct building *b)
{
	enum assign_status status = ASSIGN_OK;
	bool end = false;

	while (status == ASSIGN_OK && !end) {
		status = read_line(b);
		if (status == ASSIGN_OK)
			status = take_line(b, &end);
	}
	return status == ASSIGN_OK ? add_record(b, span_str(""), buf_span(&b->wild)) : status;
}

enum assign_status
assign_build(int from, int to, struct assign_place *place, struct buf *warnings)
{
	struct building b = { .line = BUF_CAP(ASSIGN_LINE_MAX), .warnings = warnings };
	enum assign_status status;
	int error;

	*place = b.place;
	if (!(b.maker = cdbmap_make(to)))
		return errno == ENOMEM ? ASSIGN_MEMORY : ASSIGN_WRITE;
	io_in_init(&b.in, from, b.buffer, sizeof b.buffer);
	status = take_all(&b);
	error = errno;
	if (cdbmap_make_finish(b.maker) == -1 && status == ASSIGN_OK) {
		error = errno;
		status = ASSIGN_WRITE;
	}
	*place = b.place;
	buf_free(&b.line);
	buf_free(&b.key);
	buf_free(&b.data);
	buf_free(&b.wild);
	errno = error;
	return status;
}
