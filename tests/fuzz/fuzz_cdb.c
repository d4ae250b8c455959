/* Files that claim to be users/cdb or morercpthosts.cdb: no byte outside is read, every lookup
 * ends, what is found ends in the rest of the address, and what is listed is found.  Input: local
 * part `|` bytes of the file, `~` for a NUL; with a `=` in front the file is a sound one, and the
 * bytes say what of it to damage. */
#include <fcntl.h>
#include <unistd.h>

#include "lib/cdbmap.h"
#include "mail/relay.h"
#include "mail/userdb.h"
#include "rig.h"

const char *const fuzz_words[] = {
	"|", "=", "joe", "joe-x", "~", "~~", "~~~", "~\10~~", "\1", "!joe~", "!joe-", "-", "\xff",
	"\xff\xff\xff\x7f", "joe~503~100~/home/joe~~", "@", "a.test", ".test", "\20~~~", "\1~~~",
	NULL
};

/* A users/cdb of one entry and one wildcard, and then a byte of it is another. */
static void
make_damaged(struct span local, struct span choice, struct buf *to)
{
	int fd = rig_file(0, span_str(""));
	struct cdbmap_maker *maker = cdbmap_make(fd);
	struct buf key = { 0 };

	promise(maker != NULL);
	buf_addc(&key, '!');
	buf_addspan(&key, local);
	buf_addc(&key, '\0');
	promise(cdbmap_make_add(maker, buf_span(&key), span_of("u\0001\0002\0/h\0-\0", 10)) == 0);
	promise(cdbmap_make_add(maker, span_str("!a-"), span_of("v\0001\0002\0/h\0-\0", 10)) == 0);
	promise(cdbmap_make_add(maker, span_str(""), span_str("-")) == 0);
	promise(cdbmap_make_finish(maker) == 0);
	rig_file_text(0, to);
	for (size_t i = 0; i + 2 < choice.n; i += 3) {
		size_t at = ((size_t)(unsigned char)choice.p[i] << 8 |
		    (unsigned char)choice.p[i + 1]) % to->n;

		to->p[at] = choice.p[i + 2];
	}
	buf_free(&key);
}

static void
check_lookup(struct span local, bool sound)
{
	struct buf data = { 0 };
	enum userdb_status status = userdb_lookup("cdb", local, &data);

	promise(status != USERDB_MEMORY);
	promise(!sound || status == USERDB_FOUND);
	if (status == USERDB_FOUND)
		promise(data.n > 0 && data.p[data.n - 1] == '\0');
	buf_free(&data);
}

static void
check_relay(struct span address)
{
	struct relay r = { .restricted = true };

	promise(set_finish(&r.hosts));
	promise(cdbmap_open("cdb", &r.more) == CDBMAP_FOUND);
	(void)!relay_check(&r, address);
	relay_close(&r);
}

/* One record after the other, each behind the one before; and the two lookups agree. */
static void
check_records(void)
{
	struct cdbmap *m, *second;
	struct span key, data, found;
	unsigned pos = 0, before = 0;
	char copy[64];
	size_t n = 0;
	int fd;

	promise(cdbmap_open("cdb", &m) == CDBMAP_FOUND);
	promise(cdbmap_open("cdb", &second) == CDBMAP_FOUND);
	fd = open("cdb", O_RDONLY | O_CLOEXEC);
	while (n++ < 100 && cdbmap_next(m, &pos, &key, &data) == CDBMAP_FOUND) {
		enum cdbmap_status status = cdbmap_find(second, key, &found);

		promise(pos >= before + 8 + key.n + data.n);
		before = pos;
		if (status != CDBMAP_FOUND || found.n > sizeof copy)
			continue;
		promise(cdbmap_seek(fd, key, copy, found.n) == CDBMAP_FOUND &&
		    span_eq(found, span_of(copy, found.n)));
	}
	(void)close(fd);
	cdbmap_close(second);
	cdbmap_close(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in = { 0 }, file = { 0 };
	struct span rest, local;
	bool sound = false;

	rig_directory();
	rig_nuls(&in, rig_input(p, n), '~');
	rest = buf_span(&in);
	local = rig_take(&rest, '|');
	if (local.n && local.p[0] == '=') {
		local = span_head(span_tail(local, 1), span_chr(span_tail(local, 1), '\0'));
		make_damaged(local, rest, &file);
		sound = rest.n < 3 && span_chr(local, 'A') == local.n;
		for (size_t i = 0; i < local.n; i++)	/* keys are in lower case */
			sound = sound && (local.p[i] < 'A' || local.p[i] > 'Z');
	} else {
		buf_addspan(&file, rest);
	}
	rig_write("cdb", buf_span(&file));
	check_lookup(local, sound);
	check_relay(local);
	check_records();
	buf_free(&in);
	buf_free(&file);
	return 0;
}
