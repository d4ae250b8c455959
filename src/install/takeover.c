/* takeover - may this build be installed over the queue that is there? */
#include "install/takeover.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/conf.h"
#include "lib/num.h"
#include "lib/span.h"
#include "lib/uids.h"

/* Where a directory of the queue is on this host. */
static int
queue_path(const char *destdir, const char *name, struct buf *path)
{
	buf_reset(path);
	buf_adds(path, destdir);
	buf_adds(path, QMAIL_HOME "/queue/");
	buf_adds(path, name);
	return buf_ok(path) ? 0 : -1;
}

/* How many directories with a number for a name there are; 0 also if they cannot be read. */
static uint64_t
count_subs(const char *destdir, const char *name)
{
	struct buf path = { 0 };
	const struct dirent *entry;
	DIR *stream = NULL;
	uint64_t sub, n = 0;
	struct stat st;
	size_t start;

	if (queue_path(destdir, name, &path) == 0)
		stream = opendir(buf_str(&path));
	buf_addc(&path, '/');
	start = path.n;
	while (stream && (entry = readdir(stream)) != NULL) {
		if (num_parse_u64(entry->d_name, strlen(entry->d_name), UINT64_MAX, &sub) != NUM_OK)
			continue;
		buf_cut(&path, start);
		buf_adds(&path, entry->d_name);
		if (stat(buf_str(&path), &st) == 0 && S_ISDIR(st.st_mode))
			n++;
	}
	if (stream)
		(void)closedir(stream);
	buf_free(&path);
	return n;
}

static int
refuse_split(struct buf *why, const char *name, uint64_t n)
{
	buf_adds(why, QMAIL_HOME "/queue/");
	buf_adds(why, name);
	buf_adds(why, " has ");
	buf_addnum(why, n);
	buf_adds(why, " directories, this build has a split of ");
	buf_addnum(why, QUEUE_SPLIT);
	buf_adds(why, ": put ");
	buf_addnum(why, n);
	buf_adds(why, " into conf-split and build again");
	return -1;
}

/* A flat todo and one that is split as mess are both fine: programs look. */
static int
check_layout(const char *destdir, struct buf *why)
{
	const uint64_t mess = count_subs(destdir, "mess"), todo = count_subs(destdir, "todo"),
	    intd = count_subs(destdir, "intd");

	if (mess != 0 && mess != QUEUE_SPLIT)
		return refuse_split(why, "mess", mess);
	if (todo != 0 && todo != QUEUE_SPLIT)
		return refuse_split(why, "todo", todo);
	if (todo == intd)
		return 0;
	buf_adds(why, QMAIL_HOME "/queue/todo has ");
	buf_addnum(why, todo);
	buf_adds(why, " directories and intd has ");
	buf_addnum(why, intd);
	buf_adds(why, ": neither the flat nor the big-todo layout; no conf-* file helps, "
	    "see qmail-qcheck(8)");
	return -1;
}

/* ---- owners ---- */

static void
add_id(struct buf *why, uintmax_t id, const char *name)
{
	buf_addnum(why, id);
	if (name) {
		buf_adds(why, " (");
		buf_adds(why, name);
		buf_addc(why, ')');
	}
}

static int
refuse_owner(struct buf *why, const char *path, uid_t is, const char *name, uid_t ours,
    const char *line)
{
	struct account account = { 0 };
	bool known = uids_account_of(is, &account) == UIDS_FOUND;

	buf_adds(why, path);
	buf_adds(why, " belongs to uid ");
	add_id(why, is, known ? buf_str(&account.name) : NULL);
	buf_adds(why, ", this build uses ");
	add_id(why, ours, name);
	buf_adds(why, ": put the name of that account into line ");
	buf_adds(why, line);
	buf_adds(why, " of conf-users and build again, or give the account its former uid");
	uids_account_free(&account);
	return -1;
}

static int
refuse_group(struct buf *why, const char *path, gid_t is, gid_t ours)
{
	buf_adds(why, path);
	buf_adds(why, " belongs to gid ");
	add_id(why, is, NULL);
	buf_adds(why, ", this build uses ");
	add_id(why, ours, GROUP_QMAIL);
	buf_adds(why, ": put the name of that group into line 1 of conf-groups and build again, "
	    "or give the group its former gid");
	return -1;
}

/* What belongs to root was made by an installation that was cut short, or is to be given away by
 * this one. */
static int
check_owners(const char *destdir, const struct hier_ids *ids, struct buf *why)
{
	static const struct {
		const char *path, *name, *line;
		enum hier_owner owner;
	} items[] = {
		{ "mess", USER_QUEUE, "6", HIER_QUEUE },
		{ "lock/tcpto", USER_REMOTE, "7", HIER_REMOTE },
		{ "info", USER_SEND, "8", HIER_SEND },
	};
	struct buf path = { 0 };
	struct stat st;
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof items / sizeof *items; i++) {
		uid_t ours = ids->owner[items[i].owner];

		if (queue_path(destdir, items[i].path, &path) == -1 ||
		    stat(buf_str(&path), &st) == -1 || st.st_uid == 0)
			continue;
		if (st.st_uid != ours)
			r = refuse_owner(why, buf_str(&path), st.st_uid, items[i].name, ours,
			    items[i].line);
		else if (st.st_gid != ids->group)
			r = refuse_group(why, buf_str(&path), st.st_gid, ids->group);
	}
	buf_free(&path);
	return r;
}

/* The trigger is what an installation makes last: without it there was no queue to take over, only
 * an installation that was cut short. */
static bool
was_in_use(const char *destdir)
{
	struct buf path = { 0 };
	struct stat st;
	bool there = queue_path(destdir, "lock/trigger", &path) == 0 &&
	    stat(buf_str(&path), &st) == 0;

	buf_free(&path);
	return there;
}

int
takeover_check(const char *destdir, const struct hier_ids *ids, struct buf *why)
{
	if (!was_in_use(destdir))
		return 0;
	if (check_layout(destdir, why) == -1)
		return -1;
	return ids ? check_owners(destdir, ids, why) : 0;
}
