/* hier - everything an installed tree consists of, as one table. */
#include "install/hier.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/span.h"
#include "lib/uids.h"

#define DIRECTORY(path, owner, mode) { HIER_DIR, path, owner, mode, NULL, 0, false }
#define PROGRAM(name, owner, mode) { HIER_FILE, "bin/" name, owner, mode, "bin/" name, 0, false }
#define HELPER(name) { HIER_FILE, "configure/" name, HIER_OWNER, 0755, "bin/" name, 0, false }
#define QUEUE_DIR(path, owner, mode) { HIER_DIR, "queue" path, owner, mode, NULL, 0, true }

static const struct hier_item tree[] = {
	DIRECTORY("", HIER_OWNER, 0755),
	DIRECTORY("control", HIER_OWNER, 0755),
	DIRECTORY("users", HIER_OWNER, 0755),
	DIRECTORY("bin", HIER_OWNER, 0755),
	DIRECTORY("boot", HIER_OWNER, 0755),
	DIRECTORY("doc", HIER_OWNER, 0755),
	DIRECTORY("configure", HIER_OWNER, 0755),
	DIRECTORY("scripts", HIER_OWNER, 0755),
	DIRECTORY("man", HIER_OWNER, 0755),
	DIRECTORY("man/man1", HIER_OWNER, 0755),
	DIRECTORY("man/man5", HIER_OWNER, 0755),
	DIRECTORY("man/man7", HIER_OWNER, 0755),
	DIRECTORY("man/man8", HIER_OWNER, 0755),
	/* For formatted pages, which the suite has none of; the checkers of others ask for them. */
	DIRECTORY("man/cat1", HIER_OWNER, 0755),
	DIRECTORY("man/cat5", HIER_OWNER, 0755),
	DIRECTORY("man/cat7", HIER_OWNER, 0755),
	DIRECTORY("man/cat8", HIER_OWNER, 0755),
	DIRECTORY("alias", HIER_ALIAS, 02755),

	PROGRAM("qmail-queue", HIER_QUEUE, 04711),
	PROGRAM("qmail-tls", HIER_TLS, 04711),
	PROGRAM("qmail-chkuser", HIER_PASSWD, 04711),
	PROGRAM("qmail-lspawn", HIER_OWNER, 0700),
	PROGRAM("qmail-start", HIER_OWNER, 0700),
	PROGRAM("qmail-newu", HIER_OWNER, 0700),
	PROGRAM("qmail-newmrh", HIER_OWNER, 0700),
	PROGRAM("qmail-newmvrt", HIER_OWNER, 0700),
	PROGRAM("checkpassword", HIER_OWNER, 0700),
	PROGRAM("checkpassword-cdb", HIER_OWNER, 0700),
	PROGRAM("checkpassword-smtp", HIER_PASSWD, 04711),
	PROGRAM("qmail-newpw", HIER_OWNER, 0700),
	PROGRAM("qmail-getpw", HIER_OWNER, 0711),
	PROGRAM("qmail-local", HIER_OWNER, 0711),
	PROGRAM("qmail-remote", HIER_OWNER, 0711),
	PROGRAM("qmail-rspawn", HIER_OWNER, 0711),
	PROGRAM("qmail-clean", HIER_OWNER, 0711),
	PROGRAM("qmail-send", HIER_OWNER, 0711),
	PROGRAM("qmail-todo", HIER_OWNER, 0711),
	PROGRAM("qmail-pw2u", HIER_OWNER, 0711),
	PROGRAM("qmail-popup", HIER_OWNER, 0711),
	PROGRAM("splogger", HIER_OWNER, 0711),
	PROGRAM("qmail-inject", HIER_OWNER, 0755),
	PROGRAM("sendmail", HIER_OWNER, 0755),
	PROGRAM("qmail-showctl", HIER_OWNER, 0755),
	PROGRAM("qmail-qread", HIER_OWNER, 0755),
	PROGRAM("qmail-qstat", HIER_OWNER, 0755),
	PROGRAM("qmail-tcpto", HIER_OWNER, 0755),
	PROGRAM("qmail-tcpok", HIER_OWNER, 0755),
	PROGRAM("qmail-qcheck", HIER_OWNER, 0755),
	PROGRAM("qmail-qfilter", HIER_OWNER, 0755),
	PROGRAM("spawn-filter", HIER_OWNER, 0755),
	PROGRAM("qmail-pop3d", HIER_OWNER, 0755),
	PROGRAM("qmail-smtpd", HIER_OWNER, 0755),
	PROGRAM("qmail-dnsask", HIER_OWNER, 0755),
	PROGRAM("rcptcheck-overlimit", HIER_OWNER, 0755),
	PROGRAM("qmail-spf", HIER_OWNER, 0755),
	PROGRAM("ipmetest", HIER_OWNER, 0755),
	PROGRAM("spfquery", HIER_OWNER, 0755),
	PROGRAM("qmail-climit", HIER_OWNER, 0755),
	PROGRAM("qmail-proxy", HIER_OWNER, 0755),
	PROGRAM("qmail-qmtpd", HIER_OWNER, 0755),
	PROGRAM("qmail-qmqpd", HIER_OWNER, 0755),
	PROGRAM("qmail-qmqpc", HIER_OWNER, 0755),
	PROGRAM("tcp-env", HIER_OWNER, 0755),
	PROGRAM("tcpserver-ssl", HIER_OWNER, 0755),
	PROGRAM("qmail-cert", HIER_OWNER, 0755),
	PROGRAM("forward", HIER_OWNER, 0755),
	PROGRAM("preline", HIER_OWNER, 0755),
	PROGRAM("condredirect", HIER_OWNER, 0755),
	PROGRAM("bouncesaying", HIER_OWNER, 0755),
	PROGRAM("except", HIER_OWNER, 0755),
	PROGRAM("maildirmake", HIER_OWNER, 0755),
	PROGRAM("maildir2mbox", HIER_OWNER, 0755),
	PROGRAM("maildirwatch", HIER_OWNER, 0755),
	PROGRAM("qreceipt", HIER_OWNER, 0755),
	PROGRAM("qbiff", HIER_OWNER, 0755),
	PROGRAM("qsmhook", HIER_OWNER, 0755),
	PROGRAM("predate", HIER_OWNER, 0755),
	PROGRAM("datemail", HIER_OWNER, 0755),
	PROGRAM("mailsubj", HIER_OWNER, 0755),
	PROGRAM("qail", HIER_OWNER, 0755),
	PROGRAM("elq", HIER_OWNER, 0755),
	PROGRAM("pinq", HIER_OWNER, 0755),
	HELPER("config"),
	HELPER("config-fast"),
	HELPER("hostname"),
	HELPER("dnsfq"),
	HELPER("dnsip"),
	HELPER("dnsptr"),
	HELPER("ipmeprint"),
	{ HIER_FILE, "scripts/enable-qmail", HIER_OWNER, 0755, "bin/enable-qmail", 0, false },

	QUEUE_DIR("", HIER_QUEUE, 0750),
	QUEUE_DIR("/pid", HIER_QUEUE, 0700),
	QUEUE_DIR("/intd", HIER_QUEUE, 0700),
	QUEUE_DIR("/todo", HIER_QUEUE, 0750),
	QUEUE_DIR("/bounce", HIER_SEND, 0700),
	QUEUE_DIR("/mess", HIER_QUEUE, 0750),
	QUEUE_DIR("/info", HIER_SEND, 0700),
	QUEUE_DIR("/local", HIER_SEND, 0700),
	QUEUE_DIR("/remote", HIER_SEND, 0700),
	QUEUE_DIR("/lock", HIER_QUEUE, 0750),
	{ HIER_ZEROS, "queue/lock/tcpto", HIER_REMOTE, 0644, NULL, 1024, true },
	{ HIER_ZEROS, "queue/lock/tcpto6", HIER_REMOTE, 0644, NULL, 2048, true },
	{ HIER_ZEROS, "queue/lock/sendmutex", HIER_SEND, 0600, NULL, 0, true },
	{ HIER_FIFO, "queue/lock/trigger", HIER_SEND, 0622, NULL, 0, true },
};

