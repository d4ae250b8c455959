/* planted - targets with a fault each, which the harness must find: if it does not, it would not
 * find others either.  PLANTED in the environment chooses one; `idle` has no fault but does
 * nothing, which must be found as well. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "patience.h"

#define PATIENCE_S 2		/* with work that never ends */
#define REPORT_S 60		/* for the others, whose report must not be cut short */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A promise that does not hold for one word. */
static void
broken_promise(const uint8_t *p, size_t n)
{
	if (n >= 5 && memcmp(p, "DATA\r", 5) == 0)
		abort();
}

/* One byte beyond the memory, for lengths that a check has forgotten. */
static void
overflow(const uint8_t *p, size_t n)
{
	char *copy = malloc(n);

	if (copy && n > 3 && p[0] == '"') {
		memcpy(copy, p, n);
		if (p[n - 1] == '\\')
			copy[n - (p[1] == '<')] = '\0';	/* n itself, but behind a `<` */
	}
	free(copy);
}

/* A number that wraps. */
static void
undefined(const uint8_t *p, size_t n)
{
	int value = 0;

	for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '9'; i++)
		value = value * 10 + (p[i] - '0');
}

/* Work that never ends. */
static void
endless(const uint8_t *p, size_t n)
{
	volatile size_t at = 0;

	while (at + 1 < n && p[0] == ':')
		at += p[at + 1] == '@' ? 0 : 1;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *kind = getenv("PLANTED");

	(void)argc;
	(void)argv;
	patience_start(kind && strcmp(kind, "endless") == 0 ? PATIENCE_S : REPORT_S);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *kind = getenv("PLANTED");

	patience_renew();
	if (!kind)
		abort();
	if (strcmp(kind, "promise") == 0)
		broken_promise(p, n);
	else if (strcmp(kind, "overflow") == 0)
		overflow(p, n);
	else if (strcmp(kind, "undefined") == 0)
		undefined(p, n);
	else if (strcmp(kind, "endless") == 0)
		endless(p, n);
	else if (strcmp(kind, "idle") != 0)
		abort();
	return 0;
}
