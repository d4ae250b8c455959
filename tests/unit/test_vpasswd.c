/* vpasswd: users, quotas and sizes in vpopmail's files. */
#include "users/vpasswd.h"

#include <unistd.h>

#include "lib/cdbmap.h"
#include "scratch.h"
#include "tap.h"

static const struct {
	const char *text;
	uint64_t bytes, messages;
} quotas[] = {
	{ "NOQUOTA", 0, 0 },
	{ "", 0, 0 },
	{ "100S", 100, 0 },
	{ "100", 100, 0 },
	{ "100S,20C", 100, 20 },
	{ "20C", 0, 20 },
	{ "20C,100S", 100, 20 },
	{ "99999999999999999999S", INT64_MAX, 0 },
	{ "S,C,,", 0, 0 },
	{ "-5S", 0, 0 },
	{ "5X", 0, 0 },
};

static const struct {
	const char *quota, *sizes;
	unsigned percent;
	bool full;
} sizes[] = {
	{ "100S", "100S\n89 1\n", 90, false },
	{ "100S", "100S\n90 1\n", 90, true },
	{ "100S", "100S\n91 1", 90, true },
	{ "100S", "100S\n  50   1\n\t50 1\n", 100, true },
	{ "100S", "100S\n150 1\n-100 -1\n", 90, false },
	{ "100S", "900S\n", 90, false },
	{ "100S", "", 90, false },
	{ "100S", "100S\nx\n\n", 90, false },
	{ "10C", "10C\n1 4\n1 5\n", 90, true },
	{ "10C", "10C\n1 4\n1 4\n", 90, false },
	{ "NOQUOTA", "\n1000 1000\n", 90, false },
	{ "9223372036854775807S", "x\n9223372036854775807 0\n", 100, true },
	{ "100S", "x\n9223372036854775807 1\n9223372036854775807 1\n", 90, true },
	{ "100S", "x\n-9223372036854775807 1\n-9223372036854775807 1\n", 90, false },
};

static const struct {
	const char *data;
	enum vpasswd_status status;
	uint64_t flags;
	const char *dir, *quota;
} users[] = {
	{ "h:1:0:Fred:/d/fred:NOQUOTA", VPASSWD_FOUND, 0, "/d/fred", "NOQUOTA" },
	{ "h:1:16:Fred:/d/fred:5S:clear", VPASSWD_FOUND, 16, "/d/fred", "5S" },
	{ "::99999999999999999999:::", VPASSWD_FOUND, UINT64_MAX, "", "" },
	{ ":::::", VPASSWD_FOUND, 0, "", "" },
	{ "h:1:0:Fred:/d/fred", VPASSWD_ABSENT, 0, "", "" },
	{ "", VPASSWD_ABSENT, 0, "", "" },
};

static void
make_cdb(const char *data)
{
	int fd = scratch_file("vpasswd.cdb", "");
	struct cdbmap_maker *mk = cdbmap_make(fd);

	if (!mk || cdbmap_make_add(mk, span_str("fred"), span_str(data)) == -1 ||
	    cdbmap_make_finish(mk) == -1 || close(fd) == -1)
		abort();
}

static void
test_users(struct tap *t)
{
	struct vpasswd v = { 0 };

	is_num(t, vpasswd_find(span_str("fred"), &v), VPASSWD_UNSEEN, "no database");
	for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
		make_cdb(users[i].data);
		is_num(t, vpasswd_find(span_str("FRED"), &v), users[i].status, users[i].data);
		if (users[i].status == VPASSWD_FOUND) {
			ok(t, v.flags == users[i].flags, "  flags");
			is(t, buf_span(&v.dir), span_str(users[i].dir), "  directory");
			is(t, buf_span(&v.quota), span_str(users[i].quota), "  quota");
		}
		vpasswd_free(&v);
	}
	is_num(t, vpasswd_find(span_str("fre"), &v), VPASSWD_ABSENT, "another name");
	is_num(t, vpasswd_find(span_str(""), &v), VPASSWD_ABSENT, "no name");
	(void)close(scratch_file("vpasswd.cdb", "no database"));
	is_num(t, vpasswd_find(span_str("fred"), &v), VPASSWD_FAILED, "damaged");
}

int
main(void)
{
	struct tap t = { 0 };
	struct scratch s;

	for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++) {
		struct vpasswd_quota q = vpasswd_quota(span_str(quotas[i].text));

		ok(&t, q.bytes == quotas[i].bytes && q.messages == quotas[i].messages,
		    "quota %s", quotas[i].text);
	}
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		ok(&t, vpasswd_is_full(vpasswd_quota(span_str(sizes[i].quota)),
		    span_str(sizes[i].sizes), sizes[i].percent) == sizes[i].full, "sizes %zu", i);
	scratch_enter(&s);
	test_users(&t);
	scratch_leave(&s);
	return done(&t);
}
