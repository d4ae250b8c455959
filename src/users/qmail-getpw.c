/* qmail-getpw - find the account that controls a local address.
 *
 *	qmail-getpw local
 *	qmail-getpw			descriptor 0: see queue/accountproto.h
 *
 * Run by: qmail-lspawn, as qmailp, if users/cdb says nothing; an administrator's own program may
 * stand in its place.  fd 0: untouched.  fd 1: user, uid, gid, home directory, dash, ext, each
 * followed by NUL.  No environment.
 * Exit: 0 printed; 100 no argument; of queue/lscode.h: 115 a home directory cannot be looked at,
 * 116 no alias account, 118 the accounts cannot be read; then nothing is printed. */
#include "lib/conf.h"
#include "lib/io.h"
#include "lib/packet.h"
#include "queue/accountproto.h"
#include "queue/lscode.h"
#include "users/owner.h"

static void
add_string(struct buf *out, struct span s)
{
	buf_addspan(out, s);
	buf_addc(out, '\0');
}

static void
add_number(struct buf *out, uint64_t n)
{
	buf_addnum(out, n);
	buf_addc(out, '\0');
}

/* ext: what of the address is not the name; NULL if all of it is. */
static int
describe(struct buf *out, const struct account *a, const struct span *ext)
{
	add_string(out, buf_span(&a->name));
	add_number(out, a->uid);
	add_number(out, a->gid);
	add_string(out, buf_span(&a->home));
	add_string(out, span_str(ext ? "-" : ""));
	add_string(out, ext ? *ext : span_str(""));
	return buf_ok(out) ? CODE_OK : LS_MEMORY;
}

/* Mail for nobody in particular. */
static int
describe_alias(struct buf *out, struct account *a, struct span local)
{
	switch (uids_account(USER_ALIAS, a)) {
	case UIDS_FOUND:
		return describe(out, a, &local);
	case UIDS_ABSENT:
		return LS_NO_ALIAS;
	default:
		return LS_TEMPORARY;
	}
}

static int
describe_owner(struct buf *out, struct account *a, struct span local)
{
	struct span ext;
	size_t n = 0;

	switch (owner_find(local, a, &n)) {
	case OWNER_USER:
		ext = span_tail(local, n + 1);	/* without the break character */
		return describe(out, a, n == local.n ? NULL : &ext);
	case OWNER_NONE:
		return describe_alias(out, a, local);
	case OWNER_HOME:
		return LS_NFS;
	case OWNER_MEMORY:
		return LS_MEMORY;
	default:
		return LS_TEMPORARY;
	}
}

/* Appends the answer; the exit code. */
static int
answer(struct buf *out, struct span local)
{
	struct account a = { 0 };
	int code = describe_owner(out, &a, local);

	uids_account_free(&a);
	return code;
}

static int
answer_once(struct span local)
{
	struct buf out = { 0 };
	int code = answer(&out, local);

	if (code == CODE_OK && io_write_all(1, out.p, out.n) == -1)
		code = LS_TEMPORARY;
	buf_free(&out);
	return code;
}

/* One packet for one; false: the asker is gone, or cannot be answered. */
static bool
serve(struct buf *out)
{
	char local[ACCOUNTPROTO_LOCAL_MAX];
	ssize_t n = io_read(0, local, sizeof local);
	int code;

	if (n <= 0)
		return false;
	buf_reset(out);
	buf_addc(out, CODE_OK);
	code = answer(out, span_of(local, (size_t)n));
	if (code != CODE_OK) {
		buf_reset(out);
		buf_addc(out, (char)code);
	}
	return buf_ok(out) && out->n <= ACCOUNTPROTO_ANSWER_MAX + 1 &&
	    io_write(0, out->p, out->n) == (ssize_t)out->n;
}

static int
serve_all(void)
{
	struct buf out = { 0 };

	if (packet_greet(0, ACCOUNTPROTO_GREETING) == 0)
		while (serve(&out))
			;
	buf_free(&out);
	return CODE_OK;
}

int
main(int argc, char **argv)
{
	if (io_open_standard() == -1)
		return LS_TEMPORARY;
	if (argc >= 2)
		return answer_once(span_str(argv[1]));
	return packet_is_socket(0) ? serve_all() : CODE_PERM;
}
