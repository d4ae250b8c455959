/* qbiff - tell a user on his terminals that mail has come.
 *
 *	qbiff
 *
 * Run by: a .qmail line, as the user.  fd 0: the message.  Environment: USER whose terminals, LOCAL
 * and SENDER are shown.  A terminal gets the notice if the user is logged in there by the system's
 * list (utmpx), owns it, and has switched its execute bit on, as biff(1) does.
 * Exit: 0 always; mail must not wait because nobody can be told. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmpx.h>

#include "lib/conf.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/sandbox.h"
#include "local/glance.h"

#define INDENT "    "
#define TEXT_SIZE ((size_t)78 - (sizeof INDENT - 1))	/* one line of a terminal */
#define LOGINS 10000			/* entries of the list looked at */

static void
add_notice(struct buf *to, const char *local, const char *sender, const struct glance *g)
{
	buf_adds(to, "\r\n\a*** TO <");
	log_add_visible(to, span_str(local), true, '_');
	buf_adds(to, "> FROM <");
	log_add_visible(to, span_str(sender), true, '_');
	buf_adds(to, ">\r\n" INDENT);
	log_add_visible(to, buf_span(&g->text), true, '/');
	buf_adds(to, "\r\n");
}

/* Names below /dev that a login writes into the list, and nothing else. */
static bool
is_line_name(const char *name)
{
	return name[0] && name[0] != '/' && !strchr(name, '.');
}

/* Nobody waits for a terminal that is stopped: what does not fit is lost. */
static void
notify(const char *terminal, const struct buf *notice)
{
	struct stat st;
	int fd = open(terminal, O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && st.st_uid == getuid() && (st.st_mode & S_IXUSR) && isatty(fd))
		(void)io_write(fd, notice->p, notice->n);
	(void)close(fd);
}

static void
notify_all(const char *user, const struct buf *notice)
{
	const struct utmpx *login;

	setutxent();
	for (int i = 0; i < LOGINS && (login = getutxent()); i++) {
		char line[sizeof login->ut_line + 1];

		/* Neither string need be terminated. */
		if (login->ut_type != USER_PROCESS ||
		    strlen(user) > sizeof login->ut_user ||
		    strncmp(login->ut_user, user, sizeof login->ut_user) != 0)
			continue;
		memcpy(line, login->ut_line, sizeof login->ut_line);
		line[sizeof line - 1] = '\0';
		if (is_line_name(line))
			notify(line, notice);
	}
	endutxent();
}

int
main(void)
{
	const char *user = getenv("USER"), *sender = getenv("SENDER"), *local = getenv("LOCAL");
	struct glance g = { 0 };
	struct buf notice = { 0 };

	if (io_open_standard() == -1 || sandbox_plain(0) == -1)
		return CODE_OK;
	if (!user || !sender || !local || chdir("/dev") == -1)
		return CODE_OK;
	(void)!glance_read(&g, 0, TEXT_SIZE);
	add_notice(&notice, local, sender, &g);
	if (buf_ok(&notice))
		notify_all(user, &notice);
	glance_free(&g);
	buf_free(&notice);
	return CODE_OK;
}
