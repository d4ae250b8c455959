/* ucspi: details from a process that has parsed certificates of strangers; what the environment
 * says. */
#include "tls/ucspi.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define RAW(text) { (text), sizeof (text) - 1 }

static const struct {
	const char *name;
	struct span raw, clean;
} rows[] = {
	{ "one", RAW("SSL_CIPHER=x\0\0"), RAW("SSL_CIPHER=x\0") },
	{ "two", RAW("SSL_A=1\0SSLB=2\0\0"), RAW("SSL_A=1\0SSLB=2\0") },
	{ "others are left out", RAW("RELAYCLIENT=\0SSL_A=1\0PATH=/x\0\0"), RAW("SSL_A=1\0") },
	{ "no value", RAW("SSL_A\0\0"), RAW("") },
	{ "empty value", RAW("SSL_A=\0\0"), RAW("SSL_A=\0") },
	{ "lower case is another name", RAW("ssl_a=1\0\0"), RAW("") },
	{ "control bytes", RAW("SSL_A=a\r\n\t\177\033b\0\0"), RAW("SSL_A=a?????b\0") },
	{ "above ASCII", RAW("SSL_A=\303\244\0\0"), RAW("SSL_A=??\0") },
	{ "nothing", RAW("\0\0"), RAW("") },
	{ "no end", RAW("SSL_A=1"), RAW("SSL_A=1\0") },
};

static void
test_details(struct tap *t)
{
	struct buf details = { 0 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		buf_reset(&details);
		ucspi_clean(rows[i].raw, &details);
		ok(t, span_eq(buf_span(&details), rows[i].clean), "%s", rows[i].name);
	}
	buf_reset(&details);
	ucspi_clean(rows[1].raw, &details);
	ok(t, span_eq(ucspi_detail(&details, "SSLB"), span_str("2")), "found");
	ok(t, !ucspi_detail(&details, "SSL").p && !ucspi_detail(&details, "SSL_AA").p, "absent");
	ok(t, ucspi_export(&details) == 0 && getenv("SSL_A") && strcmp(getenv("SSL_A"), "1") == 0 &&
	    getenv("SSLB") && strcmp(getenv("SSLB"), "2") == 0, "in the environment");
	buf_free(&details);
}

/* In a process of its own, because 0 and 1 change: `size` bytes of details. */
static int
finish(size_t size, bool ended)
{
	struct buf raw = BUF_CAP(2 * UCSPI_DETAILS_MAX), details = { 0 };
	struct ucspi u;
	int fds[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		return 2;
	buf_adds(&raw, "SSL_A=");
	while (raw.n < size - 2)
		buf_addc(&raw, 'a');
	buf_add(&raw, ended ? "\0\0" : "\0a", 2);
	u = (struct ucspi){ fds[0], dup(fds[0]), dup(fds[0]) };
	if (write(fds[1], raw.p, raw.n) != (ssize_t)raw.n || close(fds[1]) == -1)
		return 2;
	rc = ucspi_finish(&u, &details);
	if (rc == 0 && details.n != size - 1)
		rc = 3;
	buf_free(&raw);
	buf_free(&details);
	return rc == -1 ? 1 : rc;
}

static void
test_sizes(struct tap *t)
{
	static const struct {
		size_t size;
		bool ended;
		int code;
	} sizes[] = {
		{ 10, true, 0 }, { 511, true, 0 }, { 512, true, 0 }, { 513, true, 0 },
		{ UCSPI_DETAILS_MAX - 1, true, 0 }, { UCSPI_DETAILS_MAX, true, 0 },
		{ UCSPI_DETAILS_MAX + 1, true, 1 }, { 10, false, 1 },
	};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0)
			_exit(finish(sizes[i].size, sizes[i].ended));
		ok(t, pid != -1 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		    WEXITSTATUS(status) == sizes[i].code, "%zu bytes, %s", sizes[i].size,
		    sizes[i].ended ? "whole" : "cut off");
	}
}

static const struct {
	const char *name, *value;
	bool inside;
} variables[] = {
	{ "SSL_PROTOCOL", "TLSv1.3", true }, { "SSL_PROTOCOL", "", false }, { "SSL", "1", true },
	{ "SSL", "0", false }, { "SSL", "yes", false }, { "TCPLOCALPORT", "465", true },
	{ "TCPLOCALPORT", "995", true }, { "TCPLOCALPORT", "25", false },
	{ "TCPLOCALPORT", "587", false }, { "SSLCTLFD", "5", false },
};

int
main(void)
{
	struct tap t = { 0 };

	test_details(&t);
	test_sizes(&t);
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
		(void)setenv(variables[i].name, variables[i].value, 1);
		ok(&t, ucspi_inside() == variables[i].inside, "%s=%s", variables[i].name,
		    variables[i].value);
		(void)unsetenv(variables[i].name);
	}
	(void)setenv("SSL_PROTOCOL", "TLSv1.3", 1);
	(void)setenv("SSLCTLFD", "5", 1);
	ok(&t, !ucspi_inside(), "sslserver -n: not yet");
	return done(&t);
}
