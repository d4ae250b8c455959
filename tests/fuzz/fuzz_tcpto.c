/* The files tcpto and tcpto6 with any bytes: the table that is shown has sound entries; an address
 * is left alone only after two timeouts; writing keeps the file's records, and what was written is
 * read back.  Input: `4` or `6`, the time (8 bytes), an address (16 bytes), the file. */
#include "queue/tcpto.h"

#include <string.h>

#include "rig.h"

#define HEAD 25

const char *const fuzz_words[] = {
	"4", "6", "\1\2\3\4", "\12", "\377\377\377\377\377\377\377\377", "aaaaaaaa",
	"40000000000000000aaaaaaaa", "6aaaaaaaaaaaaaaaaaaaaaaaa", "\2", "\1", "aaaaaaaaaaaaaaaa",
	NULL
};

static void
check_table(struct span file, bool v6, struct tcpto_entry *table, size_t *n)
{
	size_t size = v6 ? TCPTO6_RECORD_SIZE : TCPTO_RECORD_SIZE;

	*n = tcpto_decode(file, v6, table);
	promise(*n <= TCPTO_RECORDS && *n <= file.n / size);
	for (size_t i = 0; i < *n; i++) {
		promise(table[i].count >= 1 && table[i].count <= 255 && table[i].when >= 0);
		promise(table[i].address.v6 == v6);
	}
}

static const struct tcpto_entry *
find(const struct tcpto_entry *table, size_t n, const struct tcpto_address *a)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(table[i].address.bytes, a->bytes, a->v6 ? 16 : 4) == 0)
			return &table[i];
	return NULL;
}

static void
check_use(struct span file, const struct tcpto_address *a, int64_t now)
{
	const char *path = a->v6 ? "queue/lock/tcpto6" : "queue/lock/tcpto";
	struct tcpto_entry table[TCPTO_RECORDS], after[TCPTO_RECORDS];
	const struct tcpto_entry *entry;
	struct buf now_there = { 0 };
	size_t n, later;
	enum tcpto_advice advice;

	rig_write(path, file);
	check_table(file, a->v6, table, &n);
	advice = tcpto_query(a, now, 4711);
	entry = find(table, n, a);
	promise(advice != TCPTO_SKIP || (entry && now - entry->when < 91 * 64 &&
	    entry->when - now < 91 * 64));
	promise(advice != TCPTO_LATER || (entry && now - entry->when < 120 &&
	    entry->when - now < 120));
	tcpto_timed_out(a, now);
	promise(rig_read(path, &now_there));
	promise(a->v6 || now_there.n == file.n);
	check_table(buf_span(&now_there), a->v6, after, &later);
	promise(later >= n && later <= n + 1);
	if (!a->v6 && file.n < TCPTO_RECORD_SIZE)
		goto out;
	promise((entry = find(after, later, a)) != NULL);
	tcpto_answered(a, TCPTO_KNOWN);
	promise(rig_read(path, &now_there));
	check_table(buf_span(&now_there), a->v6, after, &later);
	tcpto_clear("queue/lock");
	promise(rig_read(path, &now_there));
	check_table(buf_span(&now_there), a->v6, after, &later);
	promise(later == 0);
out:
	buf_free(&now_there);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tcpto_address a = { .v6 = n && p[0] == '6' };
	uint64_t now = 0;

	rig_directory();
	rig_mkdir("queue");
	rig_mkdir("queue/lock");
	if (n < HEAD)
		return 0;
	for (size_t i = 0; i < 8; i++)
		now = now << 8 | p[1 + i];
	memcpy(a.bytes, p + 9, a.v6 ? 16 : 4);
	n -= HEAD;
	if (a.v6)
		n -= n % TCPTO6_RECORD_SIZE;	/* a cut record would be completed */
	check_use(rig_input(p + HEAD, n), &a, (int64_t)(now >> 2));
	return 0;
}
