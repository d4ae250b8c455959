/* greyrig - a greystore in the working directory, for tests of it: asking, and starting anew. */
#ifndef GREYRIG_H
#define GREYRIG_H

#include <dirent.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "smtp/greystore.h"

#define DAY 86400
#define NOW ((int64_t)20000 * DAY + 1000)

static const struct greystore_times times = { 300, 14400, 36 * DAY };

static struct greystore_trouble trouble;

static inline enum greystore_answer
ask_with(const char *name, int64_t now, const struct greystore_times *t)
{
	unsigned char key[GREYSTORE_KEY] = { 0 };

	memcpy(key, name, strlen(name));
	trouble = (struct greystore_trouble){ 0 };
	return greystore_ask(".", key, now, t, &trouble);
}

static inline enum greystore_answer
ask(const char *name, int64_t now)
{
	return ask_with(name, now, &times);
}

static inline void
empty_directory(void)
{
	DIR *d = opendir(".");
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			(void)unlink(e->d_name);
	(void)closedir(d);
}

#endif
