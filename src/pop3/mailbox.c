/* mailbox - the messages of a maildir as POP3 numbers them. */
#include "pop3/mailbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "lib/date.h"
#include "lib/fsops.h"
#include "lib/num.h"
#include "lib/sys.h"
#include "mail/dotcrlf.h"

#define CHUNK ((size_t)32768)

int
mailbox_open(struct mailbox *m)
{
	*m = (struct mailbox){ 0 };
	if (maildir_scan(&m->list, date_now()) == -1)
		return -1;
	/* calloc(0) may be NULL without being a failure. */
	m->marks = calloc(m->list.n + 1, sizeof *m->marks);
	if (m->marks)
		return 0;
	maildir_list_free(&m->list);
	errno = ENOMEM;
	return -1;
}

void
mailbox_close(struct mailbox *m)
{
	maildir_list_free(&m->list);
	free(m->marks);
	*m = (struct mailbox){ 0 };
}

/* The file name without `new/` or `cur/`. */
static struct span
name_of(const struct mailbox *m, size_t i)
{
	struct span path = span_str(m->list.messages[i].path);

	return span_tail(path, span_chr(path, '/') + 1);
}

/* ---- text ---- */

/* Where TOP stops. */
struct extent {
	bool all;
	bool in_body;
	bool blank;		/* nothing but CR in the line so far */
	uint64_t body_lines;	/* still to come */
};

/* How many bytes of the chunk belong to the extent. */
static size_t
measure(struct extent *x, const char *p, size_t n)
{
	size_t at = 0;

	if (x->all)
		return n;
	while (at < n && !(x->in_body && x->body_lines == 0)) {
		size_t line = span_chr(span_of(p + at, n - at), '\n');

		for (size_t k = 0; x->blank && k < line; k++)
			x->blank = p[at + k] == '\r';
		at += line;
		if (at == n)
			break;
		at++;
		if (x->in_body)
			x->body_lines--;
		else if (x->blank)
			x->in_body = true;
		x->blank = true;
	}
	return at;
}

/* out NULL: only counts. */
static int
encode_file(int fd, struct io_out *out, struct extent *x, uint64_t *octets)
{
	struct dotcrlf_encoder encoder = { .keep_cr = true };
	char chunk[CHUNK];
	ssize_t n;

	while ((n = io_read(fd, chunk, sizeof chunk)) > 0) {
		size_t take = measure(x, chunk, (size_t)n);

		dotcrlf_encode(&encoder, out, chunk, take);
		if (take < (size_t)n || (out && out->status != IO_OK))
			break;
	}
	dotcrlf_encode_end(&encoder, out);
	*octets = encoder.octets;
	return n == -1 ? -1 : 0;
}

int
mailbox_send(int fd, struct io_out *out, bool all, uint64_t body_lines)
{
	struct extent x = { .all = all, .blank = true, .body_lines = body_lines };
	uint64_t octets;

	return encode_file(fd, out, &x, &octets);
}

/* `,W=1234` between the unique part of the name and the flags. */
static bool
octets_in_name(struct span name, uint64_t *octets)
{
	name = span_head(name, span_chr(name, ':'));
	for (;;) {
		size_t comma = span_chr(name, ',');
		struct span field;

		if (comma == name.n)
			return false;
		name = span_tail(name, comma + 1);
		field = span_head(name, span_chr(name, ','));
		if (span_starts(field, span_str("W=")))
			return num_parse_u64(field.p + 2, field.n - 2, INT64_MAX, octets) == NUM_OK;
	}
}

static uint64_t
count_octets(const struct mailbox *m, size_t i)
{
	struct extent x = { .all = true };
	uint64_t octets = 0;
	int fd = mailbox_open_message(m, i);

	if (fd == -1)
		return 0;
	if (encode_file(fd, NULL, &x, &octets) == -1)
		octets = 0;
	(void)close(fd);
	return octets;
}

uint64_t
mailbox_octets(struct mailbox *m, size_t i)
{
	struct mailbox_mark *mark = &m->marks[i];

	if (!mark->octets_known && !octets_in_name(name_of(m, i), &mark->octets))
		mark->octets = count_octets(m, i);
	mark->octets_known = true;
	return mark->octets;
}

int
mailbox_open_message(const struct mailbox *m, size_t i)
{
	return fsops_open_read(m->list.messages[i].path);
}

/* ---- unique ids ---- */

static uint64_t
fnv1a(struct span s, uint64_t basis)
{
	for (size_t i = 0; i < s.n; i++)
		basis = (basis ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return basis;
}

void
mailbox_add_uidl(const struct mailbox *m, size_t i, struct buf *to)
{
	struct span name = name_of(m, i);
	bool usable;
	char digest[33];

	name = span_head(name, span_chr(name, ':'));
	usable = name.n > 0 && name.n <= MAILBOX_UIDL_MAX;
	for (size_t k = 0; usable && k < name.n; k++)
		usable = ascii_isgraph(name.p[k]);
	if (usable) {
		buf_addspan(to, name);
		return;
	}
	/* Names are chosen by delivery programs, not by senders, so the digest need not resist
	 * forgery; 128 bits keep chance away. */
	(void)snprintf(digest, sizeof digest, "%016llx%016llx",
	    (unsigned long long)fnv1a(name, UINT64_C(0xcbf29ce484222325)),
	    (unsigned long long)fnv1a(name, UINT64_C(0x84222325cbf29ce4)));
	buf_adds(to, digest);
}

/* ---- marks, and the end ---- */

void
mailbox_delete(struct mailbox *m, size_t i)
{
	m->marks[i].deleted = true;
	if (i + 1 > m->last)
		m->last = i + 1;
}

void
mailbox_undelete_all(struct mailbox *m)
{
	for (size_t i = 0; i < m->list.n; i++)
		m->marks[i].deleted = false;
	m->last = 0;
}

/* new/NAME becomes cur/NAME:2, (maildir(5)), unless another message has that name.  If that fails
 * the message is shown again: no harm. */
static void
move_to_cur(const struct mailbox *m, size_t i)
{
	const char *path = m->list.messages[i].path;
	struct buf to = { 0 };

	if (!span_starts(span_str(path), span_str("new/")))
		return;
	buf_adds(&to, "cur/");
	buf_addspan(&to, name_of(m, i));
	if (!strstr(path, ":2,"))
		buf_adds(&to, ":2,");
	if (buf_ok(&to))
		(void)!sys_rename_new(path, to.p);
	buf_free(&to);
}

int
mailbox_update(struct mailbox *m)
{
	int rc = 0;

	for (size_t i = 0; i < m->list.n; i++)
		if (!m->marks[i].deleted)
			move_to_cur(m, i);
		else if (unlink(m->list.messages[i].path) == -1 && errno != ENOENT)
			rc = -1;
	return rc;
}
