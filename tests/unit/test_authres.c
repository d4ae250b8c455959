/* authres: the field Authentication-Results, and the name in it. */
#include "mail/authres.h"

#include <errno.h>
#include <stdlib.h>

#include "scratch.h"
#include "tap.h"

#define F "Authentication-Results: mx;\n\t"

static const struct {
	const char *name, *results, *field;	/* NULL: none */
} fields[] = {
	{ "one", "spf=pass", F "spf=pass\n" },
	{ "two", "auth=pass (x) smtp.auth=joe; spf=none",
	    F "auth=pass (x) smtp.auth=joe;\n\tspf=none\n" },
	{ "no blank", "a=b;c=d", F "a=b;\n\tc=d\n" },
	{ "blanks", " \t a=b;   c=d \t ", F "a=b;\n\tc=d\n" },
	{ "quoted", "a=\"x; \\\"; y\"; b=c", F "a=\"x; \\\"; y\";\n\tb=c\n" },
	{ "a comment", "a=b (x; (y); \\); z); b=c", F "a=b (x; (y); \\); z);\n\tb=c\n" },
	{ "a quote in a comment", "a=b (\"); b=c", F "a=b (\");\n\tb=c\n" },
	{ "open ones", "a=\"b; (", F "a=\"b; (\n" },
	{ "closed twice", "a=b)); b=c", F "a=b));\n\tb=c\n" },
	{ "nothing behind", "a=b; ", F "a=b;\n" },
	{ "nothing between", "a=b; ;; c=d", F "a=b;\n\t;\n\t;\n\tc=d\n" },
	{ "a line feed", "a=b\nBcc: x\r\n\r\ny", F "a=b?Bcc: x????y\n" },
	{ "another behind a result", "a=b;\nBcc: x", F "a=b;\n\t?Bcc: x\n" },
	{ "bytes", "\x01\x1f\x7f\x80\xff\t~", F "?????" "?~\n" },
	{ "empty", "", NULL },
	{ "blank", " \t ", NULL },
};

static void
test_fields(struct tap *t)
{
	char text[AUTHRES_MAX + 2];
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		bool some = authres_put_field(&b, span_str("mx"), span_str(fields[i].results));

		is(t, buf_span(&b), span_str(fields[i].field), fields[i].name);
		ok(t, some == (fields[i].field != NULL), "  or none");
		buf_reset(&b);
	}
	memset(text, 'x', sizeof text);
	ok(t, authres_put_field(&b, span_str("mx"), span_of(text, AUTHRES_MAX)), "as many bytes");
	buf_reset(&b);
	ok(t, !authres_put_field(&b, span_str("mx"), span_of(text, AUTHRES_MAX + 1)) && !b.n,
	    "one more");
	buf_free(&b);
}

static const struct {
	const char *value, *property;
} values[] = {
	{ "joe", " p=joe" },
	{ "joe+x.y_z-1@a.example", " p=joe+x.y_z-1@a.example" },
	{ "a@b@c", " p=\"a@b@c\"" },
	{ "@b", " p=\"@b\"" },
	{ "a@", " p=\"a@\"" },
	{ "j d", " p=\"j d\"" },
	{ "a\"b\\c", " p=\"a\\\"b\\\\c\"" },
	{ "a; spf=pass", " p=\"a; spf=pass\"" },
	{ "a\nb", "" },
	{ "a\x7f", "" },
	{ "\xc3\xa4@b", "" },
	{ "", "" },
};

static void
test_values(struct tap *t)
{
	char text[AUTHRES_VALUE_MAX + 2];
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		buf_adds(&b, "x");
		authres_add_property(&b, "p", span_str(values[i].value));
		is(t, span_tail(buf_span(&b), 1), span_str(values[i].property),
		    values[i].value);
		buf_reset(&b);
	}
	memset(text, 'x', sizeof text);
	for (size_t n = AUTHRES_VALUE_MAX; n < sizeof text; n++) {
		authres_add_property(&b, "p", span_of(text, n));
		is_num(t, b.n != 0, n == AUTHRES_VALUE_MAX, "a long value");
		buf_reset(&b);
	}
	text[0] = ' ';
	for (size_t n = AUTHRES_VALUE_MAX - 2; n < AUTHRES_VALUE_MAX; n++) {
		authres_add_property(&b, "p", span_of(text, n));
		is_num(t, b.n != 0, n == AUTHRES_VALUE_MAX - 2, "a long value in quotes");
		buf_reset(&b);
	}
	buf_free(&b);
}

static const struct {
	const char *authservid, *me;	/* NULL: no such file */
	const char *id;			/* NULL: trouble */
	const char *unread;
} ids[] = {
	{ NULL, "mx.a\n", "mx.a", "me" },
	{ "id-1_x.b\n", "mx.a\n", "id-1_x.b", "authservid" },
	{ "", "mx.a\n", "mx.a", "me" },
	{ "id\n", NULL, "id", "authservid" },
	{ NULL, NULL, NULL, "me" },
	{ NULL, "", NULL, "me" },
	{ "a b\n", "mx.a\n", NULL, "authservid" },
	{ "a;b\n", "mx.a\n", NULL, "authservid" },
	{ "dir", "mx.a\n", NULL, "authservid" },
};

static void
put(const char *path, const char *text)
{
	(void)unlink(path);
	(void)rmdir(path);
	if (text && strcmp(text, "dir") == 0) {
		if (mkdir(path, 0700) == -1)
			abort();
	} else if (text) {
		(void)close(scratch_file(path, text));
	}
}

static void
test_ids(struct tap *t)
{
	char longest[AUTHRES_ID_MAX + 2];
	const char *unread;
	struct buf id = { 0 };

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		put("control/authservid", ids[i].authservid);
		put("control/me", ids[i].me);
		is_num(t, authres_id(NULL, &id, &unread), ids[i].id ? CTL_FOUND : CTL_ERROR,
		    ids[i].authservid ? ids[i].authservid : "no authservid");
		ok(t, (!ids[i].id || strcmp(buf_str(&id), ids[i].id) == 0) &&
		    strcmp(unread, ids[i].unread) == 0, "  %s", ids[i].unread);
	}
	memset(longest, 'x', sizeof longest);
	longest[AUTHRES_ID_MAX + 1] = '\0';
	put("control/authservid", longest);
	ok(t, authres_id(NULL, &id, &unread) == CTL_ERROR && errno == EINVAL, "too long");
	put("control/authservid", longest + 1);
	is_num(t, authres_id(NULL, &id, &unread), CTL_FOUND, "not too long");
	buf_free(&id);
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	scratch_enter_home(&s);
	test_fields(&t);
	test_values(&t);
	test_ids(&t);
	scratch_leave(&s);
	return done(&t);
}
