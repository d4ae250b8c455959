/* qmail-newu: of an assign file in order it makes a database that has, read by tinycdb itself, one
 * record for each line and the one of the wildcards, in that order; each line's address is then
 * found as the line says.  What is out of order is refused, with its place. */
#include "users/assign.h"

#include <cdb.h>
#include <unistd.h>

#include "lib/ascii.h"
#include "mail/userdb.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"=joe:joe:503:78:/home/joe:::\n", "+joe-:joe:503:78:/home/joe:-::\n",
	"+:alias:7:7:/a:-::\n", ".\n", ".", "\n", "=", "+", ":", "joe", "Joe", "0", "-1",
	"4294967295", "/home/x", "\r", "\xff", "~", "=a:b:1:2:/c:d:e:f\n", NULL
};

/* Independent of userdb_parse_line: the record that a line stands for. */
static bool
record_of(struct span line, struct buf *key, struct buf *data)
{
	struct span rest = line, name = rig_take(&rest, ':');

	buf_reset(key);
	buf_reset(data);
	if (span_chr(line, '\0') < line.n || !name.n || name.n == line.n)
		return false;
	buf_addc(key, '!');
	for (size_t i = 1; i < name.n; i++)
		buf_addc(key, ascii_lower(name.p[i]));
	if (name.p[0] != '+')
		buf_addc(key, '\0');
	for (int field = 0; field < 6; field++) {
		if (span_chr(rest, ':') == rest.n)
			return false;
		buf_addspan(data, rig_take(&rest, ':'));
		if (field < 5)
			buf_addc(data, '\0');
	}
	return true;
}

static void
add_wild(struct buf *wild, struct span line)
{
	struct span name = span_head(line, span_chr(line, ':'));
	char last = name.n > 1 ? ascii_lower(name.p[name.n - 1]) : '\0';

	if (name.p[0] == '+' && last && span_chr(buf_span(wild), last) == wild->n)
		buf_addc(wild, last);
}

/* The next record as tinycdb tells it. */
static void
next_is(struct cdb *cdb, unsigned *at, struct span key, struct span data)
{
	promise(cdb_seqnext(at, cdb) > 0);
	promise(cdb_keylen(cdb) == key.n && cdb_datalen(cdb) == data.n);
	promise(span_eq(span_of(cdb_getkey(cdb), key.n), key));
	promise(span_eq(span_of(cdb_getdata(cdb), data.n), data));
}

/* The first line of an address decides; wildcards apart it is found as it stands there. */
static void
check_found(struct span line, struct span key, struct span all_before)
{
	struct buf want = { 0 }, got = { 0 }, other = { 0 }, unused = { 0 };
	bool first = line.p[0] != '+';

	(void)record_of(line, &unused, &want);
	while (all_before.n && first) {
		struct span before = rig_line(&all_before);

		before.n--;
		first = !record_of(before, &other, &unused) || !span_eq(buf_span(&other), key);
	}
	if (first) {
		struct span local = span_of(key.p + 1, key.n - 2);

		promise(userdb_lookup("cdb", local, &got) == USERDB_FOUND);
		buf_addc(&want, '\0');
		promise(span_eq(buf_span(&got), buf_span(&want)));
	}
	buf_free(&want);
	buf_free(&got);
	buf_free(&other);
	buf_free(&unused);
}

static void
check_database(struct span text)
{
	struct buf key = { 0 }, data = { 0 }, wild = { 0 }, file = { 0 };
	struct span rest = text;
	unsigned at;
	struct cdb cdb;

	rig_file_text(1, &file);
	rig_write("cdb", buf_span(&file));
	promise(cdb_init(&cdb, rig_file(1, buf_span(&file))) == 0);
	cdb_seqinit(&at, &cdb);
	for (;;) {
		struct span before = span_of(text.p, text.n - rest.n), line = rig_line(&rest);

		promise(line.n > 0);
		if (line.p[0] == '.')
			break;
		line.n--;
		promise(record_of(line, &key, &data));
		add_wild(&wild, line);
		next_is(&cdb, &at, buf_span(&key), buf_span(&data));
		check_found(line, buf_span(&key), before);
	}
	next_is(&cdb, &at, span_str(""), buf_span(&wild));
	promise(cdb_seqnext(&at, &cdb) == 0);
	cdb_free(&cdb);
	buf_free(&key);
	buf_free(&data);
	buf_free(&wild);
	buf_free(&file);
}

/* How many lines may be read until the first bad one; 0: all are fine. */
static uint64_t
first_bad(struct span text)
{
	struct buf key = { 0 }, data = { 0 };
	uint64_t number = 0, bad = 0;

	while (!bad) {
		struct span line = rig_line(&text);

		number++;
		if (line.n && line.p[0] == '.')
			break;
		if (!line.n || line.p[line.n - 1] != '\n' ||
		    !record_of(span_head(line, line.n - 1), &key, &data))
			bad = number;
	}
	buf_free(&key);
	buf_free(&data);
	return bad;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 }, warnings = { 0 };
	struct assign_place place;
	enum assign_status status;
	uint64_t bad;
	int to;

	rig_directory();
	rig_nuls(&in, rig_input(p, n), '~');
	bad = first_bad(buf_span(&in));
	to = rig_file(1, span_str(""));
	status = assign_build(rig_file(0, buf_span(&in)), to, &place, &warnings);
	promise(status == (bad ? ASSIGN_FORMAT : ASSIGN_OK));
	promise(!bad || (place.line == bad && place.why));
	promise(!warnings.n || warnings.p[warnings.n - 1] == '\n');
	if (!bad)
		check_database(buf_span(&in));
	buf_free(&in);
	buf_free(&warnings);
	return 0;
}
