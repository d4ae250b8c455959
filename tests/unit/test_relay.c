/* relay: rcpthosts and morercpthosts.cdb in a directory of our own. */
#include "mail/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io.h"
#include "tap.h"

static const struct {
	const char *address;
	enum relay_status status;
} rows[] = {
	{ "u@ok.example", RELAY_ALLOWED },
	{ "u@OK.Example", RELAY_ALLOWED },
	{ "u@x.ok.example", RELAY_REFUSED },
	{ "u@ok.example.", RELAY_REFUSED },
	{ "u@sub.example", RELAY_REFUSED },
	{ "u@a.sub.example", RELAY_ALLOWED },
	{ "u@a.b.Sub.example", RELAY_ALLOWED },
	{ "u@.sub.example", RELAY_ALLOWED },
	{ "u@asub.example", RELAY_REFUSED },
	{ "u@more.example", RELAY_ALLOWED },
	{ "u@MORE.example", RELAY_ALLOWED },
	{ "u@x.more.example", RELAY_REFUSED },
	{ "u@a.wild.example", RELAY_ALLOWED },
	{ "u@a.b.wild.example", RELAY_ALLOWED },
	{ "u@wild.example", RELAY_REFUSED },
	{ "u@no.example@ok.example", RELAY_ALLOWED },
	{ "u@ok.example@no.example", RELAY_REFUSED },
	{ "u%no.example@ok.example", RELAY_ALLOWED },
	{ "u@b\303\274cher.example", RELAY_ALLOWED },
	{ "u@XN--bcher-KVA.example", RELAY_ALLOWED },
	{ "u@B\303\234cher.example", RELAY_REFUSED },
	{ "\303\274@example", RELAY_REFUSED },
	{ "u@\303\244.example", RELAY_ALLOWED },
	{ "u@xn--4ca.example", RELAY_ALLOWED },
	{ "u@sub.\303\244.example", RELAY_REFUSED },
	{ "u@more.\303\274.example", RELAY_ALLOWED },
	{ "u@more.xn--tda.example", RELAY_REFUSED },
	{ "u@\303\266.\303\274.example", RELAY_ALLOWED },
	{ "u@xn--nda.xn--tda.example", RELAY_ALLOWED },
	{ "u@", RELAY_REFUSED },
	{ "@", RELAY_REFUSED },
	{ "@ok.example", RELAY_ALLOWED },
	{ "postmaster", RELAY_ALLOWED },
	{ "", RELAY_ALLOWED },
};

static void
put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd == -1 || io_write_all(fd, text, strlen(text)) == -1 || close(fd) == -1)
		exit(1);
}

static void
put_cdb(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	struct cdbmap_maker *mk = cdbmap_make(fd);

	if (!mk || cdbmap_make_add(mk, span_str("more.example"), span_str("")) == -1 ||
	    cdbmap_make_add(mk, span_str(".wild.example"), span_str("")) == -1 ||
	    /* as it is, by others; A-labels */
	    cdbmap_make_add(mk, span_str("more.\303\274.example"), span_str("")) == -1 ||
	    cdbmap_make_add(mk, span_str("xn--nda.xn--tda.example"), span_str("")) == -1 ||
	    cdbmap_make_finish(mk) == -1 || close(fd) == -1)
		exit(1);
}

static enum relay_status
check_once(const char *address)
{
	struct relay r;
	enum relay_status status;

	if (relay_open(&r, NULL) == -1)
		return RELAY_FAILED;
	status = relay_check(&r, span_str(address));
	relay_close(&r);
	return status;
}

static void
test_files(struct tap *t)
{
	struct relay r;

	put_cdb("control/morercpthosts.cdb");
	is_num(t, check_once("u@any.example"), RELAY_ALLOWED, "no rcpthosts: everything");
	put_file("control/rcpthosts", "# nothing\n\n");
	is_num(t, check_once("u@any.example"), RELAY_REFUSED, "empty rcpthosts: nothing");
	is_num(t, check_once("u@more.example"), RELAY_ALLOWED, "empty rcpthosts: the cdb counts");
	put_file("control/rcpthosts", "ok.example\n.sub.example\n"
	    "b\303\274cher.example\nxn--4ca.example\n");
	if (relay_open(&r, NULL) == -1)
		exit(1);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ok(t, relay_check(&r, span_str(rows[i].address)) == rows[i].status, "`%s` is %s",
		    rows[i].address, rows[i].status == RELAY_ALLOWED ? "allowed" : "refused");
	relay_close(&r);
	put_file("control/morercpthosts.cdb", "too short");
	is_num(t, check_once("u@ok.example"), RELAY_ALLOWED, "damaged cdb: rcpthosts counts");
	is_num(t, check_once("u@more.example"), RELAY_FAILED, "damaged cdb: others undecided");
	(void)unlink("control/morercpthosts.cdb");
	if (symlink("morercpthosts.cdb", "control/morercpthosts.cdb") == -1)
		exit(1);
	ok(t, relay_open(&r, NULL) == -1 && strcmp(r.unread, "morercpthosts.cdb") == 0,
	    "a cdb that cannot be opened is an error");
	(void)unlink("control/morercpthosts.cdb");
	is_num(t, check_once("u@more.example"), RELAY_REFUSED, "no cdb");
	is_num(t, check_once("u@ok.example"), RELAY_ALLOWED, "no cdb, rcpthosts counts");
	(void)unlink("control/rcpthosts");
	if (mkdir("control/rcpthosts", 0755) == -1)
		exit(1);
	ok(t, relay_open(&r, NULL) == -1 && strcmp(r.unread, "rcpthosts") == 0,
	    "a directory for rcpthosts is an error");
	(void)rmdir("control/rcpthosts");
}

int
main(void)
{
	struct tap t = { 0 };
	char dir[] = "/tmp/test_relay.XXXXXX";

	if (!mkdtemp(dir) || chdir(dir) == -1 || mkdir("control", 0755) == -1)
		return 1;
	test_files(&t);
	(void)rmdir("control");
	if (chdir("/") == -1 || rmdir(dir) == -1)
		ok(&t, false, "left nothing behind");
	return done(&t);
}
