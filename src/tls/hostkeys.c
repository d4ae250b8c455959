/* hostkeys - the certificates of this host. */
#include "tls/hostkeys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/ascii.h"

#define NAMED_DIR "control/servercerts"

int
hostkeys_name(struct span name, char *out)
{
	if (name.n < 1 || name.n > HOSTKEYS_NAME_MAX || name.p[0] == '.')
		return -1;
	for (size_t i = 0; i < name.n; i++) {
		if (!ascii_isalnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '.')
			return -1;
		out[i] = ascii_lower(name.p[i]);
	}
	out[name.n] = '\0';
	return 0;
}

static enum tlspem_status
read_file(const char *path, struct buf *text)
{
	int error, fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	enum tlspem_status status = fd == -1 ? TLSPEM_NO_FILE : tlspem_read(fd, text);

	error = errno;
	if (fd != -1)
		(void)close(fd);
	errno = error;
	return status;
}

/* One name of the directory, if it is one and its file can be read. */
static void
read_named(struct hostkeys *k, const char *entry)
{
	struct hostkey *key = &k->named[k->n];
	char path[sizeof NAMED_DIR + HOSTKEYS_NAME_MAX + sizeof "//servercert.pem"];

	if (hostkeys_name(span_str(entry), key->name) == -1)
		return;
	(void)snprintf(path, sizeof path, NAMED_DIR "/%.*s/servercert.pem", HOSTKEYS_NAME_MAX,
	    entry);
	key->text = (struct buf){ 0 };
	if (read_file(path, &key->text) == TLSPEM_OK)
		k->n++;
	else
		buf_wipe(&key->text);
}

static int
read_all_named(struct hostkeys *k)
{
	DIR *dir = opendir(NAMED_DIR);
	const struct dirent *entry;

	if (!dir)
		return errno == ENOENT ? 0 : -1;
	k->named = calloc(HOSTKEYS_MAX, sizeof *k->named);
	while (k->named && k->n < HOSTKEYS_MAX && (entry = readdir(dir)))
		read_named(k, entry->d_name);
	(void)closedir(dir);
	return k->named ? 0 : -1;
}

enum tlspem_status
hostkeys_read(struct hostkeys *k, int fd)
{
	enum tlspem_status status = tlspem_read(fd, &k->main);

	if (status == TLSPEM_OK && read_all_named(k) == -1)
		status = TLSPEM_NO_FILE;
	return status;
}

const struct hostkey *
hostkeys_find(const struct hostkeys *k, struct span name)
{
	char wanted[HOSTKEYS_NAME_MAX + 1];

	if (hostkeys_name(name, wanted) == -1)
		return NULL;
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->named[i].name, wanted) == 0)
			return &k->named[i];
	return NULL;
}

void
hostkeys_wipe(struct hostkeys *k)
{
	buf_wipe(&k->main);
	for (size_t i = 0; i < k->n; i++)
		buf_wipe(&k->named[i].text);
	free(k->named);
	*k = (struct hostkeys){ 0 };
}
