/* qmail-getpw - find the account that controls a local address.
 *
 *	qmail-getpw local
 *
 * Run by: qmail-lspawn, as qmailp, if users/cdb says nothing; an administrator's own program may
 * stand in its place.  fd 0: untouched.  fd 1: user, uid, gid, home directory, dash, ext, each
 * followed by NUL.  No environment.
 * Exit: 0 printed; 100 no argument; of queue/lscode.h: 115 a home directory cannot be looked at,
 * 116 no alias account, 118 the accounts cannot be read; then nothing is printed. */
#include "lib/conf.h"
#include "lib/io.h"
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
print(const struct account *a, const struct span *ext)
{
	struct buf out = { 0 };
	int code = LS_MEMORY;

	add_string(&out, buf_span(&a->name));
	add_number(&out, a->uid);
	add_number(&out, a->gid);
	add_string(&out, buf_span(&a->home));
	add_string(&out, span_str(ext ? "-" : ""));
	add_string(&out, ext ? *ext : span_str(""));
	if (buf_ok(&out))
		code = io_write_all(1, out.p, out.n) == 0 ? CODE_OK : LS_TEMPORARY;
	buf_free(&out);
	return code;
}

/* Mail for nobody in particular. */
static int
print_alias(struct account *a, struct span local)
{
	switch (uids_account(USER_ALIAS, a)) {
	case UIDS_FOUND:
		return print(a, &local);
	case UIDS_ABSENT:
		return LS_NO_ALIAS;
	default:
		return LS_TEMPORARY;
	}
}

static int
print_owner(struct account *a, struct span local)
{
	struct span ext;
	size_t n = 0;

	switch (owner_find(local, a, &n)) {
	case OWNER_USER:
		ext = span_tail(local, n + 1);	/* without the break character */
		return print(a, n == local.n ? NULL : &ext);
	case OWNER_NONE:
		return print_alias(a, local);
	case OWNER_HOME:
		return LS_NFS;
	case OWNER_MEMORY:
		return LS_MEMORY;
	default:
		return LS_TEMPORARY;
	}
}

int
main(int argc, char **argv)
{
	struct account a = { 0 };
	int code;

	if (io_open_standard() == -1)
		return LS_TEMPORARY;
	if (argc < 2)
		return CODE_PERM;
	code = print_owner(&a, span_str(argv[1]));
	uids_account_free(&a);
	return code;
}
