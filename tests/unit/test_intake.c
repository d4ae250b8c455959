/* intake: who may send what, by control files and environment. */
#include "mail/intake.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

static const struct {
	const char *file, *variable;	/* NULL: not there */
	uint64_t limit;
} sizes[] = {
	{ NULL, NULL, 0 },
	{ "100", NULL, 100 },
	{ "100", "7", 7 },
	{ "100", "0", 0 },
	{ "100", "", 0 },
	{ "100", "x", 0 },
	{ NULL, "7x", 7 },
	{ "5000000000", NULL, 5000000000 },
	{ "9223372036854775807", NULL, INT64_MAX },
	{ "9223372036854775808", NULL, 0 },
	{ "99999999999999999999999", NULL, 0 },
	{ "-1", NULL, 0 },
};

static const struct {
	const char *sender;
	bool bad;
} senders[] = {
	{ "a@evil.example", true },
	{ "A@EVIL.example", true },
	{ "x@y@evil.example", true },
	{ "joe@b.example", true },
	{ "jo@b.example", false },
	{ "a@sub.evil.example", false },
	{ "evil.example", false },
	{ "local", true },
	{ "", false },
	{ "@", false },
};

static const struct {
	const char *recipient;
	enum relay_status open, listed;	/* without rcpthosts, with it */
} recipients[] = {
	{ "u@ok.example", RELAY_ALLOWED, RELAY_ALLOWED },
	{ "u@no.example", RELAY_ALLOWED, RELAY_REFUSED },
	{ "u@", RELAY_ALLOWED, RELAY_REFUSED },
	{ "u", RELAY_ALLOWED, RELAY_ALLOWED },
};

static void
put(const char *path, const char *text)
{
	(void)unlink(path);
	if (text)
		(void)close(scratch_file(path, text));
}

static void
test_sizes(struct tap *t)
{
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct intake in = { 0 };

		put("control/databytes", sizes[i].file);
		if (sizes[i].variable)
			(void)setenv("DATABYTES", sizes[i].variable, 1);
		else
			(void)unsetenv("DATABYTES");
		ok(t, intake_read(&in, NULL) == 0 && in.size_limit == sizes[i].limit,
		    "databytes `%.10s`, DATABYTES `%s`", sizes[i].file ? sizes[i].file : "",
		    sizes[i].variable ? sizes[i].variable : "unset");
		intake_free(&in);
	}
	(void)unsetenv("DATABYTES");
}

static void
test_senders(struct tap *t)
{
	struct intake in = { 0 };

	put("control/badmailfrom", "@evil.example\njoe@b.example\nlocal\n#x\n\n");
	ok(t, intake_read(&in, NULL) == 0 && intake_read_senders(&in) == 0, "badmailfrom");
	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++)
		ok(t, intake_is_bad_sender(&in, span_str(senders[i].sender)) == senders[i].bad,
		    "sender `%s`", senders[i].sender);
	intake_free(&in);
}

static void
test_recipients(struct tap *t)
{
	struct intake open = { 0 }, listed = { 0 }, relays = { 0 };

	ok(t, intake_read(&open, NULL) == 0, "no rcpthosts");
	put("control/rcpthosts", "ok.example\n");
	ok(t, intake_read(&listed, NULL) == 0 && !listed.relay_client, "rcpthosts");
	(void)setenv("RELAYCLIENT", "", 1);
	ok(t, intake_read(&relays, NULL) == 0 && relays.relay_client, "RELAYCLIENT");
	for (size_t i = 0; i < sizeof recipients / sizeof *recipients; i++) {
		struct span to = span_str(recipients[i].recipient);

		ok(t, intake_recipient(&open, to) == recipients[i].open &&
		    intake_recipient(&listed, to) == recipients[i].listed &&
		    intake_recipient(&relays, to) == RELAY_ALLOWED, "recipient `%s`",
		    recipients[i].recipient);
	}
	ok(t, !intake_warns(&listed), "nothing to warn of");
	intake_free(&open);
	intake_free(&listed);
	intake_free(&relays);
}

static void
test_unreadable(struct tap *t)
{
	static const char *const files[] = { "control/rcpthosts", "control/badmailfrom",
		"control/databytes" };

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct intake in = { 0 };

		(void)unlink(files[i]);
		if (mkdir(files[i], 0700) == -1)
			abort();
		ok(t, intake_read(&in, NULL) == -1 ?
		    strcmp(in.unread, files[i] + strlen("control/")) == 0 :
		    intake_read_senders(&in) == -1, "%s cannot be read", files[i]);
		intake_free(&in);
		(void)rmdir(files[i]);
	}
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch scratch;

	(void)unsetenv("RELAYCLIENT");
	scratch_enter_home(&scratch);
	test_sizes(&t);
	test_senders(&t);
	test_recipients(&t);
	test_unreadable(&t);
	scratch_leave(&scratch);
	return done(&t);
}
