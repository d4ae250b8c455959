/* Lines of users/assign: one that is taken has all strings that the reader of users/cdb expects. */
#include "mail/userdb.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define NULS 5		/* between the six strings of an entry */

const char *const fuzz_words[] = {
	"=", "+", ".", ":", "joe", "503", "/home/joe", "-", "Sales-", "a.b", "\r", " ", "\xff",
	"::",
	"=joe:joe:5001:5001:/home/joe:::", "+joe-:joe:5001:5001:/home/joe:-::", NULL
};

static size_t
count(struct span s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span line = span_of((const char *)p, span_chr(span_of((const char *)p, n), '\n'));
	struct buf key = { 0 }, data = { 0 };
	char wild = 0;

	switch (userdb_parse_line(line, &key, &data, &wild)) {
	case USERDB_LINE_OK:
		if (!key.n || key.p[0] != '!' || count(buf_span(&data), '\0') != NULS ||
		    count(line, ':') <= NULS)
			abort();
		break;
	case USERDB_LINE_END:
		if (line.n == 0 || line.p[0] != '.')
			abort();
		break;
	case USERDB_LINE_BAD:
		break;
	}
	buf_free(&key);
	buf_free(&data);
	return 0;
}
