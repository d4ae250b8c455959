/* ctlnames - which control files there are, found out by one look at the directory. */
#include "lib/ctlnames.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#define DIRECTORY "control"

/* false: no room. */
static bool
add(struct ctlnames *names, const char *name)
{
	size_t n = strlen(name) + 1;

	if (n > sizeof names->text - names->n)
		return false;
	memcpy(names->text + names->n, name, n);
	names->n += n;
	return true;
}

void
ctlnames_read(struct ctlnames *names)
{
	DIR *dir = opendir(DIRECTORY);
	const struct dirent *entry;
	bool all = dir && add(names, "");

	while (all) {
		errno = 0;
		if (!(entry = readdir(dir)))
			break;
		all = entry->d_name[0] == '.' || add(names, entry->d_name);
	}
	names->known = all && errno == 0;
	if (dir)
		(void)closedir(dir);
}

bool
ctlnames_may_have(const struct ctlnames *names, const char *name)
{
	size_t n = strlen(name) + 1;

	if (!names || !names->known)
		return true;
	for (size_t at = 0; at < names->n; at += strlen(names->text + at) + 1)
		if (names->n - at >= n && memcmp(names->text + at, name, n) == 0)
			return at > 0;
	return false;
}