static const char *const split_dirs[] = { "queue/mess", "queue/info", "queue/local",
	"queue/remote" };

typedef int visitor(void *arg, const struct hier_item *item);

static int
visit_split(const struct hier_item *parent, visitor *visit, void *arg)
{
	for (size_t i = 0; i < sizeof split_dirs / sizeof *split_dirs; i++) {
		if (strcmp(parent->path, split_dirs[i]) != 0)
			continue;
		for (int sub = 0; sub < QUEUE_SPLIT; sub++) {
			char path[HIER_PATH_SIZE];
			struct hier_item item = *parent;
			int r;

			(void)snprintf(path, sizeof path, "%s/%d", parent->path, sub);
			item.path = path;
			if ((r = visit(arg, &item)) != 0)
				return r;
		}
	}
	return 0;
}

/* Copies of everything in the build directory's folder `from` go to `to`; a manual page `x.8`
 * goes to man/man8. */
static int
visit_found(const char *build, const char *from, const char *to, mode_t mode, visitor *visit,
    void *arg)
{
	char path[HIER_PATH_SIZE], source[HIER_PATH_SIZE];
	const struct dirent *entry;
	int r = 0;
	DIR *dir;

	(void)snprintf(path, sizeof path, "%s/%s", build, from);
	if (!(dir = opendir(path)))
		return errno == ENOENT ? 0 : -1;
	while (r == 0 && (entry = readdir(dir))) {
		struct hier_item item = { HIER_FILE, path, HIER_OWNER, mode, source, 0, false };
		size_t n = strlen(entry->d_name);
		int len;

		if (entry->d_name[0] == '.' || n > 100)
			continue;
		if (strcmp(from, "man") == 0)
			len = snprintf(path, sizeof path, "%s/man%c/%s", to, entry->d_name[n - 1],
			    entry->d_name);
		else
			len = snprintf(path, sizeof path, "%s/%s", to, entry->d_name);
		if (len < 0 || (size_t)len >= sizeof path)
			continue;
		(void)snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
		r = visit(arg, &item);
	}
	(void)closedir(dir);
	return r;
}

