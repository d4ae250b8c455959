/* users/poppasswd: what is accepted is in the database, under its name, and whole; a record that is
 * good has a directory and ids that are not root's. */
#include "mail/poppasswd.h"

#include "lib/cdbmap.h"
#include "rig.h"
#include "users/popbuild.h"

const char *const fuzz_words[] = {
	"joe:", ":popuser:", ":/home\n", ":5001:5001:", ":Maildir\n", "$6$salt$hash", "$y$j9T$a$b",
	"!", "*", "#", "\n", "\r\n", ":", "0", "4294967295", "/", "\xff", NULL
};

static void
check_record(struct span record)
{
	struct poppasswd user;

	promise(poppasswd_parse(record, &user) == NULL);
	promise(user.home.n && user.home.p[0] == '/' && rig_is_text(record));
	promise(user.account.n || (user.uid && user.gid));
	promise(popbuild_kind(user.hash) <= user.hash.n);
}

/* The first line of each name. */
static void
check_lines(struct span text, struct cdbmap *m)
{
	while (text.n) {
		struct span line = rig_take(&text, '\n'), name, data;

		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (!line.n || line.p[0] == '#')
			continue;
		name = rig_take(&line, ':');
		promise(name.n && cdbmap_find(m, name, &data) == CDBMAP_FOUND);
		check_record(line);
		check_record(data);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = rig_input(p, n);
	struct popbuild_place place = { 0 };
	struct buf database = { 0 };
	struct cdbmap *m = NULL;

	rig_directory();
	if (popbuild_passwd(in, rig_file(0, span_str("")), &place) == POPBUILD_OK) {
		rig_file_text(0, &database);
		rig_write("db", buf_span(&database));
		promise(cdbmap_open("db", &m) == CDBMAP_FOUND);
		check_lines(in, m);
		cdbmap_close(m);
	} else {
		promise(place.line > 0 && place.why);
	}
	buf_free(&database);
	return 0;
}
