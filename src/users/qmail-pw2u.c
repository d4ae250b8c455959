/* qmail-pw2u - make users/assign from a password file.
 *
 *	qmail-pw2u [ -/ohHuUC ] [ -c char ]
 *
 * Run by: an administrator.  fd 0: lines as in /etc/passwd.  fd 1: users/assign; without its last
 * line `.`, which qmail-newu wants to see, if anything went wrong.  No environment; works in the
 * home directory with users/include, exclude, mailnames, subusers and append.
 * Exit: 0 done, 100 called wrongly, 111 failure. */
#include <stddef.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/ctl.h"
#include "lib/io.h"
#include "lib/opt.h"
#include "lib/report.h"
#include "lib/sandbox.h"
#include "users/pw2u.h"

#define BUFFER_SIZE 16384
#define INCLUDE "users/include"
#define EXCLUDE "users/exclude"
#define MAILNAMES "users/mailnames"
#define SUBUSERS "users/subusers"
#define APPEND "users/append"

static int
fatal(const char *what)
{
	return report_fail(CODE_TEMP, "qmail-pw2u: fatal: %s", what);
}

static int
complain(enum pw2u_status status, const struct buf *detail)
{
	switch (status) {
	case PW2U_OK:
		return CODE_OK;
	case PW2U_READ:
		return fatal("unable to read input");
	case PW2U_WRITE:
		return fatal("unable to write output");
	case PW2U_NO_ALIAS:
		return fatal("unable to find alias user");
	case PW2U_HOME:
		return report_fail(CODE_TEMP, "qmail-pw2u: fatal: unable to stat %s",
		    buf_str(detail));
	case PW2U_NO_USER:
		return report_fail(CODE_TEMP,
		    "qmail-pw2u: fatal: unable to find %s user for subuser", buf_str(detail));
	default:
		return fatal("out of memory");
	}
}

/* One byte that a line of users/assign can hold in a name. */
static bool
take_break(struct pw2u *p, const char *value)
{
	p->break_char = value[0];
	return value[0] && !value[1] && value[0] != ':' && value[0] != '\n';
}

static int
take_options(struct pw2u *p, int argc, char **argv)
{
	struct opt o = OPT_INIT(argc, argv);

	p->break_char = USER_BREAK;
	for (int c; (c = opt_next(&o, "/ohHuUCc:")) != OPT_END;)
		switch (c) {
		case '/':
			p->slash = true;
			break;
		case 'o':
			p->homes = PW2U_SKIP_MISSING;
			break;
		case 'h':
			p->homes = PW2U_NEED;
			break;
		case 'H':
			p->homes = PW2U_ANY;
			break;
		case 'u':
		case 'U':
			p->capitals = c == 'u';
			break;
		case 'C':
			p->break_char = 0;
			break;
		case 'c':
			if (take_break(p, o.value))
				break;
			return report_fail(CODE_PERM, "%s: option requires an argument -- c",
			    opt_program(&o));
		default:
			opt_complain(&o, 2, c);
			return CODE_PERM;
		}
	return CODE_OK;
}

static bool
load_controls(struct pw2u *p)
{
	enum ctl_status include = ctl_path_set(INCLUDE, &p->include);

	p->has_include = include == CTL_FOUND;
	return include != CTL_ERROR && ctl_path_set(EXCLUDE, &p->exclude) != CTL_ERROR &&
	    ctl_path_map(MAILNAMES, &p->mailnames) != CTL_ERROR &&
	    ctl_path_text(SUBUSERS, &p->subusers) != CTL_ERROR &&
	    ctl_path_text(APPEND, &p->append) != CTL_ERROR;
}

static int
convert(struct pw2u *p)
{
	char in_buffer[BUFFER_SIZE], out_buffer[BUFFER_SIZE];
	struct buf detail = { 0 };
	struct io_in in;
	struct io_out out;
	int code;

	io_in_init(&in, 0, in_buffer, sizeof in_buffer);
	io_out_init(&out, 1, out_buffer, sizeof out_buffer);
	code = complain(pw2u_convert(p, &in, &out, &detail), &detail);
	buf_free(&detail);
	return code;
}

int
main(int argc, char **argv)
{
	struct pw2u p = PW2U_EMPTY;
	int code;

	if (io_open_standard() == -1 || sandbox_plain(0) == -1)
		return CODE_TEMP;
	if ((code = take_options(&p, argc, argv)) != CODE_OK)
		return code;
	if (chdir(QMAIL_HOME) == -1)
		return fatal("unable to chdir");
	code = load_controls(&p) ? convert(&p) : fatal("unable to read controls");
	pw2u_free(&p);
	return code;
}