int
hier_walk(const char *build, bool queue_only, visitor *visit, void *arg)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof tree / sizeof *tree; i++) {
		if (queue_only && !tree[i].in_queue)
			continue;
		r = visit(arg, &tree[i]);
		if (r == 0)
			r = visit_split(&tree[i], visit, arg);
	}
	if (r == 0 && !queue_only)
		r = visit_found(build, "boot", "boot", 0755, visit, arg);
	if (r == 0 && !queue_only)
		r = visit_found(build, "man", "man", 0644, visit, arg);
	if (r == 0 && !queue_only)
		r = visit_found(build, "doc", "doc", 0644, visit, arg);
	return r;
}

int
hier_ids(struct hier_ids *ids, const char **missing, bool *is_group)
{
	static const char *const names[HIER_OWNERS] = { USER_OWNER, USER_ALIAS, USER_QUEUE,
		USER_REMOTE, USER_SEND, USER_TLS, USER_PASSWD };
	/* These own no file, but nothing works without them. */
	static const char *const needed[] = { USER_DAEMON, USER_LOG };
	uid_t uid;
	gid_t gid;

	*is_group = true;
	*missing = GROUP_QMAIL;
	if (uids_group(GROUP_QMAIL, &ids->group) != UIDS_FOUND)
		return -1;
	*missing = GROUP_NOFILES;
	if (uids_group(GROUP_NOFILES, &gid) != UIDS_FOUND)
		return -1;
	*is_group = false;
	for (size_t i = 0; i < HIER_OWNERS; i++) {
		enum uids_status status = uids_user(names[i], &ids->owner[i], &gid);

		*missing = names[i];
		if (i == HIER_TLS)
			ids->tls = status == UIDS_FOUND;
		if (i == HIER_TLS && status == UIDS_ABSENT)
			ids->owner[i] = ids->owner[HIER_OWNER];
		else if (status != UIDS_FOUND)
			return -1;
	}
	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		*missing = needed[i];
		if (uids_user(needed[i], &uid, &gid) != UIDS_FOUND)
			return -1;
	}
	*missing = NULL;
	return 0;
}

mode_t
hier_mode(const struct hier_ids *ids, const struct hier_item *item)
{
	return item->owner == HIER_TLS && !ids->tls ? item->mode & 0777 : item->mode;
}
