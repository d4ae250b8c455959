/* driver - all targets in one program for libFuzzer; which one runs says the program's name.
 *	NAME [libFuzzer's options]	runs the target NAME
 *	NAME --words			writes its words as a dictionary of libFuzzer
 * targets.h has a line TARGET(name) for each; run_NAME and words_NAME are what the target calls
 * LLVMFuzzerTestOneInput and fuzz_words. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "patience.h"

#define PATIENCE_S 30

#define TARGET(name) \
	int run_##name(const uint8_t *p, size_t n); \
	extern const char *const words_##name[];
#include "targets.h"
#undef TARGET

static const struct target {
	const char *name;
	int (*run)(const uint8_t *p, size_t n);
	const char *const *words;
} targets[] = {
#define TARGET(name) { #name, run_##name, words_##name },
#include "targets.h"
};

static const struct target *chosen;

int LLVMFuzzerInitialize(int *argc, char ***argv);

static void
print_words(void)
{
	for (const char *const *word = chosen->words; *word; word++) {
		if (!**word)
			continue;
		putchar('"');
		for (const char *p = *word; *p; p++)
			printf("\\x%02x", (unsigned)(unsigned char)*p);
		puts("\"");
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *slash = strrchr((*argv)[0], '/'), *name = slash ? slash + 1 : (*argv)[0];

	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
		if (strcmp(targets[i].name, name) == 0)
			chosen = &targets[i];
	if (!chosen) {
		(void)fprintf(stderr, "%s: no such target\n", name);
		exit(100);
	}
	if (*argc == 2 && strcmp((*argv)[1], "--words") == 0) {
		print_words();
		exit(0);
	}
	patience_start(PATIENCE_S);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	patience_renew();
	return chosen->run(p, n);
}
