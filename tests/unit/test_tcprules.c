/* tcprules: which rule is a client's. */
#include "mail/tcprules.h"

#include <unistd.h>

#include "lib/cdbmap.h"
#include "scratch.h"
#include "tap.h"

static const char *const keys[] = { "joe@192.0.2.1", "joe@=a.b.example", "192.0.2.1",
	"=a.b.example", "192.0.2.", "192.0.", "192.", "=.b.example", "=.example", "=", "",
	"2001:db8:" };

static const struct {
	const char *ip, *host, *user, *key;
} rows[] = {
	{ "192.0.2.1", "a.b.example", "joe", "joe@192.0.2.1" },
	{ "192.0.2.2", "a.b.example", "joe", "joe@=a.b.example" },
	{ "192.0.2.1", "a.b.example", NULL, "192.0.2.1" },
	{ "192.0.2.1", NULL, "ann", "192.0.2.1" },
	{ "192.0.2.2", "a.b.example", NULL, "=a.b.example" },
	{ "192.0.2.2", "c.b.example", NULL, "192.0.2." },
	{ "192.0.3.2", "c.b.example", NULL, "192.0." },
	{ "192.1.3.2", NULL, NULL, "192." },
	{ "10.0.0.1", "c.b.example", NULL, "=.b.example" },
	{ "10.0.0.1", "c.d.example", NULL, "=.example" },
	{ "10.0.0.1", "example", NULL, "=" },
	{ "10.0.0.1", NULL, NULL, "" },
	{ "2001:db8::1", NULL, NULL, "2001:db8:" },
	{ "2001:db9::1", NULL, NULL, "" },
};

static void
make(size_t n)
{
	int fd = scratch_file("rules", "");
	struct cdbmap_maker *mk = cdbmap_make(fd);

	for (size_t i = 0; mk && i < n; i++)
		if (cdbmap_make_add(mk, span_str(keys[i]), span_str(keys[i])) == -1)
			abort();
	if (!mk || cdbmap_make_finish(mk) == -1 || close(fd) == -1)
		abort();
}

static enum tcprules_status
find(const char *ip, const char *host, const char *user, struct buf *data)
{
	struct tcprules_client who = { span_str(ip), span_str(host), span_str(user) };

	return tcprules_find("rules", &who, data);
}

static void
test_data(struct tap *t)
{
	static const char text[] = "D\0+A=1\0+B=\0+=x\0+C\0junk\0+D=2=3";
	struct span data = span_of(text, sizeof text - 1), one;
	static const char *const found[] = { "A=1", "B=", "D=2=3" };
	size_t pos = 0, n = 0;

	while (tcprules_next(data, &pos, &one))
		is(t, one, span_str(n < 3 ? found[n] : "none"), "an assignment"), n++;
	is_num(t, (long long)n, 3, "three of them");
	ok(t, tcprules_denies(data), "denied");
	ok(t, !tcprules_denies(span_str("+A=D")) && !tcprules_denies(span_str("")), "not denied");
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;
	struct buf data = { 0 };

	scratch_enter(&s);
	is_num(&t, find("1.2.3.4", NULL, NULL, &data), TCPRULES_FAILED, "no file");
	make(0);
	is_num(&t, find("1.2.3.4", "a", "b", &data), TCPRULES_ABSENT, "no rule");
	make(sizeof keys / sizeof *keys);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		is_num(&t, find(rows[i].ip, rows[i].host, rows[i].user, &data), TCPRULES_FOUND,
		    rows[i].ip);
		is(&t, buf_span(&data), span_str(rows[i].key), "  by this key");
	}
	(void)close(scratch_file("rules", "no database"));
	is_num(&t, find("1.2.3.4", NULL, NULL, &data), TCPRULES_FAILED, "damaged");
	buf_free(&data);
	test_data(&t);
	scratch_leave(&s);
	return done(&t);
}
